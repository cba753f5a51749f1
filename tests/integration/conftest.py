"""A real database for every test: a SQLite file, and PostgreSQL where ``SHENHOU_TEST_PG_URL`` names a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from dbos import DBOS
from sqlalchemy import create_engine, make_url, text

from gateway.store.seal import Seal
from gateway.store.session import Database
from tests.builders import World, hz_account, hz_form
from tests.repair_stand import Stand

SEAL = Seal({1: b"1" * 32}, b"i" * 32)
PG_URL = os.environ.get("SHENHOU_TEST_PG_URL", "")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path}/shenhou.db", SEAL)
        made.create()
        yield made
        made.dispose()
        return
    if not PG_URL:
        pytest.skip("SHENHOU_TEST_PG_URL is not set: no PostgreSQL server to test on")
    # Each test has a schema of its own, so that workers can share one server.
    schema = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}_{os.getpid()}"
    url = make_url(PG_URL).set(drivername="postgresql+psycopg")
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    inside = url.update_query_dict({"options": f"-csearch_path={schema}"})
    made = Database(inside.render_as_string(hide_password=False), SEAL)
    made.create()
    yield made
    made.dispose()
    with server.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()


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
