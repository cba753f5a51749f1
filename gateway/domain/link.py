"""The link to a department's system: a circuit breaker (熔断), and the pauses people order.

While a link is down nothing is sent; what is to be sent waits without using up its attempts.  From time to time
one application goes out as a probe.  When it arrives, the link is up and everything that waited flows again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class LinkState(StrEnum):
    """对接状态."""

    UP = "UP"
    """正常."""
    DOWN = "DOWN"
    """熔断: nothing is sent until a probe arrives."""
    PROBING = "PROBING"
    """试探恢复: one application is on its way to find out."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """When a link counts as down.  ``probes_s``: pauses before the probes, in seconds; the last one repeats."""

    failures: int = 5
    """Calls without a usable answer, one after the other."""
    rejections: int = 10
    """Applications rejected one after the other: so many at once are the department's fault, not theirs."""
    probes_s: Sequence[float] = (5, 15, 30, 60, 120, 300)
    probe_limit_s: float = 120
    """A probe that nobody has heard of for so long is given up for another."""


@dataclass(frozen=True, slots=True)
class Link:
    """One system as all gateways see it; ``code``: of the department, or of the hub in front of it."""

    code: str
    state: LinkState = LinkState.UP
    since: datetime | None = None
    """Since when it has its state; None: always."""
    failures: int = 0
    rejections: int = 0
    probes: int = 0
    """Probes that failed since it is down."""
    probe_at: datetime | None = None
    probe_key: str | None = None
    error: str | None = None
    """What the last failed call said; never personal data."""
    paused_until: datetime | None = None
    pause_reason: str | None = None
    parked_at: datetime | None = None
    """When something was last kept back; None: nothing waits for this link alone."""

    def open_to(self, key: str, now: datetime) -> bool:
        """Whether the application or instruction under this key may be sent now."""
        if self.paused(now):
            return False
        return self.state is LinkState.UP or (self.state is LinkState.PROBING and self.probe_key == key)

    def paused(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until

    def succeeded(self, now: datetime) -> Link:
        """A call got a usable answer."""
        if self.state is LinkState.UP:
            return replace(self, failures=0, rejections=0, error=None)
        return replace(
            self,
            state=LinkState.UP,
            since=now,
            failures=0,
            rejections=0,
            probes=0,
            probe_at=None,
            probe_key=None,
            error=None,
        )

    def failed(self, now: datetime, error: str, rejected: bool, breaker: Breaker) -> Link:
        """A call got no usable answer, or (``rejected``) a business fault."""
        counted = replace(
            self,
            failures=self.failures + (not rejected),
            rejections=self.rejections + rejected,
            error=error,
        )
        if self.state is LinkState.PROBING:
            return counted._down(self.since or now, now, self.probes + 1, breaker)
        if self.state is LinkState.UP and (
            counted.failures >= breaker.failures or counted.rejections >= breaker.rejections
        ):
            return counted._down(now, now, 0, breaker)
        return counted

    def probing(self, key: str, now: datetime) -> Link:
        """What stands under this key goes out to find out."""
        return replace(self, state=LinkState.PROBING, probe_key=key, probe_at=now)

    def probe_due(self, now: datetime, breaker: Breaker) -> bool:
        """Whether a (further) probe is to go out."""
        if self.state is LinkState.UP or self.paused(now) or self.probe_at is None:
            return False
        patience = breaker.probe_limit_s if self.state is LinkState.PROBING else 0.0
        return now >= self.probe_at + timedelta(seconds=patience)

    def _down(self, since: datetime, now: datetime, probes: int, breaker: Breaker) -> Link:
        pause = breaker.probes_s[min(probes, len(breaker.probes_s) - 1)]
        return replace(
            self,
            state=LinkState.DOWN,
            since=since,
            probes=probes,
            probe_key=None,
            probe_at=now + timedelta(seconds=pause),
        )


@dataclass(frozen=True, slots=True)
class Window:
    """A regular time in which a system is not to be called (维护窗口), in its own local time."""

    days: frozenset[int]
    """Weekdays on which it begins, Monday is 0."""
    begins: time
    ends: time
    """Not later than ``begins``: on the following day."""
    zone: tzinfo

    @classmethod
    def read(cls, text: str, zone: tzinfo) -> Window:
        """``"daily 23:30-01:00"`` or ``"Sat,Sun 02:00-06:00"``.  Raises ValueError."""
        days, _, hours = text.strip().partition(" ")
        begins, _, ends = hours.partition("-")
        names = _DAYS if days == "daily" else tuple(days.split(","))
        return cls(
            frozenset(_DAYS.index(name) for name in names),
            time.fromisoformat(begins.strip()),
            time.fromisoformat(ends.strip()),
            zone,
        )

    def covers(self, moment: datetime) -> bool:
        local = moment.astimezone(self.zone)
        today, at = local.weekday(), local.time()
        if self.begins < self.ends:
            return today in self.days and self.begins <= at < self.ends
        return (today in self.days and at >= self.begins) or ((today - 1) % 7 in self.days and at < self.ends)
