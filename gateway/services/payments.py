"""Sums of money a department reports (款项回传): approved, ordered, paid, sent back, each step once (PD-06, PD-13).

Steps may come twice, by two ways, or late.  What a department's own times show to be older than what is known changes
nothing; an amount never changes; nothing is paid that was not approved first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.domain import events as e
from gateway.domain.case import Item, Payout
from gateway.domain.department import Payment, PaymentState
from gateway.domain.messages import Code, refuse
from gateway.domain.states import PAYOUT, ItemStatus, PayoutStatus
from gateway.policy.model import ItemDefinition
from gateway.services.context import CaseWork

MAX_SERIAL = 64
"""Characters of a sum's own number."""
_ENDED = (ItemStatus.REFUSED, ItemStatus.NOT_APPLICABLE, ItemStatus.WITHDRAWN)
_STEPS = {
    PaymentState.INSTRUCTED: "instructed",
    PaymentState.PAID: "paid",
    PaymentState.RETURNED: "returned",
}
_REACHED = {
    PaymentState.APPROVED: PayoutStatus.APPROVED,
    PaymentState.INSTRUCTED: PayoutStatus.INSTRUCTED,
    PaymentState.PAID: PayoutStatus.PAID,
    PaymentState.RETURNED: PayoutStatus.RETURNED,
}


def take(work: CaseWork, definition: ItemDefinition, item: Item, payment: Payment, complete_record: bool) -> None:
    """Takes what became of one sum.  ``complete_record``: it may be seen in a later state at once.

    Raises ``Refused``; what was recorded until then is the caller's to drop.
    """
    if definition.payout is None:
        raise refuse(Code.PAYOUT_NOT_ALLOWED, "payout", definition.source, "PD-13", item=definition.name)
    if payment.kind not in definition.payout.kinds:
        words = {"label": "款项种类", "path": "payout.kind", "value": payment.kind}
        raise refuse(
            Code.OPTION_UNKNOWN,
            "payout.kind",
            definition.payout.source,
            options="、".join(definition.payout.kinds),
            **words,
        )
    must_not_have_ended(item)
    if not 0 < len(payment.serial) <= MAX_SERIAL or not payment.serial.isprintable():
        detail = {"detail": f"应为1至{MAX_SERIAL}个可见字符", "detail_en": f"1 to {MAX_SERIAL} printable characters"}
        raise refuse(Code.FIELD_INVALID, "payout.serial", "PD-06", label="款项编号", path="payout.serial", **detail)
    payout_id = f"{definition.slug}:{payment.serial}"
    known = work.case.payouts.get(payout_id)
    if known is None:
        if payment.state is not PaymentState.APPROVED and not complete_record:
            raise refuse(Code.PAYOUT_UNKNOWN, "payout.serial", "PD-06", serial=payment.serial)
        work.record(e.PayoutApproved(payout_id, definition.slug, payment.serial, payment.kind, payment.fen))
        known = work.case.payouts[payout_id]
    elif (known.fen, known.kind) != (payment.fen, payment.kind):
        facts = {"detail": "款项的金额或种类不同", "detail_en": "amount or kind of the payout differ"}
        raise refuse(Code.CONFLICT, "payout.amount", "PD-06", **facts)
    step = _STEPS.get(payment.state)
    if step is None or known.status is _REACHED[payment.state] or _is_old(known, payment, work.ctx.now):
        return
    if payment.fen <= 0:
        facts = {"detail": "清算为负数或零，没有可发放的款项", "detail_en": "nothing is paid of a negative or zero sum"}
        raise refuse(Code.CONFLICT, "payout.state", "PD-10", **facts)
    if step == "instructed" and known.status in (PayoutStatus.PAID, PayoutStatus.RETURNED) and complete_record:
        return  # an old state read late
    if step != "instructed" and not complete_record:
        _must_not_lie_ahead(work, payment)
    if step == "returned" and known.status in (PayoutStatus.APPROVED, PayoutStatus.HELD) and complete_record:
        work.record(e.PayoutPaid(payout_id, payment.at))  # paid and returned between two looks
    if not PAYOUT.allows(known.status, step):
        raise refuse(Code.ACTION_NOT_POSSIBLE, "payout.state", status=known.status.value, action=step)
    if step == "instructed":
        work.record(e.PayoutInstructed(payout_id, None, outward=False))
    elif step == "paid":
        work.record(e.PayoutPaid(payout_id, payment.at))
    else:
        work.record(e.PayoutReturned(payout_id, payment.reason or "", payment.at))


def must_be_new_money(work: CaseWork, item: Item, payments: Sequence[Payment], decides: bool) -> None:
    """A later message may not approve the same money twice; a whole record is the department's own books.

    On a completed item a sum of another kind may still be approved, alone (``decides``: the message carries a result).
    Before that, a second sum of the same kind must differ in its amount, or come in one message with the first.
    """
    payouts = [payout for payout in work.case.payouts.values() if payout.item == item.slug]
    serials = {payout.serial for payout in payouts}
    kinds = {payout.kind for payout in payouts}
    sums = {(payout.kind, payout.fen) for payout in payouts}
    fresh = [payment for payment in payments if payment.serial not in serials]
    if item.status is ItemStatus.COMPLETED:
        twice = bool(fresh) and (decides or any(payment.kind in kinds for payment in fresh))
        facts = {"detail": "事项已办结，款项已核定", "detail_en": "the item is completed and its sums are approved"}
    else:
        twice = any((payment.kind, payment.fen) in sums for payment in fresh)
        facts = {
            "detail": "同种类同金额的款项已以另一编号核定",
            "detail_en": "a sum of the same kind and amount is approved under another number",
        }
    if twice:
        raise refuse(Code.CONFLICT, "payout.serial", "PD-06", **facts)


def must_not_have_ended(item: Item) -> None:
    """Raises ``Refused`` (CONFLICT) for an item that ended without being done."""
    if item.status in _ENDED:
        facts = {"detail": f"事项已为“{item.status.value}”", "detail_en": f"the item is {item.status.value}"}
        raise refuse(Code.CONFLICT, "item", "PD-06", **facts)


def _must_not_lie_ahead(work: CaseWork, payment: Payment) -> None:
    """Money does not move on a day that has not come.  Within the present day no clock is blamed: clocks differ."""
    if work.calendar.local_date(payment.at) > work.calendar.local_date(work.ctx.now):
        words = {"detail": "时间尚未到来", "detail_en": "the day has not come yet"}
        raise refuse(Code.FIELD_INVALID, "payout.at", "PD-06", label="款项发生时间", path="payout.at", **words)


def _is_old(known: Payout, payment: Payment, now: datetime) -> bool:
    """Whether the department's own times show that this happened before what is known of the sum.

    A return that is known was answered with another account: read again, it is no second return.  A time that lies
    ahead, in a record of a system whose clock is wrong, is no measure of what comes later.
    """
    if payment.state is PaymentState.RETURNED and known.returned_at == payment.at:
        return True
    past = [at for at in (known.paid_at, known.returned_at) if at is not None and at <= now]
    return bool(past) and payment.at < max(past)
