"""Budgets of callers, shared by all gateways: each fills up by the minute, and is drawn on in one statement."""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, delete
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gateway.store import tables as t
from gateway.store.session import Tx

KEPT_S = 3600
"""A budget that was not drawn on for so long is full, and needs no row."""


def draw(tx: Tx, caller: str, units: float, per_minute: float, now: float) -> float:
    """Takes ``units`` of cost; returns what is left, below 0 when it was more than there was.

    ``now``: seconds since 1970.  Nobody owes more than one minute's budget, whatever was drawn.
    """
    c = t.budgets.c
    make = sqlite_insert if tx.connection.dialect.name == "sqlite" else pg_insert
    tx.connection.execute(delete(t.budgets).where(c.at < now - KEPT_S))
    first = {"caller": caller, "remaining": max(per_minute - units, -per_minute), "at": now}
    passed = case((c.at < now, now - c.at), else_=0.0)  # clocks of gateways differ a little
    filled = c.remaining + passed * (per_minute / 60)
    left: Any = case((filled > per_minute, per_minute), else_=filled) - units
    then = {"remaining": case((left < -per_minute, -per_minute), else_=left), "at": case((c.at < now, now), else_=c.at)}
    drawn = make(t.budgets).values(**first).on_conflict_do_update(index_elements=["caller"], set_=then)
    return float(tx.connection.execute(drawn.returning(c.remaining)).scalar_one())
