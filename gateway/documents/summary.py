"""汇总清单: what every department decided and what was paid, handed over once the case is closed (HZ-905)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gateway.documents.page import moment, render
from gateway.domain.case import Case, Item, Payout
from gateway.domain.form import PersonForm
from gateway.domain.states import ItemStatus, PayoutStatus
from gateway.policy.book import PolicyBook
from gateway.policy.model import Jurisdiction
from gateway.services import reading

TITLE = "身后“一件事”办理汇总清单"
_LEFT_OUT = (ItemStatus.NOT_APPLICABLE, ItemStatus.WITHDRAWN)
_PAYOUTS = {
    PayoutStatus.APPROVED: "已核定",
    PayoutStatus.HELD: "暂缓发放",
    PayoutStatus.INSTRUCTED: "发放中",
    PayoutStatus.PAID: "已发放",
    PayoutStatus.RETURNED: "已退汇",
}


def summary(book: PolicyBook, policy: Jurisdiction, case: Case, now: datetime) -> str:
    """The summary list of a closed case.  ``case``: as its viewer sees it."""
    money = reading.money(policy, case)
    flow = policy.flow(case.flow)
    return render(
        "summary.html",
        policy,
        TITLE,
        case=case,
        flow=flow.name if flow else case.flow,
        applicant=case.form.applicant if case.form and case.form.applicant else PersonForm(),
        reported=moment(policy, case.reported_at),
        closed=moment(policy, case.closed_at),
        items=[
            _item(book, policy, case.items[definition.slug])
            for definition in policy.items
            if definition.slug in case.items and case.items[definition.slug].status not in _LEFT_OUT
        ],
        left_out=[
            f"{definition.name}（{result(case.items[definition.slug]).rstrip('。')}）"
            for definition in policy.items
            if definition.slug in case.items and case.items[definition.slug].status in _LEFT_OUT
        ],
        certificates=[
            {
                "name": book.word("certificates", found.type).name,
                "number": found.number,
                "issuer": found.issuer or "",
                "at": moment(policy, found.issued_at),
            }
            for found in case.certificates
        ],
        payouts=[_payout(book, policy, payout) for payout in case.payouts.values()],
        money={
            name: _yuan(getattr(money, name))
            for name in ("approved", "paid", "instructed", "held", "returned", "deducted")
        },
        open=[found.reason.zh() for found in reading.obstacles(book, policy, case)],
        hidden=True,
        printed=moment(policy, now),
    )


def _item(book: PolicyBook, policy: Jurisdiction, item: Item) -> dict[str, Any]:
    definition = policy.item(item.slug)
    department = definition.department if definition else None
    return {
        "name": definition.name if definition else item.slug,
        "department": book.word("departments", department).name if department else "联办平台",
        "result": result(item),
        "at": moment(policy, item.finished_at),
    }


def result(item: Item) -> str:
    """What became of an item, in words."""
    if item.status is ItemStatus.COMPLETED:
        return "已办结"
    said = item.outcome or item.reason.zh()
    return f"不予办理：{said}" if item.status is ItemStatus.REFUSED else said


def _payout(book: PolicyBook, policy: Jurisdiction, payout: Payout) -> dict[str, Any]:
    account = payout.account
    status = _PAYOUTS.get(payout.status, payout.status.value)
    if payout.hold is not None and payout.status is PayoutStatus.HELD:
        status = f"{status}：{payout.hold.zh()}"
    return {
        "kind": book.word("payments", payout.kind).name,
        "gross": _yuan(payout.fen),
        "deduction": _yuan(payout.deduction),
        "net": _yuan(payout.net),
        "status": status,
        "account": " ".join(filter(None, (account.holder, account.number))) if account else "",
        "at": moment(policy, payout.paid_at or payout.returned_at or payout.approved_at),
    }


def _yuan(fen: int) -> str:
    return f"{fen / 100:.2f}"
