"""Tables of who looked, and of what went wrong; the others stand in ``tables``, which has these too."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from gateway.store.columns import Sealed, Utc, metadata

accesses = Table(
    "accesses",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("type", String(40), nullable=False),
    Column("actor_role", String(40), nullable=False),
    Column("actor_department", String(40)),
    Column("content", String(64), nullable=False),
    Column("body", Sealed("access"), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "at"),
)
"""The access record: who was shown what, and what was refused.  One chain per case, made as the ledger's."""

looks = Table(
    "looks",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("noted_until", Utc),
    Column("lifted", String(80), nullable=False),
    Column("lifted_until", Utc),
    Column("reason", String(40)),
    Column("until", Utc, nullable=False),
    Index(None, "until"),
)
"""What somebody may go on looking at in a case without another entry, while it counts.  ``key``: keyed hash of person
and case together: it finds neither, and under another key the next look is simply noted once more."""

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("at", Utc, nullable=False),
    Column("operation", String(128), nullable=False),
    Column("kind", String(128), nullable=False),
    Column("frames", Text, nullable=False),
    Index(None, "at"),
)
"""Unexpected errors by the id their callers were told: where they happened, nothing of a person."""
