"""Undoing what departments were told."""

from __future__ import annotations

from datetime import datetime

from gateway.domain import events as e
from gateway.domain.case import Case, Delivery, DeliveryState, Reversal
from gateway.domain.fold.delivery import deliver, drive, fail
from gateway.domain.states import REVERSAL


def requested(case: Case, event: e.ReversalRequested, at: datetime) -> None:
    for slug in event.slugs:
        item = case.items[slug]
        pending = Delivery(DeliveryState.PENDING, next_attempt_at=at) if slug in event.outward else Delivery()
        item.reversal = Reversal(REVERSAL.initial, event.reason, at, pending)
        if item.delivery.state is DeliveryState.PENDING:
            item.delivery.state, item.delivery.next_attempt_at = DeliveryState.NONE, None


def delivered(case: Case, event: e.ReversalDelivered, at: datetime) -> None:
    reversal = _of(case, event.slug)
    reversal.reference = event.reference or reversal.reference
    deliver(reversal.delivery, at)


def failed(case: Case, event: e.ReversalFailed, at: datetime) -> None:
    fail(_of(case, event.slug).delivery, event.error, event.next_attempt_at, at)


def redriven(case: Case, event: e.ReversalRedriven, at: datetime) -> None:
    drive(_of(case, event.slug).delivery, at)


def answered(case: Case, event: e.ReversalAnswered, at: datetime) -> None:
    reversal = _of(case, event.slug)
    reversal.status = REVERSAL.next(reversal.status, event.outcome)
    reversal.since, reversal.outcome = at, event.reason or None
    reversal.reference = event.reference or reversal.reference
    reversal.finished_at = at if reversal.status in REVERSAL.final else None


def _of(case: Case, slug: str) -> Reversal:
    reversal = case.items[slug].reversal
    if reversal is None:
        raise ValueError("no reversal of this item was requested")
    return reversal
