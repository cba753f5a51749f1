"""公安: swywService, SOAP 1.1 in GB18030; reports results by jgTz notification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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

from . import wire

PATH = "/ws/swywService"
MAX_KEYS = 500


class PublicSecurity:
    """``sbYw`` files an application, ``cxYw`` reads many; it takes no payment instruction."""

    def __init__(self, channel: HttpChannel, token: str) -> None:
        self._channel = channel
        self._token = token

    async def submit(self, application: Application) -> Receipt:
        return wire.receipt(await self._call("sbYw", wire.application(application, self._token)))

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(keys), MAX_KEYS):
            found |= wire.records(await self._call("cxYw", wire.query(keys[start : start + MAX_KEYS], self._token)))
        return {key: found[key] for key in keys if key in found}

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        raise DepartmentRejected("public-security pays nothing")

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        return wire.notification(body)

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return wire.acknowledgement(error), wire.CONTENT_TYPE

    async def close(self) -> None:
        await self._channel.close()

    async def _call(self, operation: str, body: bytes) -> bytes:
        return await self._channel.post(PATH, body, wire.CONTENT_TYPE, SOAPAction=f'"{wire.SERVICE}/{operation}"')


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Department:
    """``credentials["token"]`` is the interface serial JKXLH the bureau hands out; absent, none is sent."""
    return PublicSecurity(HttpChannel(address, timeout_s), credentials.get("token", ""))
