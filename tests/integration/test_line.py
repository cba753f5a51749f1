"""One connection: what the server software would take without end has an end, and a refusal reaches who is refused."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from gateway import line
from gateway.line import Line
from gateway.web import HEADERS
from tests.edge import Edge
from tests.integration.test_web import QUERY

BODY = json.dumps(QUERY).encode()


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Edge:
    return Edge(tmp_path_factory.mktemp("line"))


@pytest.fixture
async def serving(edge: Edge) -> AsyncIterator[tuple[uvicorn.Server, int]]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(edge.application.asgi, http=Line, ws="none", lifespan="off", log_level="error")
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve([listening]))
        yield server, listening.getsockname()[1]
        server.should_exit = True
        await running


@pytest.fixture
def port(serving: tuple[uvicorn.Server, int]) -> int:
    return serving[1]


def head(edge: Edge, *lines: str, path: str = "/graphql") -> bytes:
    token = edge.token("support")
    given = (f"POST {path} HTTP/1.1", "Host: gateway", f"Authorization: Bearer {token}")
    return "\r\n".join((*given, "Content-Type: application/json", *lines, "", "")).encode()


async def told(port: int, *pieces: bytes) -> tuple[int, Any]:
    """All is sent before anything is read, as a simple program does.  Raises when the line breaks before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(30):
            top = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = dict(line.lower().split(": ", 1) for line in top.splitlines()[1:] if line)
            text = await reader.readexactly(int(lines["content-length"]))
        if int(top[9:12]) in line.WORDS:
            assert [name for name in HEADERS if name.lower() not in lines] == []
        return int(top[9:12]), json.loads(text)
    finally:
        writer.close()


@pytest.mark.parametrize("path", ["/graphql", "/uploads", "/nowhere"])
@pytest.mark.parametrize("connection", ["close", "keep-alive"])
async def test_who_sends_all_of_a_body_that_is_too_large_reads_that_it_is(
    edge: Edge, port: int, connection: str, path: str
) -> None:
    size = 12 * 1024 * 1024
    top = head(edge, f"Connection: {connection}", f"Content-Length: {size}", path=path)
    for _ in range(3):  # whether a cut line takes the answer with it depends on who is faster
        status, found = await told(port, top, *[b"x" * 65536] * (size // 65536))
        assert status in (404, 413, 415) and found["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize(
    "piece", [b"X-A: y\r\n" * 1024, b"X-A: " + b"y" * 65536, b"a" * 8192], ids=["many", "long", "name"]
)
async def test_headers_without_end_end(edge: Edge, port: int, piece: bytes) -> None:
    status, _ = await told(port, b"POST /graphql HTTP/1.1\r\nHost: x\r\n", *[piece] * 40)
    assert status in (400, 431)


@pytest.mark.parametrize("start", [b"1;", b"0\r\nX-A: "], ids=["extension", "trailer"])
async def test_what_is_no_body_does_not_grow_between_its_parts(edge: Edge, port: int, start: bytes) -> None:
    status, _ = await told(port, head(edge, "Transfer-Encoding: chunked"), start, *[b"y" * 8192] * 40)
    assert status in (400, 431)


async def test_who_says_nothing_or_half_of_it_is_let_go(edge: Edge, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "HEAD_S", 0.05)
    assert (await told(port, b"POST /graphql HTTP/1.1\r\nHost: x\r\nX-A"))[0] == 408
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await told(port)


async def test_a_body_that_does_not_come_is_not_waited_for(
    edge: Edge, port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(line, "BODY_S", 0.05)
    status, found = await told(port, head(edge, "Content-Length: 100"), b"{")
    assert (status, found["errors"][0]["extensions"]["code"]) == (408, "NOT_SERVED")
    assert not [record for record in caplog.records if record.message == "incident"]


async def test_what_is_no_request_is_told_so_in_json(edge: Edge, port: int) -> None:
    for wrong in (
        b"rubbish\r\n\r\n",
        head(edge, "Content-Length: -1"),
        head(edge, "Content-Length: 1", "Content-Length: 2"),
    ):
        status, found = await told(port, wrong)
        assert (status, found["errors"][0]["extensions"]["code"]) == (400, "NOT_SERVED")


@pytest.mark.parametrize("offer", ["h2c", "websocket"])
async def test_who_offers_another_protocol_is_answered_in_this_one(edge: Edge, port: int, offer: str) -> None:
    more = ("Connection: Upgrade, HTTP2-Settings", f"upgrade: {offer}", "HTTP2-Settings: AAMAAABkAAQAAP__")
    status, found = await told(port, head(edge, *more, f"Content-Length: {len(BODY)}") + BODY)
    assert (status, found["data"]["viewer"]["role"]) == (200, "support")


async def test_one_line_serves_many_requests(edge: Edge, port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(head(edge, f"Content-Length: {len(BODY)}") + BODY)
        top = await reader.readuntil(b"\r\n\r\n")
        length = int(top.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        assert b" 200 " in top and b"support" in await reader.readexactly(length)
    writer.close()


async def test_who_asks_on_without_reading_the_answers_is_let_go(edge: Edge, port: int) -> None:
    one = head(edge, f"Content-Length: {len(BODY)}") + BODY
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(one * 3)
    for _ in range(3):
        top = await reader.readuntil(b"\r\n\r\n")
        length = int(top.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        assert b" 200 " in top and await reader.readexactly(length)
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(30):
            for _ in range(1000):
                writer.write(one * 100)
                await writer.drain()


async def test_who_does_not_read_its_answer_is_let_go(
    serving: tuple[uvicorn.Server, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "READ_S", 0.05)
    monkeypatch.setattr(line, "AHEAD", 100)
    (server, port), gone, lost = serving, asyncio.Event(), Line.connection_lost
    monkeypatch.setattr(Line, "connection_lost", lambda self, error: (lost(self, error), gone.set()))
    with socket.socket() as client:
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
        client.send(b"GET /schema.graphql HTTP/1.1\r\nHost: x\r\n\r\n" * 80)
        async with asyncio.timeout(30):
            await gone.wait()
        assert 0 < server.server_state.total_requests < 80


async def test_a_client_that_hangs_up_while_it_sends_is_no_incident(
    edge: Edge, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("/graphql", "/documents/cases/summary"):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(edge, "Content-Length: 100", path=path) + b"{")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert (await told(port, head(edge, f"Content-Length: {len(BODY)}"), BODY))[0] == 200
    assert not [record for record in caplog.records if record.message == "incident"]


async def test_lines_beyond_the_limit_are_told_to_come_back_and_the_others_are_served(
    edge: Edge, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "LINES", 3)
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    for _ in range(2):
        status, answer = await told(port)
        assert (status, answer["errors"][0]["extensions"]["code"]) == (503, "NOT_SERVED")
    for reader, writer in held:
        writer.write(head(edge, f"Content-Length: {len(BODY)}") + BODY)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
