"""Nonces of signed messages: each is taken once, by whichever gateway it reaches first."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete

from gateway.store import tables as t
from gateway.store.cases import upsert
from gateway.store.session import Tx


def take(tx: Tx, key: str, nonce: str, until: datetime) -> bool:
    """Whether it is new; it is kept ``until`` the message would be too old anyway.

    The real time counts here, not a sandbox's.
    """
    tx.connection.execute(delete(t.nonces).where(t.nonces.c.until < datetime.now(UTC)))
    statement = upsert(tx, t.nonces, {"key": key, "nonce": nonce, "until": until}, []).returning(t.nonces.c.nonce)
    return tx.connection.execute(statement).first() is not None  # a row count is not told by every driver
