"""Read by Alembic: on which connection it works, and how it compares the tables with the database."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy.types import TypeDecorator

from gateway.store.tables import metadata


def plain_type(kind: str, value: Any, _: Any) -> str | Literal[False]:
    """A revision names no type of ours: those may change, a revision may not."""
    return f"sa.{value.impl!r}" if kind == "type" and isinstance(value, TypeDecorator) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=plain_type,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
