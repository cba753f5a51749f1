"""Nonces of signed messages: each is taken once, by whichever gateway it reaches first."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete

from gateway.store import tables as t
from gateway.store.session import Tx
from gateway.store.upsert import statement


def take(tx: Tx, key: str, nonce: str, until: datetime) -> bool:
    """Whether it is new; it is kept ``until`` the message would be too old anyway.

    The real time counts here, not a sandbox's.
    """
    tx.connection.execute(delete(t.nonces).where(t.nonces.c.until < datetime.now(UTC)))
    new = statement(tx.connection.dialect.name, t.nonces, ()).returning(t.nonces.c.nonce)
    row = {"key": key, "nonce": nonce, "until": until}
    return tx.connection.execute(new, row).first() is not None  # a row count is not told by every driver
