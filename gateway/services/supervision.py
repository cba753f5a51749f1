"""Efficiency supervision by the platform (HZ-901…903): what is overdue now, compliance per department and period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from gateway.services.context import Ctx
from gateway.store.areas import in_areas
from gateway.store.tables import items, payouts, reversals

OPEN = ("DISPATCHED", "ACCEPTED", "CORRECTION_REQUIRED")
SETTLED = ("OFFSET", "CANCELLED")
"""Sums that nothing is left to pay of, though they were not paid."""


@dataclass(frozen=True, slots=True)
class OverdueItem:
    """An item that is past its due time and not done."""

    number: str
    slug: str
    department: str | None
    clock: str
    """``PROCESSING``, or ``PAYOUT`` for approved money that is not on the account."""
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Compliance:
    """Time limits of one department in one period: items pushed in it, by how their processing ended."""

    department: str
    pushed: int
    without_limit: int
    on_time: int
    late: int
    """Done after the due time; stays counted for ever."""
    overdue: int
    """Past the due time and not done."""
    running: int


@dataclass(frozen=True, slots=True)
class Supervision:
    overdue: tuple[OverdueItem, ...]
    compliance: tuple[Compliance, ...]
    undeliverable: int
    """Pushes, reversals and accounts that failed in every attempt; accounts whenever they were told."""
    calendar_missing: int
    """Items whose limit runs into a year that is not published."""
    not_configured: tuple[tuple[str, str], ...] = ()
    """(case number, slug) of items that no department is set for (PD-18), whenever they came in."""


def supervise(ctx: Ctx, prefixes: tuple[str, ...] | None, since: datetime, until: datetime) -> Supervision:
    """Items pushed in [since, until) inside the areas (code prefixes; None = everywhere)."""
    c = items.c
    statement = select(items).where(c.pushed_at >= since, c.pushed_at < until, c.delivery != "REVERSED")
    statement = statement.where(in_areas(c.area, prefixes))
    rows = list(ctx.tx.connection.execute(statement))
    late = [
        OverdueItem(row.number, row.slug, row.department, row.due_clock or "PROCESSING", row.due_at)
        for row in rows
        if _overdue(row, ctx.now)
    ]
    told = {(item.number, item.slug) for item in late if item.clock == "PAYOUT"}
    late += _unpaid(ctx, prefixes, {(row.number, row.slug) for row in rows} - told)
    departments = sorted({row.department for row in rows if row.department})
    return Supervision(
        overdue=tuple(sorted(late, key=lambda item: (item.due_at, item.number, item.slug))),
        compliance=tuple(
            _compliance(code, [row for row in rows if row.department == code], ctx.now) for code in departments
        ),
        undeliverable=sum(row.delivery == "FAILED" for row in rows)
        + _reversals_failed(ctx, prefixes, since, until)
        + _accounts_failed(ctx, prefixes),
        calendar_missing=sum(bool(row.calendar_missing) for row in rows),
        not_configured=_not_configured(ctx, prefixes),
    )


def _reversals_failed(ctx: Ctx, prefixes: tuple[str, ...] | None, since: datetime, until: datetime) -> int:
    c = reversals.c
    statement = select(func.count()).where(c.since >= since, c.since < until, c.delivery == "FAILED")
    statement = statement.where(in_areas(c.area, prefixes))
    return ctx.tx.connection.execute(statement).scalar_one()


def _accounts_failed(ctx: Ctx, prefixes: tuple[str, ...] | None) -> int:
    c = payouts.c
    statement = select(func.count()).where(c.delivery == "FAILED")
    statement = statement.where(in_areas(c.area, prefixes))
    return ctx.tx.connection.execute(statement).scalar_one()


def _not_configured(ctx: Ctx, prefixes: tuple[str, ...] | None) -> tuple[tuple[str, str], ...]:
    c = items.c
    statement = select(c.number, c.slug).where(c.delivery == "NO_DEPARTMENT")
    statement = statement.where(in_areas(c.area, prefixes))
    return tuple((row.number, row.slug) for row in ctx.tx.connection.execute(statement.order_by(c.number, c.slug)))


def _unpaid(ctx: Ctx, prefixes: tuple[str, ...] | None, among: set[tuple[str, str]]) -> list[OverdueItem]:
    c = payouts.c
    statement = select(payouts).where(c.due_at < ctx.now, c.paid_at.is_(None), c.fen > 0)
    statement = statement.where(c.status.not_in(SETTLED))
    statement = statement.where(in_areas(c.area, prefixes))
    rows = ctx.tx.connection.execute(statement)
    found = {(row.number, row.slug): row for row in rows if (row.number, row.slug) in among}
    return [OverdueItem(number, slug, row.department, "PAYOUT", row.due_at) for (number, slug), row in found.items()]


def _overdue(row: Row[Any], now: datetime) -> bool:
    return row.status in OPEN and row.due_at is not None and row.due_at < now


def _compliance(code: str, rows: list[Row[Any]], now: datetime) -> Compliance:
    judged = [row for row in rows if row.status != "NOT_APPLICABLE"]
    limited = [row for row in judged if row.due_at is not None]
    done = [row for row in limited if row.finished_at is not None]
    on_time = sum(row.finished_at <= row.due_at for row in done)
    overdue = sum(_overdue(row, now) for row in limited)
    return Compliance(
        department=code,
        pushed=len(judged),
        without_limit=len(judged) - len(limited),
        on_time=on_time,
        late=len(done) - on_time,
        overdue=overdue,
        running=len(limited) - len(done) - overdue,
    )
