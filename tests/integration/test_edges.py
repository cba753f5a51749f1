"""What is not GraphQL: every route as every role, against a table; and what it leaves in the access record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from gateway import main, settings
from gateway.access import rights as access
from gateway.access.budgets import Budgets
from gateway.access.rights import Viewer
from gateway.console import documents
from gateway.desk import Desk
from gateway.store import accesses
from gateway.worker import inbound
from tests.builders import World, hz_account, hz_form
from tests.door import ADDRESS, desk_of, viewer
from tests.integration.conftest import sqlite

pytestmark = pytest.mark.rule("HZ-816", "PD-15")
FORM, SUMMARY = "/documents/cases/registration-form", "/documents/cases/summary"
MESSAGES = "/departments/{code}/messages"
PUBLIC = {"/schema.graphql", "/healthz", "/", "/support", "/sandbox", "/static", "/entry/{jurisdiction}/{channel}"}
PUBLIC |= {"/documents/{jurisdiction}/guide", "/documents/{jurisdiction}/form"}
"""Nothing of a case is told there."""
ELSEWHERE = {"/graphql", "/local-issuer/.well-known/openid-configuration", "/local-issuer/jwks", "/local-issuer/token"}
ELSEWHERE |= {"/uploads", "/materials/{id}"}
"""Tested by themselves."""
STATUS = {
    "nobody": (401, 401, 401),
    "ghost": (401, 401, 403),
    "family": (404, 404, 403),
    "civil-affairs-assistant": (200, 409, 403),
    "window-clerk": (200, 409, 403),
    "duty-person": (200, 409, 403),
    "specialist": (200, 409, 403),
    "department-system": (200, 409, 200),
    "supervisor": (200, 409, 403),
    "support": (200, 409, 403),
    "administrator": (200, 409, 403),
}
"""Who → HTTP status of the printed form, of the printed summary (the case is not closed), and of a message in the own
format of the health department.  The family is another one."""


class Entrance:
    """Lets in whoever the header names."""

    async def viewer(self, request: Request) -> Viewer | None:
        role = request.headers["x-role"]
        department = request.headers.get("x-department", "health")
        known = access.load().roles.get(role)
        bound = {"department": department} if known is not None and known.cases == "DEPARTMENT" else {}
        return None if role == "nobody" else viewer(role, area=request.headers.get("x-area", "000000"), **bound)

    def origin(self, request: Request) -> str | None:
        return ADDRESS

    def address(self, request: Request) -> str:
        return ADDRESS


class Health:
    """The adapter of a department that sends nothing."""

    def translate(self, body: bytes, headers: Any) -> Any:
        return SimpleNamespace(records=())

    def acknowledge(self, problem: str | None) -> tuple[bytes, str]:
        return b"ok", "text/plain"


class Outward:
    """Takes messages and keeps none."""

    async def run(self, call: Any, code: str) -> str:
        return "id"

    async def take_callback(self, code: str, callback: Any, areas: Any) -> None:
        return None


async def drawn(caller: str, units: float, per_minute: float) -> float:
    raise AssertionError("nothing is counted here")


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Starlette, Desk, str]]:
    world = World(sqlite(tmp_path_factory.mktemp("edges")))
    number = world.submit(hz_form(account=hz_account())).number
    desk, entrance = desk_of(world), Entrance()
    budgets = Budgets(desk.rights, drawn, False)
    messages = inbound.routes(Outward(), {"health": Health()}, entrance, budgets, desk.note_denied)  # type: ignore[arg-type, dict-item]
    yield Starlette(routes=[*documents.routes(desk, entrance, budgets), *messages]), desk, number  # type: ignore[arg-type]
    desk.threads.shutdown()
    world.database.dispose()


def post(app: Starlette, path: str, role: str, number: str, **headers: str) -> httpx2.Response:
    async def send() -> httpx2.Response:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post(path, json={"caseNumber": number}, headers={"x-role": role, **headers})

    return asyncio.run(send())


def test_every_route_is_tried_or_tells_nothing_of_a_case(tmp_path: Path) -> None:
    made = main.create(settings.read({"SHENHOU_DATA_DIR": str(tmp_path)}), {}, {})
    paths = {route.path for route in made.asgi.app.routes if hasattr(route, "path") or isinstance(route, Mount)}
    assert paths == {FORM, SUMMARY, MESSAGES, *PUBLIC, *ELSEWHERE}
    made.desk.database.dispose()


def test_the_table_names_every_role() -> None:
    assert set(STATUS) == {"nobody", "ghost", *access.load().roles}


@pytest.mark.parametrize("role", STATUS)
def test_who_may_use_an_edge(edges: tuple[Starlette, Desk, str], role: str) -> None:
    app, _, number = edges
    paths = (FORM, SUMMARY, MESSAGES.format(code="health"))
    assert tuple(post(app, path, role, number).status_code for path in paths) == STATUS[role]


@pytest.mark.parametrize("role", [role for role, told in STATUS.items() if told[0] == 200])
def test_a_case_elsewhere_is_not_printed_nor_told(edges: tuple[Starlette, Desk, str], role: str) -> None:
    app, _, number = edges
    for path in (FORM, SUMMARY):
        theirs = post(app, path, role, number, **{"x-area": "430621"})
        nobodys = post(app, path, role, "HZ2025110799999", **{"x-area": "430621"})
        assert theirs.status_code == 404
        assert theirs.text.replace(number, "NUMBER") == nobodys.text.replace("HZ2025110799999", "NUMBER")


def test_a_department_sends_for_itself_only_and_prints_what_is_its_own(edges: tuple[Starlette, Desk, str]) -> None:
    app, _, number = edges
    other = {"x-department": "housing-fund"}
    assert post(app, MESSAGES.format(code="health"), "department-system", number, **other).status_code == 403
    assert post(app, FORM, "specialist", number, **other).status_code == 404


def test_what_is_printed_and_what_is_refused_stands_in_the_record(edges: tuple[Starlette, Desk, str]) -> None:
    app, desk, number = edges
    asyncio.run(desk.write_journal())
    with desk.database.read() as tx:
        before = accesses.count(tx, number), accesses.count(tx, accesses.NO_CASE)
    post(app, FORM, "supervisor", number)
    post(app, FORM, "family", number)
    post(app, MESSAGES.format(code="health"), "support", number)
    asyncio.run(desk.write_journal())
    with desk.database.read() as tx:
        seen = accesses.of(tx, number, before[0])
        refused = accesses.of(tx, accesses.NO_CASE, before[1])
    assert [(kept.actor.role, kept.event.operation, kept.event.origin) for kept in seen] == [
        ("supervisor", "registration-form", ADDRESS)
    ]
    told = [(kept.actor.role, kept.event.asked) for kept in refused]  # type: ignore[union-attr]
    assert told == [("family", number), ("support", None)]
