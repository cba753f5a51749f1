"""Case = fold of its events.  The only place where a case changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from gateway.domain import events as e
from gateway.domain.case import Case
from gateway.domain.fold import alerts, items, materials, money, reversals
from gateway.domain.fold import case as case_
from gateway.domain.states import CASE


def fold(entries: Iterable[tuple[datetime, e.Event]]) -> Case:
    """The case after all its entries.  The first must be ``CaseOpened``."""
    case: Case | None = None
    for at, event in entries:
        case = apply(case, event, at)
    if case is None:
        raise ValueError("a ledger without entries is no case")
    return case


def apply(case: Case | None, event: e.Event, at: datetime) -> Case:
    """One step.  Raises ``IllegalTransition`` for what the state machines do not allow."""
    if isinstance(event, e.CaseOpened):
        return _opened(event, at)
    if case is None:
        raise ValueError("the first entry of a ledger must open the case")
    _FOLDS[type(event)](case, event, at)
    alerts.answer(case, at)
    case.revision += 1
    return case


def _opened(event: e.CaseOpened, at: datetime) -> Case:
    return Case(
        number=event.number,
        jurisdiction=event.jurisdiction,
        policy_version=event.policy_version,
        status=CASE.initial,
        flow=event.flow,
        area=event.area,
        channel=event.channel,
        opened_at=at,
        opened_by=event.opened_by,
        deceased=event.deceased,
        death=event.death,
        revision=1,
        first_asked=event.first_asked,
    )


_FOLDS: dict[type, Callable[[Case, Any, datetime], None]] = {
    e.Reported: case_.reported,
    e.Evaluated: items.evaluated,
    e.Pushed: items.pushed,
    e.Delivered: items.delivered,
    e.DeliveryFailed: items.delivery_failed,
    e.DeliveryRedriven: items.redriven,
    e.DeliveryLost: items.lost,
    e.Accepted: items.accepted,
    e.CorrectionRequested: items.correction_requested,
    e.CorrectionAnswered: items.correction_answered,
    e.Completed: items.completed,
    e.ItemRefused: items.refused,
    e.RuledOut: items.ruled_out,
    e.CertificateIssued: items.certificate,
    e.FlowChanged: case_.flow_changed,
    e.Identified: case_.identified,
    e.AccountGiven: case_.account_given,
    e.PayoutApproved: money.approved,
    e.PayoutHeld: money.held,
    e.PayoutInstructed: money.instructed,
    e.InstructionDelivered: money.instruction_delivered,
    e.InstructionFailed: money.instruction_failed,
    e.InstructionRedriven: money.instruction_redriven,
    e.PayoutPaid: money.paid,
    e.PayoutReturned: money.returned,
    e.WriteBackRefused: case_.nothing,
    e.JoinRequested: case_.join_requested,
    e.JoinAnswered: case_.join_answered,
    e.Noted: case_.nothing,
    e.Found: items.found,
    e.FormCorrected: case_.corrected,
    e.Amended: items.amended,
    e.Withdrawn: items.withdrawn,
    e.Revoked: case_.revoked,
    e.ReversalRequested: reversals.requested,
    e.ReversalDelivered: reversals.delivered,
    e.ReversalFailed: reversals.failed,
    e.ReversalRedriven: reversals.redriven,
    e.ReversalAnswered: reversals.answered,
    e.RevocationFinished: case_.revocation_finished,
    e.PayoutDeducted: money.deducted,
    e.PayoutOffset: money.offset,
    e.PayoutCancelled: money.cancelled,
    e.IdentityVerified: case_.verified,
    e.Rated: case_.rated,
    e.Reopened: case_.reopened,
    e.Closed: case_.closed,
    e.Reminded: alerts.recorded,
    e.Overdue: alerts.recorded,
    e.Escalated: alerts.recorded,
    e.MaterialAttached: materials.attached,
    e.MaterialScanned: materials.scanned,
    e.Looked: case_.nothing,
    e.Revealed: case_.nothing,
}
