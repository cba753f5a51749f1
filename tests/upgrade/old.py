"""The databases of former releases, as their gateways left them when they were killed; see ``make_dump.py``."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import MetaData, Table, create_engine, select

from gateway.store.migrations import BASELINE, migrate
from gateway.store.seal import IndexKey, Seal
from gateway.store.session import Database

SEAL = Seal({1: b"d" * 32}, [IndexKey(1, b"i" * 32)])
KEYS = json.loads(Path(__file__).with_name("keys.json").read_text(encoding="utf-8"))
"""Of the dumps: as settings, and as ``SEAL``."""
REPORTED, CREMATED = "HZ2026112600001", "HZ2026112600002"
"""The cases in them: one just reported, and one whose pushes all wait."""


def file_of(release: str, path: Path) -> None:
    """The database as the release left it."""
    text = Path(__file__).with_name(f"{release}.sql").read_text(encoding="utf-8")
    with sqlite3.connect(path) as connection:
        connection.executescript(text)
    connection.close()


def fill(database: Database, folder: Path) -> None:
    """An empty database gets what a gateway before there were revisions would have left in it."""
    file_of("0.1.0", folder / "old.sqlite")
    with database.write() as tx:
        migrate(tx.connection, BASELINE)
        to = MetaData()
        to.reflect(tx.connection)
        with create_engine(f"sqlite:///{folder}/old.sqlite").connect() as old:
            for name, table in to.tables.items():
                rows = (
                    [] if name == "alembic_version" else old.execute(select(Table(name, MetaData(), autoload_with=old)))
                )
                for row in rows:
                    tx.connection.execute(table.insert().values({k: _aware(v) for k, v in row._mapping.items()}))
        tx.connection.exec_driver_sql("DROP TABLE alembic_version")


def _aware(value: object) -> object:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
