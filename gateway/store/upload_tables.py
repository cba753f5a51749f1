"""Tables of uploaded files.  Times are those of the real clock: uploads are about people who wait, not about cases."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from gateway.store.columns import Blind, Sealed, Utc, metadata

uploads = Table(
    "uploads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner_index", Blind, nullable=False),
    Column("content_index", Blind),
    Column("state", String(16), nullable=False),
    Column("at", Utc, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("body", Sealed("upload"), nullable=False),
    Index(None, "owner_index", "content_index"),
    Index(None, "state", "at"),
)
"""Files as they were uploaded, each by one person.  ``state``: ``RECEIVING``, or its ``MaterialStatus``.  ``parts``:
how many rows its content has.  ``content_index``: of the hash of the content together with the person, so that equal
files of two families cannot be told from others.  ``body``: who uploaded it, hash, size, type."""

upload_parts = Table(
    "upload_parts",
    metadata,
    Column("id", String(32), ForeignKey("uploads.id", name="fk_upload_parts_id", ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("body", Sealed("upload_part"), nullable=False),
)
"""Content of the files, in parts that are sealed one by one; they go with their upload."""

materials = Table(
    "materials",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("number", String(64), nullable=False),
    Column("upload", String(32), nullable=False),
    Index(None, "number"),
    Index(None, "upload"),
)
"""Which case a file hangs on.  An upload that is named here is kept.  Derived from the case at every save."""
