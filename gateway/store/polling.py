"""What a department is asked about again and again: everything it holds on which something can still change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, select, tuple_

from gateway.domain.case import REVERSAL, submission_key
from gateway.store.session import Tx
from gateway.store.tables import items, payouts, reversals

Position = tuple[int, str, str]
START: Position = (0, "", "")


def page(tx: Tx, code: str, after: Position, limit: int) -> tuple[list[str], Position]:
    """At most ``limit`` keys of what a system holds, behind a position; and the position behind them, at the end START.

    Every turn asks about one page, so that a long list costs a turn no more than a short one.
    """
    found: dict[str, None] = {}
    for kind, statement, key, mark in _kinds(code):
        if kind < after[0]:
            continue
        if kind == after[0]:
            statement = statement.where(tuple_(*key) > after[1:])
        rows = list(tx.connection.execute(statement.order_by(*key).limit(limit - len(found))))
        found |= {submission_key(row.number, row.slug) + mark: None for row in rows}
        if len(found) >= limit:
            return list(found), (kind, rows[-1].number, rows[-1].slug)
    return list(found), START


def _kinds(code: str) -> Iterator[tuple[int, Select[Any], tuple[Any, Any], str]]:
    i, p, r = items.c, payouts.c, reversals.c
    open_ = ("APPROVED", "HELD", "INSTRUCTED", "RETURNED")
    yield (
        1,
        select(i.number, i.slug).where(i.reached_through == code, i.delivery == "DELIVERED"),
        (i.number, i.slug),
        "",
    )
    owed = select(p.number, p.slug).where(p.reached_through == code, p.status.in_(open_), p.fen > 0).distinct()
    yield 2, owed, (p.number, p.slug), ""
    asked = select(r.number, r.slug).where(r.department == code, r.delivery == "DELIVERED")
    yield 3, asked.where(r.status.in_(("REQUESTED", "ACCEPTED"))), (r.number, r.slug), REVERSAL
