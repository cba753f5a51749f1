"""催办、督办: one sweep finds what has become due and records it, each fact once.

A due date is a row (``cases.attention_at``), not a job: however many items wait, nothing runs for them until then.  The
row only says when to look; what is recorded is decided from the case itself, locked, so a sweep that is repeated, or
runs in two gateways at once, records nothing twice.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from gateway.domain.alerts import AlertKind
from gateway.faults import places
from gateway.services.context import Ctx
from gateway.store.areas import in_areas
from gateway.store.tables import alerts, cases

log = logging.getLogger("shenhou.reminders")
EVERY_S = 5.0
"""Seconds between two sweeps of one gateway; one that finds nothing costs one indexed read."""
PAGE = 500
Position = tuple[datetime, str]


# ── the sweep ───────────────────────────────────────────────────────────────────────────────────────────


async def sweep(look: Callable[..., Awaitable[Any]], run: Callable[..., Awaitable[Any]]) -> int:
    """Records everything that has become due, each case in a transaction of its own.  Returns how many facts.

    ``look``, ``run``: a use case in a reading, in a writing transaction.  A case that fails holds up no other; it is
    tried again with the next sweep.
    """
    recorded, after = 0, None
    while page := await look(partial(due, after=after, limit=PAGE)):
        for _, number in page:
            try:
                recorded += await run(partial(attend, number=number))
            except Exception as error:
                facts = {"case": number, "error": type(error).__name__, "frames": places(error)}
                log.error("a case could not be looked at", extra=facts)
        after = page[-1]
    return recorded


def due(ctx: Ctx, after: Position | None = None, limit: int = PAGE) -> list[Position]:
    """(since when, number) of cases to look at, the longest waiting first, behind ``after``."""
    c = cases.c
    statement = select(c.attention_at, c.number).where(c.attention_at < ctx.now)
    if after is not None:
        statement = statement.where(_behind(c.attention_at, c.number, after))
    rows = ctx.tx.connection.execute(statement.order_by(c.attention_at, c.number).limit(limit))
    return [(row.attention_at, row.number) for row in rows]


def attend(ctx: Ctx, number: str) -> int:
    """Records what has become due in one case.  Returns how many facts; 0 when somebody else was quicker."""
    work = ctx.case(number)
    events = [one.event for one in work.coming() if one.at < ctx.now and one.event]
    for event in events:
        work.record(event)
    if events:
        work.save()
    else:
        when = update(cases).where(cases.c.number == number)
        ctx.tx.connection.execute(when.values(attention_at=work.attention_at()))
    return len(events)


# ── the worklist ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which open alerts are asked for; None = not filtered."""

    areas: tuple[str, ...] | None = None
    """Administrative code prefixes the asker may see."""
    department: str | None = None
    kinds: tuple[AlertKind, ...] | None = None


def worklist(
    ctx: Ctx, wanted: Wanted, after: Position | None, limit: int
) -> tuple[list[tuple[datetime, str, str]], int]:
    """((since, case number, key of the alert) of open alerts, the oldest first, behind ``after``; how many there are).

    The second part of a position is number and key, with a space between.
    """
    c = alerts.c
    which: list[ColumnElement[bool]] = [in_areas(c.area, wanted.areas)]
    if wanted.department is not None:
        which.append(c.department == wanted.department)
    if wanted.kinds is not None:
        which.append(c.kind.in_(wanted.kinds))
    total = ctx.tx.connection.execute(select(func.count()).select_from(alerts).where(*which)).scalar_one()
    statement = select(c.since, c.number, c.key).where(*which)
    if after is not None:
        number, _, key = after[1].partition(" ")
        same = and_(c.since == after[0], or_(c.number > number, and_(c.number == number, c.key > key)))
        statement = statement.where(or_(c.since > after[0], same))
    rows = ctx.tx.connection.execute(statement.order_by(c.since, c.number, c.key).limit(limit))
    return [(row.since, row.number, row.key) for row in rows], int(total)


def _behind(at: ColumnElement[Any], number: ColumnElement[Any], after: Position) -> ColumnElement[bool]:
    return or_(at > after[0], and_(at == after[0], number > after[1]))
