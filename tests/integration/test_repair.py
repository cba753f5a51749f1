"""The repair sweep: what is kept is broken by hand, found, healed, and found no more; and the sweep's turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from dbos import DBOS
from sqlalchemy import delete, insert, select, text, update

from gateway.domain import events as e
from gateway.domain.department import Outcome, Record
from gateway.services import comparison, revocation
from gateway.store import shared as shared_store
from gateway.store import tables as t
from gateway.store.cases import deceased_indexes
from gateway.store.session import Database
from tests import yueyang
from tests.builders import DUTY, hz_form, moment, payment
from tests.repair_stand import (
    FUND,
    MEDICAL,
    Stand,
)


def test_of_a_sound_case_nothing_is_found(underway: Stand) -> None:
    before = underway.image()
    assert underway.doctor(heal=True) == []
    assert underway.image() == before


# ── ledger and present state ────────────────────────────────────────────────────────────────────────────


@pytest.mark.tampers
def test_a_broken_ledger_is_reported_and_nothing_of_it_is_touched(underway: Stand) -> None:
    c = t.ledger.c
    mine = (c.number == underway.world.number, c.seq == 3)
    underway.break_(update(t.ledger).where(*mine).values(actor_role="nobody"))
    underway.break_(update(t.items).where(t.items.c.slug == FUND).values(status="COMPLETED"))
    before = underway.image()
    assert underway.doctor(heal=True) == ["LEDGER_BROKEN  PERSON"]
    assert underway.image() == before


@pytest.mark.tampers
def test_a_case_whose_row_is_gone_is_reported(underway: Stand) -> None:
    underway.break_(delete(t.cases))
    assert [line.split()[0] for line in underway.doctor(heal=True)] == ["LEDGER_BROKEN"]


def another_body(stand: Stand) -> bytes:
    from gateway.store.cases import _CASE

    case = stand.world.case()
    case.items[FUND].reference = "forged"
    with stand.database.read() as tx:
        return tx.seal.close(_CASE.dump_json(case), f"case:{case.number}")


@pytest.mark.parametrize("how", ["another", "unreadable"])
def test_a_body_that_is_not_the_fold_of_the_ledger_is_written_anew(underway: Stand, how: str) -> None:
    right = underway.world.case()
    body = another_body(underway) if how == "another" else b"rubbish"
    underway.break_(update(t.cases).values(body=body))
    underway.must_heal("STATE_DIFFERS ")
    assert underway.world.case() == right


BROKEN_ROWS = {
    "cases": update(t.cases).values(status="CLOSED"),
    "cases looked at too late": update(t.cases).values(attention_at=None),
    "cases by name": update(t.cases).values(name_index="x"),
    "items": update(t.items).where(t.items.c.slug == FUND).values(delivery="PENDING"),
    "items missing": delete(t.items).where(t.items.c.slug == FUND),
    "items due": update(t.items).where(t.items.c.slug == FUND).values(due_at=moment("2030-01-01 00:00")),
    "family": delete(t.family),
    "open_deceased": delete(t.open_deceased),
    "open_deceased of another": update(t.open_deceased).values(number="HZ2020010100001"),
}


@pytest.mark.parametrize("how", BROKEN_ROWS)
def test_rows_a_case_is_found_by_are_written_anew(underway: Stand, how: str) -> None:
    before = underway.image()
    underway.break_(BROKEN_ROWS[how])
    underway.must_heal("ROWS_DIFFER ")
    after = underway.image()
    rows = ("items", "payouts", "reversals", "family", "open_deceased")
    assert {name: after[0][name] for name in rows} == {name: before[0][name] for name in rows}
    assert how.split()[0] in ("cases", *rows)


def test_rows_that_belong_to_nothing_go(underway: Stand) -> None:
    number = underway.world.number
    row = dict(zip(t.items.columns.keys(), (number, "no-such-item"), strict=False))
    row |= {
        "jurisdiction": "hz",
        "area": "330502",
        "status": "DISPATCHED",
        "calendar_missing": False,
        "delivery": "NONE",
    }
    stranger = insert(t.family).values(subject="stranger", number=number)
    underway.break_(insert(t.items).values(row), stranger)
    underway.must_heal("ROWS_DIFFER ")
    with underway.database.read() as tx:
        assert "stranger" not in set(tx.connection.execute(select(t.family.c.subject)).scalars())


def test_payouts_and_reversals_are_rows_too(underway: Stand) -> None:
    world = underway.world
    sums = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    world.report("medical-insurance", MEDICAL, "m-1", payments=sums)
    with world.acting(DUTY) as ctx:
        revocation.revoke(ctx, world.number, "误报")
    underway.doctor(heal=True)  # the account of a sum that was cancelled waits in the engine
    underway.break_(update(t.payouts).values(fen=1), update(t.reversals).values(status="COMPLETED"))
    found = underway.found()
    assert [(one.code, one.facts["detail"]) for one in found] == [("ROWS_DIFFER", "payouts, reversals")]
    underway.must_heal("ROWS_DIFFER ")


@pytest.mark.rule("PD-07")
@pytest.mark.tampers
def test_two_open_cases_of_one_deceased_are_for_a_person(underway: Stand) -> None:
    world, first = underway.world, underway.world.number
    underway.break_(delete(t.open_deceased))
    world.submit(hz_form(), key="second")
    underway.deliver_all()
    before = underway.image()
    assert underway.doctor(heal=True) == ["TWO_OPEN_CASES  PERSON"]
    assert underway.found(number=first)[0].facts["detail"] == world.number
    assert underway.image() == before


# ── shared records ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def county(database: Database) -> Stand:
    """岳阳县: a cremation was shared, departments stopped by themselves, then the family applied."""
    DBOS.migrate(database.url.render_as_string(hide_password=False))
    world = yueyang.connected(database)
    made = Stand(world)
    yueyang.upload(world)
    yueyang.stop(world, "social-security", "retirement-pension-stop")
    yueyang.apply(world)
    made.break_(text(f"UPDATE {made.work} SET status='SUCCESS'"))
    for slug, item in world.case().items.items():
        if item.delivery.state == "PENDING":
            world.delivered(slug)
    for code in made.books:
        with made.database.read() as tx:
            keys = comparison.keys(world.ctx(tx), code, world.number)
        made.books[code].records = {key: Record(key, Outcome.RECEIVED, "01", world.now, "R-1") for key in keys}
    return made


@pytest.mark.rule("YY-514")
@pytest.mark.parametrize(
    "broken",
    [
        update(t.shared_records).values(body=b"x"),
        update(t.shared_records).values(area="000000"),
        update(t.shared_deceased).values(deceased_index="x"),
    ],
    ids=["body", "area", "deceased"],
)
def test_a_shared_record_is_written_anew_from_its_ledger(county: Stand, broken: Any) -> None:
    with county.database.read() as tx:
        before = shared_store.since(tx, "yy", None, None, 10)
    county.break_(broken)
    county.must_heal("STATE_DIFFERS ")
    with county.database.read() as tx:
        assert shared_store.since(tx, "yy", None, None, 10) == before
        index = tx.connection.execute(select(t.shared_deceased.c.deceased_index)).scalars()
        assert tuple(index) == deceased_indexes(tx, "yy", yueyang.LI_DEFU)


@pytest.mark.rule("YY-514", "WZ-405")
def test_a_shared_record_is_linked_to_the_open_case_of_its_deceased(county: Stand) -> None:
    link = county.entry("shared.linked")
    c = t.ledger.c
    last = {"revision": link.seq - 1, "head": link.previous, "body": b"x", "updated_at": link.at}
    county.break_(delete(t.ledger).where(c.number == link.number, c.seq >= link.seq))
    county.break_(update(t.shared_records).values(**last))
    assert [one.code for one in county.found(heal=True)] == ["STATE_DIFFERS", "SHARED_LINK_MISSING"]
    assert county.doctor() == []
    assert county.entry("shared.linked").seq == link.seq


@pytest.mark.rule("YY-514")
def test_a_shared_record_remembers_a_case_that_was_removed_with_its_ledger(county: Stand) -> None:
    number = county.world.number
    tables = (t.cases, t.ledger, t.items, t.family, t.open_deceased)
    county.break_(*(delete(table).where(table.c.number == number) for table in tables))
    assert county.doctor(heal=True) == [f"LEDGER_BROKEN {number} PERSON"]


# ── what follows from a case ────────────────────────────────────────────────────────────────────────────


@dataclass
class Half:
    """Use cases that record something and forget what follows."""

    stand: Stand

    def record(self, *events: e.Event) -> None:
        from gateway.store import cases

        with self.stand.world.acting() as ctx:
            work = ctx.case(self.stand.world.number)
            for event in events:
                work.record(event)
            cases.append(ctx.tx, work.case, work.recorded, ctx.actor, *work.rows(), work.attention_at())


def test_a_case_whose_items_are_all_final_is_closed(underway: Stand) -> None:
    open_ = [slug for slug, item in underway.world.case().items.items() if item.finished_at is None]
    Half(underway).record(
        *(e.ItemRefused(slug, "不予办理") for slug in open_ if underway.world.status(slug) != "BLOCKED")
    )
    for book in underway.books.values():
        book.records.clear()
    assert underway.doctor() == ["NOT_SETTLED  HEALABLE"]
    underway.doctor(heal=True)
    assert underway.doctor() == []


def test_an_item_whose_gates_are_open_is_pushed(stand: Stand) -> None:
    world = stand.world
    world.submit(hz_form())
    world.certify_death()
    stand.deliver_all()
    world.book_funeral()
    stand.deliver_all()
    certificate = e.CertificateIssued("CREMATION", "C-1", moment("2025-11-10 09:30"), "湖州市殡仪馆", "cremation-cert")
    Half(stand).record(certificate, e.Completed("cremation-cert"))
    assert world.status(FUND) == "BLOCKED"
    stand.must_heal("NOT_SETTLED ")
    assert world.status(FUND) == "DISPATCHED" and len(stand.live(FUND)) == 1


def test_a_revocation_that_is_through_is_finished(underway: Stand) -> None:
    world = underway.world
    with world.acting(DUTY) as ctx:
        revocation.revoke(ctx, world.number, "误报")
    asked = [slug for slug, item in world.case().items.items() if item.reversal is not None]
    Half(underway).record(*(e.ReversalAnswered(slug, "completed") for slug in asked))
    assert world.case().status == "REVOKING"
    assert [line.split()[0] for line in underway.doctor(heal=True)] == ["NOT_SETTLED"]
    assert world.case().status == "REVOKED"
