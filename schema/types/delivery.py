"""The way into a department's own system and back: delivery, reversal, live record."""

from __future__ import annotations

import strawberry

from gateway.domain import case as c
from gateway.domain.department import Record
from gateway.services import live_records as lr
from schema.enums import DeliveryState, Freshness, LiveRecordFault, Outcome, ReversalStatus
from schema.scalars import Time
from schema.types.common import NamedValue


@strawberry.type(description="推送到达情况: the way into the department's own system.")
class Delivery:
    source: strawberry.Private[c.Delivery]

    @strawberry.field(description="状态.")
    def state(self) -> DeliveryState:
        return self.source.state

    @strawberry.field(description="尝试次数.")
    def attempts(self) -> int:
        return self.source.attempts

    @strawberry.field(description="送达时间.")
    def delivered_at(self) -> Time | None:
        return Time(self.source.delivered_at) if self.source.delivered_at else None

    @strawberry.field(description="部门系统自何时起没有响应; null: it answers.")
    def failing_since(self) -> Time | None:
        return Time(self.source.failing_since) if self.source.failing_since else None

    @strawberry.field(description="最近一次失败的原因.")
    def last_error(self) -> str | None:
        return self.source.last_error

    @strawberry.field(description="下一次尝试的时间.")
    def next_attempt_at(self) -> Time | None:
        return Time(self.source.next_attempt_at) if self.source.next_attempt_at else None


@strawberry.type(
    description="部门实时记录: what the department's own system shows now.  A silent department never fails the query: "
    "see `freshness`."
)
class LiveRecord:
    source: strawberry.Private[lr.LiveRecord]

    @property
    def _record(self) -> Record | None:
        return self.source.record

    @strawberry.field(description="时效.")
    def freshness(self) -> Freshness:
        return self.source.freshness

    @strawberry.field(description="读取时间: when this record was read from the department.")
    def as_of(self) -> Time | None:
        return Time(self.source.as_of) if self.source.as_of else None

    @strawberry.field(description="部门系统自何时起没有正常响应.")
    def failing_since(self) -> Time | None:
        return Time(self.source.failing_since) if self.source.failing_since else None

    @strawberry.field(description="为何不是实时; null: it is.")
    def error(self) -> LiveRecordFault | None:
        return LiveRecordFault(self.source.error) if self.source.error else None

    @strawberry.field(description="部门的结论.")
    def outcome(self) -> Outcome | None:
        return self._record.outcome if self._record else None

    @strawberry.field(description="部门受理号.")
    def reference(self) -> str | None:
        return self._record.reference if self._record else None

    @strawberry.field(description="部门系统的原始状态码.")
    def raw_code(self) -> str | None:
        return self._record.raw_code if self._record else None

    @strawberry.field(description="部门系统的原文说明.")
    def raw_message(self) -> str | None:
        return (self._record.reason or self._record.raw_message or None) if self._record else None

    @strawberry.field(description="部门系统的最后更新时间.")
    def updated_at(self) -> Time | None:
        return Time(self._record.updated_at) if self._record else None

    @strawberry.field(description="部门系统的其他结果.")
    def details(self) -> list[NamedValue]:
        found = self._record.details if self._record else {}
        return [NamedValue(name=name, value=value) for name, value in found.items()]


@strawberry.type(
    description="恢复（撤销）: a department is asked to undo an item, because the death was recorded in error or the "
    "item was withdrawn."
)
class Reversal:
    source: strawberry.Private[c.Reversal]

    @strawberry.field(description="状态.")
    def status(self) -> ReversalStatus:
        return self.source.status

    @strawberry.field(description="进入当前状态的时间.")
    def since(self) -> Time:
        return Time(self.source.since)

    @strawberry.field(description="要求恢复的原因.")
    def reason(self) -> str:
        return self.source.reason

    @strawberry.field(description="推送到达情况.")
    def delivery(self) -> Delivery:
        return Delivery(source=self.source.delivery)

    @strawberry.field(description="部门受理号.")
    def reference(self) -> str | None:
        return self.source.reference

    @strawberry.field(description="部门说明.")
    def outcome(self) -> str | None:
        return self.source.outcome

    @strawberry.field(description="结束时间.")
    def finished_at(self) -> Time | None:
        return Time(self.source.finished_at) if self.source.finished_at else None
