"""When people are told because of time, by the policy."""

from __future__ import annotations

import strawberry

from gateway.policy import model as p
from schema.enums import LimitUnit
from schema.scalars import RequirementId


@strawberry.type(description="时间段.")
class Period:
    amount: int | None = strawberry.field(description="数值; null: none is set, and nothing is recorded by it.")
    unit: LimitUnit = strawberry.field(description="单位.")

    @classmethod
    def of(cls, period: p.Period) -> Period:
        return cls(amount=period.amount, unit=period.unit)


@strawberry.type(description="催办督办规定: when people are told because of time.")
class SupervisionRule:
    remind_before: Period = strawberry.field(description="催办: how much of a limit is left.")
    escalate_after: Period = strawberry.field(description="升级督办: how long after a limit has passed.")
    follow_up_after: Period = strawberry.field(
        description="跟进: how long the report, a correction, or something nobody is at work on is waited for."
    )
    requirement_id: RequirementId = strawberry.field(description="依据的规则编号.")

    @classmethod
    def of(cls, rule: p.Supervision) -> SupervisionRule:
        return cls(
            remind_before=Period.of(rule.remind_before),
            escalate_after=Period.of(rule.escalate_after),
            follow_up_after=Period.of(rule.follow_up_after),
            requirement_id=RequirementId(rule.source),
        )
