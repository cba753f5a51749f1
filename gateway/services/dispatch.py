"""Outward work: what is sent to a department, and what became of it.

The worker asks ``application`` or ``instruction`` what to send, sends it through the adapter, and records the receipt
or the failure.  A failed attempt schedules the next one in the same transaction (PD-16); after the last one the item
shows FAILED until an operator drives it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from gateway.domain import events as e
from gateway.domain.case import DeliveryState, Item, Payout, submission_key
from gateway.domain.department import Application, Outcome, PaymentInstruction, Receipt
from gateway.domain.messages import Code, refuse
from gateway.domain.states import ITEM, PayoutStatus
from gateway.services.context import CaseWork, Ctx
from gateway.services.outgoing import account, content
from gateway.services.write_back import Report, take
from gateway.store import cases


def application(ctx: Ctx, number: str, slug: str) -> Application | None:
    """What to send for an item; None when there is nothing to send any more."""
    case = cases.get(ctx.tx, number)
    item = case.items.get(slug) if case else None
    if case is None or item is None or item.delivery.state is not DeliveryState.PENDING:
        return None
    if is_over(item) or case.revocation is not None:
        return None
    return content(ctx, case, item)


def delivered(ctx: Ctx, number: str, slug: str, receipt: Receipt) -> None:
    """The department's system holds the application; what it said at once is taken as its first result."""
    work = ctx.case(number)
    if work.case.items[slug].delivery.state is not DeliveryState.PENDING:
        return
    work.record(e.Delivered(slug, receipt.reference, receipt.raw_code))
    work.save()
    department = work.definition(slug).department
    if (
        receipt.outcome is not Outcome.RECEIVED
        and department is not None
        and work.case.items[slug].status not in ITEM.final
    ):
        report = Report(
            receipt.outcome, receipt.reference, receipt.raw_code, receipt.raw_message or None, complete_record=True
        )
        # A corrected application gets the same reference again, and its receipt is another message.
        turn = work.case.items[slug].correction
        serial = f"receipt:{turn}:{receipt.reference or ctx.now.isoformat()}"
        take(ctx, department, number, slug, serial, report)


def not_delivered(ctx: Ctx, number: str, slug: str, error: str, ladder_s: Sequence[float], retryable: bool) -> None:
    """One attempt failed: the next one is recorded with the failure, or it was the last."""
    work = ctx.case(number)
    delivery = work.case.items[slug].delivery
    if delivery.state is not DeliveryState.PENDING:
        return
    pause = ladder_s[delivery.attempts] if retryable and delivery.attempts < len(ladder_s) else None
    following = ctx.now + timedelta(seconds=pause) if pause is not None else None
    work.record(e.DeliveryFailed(slug, error, following))
    if pause is not None:
        work.deliver(slug, pause)
    work.save()


def redrive(ctx: Ctx, number: str, slug: str) -> None:
    """An operator drives a failed, or still failing, push again, or else the accounts the department was not told.

    Raises ``Refused`` when there is nothing to drive.
    """
    work = ctx.case(number)
    work.definition(slug)
    item = work.case.items[slug]
    if item.delivery.state in (DeliveryState.FAILED, DeliveryState.PENDING) and not is_over(item):
        work.record(e.DeliveryRedriven(slug))
        work.deliver(slug)
    elif not _redrive_instructions(work, slug):
        raise refuse(Code.ACTION_NOT_POSSIBLE, "item", status=item.delivery.state.value, action="redrive")
    work.save()


def is_over(item: Item) -> bool:
    """Whether there is nothing to push of it any more."""
    return (item.status in ITEM.final and not item.amending) or item.reversal is not None


def redrive_instruction(ctx: Ctx, number: str, payout_id: str) -> bool:
    """As ``redrive``, for one sum.  Returns whether there was something to drive."""
    work = ctx.case(number)
    driven = _redrive_one(work, work.case.payouts[payout_id])
    work.save()
    return driven


def _redrive_instructions(work: CaseWork, slug: str) -> bool:
    return sum(_redrive_one(work, payout) for payout in work.case.payouts.values() if payout.item == slug) > 0


def _redrive_one(work: CaseWork, payout: Payout) -> bool:
    standing = payout.status is PayoutStatus.INSTRUCTED and work.case.items[payout.item].reversal is None
    if not standing or payout.delivery.state not in (DeliveryState.FAILED, DeliveryState.PENDING):
        return False
    work.record(e.InstructionRedriven(payout.id))
    work.instruct(payout.id)
    return True


def instruction(ctx: Ctx, number: str, payout_id: str) -> PaymentInstruction | None:
    """What to tell the department about one sum; None when there is nothing to tell any more."""
    case = cases.get(ctx.tx, number)
    payout = case.payouts.get(payout_id) if case else None
    if case is None or payout is None or payout.delivery.state is not DeliveryState.PENDING or payout.account is None:
        return None
    if payout.status is not PayoutStatus.INSTRUCTED or case.items[payout.item].reversal is not None:
        return None
    return PaymentInstruction(
        key=_instruction_key(number, payout),
        application_key=submission_key(number, payout.item),
        serial=payout.serial,
        kind=payout.kind,
        fen=payout.net,
        account=account(payout.account),
    )


def _instruction_key(number: str, payout: Payout) -> str:
    """The same however often an order is sent, another for each order; the department's number may be of any form."""
    order = f"{payout.id}\n{payout.instructed_at.isoformat() if payout.instructed_at else ''}"
    return f"{number}.{hashlib.sha256(order.encode()).hexdigest()[:24]}"


def instructed(ctx: Ctx, number: str, payout_id: str, receipt: Receipt) -> None:
    """The department's system holds the account."""
    work = ctx.case(number)
    if work.case.payouts[payout_id].delivery.state is DeliveryState.PENDING:
        work.record(e.InstructionDelivered(payout_id, receipt.raw_code))
        work.save()


def not_instructed(
    ctx: Ctx, number: str, payout_id: str, error: str, ladder_s: Sequence[float], retryable: bool
) -> None:
    """As ``not_delivered``, for an instruction."""
    work = ctx.case(number)
    delivery = work.case.payouts[payout_id].delivery
    if delivery.state is not DeliveryState.PENDING:
        return
    pause = ladder_s[delivery.attempts] if retryable and delivery.attempts < len(ladder_s) else None
    following = ctx.now + timedelta(seconds=pause) if pause is not None else None
    work.record(e.InstructionFailed(payout_id, error, following))
    if pause is not None:
        work.instruct(payout_id, pause)
    work.save()
