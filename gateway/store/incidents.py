"""Unexpected errors by the id their callers were told.  Nothing of a person stands in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from gateway.store import tables as t
from gateway.store.session import Tx

KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Incident:
    """``operation``: root fields; ``kind``: class of the exception; ``frames``: where, without values."""

    id: str
    at: datetime
    operation: str
    kind: str
    frames: str


def put(tx: Tx, found: Sequence[Incident], now: datetime) -> None:
    """Writes them, and forgets those that are too old."""
    tx.connection.execute(delete(t.incidents).where(t.incidents.c.at < now - KEPT))
    tx.connection.execute(insert(t.incidents), [asdict(one) for one in found])


def get(tx: Tx, id: str) -> Incident | None:
    row = tx.connection.execute(select(t.incidents).where(t.incidents.c.id == id)).mappings().one_or_none()
    return Incident(**row) if row is not None else None
