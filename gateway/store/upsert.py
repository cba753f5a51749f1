"""INSERT or UPDATE in one statement, on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gateway.store.session import Tx


def upsert(tx: Tx, table: Any, values: dict[str, Any], columns: Sequence[str] | Mapping[str, Any]) -> Any:
    """INSERT … ON CONFLICT DO UPDATE of these columns, or DO NOTHING without any.

    ``columns``: names, which get the values; or expressions by name.
    """
    make = sqlite_insert if tx.connection.dialect.name == "sqlite" else pg_insert
    statement = make(table).values(**values)
    keys = [column.name for column in table.primary_key.columns]
    if not columns:
        return statement.on_conflict_do_nothing(index_elements=keys)
    new = columns if isinstance(columns, Mapping) else {name: statement.excluded[name] for name in columns}
    return statement.on_conflict_do_update(index_elements=keys, set_=new)
