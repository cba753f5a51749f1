"""Live records: what a department's own system says now, within a time limit, one call per department.

A slow or dead department costs at most its limit and shows in the data: the last record read, marked STALE, or
UNAVAILABLE when there never was one.  A department that just failed is not asked again for a few seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum

from pydantic import TypeAdapter
from sqlalchemy import select

from gateway.domain.department import Department, DepartmentError, DepartmentUnintelligible, Record
from gateway.store import cases
from gateway.store.session import Database
from gateway.store.tables import records

REST_S = 3.0
"""For so long a department that failed is not asked again by queries."""
_RECORD = TypeAdapter(Record)


class Freshness(StrEnum):
    """数据时效."""

    LIVE = "LIVE"
    """实时: read for this query."""
    STALE = "STALE"
    """非实时: the department does not answer; this is the last record read."""
    UNAVAILABLE = "UNAVAILABLE"
    """不可用: the department does not answer and no record was ever read."""
    UNKNOWN_THERE = "UNKNOWN_THERE"
    """部门无记录: the department answers, and does not (yet) hold the application."""


@dataclass(frozen=True, slots=True)
class LiveRecord:
    """One application as its department shows it."""

    freshness: Freshness
    as_of: datetime | None
    record: Record | None
    error: str | None = None
    """Why it is not live: ``UNAVAILABLE`` or ``UNINTELLIGIBLE``."""
    failing_since: datetime | None = None


class Late(Enum):
    """The operation's time was over first; nothing is said of the department."""

    LATE = "LATE"


LATE = Late.LATE


@dataclass(slots=True)
class LiveRecords:
    """``timeouts_s``: longest wait per department inside a query, in seconds."""

    database: Database
    departments: Mapping[str, Department]
    timeouts_s: Mapping[str, float]
    now: Callable[[], datetime]
    calls: dict[str, int] = field(default_factory=dict)
    _resting: dict[str, float] = field(default_factory=dict)
    _failing: dict[str, tuple[datetime, str]] = field(default_factory=dict)

    async def read(self, wanted: Sequence[tuple[str, str]], until: float | None = None) -> list[LiveRecord | None]:
        """Records of many (department, key), in the order asked: departments side by side, one call each.

        None: the department had not answered ``until`` then (by the loop's clock), before its own limit was over.
        """
        by_department: dict[str, list[str]] = {}
        for department, key in wanted:
            by_department.setdefault(department, []).append(key)
        found = dict(
            zip(
                by_department,
                await asyncio.gather(*(self._ask(code, keys, until) for code, keys in by_department.items())),
                strict=True,
            )
        )
        silent = [key for department, key in wanted if found[department] is None]
        kept = await asyncio.to_thread(self._kept, silent) if silent else {}
        answers = [answer for answer in found.values() if isinstance(answer, Mapping)]
        fresh = {key: record for answer in answers for key, record in answer.items()}
        if fresh:
            await asyncio.to_thread(self._keep, fresh)
        at = self.now()
        return [
            None if (answer := found[department]) is LATE else self._answer(department, key, answer, kept, at)
            for department, key in wanted
        ]

    def _answer(
        self,
        department: str,
        key: str,
        answered: Mapping[str, Record] | None,
        kept: Mapping[str, tuple[datetime, Record]],
        at: datetime,
    ) -> LiveRecord:
        if answered is not None:
            record = answered.get(key)
            return LiveRecord(Freshness.LIVE if record else Freshness.UNKNOWN_THERE, at, record)
        since, error = self._failing.get(department, (at, "UNAVAILABLE"))
        if key in kept:
            as_of, record = kept[key]
            return LiveRecord(Freshness.STALE, as_of, record, error, since)
        return LiveRecord(Freshness.UNAVAILABLE, None, None, error, since)

    async def _ask(self, code: str, keys: Sequence[str], until: float | None) -> Mapping[str, Record] | Late | None:
        """None when the department does not answer, or not in its format."""
        adapter = self.departments.get(code)
        if adapter is None or self._resting.get(code, 0.0) > time.monotonic():
            return None
        self.calls[code] = self.calls.get(code, 0) + 1
        own = asyncio.get_running_loop().time() + self.timeouts_s[code]
        try:
            async with asyncio.timeout_at(own if until is None else min(own, until)):
                answered = await adapter.read_many(list(dict.fromkeys(keys)))
        except (DepartmentError, TimeoutError) as error:
            if isinstance(error, TimeoutError) and until is not None and until < own:
                return LATE
            kind = "UNINTELLIGIBLE" if isinstance(error, DepartmentUnintelligible) else "UNAVAILABLE"
            since = self._failing[code][0] if code in self._failing else self.now()
            self._failing[code] = (since, kind)
            self._resting[code] = time.monotonic() + REST_S
            return None
        self._failing.pop(code, None)
        return answered

    def _kept(self, keys: Sequence[str]) -> dict[str, tuple[datetime, Record]]:
        with self.database.read() as tx:
            rows = tx.connection.execute(select(records).where(records.c.key.in_(keys)))
            return {
                row.key: (row.as_of, _RECORD.validate_json(tx.seal.open(row.body, f"record:{row.key}"))) for row in rows
            }

    def _keep(self, fresh: Mapping[str, Record]) -> None:
        """Keeps what was read for the time when the department is silent; unchanged records are not written again."""
        with self.database.read() as tx:
            statement = select(records.c.key, records.c.updated_at).where(records.c.key.in_(list(fresh)))
            known = {row.key: row.updated_at for row in tx.connection.execute(statement)}
        changed = {key: record for key, record in fresh.items() if known.get(key) != record.updated_at}
        if not changed:
            return
        at = self.now()
        with self.database.write() as tx:
            for key, record in changed.items():
                body = tx.seal.close(_RECORD.dump_json(record), f"record:{key}")
                values = {"key": key, "as_of": at, "updated_at": record.updated_at, "body": body}
                cases.upsert(tx, records, values, ["as_of", "updated_at", "body"])
