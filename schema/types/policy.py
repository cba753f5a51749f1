"""Jurisdictions: all a frontend needs to draw a form, its tick boxes and a service guide, in one query."""

from __future__ import annotations

import strawberry

from gateway.policy import model as p
from gateway.policy import served
from gateway.policy.book import PolicyBook
from schema.enums import Flow
from schema.policy_enums import AreaLevel, SharedUse, WithdrawalItems, WithdrawalUntil
from schema.scalars import AreaCode, RequirementId, Slug
from schema.types.catalogue import ItemDefinition
from schema.types.form import (
    AccountChoice,
    Area,
    Channel,
    Commitment,
    EligibilityRule,
    FlowRule,
    FormField,
    FormGroup,
    GuideStep,
    MaterialRule,
    Notice,
    RatingScale,
    RefusedFlow,
    RolloutStage,
    SharedPaper,
    SharedSource,
    SourceDocument,
    TickBox,
    WithdrawalRule,
)
from schema.types.supervising import SupervisionRule
from schema.types.words import PolicyCode, PolicyCondition


@strawberry.type(description="办理地区: one government's rules in one version.")
class Jurisdiction:
    source: strawberry.Private[p.Jurisdiction]
    book: strawberry.Private[PolicyBook]
    connected: strawberry.Private[frozenset[str]]

    @strawberry.field(description="地区代号.")
    def code(self) -> str:
        return self.source.code

    @strawberry.field(description="名称.")
    def name(self) -> str:
        return self.source.name

    @strawberry.field(description="Name in English.")
    def name_en(self) -> str:
        return self.source.name_en

    @strawberry.field(description="规则版本; a case keeps the version it was accepted under (PD-19).")
    def version(self) -> str:
        return self.source.version

    @strawberry.field(description="依据文件.")
    def document(self) -> str:
        document = self.source.document
        return f"{document.title}（{document.number}）" if document.number else document.title

    @strawberry.field(description="依据文件的详情.")
    def source_document(self) -> SourceDocument:
        document = self.source.document
        return SourceDocument(
            title=document.title,
            issuer=document.issuer,
            number=document.number,
            effective_from=self.source.effective_from,
            effective_to=self.source.effective_to,
        )

    @strawberry.field(description="办事指南: address of the printable service guide, relative to this service.")
    def guide_url(self) -> str:
        return f"/documents/{self.source.code}/guide"

    @strawberry.field(description="空白登记表: address of the printable blank form, relative to this service.")
    def blank_form_url(self) -> str:
        return f"/documents/{self.source.code}/form"

    @strawberry.field(description="值守联系方式.")
    def duty_contact(self) -> str:
        return self.source.duty_contact

    @strawberry.field(description="Contact in English.")
    def duty_contact_en(self) -> str:
        return self.source.duty_contact_en

    @strawberry.field(description="行政区划代码.")
    def area(self) -> AreaCode:
        return AreaCode(self.source.area)

    @strawberry.field(description="下辖区域.")
    def areas(self) -> list[Area]:
        return [
            Area(
                code=AreaCode(area.code),
                name=area.name,
                level=AreaLevel(area.level),
                parent=AreaCode(area.parent) if area.parent else None,
            )
            for area in self.source.areas
        ]

    @strawberry.field(description="开通范围; empty: everywhere since the rules are in force.")
    def rollout(self) -> list[RolloutStage]:
        names = {area.code: area.name for area in self.source.areas}
        return [
            RolloutStage(
                area=AreaCode(stage.area),
                name=names.get(stage.area),
                since=stage.since,
                requirement_id=RequirementId(stage.source),
            )
            for stage in self.source.rollout
        ]

    @strawberry.field(description="办理渠道.")
    def channels(self) -> list[Channel]:
        return [Channel.of(self.source, channel) for channel in self.source.channels]

    @strawberry.field(description="死亡情形.")
    def flows(self) -> list[FlowRule]:
        return [
            FlowRule(
                flow=Flow(flow.code),
                name=flow.name,
                name_en=flow.name_en,
                reporters=list(flow.reporters),
                reporter_names=[self.book.word("roles", role).name for role in flow.reporters],
                opened_by_item=Slug(flow.opened_by.item) if flow.opened_by else None,
                report_after=list(flow.report_after or []),
                requirement_id=RequirementId(flow.source),
            )
            for flow in self.source.flows
        ]

    @strawberry.field(description="不予受理的死亡情形, with the reason.")
    def refused_flows(self) -> list[RefusedFlow]:
        return RefusedFlow.all(self.source)

    @strawberry.field(description="非正常死亡原因类别, for `death.causeKind`.")
    def causes(self) -> list[PolicyCode]:
        return [PolicyCode.of(cause) for cause in self.source.causes]

    @strawberry.field(description="申请条件: every one must hold.")
    def eligibility(self) -> list[EligibilityRule]:
        found = []
        for rule in self.source.eligibility:
            condition = PolicyCondition.of(self.book, self.source, rule.condition)
            assert condition is not None, "a rule has its condition"
            found.append(
                EligibilityRule(
                    name=rule.name,
                    name_en=rule.name_en,
                    condition=condition,
                    path=rule.fact_label,
                    requirement_ids=[RequirementId(row) for row in (rule.source, *rule.also)],
                )
            )
        return found

    @strawberry.field(description="表单分组, each with its fields in order.")
    def form_groups(self) -> list[FormGroup]:
        return [FormGroup.of(self.book, self.source, group) for group in self.source.form_groups]

    @strawberry.field(description="表单: every field, in order.")
    def form(self) -> list[FormField]:
        return [FormField.of(self.book, self.source, field) for field in self.source.form]

    @strawberry.field(description="勾选框: items the applicant may choose.")
    def tick_boxes(self) -> list[TickBox]:
        return [TickBox.of(self.book, self.source, box) for box in served.tick_boxes(self.source)]

    @strawberry.field(description="情形: facts about the deceased that decide which items apply.")
    def situations(self) -> list[PolicyCode]:
        return [PolicyCode.of(situation) for situation in self.source.situations]

    @strawberry.field(description="材料; empty: none is stated.")
    def materials(self) -> list[MaterialRule]:
        return [MaterialRule.of(self.book, self.source, material) for material in self.source.materials]

    @strawberry.field(description="表单给出编号的证照: given by number instead of as a paper (WZ-404).")
    def certificates_on_form(self) -> list[SharedPaper]:
        papers = (SharedPaper.of(self.book, self.source, paper) for paper in self.source.certificates_on_form)
        return [paper for paper in papers if paper is not None]

    @strawberry.field(description="承诺.")
    def commitments(self) -> list[Commitment]:
        return [Commitment.of(commitment) for commitment in self.source.commitments]

    @strawberry.field(description="告知: all of them, those of a group included.")
    def notices(self) -> list[Notice]:
        return [Notice.of(self.book, self.source, notice) for notice in self.source.notices]

    @strawberry.field(description="可用账户: kinds of account that may be given; empty: nothing is paid into one.")
    def account_choices(self) -> list[AccountChoice]:
        return [AccountChoice.of(choice) for choice in served.account_choices(self.source)]

    @strawberry.field(description="领取人须有的关系; null: any.")
    def payee_relations(self) -> list[PolicyCode] | None:
        if self.source.payee_relations is None:
            return None
        return [PolicyCode.word(self.book, "relations", relation) for relation in self.source.payee_relations]

    @strawberry.field(description="办事步骤: the service guide, in order.")
    def steps(self) -> list[GuideStep]:
        return [
            GuideStep(
                name=step.name,
                name_en=step.name_en,
                actor=step.actor,
                flow=Flow(step.flow) if step.flow else None,
                requirement_id=RequirementId(step.source),
            )
            for step in self.source.steps
        ]

    @strawberry.field(description="结果送达方式; empty: not stated.")
    def delivery(self) -> list[PolicyCode]:
        return [PolicyCode.of(way) for way in self.source.delivery]

    @strawberry.field(description="好差评等级; null: there is none here.")
    def rating(self) -> RatingScale | None:
        rule = self.source.rating
        if rule is None:
            return None
        levels = [PolicyCode(code=level.code, name=level.name, name_en=level.name_en) for level in rule.levels]
        return RatingScale(levels=levels, requirement_id=RequirementId(rule.source))

    @strawberry.field(description="催办督办规定; null: nobody is told because of time alone.")
    def supervision(self) -> SupervisionRule | None:
        return SupervisionRule.of(self.source.supervision) if self.source.supervision else None

    @strawberry.field(description="撤回规定; null: an application cannot be withdrawn here.")
    def withdrawal(self) -> WithdrawalRule | None:
        rule = self.source.withdrawal
        if rule is None:
            return None
        return WithdrawalRule(
            items=WithdrawalItems(rule.items),
            until=WithdrawalUntil(rule.until),
            requirement_id=RequirementId(rule.source),
        )

    @strawberry.field(description="共享信息来源.")
    def shared_sources(self) -> list[SharedSource]:
        return [
            SharedSource(
                source=PolicyCode.word(self.book, "departments", use.source),
                uses=[SharedUse(kind) for kind in use.uses],
                certificates=[PolicyCode.word(self.book, "certificates", kind) for kind in use.certificates],
                requirement_id=RequirementId(use.row),
            )
            for use in self.source.shared_sources
        ]

    @strawberry.field(description="事项目录.")
    def items(self) -> list[ItemDefinition]:
        return [
            ItemDefinition(source=item, policy=self.source, book=self.book, connected=self.connected)
            for item in self.source.items
        ]

    @strawberry.field(description="证照类型.")
    def certificate_types(self) -> list[PolicyCode]:
        return [PolicyCode.word(self.book, "certificates", word.code) for word in self.book.catalogue.certificates]

    @strawberry.field(description="款项种类.")
    def payment_kinds(self) -> list[PolicyCode]:
        return [PolicyCode.word(self.book, "payments", word.code) for word in self.book.catalogue.payments]

    @strawberry.field(description="已公布工作日日历的年份; a limit that runs beyond them shows CALENDAR_MISSING.")
    def calendar_years(self) -> list[int]:
        return sorted(self.book.calendars[self.source.code].years)
