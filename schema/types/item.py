"""DepartmentItem: one item of one case with one department, its gates, clocks, delivery and live record."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import relay

from gateway.access.rights import sees_messages
from gateway.domain import case as c
from gateway.domain import deadlines as d
from gateway.domain.states import ItemStatus as Status
from gateway.policy import decide
from schema.context import Info
from schema.enums import (
    Applicability,
    ClockKind,
    DeadlineState,
    ItemStatus,
    LimitUnit,
)
from schema.scalars import RequirementId, Slug, Time
from schema.types.catalogue import BusinessType, ItemDefinition
from schema.types.common import Certificate, Department, NamedValue, Reason
from schema.types.delivery import Delivery, LiveRecord, Reversal
from schema.types.link import DepartmentLink
from schema.types.messages import Message
from schema.types.payout import Payout
from schema.types.people import reference, views_of
from schema.view import View

if TYPE_CHECKING:
    from schema.types.case import Case

MESSAGES = 100


@strawberry.type(description="前置条件: something a blocked item waits for.")
class Gate:
    reason: Reason = strawberry.field(description="等待什么、依据.")
    item: Slug | None = strawberry.field(description="等待的事项.")
    certificate: str | None = strawberry.field(description="等待的证照类型代码.")


@strawberry.type(description="期限计算的一天: one day of the arithmetic.")
class DeadlineDay:
    on: date = strawberry.field(description="日期.")
    counts: bool = strawberry.field(description="是否计入.")
    note: str = strawberry.field(description="说明: WORKDAY, MAKE_UP_DAY (调休上班), WEEKEND, or the holiday's name.")


@strawberry.type(description="期限: a time limit applied to this item, with its arithmetic.")
class Deadline:
    source: strawberry.Private[d.Deadline]

    @strawberry.field(description="时限种类.")
    def clock(self) -> ClockKind:
        return self.source.limit.clock

    @strawberry.field(description="状态.")
    def state(self) -> DeadlineState:
        return self.source.state

    @strawberry.field(description="时限数值; null: the source states no number.")
    def amount(self) -> int | None:
        return self.source.limit.amount

    @strawberry.field(description="时限单位.")
    def unit(self) -> LimitUnit:
        return self.source.limit.unit

    @strawberry.field(description="起算时间.")
    def started_at(self) -> Time | None:
        return Time(self.source.started_at) if self.source.started_at else None

    @strawberry.field(
        description="截止时间: the end (24:00) of the last working day; null without a number or calendar."
    )
    def due_at(self) -> Time | None:
        return Time(self.source.due_at) if self.source.due_at else None

    @strawberry.field(description="完成时间.")
    def ended_at(self) -> Time | None:
        return Time(self.source.ended_at) if self.source.ended_at else None

    @strawberry.field(description="逐日计算: every day counted or skipped; empty for hours.")
    def days(self) -> list[DeadlineDay]:
        return [DeadlineDay(on=day.on, counts=day.counts, note=day.note) for day in self.source.days]

    @strawberry.field(description="缺少日历的年份.")
    def missing_year(self) -> int | None:
        return self.source.missing_year

    @strawberry.field(description="依据的规则编号.")
    def requirement_id(self) -> RequirementId:
        return RequirementId(self.source.limit.source)

    @strawberry.field(description="原文.")
    def quote(self) -> str:
        return self.source.limit.quote


@strawberry.federation.type(keys=["id"], description="部门事项: one item of one case, handled by one department.")
class DepartmentItem(relay.Node):
    key: relay.NodeID[str]
    view: strawberry.Private[View]
    item: strawberry.Private[c.Item]

    @classmethod
    def of(cls, view: View, slug: str) -> DepartmentItem:
        return cls(key=c.submission_key(view.case.number, slug), view=view, item=view.case.items[slug])

    @classmethod
    async def resolve_nodes(cls, *, info: Info, node_ids, required=False):  # type: ignore[no-untyped-def]
        keys = [c.split_key(node_id) for node_id in node_ids]
        views = await views_of(info, [number for number, _ in keys])
        return [
            cls.of(view, slug) if view is not None and slug in view.case.items else None
            for view, (_, slug) in zip(views, keys, strict=True)
        ]

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> DepartmentItem | None:
        """Federation: the item by global id."""
        return await reference(info, cls, id)

    @strawberry.field(description="所属办件.")
    def case(self) -> Annotated[Case, strawberry.lazy("schema.types.case")]:
        from schema.types.case import Case

        return Case.of(self.view)

    @strawberry.field(description="事项代号.")
    def slug(self) -> Slug:
        return Slug(self.item.slug)

    @strawberry.field(description="事项目录中的定义.")
    def definition(self) -> ItemDefinition:
        return ItemDefinition(
            source=self.view.definition(self.item.slug),
            policy=self.view.policy,
            book=self.view.book,
            connected=self.view.desk.connected,
        )

    @strawberry.field(description="事项名称.")
    def name(self) -> str:
        return self.view.definition(self.item.slug).name

    @strawberry.field(description="依据的规则编号.")
    def requirement_id(self) -> RequirementId:
        return RequirementId(self.view.definition(self.item.slug).source)

    @strawberry.field(description="办理部门.")
    def department(self) -> Department | None:
        code = self.view.definition(self.item.slug).department
        return Department.of(self.view.book, self.view.desk.connected, code) if code else None

    @strawberry.field(description="状态.")
    def status(self) -> ItemStatus:
        return self.item.status

    @strawberry.field(description="进入当前状态的时间.")
    def since(self) -> Time:
        return Time(self.item.since)

    @strawberry.field(description="是否适用.")
    def applicability(self) -> Applicability:
        return self.item.applicability

    @strawberry.field(description="为何适用或不适用.")
    def reason(self) -> Reason:
        return Reason(source=self.item.reason)

    @strawberry.field(description="是否由申请人勾选.")
    def chosen(self) -> bool:
        return self.item.chosen

    @strawberry.field(description="业务类型.")
    def business_types(self) -> list[BusinessType]:
        kinds = self.view.definition(self.item.slug).business_types
        return [BusinessType.of(kind) for kind in kinds if kind.code in self.item.business_types]

    @strawberry.field(description="等待的前置条件; empty unless BLOCKED.")
    def waits_for(self) -> list[Gate]:
        if self.item.status is not Status.BLOCKED:
            return []
        view = self.view
        closed = decide.gates(view.book, view.policy, view.case, view.definition(self.item.slug))
        return [
            Gate(
                reason=Reason(source=gate.reason),
                item=Slug(gate.refers_to) if gate.refers_to in view.case.items else None,
                certificate=gate.refers_to if gate.refers_to and gate.refers_to not in view.case.items else None,
            )
            for gate in closed
        ]

    @strawberry.field(description="推送时间: when its gates opened; its clocks start here.")
    def pushed_at(self) -> Time | None:
        return Time(self.item.pushed_at) if self.item.pushed_at else None

    @strawberry.field(description="受理时间.")
    def accepted_at(self) -> Time | None:
        return Time(self.item.accepted_at) if self.item.accepted_at else None

    @strawberry.field(description="结束时间.")
    def finished_at(self) -> Time | None:
        return Time(self.item.finished_at) if self.item.finished_at else None

    @strawberry.field(description="部门受理号.")
    def reference(self) -> str | None:
        return self.item.reference

    @strawberry.field(description="部门说明: reason of a refusal or of a request for correction, in its words.")
    def outcome(self) -> str | None:
        return self.item.outcome

    @strawberry.field(description="需补正的内容.")
    def missing(self) -> list[str]:
        return list(self.item.missing)

    @strawberry.field(description="补正次数.")
    def corrections(self) -> int:
        return self.item.correction

    @strawberry.field(description="生效时间: YYYY-MM (次月) or YYYY (次年); null: at once, or not done yet.")
    def effective(self) -> str | None:
        return self.item.effective

    @strawberry.field(description="办理结果的其他内容, e.g. the booked time.")
    def details(self) -> list[NamedValue]:
        return [NamedValue(name=name, value=value) for name, value in self.item.details.items()]

    @strawberry.field(description="推送到达情况.")
    def delivery(self) -> Delivery:
        return Delivery(source=self.item.delivery)

    @strawberry.field(description="期限.")
    def deadlines(self) -> list[Deadline]:
        return [Deadline(source=found) for found in self.view.deadlines(self.item)]

    @strawberry.field(description="下一个截止时间; null: none runs, or it cannot be told.")
    def due_at(self) -> Time | None:
        due, _ = decide.next_due(self.view.deadlines(self.item))
        return Time(due) if due else None

    @strawberry.field(description="是否已超时.")
    def overdue(self) -> bool:
        return any(found.state is d.DeadlineState.OVERDUE for found in self.view.deadlines(self.item))

    @strawberry.field(description="出具的证照.")
    def certificates(self) -> list[Certificate]:
        found = [certificate for certificate in self.view.case.certificates if certificate.item == self.item.slug]
        return [self.view.certificate(certificate) for certificate in found]

    @strawberry.field(description="款项.")
    def payouts(self) -> list[Payout]:
        found = [payout for payout in self.view.case.payouts.values() if payout.item == self.item.slug]
        return [Payout.of(self.view, payout.id) for payout in found]

    @strawberry.field(
        description="是否已由共享数据办理: done before the case knew of it, never pushed (AS-07, WZ-405)."
    )
    def found(self) -> bool:
        return self.item.found

    @strawberry.field(description="更正推送时间: when the department was last told of a correction; null: never.")
    def amended_at(self) -> Time | None:
        return Time(self.item.amended_at) if self.item.amended_at else None

    @strawberry.field(description="恢复（撤销）: undoing this item in its department; null: nothing is to be undone.")
    def reversal(self) -> Reversal | None:
        return Reversal(source=self.item.reversal) if self.item.reversal else None

    @strawberry.field(description="部门系统对接状况; null: it does not go into a department's own system.")
    async def link(self, info: Info) -> DepartmentLink | None:
        code = decide.reached_through(self.view.policy, self.view.definition(self.item.slug))
        if code not in self.view.desk.outward.connected:
            return None
        return DepartmentLink(source=await info.context.link_loader.load(code), desk=self.view.desk)

    @strawberry.field(
        description="部门实时记录; null: nothing was sent to the department's own system.  However many items and "
        "cases are asked for, each department is asked once."
    )
    async def live_record(self, info: Info) -> LiveRecord | None:
        code = decide.reached_through(self.view.policy, self.view.definition(self.item.slug))
        if not code or self.item.delivery.state is c.DeliveryState.NONE:
            return None
        return LiveRecord(source=await info.context.live_loader.load((code, self.key)))

    @strawberry.field(
        description="往来报文, newest first; null: not shown to this role.  At most 100; without their content."
    )
    async def messages(self, info: Info, first: int = 20) -> list[Message] | None:
        if not sees_messages(info.context.desk.rights, info.context.known_viewer()):
            return None
        wanted = (self.view.case.number, self.item.slug, max(0, min(first, MESSAGES)))
        return [Message(source=found) for found in await info.context.message_loader.load(wanted)]
