"""The tables move forward with the program: ``versions/`` in their order, on both databases, in one transaction.

There is no way back: who must go back restores the backup made before.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text

FOLDER = Path(__file__).parent
BASELINE = "0001"
"""The tables as they were before there were revisions."""
LOCK = 7_306_850_312
"""Key of the PostgreSQL advisory lock under which one gateway migrates and the others wait."""


class Unusable(Exception):
    """The database does not fit this program, and migrating cannot help; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done.  ``before``: revision found, None for an empty database; ``steps``: (revision, what it does)."""

    before: str | None
    after: str
    steps: tuple[tuple[str, str], ...]
    adopted: bool
    """The tables were there, made by a release without revisions."""


def migrate(connection: Connection, to: str = "head") -> Migrated:
    """Brings the tables to ``to`` in the connection's writing transaction; whoever comes meanwhile waits for its end.

    Raises ``Unusable``.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        connection.execute(text("SET LOCAL lock_timeout = 0"))  # another's migration may take longer than a request may
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    scripts, config = ScriptDirectory(str(FOLDER)), alembic_config(connection)
    known = [script.revision for script in scripts.walk_revisions()]
    before = revision_of(connection)
    if before is not None and before not in known:
        raise Unusable(
            f"the database is at revision {before}, made by a newer release; this one knows up to {known[0]}: "
            "run the newer release, or restore the backup made before it"
        )
    adopted = before is None and _has_tables(connection)
    if adopted:
        _fits_baseline(connection)
        command.stamp(config, BASELINE)
        before = BASELINE
    command.upgrade(config, to)
    after = revision_of(connection)
    assert after is not None
    passed = known[known.index(after) : known.index(before) if before else None]
    steps = tuple((revision, scripts.get_revision(revision).doc) for revision in reversed(passed))
    return Migrated(before, after, steps, adopted)


def alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def revision_of(connection: Connection) -> str | None:
    """None: the database is empty, or was made before there were revisions."""
    return MigrationContext.configure(connection).get_current_revision()


def _has_tables(connection: Connection) -> bool:
    return not set(inspect(connection).get_table_names()).isdisjoint(_baseline())


def _fits_baseline(connection: Connection) -> None:
    """Raises ``Unusable`` naming the first column in which the database differs from the baseline."""
    found = _columns(connection)
    for table, columns in _baseline().items():
        there = found.get(table, set())
        for missing in sorted(columns - there):
            raise Unusable(f"the database is older than revision {BASELINE}: it lacks the column {table}.{missing}")
        for unknown in sorted(there - columns):
            raise Unusable(f"the database has no revision and a column nobody knows: {table}.{unknown}")


def _baseline() -> dict[str, set[str]]:
    """Columns of each table at the baseline: those that its revision makes."""
    with create_engine("sqlite://").connect() as connection:
        command.upgrade(alembic_config(connection), BASELINE)
        found = _columns(connection)
    del found["alembic_version"]
    return found


def _columns(connection: Connection) -> dict[str, set[str]]:
    seen = inspect(connection)
    return {table: {column["name"] for column in seen.get_columns(table)} for table in seen.get_table_names()}
