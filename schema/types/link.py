"""The link to a department's own system: whether it is reached, and what waits for it."""

from __future__ import annotations

import strawberry

from gateway.desk import Desk
from gateway.domain import link as d
from schema.enums import LinkState
from schema.scalars import Time
from schema.types.common import Department


@strawberry.type(
    description="部门系统对接状况: a system that stops answering is left alone, probed from time to time, and gets "
    "what waited when it is back.  What waits uses up no attempt."
)
class DepartmentLink:
    source: strawberry.Private[d.Link]
    desk: strawberry.Private[Desk]

    @strawberry.field(description="部门, or the hub that stands in front of several.")
    def department(self) -> Department:
        return Department.of(self.desk.book, self.desk.connected, self.source.code)

    @strawberry.field(description="状态.")
    def state(self) -> LinkState:
        return self.source.state

    @strawberry.field(description="进入当前状态的时间; null: it never failed.")
    def since(self) -> Time | None:
        return Time(self.source.since) if self.source.since else None

    @strawberry.field(description="最近一次失败的原因.")
    def error(self) -> str | None:
        return self.source.error

    @strawberry.field(description="失败的试探次数.")
    def probes(self) -> int:
        return self.source.probes

    @strawberry.field(description="下一次试探的时间.")
    def probe_at(self) -> Time | None:
        down = self.source.state is d.LinkState.DOWN
        return Time(self.source.probe_at) if down and self.source.probe_at else None

    @strawberry.field(description="暂停至; null: not paused.")
    def paused_until(self) -> Time | None:
        paused = self.source.paused(self.desk.clock.now())
        return Time(self.source.paused_until) if paused and self.source.paused_until else None

    @strawberry.field(description="暂停的原因.")
    def pause_reason(self) -> str | None:
        return self.source.pause_reason if self.source.paused(self.desk.clock.now()) else None

    @strawberry.field(description="是否在维护窗口内: its regular hours without service.")
    def in_maintenance(self) -> bool:
        return self.desk.outward.in_maintenance(self.source.code, self.desk.clock.now())


@strawberry.type(description="部门系统对接及积压: one link with what waits for it.")
class WatchedLink:
    link: DepartmentLink = strawberry.field(description="对接状况.")
    waiting: int = strawberry.field(description="待推送数: pushes, reversals and accounts that have not arrived.")
    given_up: int = strawberry.field(description="推送失败数: what an operator can drive again.")
