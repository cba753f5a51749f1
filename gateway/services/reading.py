"""What can be told of a case: why it is not finished, what comes next, its money, its summary list, its archive.

Pure functions of case and policy; the answers carry codes, the edge turns them into words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.domain.alerts import AlertKind
from gateway.domain.case import Case, Delivery, DeliveryState, Item, Payout
from gateway.domain.materials import MaterialStatus
from gateway.domain.messages import Code, Reason
from gateway.domain.states import ITEM, REVERSAL, CaseStatus, ItemStatus, PayoutStatus, ReversalStatus
from gateway.policy import decide
from gateway.policy.book import PolicyBook
from gateway.policy.model import Jurisdiction


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One answer to "why is this not finished": ``since`` when, and where (an item, a payout, or the case)."""

    reason: Reason
    item: str | None
    since: datetime
    payout: str | None = None


def obstacles(book: PolicyBook, policy: Jurisdiction, case: Case) -> list[Obstacle]:
    """Everything that keeps the case, or its money, from being finished."""
    found: list[Obstacle] = []
    if case.status is CaseStatus.AWAITING_REPORT:
        flow = policy.flow(case.flow)
        ids = (flow.source,) if flow else ()
        found.append(Obstacle(Reason(Code.WAITS_FOR_REPORT, ids), None, case.opened_at))
    for item in case.items.values():
        found += _item(book, policy, case, item) if case.revocation is None else ()
        found += _reversal(book, policy, item)
    if case.revocation is not None:
        return found + list(_paid_before(book, policy, case, case.revocation.at))
    for alert in case.alerts.values():
        if alert.kind is AlertKind.OVERDUE and alert.answered_at is None:
            found.append(Obstacle(alert.reason, alert.item, alert.since))
    found += _papers(book, policy, case)
    owed = decide.shortfall(policy, case)
    if owed:
        at = max(payout.approved_at for payout in case.payouts.values())
        found.append(Obstacle(Reason(Code.SHORTFALL, ("PD-10",), {"amount": f"{owed / 100:.2f}"}), None, at))
    for payout in case.payouts.values():
        if payout.status is PayoutStatus.HELD and payout.hold is not None:
            if payout.hold.code is Code.NEGATIVE_BALANCE:
                continue
            reason = Reason(Code.PAYOUT_HELD, payout.hold.ids, {"detail": payout.hold.zh()})
            found.append(Obstacle(reason, payout.item, payout.approved_at, payout.id))
        elif payout.status is PayoutStatus.RETURNED:
            reason = Reason(Code.PAYOUT_RETURNED, (), {"detail": payout.return_reason or ""})
            found.append(Obstacle(reason, payout.item, payout.returned_at or payout.approved_at, payout.id))
        elif payout.status in (PayoutStatus.APPROVED, PayoutStatus.INSTRUCTED):
            found.append(_unpaid(book, policy, payout))
    return found


def material_name(book: PolicyBook, policy: Jurisdiction, kind: str) -> str:
    """Name of a paper of the material list, or of a kind of certificate."""
    named = next((rule.name for rule in policy.materials if rule.code == kind), None)
    return named or book.word("certificates", kind).name


def _papers(book: PolicyBook, policy: Jurisdiction, case: Case) -> Iterator[Obstacle]:
    """Papers whose only file turned out to be infected, while there is something to do with them."""
    if case.status not in (CaseStatus.AWAITING_REPORT, CaseStatus.IN_PROGRESS):
        return
    files = case.materials.values()
    usable = {one.kind for one in files if one.status is not MaterialStatus.INFECTED}
    lost = {one.kind: one for one in files if one.kind not in usable}
    for kind, one in lost.items():
        yield Obstacle(Reason(Code.PAPER_INFECTED, (), {"material": material_name(book, policy, kind)}), None, one.at)


def _unpaid(book: PolicyBook, policy: Jurisdiction, payout: Payout) -> Obstacle:
    """What a sum waits for: its department, or, while the account did not reach that, the way there."""
    definition = policy.item(payout.item)
    words = {"department": book.word("departments", (definition and definition.department) or "").name}
    there = Obstacle(Reason(Code.WAITS_FOR_PAYOUT), payout.item, payout.approved_at, payout.id)
    return _or_on_the_way(there, policy, payout.delivery, words)


def _or_on_the_way(there: Obstacle, policy: Jurisdiction, way: Delivery, words: Mapping[str, str]) -> Obstacle:
    """``there``: what keeps a department that was reached; before that it is the way to it."""
    if way.state is DeliveryState.FAILED:
        return replace(there, reason=Reason(Code.DELIVERY_GIVEN_UP, ("PD-16",), words))
    if way.state is DeliveryState.PENDING and way.failing_since is not None:
        since = f"{way.failing_since.astimezone(ZoneInfo(policy.time_zone)):%Y-%m-%d %H:%M}"
        reason = Reason(Code.WAITS_FOR_DELIVERY, ("PD-16",), {**words, "since": since})
        return replace(there, reason=reason, since=way.failing_since)
    return there


def _item(book: PolicyBook, policy: Jurisdiction, case: Case, item: Item) -> Iterator[Obstacle]:
    definition = policy.item(item.slug)
    if definition is None or item.status in ITEM.final:
        return
    if item.status is ItemStatus.BLOCKED:
        for gate in decide.gates(book, policy, case, definition):
            yield Obstacle(gate.reason, item.slug, item.since)
        return
    if item.status is ItemStatus.CORRECTION_REQUIRED:
        words = {"detail": "；".join(filter(None, (item.outcome, "、".join(item.missing))))}
        yield Obstacle(Reason(Code.WAITS_FOR_FAMILY, (definition.source,), words), item.slug, item.since)
        return
    department = definition.department or ""
    words = {"department": book.word("departments", department).name if department else policy.duty_contact}
    there = Obstacle(Reason(Code.WAITS_FOR_DEPARTMENT, (definition.source,), words), item.slug, item.since)
    yield _or_on_the_way(there, policy, item.delivery, words)


def _reversal(book: PolicyBook, policy: Jurisdiction, item: Item) -> Iterator[Obstacle]:
    reversal, definition = item.reversal, policy.item(item.slug)
    if reversal is None or definition is None or reversal.status is ReversalStatus.COMPLETED:
        return
    words = {"department": book.word("departments", definition.department or "").name}
    if reversal.status is ReversalStatus.REFUSED:
        words["detail"] = reversal.outcome or ""
        yield Obstacle(Reason(Code.REVERSAL_REFUSED, (), words), item.slug, reversal.since)
        return
    there = Obstacle(Reason(Code.WAITS_FOR_REVERSAL, (), words), item.slug, reversal.since)
    yield _or_on_the_way(there, policy, reversal.delivery, words)


def _paid_before(book: PolicyBook, policy: Jurisdiction, case: Case, at: datetime) -> Iterator[Obstacle]:
    for payout in case.payouts.values():
        definition = policy.item(payout.item)
        if payout.status in (PayoutStatus.PAID, PayoutStatus.INSTRUCTED) and definition is not None:
            words = {"department": book.word("departments", definition.department or "").name}
            yield Obstacle(Reason(Code.PAID_BEFORE_REVOCATION, (), words), payout.item, at, payout.id)


def next_steps(case: Case) -> list[str]:
    """Slugs of what happens next: items at work, else those that are blocked (HZ-905); after a revocation those that
    are still to be undone."""
    if case.revocation is not None:
        return [
            slug for slug, item in case.items.items() if item.reversal and item.reversal.status not in REVERSAL.final
        ]
    working = [
        slug
        for slug, item in case.items.items()
        if item.status not in ITEM.final and item.status is not ItemStatus.BLOCKED
    ]
    if working:
        return working
    return [slug for slug, item in case.items.items() if item.status is ItemStatus.BLOCKED]


@dataclass(frozen=True, slots=True)
class Money:
    """One money summary, in fen: what was approved, is held, on its way, paid, returned."""

    approved: int
    held: int
    instructed: int
    paid: int
    returned: int
    deducted: int = 0
    """Part of ``approved`` that went against a negative account (WZ-703)."""
    shortfall: int = 0
    """What could not be deducted from anything: for a person to handle (PD-10)."""


def money(policy: Jurisdiction, case: Case) -> Money:
    """Sums over all payouts of the case that were not cancelled; ``approved`` is everything approved, the others are
    parts of it.

    An account that settled negative is nothing to pay and is not counted (WZ-344).
    """
    living = (payout for payout in case.payouts.values() if payout.status is not PayoutStatus.CANCELLED)
    due = [payout for payout in living if payout.fen > 0]

    def total(*statuses: PayoutStatus) -> int:
        return sum(payout.net for payout in due if payout.status in statuses)

    return Money(
        approved=sum(payout.fen for payout in due),
        held=total(PayoutStatus.HELD),
        instructed=total(PayoutStatus.INSTRUCTED, PayoutStatus.APPROVED),
        paid=total(PayoutStatus.PAID),
        returned=total(PayoutStatus.RETURNED),
        deducted=sum(payout.deduction for payout in due),
        shortfall=decide.shortfall(policy, case),
    )


@dataclass(frozen=True, slots=True)
class ArchiveRecord:
    """One record the archive must hold (HZ-904).  ``kind``: REPORT, CERTIFICATE or RESULT."""

    kind: str
    refers_to: str
    """Certificate type or item slug; ``report`` for the report."""
    present: bool


def archive(policy: Jurisdiction, case: Case) -> list[ArchiveRecord]:
    """Every record the archive must hold, present or missing."""
    found = [ArchiveRecord("REPORT", "report", case.reported_at is not None)]
    for slug, item in case.items.items():
        definition = policy.item(slug)
        if definition is None or item.status in (ItemStatus.NOT_APPLICABLE, ItemStatus.WITHDRAWN):
            continue
        if item.status is not ItemStatus.REFUSED:
            there = [kind for kind in definition.issues if case.certificate(kind) is not None]
            wanted = there if there and not definition.issues_all else definition.issues
            found += [ArchiveRecord("CERTIFICATE", kind, kind in there) for kind in wanted]
        found.append(ArchiveRecord("RESULT", slug, item.status in ITEM.final))
    return found


def progress(case: Case) -> tuple[int, int]:
    """(items that are final, items that belong to the case)."""
    left_out = (ItemStatus.NOT_APPLICABLE, ItemStatus.WITHDRAWN)
    belonging = [item for item in case.items.values() if item.status not in left_out]
    return sum(item.status in ITEM.final for item in belonging), len(belonging)
