"""The durable engine: DBOS on the gateway's own database.

The application's tables are the truth; the engine only holds work to be done.  Work is recorded in the transaction that
caused it, its workflow id makes it happen once, and each run reads the truth again before it acts, so a run that is
repeated after a crash does no harm.  Queues are partitioned by department: one that is slow holds up nobody else.
Departments that may be called equally often share a queue, because every queue is looked at all the time.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from dbos._queue import QueueRateLimit
from sqlalchemy import Connection, delete, select
from sqlalchemy.exc import DBAPIError

from gateway.faults import places
from gateway.store import cases
from gateway.store.session import Busy, Database, Work
from gateway.store.tables import leases
from gateway.worker.recurring import Call, Loop

log = logging.getLogger("shenhou.engine")
VERSION = "shenhou-1"
"""Which releases may finish each other's work; changes only when the meaning of a workflow's arguments does."""
DEAD_AFTER_BEATS = 4
EXECUTOR = "executor:"
"""Leases of this name say which process lives."""
LONGEST_PAUSE_S = 30.0
TURN = 0.7
"""A turn lasts this part of the time between two: the next is free for whoever comes first."""
TRIES = 4
"""How often a run that meets a defect of ours is tried before its work is left to the repair sweep."""
Handler = Callable[..., Awaitable[None]]
_handlers: dict[str, Handler] = {}
_running: set[tuple[str, str, str]] = set()
"""What this process is working at."""


@DBOS.workflow(name="deliver", max_recovery_attempts=10_000)
async def _deliver(number: str, slug: str) -> None:
    await _run("deliver", number, slug)


@DBOS.workflow(name="instruct", max_recovery_attempts=10_000)
async def _instruct(number: str, payout: str) -> None:
    await _run("instruct", number, payout)


async def _run(name: str, number: str, what: str) -> None:
    _running.add((name, number, what))
    try:
        await _try(name, number, what)
    finally:
        _running.discard((name, number, what))


async def _try(name: str, number: str, what: str) -> None:
    """Work does not end because the database is away for a while: what it had to record would be lost."""
    pause, tries = 0.5, 0
    while True:
        try:
            return await _handlers[name](number, what)
        except Exception as error:
            away = isinstance(error, DBAPIError | Busy)
            tries += not away
            if tries >= TRIES:
                raise
            fields = {"work": name, "case": number, "kind": type(error).__name__, "frames": places(error)}
            log.log(logging.WARNING if away else logging.ERROR, "work is tried again", extra=fields)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)


@dataclass(frozen=True, slots=True)
class Limits:
    """How often one system may be called.  ``concurrency``: at once, over all gateways."""

    concurrency: int = 4
    rate_per_s: float | None = None
    """Calls of durable work per second, over all gateways; None: no limit."""

    @property
    def queue(self) -> str:
        rate = f"-{self.rate_per_s:g}" if self.rate_per_s is not None else ""
        return f"outward-{self.concurrency}{rate}"

    @property
    def limiter(self) -> QueueRateLimit | None:
        if self.rate_per_s is None:
            return None
        slow = self.rate_per_s < 1
        return {"limit": 1, "period": 1 / self.rate_per_s} if slow else {"limit": int(self.rate_per_s), "period": 1.0}


@dataclass(slots=True)
class Engine:
    """One process's share of the engine.  ``now`` is the real clock: leases are about processes, not about cases."""

    database: Database
    queue_poll_s: float
    heartbeat_s: float
    now: Callable[[], datetime]
    limits: Mapping[str, Limits] = field(default_factory=dict)
    """Per system; one without an entry has the ordinary limits."""
    drain_s: int = 5
    """How long running work may take to finish when the process is told to end."""
    executor: str = ""
    _client: DBOSClient | None = None

    async def start(self, handlers: dict[str, Handler]) -> None:
        """To be called inside the event loop that runs the handlers."""
        _handlers.update(handlers)
        self.executor = f"gateway-{uuid.uuid4().hex[:12]}"
        # Said before the first piece of work is taken: work without a living owner is taken over.
        await asyncio.to_thread(self._lives_until, DEAD_AFTER_BEATS * self.heartbeat_s)
        url = self.database.url.render_as_string(hide_password=False)
        for noisy in ("dbos", "dbos.transact"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        DBOS(
            config=DBOSConfig(
                name="shenhou",
                system_database_url=url,
                executor_id=self.executor,
                application_version=VERSION,
                sys_db_pool_size=5,
                log_level="ERROR",
                run_migrations=True,
                notification_listener_polling_interval_sec=self.queue_poll_s,  # a stop waits for it
            )
        )
        self.connect()  # work that is taken up by the launch may cause further work at once
        DBOS.launch()
        for limits in {Limits(), *self.limits.values()}:
            await DBOS.register_queue_async(
                limits.queue,
                partition_concurrency=limits.concurrency,
                partition_limiter=limits.limiter,
                polling_interval_sec=self.queue_poll_s,
                on_conflict="always_update",
            )

    def connect(self) -> None:
        """Lets this process queue work, without running any."""
        self._client = DBOSClient(system_database_engine=self.database.engine, application_name="shenhou", lazy=True)
        self.database.enqueue = self.enqueue

    def enqueue(self, connection: Connection, work: Work) -> None:
        """Records work in the caller's transaction."""
        assert self._client is not None, "the engine has not been started"
        options: EnqueueOptions = {
            "workflow_name": work.name,
            "queue_name": self.limits.get(work.department, Limits()).queue,
            "workflow_id": work.id,
            "app_version": VERSION,
            "queue_partition_key": work.department,
        }
        if work.delay_s > 0:
            options["delay_seconds"] = work.delay_s
        self._client.enqueue_in_transaction(connection, options, *work.args)

    def beat(self, alone: bool = False) -> list[str]:
        """Says that this process lives, and takes over the work of those that do not.  Returns who was taken over.

        Work is looked at as well as leases: a process that stood still loses its lease, and may take up work again
        before it ends for good.  ``alone``: this is the only process there can be (an embedded database at start).
        """
        self._lives_until(self.heartbeat_s * DEAD_AFTER_BEATS)
        if self.database.sqlite and not alone:
            return []  # there is no other
        running = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        c = leases.c
        with self.database.read() as tx:
            rows = list(tx.connection.execute(select(c.holder, c.until).where(c.name.startswith(EXECUTOR))))
        living = {row.holder for row in rows if row.until >= self.now() and not alone} | {self.executor}
        gone = sorted(
            ({row.holder for row in rows} | {work.executor_id for work in running if work.executor_id}) - living
        )
        for holder in gone:
            DBOS._recover_pending_workflows([holder])
            with self.database.write() as tx:
                tx.connection.execute(delete(leases).where(c.name == EXECUTOR + holder, c.until < self.now()))
        return gone

    def _lives_until(self, seconds: float) -> None:
        until = self.now() + timedelta(seconds=seconds)
        row = {"name": EXECUTOR + self.executor, "holder": self.executor, "until": until}
        with self.database.write() as tx:
            cases.upsert(tx, leases, row, ["until"])

    def in_turn(self, name: str, every_s: float, call: Call) -> Loop:
        """Recurring work that one process at a time does."""

        async def turn() -> None:
            if await self.has_turn(name, every_s):
                await call()

        return every_s, turn

    async def has_turn(self, name: str, every_s: float) -> bool:
        """Whether this process has the turn for a recurring piece of work; takes it when it is free."""
        if self.database.sqlite:
            return True  # there is no other
        return await asyncio.to_thread(self._take_turn, name, every_s * TURN)

    def _take_turn(self, name: str, seconds: float) -> bool:
        now = self.now()
        with self.database.write() as tx:
            found = tx.connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
            if found is not None and found.until > now:
                return False
            row = {"name": name, "holder": self.executor, "until": now + timedelta(seconds=seconds)}
            cases.upsert(tx, leases, row, ["holder", "until"])
        return True

    def tidy(self, keep: timedelta) -> None:
        """Removes finished work older than ``keep`` from the engine's tables."""
        before = self.now() - keep
        done = DBOS.list_workflows(status=["SUCCESS"], end_time=before.isoformat(), limit=500, load_input=False)
        if done:
            DBOS.delete_workflows([workflow.workflow_id for workflow in done])

    def stop(self) -> None:
        """Lets running work finish for a moment; what does not finish is taken over or resumed."""
        if self._client is not None:
            self._client.destroy()
            self._client = None
        DBOS.destroy(workflow_completion_timeout_sec=self.drain_s if _running else 0)
        self._lives_until(0.0)  # what did not finish is taken over at once
