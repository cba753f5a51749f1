"""Case = fold of its events.  The only place where a case changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.domain import events as e
from gateway.domain.case import (
    Applicability,
    Case,
    Delivery,
    DeliveryState,
    IssuedCertificate,
    Item,
    JoinRequest,
    Payout,
)
from gateway.domain.states import CASE, ITEM, PAYOUT, CaseStatus, ItemStatus, PayoutStatus


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
    )


def _reported(case: Case, event: e.Reported, at: datetime) -> None:
    case.status = CASE.next(case.status, "reported")
    case.form, case.reported_at, case.family = event.form, at, event.family
    case.channel = event.form.channel
    case.death = event.form.death
    if event.form.deceased.identified or not case.deceased.identified:
        case.deceased = event.form.deceased


def _evaluated(case: Case, event: e.Evaluated, at: datetime) -> None:
    for verdict in event.verdicts:
        item = case.items.get(verdict.slug)
        applies = verdict.applicability is not Applicability.DOES_NOT_APPLY
        if item is None:
            status = ITEM.initial if applies else ItemStatus.NOT_APPLICABLE
            case.items[verdict.slug] = Item(
                slug=verdict.slug,
                status=status,
                applicability=verdict.applicability,
                reason=verdict.reason,
                since=at,
                chosen=verdict.chosen,
                business_types=verdict.business_types,
                finished_at=None if applies else at,
            )
            continue
        if applies and item.status is ItemStatus.NOT_APPLICABLE:
            _move(item, "ruled_in", at)
            item.finished_at = None
        elif not applies and item.status is not ItemStatus.NOT_APPLICABLE:
            _move(item, "ruled_out", at)
        item.applicability, item.reason = verdict.applicability, verdict.reason
        item.chosen, item.business_types = verdict.chosen, verdict.business_types


def _pushed(case: Case, event: e.Pushed, at: datetime) -> None:
    for slug in event.slugs:
        item = case.items[slug]
        _move(item, "pushed", at)
        item.pushed_at = at
        if slug in event.outward:
            item.delivery = Delivery(DeliveryState.PENDING, next_attempt_at=at)


def _delivered(case: Case, event: e.Delivered, at: datetime) -> None:
    item = case.items[event.slug]
    item.reference = event.reference or item.reference
    _deliver(item.delivery, at)


def _delivery_failed(case: Case, event: e.DeliveryFailed, at: datetime) -> None:
    _fail(case.items[event.slug].delivery, event.error, event.next_attempt_at, at)


def _redriven(case: Case, event: e.DeliveryRedriven, at: datetime) -> None:
    delivery = case.items[event.slug].delivery
    delivery.state, delivery.attempts, delivery.next_attempt_at = DeliveryState.PENDING, 0, at


def _accepted(case: Case, event: e.Accepted, at: datetime) -> None:
    item = case.items[event.slug]
    _move(item, "accepted", at)
    item.accepted_at = at
    item.reference = event.reference or item.reference
    item.missing = ()


def _correction_requested(case: Case, event: e.CorrectionRequested, at: datetime) -> None:
    item = case.items[event.slug]
    _move(item, "correction_requested", at)
    item.outcome, item.missing = event.reason, event.missing


def _correction_answered(case: Case, event: e.CorrectionAnswered, at: datetime) -> None:
    item = case.items[event.slug]
    _move(item, "correction_answered", at)
    item.correction += 1
    item.correction_answer = event.answer
    if event.outward:
        item.delivery = Delivery(DeliveryState.PENDING, next_attempt_at=at)


def _completed(case: Case, event: e.Completed, at: datetime) -> None:
    item = case.items[event.slug]
    _move(item, "completed", at)
    item.reference = event.reference or item.reference
    item.effective, item.missing = event.effective, ()
    item.outcome = None
    item.details = {**item.details, **event.details}


def _refused(case: Case, event: e.ItemRefused, at: datetime) -> None:
    item = case.items[event.slug]
    _move(item, "refused", at)
    item.reference = event.reference or item.reference
    item.outcome = event.reason


def _ruled_out(case: Case, event: e.RuledOut, at: datetime) -> None:
    item = case.items[event.slug]
    _move(item, "ruled_out", at)
    item.applicability, item.reason = Applicability.DOES_NOT_APPLY, event.reason


def _certificate(case: Case, event: e.CertificateIssued, at: datetime) -> None:
    case.certificates.append(
        IssuedCertificate(event.certificate, event.number, event.issued_at, at, event.issuer, event.slug)
    )


def _flow_changed(case: Case, event: e.FlowChanged, at: datetime) -> None:
    case.flow = event.flow
    if case.form is not None:
        case.form = replace(case.form, flow=event.flow)


def _identified(case: Case, event: e.Identified, at: datetime) -> None:
    case.deceased = event.deceased
    if event.death_at is not None:
        case.death = replace(case.death, occurred_at=event.death_at)
    if case.form is not None:
        case.form = replace(case.form, deceased=event.deceased, death=case.death)


def _account_given(case: Case, event: e.AccountGiven, at: datetime) -> None:
    if case.form is not None:
        case.form = replace(case.form, account=event.account)


def _approved(case: Case, event: e.PayoutApproved, at: datetime) -> None:
    case.payouts[event.payout] = Payout(
        id=event.payout,
        item=event.slug,
        serial=event.serial,
        kind=event.kind,
        fen=event.fen,
        status=PAYOUT.initial,
        approved_at=at,
    )


def _held(case: Case, event: e.PayoutHeld, at: datetime) -> None:
    payout = case.payouts[event.payout]
    payout.status = PAYOUT.next(payout.status, "held")
    payout.hold = event.reason


def _instructed(case: Case, event: e.PayoutInstructed, at: datetime) -> None:
    payout = case.payouts[event.payout]
    payout.status = PAYOUT.next(payout.status, "instructed")
    payout.account = event.account or payout.account
    payout.instructed_at, payout.hold = at, None
    if event.outward:
        payout.delivery = Delivery(DeliveryState.PENDING, next_attempt_at=at)


def _instruction_delivered(case: Case, event: e.InstructionDelivered, at: datetime) -> None:
    _deliver(case.payouts[event.payout].delivery, at)


def _instruction_failed(case: Case, event: e.InstructionFailed, at: datetime) -> None:
    _fail(case.payouts[event.payout].delivery, event.error, event.next_attempt_at, at)


def _paid(case: Case, event: e.PayoutPaid, at: datetime) -> None:
    payout = case.payouts[event.payout]
    payout.status = PAYOUT.next(payout.status, "paid")
    payout.paid_at, payout.hold = event.paid_at, None


def _returned(case: Case, event: e.PayoutReturned, at: datetime) -> None:
    payout = case.payouts[event.payout]
    payout.status = PAYOUT.next(payout.status, "returned")
    payout.returned_at, payout.return_reason, payout.paid_at = event.returned_at, event.reason, None


def _join_requested(case: Case, event: e.JoinRequested, at: datetime) -> None:
    case.joins[event.request] = JoinRequest(event.request, event.name, event.relation, event.phone, event.subject, at)


def _join_answered(case: Case, event: e.JoinAnswered, at: datetime) -> None:
    asked = case.joins[event.request]
    case.joins[event.request] = replace(asked, accepted=event.accepted)
    if event.accepted:
        case.family = (*case.family, asked.subject)


def _closed(case: Case, event: e.Closed, at: datetime) -> None:
    case.status = CASE.next(case.status, "closed")
    case.closed_at = at


def _nothing(case: Case, event: Any, at: datetime) -> None:
    """Kept in the ledger; the state does not change."""


def _move(item: Item, event: str, at: datetime) -> None:
    item.status = ITEM.next(item.status, event)
    item.since = at
    if item.status in ITEM.final:
        item.finished_at = at


def _deliver(delivery: Delivery, at: datetime) -> None:
    delivery.state, delivery.delivered_at = DeliveryState.DELIVERED, at
    delivery.attempts += 1
    delivery.next_attempt_at = delivery.failing_since = delivery.last_error = None


def _fail(delivery: Delivery, error: str, next_attempt_at: datetime | None, at: datetime) -> None:
    delivery.attempts += 1
    delivery.last_error, delivery.next_attempt_at = error, next_attempt_at
    delivery.failing_since = delivery.failing_since or at
    if next_attempt_at is None:
        delivery.state = DeliveryState.FAILED


_FOLDS: dict[type, Callable[[Case, Any, datetime], None]] = {
    e.Reported: _reported,
    e.Evaluated: _evaluated,
    e.Pushed: _pushed,
    e.Delivered: _delivered,
    e.DeliveryFailed: _delivery_failed,
    e.DeliveryRedriven: _redriven,
    e.Accepted: _accepted,
    e.CorrectionRequested: _correction_requested,
    e.CorrectionAnswered: _correction_answered,
    e.Completed: _completed,
    e.ItemRefused: _refused,
    e.RuledOut: _ruled_out,
    e.CertificateIssued: _certificate,
    e.FlowChanged: _flow_changed,
    e.Identified: _identified,
    e.AccountGiven: _account_given,
    e.PayoutApproved: _approved,
    e.PayoutHeld: _held,
    e.PayoutInstructed: _instructed,
    e.InstructionDelivered: _instruction_delivered,
    e.InstructionFailed: _instruction_failed,
    e.PayoutPaid: _paid,
    e.PayoutReturned: _returned,
    e.WriteBackRefused: _nothing,
    e.JoinRequested: _join_requested,
    e.JoinAnswered: _join_answered,
    e.Noted: _nothing,
    e.Closed: _closed,
}

OPEN_CASE = frozenset({CaseStatus.AWAITING_REPORT, CaseStatus.IN_PROGRESS})
UNPAID = frozenset({PayoutStatus.APPROVED, PayoutStatus.HELD, PayoutStatus.INSTRUCTED, PayoutStatus.RETURNED})
