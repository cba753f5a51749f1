"""A line that breaks in the middle of an answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .conftest import free_pair


@asynccontextmanager
async def half_an_answer(body: bytes, *, honest: bool) -> AsyncIterator[str]:
    """A server at the address given that answers every request with the first half of ``body``.

    ``honest``: it announced the whole body, so that the transport notices; else only the content can tell.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError), contextlib.closing(writer):
            await reader.readuntil(b"\r\n\r\n")
            half = body[: len(body) // 2]
            announced = len(body) if honest else len(half)
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {announced}\r\nConnection: close\r\n\r\n".encode() + half)
            await writer.drain()

    port = free_pair()
    server = await asyncio.start_server(answer, "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
