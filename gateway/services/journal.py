"""What is written beside the work: accesses and incidents, gathered here and written together (decision 0015).

A reader does not wait for it.  The same person who reads the same again before it is written makes one entry that
counts.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.domain.events.access import AccessEvent
from gateway.services.context import Ctx
from gateway.store import accesses, incidents
from gateway.store.accesses import Access
from gateway.store.cases import Actor
from gateway.store.incidents import Incident

log = logging.getLogger("shenhou.access")
FLUSH_S = 0.25
"""Seconds between two writings: what a gateway that is killed may lose."""
MOST = 20_000
"""Entries that wait at most, while the database is away."""
Key = tuple[str, Actor, AccessEvent]


@dataclass(frozen=True, slots=True)
class Page:
    """What is written in one transaction."""

    accesses: tuple[Access, ...]
    incidents: tuple[Incident, ...]

    def write(self, ctx: Ctx) -> None:
        if self.accesses:
            accesses.append(ctx.tx, self.accesses)
        if self.incidents:
            incidents.put(ctx.tx, self.incidents, ctx.now)


@dataclass(slots=True)
class Journal:
    """Gathers from every thread."""

    _seen: dict[Key, tuple[datetime, int]] = field(default_factory=dict)
    _incidents: list[Incident] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def access(self, number: str, at: datetime, actor: Actor, event: AccessEvent) -> None:
        """``number``: of a case or a shared record; ``accesses.NO_CASE`` where none was shown."""
        with self._lock:
            self._count((number, actor, event), at, event.times)

    def incident(self, incident: Incident) -> None:
        with self._lock:
            if len(self._incidents) < MOST:
                self._incidents.append(incident)

    def take(self) -> Page | None:
        """What has gathered; it is the caller's to write.  None: nothing."""
        with self._lock:
            seen, found = self._seen, self._incidents
            self._seen, self._incidents = {}, []
        if not seen and not found:
            return None
        counted = (
            Access(number, at, actor, replace(event, times=times))
            for (number, actor, event), (at, times) in seen.items()
        )
        return Page(tuple(counted), tuple(found))

    def give_back(self, page: Page) -> None:
        """What could not be written is tried again with the next."""
        with self._lock:
            for access in page.accesses:
                event = replace(access.event, times=1)
                self._count((access.number, access.actor, event), access.at, access.event.times)
            self._incidents = [*page.incidents, *self._incidents][:MOST]

    def _count(self, key: Key, at: datetime, times: int) -> None:
        known = self._seen.get(key)
        if known is not None:
            self._seen[key] = (min(known[0], at), known[1] + times)
        elif len(self._seen) < MOST:
            self._seen[key] = (at, times)
        else:
            log.error("the access record cannot be written, and no more fits in memory")
