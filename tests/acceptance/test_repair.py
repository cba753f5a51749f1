"""A department loses its database while items are open; the gateway notices by itself and tells it again, once."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.stage import Stage, eventually, form
from tests.acceptance.test_departments import PEOPLE, submitted
from tests.adapters.conftest import free_pair

ITEMS = """query($n: String!) { case(number: $n) { items { slug status delivery { state } }
  timeline(first: 200) { nodes { type reason { code message(language: EN) } } } } }"""
LOST = "health"


@pytest.fixture
def forgetful_town(tmp_path: Path) -> Iterator[Stage]:
    """Two departments whose clerks do nothing, and a gateway that sweeps twice a second."""
    made = Stage(tmp_path)
    made.port = free_pair()
    made.variables["SHENHOU_REPAIR_PAUSE_S"] = "0.5"
    made.variables["SHENHOU_REPAIR_CONFIRM_S"] = "1"
    for code in (LOST, "civil-affairs"):
        made.start_department(code)
    made.start_gateway()
    yield made
    made.stop()


def doctor(stage: Stage, *options: str) -> tuple[int, Any]:
    command = [sys.executable, "-m", "gateway", "doctor", "--json", *options]
    done = subprocess.run(command, env=stage.environment, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def delivered(stage: Stage, number: str) -> bool:
    items = stage.ask(stage.token("duty-person"), ITEMS, n=number)["case"]["items"]
    states = {item["delivery"]["state"] for item in items if item["status"] == "DISPATCHED"}
    return states <= {"DELIVERED", "NONE"} and "DELIVERED" in states


def keys(stage: Stage, code: str) -> list[str]:
    return [application["key"] for application in stage.counter(code).applications()]


@pytest.mark.rule("PD-16")
def test_a_department_that_lost_its_database_is_told_again_and_holds_each_application_once(
    forgetful_town: Stage,
) -> None:
    stage = forgetful_town
    numbers = [submitted(stage, person) for person in PEOPLE[:3]]
    for number in numbers:
        eventually(lambda n=number: delivered(stage, n))
    before = {code: sorted(keys(stage, code)) for code in (LOST, "civil-affairs")}
    assert all(before.values())

    stage.departments[LOST].kill()
    stage.departments[LOST].wait()
    books = [path for path in (stage.folder / "departments").iterdir() if path.name.startswith(f"{LOST}.sqlite")]
    assert books
    for path in books:
        path.unlink()
    stage.start_department(LOST)

    eventually(lambda: sorted(keys(stage, LOST)) == before[LOST])
    for number in numbers:
        eventually(lambda n=number: delivered(stage, n))
        nodes = stage.ask(stage.token("duty-person"), ITEMS, n=number)["case"]["timeline"]["nodes"]
        lost = [node for node in nodes if node["type"] == "delivery.lost"]
        assert [node["reason"]["code"] for node in lost] == ["DELIVERY_LOST"]
        assert "no longer knows the application" in lost[0]["reason"]["message"]
    assert sorted(keys(stage, "civil-affairs")) == before["civil-affairs"]
    assert set(Counter(keys(stage, LOST)).values()) == {1}

    administrator = stage.token("administrator")
    query = "{ health { finishedAt findings { code standing count meaning(language: EN) } } }"
    found = stage.ask(administrator, query)["health"]
    healed = {(one["code"], one["standing"]): one["count"] for one in found["findings"]}
    assert found["finishedAt"] and healed == {("NOT_KNOWN_THERE", "HEALED"): len(before[LOST])}
    assert stage.errors(stage.token("support"), query)[0]["extensions"]["code"] == "FORBIDDEN"
    code, seen = doctor(stage)
    assert (code, seen["findings"]) == (0, [])
    assert list(seen["executors"].values()) == [True]


@pytest.mark.rule("PD-16")
def test_the_doctor_works_beside_a_running_gateway(forgetful_town: Stage) -> None:
    stage = forgetful_town
    stage.variables["SHENHOU_REPAIR_PAUSE_S"] = "0"
    stage.kill_gateway()
    stage.start_gateway()
    number = submitted(stage, PEOPLE[0])
    eventually(lambda: delivered(stage, number))
    database = sqlite3.connect(stage.folder / "shenhou.sqlite", timeout=30)
    with database:
        database.execute("UPDATE items SET status = 'COMPLETED' WHERE slug = 'death-cert-normal'")
    code, seen = doctor(stage, "--case", number)
    assert (code, [(one["code"], one["standing"]) for one in seen["findings"]]) == (0, [("ROWS_DIFFER", "HEALABLE")])
    code, seen = doctor(stage, "--heal")
    assert (code, [(one["code"], one["standing"]) for one in seen["findings"]]) == (0, [("ROWS_DIFFER", "HEALED")])
    assert doctor(stage)[1]["findings"] == []
    with database:
        database.execute("UPDATE ledger SET actor_role = 'nobody' WHERE seq = 2")
    database.close()
    code, seen = doctor(stage, "--heal")
    assert (code, seen["needsPerson"], seen["findings"][0]["code"]) == (1, 1, "LEDGER_BROKEN")
    assert form()["deceased"]["name"] not in json.dumps(seen, ensure_ascii=False)
