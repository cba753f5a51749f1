"""The way of one push."""

from __future__ import annotations

from datetime import datetime

from gateway.domain.case import Delivery, DeliveryState


def deliver(delivery: Delivery, at: datetime) -> None:
    delivery.state, delivery.delivered_at = DeliveryState.DELIVERED, at
    delivery.attempts += 1
    delivery.next_attempt_at = delivery.failing_since = delivery.last_error = None


def fail(delivery: Delivery, error: str, next_attempt_at: datetime | None, at: datetime) -> None:
    delivery.attempts += 1
    delivery.last_error, delivery.next_attempt_at = error, next_attempt_at
    delivery.failing_since = delivery.failing_since or at
    if next_attempt_at is None:
        delivery.state = DeliveryState.FAILED


def drive(delivery: Delivery, at: datetime) -> None:
    delivery.state, delivery.attempts, delivery.next_attempt_at = DeliveryState.PENDING, 0, at
