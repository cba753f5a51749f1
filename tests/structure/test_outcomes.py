"""docs/outcomes.md: every row has all its cells, and names a test that is there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CELLS = 8
NAMED = re.compile(r"`([a-z]+/test_\w+\.py)::(test_\w+)`")
OWN = ("integration/test_outcomes.py", "acceptance/test_outcomes.py", "adapters/test_contract_outcomes.py")
"""Files whose tests all stand in the table."""


@cache
def rows() -> list[list[str]]:
    """Rows of the table, without its head and the rows that are only titles."""
    lines = (ROOT / "docs" / "outcomes.md").read_text(encoding="utf-8").splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in table[2:] if any(row[1:])]


@cache
def written(file: str) -> set[str]:
    """Names of the tests of a file below ``tests``; none where there is no such file."""
    path = ROOT / "tests" / file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return set(re.findall(r"^(?:async )?def (test_\w+)\(", text, re.MULTILINE))


def test_every_row_names_a_test_that_exists() -> None:
    named = {row[0]: NAMED.fullmatch(row[-1]) for row in rows()}
    assert [what for what, test in named.items() if test is None or test[2] not in written(test[1])] == []


def test_every_row_says_what_becomes_of_everything() -> None:
    assert len(rows()) > 50, "the table was not found"
    assert [row[0] for row in rows() if len(row) != CELLS or not all(row)] == []
    assert len({row[0] for row in rows()}) == len(rows())


def test_every_test_of_outcomes_stands_in_a_row() -> None:
    named = {row[-1].strip("`") for row in rows()}
    assert {f"{file}::{test}" for file in OWN for test in written(file)} - named == set()
