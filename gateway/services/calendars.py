"""A year's calendar was published: limits that ran into it get their dates (PD-01)."""

from __future__ import annotations

from sqlalchemy import select, update

from gateway.services.context import Ctx, item_row, payout_due
from gateway.store import cases
from gateway.store.tables import cases as case_rows
from gateway.store.tables import items, payouts

BATCH = 500


def fill_in_due_dates(ctx: Ctx) -> int:
    """Computes the due time of every item that waited for a calendar.  Returns how many now have one."""
    c = items.c
    rows = list(ctx.tx.connection.execute(select(c.number, c.slug).where(c.calendar_missing)))
    filled = 0
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        found = cases.load(ctx.tx, list({row.number for row in batch}))
        for row in batch:
            case = found[row.number]
            fresh = item_row(ctx, case, case.items[row.slug])
            if not fresh.calendar_missing:
                values = {"due_at": fresh.due_at, "due_clock": fresh.due_clock, "calendar_missing": False}
                ctx.tx.connection.execute(
                    update(items).where(c.number == row.number, c.slug == row.slug).values(values)
                )
                p = payouts.c
                due = payout_due(ctx, case, case.items[row.slug])
                ctx.tx.connection.execute(
                    update(payouts).where(p.number == row.number, p.slug == row.slug).values(due_at=due)
                )
                look = update(case_rows).where(case_rows.c.number == row.number).values(attention_at=ctx.now)
                ctx.tx.connection.execute(look)
                filled += 1
    return filled
