"""The catalogue of items: what each is, who does it, what it waits for, its limits, its money, its certificates."""

from __future__ import annotations

import strawberry

from gateway.policy import model as p
from gateway.policy import words
from gateway.policy.book import PolicyBook
from schema.enums import ClockKind, LimitUnit, Phase
from schema.policy_enums import (
    AreaLevel,
    CaseService,
    ItemHandler,
    ItemKind,
    PayeeRule,
    Trigger,
    WhenNot,
    WhenUndeclared,
)
from schema.scalars import RequirementId, Slug
from schema.types.common import Department
from schema.types.words import PolicyCode, PolicyCondition, Words


@strawberry.type(description="时限规定: a time limit as the policy states it.")
class LimitRule:
    clock: ClockKind = strawberry.field(description="时限种类.")
    amount: int | None = strawberry.field(description="数值; null: the source states no number.")
    unit: LimitUnit = strawberry.field(description="单位.")
    quote: str = strawberry.field(description="原文.")
    text: Words = strawberry.field(description="时限说明; 未规定时限 where there is no number.")
    when: PolicyCondition | None = strawberry.field(description="适用条件; null: always.")
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


@strawberry.type(description="前置条件: one gate before an item; what is closed for a case tells `item.waitsFor`.")
class GateRule:
    text: Words = strawberry.field(description="说明.")
    certificates: list[PolicyCode] = strawberry.field(description="所需证照（其一）.")
    item: Slug | None = strawberry.field(description="须先办结的事项.")
    report: bool = strawberry.field(description="须先填报.")
    all_items: bool = strawberry.field(description="须其他事项均已办理完毕.")
    when: PolicyCondition | None = strawberry.field(description="适用条件; null: always.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")


@strawberry.type(description="扣回规定: a negative sum of another item is deducted first (WZ-703).")
class DeductionRule:
    item: Slug = strawberry.field(description="产生扣回的事项; sums wait while it has no result.")
    kinds: list[PolicyCode] = strawberry.field(description="可被扣回的款项种类; empty: all.")
    requirement_ids: list[RequirementId] = strawberry.field(description="依据的规则编号.")


@strawberry.type(description="款项规定: what an item may pay, and to whom.")
class PayoutRule:
    kinds: list[PolicyCode] = strawberry.field(description="款项种类.")
    payee: PayeeRule | None = strawberry.field(
        description="收款规则; null: not stated in the source, and the money is held (PD-20)."
    )
    text: Words | None = strawberry.field(description="收款规则说明; null: not stated.")
    quote: str = strawberry.field(description="原文.")
    fallback_requirement_id: RequirementId | None = strawberry.field(description="特殊原因改用申请人账户的依据.")
    deduction: DeductionRule | None = strawberry.field(description="扣回规定.")
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")


@strawberry.type(description="事项目录: one item of a jurisdiction's catalogue.")
class ItemDefinition:
    source: strawberry.Private[p.ItemDefinition]
    policy: strawberry.Private[p.Jurisdiction]
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

    @strawberry.field(description="别名: further names the document uses (C-19).")
    def other_names(self) -> list[str]:
        return list(self.source.other_names)

    @strawberry.field(description="是否开通: false: in the catalogue, and not offered (X-08).")
    def enabled(self) -> bool:
        return self.source.enabled

    @strawberry.field(description="依据的规则编号.")
    def requirement_id(self) -> RequirementId:
        return RequirementId(self.source.source)

    @strawberry.field(description="依据条款.")
    def clause(self) -> str:
        return self.source.clause

    @strawberry.field(description="原文.")
    def quote(self) -> str:
        return self.source.quote

    @strawberry.field(description="法律依据; null: not stated in the source (YN-104).")
    def basis(self) -> str | None:
        return self.source.basis

    @strawberry.field(description="实施层级; null: not stated in the source.")
    def level(self) -> AreaLevel | None:
        return AreaLevel(self.source.level) if self.source.level else None

    @strawberry.field(description="审查要点; null: not stated in the source (YN-404).")
    def review_points(self) -> list[str] | None:
        return list(self.source.review_points) if self.source.review_points is not None else None

    @strawberry.field(description="办理部门; null: not stated, or done by the duty person in the platform.")
    def department(self) -> Department | None:
        return Department.of(self.book, self.connected, self.source.department) if self.source.department else None

    @strawberry.field(description="办理方式.")
    def handler(self) -> ItemHandler:
        return ItemHandler(self.source.handler)

    @strawberry.field(description="平台内办理的角色; empty: it is not done in the platform.")
    def done_by(self) -> list[PolicyCode]:
        roles = self.source.done_by if self.source.handler == "PLATFORM" else []
        return [PolicyCode.word(self.book, "roles", role) for role in roles]

    @strawberry.field(description="对办件的服务; null: an item of the family.")
    def service(self) -> CaseService | None:
        return CaseService(self.source.service) if self.source.service else None

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

    @strawberry.field(description="适用条件表达式及说明; null: every case.")
    def applies_when(self) -> PolicyCondition | None:
        return PolicyCondition.of(self.book, self.policy, self.source.applies_when)

    @strawberry.field(description="不符合条件时如何处理.")
    def when_not(self) -> WhenNot:
        return WhenNot(self.source.when_not)

    @strawberry.field(description="未申报时如何处理.")
    def when_undeclared(self) -> WhenUndeclared:
        return WhenUndeclared(self.source.when_undeclared)

    @strawberry.field(description="是否须查明逝者身份: blocked while the deceased is unidentified (PD-21).")
    def needs_identity(self) -> bool:
        return self.source.needs_identity

    @strawberry.field(description="前置条件: all of them.")
    def gates(self) -> list[GateRule]:
        return [self._gate(gate) for gate in self.source.requires]

    @strawberry.field(description="时限规定.")
    def limits(self) -> list[LimitRule]:
        return [
            LimitRule(
                clock=clock.clock,
                amount=clock.limit,
                unit=clock.unit,
                quote=clock.quote,
                text=Words.of(words.limit(clock)),
                when=PolicyCondition.of(self.book, self.policy, clock.when),
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

    @strawberry.field(description="出具的证照.")
    def certificates_issued(self) -> list[PolicyCode]:
        return [PolicyCode.word(self.book, "certificates", kind) for kind in self.source.issues]

    @strawberry.field(description="须全部出具: every one of them comes with the completion; false: at least one.")
    def issues_all(self) -> bool:
        return self.source.issues_all

    @strawberry.field(description="部门可查看的证照.")
    def evidence(self) -> list[PolicyCode]:
        return [PolicyCode.word(self.book, "certificates", kind) for kind in self.source.evidence]

    @strawberry.field(description="可能产生的款项种类代码; empty: the item pays nothing.")
    def payment_kinds(self) -> list[str]:
        return list(self.source.payout.kinds) if self.source.payout else []

    @strawberry.field(description="款项规定; null: the item pays nothing.")
    def payout(self) -> PayoutRule | None:
        rule = self.source.payout
        if rule is None:
            return None
        said = words.payee(rule)
        return PayoutRule(
            kinds=self._payments(rule.kinds),
            payee=PayeeRule(rule.payee) if rule.payee else None,
            text=Words.of(said) if said is not None else None,
            quote=rule.quote,
            fallback_requirement_id=RequirementId(rule.fallback_source) if rule.fallback_source else None,
            deduction=self._deduction(rule.deduction) if rule.deduction else None,
            requirement_id=RequirementId(rule.source),
        )

    def _payments(self, kinds: list[str]) -> list[PolicyCode]:
        return [PolicyCode.word(self.book, "payments", kind) for kind in kinds]

    def _deduction(self, rule: p.Deduction) -> DeductionRule:
        rows = dict.fromkeys((rule.source, rule.waits_source))
        return DeductionRule(
            item=Slug(rule.item),
            kinds=self._payments(rule.kinds or []),
            requirement_ids=[RequirementId(row) for row in rows],
        )

    def _gate(self, gate: p.Requirement) -> GateRule:
        return GateRule(
            text=Words.of(words.gate(self.book, self.policy, gate)),
            certificates=[PolicyCode.word(self.book, "certificates", kind) for kind in gate.certificate or []],
            item=Slug(gate.item) if gate.item else None,
            report=bool(gate.report),
            all_items=bool(gate.all_items),
            when=PolicyCondition.of(self.book, self.policy, gate.when),
            requirement_id=RequirementId(gate.source),
        )
