"""Real departments, dead, slow or talking rubbish: the query answers, the rest is unharmed, nothing happens twice."""

from __future__ import annotations

import random
import signal
import time
from typing import Any

import pytest

from adapters.kit.registry import manifests, sources
from gateway.domain.identity import check_digit
from tests.acceptance.stage import Stage, eventually, form

PEOPLE = tuple(born + check_digit(born) for born in (f"33050219400101{order}" for order in range(101, 105)))
"""Synthetic deceased; each test has its own, because one deceased has one open case (PD-07)."""
LIVE = """query($n: String!) { case(number: $n) { status items { slug status department { code }
  liveRecord { freshness error asOf } } } }"""
CALLERS = ("civil-affairs", "health", "medical-insurance", "public-security", "social-security")
"""Departments that send their results: the gateway's own polling leaves them alone for half a minute."""
ANSWER_LIMIT_S = 8.0
"""The departments' read limit is 2 s; generous, because test machines are slow."""


def submitted(stage: Stage, person: str) -> str:
    assistant = stage.token("civil-affairs-assistant", department="civil-affairs")
    deceased = {"name": "测试人", "idNumber": person, "hukouArea": "330502"}
    payload = stage.do(assistant, "submitCase", "created case { number }", **form(deceased=deceased))
    assert payload["userErrors"] == []
    return str(payload["case"]["number"])


def statuses(stage: Stage, number: str) -> dict[str, str]:
    found = stage.ask(stage.token("duty-person"), LIVE.replace("liveRecord { freshness error asOf }", ""), n=number)
    return {item["slug"]: item["status"] for item in found["case"]["items"]}


def all_done(stage: Stage, number: str) -> bool:
    open_ = [slug for slug, status in statuses(stage, number).items() if status not in ("COMPLETED", "NOT_APPLICABLE")]
    return open_ == ["ashes-burial-information"]


@pytest.mark.rule("HZ-513", "HZ-515")
def test_a_case_runs_through_every_department_over_its_own_wire(town: Stage) -> None:
    number = submitted(town, PEOPLE[0])
    eventually(lambda: all_done(town, number))
    duty = town.token("duty-person")
    seen = town.ask(duty, LIVE, n=number)["case"]["items"]
    assert {item["liveRecord"]["freshness"] for item in seen if item["liveRecord"]} == {"LIVE"}
    money = "query($n: String!) { case(number: $n) { payouts { kind status account { number } } } }"
    paid = eventually(lambda: [p for p in town.ask(duty, money, n=number)["case"]["payouts"] if p["status"] == "PAID"])
    assert paid == [{"kind": "MEDICAL_ACCOUNT_BALANCE", "status": "PAID", "account": {"number": "6222021205001234567"}}]


@pytest.mark.rule("HZ-816")
def test_one_query_asks_each_department_once_however_many_items_and_cases(town: Stage) -> None:
    for person in PEOPLE[:3]:
        if not town.ask(
            town.token("duty-person"),
            "query($f: CaseFilter) { cases(filter: $f) { totalCount } }",
            f={"idNumber": person},
        )["cases"]["totalCount"]:
            number = submitted(town, person)
            eventually(lambda n=number: all_done(town, n))
    for code in CALLERS:
        town.counter(code).call("DELETE", "/calls")
    query = "{ cases(first: 20) { totalCount nodes { items { slug liveRecord { freshness } } } } }"
    answer = town.ask(town.token("duty-person"), query)["cases"]
    assert answer["totalCount"] >= 3
    counted = {code: town.counter(code).calls().get("query", 0) for code in CALLERS}
    assert all(count == 1 for code, count in counted.items() if code != "health"), counted
    assert counted["health"] <= 1


@pytest.mark.rule("PD-16", "HZ-816")
def test_dead_slow_and_garbled_departments_show_in_the_data_and_nowhere_else(town: Stage) -> None:
    number = submitted(town, PEOPLE[3])
    eventually(lambda: statuses(town, number)["hukou-deregistration"] == "COMPLETED" and all_done(town, number))
    duty = town.token("duty-person")
    before = {i["slug"]: i["liveRecord"] for i in town.ask(duty, LIVE, n=number)["case"]["items"] if i["liveRecord"]}
    assert {record["freshness"] for record in before.values()} == {"LIVE"}
    town.departments["social-security"].send_signal(signal.SIGSTOP)
    town.counter("medical-insurance").behave(slow=30)
    town.counter("public-security").behave(rubbish=-1)
    try:
        started = time.monotonic()
        found = town.ask(duty, LIVE, n=number)["case"]["items"]
        assert time.monotonic() - started < ANSWER_LIMIT_S
        by_department: dict[str, set[tuple[str, str | None]]] = {}
        for item in found:
            if item["liveRecord"]:
                seen = (item["liveRecord"]["freshness"], item["liveRecord"]["error"])
                by_department.setdefault(item["department"]["code"], set()).add(seen)
        assert by_department.pop("social-security") == {("STALE", "UNAVAILABLE")}
        assert by_department.pop("medical-insurance") == {("STALE", "UNAVAILABLE")}
        assert by_department.pop("public-security") == {("STALE", "UNINTELLIGIBLE")}
        assert set.union(*by_department.values()) == {("LIVE", None)}
    finally:
        town.departments["social-security"].send_signal(signal.SIGCONT)
        town.counter("medical-insurance").behave(slow=0)
        town.counter("public-security").behave(rubbish=0)


@pytest.fixture
def small_town(tmp_path: Any) -> Any:
    """Health and civil affairs only, and a gateway that tries again quickly."""
    made = Stage(tmp_path)
    from tests.adapters.conftest import free_pair

    made.port = free_pair()
    made.variables["SHENHOU_RETRY_LADDER_S"] = ",".join(["0.5"] * 60)
    for code in ("health", "civil-affairs"):
        made.start_department(code, auto=0.3)
    made.start_gateway()
    yield made
    made.stop()


@pytest.mark.rule("PD-16")
def test_a_department_that_comes_back_has_received_its_item_once(small_town: Stage) -> None:
    small_town.departments["health"].kill()
    small_town.departments["health"].wait()
    number = submitted(small_town, PEOPLE[0])
    duty = small_town.token("duty-person")
    query = """query($n: String!) { case(number: $n) { whyNotFinished { reason { code } }
      item(slug: "death-cert-normal") { status delivery { state failingSince attempts } } } }"""

    def failing() -> Any:
        found = small_town.ask(duty, query, n=number)["case"]
        return found if found["item"]["delivery"]["failingSince"] else None

    found = eventually(failing)
    assert found["item"]["status"] == "DISPATCHED" and found["item"]["delivery"]["state"] == "PENDING"
    assert {"reason": {"code": "WAITS_FOR_DELIVERY"}} in found["whyNotFinished"]
    small_town.start_department("health", auto=0.3)
    eventually(lambda: statuses(small_town, number)["death-cert-normal"] == "COMPLETED")
    assert len(small_town.counter("health").applications()) == 1


@pytest.mark.rule("PD-06", "PD-16")
def test_a_gateway_killed_again_and_again_loses_nothing_and_does_nothing_twice(small_town: Stage) -> None:
    numbers = [submitted(small_town, person) for person in PEOPLE[:2]]
    chance = random.Random(11)
    for _ in range(8):
        time.sleep(chance.uniform(0.0, 0.6))  # the moment of the kill is what is random here
        small_town.kill_gateway()
        small_town.start_gateway()
    numbers.append(submitted(small_town, PEOPLE[2]))
    for number in numbers:
        eventually(lambda n=number: statuses(small_town, n)["cremation-cert"] == "COMPLETED")
    for code in ("health", "civil-affairs"):
        keys = [application["key"] for application in small_town.counter(code).applications()]
        assert len(keys) == len(set(keys))
    again = [row["key"] for row in small_town.counter("health").applications()]
    assert sorted(again) == sorted(f"{number}.death-cert-normal" for number in numbers)


def test_sigterm_stops_gateway_and_department_at_once(small_town: Stage) -> None:
    started = time.monotonic()
    small_town.stop()
    assert time.monotonic() - started < 20
    assert small_town.gateway is not None and small_town.gateway.returncode in (0, -signal.SIGTERM)


@pytest.mark.parametrize("code", sorted((*manifests(), *sources())))
def test_every_department_of_the_catalogue_has_a_system_and_an_adapter(code: str, town: Stage) -> None:
    assert town.counter(code).call("GET", "")["code"] == code
