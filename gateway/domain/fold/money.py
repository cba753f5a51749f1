"""Sums of money."""

from __future__ import annotations

from datetime import datetime

from gateway.domain import events as e
from gateway.domain.case import Case, Delivery, DeliveryState, Payout
from gateway.domain.fold.delivery import deliver, drive, fail
from gateway.domain.states import PAYOUT


def approved(case: Case, event: e.PayoutApproved, at: datetime) -> None:
    case.payouts[event.payout] = Payout(
        id=event.payout,
        item=event.slug,
        serial=event.serial,
        kind=event.kind,
        fen=event.fen,
        status=PAYOUT.initial,
        approved_at=at,
    )


def held(case: Case, event: e.PayoutHeld, at: datetime) -> None:
    payout = case.payouts[event.payout]
    payout.status = PAYOUT.next(payout.status, "held")
    payout.hold = event.reason


def instructed(case: Case, event: e.PayoutInstructed, at: datetime) -> None:
    payout = case.payouts[event.payout]
    payout.status = PAYOUT.next(payout.status, "instructed")
    payout.account = event.account or payout.account
    payout.instructed_at, payout.hold = at, None
    if event.outward:
        payout.delivery = Delivery(DeliveryState.PENDING, next_attempt_at=at)


def instruction_delivered(case: Case, event: e.InstructionDelivered, at: datetime) -> None:
    deliver(case.payouts[event.payout].delivery, at)


def instruction_failed(case: Case, event: e.InstructionFailed, at: datetime) -> None:
    fail(case.payouts[event.payout].delivery, event.error, event.next_attempt_at, at)


def instruction_redriven(case: Case, event: e.InstructionRedriven, at: datetime) -> None:
    drive(case.payouts[event.payout].delivery, at)


def paid(case: Case, event: e.PayoutPaid, at: datetime) -> None:
    payout = case.payouts[event.payout]
    payout.status = PAYOUT.next(payout.status, "paid")
    payout.paid_at, payout.hold = event.paid_at, None


def returned(case: Case, event: e.PayoutReturned, at: datetime) -> None:
    payout = case.payouts[event.payout]
    payout.status = PAYOUT.next(payout.status, "returned")
    payout.returned_at, payout.return_reason, payout.paid_at = event.returned_at, event.reason, None


def deducted(case: Case, event: e.PayoutDeducted, at: datetime) -> None:
    payout = case.payouts[event.payout]
    payout.deduction, payout.deduction_of = event.fen, event.item


def offset(case: Case, event: e.PayoutOffset, at: datetime) -> None:
    payout = case.payouts[event.payout]
    payout.status, payout.hold = PAYOUT.next(payout.status, "offset"), None


def cancelled(case: Case, event: e.PayoutCancelled, at: datetime) -> None:
    payout = case.payouts[event.payout]
    payout.status, payout.hold = PAYOUT.next(payout.status, "cancelled"), None
