"""Backup by the database's own tools while the gateway works, and what comes after a restore."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.kit.registry import manifests
from gateway.domain.identity import check_digit
from tests.acceptance.stage import Stage, eventually, form
from tests.adapters.conftest import address_of, free_pair
from tests.postgres import Server

ASKED = ("health", "civil-affairs")
"""Where the first pushes of a death at home go."""
PEOPLE = [born + check_digit(born) for born in (f"33050219380304{order}" for order in (201, 202, 203))]
STATE = "query($n: String!) { case(number: $n) { items { slug status delivery { state } department { code } } } }"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    for code in ASKED:
        known, port = manifests()[code], made.ports.setdefault(code, free_pair())
        made.variables[known.address_variable] = address_of(known, port, tmp_path)
        made.variables[known.address_variable.removesuffix("URL") + "SECRET"] = "demo"
    yield made
    made.stop()


def shenhou(stage: Stage, *command: str) -> str:
    run = [sys.executable, "-m", "gateway", *command]
    done = subprocess.run(run, env=stage.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def submitted(stage: Stage, person: str) -> str:
    assistant = stage.token("civil-affairs-assistant", department="civil-affairs")
    deceased = {"name": "测试人", "idNumber": person, "hukouArea": "330502"}
    payload = stage.do(assistant, "submitCase", "case { number }", **form(deceased=deceased))
    assert payload["userErrors"] == []
    return str(payload["case"]["number"])


def pushed(stage: Stage, number: str) -> dict[str, str]:
    """Keys of the case's applications and the state of their delivery."""
    found = stage.ask(stage.token("duty-person"), STATE, n=number)["case"]["items"]
    asked = [item for item in found if item["department"] and item["department"]["code"] in ASKED]
    return {f"{number}.{item['slug']}": item["delivery"]["state"] for item in asked if item["status"] != "WAITING"}


def delivered(stage: Stage, number: str) -> bool:
    states = {state for state in pushed(stage, number).values() if state != "NONE"}
    return states == {"DELIVERED"}


def held(stage: Stage) -> list[str]:
    """Case numbers of every application the departments hold; one that is there twice is there twice."""
    keys = [row["key"] for code in ASKED for row in stage.counter(code).applications()]
    assert len(keys) == len(set(keys))
    return sorted({key.split(".")[0] for key in keys})


Restore = Callable[[], str]
"""Puts the backup into a new database and returns its URL."""


def sqlite_backup(stage: Stage, _: pytest.FixtureRequest) -> Restore:
    kept = stage.folder / "backup.sqlite"
    with closing(sqlite3.connect(stage.folder / "shenhou.sqlite")) as live:
        live.execute(f"VACUUM INTO '{kept}'")
    return lambda: f"sqlite:///{kept}"


def postgres_backup(stage: Stage, request: pytest.FixtureRequest) -> Restore:
    server: Server = request.getfixturevalue("postgres")
    dump, restore = server.program("pg_dump"), server.program("pg_restore")
    if dump is None or restore is None:
        pytest.skip("pg_dump and pg_restore are not here")
    kept, url = stage.folder / "backup.dump", stage.variables["SHENHOU_DATABASE_URL"]
    subprocess.run([dump, "-Fc", "-f", kept, "-d", url], check=True)

    def back() -> str:
        fresh: str = request.getfixturevalue("fresh_database")("postgresql")
        subprocess.run([restore, "--no-owner", "-d", fresh, kept], check=True)
        return fresh

    return back


@pytest.mark.parametrize(
    ("kind", "back_up"),
    [
        pytest.param("sqlite", sqlite_backup, id="VACUUM INTO"),
        pytest.param("postgresql", postgres_backup, id="pg_dump"),
    ],
)
def test_what_was_open_at_the_backup_is_finished_and_no_number_comes_again(
    stage: Stage,
    kind: str,
    back_up: Callable[[Stage, pytest.FixtureRequest], Restore],
    fresh_database: Callable[[str], str],
    request: pytest.FixtureRequest,
) -> None:
    if kind == "postgresql":
        stage.variables["SHENHOU_DATABASE_URL"] = fresh_database(kind)
    stage.start_gateway()
    kept = submitted(stage, PEOPLE[0])
    restore = back_up(stage, request)  # its pushes still wait: no department answers
    for code in ASKED:
        stage.start_department(code, callback=False)
    lost = submitted(stage, PEOPLE[1])
    eventually(lambda: delivered(stage, kept) and delivered(stage, lost))
    stage.kill_gateway()

    stage.variables["SHENHOU_DATABASE_URL"] = restore()
    assert "1 ledgers checked, 0 faults" in shenhou(stage, "verify")
    shenhou(stage, "restored")
    stage.start_gateway()
    eventually(lambda: delivered(stage, kept))
    new = submitted(stage, PEOPLE[2])
    eventually(lambda: delivered(stage, new))
    assert held(stage) == sorted({kept, lost, new}) and len({kept, lost, new}) == 3
    assert "2 ledgers checked, 0 faults" in shenhou(stage, "verify")
    stage.kill_gateway()  # its database goes before it does
