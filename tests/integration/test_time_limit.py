"""A query answers within its time with what it has, and ends when nobody listens; a change runs to its end."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from gateway.desk import in_time, time_limit
from gateway.domain.department import Record
from gateway.domain.messages import Code, Refused
from tests.builders import World, hz_form
from tests.edge import Edge, codes

LIVE = "query($n: String!) { case(number: $n) { number items { slug department { code } liveRecord { freshness } } } }"
COMPLETE = "mutation($i: CompleteItemInput!) { completeItem(input: $i) { acknowledgement } }"


class System:
    """A department's system; ``hangs``: it takes a question and never answers."""

    def __init__(self, hangs: bool) -> None:
        self.hangs = hangs
        self.asked, self.left_alone = asyncio.Event(), asyncio.Event()

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        self.asked.set()
        try:
            if self.hangs:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.left_alone.set()
            raise
        return {}

    async def close(self) -> None: ...


def edge_of(folder: Path, **changes: str) -> tuple[Edge, str, System]:
    """A gateway with one case, its number, and the system of the health department, which hangs."""
    health = System(hangs=True)
    edge = Edge(folder, {"health": health, "civil-affairs": System(hangs=False)}, **changes)  # type: ignore[dict-item]
    world = World(edge.desk.database)
    number = world.submit(hz_form()).number
    world.certify_death()
    return edge, number, health


async def test_what_is_not_ready_in_time_is_null_with_its_code_and_the_rest_is_there(tmp_path: Path) -> None:
    edge, number, health = edge_of(tmp_path, OPERATION_LIMIT_S="0.2")
    answer = await edge.ask(LIVE, n=number)
    assert answer.status_code == 200 and set(codes(answer)) == {"TIME_LIMIT"}
    case = answer.json()["data"]["case"]
    live = {item["department"]["code"]: item["liveRecord"] for item in case["items"] if item["liveRecord"]}
    assert case["number"] == number and live == {"civil-affairs": {"freshness": "UNKNOWN_THERE"}}
    for error in answer.json()["errors"]:
        assert error["path"][-1] == "liveRecord" and "0.2" in error["message"]
        slug = case["items"][error["path"][2]]
        assert slug["department"]["code"] == "health" and slug["liveRecord"] is None
    assert health.left_alone.is_set()


async def test_a_department_is_not_blamed_for_the_operations_own_limit(tmp_path: Path) -> None:
    edge, number, _ = edge_of(tmp_path, OPERATION_LIMIT_S="0.2")
    await edge.ask(LIVE, n=number)
    assert edge.desk.live._failing == {} and edge.desk.live._resting == {}


async def test_where_nothing_may_be_null_the_nearest_that_may_is(tmp_path: Path) -> None:
    edge, number, _ = edge_of(tmp_path, OPERATION_LIMIT_S="0")
    answer = await edge.ask("query($n: String!) { viewer { role } case(number: $n) { number } }", n=number)
    assert answer.json()["data"] == {"viewer": {"role": "duty-person"}, "case": None}
    answer = await edge.ask("{ cases { nodes { number } } }")
    assert answer.status_code == 200 and answer.json()["data"] is None and codes(answer) == ["TIME_LIMIT"]


def completion(number: str) -> dict[str, Any]:
    done = {"caseNumber": number, "item": "funeral-service", "serial": "1"}
    return {"query": COMPLETE, "variables": {"i": done}}


async def test_a_change_is_never_cut_off(tmp_path: Path) -> None:
    edge, number, _ = edge_of(tmp_path, OPERATION_LIMIT_S="0")
    token = edge.token("department-system", department="civil-affairs")
    answer = await edge.send(completion(number), authorization=f"Bearer {token}")
    assert answer.json()["data"] == {"completeItem": {"acknowledgement": "APPLIED"}}, answer.text


async def test_only_the_operations_own_limit_is_told_as_one() -> None:
    async def slow() -> None:
        raise TimeoutError

    with time_limit(60), pytest.raises(TimeoutError):
        await in_time(slow())
    with time_limit(0), pytest.raises(Refused) as refused:
        await in_time(asyncio.Event().wait())
    assert refused.value.problems[0].reason.code is Code.TIME_LIMIT
    assert await in_time(asyncio.sleep(0, "without a limit")) == "without a limit"


# ── nobody listens ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[Edge, str, System, int]]:
    """The same over a real socket, and its port."""
    edge, number, health = edge_of(tmp_path)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(edge.application.asgi, lifespan="off", log_level="warning"))
        running = asyncio.create_task(server.serve([listening]))
        yield edge, number, health, listening.getsockname()[1]
        server.should_exit = True
        await running


async def test_when_the_client_hangs_up_the_departments_are_left_alone(served: tuple[Edge, str, System, int]) -> None:
    edge, number, health, port = served
    body = json.dumps({"query": LIVE, "variables": {"n": number}}).encode()
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    head += f"Authorization: Bearer {edge.token('duty-person')}\r\n\r\n"
    async with asyncio.timeout(30):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + body)
        await health.asked.wait()
        assert not health.left_alone.is_set()
        writer.close()
        await health.left_alone.wait()


async def gone(edge: Edge, token: str, body: bytes) -> list[Any]:
    """What is sent to a client that sent its request and left."""
    messages = [{"type": "http.request", "body": body}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"authorization", f"Bearer {token}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "raw_path": b"/graphql", "query_string": b""}
    scope |= {"headers": headers, "client": ("10.0.0.7", 1), "server": ("gateway", 80), "scheme": "http"}
    async with asyncio.timeout(30):
        await edge.application.asgi({**scope, "http_version": "1.1", "root_path": ""}, receive, send)
    return sent


async def test_a_query_of_a_client_that_left_is_ended_and_not_answered(tmp_path: Path) -> None:
    edge, number, _ = edge_of(tmp_path)
    body = json.dumps({"query": LIVE, "variables": {"n": number}}).encode()
    assert await gone(edge, edge.token("duty-person"), body) == []


async def test_a_change_of_a_client_that_left_is_done_all_the_same(tmp_path: Path) -> None:
    edge, number, _ = edge_of(tmp_path)
    token = edge.token("department-system", department="civil-affairs")
    await gone(edge, token, json.dumps(completion(number)).encode())
    again = await edge.send(completion(number), authorization=f"Bearer {token}")
    assert again.json()["data"] == {"completeItem": {"acknowledgement": "REPEATED"}}, again.text
