"""The desk: the one door through which every edge reaches the use cases.

It gives each use case its transaction, in a thread of its own, with the time and the asker; and it shows cases to
viewers only through ``access.sight``.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from gateway.access.rights import Rights, Viewer, prefixes
from gateway.access.seals import Seals
from gateway.access.sight import see
from gateway.domain.case import Case
from gateway.domain.messages import Code, Refused, refuse
from gateway.policy.book import PolicyBook
from gateway.services.context import Ctx, Outward
from gateway.services.live_records import LiveRecord, LiveRecords
from gateway.services.lookups import Lookups
from gateway.store import cases
from gateway.store.cases import Actor, CaseFilter
from gateway.store.session import Busy, Database, Tx

T = TypeVar("T")
access_log = logging.getLogger("shenhou.access")
"""Every query of a case, and every one that was refused (PD-15); subjects are blind indexes of their pseudonyms."""
ATTEMPTS = 6
"""How often a change is tried when another gateway changed the same case, or the database went away for a moment."""
PAUSE_S = 0.05
"""The pauses in between are by chance, twice as long each time, and some seconds in all at most."""
SYSTEM = Actor("gateway", "gateway")


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """How long an operation may wait.  ``until``: by the loop's clock."""

    seconds: float
    until: float

    def refusal(self) -> Refused:
        """What is not ready by then (TIME_LIMIT)."""
        return refuse(Code.TIME_LIMIT, None, limit=f"{self.seconds:g}")


_limit: contextvars.ContextVar[TimeLimit | None] = contextvars.ContextVar("time limit", default=None)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Whatever is read in here, and in tasks begun in here, is ready within ``seconds`` or refused (TIME_LIMIT)."""
    token = _limit.set(TimeLimit(seconds, asyncio.get_running_loop().time() + seconds))
    try:
        yield
    finally:
        _limit.reset(token)


async def in_time(work: Awaitable[T]) -> T:
    """Raises ``Refused`` (TIME_LIMIT)."""
    limit = _limit.get()
    if limit is None:
        return await work
    try:
        async with asyncio.timeout_at(limit.until) as timer:
            return await work
    except TimeoutError:
        if timer.expired():
            raise limit.refusal() from None
        raise


@dataclass(slots=True)
class Clock:
    """The real clock, in a sandbox moved by ``offset``."""

    offset: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def move_to(self, moment: datetime) -> None:
        self.offset = moment - datetime.now(UTC)


def _passes(error: Exception) -> bool:
    """Whether trying again may help: a clash with another writer, or a connection that broke."""
    return isinstance(error, cases.Stale | IntegrityError | OperationalError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


@dataclass(slots=True)
class Desk:
    """Everything a use case may need, joined once by ``gateway.main``."""

    database: Database
    book: PolicyBook
    rights: Rights
    outward: Outward
    live: LiveRecords
    clock: Clock
    sandbox: bool
    seals: Seals
    lookups: Lookups = field(default_factory=lambda: Lookups({}, {}))
    """The connected sources of shared data."""
    connected: frozenset[str] = field(init=False)
    """Codes of departments and sources whose systems are reached: their own, or through a hub (YN-1003)."""
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, "desk"))

    def __post_init__(self) -> None:
        direct = self.outward.connected | frozenset(self.lookups.sources)
        hubs = [policy for policy in self.book.jurisdictions if policy.via is not None and policy.via.hub in direct]
        self.connected = direct | {item.department for policy in hubs for item in policy.items if item.department}

    async def change(self, viewer: Viewer | None, call: Callable[[Ctx], T]) -> T:
        """Runs a use case in one writing transaction; on a clash with another writer it is run again."""
        return await self._thread(lambda: self._change(viewer, call))

    async def look(self, viewer: Viewer | None, call: Callable[[Ctx], T]) -> T:
        """Runs a use case that only reads.  Raises ``Refused`` (TIME_LIMIT) when the operation's time is over."""
        return await in_time(self._thread(lambda: self._look(viewer, call)))

    async def live_records(self, wanted: Sequence[tuple[str, str]]) -> list[LiveRecord | Refused]:
        """Live records; those of a department that is not ready in time are refused (TIME_LIMIT)."""
        limit = _limit.get()
        found = await self.live.read(wanted, limit.until if limit is not None else None)
        late = limit.refusal() if limit is not None else None
        return [shown for one in found if (shown := one or late) is not None]

    async def cases(self, viewer: Viewer, numbers: Sequence[str]) -> list[Case | None]:
        """The cases as this viewer sees them, in the order asked; None for what is not there or not theirs."""

        def read(ctx: Ctx) -> list[Case | None]:
            found = self.visible(ctx.tx, viewer, list(dict.fromkeys(numbers)))
            return [found.get(number) for number in numbers]

        shown = await self.look(viewer, read)
        for case in shown:
            # A number that is no case's is not repeated: people type ID numbers into the wrong box.
            fields = {
                "case": case.number if case is not None else "-",
                "seen": case is not None,
                "role": viewer.role,
                "subject": self._logged(viewer),
            }
            access_log.info("case asked for", extra={**fields, "department": viewer.department})
        return shown

    def log_taken(self, viewer: Viewer, count: int) -> None:
        """Shared data that were taken are logged, without whose they are (PD-15)."""
        fields = {
            "records": count,
            "role": viewer.role,
            "subject": self._logged(viewer),
            "department": viewer.department,
        }
        access_log.info("shared data taken", extra=fields)

    def visible(self, tx: Tx, viewer: Viewer, numbers: Sequence[str]) -> dict[str, Case]:
        """Those of these cases that the viewer may see, as the viewer sees them.

        Of a case that is not the viewer's nothing is read: neither the answer nor the time it takes tells it from one
        that does not exist (PD-15).
        """
        found = cases.load(tx, numbers, self.within(viewer))
        shown = {number: self.show(viewer, case) for number, case in found.items()}
        return {number: case for number, case in shown.items() if case is not None}

    def within(self, viewer: Viewer) -> CaseFilter:
        """What every search of this viewer is confined to."""
        role = self.rights.roles[viewer.role]
        return CaseFilter(
            areas=None if role.cases == "FAMILY" else prefixes(viewer),
            subject=viewer.subject if role.cases == "FAMILY" else None,
            department=viewer.department if role.cases == "DEPARTMENT" else None,
            pushed_only=role.cases == "DEPARTMENT",
        )

    def _logged(self, viewer: Viewer) -> str:
        return self.database.seal.indexes("log", viewer.subject)[0]

    def show(self, viewer: Viewer, case: Case) -> Case | None:
        """A case as this viewer sees it."""
        return see(self.rights, viewer, self.book.version(case.jurisdiction, case.policy_version), case)

    def context(self, tx: Tx, viewer: Viewer | None) -> Ctx:
        actor = Actor(viewer.role, viewer.name, viewer.department, viewer.subject) if viewer else SYSTEM
        return Ctx(tx, self.book, self.clock.now(), actor, self.outward)

    def _change(self, viewer: Viewer | None, call: Callable[[Ctx], T]) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.database.write() as tx:
                    return call(self.context(tx, viewer))
            except (cases.Stale, IntegrityError, DBAPIError) as error:
                if not _passes(error) or (attempt == ATTEMPTS and isinstance(error, IntegrityError)):
                    raise
                if attempt == ATTEMPTS:
                    raise Busy from error
                time.sleep(random.uniform(0, PAUSE_S * 2**attempt))  # noqa: S311
        raise AssertionError("unreachable")

    def _look(self, viewer: Viewer | None, call: Callable[[Ctx], T]) -> T:
        for last in (False, True):  # a connection may have died meanwhile; the second one is new
            try:
                with self.database.read() as tx:
                    return call(self.context(tx, viewer))
            except DBAPIError as error:
                if not _passes(error):
                    raise
                if last:
                    raise Busy from error
        raise AssertionError("unreachable")

    async def _thread(self, call: Callable[[], T]) -> T:
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self.threads, context.run, call)
