"""Scanners for viruses: one is named by an address, asked over its own protocol, and handed a file part by part."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

LONGEST_ANSWER = 1024


class ScannerAway(Exception):
    """The scanner gives no verdict: away, too slow, or it could not scan the file."""


class BadScanner(Exception):
    """An address that names no scanner; the message says what one looks like."""


class Scanner(Protocol):
    """What every scanner does."""

    async def scan(self, parts: AsyncIterator[bytes]) -> str | None:
        """Name of what was found in a file; None: nothing.  Raises ``ScannerAway``."""
        ...


@dataclass(frozen=True, slots=True)
class Clamd:
    """ClamAV's daemon, over TCP or a local socket: the command INSTREAM.  ``limit_s``: seconds for one file."""

    host: str
    port: int
    path: str
    limit_s: float

    async def scan(self, parts: AsyncIterator[bytes]) -> str | None:
        try:
            async with asyncio.timeout(self.limit_s), self._line() as (reader, writer):
                writer.write(b"zINSTREAM\0")
                with contextlib.suppress(ConnectionError):  # it may answer, and close, before the end
                    async for part in parts:
                        writer.write(len(part).to_bytes(4, "big") + part)
                        await writer.drain()
                    writer.write(bytes(4))
                    await writer.drain()
                answer = (await reader.readuntil(b"\0"))[:-1].decode(errors="replace")
        except (OSError, EOFError, asyncio.LimitOverrunError) as error:
            raise ScannerAway(type(error).__name__) from error
        if answer == "stream: OK":
            return None
        name, found, _ = answer.removeprefix("stream: ").rpartition(" FOUND")
        if not found:
            raise ScannerAway("no verdict")
        return name[:80]

    @contextlib.asynccontextmanager
    async def _line(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        if self.path:
            reader, writer = await asyncio.open_unix_connection(self.path, limit=LONGEST_ANSWER)
        else:
            reader, writer = await asyncio.open_connection(self.host, self.port, limit=LONGEST_ANSWER)
        try:
            yield reader, writer
        finally:
            writer.close()


def scanner(address: str, limit_s: float) -> Scanner | None:
    """The scanner of an address; None for ``none`` and for no address.  Raises ``BadScanner``."""
    if address in ("", "none"):
        return None
    found = urlsplit(address)
    example = "clamd://host:3310, clamd:///run/clamav/clamd.sock or none"
    try:
        host, port = found.hostname or "", found.port or 3310
    except ValueError as error:
        raise BadScanner(example) from error
    if found.scheme != "clamd" or bool(host) == bool(found.path):
        raise BadScanner(example)
    return Clamd(host, port, found.path, limit_s)
