"""Deadlines: a limit from the policy, a start from the ledger, a date from the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.domain.calendar import Calendar, CalendarMissing, Day


class ClockKind(StrEnum):
    """What must have happened by the deadline."""

    PROCESSING = "PROCESSING"
    """办理时限: the department's act."""
    PAYOUT = "PAYOUT"
    """发放时限: the money is on the account."""


class LimitUnit(StrEnum):
    """时限单位."""

    WORKING_DAYS = "WORKING_DAYS"
    """工作日; the day of the start is not counted, due at 24:00 of the last day (PD-02)."""
    HOURS = "HOURS"
    """小时: elapsed hours, nights and holidays included (PD-03)."""


class DeadlineState(StrEnum):
    """期限状态."""

    NO_LIMIT = "NO_LIMIT"
    """无明确时限: the policy states no number; never overdue (C-20)."""
    NOT_STARTED = "NOT_STARTED"
    """未起算."""
    RUNNING = "RUNNING"
    """计时中."""
    OVERDUE = "OVERDUE"
    """已超时, and still not done."""
    MET = "MET"
    """按时完成."""
    MISSED = "MISSED"
    """超时完成: done, but late; stays recorded."""
    CLOSED = "CLOSED"
    """已终止: the clock was closed without being due, e.g. by a change of death flow (PD-03)."""
    CALENDAR_MISSING = "CALENDAR_MISSING"
    """日历未公布: runs into a year whose working days are not published; no date is guessed (PD-01)."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of one item, from the policy.  ``amount`` None: the source promises a limit without a number."""

    clock: ClockKind
    amount: int | None
    unit: LimitUnit
    start: str
    """``PUSH`` or ``APPROVAL`` (PD-04)."""
    source: str
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A limit applied to one item: the answer and the arithmetic behind it."""

    limit: Limit
    state: DeadlineState
    started_at: datetime | None = None
    due_at: datetime | None = None
    ended_at: datetime | None = None
    days: tuple[Day, ...] = ()
    """Every day counted or skipped between start and due date; empty for hours."""
    missing_year: int | None = None


def compute(
    limit: Limit,
    calendar: Calendar,
    *,
    started_at: datetime | None,
    ended_at: datetime | None,
    closed: bool,
    now: datetime,
) -> Deadline:
    """The deadline as of ``now``.  ``closed``: the item ended without the act (refused, ruled out)."""
    if limit.amount is None:
        return Deadline(limit, DeadlineState.NO_LIMIT, started_at, None, ended_at)
    if started_at is None:
        state = DeadlineState.CLOSED if closed else DeadlineState.NOT_STARTED
        return Deadline(limit, state, None, None, ended_at)
    days: tuple[Day, ...] = ()
    if limit.unit is LimitUnit.HOURS:
        due_at = started_at + timedelta(hours=limit.amount)
    else:
        try:
            days = tuple(calendar.count(started_at, limit.amount))
        except CalendarMissing as missing:
            state = DeadlineState.CLOSED if closed else DeadlineState.CALENDAR_MISSING
            return Deadline(limit, state, started_at, None, ended_at, (), missing.year)
        due_at = calendar.end_of(days[-1].on)
    if ended_at is not None:
        state = DeadlineState.MET if ended_at <= due_at else DeadlineState.MISSED
    elif closed:
        state = DeadlineState.CLOSED
    else:
        state = DeadlineState.RUNNING if now <= due_at else DeadlineState.OVERDUE
    return Deadline(limit, state, started_at, due_at, ended_at, days)
