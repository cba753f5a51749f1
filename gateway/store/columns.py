"""What all tables share, and kinds of columns: times, sealed values, blind indexes.

The latter two are found by kind when keys are changed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, LargeBinary, MetaData, String
from sqlalchemy.types import TypeDecorator

from gateway.store.seal import INDEX_LENGTH

metadata = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"})
"""Every table of the database."""


class Utc(TypeDecorator[datetime]):
    """An aware time, kept as UTC.  Refuses a time without zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Sealed(TypeDecorator[bytes]):
    """What ``Seal.close`` gave for ``<kind>:<primary key>[:<part>]``; a part where a row has several sealed columns."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, kind: str, part: str | None = None) -> None:
        super().__init__()
        self.kind, self.part = kind, part


class Blind(TypeDecorator[str]):
    """One of ``Seal.indexes``."""

    impl = String(INDEX_LENGTH)
    cache_ok = True
