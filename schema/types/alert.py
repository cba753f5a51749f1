"""Alert: one fact of supervision (督办), on a case and in the worklist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import relay

from gateway.domain import alerts as a
from schema.enums import AlertKind, ClockKind
from schema.scalars import Time
from schema.types.common import Reason
from schema.types.item import DepartmentItem
from schema.types.payout import Payout
from schema.view import View

if TYPE_CHECKING:
    from schema.types.case import Case


@strawberry.type(description="督办: a limit that is near or has passed, or something that waits for a person.")
class Alert:
    view: strawberry.Private[View]
    source: strawberry.Private[a.Alert]

    @strawberry.field(description="督办种类.")
    def kind(self) -> AlertKind:
        return self.source.kind

    @strawberry.field(description="原因、依据.")
    def reason(self) -> Reason:
        return Reason(source=self.source.reason)

    @strawberry.field(description="所属办件.")
    def case(self) -> Annotated[Case, strawberry.lazy("schema.types.case")]:
        from schema.types.case import Case

        return Case.of(self.view)

    @strawberry.field(description="涉及的事项; null: the case itself.")
    def item(self) -> DepartmentItem | None:
        return DepartmentItem.of(self.view, self.source.item) if self.source.item else None

    @strawberry.field(description="涉及的款项.")
    def payout(self) -> Payout | None:
        return Payout.of(self.view, self.source.payout) if self.source.payout else None

    @strawberry.field(description="时限种类; null: it is about no time limit.")
    def clock(self) -> ClockKind | None:
        return self.source.clock

    @strawberry.field(description="截止时间或起始时间: of a time limit, its due time; else since when it waits.")
    def since(self) -> Time:
        return Time(self.source.since)

    @strawberry.field(description="记录时间: when it was recorded in the ledger.")
    def recorded_at(self) -> Time:
        return Time(self.source.at)

    @strawberry.field(description="了结时间; null: open.  What was late stays recorded.")
    def answered_at(self) -> Time | None:
        return Time(self.source.answered_at) if self.source.answered_at else None


@strawberry.type(description="督办列表的一项.")
class AlertEdge:
    cursor: str = strawberry.field(description="游标.")
    node: Alert = strawberry.field(description="督办.")


@strawberry.type(description="督办列表: open ones, the oldest first.")
class AlertConnection:
    edges: list[AlertEdge] = strawberry.field(description="列表.")
    page_info: relay.PageInfo = strawberry.field(description="分页信息.")
    total_count: int = strawberry.field(description="总数.")

    @strawberry.field(description="督办, without the edges.")
    def nodes(self) -> list[Alert]:
        return [edge.node for edge in self.edges]
