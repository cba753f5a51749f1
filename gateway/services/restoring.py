"""A database was restored from a backup: what happened after the backup is forgotten here, but not by the departments.

Numbers given out in that time are lost with their cases, and departments hold them.  None of them may come again.
How many there were nobody knows, but each was given out after the last entry of the ledger, and in a minute no
jurisdiction gives out more than a minute's share of what a day's five digits hold (about 69).  So every serial moves
ahead by that share for each minute from the last entry until now, and for one more, because clocks differ.  A second
restore of the same backup happens later than the first, and so moves past all that was given out between the two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, or_, select

from gateway.policy.book import PolicyBook
from gateway.services import joint_submission, sharing
from gateway.store import cases
from gateway.store import tables as t
from gateway.store.session import Tx

A_DAYS_NUMBERS = 99_999
DAY = timedelta(days=1)
CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Restored:
    """``known_until``: the last entry of the ledger; None: there is none.  ``serials``: per scope, before and after."""

    known_until: datetime | None
    serials: Mapping[str, tuple[int, int]]


def restored(tx: Tx, book: PolicyBook, now: datetime) -> Restored:
    """To be called once after a restore, before a gateway serves; ``now`` is the real time.  Again does no harm."""
    known = tx.connection.execute(select(func.max(t.ledger.c.at))).scalar_one()
    moved: dict[str, tuple[int, int]] = {}
    for code, calendar in book.calendars.items():
        today = calendar.local_date(now)
        midnight = datetime.combine(today, datetime.min.time(), calendar.zone)
        since = midnight if known is None or known > now else known
        scopes = {
            joint_submission.serial_scope(code, today): max(since, midnight),
            sharing.serial_scope(code): since,
        }
        for scope, start in scopes.items():
            lost = math.ceil((now - start + CLOCKS_DIFFER) / DAY * A_DAYS_NUMBERS)
            moved[scope] = cases.skip_serials(tx, scope, lost)
    c = t.leases.c
    # Whoever asked the departments last did so before the backup: each is asked at once.
    turns = or_(*(c.name.startswith(kind) for kind in ("poll:", "source:")))
    tx.connection.execute(delete(t.leases).where(turns))
    tx.connection.execute(insert(t.restores).values(at=now, known_until=known))
    return Restored(known, moved)
