"""Reversal (撤销、恢复): a department is asked to undo what it was told, with the guarantees of a push.

Each reversal is an application of its own under the key of the first one with ``.R`` behind it, sent until it arrives,
answered by the department in its own time, driven again by an operator when every attempt failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from gateway.domain import events as e
from gateway.domain.case import REVERSAL, Case, DeliveryState, Payout, Reversal, submission_key
from gateway.domain.department import Application, Death, Outcome, Receipt
from gateway.domain.messages import Code, Refused, refuse
from gateway.domain.states import REVERSAL as MACHINE
from gateway.domain.states import PayoutStatus, ReversalStatus
from gateway.services.context import CaseWork, Ctx
from gateway.services.outgoing import deceased
from gateway.services.write_back import Ack, AckOutcome
from gateway.store import cases

_CANCELLABLE = (PayoutStatus.APPROVED, PayoutStatus.HELD, PayoutStatus.RETURNED)
_ANSWERS = {Outcome.ACCEPTED: "accepted", Outcome.COMPLETED: "completed", Outcome.REFUSED: "refused"}
_REACHED = {
    "accepted": ReversalStatus.ACCEPTED,
    "completed": ReversalStatus.COMPLETED,
    "refused": ReversalStatus.REFUSED,
}
_NOTHING_TO_UNDO = (Outcome.NOT_APPLICABLE, Outcome.COMPLETED)


def request(work: CaseWork, slugs: Sequence[str], reason: str) -> None:
    """Asks the departments of these items to undo them; sums of theirs that nobody was told to pay are cancelled."""
    told = [slug for slug in slugs if _was_told(work, slug)]
    outward = tuple(slug for slug in told if _goes_out(work, slug))
    if told:
        work.record(e.ReversalRequested(tuple(told), outward, reason))
    for slug in outward:
        _queue(work, slug)
    for payout in list(work.case.payouts.values()):
        if payout.item in slugs and _cancellable(payout):
            work.record(e.PayoutCancelled(payout.id))


def application(ctx: Ctx, number: str, slug: str) -> Application | None:
    """What to send; None when there is nothing to send any more."""
    case = cases.get(ctx.tx, number)
    item = case.items.get(slug) if case else None
    if (
        case is None
        or item is None
        or item.reversal is None
        or item.reversal.delivery.state is not DeliveryState.PENDING
    ):
        return None
    definition = ctx.policy(case).item(slug)
    if definition is None:
        return None
    key = submission_key(number, slug)
    return Application(
        key=key + REVERSAL,
        case_number=number,
        item=definition.sent_as or slug,
        item_name=definition.name,
        area=case.area,
        deceased=deceased(case),
        death=Death(case.flow, case.death.occurred_at, case.death.area, case.death.place),
        pushed_at=item.reversal.since,
        reverses=key,
        reversal_reason=item.reversal.reason,
        department=definition.department or "",
    )


def delivered(ctx: Ctx, number: str, slug: str, receipt: Receipt) -> None:
    """The department's system holds the reversal; what it said at once is taken."""
    work = ctx.case(number)
    if _of(work, slug).delivery.state is not DeliveryState.PENDING:
        return
    work.record(e.ReversalDelivered(slug, receipt.reference, receipt.raw_code))
    _answer(work, slug, receipt.outcome, receipt.raw_message, receipt.reference, receipt.raw_code)
    work.save()


def not_delivered(ctx: Ctx, number: str, slug: str, error: str, ladder_s: Sequence[float], retryable: bool) -> None:
    """One attempt failed: the next one is recorded with the failure, or it was the last."""
    work = ctx.case(number)
    delivery = _of(work, slug).delivery
    if delivery.state is not DeliveryState.PENDING:
        return
    pause = ladder_s[delivery.attempts] if retryable and delivery.attempts < len(ladder_s) else None
    following = ctx.now + timedelta(seconds=pause) if pause is not None else None
    work.record(e.ReversalFailed(slug, error, following))
    if pause is not None:
        _queue(work, slug, pause)
    work.save()


def redrive(ctx: Ctx, number: str, slug: str) -> None:
    """An operator drives a reversal again that failed, or still fails."""
    work = ctx.case(number)
    delivery = _of(work, slug).delivery
    if delivery.state not in (DeliveryState.FAILED, DeliveryState.PENDING):
        raise refuse(Code.ACTION_NOT_POSSIBLE, "item", status=delivery.state.value, action="redrive")
    work.record(e.ReversalRedriven(slug))
    _queue(work, slug)
    work.save()


def take(
    ctx: Ctx,
    department: str,
    number: str,
    slug: str,
    outcome: Outcome,
    reason: str = "",
    reference: str | None = None,
    raw_code: str = "",
) -> Case:
    """A department's answer to a reversal.  The same answer again changes nothing; a result is not taken back, but what
    was refused may be done after all.

    Raises ``Refused``: not its item (NOT_OWNER), no reversal of it (ITEM_NOT_IN_CASE), another answer after it was
    undone (CONFLICT).
    """
    work = ctx.case(number)
    work.own(department, slug)
    _of(work, slug)
    _answer(work, slug, outcome, reason, reference, raw_code)
    return work.save() if work.recorded else work.case


def answer(
    ctx: Ctx, department: str, number: str, slug: str, outcome: Outcome, reason: str, reference: str | None
) -> Ack:
    """As ``take``, by a department's own mutation: what is not accepted is kept for review (PD-06)."""
    before = ctx.case(number).case.revision
    try:
        if outcome is Outcome.REFUSED and not reason.strip():
            raise refuse(Code.FIELD_REQUIRED, "reason", label="不予恢复的理由", path="reason")
        case = take(ctx, department, number, slug, outcome, reason, reference)
    except Refused as refused:
        work = ctx.case(number)  # what was folded before the refusal is dropped
        problem = refused.problems[0].reason
        if slug not in work.case.items and problem.code is not Code.NOT_OWNER:
            raise
        serial = submission_key(number, slug) + REVERSAL
        work.record(e.WriteBackRefused(department, slug, serial, problem, outcome.value))
        return Ack(AckOutcome.REFUSED, ctx.now, problem, work.save())
    return Ack(AckOutcome.APPLIED if case.revision > before else AckOutcome.REPEATED, ctx.now, case=case)


def _answer(work: CaseWork, slug: str, outcome: Outcome, reason: str, reference: str | None, raw_code: str) -> None:
    reversal = _of(work, slug)
    said = "completed" if outcome in _NOTHING_TO_UNDO else _ANSWERS.get(outcome)
    if said is None:
        return
    reached = _REACHED[said]
    if reversal.status is reached or (said == "accepted" and reversal.status in MACHINE.final):
        return
    if not MACHINE.allows(reversal.status, said):
        facts = {"detail": f"已为“{reversal.status.value}”", "detail_en": f"it is {reversal.status.value}"}
        raise refuse(Code.CONFLICT, "item", "PD-06", **facts)
    work.record(e.ReversalAnswered(slug, said, reason, reference, raw_code))  # type: ignore[arg-type]


def _of(work: CaseWork, slug: str) -> Reversal:
    item = work.case.items.get(slug)
    if item is None or item.reversal is None:
        raise refuse(Code.ITEM_NOT_IN_CASE, "item", item=slug)
    return item.reversal


def _was_told(work: CaseWork, slug: str) -> bool:
    item, definition = work.case.items[slug], work.definition(slug)
    if item.reversal is not None or definition.department is None:
        return False
    if definition.handler == "PULL":
        return True  # it acted on shared data
    return item.pushed_at is not None and definition.handler == "SYSTEM"


def _cancellable(payout: Payout) -> bool:
    """Nobody was told to pay it.  An account that was sent once may have arrived, and stays for a person to look at."""
    unsent = payout.delivery.state is DeliveryState.PENDING and payout.delivery.attempts == 0
    return payout.status in _CANCELLABLE or (payout.status is PayoutStatus.INSTRUCTED and unsent)


def _goes_out(work: CaseWork, slug: str) -> bool:
    """Whether it goes into the department's own system; the others are undone by a person, who answers for it."""
    definition = work.definition(slug)
    return definition.handler in ("SYSTEM", "PULL") and work.adapter(definition) in work.ctx.outward.connected


def _queue(work: CaseWork, slug: str, delay_s: float = 0.0) -> None:
    work.deliver(slug + REVERSAL, delay_s)
