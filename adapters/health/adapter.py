"""Health bureau: asks the death registry for certificates and reads what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from adapters.health import codes, wire
from adapters.kit.http import HttpChannel
from gateway.domain.department import (
    Application,
    Callback,
    Department,
    DepartmentRejected,
    PaymentInstruction,
    Receipt,
    Record,
)

PATH = "/swdj/trade"
JSON = "application/json;charset=UTF-8"
MOST = 500
"""Records the registry gives in one call."""


class Health:
    """人口死亡信息登记管理系统: one address, the transaction code in the head tells what is wanted."""

    def __init__(self, channel: HttpChannel) -> None:
        self.channel = channel

    async def submit(self, application: Application) -> Receipt:
        if application.item not in codes.BUSINESS:
            raise DepartmentRejected(f"health does not take {application.item}")
        return wire.receipt(await self._ask(wire.submission(application)))

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(keys), MOST):
            asked = keys[start : start + MOST]
            answer = wire.records(await self._ask(wire.enquiry(asked, datetime.now(UTC))))
            found |= {record.key: record for record in answer if record.key in asked}
        return found

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        raise DepartmentRejected("health pays nothing and takes no payment instruction")

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        return wire.notification(body)

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return wire.acknowledgement(error), JSON

    async def close(self) -> None:
        await self.channel.close()

    async def _ask(self, message: bytes) -> bytes:
        return await self.channel.post(PATH, message, JSON)


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Department:
    """The registry's network is closed: it asks for no credentials."""
    return Health(HttpChannel(address, timeout_s))
