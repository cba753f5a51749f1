"""A real, empty database for every test: a SQLite file, and PostgreSQL for those that are marked for it.

``SHENHOU_TEST_DATABASES=all`` runs every test on both.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS
from sqlalchemy import Engine, event, make_url, text

from gateway.store.seal import IndexKey, Seal
from gateway.store.session import Database
from gateway.store.tables import metadata
from tests.builders import WORLDS, World, hz_account, hz_form
from tests.repair_stand import Stand

SEAL = Seal({1: b"1" * 32}, [IndexKey(1, b"i" * 32)])
BOTH = ("sqlite", "postgresql")
_ENGINES: dict[str, Engine] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        both = os.environ.get("SHENHOU_TEST_DATABASES") == "all" or metafunc.definition.get_closest_marker("databases")
        metafunc.parametrize("database", BOTH if both else BOTH[:1], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        made = sqlite(tmp_path)
        yield made
        look_through(request, made)
    else:
        made = Database(request.getfixturevalue("postgres_tables"), SEAL)
        _compile_once(made.engine)
        yield made
        try:
            look_through(request, made)
        finally:
            with made.engine.begin() as connection:
                connection.execute(text("; ".join(f"DELETE FROM {table}" for table in metadata.tables)))
    made.dispose()


def sqlite(folder: Path) -> Database:
    """A new file with empty tables."""
    (folder / "shenhou.db").write_bytes(_empty())
    made = Database(f"sqlite:///{folder}/shenhou.db", SEAL)
    event.listen(made.engine, "connect", _hurry)
    _compile_once(made.engine)
    return made


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        made = Database(f"sqlite:///{folder}/shenhou.db", SEAL)
        made.migrate()
        made.dispose()
        return (Path(folder) / "shenhou.db").read_bytes()


def _compile_once(engine: Engine) -> None:
    """Every test has an engine of its own, which would compile all of its statements again."""
    engine.connect().close()  # a dialect knows its database after the first connection
    first = _ENGINES.setdefault(engine.dialect.name, engine)
    engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache


def _hurry(connection: Any, _: Any) -> None:
    """These tests ask what is in the file, not what a disk keeps when the power fails."""
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session")
def postgres_tables(request: pytest.FixtureRequest) -> str:
    """A database of this worker's own, with the tables in it; each test empties them."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    url = make_url(request.getfixturevalue("postgres").database(f"tables_{worker}")).set(
        drivername="postgresql+psycopg"
    )
    made = Database(url.render_as_string(hide_password=False), SEAL)
    made.migrate()
    made.dispose()
    return url.render_as_string(hide_password=False)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def stand(world: World) -> Iterator[Stand]:
    DBOS.migrate(world.database.url.render_as_string(hide_password=False))
    if not world.database.sqlite:
        with world.database.write() as tx:
            tx.connection.execute(text("TRUNCATE dbos.workflow_status CASCADE"))
    yield Stand(world)


@pytest.fixture
def underway(stand: Stand) -> Stand:
    """沈福根 until the cremation: everything is pushed, has arrived, and the departments have not decided."""
    stand.world.until_cremation(hz_form(account=hz_account()))
    stand.deliver_all()
    return stand


def look_through(request: pytest.FixtureRequest, database: Database) -> None:
    """Whatever a test did, wherever: the chains are whole and the present state is their fold.

    A test that tampers with the database itself says so with the mark ``tampers``.
    """
    world = WORLDS.get(database)
    if world is not None and request.node.get_closest_marker("tampers") is None:
        assert world.all_faults() == []
