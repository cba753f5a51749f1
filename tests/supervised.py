"""Supervision in tests: periods an owner might set, a sweep, and what it told."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.domain.alerts import Alert, AlertKind
from gateway.policy.book import PolicyBook
from gateway.policy.model import Jurisdiction, Supervision
from gateway.services import reminders
from gateway.store.cases import Actor
from tests.builders import World, book, huzhou

GATEWAY = Actor("gateway", "gateway")


def supervised(policy: Jurisdiction | None = None, **set_: Any) -> PolicyBook:
    """A policy, Huzhou's by default, with periods of its owner.

    ``remind_before=1`` is one working day, ``(4, "HOURS")`` four hours.
    """
    plain: dict[str, Any] = {"source": "HZ-903"}
    for key in ("remind_before", "escalate_after", "follow_up_after"):
        amount, unit = set_[key] if isinstance(set_.get(key), tuple) else (set_.get(key), "WORKING_DAYS")
        plain[key] = {"amount": amount, "unit": unit}
    policy = policy or huzhou()
    others = [other for other in book().jurisdictions if other.code != policy.code]
    changed = policy.model_copy(update={"supervision": Supervision.model_validate(plain)})
    return PolicyBook((*others, changed), book().catalogue, book().calendars)


def sweep(world: World) -> int:
    async def look(call: Any) -> Any:
        with world.database.read() as tx:
            return call(world.ctx(tx, GATEWAY))

    async def run(call: Any) -> Any:
        with world.acting(GATEWAY) as ctx:
            return call(ctx)

    return asyncio.run(reminders.sweep(look, run))


def told(world: World, kind: AlertKind) -> list[Alert]:
    return [alert for alert in world.case().alerts.values() if alert.kind is kind]


def about(alerts: list[Alert]) -> set[tuple[str | None, str]]:
    return {(alert.item, alert.clock or alert.cause) for alert in alerts}


def worklist(world: World, **wanted: Any) -> list[str]:
    """Keys of the alerts."""
    with world.database.read() as tx:
        rows, total = reminders.worklist(world.ctx(tx), reminders.Wanted(**wanted), None, 100)
    assert total == len(rows)
    return [key for _, _, key in rows]
