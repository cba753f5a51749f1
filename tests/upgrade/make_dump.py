"""Writes the database of a release, with work in it that waits, as SQL text: ``test_upgrade.py`` finishes it later.

To be run once per release, from a checkout of that release:
``PYTHONPATH=<the checkout> python tests/upgrade/make_dump.py <release>``.  All persons are invented.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from adapters.kit.registry import manifests
from tests.acceptance.stage import Stage, eventually, form
from tests.adapters.conftest import address_of, free_pair

KEYS = json.loads(Path(__file__).with_name("keys.json").read_text(encoding="utf-8"))

SILENT = ("health", "civil-affairs", "public-security", "social-security", "medical-insurance", "housing-fund")
ATTEMPTS = "query($n: String!) { case(number: $n) { items { slug delivery { state attempts } } } }"


def fill(stage: Stage) -> None:
    """One case just reported, one cremated whose pushes all wait, since no department answers."""
    clerk = stage.token("civil-affairs-assistant", department="civil-affairs", name="姚丽")
    answer = "created case { number }"
    person = {"name": "施阿大", "idNumber": "330502195003074419", "sex": "MALE", "hukouArea": "330502"}
    reported = stage.do(clerk, "submitCase", answer, **form(deceased=person))
    cremated = stage.do(clerk, "submitCase", answer, **form())
    assert reported["userErrors"] == cremated["userErrors"] == [], (reported, cremated)
    number = cremated["case"]["number"]
    for department, item, certificate in (
        ("health", "death-cert-normal", "DEATH_MEDICAL"),
        ("civil-affairs", "funeral-service", None),
        ("civil-affairs", "cremation-cert", "CREMATION"),
    ):
        papers = [{"type": certificate, "number": "X-1", "issuedAt": "2025-11-08T21:30:00+08:00"}]
        specialist = stage.token("specialist", department=department)
        given = {"certificates": papers} if certificate else {}
        done = stage.do(
            specialist, "completeItem", "acknowledgement", caseNumber=number, item=item, serial=item, **given
        )
        assert done["acknowledgement"] == "APPLIED", done
    duty = stage.token("duty-person")

    def all_failed_once() -> bool:
        items = stage.ask(duty, ATTEMPTS, n=number)["case"]["items"]
        waiting = [item["delivery"] for item in items if item["delivery"]["state"] == "PENDING"]
        return len(waiting) >= 5 and all(way["attempts"] for way in waiting)

    eventually(all_failed_once)


def statements(database: Path) -> Iterable[str]:
    with sqlite3.connect(database) as connection:
        yield from connection.iterdump()


def main(release: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage = Stage(folder)
        stage.variables.update(KEYS)
        for code in SILENT:
            known = manifests()[code]
            stage.variables[known.address_variable] = address_of(known, free_pair(), folder)
            stage.variables[known.address_variable.removesuffix("URL") + "SECRET"] = "demo"
        stage.start_gateway()
        try:
            fill(stage)
        finally:
            stage.kill_gateway()
        text = "\n".join(statements(folder / "shenhou.sqlite"))
    Path(__file__).with_name(f"{release}.sql").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
