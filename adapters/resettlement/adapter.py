"""Talks to the resettlement office's front machine (前置机): drops one CSV file, fetches the one result file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from adapters.kit.http import HttpChannel
from gateway.domain.department import (
    Application,
    Callback,
    DepartmentRejected,
    DepartmentUnavailable,
    Outcome,
    PaymentInstruction,
    Receipt,
    Record,
)

from . import wire


class Resettlement:
    """A drop is one PUT; a reading of however many keys is one GET of the complete result file."""

    def __init__(self, channel: HttpChannel) -> None:
        self._channel = channel

    async def submit(self, application: Application) -> Receipt:
        """The receipt says that the file is stored, not that the batch has read it."""
        body = wire.report(application)
        answer = await self._channel.put(f"/in/{wire.name(application)}", body, "text/csv; charset=gb18030")
        wire.stored(answer, len(body))
        return Receipt(Outcome.RECEIVED, reference=None, raw_code="OK")

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        """A key whose report the batch has not read yet is absent."""
        if not keys:
            return {}
        try:
            body = await self._channel.get("/out/result.csv")
        except DepartmentRejected as error:
            raise DepartmentUnavailable(f"the result file is not to be had ({error})") from error
        return wire.records(body, frozenset(keys))

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        raise DepartmentRejected("resettlement takes no payment instructions")

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        raise DepartmentRejected("resettlement does not send messages")

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return b"", "text/plain"

    async def close(self) -> None:
        await self._channel.close()


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Resettlement:
    """``credentials``: ``user`` and ``secret`` where the file server asks for them."""
    headers: dict[str, str] = {}
    if "user" in credentials:
        pair = f"{credentials['user']}:{credentials.get('secret', '')}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
    return Resettlement(HttpChannel(address, timeout_s, headers))
