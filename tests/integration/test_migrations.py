"""Migrations: forward only, on both databases, with data in them, and by several gateways at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from gateway.access.seals import Seals
from gateway.domain.fold import fold
from gateway.store import cases, checkpoints, export, proof
from gateway.store.migrations import BASELINE, Unusable, migrate, revision_of
from gateway.store.session import Database
from gateway.store.tables import metadata
from tests.builders import World
from tests.integration.conftest import BOTH
from tests.upgrade import old
from tests.upgrade.old import SEAL


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, fresh_database: Callable[[str], str]) -> Iterator[Database]:
    made = Database(fresh_database(request.param), SEAL)
    yield made
    made.dispose()


def to_baseline(database: Database) -> None:
    with database.write() as tx:
        migrate(tx.connection, BASELINE)


def execute(database: Database, *statements: str) -> None:
    with database.write() as tx:
        for statement in statements:
            tx.connection.execute(text(statement))


def revision(database: Database) -> str | None:
    with database.read() as tx:
        return revision_of(tx.connection)


def test_the_newest_revision_makes_the_tables_of_the_program(empty: Database) -> None:
    empty.migrate()
    with empty.read() as tx:
        context = MigrationContext.configure(tx.connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_cases_made_before_there_were_revisions_are_all_there_afterwards(empty: Database, tmp_path: Path) -> None:
    """Found and adopted; every ledger is whole, gives the case it gave, and goes on."""
    old.fill(empty, tmp_path)
    done = empty.migrate()
    assert (done.adopted, done.before) == (True, BASELINE)
    world = World(empty)
    for number in (old.REPORTED, old.CREMATED):
        world.number = number
        with empty.read() as tx:
            assert cases.verify(tx, number) == []
            entries = cases.entries(tx, [number])[number]
        assert fold([(entry.at, entry.event) for entry in entries]) == world.case()
    assert world.case(old.REPORTED).deceased.name == "施阿大"
    world.at("2026-11-26 12:00").complete("hukou-deregistration")
    assert world.status("hukou-deregistration") == "COMPLETED" and world.faults() == []


def test_cases_made_before_there_were_checkpoints_are_seen_by_the_first_one(empty: Database, tmp_path: Path) -> None:
    old.fill(empty, tmp_path)
    empty.migrate()
    seals = Seals.from_seed(b"s" * 32)
    with empty.read() as tx:
        assert checkpoints.verify(tx, [seals.public_key()]) == []
    checkpoints.keep(empty, lambda: datetime.now(UTC), seals.statement)
    with empty.read() as tx:
        assert {old.REPORTED, old.CREMATED} <= {number for number, *_ in checkpoints.heads(tx, 1)}
        lines = [
            line.encode()
            for line in export.lines(
                tx, export.Wanted(open=True), datetime.now(UTC), seals.public_key(), seals.statement
            )
        ]
    found, _ = proof.check(lines, [seals.public_key()])
    assert (found.faults, found.unproved) == ([], 0), "with the bodies the old hashes are proved too"


def test_a_second_time_there_is_nothing_to_do(empty: Database) -> None:
    first, second = empty.migrate(), empty.migrate()
    assert first.before is None and first.steps[0][0] == BASELINE
    assert (second.before, second.after, second.steps) == (first.after, first.after, ())


def test_gateways_that_start_at_once_migrate_once(empty: Database) -> None:
    url = empty.url.render_as_string(hide_password=False)
    several = [Database(url, SEAL) for _ in range(5)]
    with ThreadPoolExecutor(len(several)) as pool:
        done = list(pool.map(lambda database: database.migrate(), several))
    for database in several:
        database.dispose()
    assert sorted(bool(migrated.steps) for migrated in done) == [False] * 4 + [True]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("ALTER TABLE payouts DROP COLUMN paid_at", "lacks the column payouts.paid_at"),
        ("DROP TABLE reversals", "lacks the column reversals.area"),
        ("ALTER TABLE leases ADD COLUMN colour VARCHAR(8)", "a column nobody knows: leases.colour"),
    ],
)
def test_any_other_database_without_revisions_is_refused_and_left_as_it_is(
    empty: Database, change: str, named: str
) -> None:
    to_baseline(empty)
    execute(empty, "DROP TABLE alembic_version", change)
    with empty.read() as tx:
        before = sorted(inspect(tx.connection).get_table_names())
    with pytest.raises(Unusable, match=named):
        empty.migrate()
    with empty.read() as tx:
        assert sorted(inspect(tx.connection).get_table_names()) == before


def test_a_database_of_a_newer_release_is_refused(empty: Database) -> None:
    empty.migrate()
    execute(empty, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unusable, match="revision 9999, made by a newer release") as refused:
        empty.migrate()
    assert "\n" not in str(refused.value)
    assert revision(empty) == "9999"


def test_a_step_that_fails_leaves_nothing(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies, or the disk is full, in the middle of it."""
    to_baseline(empty)
    with pytest.raises(RuntimeError), empty.write() as tx:
        migrate(tx.connection)
        raise RuntimeError
    assert revision(empty) == BASELINE
    with empty.read() as tx:
        assert "restores" not in inspect(tx.connection).get_table_names()
