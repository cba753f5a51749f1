"""Items, their certificates and their way into a department's system."""

from __future__ import annotations

from datetime import datetime

from gateway.domain import events as e
from gateway.domain.case import Applicability, Case, Delivery, DeliveryState, IssuedCertificate, Item
from gateway.domain.fold.delivery import deliver, drive, fail
from gateway.domain.states import ITEM, ItemStatus


def evaluated(case: Case, event: e.Evaluated, at: datetime) -> None:
    for verdict in event.verdicts:
        item = case.items.get(verdict.slug)
        applies = verdict.applicability is not Applicability.DOES_NOT_APPLY
        if item is None:
            status = ITEM.initial if applies else ItemStatus.REFUSED if verdict.refused else ItemStatus.NOT_APPLICABLE
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
        left_out = item.status in (ItemStatus.NOT_APPLICABLE, ItemStatus.REFUSED)
        if applies and left_out:
            move(item, "ruled_in", at)
            item.finished_at = item.outcome = None
        elif not applies and not left_out:
            move(item, "ruled_out", at)
        item.applicability, item.reason = verdict.applicability, verdict.reason
        item.chosen, item.business_types = verdict.chosen, verdict.business_types


def pushed(case: Case, event: e.Pushed, at: datetime) -> None:
    for slug in event.slugs:
        item = case.items[slug]
        move(item, "pushed", at)
        item.pushed_at = at
        if slug in event.outward:
            item.delivery = Delivery(DeliveryState.PENDING, next_attempt_at=at)


def delivered(case: Case, event: e.Delivered, at: datetime) -> None:
    item = case.items[event.slug]
    item.reference = event.reference or item.reference
    item.amending = False
    deliver(item.delivery, at)


def delivery_failed(case: Case, event: e.DeliveryFailed, at: datetime) -> None:
    fail(case.items[event.slug].delivery, event.error, event.next_attempt_at, at)


def redriven(case: Case, event: e.DeliveryRedriven, at: datetime) -> None:
    drive(case.items[event.slug].delivery, at)


def lost(case: Case, event: e.DeliveryLost, at: datetime) -> None:
    item = case.items[event.slug]
    fresh = Delivery(DeliveryState.PENDING, next_attempt_at=at)
    if event.reversal and item.reversal is not None:
        item.reversal.delivery = fresh
    else:
        item.delivery = fresh


def accepted(case: Case, event: e.Accepted, at: datetime) -> None:
    item = case.items[event.slug]
    move(item, "accepted", at)
    item.accepted_at = at
    item.reference = event.reference or item.reference
    item.missing = ()


def correction_requested(case: Case, event: e.CorrectionRequested, at: datetime) -> None:
    item = case.items[event.slug]
    move(item, "correction_requested", at)
    item.outcome, item.missing = event.reason, event.missing


def correction_answered(case: Case, event: e.CorrectionAnswered, at: datetime) -> None:
    item = case.items[event.slug]
    move(item, "correction_answered", at)
    item.correction += 1
    item.correction_answer = event.answer
    if event.outward:
        item.delivery = Delivery(DeliveryState.PENDING, next_attempt_at=at)


def completed(case: Case, event: e.Completed, at: datetime) -> None:
    item = case.items[event.slug]
    move(item, "completed", at)
    item.reference = event.reference or item.reference
    item.effective, item.missing = event.effective, ()
    item.outcome = None
    item.details = {**item.details, **event.details}


def refused(case: Case, event: e.ItemRefused, at: datetime) -> None:
    item = case.items[event.slug]
    move(item, "refused", at)
    item.reference = event.reference or item.reference
    item.outcome = event.reason


def ruled_out(case: Case, event: e.RuledOut, at: datetime) -> None:
    item = case.items[event.slug]
    move(item, "ruled_out", at)
    item.applicability, item.reason = Applicability.DOES_NOT_APPLY, event.reason


def certificate(case: Case, event: e.CertificateIssued, at: datetime) -> None:
    case.certificates.append(
        IssuedCertificate(event.certificate, event.number, event.issued_at, at, event.issuer, event.slug)
    )


def move(item: Item, event: str, at: datetime) -> None:
    item.status = ITEM.next(item.status, event)
    item.since = at
    if item.status in ITEM.final:
        item.finished_at = at


def found(case: Case, event: e.Found, at: datetime) -> None:
    item = case.items[event.slug]
    move(item, "found", at)
    item.found, item.reference, item.effective = True, event.reference or item.reference, event.effective
    item.finished_at = event.done_at or at


def amended(case: Case, event: e.Amended, at: datetime) -> None:
    item = case.items[event.slug]
    item.correction += 1
    item.correction_answer, item.amended_at = event.reason, at
    if event.outward:
        item.amending = True
        item.delivery = Delivery(DeliveryState.PENDING, next_attempt_at=at)


def withdrawn(case: Case, event: e.Withdrawn, at: datetime) -> None:
    item = case.items[event.slug]
    move(item, "withdrawn", at)
    item.outcome = event.reason
