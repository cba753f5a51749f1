"""残联: cjrfw, forms and XML in GBK; has to be asked."""

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

MAX_KEYS = 500


class DisabledPersonsFederation:
    """``ywsb.do`` files a business, ``ywcx.do`` reads many; it pays nothing and sends nothing."""

    def __init__(self, channel: HttpChannel, token: str) -> None:
        self._channel = channel
        self._token = token

    async def submit(self, application: Application) -> Receipt:
        return wire.receipt(await self._post("ywsb.do", wire.application(application, self._token)))

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(keys), MAX_KEYS):
            form = wire.query(keys[start : start + MAX_KEYS], self._token)
            found |= wire.records(await self._post("ywcx.do", form))
        return {key: found[key] for key in keys if key in found}

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        raise DepartmentRejected("disabled-persons-federation pays nothing")

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        raise DepartmentRejected("disabled-persons-federation does not send messages")

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return b"", "text/plain"

    async def close(self) -> None:
        await self._channel.close()

    async def _post(self, page: str, form: bytes) -> bytes:
        return await self._channel.post(f"/cjrfw/{page}", form, wire.CONTENT_TYPE)


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Department:
    """``credentials["token"]`` is the access code (jrm) the federation hands out; absent, none is sent."""
    return DisabledPersonsFederation(HttpChannel(address, timeout_s), credentials.get("token", ""))
