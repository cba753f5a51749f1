"""Moving everything from one database to another: from the embedded one to PostgreSQL, and back."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from gateway.store.session import Database
from gateway.store.tables import leases, metadata, upload_parts

ROWS = 500
LARGE_ROWS = 20
"""Of parts of files: they are held in memory while they are copied."""


class NotEmpty(Exception):
    """The target holds something already; the message names the table."""


def transfer(source: Database, target: Database) -> Iterator[tuple[str, int]]:
    """Copies every table in one transaction of the target; yields (table, rows) as it goes on.

    The durable engine's own work is not copied: the present state says what is still to be sent, and the repair sweep
    of the gateway that serves on the target queues it (WORK_MISSING).  Raises ``NotEmpty``.
    """
    with source.read() as old, target.write() as new:
        for table in metadata.sorted_tables:
            if table is leases:
                continue
            if new.connection.execute(select(func.count()).select_from(table)).scalar_one():
                raise NotEmpty(table.name)
            size = LARGE_ROWS if table is upload_parts else ROWS
            rows = old.connection.execute(select(table).execution_options(yield_per=size)).mappings()
            copied = 0
            for page in rows.partitions():
                new.connection.execute(table.insert(), [dict(row) for row in page])
                copied += len(page)
            yield table.name, copied
