"""The housing fund's core system: one TCP connection per message."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from adapters.kit.values import CHINA, local_text
from gateway.domain.department import (
    Application,
    Callback,
    Department,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    PaymentInstruction,
    Receipt,
    Record,
)
from gateway.domain.exchange import sending

from . import codes, wire

MAX_KEYS = 500
"""Serials in one query message."""


class HousingFund:
    """``sender``: our eight-character code in the department's header (FSF)."""

    def __init__(self, host: str, port: int, timeout_s: float, sender: str) -> None:
        self._host, self._port, self._timeout_s, self._sender = host, port, timeout_s, sender

    async def submit(self, application: Application) -> Receipt:
        line = wire.registration(application)
        found = wire.records(await self._ask(wire.SUBMIT, [line])).get(application.key)
        if found is None:
            raise DepartmentUnintelligible("answer does not name the application")
        return Receipt(found.outcome, found.reference, found.raw_code, found.raw_message)

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(keys), MAX_KEYS):
            lines = [{"WBLSH": key} for key in keys[start : start + MAX_KEYS]]
            found |= wire.records(await self._ask(wire.QUERY, lines))
        return {key: found[key] for key in keys if key in found}

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        await self._ask(wire.INSTRUCT, [wire.payment_order(instruction)])
        return Receipt(Outcome.RECEIVED, instruction.serial, codes.SUCCESS)

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        raise DepartmentRejected("the housing fund does not send messages")

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return b"", "text/plain"

    async def close(self) -> None:
        """Nothing is kept open between messages."""

    async def _ask(self, transaction: str, lines: Sequence[wire.Line]) -> list[wire.Line]:
        now = datetime.now(CHINA)
        serial = f"{local_text(now, '%Y%m%d%H%M%S')}{secrets.randbelow(10**6):06d}"
        answer = await self._exchange(wire.frame(transaction, self._sender, serial, now, lines))
        return wire.read(answer, transaction, serial)

    async def _exchange(self, message: bytes) -> bytes:
        """Body of the answer.  Raises ``DepartmentUnavailable`` when there is none in time or the line breaks."""
        leg = sending("TCP", message)
        came = b""
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await asyncio.open_connection(self._host, self._port)
                try:
                    writer.write(message)
                    await writer.drain()
                    came = await reader.readexactly(8)
                    body = await reader.readexactly(wire.length(came))
                    leg.received(came + body)
                    return body
                finally:
                    writer.close()
        except TimeoutError as error:
            raise DepartmentUnavailable(f"no answer within {self._timeout_s:g} s") from error
        except asyncio.IncompleteReadError as error:
            leg.received(came + error.partial, whole=False)
            raise DepartmentUnavailable(f"no connection ({type(error).__name__})") from error
        except OSError as error:
            raise DepartmentUnavailable(f"no connection ({type(error).__name__})") from error


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Department:
    """``address``: ``tcp://host:port``.  ``credentials``: ``user``, the sender code, at most 8 ASCII characters."""
    parts = urlsplit(address)
    sender = credentials.get("user", "LIANBAN")
    if parts.scheme != "tcp" or parts.hostname is None or parts.port is None:
        raise ValueError("the housing fund's address must be tcp://host:port")
    if len(sender) > 8 or not sender.isascii():
        raise ValueError("the housing fund's sender code has at most 8 ASCII characters")
    return HousingFund(parts.hostname, parts.port, timeout_s, sender)
