"""Insurer: files claims and asks what became of them; the insurer pays the heirs itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.insurer import codes, wire
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
from gateway.domain.exchange import unrecorded

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MOST = 500
"""Claims the service gives in one call."""


class Insurer:
    """理赔开放平台: a bearer token is fetched with the first call, and once more when the service answers 401."""

    def __init__(self, channel: HttpChannel, user: str, secret: str) -> None:
        self.channel = channel
        self.user = user
        self.secret = secret
        self.token: str | None = None

    async def submit(self, application: Application) -> Receipt:
        if application.item not in codes.BUSINESS:
            raise DepartmentRejected(f"insurer does not take {application.item}")
        return wire.receipt(await self._ask("/v1/claims", wire.claim(application)))

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(keys), MOST):
            asked = keys[start : start + MOST]
            answer = wire.records(await self._ask("/v1/claims:batchGet", wire.batch(asked)))
            found |= {record.key: record for record in answer if record.key in asked}
        return found

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        raise DepartmentRejected("insurer pays the heirs itself and takes no payment instruction")

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        raise DepartmentRejected("insurer does not send messages")

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return b"", "text/plain"

    async def close(self) -> None:
        await self.channel.close()

    async def _ask(self, path: str, body: bytes) -> bytes:
        if self.token is None:
            await self._renew()
        try:
            return await self._post(path, body)
        except DepartmentRejected as error:
            if str(error) != "HTTP 401":
                raise
        await self._renew()
        return await self._post(path, body)

    async def _post(self, path: str, body: bytes) -> bytes:
        return await self.channel.post(path, body, JSON, Authorization=f"Bearer {self.token}")

    async def _renew(self) -> None:
        form = wire.client(self.user, self.secret)
        with unrecorded():
            self.token = wire.token(await self.channel.post("/oauth/token", form, FORM))


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Department:
    """``user`` and ``secret`` are the OAuth client; without them the demonstration client."""
    channel = HttpChannel(address, timeout_s)
    return Insurer(channel, credentials.get("user", "demo"), credentials.get("secret", "demo"))
