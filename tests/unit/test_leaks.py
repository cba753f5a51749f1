"""The search for personal data finds what it has to find; else a suite without leaks would prove nothing."""

from __future__ import annotations

import pytest

from tests.leaks import known, leaks


@pytest.mark.rule("PD-15")
@pytest.mark.parametrize(
    "text",
    ["id=330502193910109559,", "x 13857201234", "6222021205001234567", "沈福根 asked", "李德福", "430621195205209156"],
)
def test_what_a_person_is_known_by_is_found(text: str) -> None:
    assert leaks(b"\x00 2026-11-24 INFO " + text.encode() + b"\x00") != []


@pytest.mark.parametrize(
    "text",
    [
        "43062119520520" + "9158",
        "case=HZ2026112400001 seen=True",
        "subject=i01cd77d6712b52bc3216646db8a563fb71a385e",
        "公安",
    ],
)
def test_what_is_nobodys_is_not(text: str) -> None:
    assert leaks(text.encode()) == []


def test_whole_persons_are_looked_for() -> None:
    assert len(known()) > 60 and all(len(word) >= 6 for word in known())
