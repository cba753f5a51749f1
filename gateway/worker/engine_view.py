"""The durable engine looked at from outside: what waits, what runs, what died, and whose processes are gone.

The one place that knows the engine's tables (DBOS documents them as its system tables).  Looking goes over the caller's
own connection, so that a look under a case's lock sees what was queued with that case; changing goes through
``DBOSClient``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dbos import DBOSClient
from sqlalchemy import ColumnElement, Select, TableClause, column, inspect, select, table

from gateway.services.repair import Subject
from gateway.store.session import Database, Tx
from gateway.store.tables import leases
from gateway.worker.engine import EXECUTOR

WAITING = ("ENQUEUED", "DELAYED")
LIVE = (*WAITING, "PENDING")
DEAD = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
GONE_AFTER = timedelta(seconds=60)
"""How long work must have been running, and its process silent, before it counts as left behind."""
_MARKS = {"deliver": ".", "instruct": ":"}
"""What stands between the case number and what the work is about."""
_NAMES = (
    "workflow_uuid",
    "status",
    "queue_name",
    "queue_partition_key",
    "executor_id",
    "created_at",
    "updated_at",
    "started_at_epoch_ms",
)

_EMBEDDED = table("workflow_status", *(column(name) for name in _NAMES))
_SERVED = table("workflow_status", *(column(name) for name in _NAMES), schema="dbos")


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of live work."""

    id: str
    status: str
    queue: str | None
    department: str
    executor: str | None
    created_at: datetime
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was alive at one moment.  Answers ``LiveWork`` of the use cases: what it does not hold is looked up anew."""

    pieces: Mapping[str, Piece]
    subjects: frozenset[Subject]
    executors: Mapping[str, datetime]
    """Name → until when its last heartbeat holds."""

    def why_dead(self, tx: Tx, subject: Subject) -> str | None:
        return None if subject in self.subjects else why_dead(tx, subject)

    def left_behind(self, now: datetime) -> dict[str, list[Piece]]:
        """Running work of processes that are gone, by process."""
        before = now - GONE_AFTER
        found: dict[str, list[Piece]] = {}
        for piece in self.pieces.values():
            if piece.status in WAITING or (piece.started_at or piece.created_at) > before:
                continue
            until = self.executors.get(piece.executor or "")
            if until is None or until < before:
                found.setdefault(piece.executor or "-", []).append(piece)
        return found


@dataclass(frozen=True, slots=True)
class Queue:
    """Live work for one department."""

    department: str
    waiting: int
    delayed: int
    running: int
    oldest: datetime | None
    """Since when the oldest of it has been there."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Work that ended without success.  Its error may quote anything and is not shown."""

    id: str
    status: str
    department: str
    at: datetime


def exists(tx: Tx) -> bool:
    """Whether the engine has ever run on this database."""
    found = _table(tx)
    return inspect(tx.connection).has_table(found.name, schema=found.schema)


def snapshot(tx: Tx) -> Snapshot:
    """Everything that waits or runs, and the heartbeats."""
    rows = tx.connection.execute(select(leases).where(leases.c.name.startswith(EXECUTOR)))
    executors = {row.holder: row.until for row in rows}
    if not exists(tx):
        return Snapshot({}, frozenset(), executors)
    c = _table(tx).c
    pieces = {}
    for row in tx.connection.execute(_columns(tx).where(c.status.in_(LIVE))):
        started = _moment(row.started_at_epoch_ms) if row.started_at_epoch_ms else None
        pieces[row.workflow_uuid] = Piece(
            row.workflow_uuid,
            row.status,
            row.queue_name,
            row.queue_partition_key or "",
            row.executor_id,
            _moment(row.created_at),
            started,
        )
    return Snapshot(pieces, frozenset(subject_of(id_) for id_ in pieces), executors)


def subject_of(work_id: str) -> Subject:
    """What a piece of work is about: ``deliver:<number>.<slug>:<turn>`` or ``instruct:<number>:<payout>:<turn>``."""
    name, _, rest = work_id.partition(":")
    number, _, what = rest.rpartition(":")[0].partition(_MARKS.get(name, ":"))
    return Subject(name, number, what)


def why_dead(tx: Tx, subject: Subject) -> str | None:
    """As ``LiveWork.why_dead``, from the table: the last state of what is there, ``NONE`` when nothing is."""
    if not exists(tx):
        return "NONE"
    c = _table(tx).c
    mine = _begins(tx, f"{subject.name}:{subject.number}{_MARKS.get(subject.name, ':')}{subject.what}:")
    states = list(tx.connection.execute(select(c.status).where(mine).order_by(c.created_at.desc())).scalars())
    if any(state in LIVE for state in states):
        return None
    return next((str(state) for state in states if state in DEAD), str(states[0]) if states else "NONE")


def _begins(tx: Tx, prefix: str) -> ColumnElement[bool]:
    id_ = _table(tx).c.workflow_uuid
    if tx.connection.dialect.name == "sqlite":  # its LIKE knows no case and so uses no index
        return id_.between(prefix, prefix + "\U0010ffff")
    return id_.startswith(prefix, autoescape=True)


def resume(database: Database, pieces: Iterable[Piece]) -> None:
    """Puts work that was left behind back into its own queue."""
    by_queue: dict[str | None, list[str]] = {}
    for piece in pieces:
        by_queue.setdefault(piece.queue, []).append(piece.id)
    client = _client(database)
    for queue, ids in by_queue.items():
        client.resume_workflows(ids, queue_name=queue)
    client.destroy()


def cancel(database: Database, ids: Sequence[str]) -> None:
    """Takes work out of its queue."""
    client = _client(database)
    client.cancel_workflows(list(ids))
    client.destroy()


def queues(found: Snapshot) -> list[Queue]:
    """Live work by department."""
    by_department: dict[str, list[Piece]] = {}
    for piece in found.pieces.values():
        by_department.setdefault(piece.department, []).append(piece)
    made = []
    for department, pieces in sorted(by_department.items()):
        states = Counter(piece.status for piece in pieces)
        oldest = min(piece.created_at for piece in pieces)
        made.append(Queue(department, states["ENQUEUED"], states["DELAYED"], states["PENDING"], oldest))
    return made


def failures(tx: Tx, limit: int) -> list[Failure]:
    """The last work that ended without success, newest first; what was cancelled on purpose is not counted."""
    if not exists(tx):
        return []
    c = _table(tx).c
    statement = _columns(tx).where(c.status.in_(DEAD), c.status != "CANCELLED").order_by(c.updated_at.desc())
    return [
        Failure(row.workflow_uuid, row.status, row.queue_partition_key or "", _moment(row.updated_at))
        for row in tx.connection.execute(statement.limit(limit))
    ]


def _client(database: Database) -> DBOSClient:
    return DBOSClient(system_database_engine=database.engine, application_name="shenhou", lazy=True)


def _table(tx: Tx) -> TableClause:
    return _EMBEDDED if tx.connection.dialect.name == "sqlite" else _SERVED


def _columns(tx: Tx) -> Select[Any]:
    return select(*_table(tx).c)


def _moment(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)
