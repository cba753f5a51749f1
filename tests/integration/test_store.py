"""The store: all or nothing, no lost update, cases found again by what may be searched for."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import StatementError

from gateway.domain import events as e
from gateway.services.context import CaseWork
from gateway.store import cases
from gateway.store.cases import CaseFilter, Stale
from gateway.store.session import Database, Work
from gateway.store.tables import leases
from tests.builders import SHEN_FUGEN, SHEN_LIJUAN, World, hz_deceased, hz_form, moment
from tests.integration.conftest import SEAL

pytestmark = pytest.mark.databases


def find(world: World, **wanted: object) -> list[str]:
    with world.database.read() as tx:
        return [number for _, number in cases.find(tx, CaseFilter(**wanted), None, 10)]  # type: ignore[arg-type]


def test_a_transaction_that_fails_leaves_nothing(world: World) -> None:
    from gateway.services import joint_submission

    class Breakdown(Exception):
        pass

    with pytest.raises(Breakdown), world.acting() as ctx:
        joint_submission.submit(ctx, hz_form())
        raise Breakdown
    assert world.count() == 0
    with world.database.read() as tx:
        assert tx.connection.execute(select(cases.t.ledger.c.seq)).all() == []
        assert tx.connection.execute(select(cases.t.serials.c.last)).all() == []


def test_work_is_queued_inside_the_transaction_that_caused_it(world: World) -> None:
    def refusing(connection: object, work: Work) -> None:
        raise RuntimeError(work.name)

    world.database.enqueue = refusing
    with pytest.raises(RuntimeError, match="deliver"):
        world.submit(hz_form())
    assert world.count() == 0, "no case without the work that follows from it"


def test_what_wakes_others_is_called_after_the_commit_only(world: World) -> None:
    called: list[str] = []
    with world.database.write() as tx:
        tx.after.append(lambda: called.append("now"))
        assert called == []
    assert called == ["now"]
    with pytest.raises(ValueError), world.database.write() as tx:
        tx.after.append(lambda: called.append("never"))
        raise ValueError
    assert called == ["now"]


def test_a_stale_copy_is_not_written(world: World) -> None:
    world.submit(hz_form())
    with world.acting() as ctx:
        stale = CaseWork(ctx, world.case())
        fresh = ctx.case(world.number)
        fresh.record(e.Noted("FOLLOW_UP", "一"))
        fresh.save()
        stale.record(e.Noted("FOLLOW_UP", "二"))
        with pytest.raises(Stale):
            stale.save()
    assert [event.text for event in world.ledger() if isinstance(event, e.Noted)] == ["一"]
    assert world.faults() == []


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    values = {"name": "x", "holder": "y", "until": datetime(2025, 11, 7, 22, 10)}
    with pytest.raises(StatementError, match="without zone"), database.write() as tx:
        tx.connection.execute(insert(leases).values(**values))


def test_times_come_back_as_the_same_moment(database: Database) -> None:
    at = moment("2025-11-07 22:10").replace(microsecond=123456)
    with database.write() as tx:
        tx.connection.execute(insert(leases).values(name="x", holder="y", until=at))
    with database.read() as tx:
        back = tx.connection.execute(select(leases.c.until)).scalar_one()
    assert back == at and back.utcoffset() is not None


def test_serial_numbers_have_no_gap_after_a_failure(database: Database) -> None:
    with database.write() as tx:
        assert [cases.next_serial(tx, "a"), cases.next_serial(tx, "a"), cases.next_serial(tx, "b")] == [1, 2, 1]
    with pytest.raises(ValueError), database.write() as tx:
        assert cases.next_serial(tx, "a") == 3
        raise ValueError
    with database.write() as tx:
        assert cases.next_serial(tx, "a") == 3


def test_reading_cannot_write(world: World) -> None:
    with world.database.read() as tx, pytest.raises(RuntimeError):
        tx.enqueue(Work("deliver", "x", "health", ()))


@pytest.mark.rule("HZ-814", "HZ-816", "PD-15")
def test_cases_are_found_by_number_name_area_department_and_family(world: World) -> None:
    first = world.at("2025-11-07 22:10").submit(hz_form()).number
    other = hz_deceased(name="沈丽娟", id_number=SHEN_LIJUAN, hukou_area="330503")
    second = world.at("2025-11-08 22:10").submit(hz_form(deceased=other, area="330503")).number
    subject = world.case(first).family[0]
    assert find(world) == [second, first], "newest first"
    assert find(world, id_number=SHEN_FUGEN) == [first]
    assert find(world, name="沈丽娟") == [second]
    assert find(world, areas=("330502",)) == [first]
    assert find(world, areas=("3305",)) == [second, first]
    assert find(world, areas=("3301",)) == []
    assert find(world, area="330503") == [second]
    assert find(world, jurisdiction="hz") == [second, first]
    assert find(world, jurisdiction="wz") == []
    assert find(world, statuses=("CLOSED",)) == []
    assert find(world, subject=subject) == [second, first], "she reported both"
    assert find(world, subject="nobody") == []
    assert find(world, department="health", item_statuses=("DISPATCHED",)) == [second, first]
    assert find(world, department="housing-fund", item_statuses=("DISPATCHED",)) == []
    assert find(world, item="hukou-deregistration", item_statuses=("BLOCKED",)) == [second, first]
    assert find(world, overdue_at=moment("2025-11-08 22:10")) == [], "on the stroke is in time"
    assert find(world, overdue_at=moment("2025-11-09 12:00")) == [first]
    assert find(world, overdue_at=moment("2025-11-10 00:00")) == [second, first]


def test_pages_follow_each_other_without_gap_or_repetition(world: World) -> None:
    numbers = []
    for serial in range(7):
        person = hz_deceased(id_number=f"33050239101{serial:03d}5"[:15].ljust(15, "1"))
        numbers.append(world.submit(hz_form(deceased=person)).number)
    seen: list[str] = []
    after = None
    with world.database.read() as tx:
        while page := cases.find(tx, CaseFilter(), after, 3):
            seen += [number for _, number in page]
            after = page[-1]
        assert cases.count(tx, CaseFilter()) == 7
    assert seen == sorted(numbers, reverse=True)


def test_two_writers_do_not_lose_an_update(world: World) -> None:
    """Each waits for the other's lock; both notes are in one unbroken chain."""
    from concurrent.futures import ThreadPoolExecutor

    from gateway.services import case_care

    world.submit(hz_form())

    def note(turn: int) -> None:
        with world.acting() as ctx:
            case_care.note(ctx, world.number, "FOLLOW_UP", str(turn))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(note, range(8)))
    assert sorted(event.text for event in world.ledger() if isinstance(event, e.Noted)) == list("01234567")
    assert world.faults() == []


@pytest.mark.rule("PD-07")
def test_of_many_submissions_at_once_one_makes_the_case(world: World) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from gateway.domain.messages import Refused
    from gateway.store.cases import Actor

    def submit(turn: int) -> str:
        try:
            world.submit(hz_form(), actor=Actor("duty-person", str(turn), None, str(turn)))
        except (Refused, Stale) as error:
            return type(error).__name__
        return "created"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(submit, range(6)))
    assert answers.count("created") == 1, answers
    assert world.count() == 1


def test_sqlite_is_set_up_to_survive_a_crash(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path}/shenhou.db", SEAL).read() as tx:
        pragmas = {
            name: tx.connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
