"""Work that a former release left is finished by this one."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.stage import Stage, eventually
from tests.upgrade import old

STATE = "query($n: String!) { case(number: $n) { items { slug delivery { state } } } }"
DEPARTMENTS = ("health", "civil-affairs", "public-security", "social-security", "medical-insurance", "housing-fund")


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[Stage]:
    """The database of 0.1.0, whose gateway was killed, under a gateway of today; the departments are back."""
    old.file_of("0.1.0", tmp_path / "shenhou.sqlite")
    stage = Stage(tmp_path)
    stage.variables.update(old.KEYS)
    for code in DEPARTMENTS:
        stage.start_department(code, callback=False)
    stage.start_gateway()
    yield stage
    stage.stop()


def delivered(stage: Stage, number: str) -> set[str]:
    found = stage.ask(stage.token("duty-person"), STATE, n=number)["case"]["items"]
    return {f"{number}.{item['slug']}" for item in found if item["delivery"]["state"] == "DELIVERED"}


def test_pushes_that_waited_under_the_old_release_arrive_once_under_the_new(upgraded: Stage, tmp_path: Path) -> None:
    old.file_of("0.1.0", tmp_path / "before.sqlite")
    with sqlite3.connect(tmp_path / "before.sqlite") as before:
        waits = "delivery = 'PENDING' AND finished_at IS NULL"
        waiting = sorted(before.execute(f"SELECT number || '.' || slug, reached_through FROM items WHERE {waits}"))
    assert {code for _, code in waiting} == set(DEPARTMENTS)
    eventually(
        lambda: {key for key, _ in waiting} <= delivered(upgraded, old.REPORTED) | delivered(upgraded, old.CREMATED)
    )
    assert (
        sorted((row["key"], code) for code in DEPARTMENTS for row in upgraded.counter(code).applications()) == waiting
    )
    verify = [sys.executable, "-m", "gateway", "verify"]
    checked = subprocess.run(verify, env=upgraded.environment, capture_output=True, text=True)
    assert "2 ledgers checked, 0 faults" in checked.stdout
