"""Budgets of callers: by cost, by all gateways together, and cheap to keep (HZ-816)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from gateway.access import rights
from gateway.access.budgets import SLICES, Budgets
from gateway.access.rights import Viewer
from gateway.domain.messages import Code, Refused
from gateway.store import budgets as store
from gateway.store import tables as t
from gateway.store.session import Database
from tests.edge import Edge, codes

pytestmark = pytest.mark.rule("HZ-816")
TABLE = rights.load()
FAMILY = TABLE.roles["family"].budget_per_min
ME = Viewer("family", "330500", "", "me")
DEAR = "{ cases(first: 100) { nodes { number status area openedAt areaName channel flow } } }"  # 801 units


def draw(database: Database, units: float, now: float, per_minute: float = 60) -> float:
    with database.write() as tx:
        return store.draw(tx, "caller", units, per_minute, now)


@pytest.mark.databases
def test_a_budget_fills_up_by_the_minute_and_no_further(database: Database) -> None:
    assert draw(database, 10, 1000) == 50
    assert draw(database, 0, 1005) == 55
    assert draw(database, 0, 1050) == 60
    assert draw(database, 0, 4000) == 60
    assert draw(database, 90, 4000) == -30
    assert draw(database, 0, 4030) == 0
    assert draw(database, 10**9, 4030) == -60, "nobody waits longer than a minute"
    assert draw(database, 0, 4000) == -60, "a clock that is behind takes nothing away"


@pytest.mark.databases
def test_what_many_draw_at_once_is_taken_once_each(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        left = list(pool.map(lambda _: draw(database, 1, 1000), range(40)))
    assert sorted(left) == list(range(20, 60))


@pytest.mark.databases
def test_budgets_that_are_full_again_leave_no_row(database: Database) -> None:
    draw(database, 1, 1000)
    with database.write() as tx:
        store.draw(tx, "another", 1, 60, 1000 + store.KEPT_S + 1)
        rows = tx.connection.execute(select(t.budgets.c.caller)).scalars().all()
    assert rows == ["another"]


class Counted:
    """Budgets over a shared table in memory."""

    def __init__(self, shared: dict[str, float] | None = None) -> None:
        self.shared = shared if shared is not None else {}
        self.draws = 0
        self.now = 0.0
        self.budgets = Budgets(TABLE, self.draw, True, lambda: self.now)

    async def draw(self, caller: str, units: float, per_minute: float) -> float:
        self.draws += 1
        self.shared[caller] = self.shared.get(caller, per_minute) - units
        return self.shared[caller]

    async def spend(self, viewer: Viewer | None = ME, cost: float = 1000, address: str = "") -> float:
        """Cost that was taken until it was refused."""
        spent = 0.0
        try:
            while spent < 10**9:
                await self.budgets.charge(viewer, address, cost)
                spent += cost
        except Refused as refused:
            assert refused.problems[0].reason.code is Code.TOO_MANY_REQUESTS
        return spent


async def test_the_budget_is_one_for_all_gateways_but_for_a_slice_each() -> None:
    shared: dict[str, float] = {}
    gateways = [Counted(shared) for _ in range(4)]
    spent = sum([await gateway.spend() for gateway in gateways])
    assert FAMILY - 1000 <= spent <= FAMILY * (1 + 4 / SLICES)


async def test_most_requests_write_nothing() -> None:
    gateway = Counted()
    for _ in range(200):
        await gateway.budgets.charge(ME, "", 100)
    assert gateway.draws <= 200 * 100 / (FAMILY / SLICES)


async def test_who_is_refused_is_refused_without_asking_the_database_and_let_in_again() -> None:
    gateway = Counted()
    await gateway.spend()
    drawn = gateway.draws
    with pytest.raises(Refused) as refused:
        await gateway.budgets.charge(ME, "")
    seconds = int(refused.value.problems[0].reason.facts["seconds"])
    assert gateway.draws == drawn and seconds >= 1
    gateway.now += seconds
    gateway.shared.clear()
    await gateway.budgets.charge(ME, "")


async def test_each_caller_has_a_budget_of_its_own_as_large_as_its_role_says() -> None:
    gateway = Counted()
    mine = await gateway.spend()
    assert await gateway.spend(Viewer("family", "330500", "", "another")) == mine
    machine = await gateway.spend(Viewer("department-system", "330500", "", "s", "health"), 100_000)
    assert machine > 20 * mine
    assert await gateway.spend(None, address="10.0.0.1") == await gateway.spend(None, address="10.0.0.2") > 0


async def test_what_is_kept_of_callers_has_a_limit() -> None:
    gateway = Counted()
    for number in range(12_000):
        await gateway.budgets.charge(None, f"10.{number}")
    assert len(gateway.budgets._accounts) == 10_000 and gateway.draws == 0


async def test_over_http_it_is_429_with_the_seconds_to_wait_whichever_gateway_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.main.time", SimpleNamespace(time=lambda: 1000.0))  # nothing fills up meanwhile
    one, other = (Edge(tmp_path, RATE_LIMITS="on") for _ in range(2))
    for edge in (one, other):
        edge.desk.rights.roles["family"].__dict__["budget_per_min"] = 8_000
    answers = [await edge.ask(DEAR, "family") for _ in range(10) for edge in (one, other)]
    taken = [answer for answer in answers if answer.status_code == 200]
    assert len(taken) == 8_000 // 801, "each costs more than a slice, so each is settled at once"
    late = answers[-1]
    assert (late.status_code, codes(late)) == (429, ["TOO_MANY_REQUESTS"]) and "data" not in late.json()
    assert 1 <= int(late.headers["retry-after"]) <= 60
    assert "12345" in late.json()["errors"][0]["message"]
    assert (await one.ask("{ viewer { role } }", "support")).status_code == 200


async def test_guessing_tokens_costs_the_address_its_budget(tmp_path: Path) -> None:
    edge = Edge(tmp_path, RATE_LIMITS="on")
    edge.desk.rights.__dict__["budget_per_min"] = 1_000
    query = {"query": "{ viewer { role } }"}
    answers = [await edge.send(query, authorization="Bearer a.b.c") for _ in range(20)]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert (await edge.send(query, "support", address="10.0.0.7")).status_code == 200
    assert (await edge.send(query, None, address="10.0.0.8")).status_code == 401


DOORS = {
    "an upload": ("POST", "/uploads"),
    "a file": ("GET", "/materials/x"),
    "a case's document": ("POST", "/documents/cases/summary"),
    "a message": ("POST", "/departments/health/messages"),
    "a body that is no operation": ("POST", "/graphql"),
    "the schema": ("GET", "/schema.graphql"),
}


@pytest.mark.parametrize("method, path", DOORS.values(), ids=DOORS.keys())
@pytest.mark.parametrize("role", ["window-clerk", "department-system", None])
async def test_every_door_draws_on_the_callers_budget(tmp_path: Path, method: str, path: str, role: str | None) -> None:
    edge = Edge(tmp_path, RATE_LIMITS="on", OPEN_SCHEMA="off")
    edge.desk.rights.__dict__["budget_per_min"] = 1_000
    for one in edge.desk.rights.roles.values():
        one.__dict__["budget_per_min"] = 1_000
    given = {} if role else {"authorization": "Bearer a.b.c"}
    answers = [await edge.send(b"[", role, method, path, **given) for _ in range(20)]
    assert (answers[-1].status_code, 1 <= int(answers[-1].headers["retry-after"]) <= 60) == (429, True), answers[0].text


async def test_public_documents_draw_on_the_budget_of_the_address(tmp_path: Path) -> None:
    edge = Edge(tmp_path, RATE_LIMITS="on")
    edge.desk.rights.__dict__["budget_per_min"] = 1_000
    statuses = [(await edge.send(b"", None, "GET", "/documents/hz/guide")).status_code for _ in range(20)]
    assert set(statuses) == {200, 429}
    other = await edge.send(b"", None, "GET", "/documents/hz/guide", address="10.0.0.8")
    assert other.status_code == 200


async def test_nothing_of_a_caller_can_be_read_in_the_table(tmp_path: Path) -> None:
    edge = Edge(tmp_path, RATE_LIMITS="on")
    edge.desk.rights.__dict__["budget_per_min"] = 1_000
    for _ in range(10):
        await edge.send({"query": "{ viewer { role } }"}, None, address="203.0.113.77")
    with edge.desk.database.read() as tx:
        assert tx.connection.execute(select(func.count()).select_from(t.budgets)).scalar_one() == 1
        assert "203.0.113" not in str(tx.connection.execute(select(t.budgets)).all())


async def test_without_the_setting_nobody_is_counted(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    edge.desk.rights.roles["family"].__dict__["budget_per_min"] = 1
    assert [(await edge.ask(DEAR, "family")).status_code for _ in range(3)] == [200, 200, 200]
