"""Veterans affairs' system: a ticket for everything sent, records by serial after the department's batch run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.kit.http import HttpChannel
from gateway.domain.department import (
    Application,
    Callback,
    Department,
    DepartmentRejected,
    Outcome,
    PaymentInstruction,
    Receipt,
    Record,
)

from . import codes, wire

JSON = "application/json; charset=utf-8"
MAX_KEYS = 500
"""Serials in one query."""


class VeteransAffairs:
    """A submitted application is absent from ``read_many`` until the batch run has taken it in."""

    def __init__(self, channel: HttpChannel) -> None:
        self._channel = channel

    async def submit(self, application: Application) -> Receipt:
        body = await self._channel.post("/yf/apply", wire.registration(application), JSON)
        return Receipt(Outcome.RECEIVED, wire.ticket(body), codes.ACCEPTED)

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(keys), MAX_KEYS):
            asked = wire.query(list(keys[start : start + MAX_KEYS]))
            found |= wire.records(await self._channel.post("/yf/query", asked, JSON))
        return {key: found[key] for key in keys if key in found}

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        body = await self._channel.post("/yf/account", wire.payment_order(instruction), JSON)
        return Receipt(Outcome.RECEIVED, wire.ticket(body), codes.ACCEPTED)

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        raise DepartmentRejected("veterans affairs does not send messages")

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return b"", "text/plain"

    async def close(self) -> None:
        await self._channel.close()


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Department:
    """``address``: ``http://host:port``.  The department asks for no credentials inside the government network."""
    return VeteransAffairs(HttpChannel(address, timeout_s))
