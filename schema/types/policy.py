"""Jurisdictions and their catalogue: what a frontend needs to draw a form and a service guide."""

from __future__ import annotations

import strawberry

from gateway.policy import model as p
from gateway.policy.book import PolicyBook
from schema.enums import AreaLevel, ClockKind, FieldType, Flow, ItemKind, LimitUnit, Phase, Trigger
from schema.scalars import AreaCode, RequirementId, Slug
from schema.types.common import Department


@strawberry.type(description="代码与名称: one code of the policy with its official term.")
class PolicyCode:
    code: str = strawberry.field(description="代码.")
    name: str = strawberry.field(description="名称.")
    name_en: str = strawberry.field(description="Name in English.")
    requirement_id: RequirementId | None = strawberry.field(description="依据的规则编号.", default=None)


def _coded(entry: p.Channel | p.Situation | p.Material | p.FormGroup) -> PolicyCode:
    return PolicyCode(
        code=entry.code, name=entry.name, name_en=entry.name_en, requirement_id=RequirementId(entry.source)
    )


@strawberry.type(description="时限规定: a time limit as the policy states it.")
class LimitRule:
    clock: ClockKind = strawberry.field(description="时限种类.")
    amount: int | None = strawberry.field(description="数值; null: the source states no number.")
    unit: LimitUnit = strawberry.field(description="单位.")
    quote: str = strawberry.field(description="原文.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")


@strawberry.type(description="业务类型: a business type within one item.")
class BusinessType:
    code: str = strawberry.field(description="代号.")
    name: str = strawberry.field(description="名称.")
    name_en: str = strawberry.field(description="Name in English.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")

    @classmethod
    def of(cls, kind: p.BusinessType) -> BusinessType:
        return cls(code=kind.code, name=kind.name, name_en=kind.name_en, requirement_id=RequirementId(kind.source))


@strawberry.type(description="事项目录: one item of a jurisdiction's catalogue.")
class ItemDefinition:
    source: strawberry.Private[p.ItemDefinition]
    book: strawberry.Private[PolicyBook]
    connected: strawberry.Private[frozenset[str]]

    @strawberry.field(description="事项代号, the same in every jurisdiction.")
    def slug(self) -> Slug:
        return Slug(self.source.slug)

    @strawberry.field(description="事项名称: official name in this jurisdiction.")
    def name(self) -> str:
        return self.source.name

    @strawberry.field(description="Name in English.")
    def name_en(self) -> str:
        return self.source.name_en

    @strawberry.field(description="依据的规则编号.")
    def requirement_id(self) -> RequirementId:
        return RequirementId(self.source.source)

    @strawberry.field(description="依据条款.")
    def clause(self) -> str:
        return self.source.clause

    @strawberry.field(description="原文.")
    def quote(self) -> str:
        return self.source.quote

    @strawberry.field(description="办理部门; null: not stated, or done by the duty person in the platform.")
    def department(self) -> Department | None:
        return Department.of(self.book, self.connected, self.source.department) if self.source.department else None

    @strawberry.field(description="事项类别.")
    def kind(self) -> ItemKind:
        return ItemKind(self.source.kind)

    @strawberry.field(description="启动方式.")
    def trigger(self) -> Trigger:
        return Trigger(self.source.trigger)

    @strawberry.field(description="办理阶段.")
    def phase(self) -> Phase:
        return Phase(self.source.phase)

    @strawberry.field(description="适用条件; null: every case.")
    def condition(self) -> str | None:
        return self.source.condition_name

    @strawberry.field(description="时限规定.")
    def limits(self) -> list[LimitRule]:
        return [
            LimitRule(
                clock=clock.clock,
                amount=clock.limit,
                unit=clock.unit,
                quote=clock.quote,
                requirement_id=RequirementId(clock.source),
            )
            for clock in self.source.clocks
        ]

    @strawberry.field(description="业务类型.")
    def business_types(self) -> list[BusinessType]:
        return [BusinessType.of(kind) for kind in self.source.business_types]

    @strawberry.field(description="出具的证照类型代码.")
    def issues(self) -> list[str]:
        return list(self.source.issues)

    @strawberry.field(description="可能产生的款项种类代码; empty: the item pays nothing.")
    def payment_kinds(self) -> list[str]:
        return list(self.source.payout.kinds) if self.source.payout else []


@strawberry.type(description="死亡情形: how a case of this kind begins here.")
class FlowRule:
    flow: Flow = strawberry.field(description="死亡情形.")
    name: str = strawberry.field(description="名称.")
    name_en: str = strawberry.field(description="Name in English.")
    reporters: list[str] = strawberry.field(description="可以填报的角色.")
    opened_by_item: Slug | None = strawberry.field(
        description="先由该事项的证照立案: the certificate of this item opens the case before the report."
    )
    report_after: list[str] = strawberry.field(description="填报前须已出具的证照类型（其一）.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")


@strawberry.type(description="表单项: one field of the form.")
class FormField:
    path: str = strawberry.field(
        description="字段路径 below `input`, e.g. deceased.idNumber; others go into `answers`."
    )
    label: str = strawberry.field(description="名称.")
    label_en: str = strawberry.field(description="Label in English.")
    group: str = strawberry.field(description="所属分组代码.")
    type: FieldType = strawberry.field(description="类型.")
    required: bool = strawberry.field(description="是否必填: always; see `conditional` for the others.")
    conditional: bool = strawberry.field(description="是否按情形必填: `checkSubmission` tells for a given form.")
    options: list[str] = strawberry.field(description="选项代码; empty: free.")
    requirement_id: RequirementId | None = strawberry.field(
        description="依据的规则编号; null: convention of this deployment."
    )


@strawberry.type(description="行政区域: one area of the jurisdiction's tree.")
class Area:
    code: AreaCode = strawberry.field(description="行政区划代码.")
    name: str = strawberry.field(description="名称.")
    level: AreaLevel = strawberry.field(description="行政层级.")
    parent: AreaCode | None = strawberry.field(description="上级区划代码.")


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

    @strawberry.field(description="办理渠道.")
    def channels(self) -> list[PolicyCode]:
        return [_coded(channel) for channel in self.source.channels]

    @strawberry.field(description="死亡情形.")
    def flows(self) -> list[FlowRule]:
        return [
            FlowRule(
                flow=Flow(flow.code),
                name=flow.name,
                name_en=flow.name_en,
                reporters=list(flow.reporters),
                opened_by_item=Slug(flow.opened_by.item) if flow.opened_by else None,
                report_after=list(flow.report_after or []),
                requirement_id=RequirementId(flow.source),
            )
            for flow in self.source.flows
        ]

    @strawberry.field(description="表单分组.")
    def form_groups(self) -> list[PolicyCode]:
        return [_coded(group) for group in self.source.form_groups]

    @strawberry.field(description="表单: every field, in order.")
    def form(self) -> list[FormField]:
        return [
            FormField(
                path=field.path,
                label=field.label,
                label_en=field.label_en,
                group=field.group,
                type=FieldType(field.type),
                required=field.required,
                conditional=field.required_when is not None or field.required_unless is not None,
                options=list(field.options or []),
                requirement_id=RequirementId(field.source) if field.source else None,
            )
            for field in self.source.form
        ]

    @strawberry.field(description="情形: facts about the deceased that decide which items apply.")
    def situations(self) -> list[PolicyCode]:
        return [_coded(situation) for situation in self.source.situations]

    @strawberry.field(description="材料.")
    def materials(self) -> list[PolicyCode]:
        return [_coded(material) for material in self.source.materials]

    @strawberry.field(description="承诺.")
    def commitments(self) -> list[PolicyCode]:
        return [
            PolicyCode(
                code=commitment.code,
                name=commitment.name,
                name_en=commitment.name_en,
                requirement_id=RequirementId(commitment.source),
            )
            for commitment in self.source.commitments
        ]

    @strawberry.field(description="事项目录.")
    def items(self) -> list[ItemDefinition]:
        return [ItemDefinition(source=item, book=self.book, connected=self.connected) for item in self.source.items]

    @strawberry.field(description="证照类型.")
    def certificate_types(self) -> list[PolicyCode]:
        return [
            PolicyCode(code=word.code, name=word.name, name_en=word.name_en)
            for word in self.book.catalogue.certificates
        ]

    @strawberry.field(description="款项种类.")
    def payment_kinds(self) -> list[PolicyCode]:
        return [
            PolicyCode(code=word.code, name=word.name, name_en=word.name_en) for word in self.book.catalogue.payments
        ]

    @strawberry.field(description="已公布工作日日历的年份; a limit that runs beyond them shows CALENDAR_MISSING.")
    def calendar_years(self) -> list[int]:
        return sorted(self.book.calendars[self.source.code].years)
