"""What adapters report of the wire is what went over it, byte for byte, whatever became of the call."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from adapters.kit.http import HttpChannel
from adapters.kit.registry import connect, manifests
from gateway.domain.department import DepartmentError
from gateway.domain.exchange import Exchange, MessageState, recording
from tests.adapters import builders
from tests.adapters.conftest import Running, address_of, free_pair

MANIFESTS = manifests()
ON_THE_WIRE = sorted(set(MANIFESTS) - {"elderly-care"})
"""The driver of the exchange database makes the bytes; see its own test below."""
SECRET = "kept-by-nobody-7731"


@asynccontextmanager
async def overheard(address: str) -> AsyncIterator[tuple[str, list[bytes], list[bytes]]]:
    """(address in front of the department, bytes towards it, bytes from it)."""
    parts = urlsplit(address)
    there: list[bytes] = []
    back: list[bytes] = []

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: list[bytes]) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while chunk := await reader.read(65536):
                heard.append(chunk)
                writer.write(chunk)
                await writer.drain()

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(copy(reader, ours, there), copy(theirs, writer, back))

    port = free_pair()
    server = await asyncio.start_server(between, "127.0.0.1", port)
    try:
        yield parts._replace(netloc=f"127.0.0.1:{port}").geturl(), there, back
    finally:
        server.close()


def bare(heard: bytes) -> bytes:
    """The last message without the head lines that HTTP puts before it; a login may stand before it."""
    start = max(heard.rfind(verb) for verb in (b"POST /", b"PUT /", b"GET /", b"HTTP/1.1 "))
    return heard if start < 0 else heard[start:].partition(b"\r\n\r\n")[2]


def made(code: str) -> Any:
    return builders.application(f"{uuid4()}", MANIFESTS[code].submits[0], account=builders.ACCOUNT)


@pytest.mark.parametrize("code", ON_THE_WIRE)
async def test_what_is_reported_is_what_went_over_the_wire(code: str, department: Callable[[str], Running]) -> None:
    office = department(code)
    application = made(code)
    async with overheard(office.address) as (address, there, back):
        adapter = connect(MANIFESTS[code], address, {"token": "demo", "secret": "demo"})
        for call in (lambda: adapter.submit(application), lambda: adapter.read_many([application.key])):
            there.clear()
            back.clear()
            with recording(Exchange()) as exchange:
                await call()
            (leg,) = exchange.legs
            assert exchange.state is MessageState.ANSWERED
            assert leg.answer and bare(b"".join(back)) == leg.answer
            assert leg.sent == (bare(b"".join(there)) or leg.to.encode())
        await adapter.close()


async def test_of_an_exchange_database_every_value_is_reported(department: Callable[[str], Running]) -> None:
    adapter = department("elderly-care").adapter()
    application = made("elderly-care")
    with recording(Exchange()) as exchange:
        await adapter.submit(application)
        await adapter.submit(application)
        await adapter.read_many([application.key])
    told, again, asked = exchange.legs
    assert application.key.encode() in told.sent and "姓名".encode() not in told.sent
    assert (told.answer, again.answer) == (b"1", b"0"), "the same row twice is written once"
    assert application.key.encode() in asked.sent and asked.answer is not None
    assert all(leg.whole for leg in exchange.legs)
    await adapter.close()


@pytest.mark.parametrize("code", sorted(MANIFESTS))
async def test_what_nobody_answered_is_reported_too(code: str, tmp_path: Path) -> None:
    adapter = connect(MANIFESTS[code], address_of(MANIFESTS[code], 1, tmp_path), {"token": "demo", "secret": "demo"})
    with recording(Exchange()) as exchange, pytest.raises(DepartmentError):
        await adapter.submit(made(code))
    assert exchange.state is MessageState.FAILED
    assert all(leg.sent and leg.answer is None for leg in exchange.legs)
    assert exchange.legs or code in ("insurer", "social-assistance"), "there the login fails first"
    await adapter.close()


@pytest.mark.parametrize("code", ["insurer", "social-assistance"])
async def test_a_login_is_not_reported(code: str, department: Callable[[str], Running]) -> None:
    """The password would lie beside the families' data, readable with the same key."""
    office = department(code)
    async with overheard(office.address) as (address, there, _):
        adapter = connect(MANIFESTS[code], address, {"user": SECRET, "secret": SECRET})
        with recording(Exchange()) as exchange, contextlib.suppress(DepartmentError):
            await adapter.submit(made(code))
        await adapter.close()
    assert SECRET.encode() in b"".join(there), "it was sent"
    assert not [leg for leg in exchange.legs if SECRET.encode() in leg.sent]


async def test_half_an_answer_is_reported_as_far_as_it_came() -> None:
    """The department sends a part and falls silent; the caller's time runs out."""
    hung_up = asyncio.Event()

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n<half")
        await writer.drain()
        await hung_up.wait()
        writer.close()

    port = free_pair()
    server = await asyncio.start_server(half, "127.0.0.1", port)
    channel = HttpChannel(f"http://127.0.0.1:{port}", 0.3)
    with recording(Exchange()) as exchange, pytest.raises(DepartmentError):
        await channel.post("/x", b"<whole/>", "text/xml")
    hung_up.set()
    await channel.close()
    server.close()
    (leg,) = exchange.legs
    assert (leg.to, leg.sent, leg.answer, leg.code) == ("POST /x", b"<whole/>", b"<half", "202")
    assert not leg.whole and exchange.state is MessageState.FAILED
