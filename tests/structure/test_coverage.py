"""No row of the requirements is claimed without a place and a test; no test claims a row that does not exist."""

from __future__ import annotations

from functools import cache

import pytest

from tests import coverage_table, rules
from tests.coverage_table import ROOT, Row

NOT_ROWS = "AS-"
"""Acceptance scenarios are named in marks too; they are no rows."""


@cache
def claims() -> dict[str, list[str]]:
    return rules.collect(ROOT)


@cache
def index() -> tuple[Row, ...]:
    return tuple(coverage_table.index())


def test_every_row_for_software_has_a_place_and_a_test() -> None:
    assert coverage_table.lacking(index(), coverage_table.places(), claims()) == {}


def test_a_place_that_the_index_names_is_there() -> None:
    for row in index():
        if row.carried:
            file, _, word = row.carried.partition(": ")
            assert word in (ROOT / file).read_text(encoding="utf-8"), f"{row.id}: {row.carried}"


def test_no_test_and_no_place_names_a_row_that_does_not_exist() -> None:
    known = {row.id for row in index()}
    claimed = {*claims(), *coverage_table.places()}
    assert {rule for rule in claimed - known if not rule.startswith(NOT_ROWS)} == set()


def test_rows_for_people_say_why_and_rows_that_others_stand_for_name_them() -> None:
    known = {row.id for row in index()}
    assert [row.id for row in index() if row.kind != "software" and not row.note] == []
    assert [row.id for row in index() if not set(row.stands_for) <= known] == []
    assert sum(row.kind == "people" for row in index()) < 15, "rows for people are few"


def test_the_printed_table_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = claims()
    monkeypatch.setattr(rules, "collect", lambda _: found)
    assert coverage_table.PAGE.read_text(encoding="utf-8") == coverage_table.page(), "run `make coverage`"


@pytest.mark.parametrize(
    "text, ids",
    [
        ("HZ-607", {"HZ-607"}),
        ("HZ-610…613", {"HZ-610", "HZ-611", "HZ-612", "HZ-613"}),
        ("WZ-602…WZ-604", {"WZ-602", "WZ-603", "WZ-604"}),
        ("C-14, PD-20", {"C-14", "PD-20"}),
        ("SM-4 and RFC-9421", set()),
        ("WS-2026-0711 and HZ-YY-2026-0417", set()),  # numbers of certificates
    ],
)
def test_ids_are_found_in_texts(text: str, ids: set[str]) -> None:
    assert coverage_table.named(text) == ids
