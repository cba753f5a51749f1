"""人社/社保: callBusiness of the 金保工程 system; reports results by notifyBusiness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.kit.http import HttpChannel
from gateway.domain.department import (
    Application,
    Callback,
    Department,
    PaymentInstruction,
    Receipt,
    Record,
)

from . import wire

PATH = "/siis/services/BusinessService"
MAX_KEYS = 500


class SocialSecurity:
    """One method for everything; the business number says what is meant."""

    def __init__(self, channel: HttpChannel, token: str) -> None:
        self._channel = channel
        self._token = token

    async def submit(self, application: Application) -> Receipt:
        return wire.receipt(await self._call(wire.application(application, self._token)))

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(keys), MAX_KEYS):
            found |= wire.records(await self._call(wire.query(keys[start : start + MAX_KEYS], self._token)))
        return {key: found[key] for key in keys if key in found}

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        return wire.instruction_receipt(await self._call(wire.instruction(instruction, self._token)))

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        return wire.notification(body)

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return wire.acknowledgement(error), wire.CONTENT_TYPE

    async def close(self) -> None:
        await self._channel.close()

    async def _call(self, body: bytes) -> bytes:
        return await self._channel.post(PATH, body, wire.CONTENT_TYPE, SOAPAction='"callBusiness"')


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Department:
    """``credentials["token"]`` is the access code (jrm) the bureau hands out; absent, an empty one is sent."""
    return SocialSecurity(HttpChannel(address, timeout_s), credentials.get("token", ""))
