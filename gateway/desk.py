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
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from gateway.access.asking import NOTHING, Asking, looking_of
from gateway.access.rights import Rights, Viewer, prefixes
from gateway.access.seals import Seals
from gateway.access.sight import see
from gateway.domain.case import Case
from gateway.domain.events.access import Denied, Seen
from gateway.domain.identity import canonical
from gateway.domain.messages import Code, Refused, refuse
from gateway.faults import places
from gateway.policy.book import PolicyBook
from gateway.services.context import Ctx, Outward
from gateway.services.journal import Journal
from gateway.services.live_records import LiveRecord, LiveRecords
from gateway.services.looking import AT_ONCE, Looking
from gateway.services.looking import note as note_looks
from gateway.services.lookups import Lookups
from gateway.store import cases, looks
from gateway.store.accesses import NO_CASE
from gateway.store.cases import Actor, CaseFilter
from gateway.store.incidents import Incident
from gateway.store.looks import NOTHING as NO_LOOK
from gateway.store.looks import Look
from gateway.store.session import Busy, Database, Tx

T = TypeVar("T")
access_log = logging.getLogger("shenhou.access")
"""What was refused to nobody known; everything else stands in the access record (PD-15)."""
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


def actor_of(viewer: Viewer) -> Actor:
    return Actor(viewer.role, viewer.name, viewer.department, viewer.subject)


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
    journal: Journal = field(default_factory=Journal)
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

    async def cases(self, viewer: Viewer, numbers: Sequence[str], asking: Asking = NOTHING) -> list[Case | None]:
        """The cases as this viewer sees them, in the order asked; None for what is not there or not theirs.

        The first look of the day that the family is to read of is written before anything is answered; every look
        goes into the access record, which nobody waits for.
        """
        wanted = list(dict.fromkeys(numbers))

        def read(ctx: Ctx) -> tuple[dict[str, Case], dict[str, Look], Looking | None, list[str]]:
            found, known = self._visible(ctx.tx, viewer, wanted)
            looking = looking_of(self.rights, viewer, asking)
            fresh = [one for one in found if not known.get(one, NO_LOOK).noted(ctx.now)] if looking else []
            return found, known, looking, fresh

        found, known, looking, fresh = await self.look(viewer, read)
        while looking is not None and fresh:
            await self.change(viewer, partial(note_looks, numbers=fresh[:AT_ONCE], looking=looking))
            fresh = fresh[AT_ONCE:]
        for number in wanted:
            if number in found:
                self.note_seen(viewer, number, asking, known.get(number, NO_LOOK))
            else:
                self.note_denied(viewer, asking, Code.CASE_NOT_FOUND, number)
        return [found.get(number) for number in numbers]

    def visible(self, tx: Tx, viewer: Viewer, numbers: Sequence[str]) -> dict[str, Case]:
        """Those of these cases that the viewer may see, as the viewer sees them.

        Of a case that is not the viewer's nothing is read: neither the answer nor the time it takes tells it from one
        that does not exist (PD-15).
        """
        return self._visible(tx, viewer, numbers)[0]

    def _visible(self, tx: Tx, viewer: Viewer, numbers: Sequence[str]) -> tuple[dict[str, Case], dict[str, Look]]:
        found = cases.load(tx, numbers, self.within(viewer))
        role = self.rights.roles[viewer.role]
        known = looks.of(tx, viewer.subject, found) if role.purpose or role.on_reason else {}
        shown = {number: self.show(viewer, case, known.get(number, NO_LOOK)) for number, case in found.items()}
        return {number: case for number, case in shown.items() if case is not None}, known

    def within(self, viewer: Viewer) -> CaseFilter:
        """What every search of this viewer is confined to."""
        role = self.rights.roles[viewer.role]
        return CaseFilter(
            areas=None if role.cases == "FAMILY" else prefixes(viewer),
            subject=viewer.subject if role.cases == "FAMILY" else None,
            department=viewer.department if role.cases == "DEPARTMENT" else None,
            pushed_only=role.cases == "DEPARTMENT",
        )

    def show(self, viewer: Viewer, case: Case, look: Look = NO_LOOK) -> Case | None:
        """A case as this viewer sees it."""
        policy = self.book.version(case.jurisdiction, case.policy_version)
        return see(self.rights, viewer, policy, case, look.shows(self.clock.now()))

    # ── the access record ───────────────────────────────────────────────────────────────────────────────

    def note_seen(
        self, viewer: Viewer, number: str, asking: Asking, look: Look = NO_LOOK, persons: Sequence[str] = ()
    ) -> None:
        """What was shown of a case or a shared record; ``persons``: ID numbers asked for where neither is named."""
        lifted = look.shows(self.clock.now()) & asking.fields
        reason = look.reason if lifted else self.rights.roles[viewer.role].purpose
        about = tuple(self.database.seal.pseudonym("person", canonical(one)) for one in persons)
        event = Seen(asking.operation, tuple(sorted(asking.fields)), reason, self._origin(viewer, asking), about=about)
        self.journal.access(number, self.clock.now(), actor_of(viewer), event)

    def note_denied(self, viewer: Viewer | None, asking: Asking, code: Code, asked: str | None = None) -> None:
        """What was refused.  Nobody known does not fill the database: it is logged."""
        if viewer is None or viewer.role not in self.rights.roles:
            access_log.warning("refused to nobody known", extra={"operation": asking.operation, "code": code.value})
            return
        event = Denied(asking.operation, code.value, asked and asked[:64], self._origin(viewer, asking))
        self.journal.access(NO_CASE, self.clock.now(), actor_of(viewer), event)

    def note_incident(self, id: str, operation: str, error: Exception) -> None:
        """What nobody expected, for support to look up by the number its caller was told."""
        kind = type(error).__name__[:128]
        self.journal.incident(Incident(id, self.clock.now(), operation, kind, places(error)))

    async def write_journal(self) -> None:
        """Writes what has gathered; called several times a second, and once more before the process ends."""
        page = self.journal.take()
        if page is None:
            return
        try:
            await self.change(None, page.write)
        except Exception:
            self.journal.give_back(page)
            raise

    def _origin(self, viewer: Viewer, asking: Asking) -> str | None:
        if asking.origin is None or self.rights.roles[viewer.role].origin == "PLAIN":
            return asking.origin
        return "#" + self.database.seal.pseudonym("origin", asking.origin)[:16]

    def context(self, tx: Tx, viewer: Viewer | None) -> Ctx:
        actor = actor_of(viewer) if viewer else SYSTEM
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
