"""After a restore: no number that was given out after the backup comes again, and a copy of a file at work is whole."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from gateway.domain.identity import check_digit
from gateway.services import joint_submission, restoring
from gateway.services.restoring import Restored
from gateway.store.session import Database
from gateway.store.tables import leases, ledger, restores, serials
from tests.builders import World, hz_deceased, hz_form, moment
from tests.integration.conftest import SEAL

pytestmark = pytest.mark.databases


def restored(world: World, at: str) -> Restored:
    with world.database.write() as tx:
        return restoring.restored(tx, world.policies, moment(at))


def number(world: World, at: str) -> int:
    """The serial of the next case number."""
    with world.at(at).acting() as ctx:
        return int(joint_submission.new_number(ctx, world.policies.version("hz", "2019-10-15"))[-5:])


def back_to(world: World, last: int) -> None:
    """The serials of the backup come back."""
    with world.database.write() as tx:
        tx.connection.execute(serials.delete())
        tx.connection.execute(insert(serials).values(scope="case:hz:20251107", last=last))


def test_what_could_have_been_given_out_since_the_last_entry_is_passed(world: World) -> None:
    """Ten minutes, and one because clocks differ, at a day's 99,999 numbers: 764."""
    world.at("2025-11-07 22:10").submit(hz_form())
    done = restored(world, "2025-11-07 22:20")
    assert done.known_until == moment("2025-11-07 22:10")
    assert number(world, "2025-11-07 22:20") == 1 + 764 + 1


def test_the_same_backup_restored_again_passes_what_came_after_the_first_restore(world: World) -> None:
    world.at("2025-11-07 22:10").submit(hz_form())
    restored(world, "2025-11-07 22:20")
    given = [number(world, "2025-11-07 22:21") for _ in range(50)]
    back_to(world, 1)
    restored(world, "2025-11-07 22:25")
    assert number(world, "2025-11-07 22:25") > max(given)


def test_a_day_the_backup_does_not_know_starts_behind_what_was_lost(world: World) -> None:
    world.at("2025-11-07 22:10").submit(hz_form())
    restored(world, "2025-11-08 09:00")
    assert number(world, "2025-11-08 09:00") > 99_999 * 9 // 24


def test_the_day_after_starts_from_one(world: World) -> None:
    world.at("2025-11-07 22:10").submit(hz_form())
    restored(world, "2025-11-07 22:20")
    assert number(world, "2025-11-08 09:00") == 1


def test_a_day_has_numbers_left_however_often_it_is_restored(world: World) -> None:
    for hour in range(8, 23):
        world.at(f"2025-11-07 {hour:02d}:00")
        world.submit(hz_form(deceased=hz_deceased(id_number=_person(hour))))
        restored(world, f"2025-11-07 {hour:02d}:50")
    assert number(world, "2025-11-07 22:51") < 99_999


def test_numbers_of_shared_records_move_too(world: World) -> None:
    world.at("2025-11-07 22:10").submit(hz_form())
    before, after = restored(world, "2025-11-08 22:10").serials["shared:yy"]
    assert after - before > 99_999


def test_every_department_is_asked_at_once_and_it_is_recorded(world: World) -> None:
    now = moment("2025-11-07 22:20")
    held = [("poll:health", 60), ("source:e-certificate-library", 60), ("executor:gateway-1", 8)]
    with world.database.write() as tx:
        rows = [{"name": name, "holder": "gateway-1", "until": now + timedelta(seconds=s)} for name, s in held]
        tx.connection.execute(insert(leases), rows)
    restored(world, "2025-11-07 22:20")
    with world.database.read() as tx:
        assert list(tx.connection.execute(select(leases.c.name)).scalars()) == ["executor:gateway-1"]
        assert list(tx.connection.execute(select(restores.c.at)).scalars()) == [now]


def test_a_file_copied_while_cases_are_written_is_whole(database: Database, tmp_path: Path) -> None:
    if not database.sqlite:
        pytest.skip("the backup interface of SQLite")
    world, stop = World(database), threading.Event()

    def work() -> None:
        for order in range(200):
            if stop.is_set():
                return
            world.submit(hz_form(deceased=hz_deceased(id_number=_person(order))))

    writer = threading.Thread(target=work)
    writer.start()
    with closing(sqlite3.connect(tmp_path / "shenhou.db")) as live, closing(sqlite3.connect(tmp_path / "copy")) as copy:
        while world.count() < 5:
            pass
        live.backup(copy, pages=8)
        stop.set()
    writer.join()
    kept = World(Database(f"sqlite:///{tmp_path}/copy", SEAL))
    with kept.database.read() as tx:
        numbers = list(tx.connection.execute(select(ledger.c.number).distinct()).scalars())
    for kept.number in numbers:
        assert kept.faults() == []
    assert len(numbers) >= 5


def _person(order: int) -> str:
    born = f"33050219380304{order:03d}"
    return born + check_digit(born)
