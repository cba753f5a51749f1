"""A department's own record of an application, compared with the case.

What the department did and we do not know is taken the ordinary way.  What it lost is sent again under the same key,
when it was missing on two looks a while apart: a department may be in the middle of a batch, or of a restart.  Money
is never put right by a machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from gateway.domain import events as e
from gateway.domain.case import REVERSAL, Case, Delivery, DeliveryState, Item, split_key, submission_key
from gateway.domain.department import Outcome, PaymentState, Record
from gateway.domain.findings import Finding, FindingCode, Known, Standing
from gateway.domain.messages import Code, Reason, Refused
from gateway.domain.states import ITEM, ItemStatus, PayoutStatus
from gateway.domain.states import REVERSAL as REVERSALS
from gateway.policy import decide
from gateway.services import reversal, write_back
from gateway.services.context import Ctx
from gateway.services.write_back import AckOutcome
from gateway.store import cases

CODES = frozenset(
    {
        FindingCode.NOT_KNOWN_THERE,
        FindingCode.RESULT_NOT_TAKEN,
        FindingCode.DEPARTMENT_BEHIND,
        FindingCode.DEPARTMENT_CONTRADICTS,
        FindingCode.MONEY_DIFFERS,
    }
)
"""What ``compare`` can find."""
AGAIN = 3
"""How often a lost application is sent again by itself; then a person has to ask the department."""
_UNDECIDED = (Outcome.RECEIVED, Outcome.ACCEPTED, Outcome.CORRECTION)
_THE_SAME = {
    Outcome.ACCEPTED: ItemStatus.ACCEPTED,
    Outcome.COMPLETED: ItemStatus.COMPLETED,
    Outcome.REFUSED: ItemStatus.REFUSED,
    Outcome.CORRECTION: ItemStatus.CORRECTION_REQUIRED,
    Outcome.NOT_APPLICABLE: ItemStatus.NOT_APPLICABLE,
}
_MONEY = {
    PaymentState.APPROVED: (PayoutStatus.APPROVED, PayoutStatus.HELD, PayoutStatus.INSTRUCTED, PayoutStatus.OFFSET),
    PaymentState.INSTRUCTED: (PayoutStatus.INSTRUCTED,),
    PaymentState.PAID: (PayoutStatus.PAID,),
    PaymentState.RETURNED: (PayoutStatus.RETURNED,),
}
"""Standings of a sum here that agree with the department's."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a department's system.  ``known``: what earlier looks found; ``confirm_s``: how far apart two looks
    that count have to be, in seconds."""

    department: str
    known: Mapping[tuple[FindingCode, str, str], Known]
    confirm_s: float


def keys(ctx: Ctx, department: str, number: str, finished: bool = False) -> list[str]:
    """Keys that this department's system must hold of a case.  ``finished``: also those that are over."""
    case = cases.get(ctx.tx, number)
    if case is None:
        return []
    policy, found = ctx.policy(case), []
    for slug, item in case.items.items():
        definition = policy.item(slug)
        if definition is None or decide.reached_through(policy, definition) != department:
            continue
        key, undo = submission_key(case.number, slug), item.reversal
        if undo is None and _arrived(item.delivery) and (finished or _has_open(case, item)):
            found.append(key)
        if undo is not None and _arrived(undo.delivery) and (finished or undo.status not in REVERSALS.final):
            found.append(key + REVERSAL)
    return found


def open_places(ctx: Ctx, number: str) -> set[str]:
    """Items of a case, and reversals, of which a department's system holds something open."""
    case = cases.get(ctx.tx, number)
    items = case.items.values() if case is not None else ()
    found = {item.slug for item in items if case is not None and _arrived(item.delivery) and _has_open(case, item)}
    undone = [item for item in items if item.reversal is not None and item.reversal.status not in REVERSALS.final]
    return found | {item.slug + REVERSAL for item in undone}


def unchanged(ctx: Ctx, records: Mapping[str, Record]) -> set[str]:
    """Keys whose record says what the case says: most of them, found without locking anything."""
    loaded = cases.load(ctx.tx, list({split_key(key)[0] for key in records}))
    same = set()
    for key, record in records.items():
        number, slug = split_key(key)
        case = loaded.get(number)
        if case is not None and slug in case.items and _agrees(case, case.items[slug], record):
            same.add(key)
    return same


def compare(ctx: Ctx, look: Look, key: str, record: Record | None, heal: bool = False) -> list[Finding]:
    """What differs between the case and the department's record of one key; None: it knows no such key.

    In a writing transaction; without ``heal`` nothing is kept of it.
    """
    number, slug = split_key(key)
    case = cases.get_to_change(ctx.tx, number)
    plain = slug.removesuffix(REVERSAL)
    item = case.items.get(plain) if case is not None else None
    if case is None or item is None:
        return []
    undo = slug != plain
    way = item.reversal.delivery if undo and item.reversal is not None else item.delivery
    if not _arrived(way) or way.delivered_at is None:
        return []
    if record is None:
        if (ctx.now - way.delivered_at).total_seconds() < look.confirm_s:
            return []
        return [_absent(ctx, look, case, item, undo, heal)]
    if undo:
        return list(_take(ctx, look, record, heal, _reversal_taker(ctx, look, number, plain, record)))
    money = list(_money(look, case, item, record, ctx))
    if money:
        return money
    if item.status in ITEM.final and record.outcome in _UNDECIDED and item.reversal is None:
        words = {
            "detail": f"部门系统仅为“{record.outcome.value}”",
            "detail_en": f"It says {record.outcome.value} there",
        }
        return [_twice(ctx, look, Finding(FindingCode.DEPARTMENT_BEHIND, number, slug, Standing.PERSON, words))]
    return list(_take(ctx, look, record, heal, _result_taker(ctx, look, number, slug, record)))


# ── what is missing there ───────────────────────────────────────────────────────────────────────────────


def _absent(ctx: Ctx, look: Look, case: Case, item: Item, undo: bool, heal: bool) -> Finding:
    place = item.slug + REVERSAL if undo else item.slug
    name = ctx.book.word("departments", look.department)
    if undo or item.status not in ITEM.final:
        words = {"detail": name.name, "detail_en": name.name_en or name.code}
        finding = Finding(FindingCode.NOT_KNOWN_THERE, case.number, place, Standing.HEALABLE, words)
        known = look.known.get((finding.code, finding.number, place))
        if known is not None and known.times >= AGAIN:
            return replace(finding, standing=Standing.PERSON)
        finding = _twice(ctx, look, finding)
        if heal and finding.standing is Standing.HEALABLE:
            _send_again(ctx, case.number, item.slug, undo, words)
            return replace(finding, standing=Standing.HEALED)
        return finding
    words = {
        "detail": f"{name.name}的系统没有该申请",
        "detail_en": f"The system of {name.name_en} knows no such application",
    }
    return _twice(ctx, look, Finding(FindingCode.DEPARTMENT_BEHIND, case.number, place, Standing.PERSON, words))


def _send_again(ctx: Ctx, number: str, slug: str, undo: bool, words: Mapping[str, str]) -> None:
    work = ctx.case(number)
    reason = Reason(Code.DELIVERY_LOST, ("PD-16",), {"department": words["detail"]})
    work.record(e.DeliveryLost(slug, reason, undo))
    work.deliver(slug + REVERSAL if undo else slug)
    work.save()


def _twice(ctx: Ctx, look: Look, finding: Finding) -> Finding:
    """It counts when an earlier look, long enough ago, found it already."""
    known = look.known.get((finding.code, finding.number, finding.place))
    seen = known is not None and known.finding.standing is not Standing.HEALED
    if seen and known is not None and ctx.now - known.first_seen >= timedelta(seconds=look.confirm_s):
        return finding
    return replace(finding, standing=Standing.WAITING)


# ── what is known there and not here ────────────────────────────────────────────────────────────────────

Taker = Callable[[], write_back.Ack]


def _take(ctx: Ctx, look: Look, record: Record, heal: bool, take: Taker) -> Iterator[Finding]:
    """First tried, and undone: what would only be refused leaves no trace in the ledger at every sweep."""
    number, slug = split_key(record.key)
    trial = ctx.tx.connection.begin_nested()
    try:
        ack = take()
    except Refused as refused:
        ack = write_back.Ack(AckOutcome.REFUSED, ctx.now, refused.problems[0].reason)
    finally:
        trial.rollback()
    if ack.reason is not None:
        words = {"detail": ack.reason.zh().rstrip("。"), "detail_en": ack.reason.en().rstrip(".")}
        yield Finding(FindingCode.DEPARTMENT_CONTRADICTS, number, slug, Standing.PERSON, words)
    elif ack.outcome is AckOutcome.APPLIED:
        if heal:
            take()
        name = ctx.book.word("departments", look.department)
        words = {"detail": name.name, "detail_en": name.name_en or name.code}
        standing = Standing.HEALED if heal else Standing.HEALABLE
        yield Finding(FindingCode.RESULT_NOT_TAKEN, number, slug, standing, words)


def _result_taker(ctx: Ctx, look: Look, number: str, slug: str, record: Record) -> Taker:
    serial, report = write_back.record_serial(record), write_back.report_of(record)
    return lambda: write_back.take(ctx, look.department, number, slug, serial, report)


def _reversal_taker(ctx: Ctx, look: Look, number: str, slug: str, record: Record) -> Taker:
    def take() -> write_back.Ack:
        before = ctx.case(number).case.revision
        said = record.reason or record.raw_message
        case = reversal.take(
            ctx, look.department, number, slug, record.outcome, said, record.reference, record.raw_code
        )
        done = AckOutcome.APPLIED if case.revision > before else AckOutcome.REPEATED
        return write_back.Ack(done, ctx.now, case=case)

    return take


# ── money ───────────────────────────────────────────────────────────────────────────────────────────────


def _money(look: Look, case: Case, item: Item, record: Record, ctx: Ctx) -> Iterator[Finding]:
    """Where the books disagree.  A sum that only went further there is no difference: it is taken as a result."""
    there = {payment.serial: payment for payment in record.payments}
    for payout in case.payouts.values():
        if payout.item != item.slug or payout.status is PayoutStatus.CANCELLED:
            continue
        payment = there.get(payout.serial)
        said = None
        if payment is None:
            said = ("部门账目中没有这笔款项", "it is not in the department's books")
        elif (payment.fen, payment.kind) != (payout.fen, payout.kind):
            said = ("金额或种类不同", "amount or kind differ")
        elif payout.status is PayoutStatus.PAID and payment.state in (PaymentState.APPROVED, PaymentState.INSTRUCTED):
            said = ("此处已发放，部门账目未发放", "paid here, not paid there")
        elif (
            payout.status is PayoutStatus.INSTRUCTED
            and _arrived(payout.delivery)
            and payment.state is PaymentState.APPROVED
        ):
            said = ("收款账户已送达，部门账目中没有", "the account was told, the department does not have it")
        if said is not None:
            words = {"detail": said[0], "detail_en": said[1]}
            finding = Finding(FindingCode.MONEY_DIFFERS, case.number, payout.id, Standing.PERSON, words)
            yield _twice(ctx, look, finding)


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────


def _arrived(delivery: Delivery) -> bool:
    return delivery.state is DeliveryState.DELIVERED


def _has_open(case: Case, item: Item) -> bool:
    settled = (PayoutStatus.PAID, PayoutStatus.OFFSET, PayoutStatus.CANCELLED)
    sums = [payout for payout in case.payouts.values() if payout.item == item.slug and payout.fen > 0]
    return item.status not in ITEM.final or any(payout.status not in settled for payout in sums)


def _agrees(case: Case, item: Item, record: Record) -> bool:
    if record.key.endswith(REVERSAL):
        return False
    here = {payout.serial: payout for payout in case.payouts.values() if payout.item == item.slug}
    there = {payment.serial: payment for payment in record.payments}
    if here.keys() != there.keys():
        return False
    for serial, payout in here.items():
        payment = there[serial]
        if (payout.fen, payout.kind) != (payment.fen, payment.kind) or payout.status not in _MONEY[payment.state]:
            return False
        if payout.status is PayoutStatus.INSTRUCTED and payment.state is PaymentState.APPROVED:
            return False
    if record.outcome is Outcome.RECEIVED:
        return item.status is ItemStatus.DISPATCHED
    return item.status is _THE_SAME[record.outcome]
