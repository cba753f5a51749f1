"""Payout: one sum a department approved, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import relay

from gateway.domain import case as c
from schema.context import Info
from schema.enums import PayoutStatus
from schema.scalars import Slug, Time, Yuan, yuan
from schema.types.common import Reason
from schema.types.people import Account, reference, views_of
from schema.view import View

if TYPE_CHECKING:
    from schema.types.item import DepartmentItem


@strawberry.federation.type(keys=["id"], description="款项: one sum approved by a department.")
class Payout(relay.Node):
    key: relay.NodeID[str]
    view: strawberry.Private[View]
    payout: strawberry.Private[c.Payout]

    @classmethod
    def of(cls, view: View, payout_id: str) -> Payout:
        return cls(key=f"{view.case.number}.{payout_id}", view=view, payout=view.case.payouts[payout_id])

    @classmethod
    async def resolve_nodes(cls, *, info: Info, node_ids, required=False):  # type: ignore[no-untyped-def]
        keys = [c.split_key(node_id) for node_id in node_ids]
        views = await views_of(info, [number for number, _ in keys])
        return [
            cls.of(view, payout) if view is not None and payout in view.case.payouts else None
            for view, (_, payout) in zip(views, keys, strict=True)
        ]

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Payout | None:
        """Federation: the payout by global id."""
        return await reference(info, cls, id)

    @strawberry.field(description="所属事项.")
    def item(self) -> Annotated[DepartmentItem, strawberry.lazy("schema.types.item")]:
        from schema.types.item import DepartmentItem

        return DepartmentItem.of(self.view, self.payout.item)

    @strawberry.field(description="所属事项代号.")
    def item_slug(self) -> Slug:
        return Slug(self.payout.item)

    @strawberry.field(description="部门的款项编号.")
    def serial(self) -> str:
        return self.payout.serial

    @strawberry.field(description="款项种类代码.")
    def kind(self) -> str:
        return self.payout.kind

    @strawberry.field(description="款项种类名称.")
    def kind_name(self) -> str:
        return self.view.book.word("payments", self.payout.kind).name

    @strawberry.field(description="金额（元）.")
    def amount(self) -> Yuan:
        return yuan(self.payout.fen)

    @strawberry.field(description="扣回（元）: part of the amount that goes against a negative account (WZ-703).")
    def deduction(self) -> Yuan:
        return yuan(self.payout.deduction)

    @strawberry.field(description="扣回所抵的事项.")
    def deduction_of(self) -> Slug | None:
        return Slug(self.payout.deduction_of) if self.payout.deduction_of else None

    @strawberry.field(description="实发（元）: amount less deduction; what the department is told to pay.")
    def net_amount(self) -> Yuan:
        return yuan(self.payout.net)

    @strawberry.field(description="状态.")
    def status(self) -> PayoutStatus:
        return self.payout.status

    @strawberry.field(description="暂缓原因.")
    def hold_reason(self) -> Reason | None:
        return Reason(source=self.payout.hold) if self.payout.hold else None

    @strawberry.field(description="收款账户; null: not told, or not the viewer's to see.")
    def account(self) -> Account | None:
        return Account.of(self.payout.account)

    @strawberry.field(description="核定时间.")
    def approved_at(self) -> Time:
        return Time(self.payout.approved_at)

    @strawberry.field(description="下达时间: when the account was told.")
    def instructed_at(self) -> Time | None:
        return Time(self.payout.instructed_at) if self.payout.instructed_at else None

    @strawberry.field(description="发放时间.")
    def paid_at(self) -> Time | None:
        return Time(self.payout.paid_at) if self.payout.paid_at else None

    @strawberry.field(description="退汇时间.")
    def returned_at(self) -> Time | None:
        return Time(self.payout.returned_at) if self.payout.returned_at else None

    @strawberry.field(description="退汇原因.")
    def return_reason(self) -> str | None:
        return self.payout.return_reason


@strawberry.type(description="资金汇总（元）: every sum of the case the viewer may see.")
class MoneySummary:
    approved: Yuan = strawberry.field(description="已核定合计; the others are parts of it.")
    held: Yuan = strawberry.field(description="暂缓发放.")
    underway: Yuan = strawberry.field(description="发放中: approved or instructed, not yet on the account.")
    paid: Yuan = strawberry.field(description="已发放.")
    returned: Yuan = strawberry.field(description="已退汇.")
    deducted: Yuan = strawberry.field(
        description="已扣回: part of what was approved, against a negative account (WZ-703)."
    )
    shortfall: Yuan = strawberry.field(description="扣回不足: could not be deducted; for a person to handle (PD-10).")
