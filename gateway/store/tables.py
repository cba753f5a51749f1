"""Tables.  Times are UTC; money is fen; personal data stand only in ``Sealed`` columns.

What people are found by stands in ``Blind`` columns.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from gateway.store.columns import Blind, Sealed, Utc
from gateway.store.columns import metadata as metadata
from gateway.store.looking_tables import accesses as accesses
from gateway.store.looking_tables import incidents as incidents
from gateway.store.looking_tables import looks as looks
from gateway.store.upload_tables import materials as materials
from gateway.store.upload_tables import upload_parts as upload_parts
from gateway.store.upload_tables import uploads as uploads

cases = Table(
    "cases",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("jurisdiction", String(16), nullable=False),
    Column("area", String(12), nullable=False),
    Column("status", String(32), nullable=False),
    Column("flow", String(16), nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    Column("closed_at", Utc),
    Column("revision", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    Column("deceased_index", Blind),
    Column("name_index", Blind),
    Column("attention_at", Utc),
    Column("body", Sealed("case"), nullable=False),
    Index(None, "deceased_index"),
    Index(None, "name_index"),
    Index(None, "area", "opened_at"),
    Index(None, "attention_at"),
)
"""The present state of each case, sealed, beside what it is found by.  ``head``: hash of its last ledger entry.
``attention_at``: when supervision has to look at it next; null: only something that happens can make it."""

open_deceased = Table(
    "open_deceased",
    metadata,
    Column("jurisdiction", String(16), primary_key=True),
    Column("deceased_index", Blind, primary_key=True),
    Column("number", String(64), nullable=False),
    Index(None, "number"),
)
"""One open case per deceased and jurisdiction (PD-07): the primary key sees to it.  While the index key is changed it
has a row under each key, so that gateways that begin with different keys still meet in one."""

family = Table(
    "family",
    metadata,
    Column("subject", Blind, primary_key=True),
    Column("number", String(64), primary_key=True),
    Index(None, "number"),
)
"""Who may see which case as family; ``subject`` is the index of a pseudonym of the case's ``family``."""

items = Table(
    "items",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("slug", String(64), primary_key=True),
    Column("jurisdiction", String(16), nullable=False),
    Column("area", String(12), nullable=False),
    Column("department", String(40)),
    Column("reached_through", String(40)),
    Column("status", String(32), nullable=False),
    Column("pushed_at", Utc),
    Column("due_at", Utc),
    Column("due_clock", String(16)),
    Column("finished_at", Utc),
    Column("calendar_missing", Boolean, nullable=False),
    Column("delivery", String(16), nullable=False),
    Column("next_attempt_at", Utc),
    Column("failing_since", Utc),
    Index(None, "department", "status"),
    Index(None, "reached_through", "delivery", "number"),
    Index(None, "delivery"),
    Index(None, "due_at"),
    Index(None, "calendar_missing"),
)
"""What items are found by: lists, polling, overdue.  Derived from the case at every save."""

payouts = Table(
    "payouts",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("payout", String(160), primary_key=True),
    Column("area", String(12), nullable=False),
    Column("department", String(40)),
    Column("reached_through", String(40)),
    Column("slug", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("due_at", Utc),
    Column("paid_at", Utc),
    Column("delivery", String(16), nullable=False, server_default="NONE"),
    Index(None, "reached_through", "status", "number"),
    Index(None, "reached_through", "delivery"),
)

reversals = Table(
    "reversals",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("slug", String(64), primary_key=True),
    Column("area", String(12), nullable=False),
    Column("department", String(40)),
    Column("status", String(16), nullable=False),
    Column("delivery", String(16), nullable=False),
    Column("since", Utc, nullable=False),
    Index(None, "department", "delivery", "number"),
)
"""What departments were asked to undo.  ``department``: the system it is asked through.  Derived at every save."""

alerts = Table(
    "alerts",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("area", String(12), nullable=False),
    Column("department", String(40)),
    Column("kind", String(16), nullable=False),
    Column("since", Utc, nullable=False),
    Index(None, "since"),
    Index(None, "department", "since"),
)
"""What supervision recorded and nobody has answered yet: the worklist.  Derived from the case at every save."""

shared_records = Table(
    "shared_records",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("jurisdiction", String(16), nullable=False),
    Column("area", String(12), nullable=False),
    Column("updated_at", Utc, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    Column("body", Sealed("shared"), nullable=False),
    Index(None, "jurisdiction", "updated_at"),
)
"""What departments shared of a deceased before, and besides, any case (YY-514): certificates, and stops they recorded.
Its history stands in the ledger under its number."""

shared_deceased = Table(
    "shared_deceased",
    metadata,
    Column("jurisdiction", String(16), primary_key=True),
    Column("deceased_index", Blind, primary_key=True),
    Column("number", String(64), nullable=False),
    Index(None, "number"),
)
"""One shared record per deceased and jurisdiction, as ``open_deceased``."""

ledger = Table(
    "ledger",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("type", String(40), nullable=False),
    Column("actor_role", String(40), nullable=False),
    Column("actor_department", String(40)),
    Column("content", String(64)),
    Column("body", Sealed("ledger"), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""The truth: append-only, one hash chain per case.  ``content`` stands in the hash for the sealed ``body``: SHA-256 of
it behind a salt that is sealed with it, so that the chain can be checked without the keys and tells nothing.  Null in
entries of release 0.1, which were hashed with their bodies."""

write_backs = Table(
    "write_backs",
    metadata,
    Column("department", String(40), primary_key=True),
    Column("number", String(64), primary_key=True),
    Column("slug", String(64), primary_key=True),
    Column("serial", String(128), primary_key=True),
    Column("content", String(64), nullable=False),
    Column("at", Utc, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("body", Sealed("write_back"), nullable=False),
)
"""Every message of a department by its serial (PD-06); ``content``: its SHA-256; ``body``: the answer it got."""

submissions = Table(
    "submissions",
    metadata,
    Column("submitter", Blind, primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("content", String(64), nullable=False),
    Column("number", String(64), nullable=False),
)
"""The same submission twice gives the same case."""

serials = Table(
    "serials",
    metadata,
    Column("scope", String(64), primary_key=True),
    Column("last", Integer, nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("key", String(140), primary_key=True),
    Column("as_of", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    Column("body", Sealed("record"), nullable=False),
)
"""The last live record read of each application, for the time its department does not answer."""

marks = Table(
    "marks",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(32), nullable=False),
)
"""What tells the keys of this database from others: a gateway with others does not start."""

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", Utc, nullable=False),
)
"""Who does a recurring piece of work at the moment, and whose heartbeat is how old."""

links = Table(
    "links",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("since", Utc),
    Column("failures", Integer, nullable=False),
    Column("rejections", Integer, nullable=False),
    Column("probes", Integer, nullable=False),
    Column("probe_at", Utc),
    Column("probe_key", String(160)),
    Column("error", String(400)),
    Column("paused_until", Utc),
    Column("pause_reason", String(400)),
    Column("parked_at", Utc),
)
"""The systems that failed, are paused, or have something waiting for them; one that never failed has no row."""

messages = Table(
    "messages",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("direction", String(8), nullable=False),
    Column("system", String(40), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("key", String(140)),
    Column("state", String(16), nullable=False),
    Column("at", Utc, nullable=False),
    Column("finished_at", Utc),
    Column("code", String(64)),
    Column("request_size", Integer),
    Column("request_sha256", String(64)),
    Column("request", Sealed("message", "request")),
    Column("answer_size", Integer),
    Column("answer_sha256", String(64)),
    Column("answer", Sealed("message", "answer")),
    Index(None, "key"),
)
"""Every message to and from a department's system with its answer: exact bytes sealed, size in bytes and SHA-256 open.
``part``: a call that took several messages (a renewed session, more keys than one query holds) has several."""

message_items = Table(
    "message_items",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("slug", String(64), primary_key=True),
    Column("id", String(32), primary_key=True),
    Index(None, "id"),
)
"""Which items a message is about; ids are in order of time."""

polls = Table(
    "polls",
    metadata,
    Column("system", String(40), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("unchanged", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
)
"""Polls that brought nothing new, counted per system and day (UTC)."""

unanchored = Table(
    "unanchored",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("head", String(64), nullable=False),
)
"""Chains that changed since the last checkpoint, with their heads: so that a checkpoint costs what changed."""


restores = Table(
    "restores",
    metadata,
    Column("at", Utc, primary_key=True),
    Column("known_until", Utc),
)
"""When this database was restored from a backup, and up to when the backup knew what had happened."""

findings = Table(
    "findings",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("number", String(64), primary_key=True),
    Column("place", String(200), primary_key=True),
    Column("standing", String(16), nullable=False),
    Column("facts", String, nullable=False),
    Column("first_seen", Utc, nullable=False),
    Column("last_seen", Utc, nullable=False),
    Column("times", Integer, nullable=False),
    Index(None, "number"),
    Index(None, "standing"),
)
"""What the repair sweep found and not yet found gone; ``times``: how often it was healed; ``facts``: JSON."""

sweeps = Table(
    "sweeps",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("position", String(200), nullable=False),
    Column("began_at", Utc, nullable=False),
    Column("finished_at", Utc),
)
"""How far each part of the repair sweep has come; ``finished_at``: when it last came to the end."""

budgets = Table(
    "budgets",
    metadata,
    Column("caller", String(64), primary_key=True),
    Column("remaining", Float, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "at"),
)
"""What a caller (a keyed digest) may still ask for, in units of cost, ``at`` a time in seconds since 1970."""

nonces = Table(
    "nonces",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("nonce", String(128), primary_key=True),
    Column("until", Utc, nullable=False),
    Index(None, "until"),
)
"""Nonces of signed messages that were taken, by the key they were signed with, while the message could still count."""

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("statement", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)
"""Signed statements over the heads of all chains that changed since the one before.  ``hash``: of the statement."""

checkpoint_heads = Table(
    "checkpoint_heads",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("number", String(64), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    Index(None, "number", "revision"),
)
"""What a checkpoint has seen: the hash each of those chains had at its end."""
