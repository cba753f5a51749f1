"""For how long somebody may go on looking into a case without another entry in its timeline."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from gateway.store import tables as t
from gateway.store.session import Tx
from gateway.store.upsert import upsert


@dataclass(frozen=True, slots=True)
class Look:
    """``noted_until``: a look of the day stands in the timeline; ``lifted``: kinds of personal data whose masks are
    lifted until ``lifted_until``, for the reason with this code."""

    noted_until: datetime | None = None
    lifted: frozenset[str] = frozenset()
    lifted_until: datetime | None = None
    reason: str | None = None

    def noted(self, now: datetime) -> bool:
        return self.noted_until is not None and now < self.noted_until

    def shows(self, now: datetime) -> frozenset[str]:
        """What is unmasked now."""
        return self.lifted if self.lifted_until is not None and now < self.lifted_until else frozenset()


NOTHING = Look()


def of(tx: Tx, subject: str, numbers: Collection[str]) -> dict[str, Look]:
    """What this person may go on looking at, by case number."""
    keys = {key: number for number in numbers for key in _keys(tx, subject, number)}
    rows = tx.connection.execute(select(t.looks).where(t.looks.c.key.in_(keys))) if keys else ()
    return {
        keys[row.key]: Look(row.noted_until, frozenset(row.lifted.split()), row.lifted_until, row.reason)
        for row in rows
    }


def keep(tx: Tx, subject: str, number: str, look: Look, now: datetime) -> None:
    """Writes it, and forgets what counts no longer."""
    tx.connection.execute(delete(t.looks).where(t.looks.c.until < now))
    ends = [end for end in (look.noted_until, look.lifted_until) if end is not None]
    values = {
        "noted_until": look.noted_until,
        "lifted": " ".join(sorted(look.lifted)),
        "lifted_until": look.lifted_until,
        "reason": look.reason,
        "until": max(ends),
    }
    key = _keys(tx, subject, number)[0]
    upsert(tx, t.looks, {"key": key, **values}, list(values))


def _keys(tx: Tx, subject: str, number: str) -> Sequence[str]:
    return tx.seal.indexes("look", subject, number)
