"""Findings of the repair sweep, kept between two looks; and how far the sweep has come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, delete, func, select

from gateway.domain.findings import Finding, FindingCode, Known, Standing
from gateway.store import cases
from gateway.store import tables as t
from gateway.store.session import Tx

_F = t.findings.c


@dataclass(frozen=True, slots=True)
class Count:
    """How many findings of one code stand in one way, and since when the oldest does."""

    code: FindingCode
    standing: Standing
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Position:
    """How far one part of the sweep has come.  ``position`` empty: at the beginning."""

    position: str
    began_at: datetime
    finished_at: datetime | None


def of(tx: Tx, numbers: Sequence[str]) -> dict[tuple[FindingCode, str, str], Known]:
    """What is kept of these cases (or of nobody: the empty number)."""
    rows = tx.connection.execute(select(t.findings).where(_F.number.in_(numbers)))
    found = (_known(row) for row in rows)
    return {(known.finding.code, known.finding.number, known.finding.place): known for known in found}


def keep(tx: Tx, found: Iterable[Finding], now: datetime) -> None:
    """Keeps what was found.  The first time it was seen stays; a healing is counted."""
    found = list(found)
    known = of(tx, list({finding.number for finding in found}))
    for finding in found:
        before = known.get((finding.code, finding.number, finding.place))
        healed = finding.standing is Standing.HEALED
        # Seen again after it was healed, it is a new one; that it was healed before is remembered.
        again = before is not None and before.finding.standing is not Standing.HEALED
        values = {
            "code": finding.code,
            "number": finding.number,
            "place": finding.place[:200],
            "standing": finding.standing,
            "facts": json.dumps(dict(finding.facts), ensure_ascii=False),
            "first_seen": before.first_seen if before is not None and (again or healed) else now,
            "last_seen": now,
            "times": (before.times if before is not None else 0) + healed,
        }
        columns = [name for name in values if name not in ("code", "number", "place")]
        cases.upsert(tx, t.findings, values, columns)


def clear(tx: Tx, gone: Iterable[Finding]) -> None:
    """Forgets findings that are there no more; that one was healed is kept until ``forget``."""
    for finding in gone:
        row = (_F.code == finding.code, _F.number == finding.number, _F.place == finding.place)
        tx.connection.execute(delete(t.findings).where(*row, _F.standing != Standing.HEALED))


def forget(tx: Tx, before: datetime) -> None:
    """Removes what was healed, or last seen, before a moment."""
    tx.connection.execute(delete(t.findings).where(_F.last_seen < before))


def counts(tx: Tx) -> list[Count]:
    """Findings by code and standing."""
    since = func.min(_F.first_seen, type_=_F.first_seen.type)
    statement = select(_F.code, _F.standing, func.count().label("many"), since.label("since"))
    rows = tx.connection.execute(statement.group_by(_F.code, _F.standing).order_by(_F.code, _F.standing))
    return [Count(FindingCode(row.code), Standing(row.standing), row.many, row.since) for row in rows]


def position(tx: Tx, name: str) -> Position | None:
    row = tx.connection.execute(select(t.sweeps).where(t.sweeps.c.name == name)).one_or_none()
    return Position(row.position, row.began_at, row.finished_at) if row is not None else None


def move(tx: Tx, name: str, to: str, now: datetime) -> None:
    """Notes how far a part has come; an empty position says that it came to the end."""
    before = position(tx, name)
    began = before.began_at if before is not None and before.position else now
    finished = now if not to else before.finished_at if before is not None else None
    values = {"name": name, "position": to, "began_at": began, "finished_at": finished}
    cases.upsert(tx, t.sweeps, values, ["position", "began_at", "finished_at"])


def _known(row: Row[tuple[object, ...]]) -> Known:
    finding = Finding(FindingCode(row.code), row.number, row.place, Standing(row.standing), json.loads(row.facts))
    return Known(finding, row.first_seen, row.last_seen, row.times)
