"""Calendar data against an oracle: every day of every announced year, and the shape of each file."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import chinese_calendar  # type: ignore[import-untyped]
import pytest

import gateway
from gateway import plain_yaml

FOLDER = Path(gateway.__file__).parent / "policy" / "data" / "calendar"
FILES = sorted(FOLDER.glob("*.yaml"))


def load(path: Path) -> dict[str, Any]:
    return plain_yaml.read(path.read_text(encoding="utf-8"))


def dates(groups: dict[str, list[str]]) -> list[date]:
    return [date.fromisoformat(text) for texts in groups.values() for text in texts]


def announced() -> list[Path]:
    return [path for path in FILES if load(path)["status"] == "announced"]


def test_every_year_since_2019_is_there() -> None:
    years = [int(path.stem) for path in FILES]
    assert years[0] == 2019
    assert years == list(range(2019, 2019 + len(years)))
    assert years[-1] >= 2026


@pytest.mark.parametrize("path", announced(), ids=lambda path: path.stem)
def test_file_says_what_it_is(path: Path) -> None:
    data = load(path)
    assert set(data) == {"year", "status", "source", "days_off", "make_up_days"}
    assert data["year"] == int(path.stem)
    assert f"{data['year']}年部分节假日安排的通知" in data["source"]
    assert "国办发明电〔" in data["source"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_dates_are_of_that_year_once_and_on_the_right_weekdays(path: Path) -> None:
    data = load(path)
    off, worked = dates(data["days_off"]), dates(data["make_up_days"])
    assert all(day.year == data["year"] for day in off + worked)
    assert len(set(off + worked)) == len(off + worked), "a date is listed twice"
    assert all(day.weekday() >= 5 for day in worked), "a make-up day is not on a weekend"


@pytest.mark.rule("PD-01")
@pytest.mark.parametrize("path", announced(), ids=lambda path: path.stem)
def test_every_day_agrees_with_the_oracle(path: Path) -> None:
    data = load(path)
    off, worked = set(dates(data["days_off"])), set(dates(data["make_up_days"]))
    day, wrong = date(data["year"], 1, 1), []
    while day.year == data["year"]:
        works = day in worked or (day.weekday() < 5 and day not in off)
        if works != chinese_calendar.is_workday(day):
            wrong.append(day.isoformat())
        day += timedelta(days=1)
    assert wrong == []
