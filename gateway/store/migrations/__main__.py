"""``python -m gateway.store.migrations "What changes"`` writes the next revision, from ``gateway/store/tables.py``.

Read it before it is committed: a column that was renamed looks like one lost and one new.
"""

from __future__ import annotations

import sys

from alembic import command
from sqlalchemy import create_engine

from gateway.store.migrations import alembic_config, migrate

if __name__ == "__main__":
    with create_engine("sqlite://").connect() as connection:
        last = migrate(connection).after
        command.revision(alembic_config(connection), sys.argv[1], autogenerate=True, rev_id=f"{int(last) + 1:04d}")
