"""Medical insurance: settles accounts, stops benefits, and says where the money goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from adapters.kit.http import HttpChannel
from adapters.medical_insurance import codes, wire
from gateway.domain.department import (
    Application,
    Callback,
    Department,
    DepartmentRejected,
    PaymentInstruction,
    Receipt,
    Record,
)

PATH = "/fsi/api"
JSON = "application/json;charset=utf-8"
MOST = 500
"""Records the platform gives in one call."""


class MedicalInsurance:
    """医疗保障信息平台: one address, ``infno`` tells what is wanted; ``secret``, if any, signs each message."""

    def __init__(self, channel: HttpChannel, secret: str | None) -> None:
        self.channel = channel
        self.secret = secret

    async def submit(self, application: Application) -> Receipt:
        if application.item not in codes.BUSINESS:
            raise DepartmentRejected(f"medical-insurance does not take {application.item}")
        return wire.receipt(await self._ask(wire.submission(application)))

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(keys), MOST):
            asked = keys[start : start + MOST]
            answer = wire.records(await self._ask(wire.enquiry(asked, datetime.now(UTC))))
            found |= {record.key: record for record in answer if record.key in asked}
        return found

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        if instruction.kind not in codes.SUMS.values():
            raise DepartmentRejected(f"medical-insurance does not pay {instruction.kind}")
        return wire.ordered(await self._ask(wire.order(instruction)))

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        return wire.notification(body)

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return wire.acknowledgement(error), JSON

    async def close(self) -> None:
        await self.channel.close()

    async def _ask(self, message: bytes) -> bytes:
        signed = {"X-Sign": wire.signature(message, self.secret)} if self.secret else {}
        return await self.channel.post(PATH, message, JSON, **signed)


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Department:
    return MedicalInsurance(HttpChannel(address, timeout_s), credentials.get("secret"))
