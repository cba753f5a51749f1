"""Real departments, dead, slow or talking rubbish: the query answers, the rest is unharmed, nothing happens twice."""

from __future__ import annotations

import signal
import time

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


@pytest.mark.parametrize("code", sorted((*manifests(), *sources())))
def test_every_department_of_the_catalogue_has_a_system_and_an_adapter(code: str, town: Stage) -> None:
    assert town.counter(code).call("GET", "")["code"] == code
