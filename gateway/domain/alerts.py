"""督办: what is recorded of a case because time passed, or because something waits for a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.domain.deadlines import ClockKind
from gateway.domain.messages import Code, Reason
from gateway.domain.states import ITEM, PAYOUT, REVERSAL, CaseStatus, ItemStatus, PayoutStatus, ReversalStatus

if TYPE_CHECKING:
    from gateway.domain.case import Case, Delivery, Item


class AlertKind(StrEnum):
    """督办种类."""

    REMINDED = "REMINDED"
    """催办: a limit is near; for the department."""
    OVERDUE = "OVERDUE"
    """超时: a limit has passed."""
    ESCALATED = "ESCALATED"
    """升级督办: a person has to see to it; for the supervisor and those who look after the case."""


class Cause(StrEnum):
    """What an alert is about."""

    LIMIT = "LIMIT"
    """A time limit."""
    DELIVERY = "DELIVERY"
    """A push, an instruction or a reversal that failed in every attempt."""
    HOLD = "HOLD"
    """Money that is held until a person does something."""
    RETURN = "RETURN"
    """退汇: money the bank sent back."""
    REVERSAL = "REVERSAL"
    """A reversal that the department refused."""
    CORRECTION = "CORRECTION"
    """补正: something asked of the family."""
    PREREQUISITE = "PREREQUISITE"
    """An item that waits, and nobody is at work on what it waits for."""
    REPORT = "REPORT"
    """报丧: the case is open, the report is not filed."""


SELF_RESOLVING = (Code.NEGATIVE_BALANCE, Code.WAITS_FOR_SETTLEMENT)
"""Holds that ask nothing of a person."""


@dataclass(slots=True)
class Alert:
    """One fact of supervision.  Open as long as its cause stands; answered, it stays recorded."""

    kind: AlertKind
    cause: Cause
    item: str | None
    """None: the case itself."""
    since: datetime
    """Since when the cause stands; of a limit, its due time."""
    reason: Reason
    at: datetime
    """When it was recorded."""
    clock: ClockKind | None = None
    """Of a limit, which one."""
    payout: str | None = None
    answered_at: datetime | None = None

    @property
    def key(self) -> str:
        """The same fact has the same key: it is recorded once."""
        about = f"{self.payout or self.item or ''}|{self.since.astimezone(UTC).isoformat()}"
        return f"{self.kind}|{self.cause}|{self.clock or ''}|{about}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Something that waits for a person, by the state of the case alone."""

    cause: Cause
    item: str | None
    since: datetime
    payout: str | None = None


def standing(case: Case) -> Iterator[Standing]:
    """Everything that stands, however long; how long it may stand is the policy's to say."""
    for item in case.items.values():
        undone = item.reversal
        if undone is not None and undone.status is ReversalStatus.REFUSED:
            yield Standing(Cause.REVERSAL, item.slug, undone.since)
        elif undone is not None and undone.status not in REVERSAL.final:
            yield from _given_up(undone.delivery, item.slug)
        elif undone is None and case.revocation is None:
            yield from _item(item)
    if case.revocation is not None:
        return
    if case.status is CaseStatus.AWAITING_REPORT:
        yield Standing(Cause.REPORT, None, case.opened_at)
    for payout in case.payouts.values():
        if payout.status is PayoutStatus.RETURNED:
            yield Standing(Cause.RETURN, payout.item, payout.returned_at or payout.approved_at, payout.id)
        elif payout.status is PayoutStatus.HELD and payout.hold and payout.hold.code not in SELF_RESOLVING:
            yield Standing(Cause.HOLD, payout.item, payout.approved_at, payout.id)
        elif payout.status is PayoutStatus.INSTRUCTED:
            yield from _given_up(payout.delivery, payout.item, payout.id)


def _item(item: Item) -> Iterator[Standing]:
    if item.status is ItemStatus.BLOCKED:
        yield Standing(Cause.PREREQUISITE, item.slug, item.since)
    elif item.status is ItemStatus.CORRECTION_REQUIRED:
        yield Standing(Cause.CORRECTION, item.slug, item.since)
    if item.status not in ITEM.final or item.amending:
        yield from _given_up(item.delivery, item.slug)


def _given_up(way: Delivery, slug: str, payout: str | None = None) -> Iterator[Standing]:
    if way.state == "FAILED" and way.failing_since is not None:
        yield Standing(Cause.DELIVERY, slug, way.failing_since, payout)


def runs(case: Case, slug: str, clock: ClockKind) -> bool:
    """Whether what must happen by a limit is still to happen."""
    item = case.items[slug]
    left_out = (ItemStatus.BLOCKED, ItemStatus.REFUSED, ItemStatus.NOT_APPLICABLE, ItemStatus.WITHDRAWN)
    if case.revocation is not None or item.reversal is not None or item.status in left_out:
        return False
    if item.status not in ITEM.final:
        return True
    sums = (payout for payout in case.payouts.values() if payout.item == slug and payout.fen > 0)
    return clock is ClockKind.PAYOUT and any(payout.status not in PAYOUT.final for payout in sums)


def stands(case: Case, alert: Alert) -> bool:
    """Whether the cause of an alert still stands."""
    if alert.clock is not None and alert.item is not None:
        pushed_at = case.items[alert.item].pushed_at
        # An item that was left out and pushed again has another due time.
        return pushed_at is not None and alert.since > pushed_at and runs(case, alert.item, alert.clock)
    return Standing(alert.cause, alert.item, alert.since, alert.payout) in standing(case)
