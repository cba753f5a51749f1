"""The vulnerability check never calls unchecked packages clean."""

from __future__ import annotations

import json

import pytest

from tools.audit import CLEAN, KNOWN, NOT_CHECKED, verdict

GOOD = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (1)"}


@pytest.mark.parametrize(
    "found, code, said",
    [
        ([GOOD], CLEAN, "1 packages, nothing known"),
        ([GOOD, BAD], KNOWN, "b 2: PYSEC-1, mended in 3"),
        ([GOOD, UNKNOWN], NOT_CHECKED, "NOT CHECKED: 1 of 2"),
        ([BAD, UNKNOWN], KNOWN, "PYSEC-1"),
        ([], NOT_CHECKED, "NOT CHECKED"),
        (None, NOT_CHECKED, "NOT CHECKED: no network"),
    ],
    ids=["clean", "known", "skipped", "known and skipped", "nothing", "dead line"],
)
def test_what_was_not_checked_is_not_called_clean(found: list[object] | None, code: int, said: str) -> None:
    report = "" if found is None else json.dumps({"dependencies": found, "fixes": []})
    given, lines = verdict("lock", report)
    assert given == code and said in "\n".join(lines)
