"""When an item is due, and when a stop takes effect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from gateway.domain.calendar import Calendar
from gateway.domain.case import Case, Item, Payout
from gateway.domain.deadlines import ClockKind, Deadline, DeadlineState, Limit, compute
from gateway.domain.states import ItemStatus, PayoutStatus
from gateway.policy.book import holds
from gateway.policy.decide.facts import facts_of, form_of
from gateway.policy.model import ItemDefinition, Jurisdiction


def deadlines(policy: Jurisdiction, calendar: Calendar, case: Case, item: Item, now: datetime) -> list[Deadline]:
    """Every clock of an item as of ``now``; one without a number for an item whose source states none."""
    definition = policy.item(item.slug)
    if definition is None:
        return []
    facts = facts_of(form_of(case), case.flow, policy)
    settled = (PayoutStatus.OFFSET, PayoutStatus.CANCELLED)  # nothing of these will be on an account
    payouts = [found for found in case.payouts.values() if found.item == item.slug and found.status not in settled]
    found = []
    for clock in definition.clocks:
        ruled_out = item.status is ItemStatus.NOT_APPLICABLE and item.pushed_at is not None
        if holds(clock.when, facts) is False and not ruled_out:
            continue  # a clock that ran before the kind of death changed is shown as closed (PD-03)
        start = clock.start or (policy.payout_clock_start if clock.clock is ClockKind.PAYOUT else "PUSH")
        limit = Limit(clock.clock, clock.limit, clock.unit, start, clock.source, clock.quote)
        started = item.pushed_at if start == "PUSH" else _approved_at(payouts)
        ended = item.finished_at if clock.clock is ClockKind.PROCESSING else _paid_at(payouts)
        to_pay = any(payout.fen > 0 for payout in payouts)
        nothing_to_pay = clock.clock is ClockKind.PAYOUT and item.status is ItemStatus.COMPLETED and not to_pay
        closed = item.status in (ItemStatus.REFUSED, ItemStatus.NOT_APPLICABLE) or nothing_to_pay
        if clock.clock is ClockKind.PROCESSING and item.status is ItemStatus.NOT_APPLICABLE:
            ended = None
        found.append(compute(limit, calendar, started_at=started, ended_at=ended, closed=closed, now=now))
    return found


def next_due(deadlines_of_item: Sequence[Deadline]) -> tuple[datetime | None, bool]:
    """(earliest due time still open, whether a clock runs into an unpublished year)."""
    live = (DeadlineState.RUNNING, DeadlineState.OVERDUE)
    due = [found.due_at for found in deadlines_of_item if found.state in live and found.due_at is not None]
    missing = any(found.state is DeadlineState.CALENDAR_MISSING for found in deadlines_of_item)
    return min(due, default=None), missing


def _approved_at(payouts: Sequence[Payout]) -> datetime | None:
    return min((payout.approved_at for payout in payouts), default=None)


def _paid_at(payouts: Sequence[Payout]) -> datetime | None:
    """When the last sum was paid; None while one is not."""
    paid = [payout.paid_at for payout in payouts if payout.fen > 0]
    return max((at for at in paid if at is not None), default=None) if paid and None not in paid else None


def effective(policy: Jurisdiction, calendar: Calendar, case: Case, item: ItemDefinition, now: datetime) -> str | None:
    """When a stop takes effect (PD-05): ``YYYY-MM`` for the next month, ``YYYY`` for the next year."""
    return effective_from(policy, calendar, item, case.death.occurred_at, now)


def effective_from(
    policy: Jurisdiction, calendar: Calendar, item: ItemDefinition, died_at: datetime | None, now: datetime
) -> str | None:
    """As ``effective``, for a death that may not be a case's."""
    base = died_at if policy.effect_base == "DEATH_DATE" else now
    if item.effect is None or base is None:
        return None
    on: date = calendar.local_date(base)
    if item.effect == "NEXT_YEAR":
        return f"{on.year + 1:04d}"
    following = date(on.year + on.month // 12, on.month % 12 + 1, 1)
    return f"{following:%Y-%m}"
