"""The provincial platform: asks for a case's code, gives it the result, reads both back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from adapters.kit.http import HttpChannel
from adapters.provincial_platform import codes, wire
from gateway.domain.department import (
    Application,
    Callback,
    Department,
    DepartmentRejected,
    PaymentInstruction,
    Receipt,
    Record,
)

PATH = "/router/rest"
FORM = "application/x-www-form-urlencoded;charset=UTF-8"
MOST = 500
"""Records the platform gives in one call."""


class ProvincialPlatform:
    """全省政务服务平台: one address, ``method`` tells what is wanted.  It answers at once and sends nothing."""

    def __init__(self, channel: HttpChannel, secret: str) -> None:
        self.channel = channel
        self.secret = secret

    async def submit(self, application: Application) -> Receipt:
        if application.item not in codes.METHODS:
            raise DepartmentRejected("provincial-platform does not take this item")
        answer = await self._ask(codes.METHODS[application.item], wire.submission(application))
        return wire.receipt(answer, application.key)

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(keys), MOST):
            asked = keys[start : start + MOST]
            answer = wire.records(await self._ask(codes.LIST, wire.enquiry(asked)))
            found |= {record.key: record for record in answer if record.key in asked}
        return found

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        raise DepartmentRejected("provincial-platform pays nothing and takes no payment instruction")

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        raise DepartmentRejected("provincial-platform sends no messages")

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return b"", "text/plain"

    async def close(self) -> None:
        await self.channel.close()

    async def _ask(self, method: str, content: dict[str, Any]) -> dict[str, Any]:
        nonce = uuid4().hex
        form = wire.call(method, content, nonce, datetime.now(UTC), self.secret)
        return wire.opened(await self.channel.post(PATH, form, FORM), nonce, self.secret)


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Department:
    """``secret`` signs every call; without the right one the platform takes none."""
    return ProvincialPlatform(HttpChannel(address, timeout_s), credentials.get("secret", ""))
