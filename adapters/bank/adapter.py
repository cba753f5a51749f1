"""The bank's queue front: one TCP connection per frame, put on REQ, browse on RSP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

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
"""Keys in one browse."""
MAX_LINE_BYTES = 8 * 1024 * 1024


class Bank:
    """A submitted application is absent from ``read_many`` until the bank has taken it from its queue.

    Putting a message twice is harmless: the bank knows it by its ``EndToEndId``.
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._host, self._port, self._timeout_s = host, port, timeout_s

    async def submit(self, application: Application) -> Receipt:
        answer = await self._exchange(wire.put(application))
        return Receipt(Outcome.RECEIVED, wire.message_id(answer), codes.PUT)

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(keys), MAX_KEYS):
            found |= wire.records(await self._exchange(wire.query(keys[start : start + MAX_KEYS])))
        return {key: found[key] for key in keys if key in found}

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        raise DepartmentRejected("the bank pays the heirs itself and takes no instruction")

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        raise DepartmentRejected("the bank does not send messages")

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return b"", "text/plain"

    async def close(self) -> None:
        """Nothing is kept open between frames."""

    async def _exchange(self, frame: bytes) -> bytes:
        """The answer line.  Raises ``DepartmentUnavailable`` when there is none in time or the line breaks."""
        leg = sending("TCP", frame)
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await asyncio.open_connection(self._host, self._port, limit=MAX_LINE_BYTES)
                try:
                    writer.write(frame)
                    await writer.drain()
                    answer = await reader.readuntil(b"\n")
                    leg.received(answer)
                    return answer
                finally:
                    writer.close()
        except TimeoutError as error:
            raise DepartmentUnavailable(f"no answer within {self._timeout_s:g} s") from error
        except asyncio.IncompleteReadError as error:
            leg.received(error.partial, whole=False)
            raise DepartmentUnavailable(f"no connection ({type(error).__name__})") from error
        except OSError as error:
            raise DepartmentUnavailable(f"no connection ({type(error).__name__})") from error
        except asyncio.LimitOverrunError as error:
            raise DepartmentUnintelligible("answer larger than 8 MiB") from error


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Department:
    """``address``: ``tcp://host:port`` of the queue front, which asks for no credentials on the dedicated line."""
    parts = urlsplit(address)
    if parts.scheme != "tcp" or parts.hostname is None or parts.port is None:
        raise ValueError("the bank's address must be tcp://host:port")
    return Bank(parts.hostname, parts.port, timeout_s)
