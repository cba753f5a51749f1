"""INSERT or UPDATE in one statement, on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gateway.store.session import Tx


def upsert(
    tx: Tx, table: Table, values: Mapping[str, Any] | Sequence[Mapping[str, Any]], columns: Sequence[str] = ()
) -> None:
    """INSERT … ON CONFLICT DO UPDATE of these columns, or DO NOTHING without any.

    ``values``: of one row, or of each of several.
    """
    tx.connection.execute(statement(tx.connection.dialect.name, table, tuple(columns)), values)


@cache
def statement(dialect: str, table: Table, columns: tuple[str, ...]) -> Any:
    """Built once: building a statement costs more than running it."""
    made = (sqlite_insert if dialect == "sqlite" else pg_insert)(table)
    keys = [column.name for column in table.primary_key.columns]
    if not columns:
        return made.on_conflict_do_nothing(index_elements=keys)
    return made.on_conflict_do_update(index_elements=keys, set_={name: made.excluded[name] for name in columns})
