"""A department's system that fails, over the wire: left alone, seen, paused, resumed, driven again (PD-16)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.stage import Stage, eventually, form

ITEM = "death-cert-normal"
SEEN = """query($n: String!) { case(number: $n) { item(slug: "death-cert-normal") {
  delivery { state attempts } link { state error pausedUntil department { code } } } } }"""
LINKS = "{ links { waiting givenUp link { state department { code } } } }"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(Path(tmp_path_factory.mktemp("links")))
    from tests.adapters.conftest import free_pair

    made.port = free_pair()
    made.variables |= {
        "SHENHOU_RETRY_LADDER_S": ",".join(["0.2"] * 30),
        "SHENHOU_BREAKER_FAILURES": "2",
        "SHENHOU_BREAKER_PROBES_S": "0.5",
        "SHENHOU_HEARTBEAT_S": "0.3",
        "SHENHOU_HEALTH_RATE_PER_S": "20",
        "SHENHOU_DRAIN_S": "1",
    }
    made.start_department("health")
    made.start_gateway()
    yield made
    made.stop()


def submitted(stage: Stage, person: str) -> str:
    assistant = stage.token("civil-affairs-assistant", department="civil-affairs")
    deceased = {"name": "测试人", "idNumber": person, "hukouArea": "330502"}
    payload = stage.do(assistant, "submitCase", "case { number }", **form(deceased=deceased))
    assert payload["userErrors"] == []
    return str(payload["case"]["number"])


def seen(stage: Stage, number: str) -> Any:
    return stage.ask(stage.token("support"), SEEN, n=number)["case"]["item"]


def health(stage: Stage) -> Any:
    found = stage.ask(stage.token("administrator"), LINKS)["links"]
    return next(row for row in found if row["link"]["department"]["code"] == "health")


@pytest.mark.rule("PD-16")
def test_a_dead_department_is_left_alone_and_gets_everything_once_when_it_is_back(stage: Stage) -> None:
    stage.departments["health"].kill()
    stage.departments["health"].wait()
    numbers = [submitted(stage, person) for person in ("33050219400101301X", "330502194001013028")]
    eventually(lambda: health(stage)["link"]["state"] != "UP")
    attempts = [seen(stage, number)["delivery"]["attempts"] for number in numbers]
    numbers.append(submitted(stage, "330502194001013036"))
    assert eventually(lambda: health(stage)["waiting"] == 3)
    told = seen(stage, numbers[2])
    assert told["link"]["department"]["code"] == "health" and told["link"]["error"]
    assert told["delivery"] == {"state": "PENDING", "attempts": 0}
    stage.start_department("health")
    eventually(lambda: all(seen(stage, number)["delivery"]["state"] == "DELIVERED" for number in numbers))
    after = [seen(stage, number)["delivery"]["attempts"] for number in numbers[:2]]
    assert all(late - early <= 2 for early, late in zip(attempts, after, strict=True)), "waiting is no attempt"
    keys = sorted(row["key"] for row in stage.counter("health").applications())
    assert keys == sorted(f"{number}.{ITEM}" for number in numbers)
    assert health(stage) == {"waiting": 0, "givenUp": 0, "link": {"state": "UP", "department": {"code": "health"}}}


@pytest.mark.rule("PD-16")
def test_a_paused_department_gets_nothing_until_it_is_resumed(stage: Stage) -> None:
    administrator = stage.token("administrator")
    answer = "link { state pauseReason }"
    until = "2099-01-01T00:00:00+08:00"
    paused = stage.do(administrator, "pauseDepartment", answer, department="health", until=until, reason="升级")
    assert paused == {"link": {"state": "UP", "pauseReason": "升级"}, "userErrors": []}
    number = submitted(stage, "330502194001013044")
    assert eventually(lambda: health(stage)["waiting"] == 1)
    assert seen(stage, number)["link"]["pausedUntil"]
    resumed = stage.do(administrator, "resumeDepartment", answer, department="health")
    assert resumed["link"] == {"state": "UP", "pauseReason": None}
    eventually(lambda: seen(stage, number)["delivery"]["state"] == "DELIVERED")
    [error] = stage.do(administrator, "pauseDepartment", answer, department="nobody", until=until, reason="x")[
        "userErrors"
    ]
    assert error["code"] == "OPTION_UNKNOWN"


@pytest.mark.rule("PD-16", "HZ-816")
def test_only_administrators_pause(stage: Stage) -> None:
    pause = "mutation($i: PauseDepartmentInput!) { pauseDepartment(input: $i) { driven } }"
    input_ = {"department": "health", "until": "2099-01-01T00:00:00+08:00", "reason": "x"}
    for role in ("support", "duty-person", "supervisor"):
        [error] = stage.errors(stage.token(role), pause, i=input_)
        assert error["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.rule("PD-16")
def test_a_gateway_that_is_stopped_in_the_middle_of_a_call_ends_it_after_its_next_start(stage: Stage) -> None:
    stage.counter("health").call("DELETE", "/calls")
    stage.counter("health").behave(slow=4)
    number = submitted(stage, "330502194001013052")
    eventually(lambda: stage.counter("health").calls())
    assert stage.gateway is not None
    stage.gateway.terminate()
    stage.gateway.wait(30)
    stage.counter("health").behave(slow=0)
    stage.start_gateway()
    eventually(lambda: seen(stage, number)["delivery"]["state"] == "DELIVERED")
    held = [row["key"] for row in stage.counter("health").applications() if row["key"].startswith(number)]
    assert held == [f"{number}.{ITEM}"]
