"""A stand-in for ClamAV's daemon: INSTREAM over TCP.  It knows the one virus that everybody may have.

``python -m mocks.kit.scanner 3310``
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The test string, in two pieces so that no scanner stops at this file."""


@dataclass
class Scanner:
    """``seen``: sizes of what it was shown.  ``silent``: it takes a file and never answers."""

    port: int = 0
    silent: bool = False
    most: int = 25 * 1024 * 1024
    """Its StreamMaxLength, in bytes."""
    seen: list[int] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Scanner:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(await self._answer(reader))
            await writer.drain()
            if self.silent:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        command = await reader.readuntil(b"\0")
        if command != b"zINSTREAM\0":
            return b"UNKNOWN COMMAND\0"
        size, rest, found = 0, b"", False
        while length := int.from_bytes(await reader.readexactly(4), "big"):
            piece = await reader.readexactly(length)
            size += length
            if size > self.most:
                return b"INSTREAM size limit exceeded. ERROR\0"
            found = found or EICAR in rest + piece
            rest = piece[-len(EICAR) :]
        self.seen.append(size)
        if self.silent:
            return b""
        return b"stream: Eicar-Signature FOUND\0" if found else b"stream: OK\0"


async def _main(port: int) -> None:
    async with Scanner(port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
