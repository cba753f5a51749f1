"""An unexpected error has a number, and support can look it up: where it happened, nothing of a person."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.store import incidents
from gateway.store.incidents import KEPT, Incident
from schema.build import build
from schema.context import Context
from schema.http import GraphQLOverHttp
from tests.builders import SHEN_FUGEN, World
from tests.door import ask, desk_of, viewer

LOOK_UP = "query($id: ID!) { incident(id: $id) { id at operation kind frames } }"
pytestmark = pytest.mark.databases


def fails(desk: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A query that meets a fault of ours; what its caller is told, as over HTTP."""

    async def broken(*_: Any) -> None:
        raise KeyError(SHEN_FUGEN)

    monkeypatch.setattr(type(desk), "cases", broken)

    async def run() -> Any:
        context = Context(desk, viewer("family"))
        result = await build().execute("query($n: String!) { case(number: $n) { number } }", {"n": "x"}, context)
        edge = GraphQLOverHttp.__new__(GraphQLOverHttp)
        edge.desk = desk
        return await edge.process_result(SimpleNamespace(state=SimpleNamespace(context=context)), result)  # type: ignore[arg-type]

    return dict(asyncio.run(run()))


def test_support_finds_an_incident_by_the_number_its_caller_was_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_of(world)
    told = fails(desk, monkeypatch)["errors"][0]["extensions"]
    assert told["code"] == "INTERNAL"
    asyncio.run(desk.write_journal())
    for role in ("support", "administrator"):
        found = asyncio.run(ask(desk, viewer(role), LOOK_UP, id=told["incident"]))["data"]["incident"]
        assert (found["operation"], found["kind"]) == ("case", "KeyError")
        assert any("broken" in frame for frame in found["frames"])
        assert SHEN_FUGEN not in json.dumps(found)
    assert asyncio.run(ask(desk, viewer("support"), LOOK_UP, id="no-such"))["data"]["incident"] is None
    desk.threads.shutdown()


def test_an_incident_is_kept_for_a_time(world: World) -> None:
    with world.acting() as ctx:
        incidents.put(ctx.tx, [Incident("old", world.now - KEPT, "case", "KeyError", "x")], world.now - KEPT)
        incidents.put(ctx.tx, [Incident("new", world.now, "case", "KeyError", "x")], world.now)
        assert incidents.get(ctx.tx, "old") is not None
        incidents.put(ctx.tx, [Incident("newer", world.now, "case", "KeyError", "x")], world.at("2025-11-07 22:11").now)
        assert incidents.get(ctx.tx, "old") is None and incidents.get(ctx.tx, "new") is not None
