"""Transactions.  Only this module commits: one request or one piece of work, one transaction, all or nothing."""

from __future__ import annotations

import fcntl
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

from gateway.domain.messages import Code, Problem, Reason, Refused
from gateway.store.migrations import Migrated, migrate
from gateway.store.seal import Seal

BUSY_MS = 30_000


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of durable work, recorded in the same transaction as what caused it."""

    name: str
    """``deliver`` or ``instruct``."""
    id: str
    """The same id is the same work."""
    department: str
    args: tuple[str, ...]
    delay_s: float = 0.0


class Busy(Refused):
    """The database is away, or too many write the same (TRY_AGAIN): nothing was written, it may be tried again."""

    def __init__(self) -> None:
        super().__init__(Problem(Reason(Code.TRY_AGAIN)))


Enqueue = Callable[[Connection, Work], None]


@dataclass(slots=True)
class Tx:
    """One transaction.  ``enqueue`` adds durable work that exists if, and only if, it commits."""

    connection: Connection
    seal: Seal
    _enqueue: Enqueue
    after: list[Callable[[], None]] = field(default_factory=list)
    """Called after the commit, e.g. to wake subscribers."""

    def enqueue(self, work: Work) -> None:
        self._enqueue(self.connection, work)


def _no_engine(connection: Connection, work: Work) -> None:
    raise RuntimeError("no durable engine is connected")


class Database:
    """The one database of a deployment: SQLite (one gateway) or PostgreSQL (any number)."""

    def __init__(self, url: str, seal: Seal, pool_size: int = 8) -> None:
        self.sqlite = make_url(url).get_backend_name() == "sqlite"
        self.url = make_url(url) if self.sqlite else _guarded(make_url(url))
        self.seal = seal
        self.enqueue: Enqueue = _no_engine
        self._writer = threading.Lock()
        self._alone: IO[str] | None = None
        extra: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": 30}
        if not self.sqlite:
            extra["pool_pre_ping"] = True
        self.engine: Engine = create_engine(self.url, **extra)
        if self.sqlite:
            _tune_sqlite(self.engine)

    def migrate(self) -> Migrated:
        """Brings the tables to what this program needs.  Raises ``Unusable`` when they cannot be."""
        with self.write() as tx:
            return migrate(tx.connection)

    def hold_alone(self, wait_s: float) -> bool:
        """Whether this process may be the one gateway of an embedded database; it stays so until it ends."""
        if not self.sqlite or not self.url.database:
            return True
        self._alone = Path(f"{self.url.database}.gateway").open("a")  # noqa: SIM115
        until = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(self._alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except OSError:
                if time.monotonic() > until:
                    return False
                time.sleep(0.1)

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A consistent look; nothing is written."""
        with self.engine.connect() as connection:
            yield Tx(connection, self.seal, _no_engine)

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """Commits at the end, or nothing happened.  SQLite has one writer: inside a process they queue here."""
        if self.sqlite:
            with self._writer, self._begin() as tx:
                yield tx
        else:
            with self._begin() as tx:
                yield tx
        for call in tx.after:
            call()

    @contextmanager
    def _begin(self) -> Iterator[Tx]:
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield Tx(connection, self.seal, self.enqueue)

    def dispose(self) -> None:
        self.engine.dispose()
        if self._alone is not None:
            self._alone.close()


def _guarded(url: URL) -> URL:
    """A gateway that stands still, or is gone without a word, does not hold its locks against the others."""
    given = url.query.get("options", "")
    options = f"{given} -c idle_in_transaction_session_timeout=10s -c lock_timeout=20s".strip()
    alive = {"keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "25000"}
    return url.update_query_dict({**alive, **dict(url.query), "options": options})


def _write_ahead(connection: Any) -> None:
    """Several that open a new file at once clash here, and SQLite does not wait for this lock by itself."""
    until = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in (f"busy_timeout={BUSY_MS}", "foreign_keys=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        _write_ahead(connection)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock at once: a lock upgraded later fails under load instead of waiting.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
