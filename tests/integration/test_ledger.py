"""The ledger: one hash chain per case, whoever touches it; and nothing personal that can be read from the file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import Connection, Table, Update, delete, func, insert, literal, select, update

from gateway.domain.department import Outcome
from gateway.domain.fold import fold
from gateway.services import case_care
from gateway.store import cases
from gateway.store.seal import IndexKey, Seal
from gateway.store.session import Database
from gateway.store.tables import cases as cases_table
from gateway.store.tables import family, items, ledger, open_deceased, payouts, reversals, write_backs
from tests.builders import (
    CARD,
    DAUGHTER,
    SHEN_FUGEN,
    SHEN_LIJUAN,
    SON,
    World,
    hz_account,
    hz_form,
    moment,
    payment,
)
from tests.integration.conftest import SEAL
from tests.integration.test_submission import SON_FORM

pytestmark = pytest.mark.databases

Tampering = Callable[[Connection, str], Any]
L = ledger.c


@pytest.fixture
def full(world: World) -> World:
    """A case in which about everything has happened."""
    world.until_cremation(hz_form(account=hz_account()))
    sums = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345), payment("2", "MEDICAL_ACCOUNT_BALANCE", -1))
    world.report("medical-insurance", "medical-account-settlement", "m-1", Outcome.COMPLETED, payments=sums)
    world.report("public-security", "hukou-deregistration", "p-1", Outcome.CORRECTION, reason="请补户口簿")
    world.report("bank", "hukou-deregistration", "b-1", Outcome.COMPLETED)
    world.not_delivered("housing-fund-death-withdrawal")
    with world.acting(SON) as ctx:
        case_care.ask_to_join(ctx, world.number, SON_FORM)
    with world.acting(DAUGHTER) as ctx:
        case_care.note(ctx, world.number, "FOLLOW_UP", "家属沈丽娟表示满意")
    return world


def row(connection: Connection, number: str, seq: int) -> dict[str, Any]:
    found = connection.execute(select(ledger).where(L.number == number, L.seq == seq)).mappings().one()
    return dict(found)


def put(connection: Connection, number: str, entry: int, **values: Any) -> None:
    connection.execute(update(ledger).where(L.number == number, L.seq == entry).values(**values))


def exchange(connection: Connection, number: str) -> None:
    """Entries 3 and 4 change places, with everything in them."""
    three, four = row(connection, number, 3), row(connection, number, 4)
    connection.execute(delete(ledger).where(L.number == number, L.seq.in_((3, 4))))
    connection.execute(insert(ledger).values(**{**three, "seq": 4}))
    connection.execute(insert(ledger).values(**{**four, "seq": 3}))


TAMPERINGS: dict[str, Tampering] = {
    "time altered": lambda c, n: put(c, n, 3, at=row(c, n, 1)["at"].replace(year=2020)),
    "role altered": lambda c, n: put(c, n, 3, actor_role="nobody"),
    "department altered": lambda c, n: put(c, n, 3, actor_department="nobody"),
    "kind altered": lambda c, n: put(c, n, 3, type="case.noted"),
    "body altered": lambda c, n: put(c, n, 3, body=row(c, n, 3)["body"][:-1] + b"\x00\x01"),
    "body emptied": lambda c, n: put(c, n, 3, body=b""),
    "body of another entry": lambda c, n: put(c, n, 3, body=row(c, n, 4)["body"]),
    "hash altered": lambda c, n: put(c, n, 3, hash="f" * 64),
    "previous altered": lambda c, n: put(c, n, 3, previous="f" * 64),
    "first removed": lambda c, n: c.execute(delete(ledger).where(L.number == n, L.seq == 1)),
    "one removed": lambda c, n: c.execute(delete(ledger).where(L.number == n, L.seq == 5)),
    "last removed": lambda c, n: c.execute(delete(ledger).where(L.number == n, L.seq >= 12)),
    "all removed": lambda c, n: c.execute(delete(ledger).where(L.number == n)),
    "two exchanged": exchange,
    "one renumbered": lambda c, n: put(c, n, 5, seq=500),
    "content altered": lambda c, n: put(c, n, 3, content="f" * 64),
    "present state thrown away": lambda c, n: c.execute(delete(cases_table).where(cases_table.c.number == n)),
}


def change(table: Table, number: str, **values: Any) -> Update:
    return update(table).where(table.c.number == number).values(**values)


def older_body(connection: Connection, number: str) -> None:
    """The present state as it was before the last change."""
    with_seal = connection.execute(select(cases_table.c.body).where(cases_table.c.number == number)).scalar_one()
    plain = json.loads(SEAL.open(with_seal, f"case:{number}"))
    plain["notes"] = []
    plain["payouts"] = {}
    body = SEAL.close(json.dumps(plain).encode(), f"case:{number}")
    connection.execute(change(cases_table, number, body=body))


def first(connection: Connection, table: Table, number: str, **values: Any) -> None:
    key = next(column for column in table.primary_key.columns if column.name != "number")
    one = select(func.min(key)).where(table.c.number == number).scalar_subquery()
    connection.execute(update(table).where(table.c.number == number, key == one).values(**values))


STATE_TAMPERINGS: dict[str, Tampering] = {
    "body replaced": older_body,
    "body broken": lambda c, n: c.execute(change(cases_table, n, body=b"")),
    "area altered": lambda c, n: c.execute(change(cases_table, n, area="330503")),
    "status altered": lambda c, n: c.execute(change(cases_table, n, status="CLOSED")),
    "closed": lambda c, n: c.execute(change(cases_table, n, closed_at=moment("2025-11-12 10:00"))),
    "not to be found by its deceased": lambda c, n: c.execute(change(cases_table, n, deceased_index=None)),
    "item status altered": lambda c, n: first(c, items, n, status="COMPLETED"),
    "due time moved": lambda c, n: c.execute(change(items, n, due_at=moment("2030-01-01 00:00"))),
    "item hidden from lists": lambda c, n: c.execute(delete(items).where(items.c.slug == "hukou-deregistration")),
    "sum altered": lambda c, n: first(c, payouts, n, fen=1),
    "paid": lambda c, n: first(c, payouts, n, status="PAID"),
    "sum added": lambda c, n: c.execute(insert(payouts).from_select(payouts.c, another_sum(n))),
    "reversal added": lambda c, n: c.execute(insert(reversals).values(**reversal(n))),
    "stranger let in": lambda c, n: c.execute(insert(family).values(subject="stranger", number=n)),
    "relative put out": lambda c, n: c.execute(delete(family).where(family.c.number == n)),
    "second case made possible": lambda c, n: c.execute(delete(open_deceased)),
    "a refusal made an acceptance": lambda c, n: c.execute(change(write_backs, n, outcome="APPLIED")),
    "another message made the known one": lambda c, n: first(c, write_backs, n, content="0" * 64),
    "a message dated back": lambda c, n: first(c, write_backs, n, at=moment("2025-11-01 00:00")),
    "an answer moved to another message": lambda c, n: first(c, write_backs, n, serial="another"),
    "a message made up": lambda c, n: c.execute(insert(write_backs).from_select(write_backs.c, another_message(n))),
}


def another_sum(number: str) -> Any:
    columns = [literal("more").label("payout") if column.name == "payout" else column for column in payouts.c]
    return select(*columns).where(payouts.c.number == number).limit(1)


def another_message(number: str) -> Any:
    columns = [literal("more").label("serial") if column.name == "serial" else column for column in write_backs.c]
    return select(*columns).where(write_backs.c.number == number).limit(1)


def reversal(number: str) -> dict[str, Any]:
    values = {"number": number, "slug": "hukou-deregistration", "area": "330502", "department": "public-security"}
    return {**values, "status": "REQUESTED", "delivery": "PENDING", "since": moment("2025-11-12 10:00")}


@pytest.mark.rule("PD-06", "HZ-904")
def test_an_untouched_ledger_has_no_fault(full: World) -> None:
    assert full.faults() == []


@pytest.mark.rule("PD-06", "HZ-904")
@pytest.mark.parametrize("tampering", TAMPERINGS.values(), ids=TAMPERINGS.keys())
@pytest.mark.tampers
def test_whatever_is_done_to_the_ledger_is_found(full: World, tampering: Tampering) -> None:
    with full.database.write() as tx:
        tampering(tx.connection, full.number)
    assert full.faults() != []


@pytest.mark.rule("PD-06", "HZ-904")
@pytest.mark.parametrize("tampering", STATE_TAMPERINGS.values(), ids=STATE_TAMPERINGS.keys())
@pytest.mark.tampers
def test_whatever_is_done_to_the_present_state_is_found(full: World, tampering: Tampering) -> None:
    with full.database.write() as tx:
        tampering(tx.connection, full.number)
    found = full.faults()
    assert found != []
    assert not [private for private in PRIVATE if private in "".join(found)]


@pytest.mark.rule("HZ-904")
@pytest.mark.tampers
def test_the_chains_of_two_cases_are_apart(full: World) -> None:
    from tests.builders import hz_deceased

    first = full.number
    full.submit(hz_form(deceased=hz_deceased(id_number=SHEN_LIJUAN)))
    with full.database.write() as tx:
        put(tx.connection, full.number, 1, hash="f" * 64)
    assert full.faults() != []
    full.number = first
    assert full.faults() == []


def test_the_present_state_is_the_fold_of_the_ledger(full: World) -> None:
    with full.database.read() as tx:
        entries = cases.entries(tx, [full.number])[full.number]
    assert asdict(fold((entry.at, entry.event) for entry in entries)) == asdict(full.case())
    assert [entry.seq for entry in entries] == list(range(1, full.case().revision + 1))


@pytest.mark.rule("PD-15")
def test_every_entry_names_who_did_it(full: World) -> None:
    with full.database.read() as tx:
        entries = cases.entries(tx, [full.number])[full.number]
    told = {(entry.event.type, entry.actor.role, entry.actor.name) for entry in entries}
    assert ("case.reported", "civil-affairs-assistant", "姚丽") in told
    assert ("case.noted", "family", "沈丽娟") in told
    by = {entry.actor.department for entry in entries if entry.event.type == "write_back.refused"}
    assert by == {"bank"}


# ── personal data at rest ───────────────────────────────────────────────────────────────────────────────

PRIVATE = [
    "沈福根",
    "沈丽娟",
    "沈建国",
    "姚丽",
    SHEN_FUGEN,
    SHEN_LIJUAN,
    "13757210001",
    "13757219999",
    CARD,
    "吴兴区家中",
    "户口簿",
    "满意",
]


@pytest.mark.rule("PD-15", "HZ-816")
def test_nothing_personal_can_be_read_from_the_files(full: World, tmp_path: Path) -> None:
    if not full.database.sqlite:
        pytest.skip("looks into the SQLite files")
    found = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("shenhou.db*")))
    assert len(found) > 50_000 and full.number.encode() in found
    for private in PRIVATE:
        for encoding in ("utf-8", "gb18030", "utf-16-le"):
            assert private.encode(encoding) not in found, private


@pytest.mark.rule("PD-15")
def test_nothing_personal_stands_in_any_open_column(full: World) -> None:
    from gateway.store.tables import metadata

    with full.database.read() as tx:
        for table in metadata.sorted_tables:
            for found in tx.connection.execute(select(table)).mappings():
                shown = repr({name: value for name, value in found.items() if not isinstance(value, bytes)})
                assert not [private for private in PRIVATE if private in shown], table.name


def test_without_the_key_a_case_cannot_be_read(full: World, tmp_path: Path) -> None:
    if not full.database.sqlite:
        pytest.skip("opens the SQLite file a second time")
    stranger = Database(f"sqlite:///{tmp_path}/shenhou.db", Seal({1: b"2" * 32}, [IndexKey(1, b"i" * 32)]))
    with stranger.read() as tx, pytest.raises(InvalidTag):
        cases.get(tx, full.number)
    stranger.dispose()
    plain = sqlite3.connect(tmp_path / "shenhou.db")
    (count,) = plain.execute("SELECT count(*) FROM ledger").fetchone()
    plain.close()
    assert count > 12
