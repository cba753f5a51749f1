"""What supervision recorded, and when it was answered."""

from __future__ import annotations

from datetime import datetime

from gateway.domain import events as e
from gateway.domain.alerts import Alert, AlertKind, Cause, stands
from gateway.domain.case import Case


def alert_of(event: e.Reminded | e.Overdue | e.Escalated, at: datetime) -> Alert:
    """The alert an event makes."""
    if isinstance(event, e.Escalated):
        kind, where = AlertKind.ESCALATED, (event.cause, event.slug, event.since)
        return Alert(kind, *where, event.reason, at, event.clock, event.payout)
    kind = AlertKind.REMINDED if isinstance(event, e.Reminded) else AlertKind.OVERDUE
    return Alert(kind, Cause.LIMIT, event.slug, event.due_at, event.reason, at, event.clock)


def recorded(case: Case, event: e.Reminded | e.Overdue | e.Escalated, at: datetime) -> None:
    alert = alert_of(event, at)
    case.alerts[alert.key] = alert


def answer(case: Case, at: datetime) -> None:
    """After every event: what no longer stands is answered; what stands again (a payment that came back) is open."""
    for alert in case.alerts.values():
        if stands(case, alert):
            alert.answered_at = None
        elif alert.answered_at is None:
            alert.answered_at = at
