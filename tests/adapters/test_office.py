"""The inside of a stand-in: what its books do with corrections and reversals."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from mocks.elderly_care import FILE, ElderlyCare
from mocks.kit.office import Application, Office

KEY = "HZ2026112400004.medical-account-settlement"


def told(office: Office, round_: int = 0, **fields: object) -> Application:
    return office.receive(KEY, "01", {"psn": {"name": "沈福根"}, **fields}, round_)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office("office", tmp_path)


def test_books_of_former_days_are_still_read(office: Office, tmp_path: Path) -> None:
    told(office)
    database = sqlite3.connect(tmp_path / "office.sqlite")
    (body,) = database.execute("SELECT body FROM application").fetchone()
    former = {
        name: value for name, value in json.loads(body).items() if name not in ("undoes", "undone", "corrections")
    }
    with database:
        database.execute("UPDATE application SET body=?", (json.dumps(former),))
    (found,) = office.all()
    assert (found.undoes, found.undone, found.corrections) == ("", False, [])


def test_a_correction_is_noted_by_the_names_of_what_changed(office: Office) -> None:
    office.finish(told(office), [("余额", 480_000)])
    again = office.receive(KEY, "01", {"psn": {"name": "沈福庚"}, "place": "家中"}, 1)
    assert (again.state, [item.fen for item in again.sums], again.corrections) == (
        "done",
        [480_000],
        ["更正：name、place"],
    )
    assert told(office, 1).payload["psn"] == {"name": "沈福庚"}, "the same round again changes nothing"


def test_an_answer_to_a_correction_opens_the_application_again(office: Office) -> None:
    office.ask_correction(told(office), "材料不清晰", ["参保凭证"])
    again = told(office, 1, memo="已重新上传")
    assert (again.state, again.note, again.missing, again.corrections) == ("registered", "", [], [])


@pytest.mark.parametrize("state", ["registered", "accepted", "done"])
def test_the_clerk_is_through_with_what_was_undone(office: Office, state: str) -> None:
    first = told(office)
    if state == "accepted":
        office.accept(first)
    elif state == "done":
        office.finish(first, [("余额", 480_000)])
        office.instruct(first, first.sums[0].serial, {"holder": "沈丽娟"})
    undo = office.receive(f"{KEY}.R", "01", {}, 0, KEY)
    office.undo(undo)
    assert office.open() == []
    original = office.get(KEY)
    assert original is not None
    assert (original.undone, original.sums) == (True, [])


def test_what_was_paid_stays_in_the_books_of_an_undone_application(office: Office) -> None:
    first = told(office)
    office.finish(first, [("余额", 480_000), ("补助", 100_000)])
    office.pay(first, first.sums[0].serial)
    office.undo(office.receive(f"{KEY}.R", "01", {}, 0, KEY))
    original = office.get(KEY)
    assert original is not None
    assert [(item.fen, item.state) for item in original.sums] == [(480_000, "paid")]


def test_an_exchange_database_of_former_days_takes_reversals(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("CREATE TABLE T_SWRY_IN (JLBH, BZCS, YWLX, CLBZ)")
    ElderlyCare(tmp_path, None, None)
    columns = {row[1] for row in sqlite3.connect(tmp_path / FILE).execute("PRAGMA table_info(T_SWRY_IN)")}
    assert {"CZLX", "YJLBH", "CXYY"} <= columns
