"""The files are YAML 1.2: what other programs would take for a boolean, an octal or a time of day stays what it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway import plain_yaml


@pytest.mark.parametrize(
    "written, read",
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("", None),
        ("null", None),
        ("330502", 330502),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("1:30", "1:30"),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("'010'", "010"),
        ("2025-11-07", date(2025, 11, 7)),
        ("2025-11-07T14:10:00Z", datetime(2025, 11, 7, 14, 10, tzinfo=UTC)),
    ],
)
def test_a_word_is_what_yaml_1_2_says(written: str, read: Any) -> None:
    found = plain_yaml.read(f"key: {written}")["key"]
    assert (found, type(found)) == (read, type(read))


@pytest.mark.parametrize("written", ["330302", "2019-11-18T17:00:00+08:00", "1.50"])
def test_numbers_and_times_can_stay_as_they_are_written(written: str) -> None:
    assert plain_yaml.read(f"key: {written}", as_written=True) == {"key": written}


@pytest.mark.parametrize(
    "text, line",
    [("a: 1\nb: {c: 1, c: 2}\n", 2), ("a: 1\nb: [\n", 3), ("a: 1\n\tb: 2\n", 2), ("a: *nobody\n", 1), ("a: \x07", 1)],
)
def test_what_is_not_yaml_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(plain_yaml.NotYaml) as found:
        plain_yaml.read(text)
    assert found.value.line == line and found.value.problem


def test_no_object_is_made_from_a_file() -> None:
    with pytest.raises(plain_yaml.NotYaml):
        plain_yaml.read("!!python/object/apply:os.system [id]")


@pytest.mark.parametrize(
    "loc, line",
    [((), 1), (("a",), 1), (("b",), 2), (("b", 1), 4), (("b", 1, "d"), 5), (("b", 1, "x"), 4), (("x", 0), 1)],
)
def test_a_place_is_found_as_deep_as_it_goes(loc: tuple[str | int, ...], line: int) -> None:
    assert plain_yaml.line("a: 1\nb:\n  - {c: 1}\n  - c: 2\n    d: 3\n", loc) == line
