"""What supervision has to record of a case, and when: limits that near or passed, and what waits for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from gateway.domain import events as e
from gateway.domain.alerts import Alert, Cause, Standing, runs, standing
from gateway.domain.calendar import Calendar, CalendarMissing
from gateway.domain.case import Case, Payout
from gateway.domain.deadlines import ClockKind, Deadline, DeadlineState, LimitUnit
from gateway.domain.fold.alerts import alert_of
from gateway.domain.messages import Code, Reason
from gateway.domain.states import ITEM
from gateway.policy.book import PolicyBook
from gateway.policy.decide.clocks import deadlines
from gateway.policy.decide.gates import gates
from gateway.policy.model import ItemDefinition, Jurisdiction, Period

CLOCKS = {ClockKind.PROCESSING: ("办理时限", "processing limit"), ClockKind.PAYOUT: ("发放时限", "payout limit")}
LOOK_AGAIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Coming:
    """``event`` is to be recorded once ``at`` is past; None: only then can it be told."""

    at: datetime
    event: e.Reminded | e.Overdue | e.Escalated | None = None


def coming(book: PolicyBook, policy: Jurisdiction, calendar: Calendar, case: Case, now: datetime) -> list[Coming]:
    """Everything that is not recorded yet, and comes if nothing else happens, in the order of time."""
    told = {_what(alert.reason) for alert in case.alerts.values() if _prerequisite_open(alert)}
    found = []
    every = (*_limits(book, policy, calendar, case, now), *_persons(book, policy, calendar, case, now))
    for one in sorted(every, key=lambda one: one.at):
        if one.event is None:
            found.append(one)
            continue
        alert = alert_of(one.event, now)
        # Many items may wait for one thing: it is told once.
        again = alert.cause is Cause.PREREQUISITE and _what(alert.reason) in told
        if alert.key not in case.alerts and not again:
            told |= {_what(alert.reason)} if alert.cause is Cause.PREREQUISITE else set()
            found.append(one)
    return found


def _prerequisite_open(alert: Alert) -> bool:
    return alert.cause is Cause.PREREQUISITE and alert.answered_at is None


def _what(reason: Reason) -> tuple[str, frozenset[tuple[str, str]]]:
    return reason.code, frozenset(reason.facts.items())


# ── limits ──────────────────────────────────────────────────────────────────────────────────────────────


def _limits(book: PolicyBook, policy: Jurisdiction, calendar: Calendar, case: Case, now: datetime) -> Iterator[Coming]:
    for slug, item in case.items.items():
        if not runs(case, slug, ClockKind.PAYOUT):
            continue  # money is the last thing that runs
        for deadline in deadlines(policy, calendar, case, item, now):
            if deadline.state in (DeadlineState.RUNNING, DeadlineState.OVERDUE):
                yield from _limit(book, policy, calendar, slug, deadline, now)


def _limit(
    book: PolicyBook, policy: Jurisdiction, calendar: Calendar, slug: str, deadline: Deadline, now: datetime
) -> Iterator[Coming]:
    clock, due, began = deadline.limit.clock, deadline.due_at, deadline.started_at
    assert due is not None and began is not None, "a clock that runs has both"
    rule, passed = policy.supervision, _about(book, policy, calendar, slug, deadline, Code.OVERDUE)
    if rule is not None and now <= due:
        before = _earlier(calendar, due, rule.remind_before)
        if before is not None:
            near = _about(book, policy, calendar, slug, deadline, Code.LIMIT_NEAR)
            yield Coming(max(before, began), e.Reminded(slug, clock, due, near))
    yield Coming(due, e.Overdue(slug, clock, due, passed))
    if rule is not None:
        escalated = e.Escalated(slug, Cause.LIMIT, due, passed, clock)
        yield from _later(calendar, due, rule.escalate_after, now, lambda: escalated)


def _about(
    book: PolicyBook, policy: Jurisdiction, calendar: Calendar, slug: str, deadline: Deadline, code: Code
) -> Reason:
    zh, en = CLOCKS[deadline.limit.clock]
    facts = {"department": _department(book, policy, policy.item(slug)), "clock": zh, "clock_en": en}
    assert deadline.due_at is not None
    return Reason(code, (deadline.limit.source,), {**facts, "due": _due(calendar, deadline.due_at)})


def _due(calendar: Calendar, due_at: datetime) -> str:
    """24:00 of the last day, not 00:00 of the one after."""
    there = due_at.astimezone(calendar.zone)
    if there.time() == time():
        return f"{there - timedelta(days=1):%Y-%m-%d} 24:00"
    return f"{there:%Y-%m-%d %H:%M}"


# ── what waits for a person ─────────────────────────────────────────────────────────────────────────────


def _persons(book: PolicyBook, policy: Jurisdiction, calendar: Calendar, case: Case, now: datetime) -> Iterator[Coming]:
    for found in standing(case):
        definition = policy.item(found.item) if found.item is not None else None
        payout = case.payouts[found.payout] if found.payout is not None else None
        tell = _Teller(book, policy, case, found, definition, payout)
        unset = definition is not None and definition.department is None and definition.handler == "SYSTEM"
        if found.cause in (Cause.CORRECTION, Cause.REPORT) or (found.cause is Cause.PREREQUISITE and not unset):
            if policy.supervision is not None:
                yield from _later(calendar, found.since, policy.supervision.follow_up_after, now, tell)
        elif (event := tell()) is not None:
            # Times of a bank may lie ahead; the sum is the gateway's own.
            yield Coming(payout.approved_at if payout is not None else found.since, event)


@dataclass(frozen=True, slots=True)
class _Teller:
    book: PolicyBook
    policy: Jurisdiction
    case: Case
    found: Standing
    definition: ItemDefinition | None
    payout: Payout | None

    def __call__(self) -> e.Escalated | None:
        reason = self._reason()
        if reason is None:
            return None
        return e.Escalated(self.found.item, self.found.cause, self.found.since, reason, payout=self.found.payout)

    def _reason(self) -> Reason | None:
        words = {"department": _department(self.book, self.policy, self.definition)}
        ids = (self.definition.source,) if self.definition is not None else ()
        cause, payout = self.found.cause, self.payout
        if cause is Cause.DELIVERY:
            return Reason(Code.DELIVERY_GIVEN_UP, ("PD-16",), words)
        if cause is Cause.HOLD and payout is not None and payout.hold is not None:
            return Reason(Code.PAYOUT_HELD, payout.hold.ids, {"detail": payout.hold.zh()})
        if cause is Cause.RETURN and payout is not None:
            return Reason(Code.PAYOUT_RETURNED, ids, {"detail": payout.return_reason or ""})
        if cause is Cause.REPORT:
            flow = self.policy.flow(self.case.flow)
            return Reason(Code.WAITS_FOR_REPORT, (flow.source,) if flow is not None else ())
        item = self.case.items[self.found.item or ""]
        if cause is Cause.REVERSAL and item.reversal is not None:
            return Reason(Code.REVERSAL_REFUSED, ids, {**words, "detail": item.reversal.outcome or ""})
        if cause is Cause.CORRECTION:
            detail = "；".join(filter(None, (item.outcome, "、".join(item.missing))))
            return Reason(Code.WAITS_FOR_FAMILY, ids, {"detail": detail})
        return self._prerequisite()

    def _prerequisite(self) -> Reason | None:
        """The first thing an item waits for that nobody is at work on."""
        assert self.definition is not None
        for gate in gates(self.book, self.policy, self.case, self.definition):
            if gate.reason.code is Code.WAITS_FOR_ALL_ITEMS:
                continue
            if not any(self._at_work(item, gate.refers_to) for item in self.policy.items):
                return gate.reason
        return None

    def _at_work(self, item: ItemDefinition, awaited: str | None) -> bool:
        """Whether somebody has, or will have, this item: it is the one awaited, or issues what is."""
        there = self.case.items.get(item.slug)
        if there is None or there.status in ITEM.final or awaited is None:
            return False
        return awaited == item.slug or awaited in item.issues


def _department(book: PolicyBook, policy: Jurisdiction, definition: ItemDefinition | None) -> str:
    code = definition.department if definition is not None else None
    return book.word("departments", code).name if code else policy.duty_contact


# ── periods ─────────────────────────────────────────────────────────────────────────────────────────────


def _earlier(calendar: Calendar, due: datetime, period: Period) -> datetime | None:
    """None: no number is set, or it begins in a year that is not loaded."""
    if period.amount is None:
        return None
    if period.unit is LimitUnit.HOURS:
        return due - timedelta(hours=period.amount)
    try:
        return calendar.before(due, period.amount)
    except CalendarMissing:
        return None


def _later(
    calendar: Calendar,
    since: datetime,
    period: Period,
    now: datetime,
    event: Callable[[], e.Escalated | None],
) -> Iterator[Coming]:
    """What is recorded when a period has passed; nothing without a number."""
    if period.amount is None:
        return
    try:
        hours = period.unit is LimitUnit.HOURS
        at = since + timedelta(hours=period.amount) if hours else calendar.after(since, period.amount)
    except CalendarMissing as missing:
        yield Coming(_when_published(calendar, missing.year, now))
        return
    if (found := event()) is not None:
        yield Coming(at, found)


def _when_published(calendar: Calendar, year: int, now: datetime) -> datetime:
    """No date is guessed (PD-01): it is asked again, at the latest when that year begins."""
    return max(datetime(year, 1, 1, tzinfo=calendar.zone), now + LOOK_AGAIN)
