"""A gateway that is killed, a department that is away: nothing is lost, nothing happens twice."""

from __future__ import annotations

import random
import signal
import time
from typing import Any

import pytest

from tests.acceptance.stage import Stage, eventually
from tests.acceptance.test_departments import PEOPLE, statuses, submitted


@pytest.fixture
def small_town(tmp_path: Any) -> Any:
    """Health and civil affairs only, and a gateway that tries again quickly."""
    made = Stage(tmp_path)
    from tests.adapters.conftest import free_pair

    made.port = free_pair()
    made.variables["SHENHOU_RETRY_LADDER_S"] = ",".join(["0.5"] * 60)
    made.start_departments("health", "civil-affairs", auto=0.3)
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
    for _ in range(5):
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
