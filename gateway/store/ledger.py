"""The ledger: append-only, hash-chained, one chain per case and per shared record."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from cryptography.exceptions import InvalidTag
from pydantic import Discriminator, TypeAdapter
from sqlalchemy import Table, insert, select

from gateway.domain.events import Event
from gateway.store import tables as t
from gateway.store.proof import START as START
from gateway.store.proof import commitment, entry_hash
from gateway.store.session import Tx
from gateway.store.upsert import upsert

_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Discriminator("type")])
_APPEND = insert(t.ledger)
SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: ``role``, and where it matters the department; ``name`` as the identity provider gives it."""

    role: str
    name: str
    department: str | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a case's ledger."""

    number: str
    seq: int
    at: datetime
    actor: Actor
    event: Event
    hash: str


def extend(tx: Tx, number: str, head: str, first: int, events: Sequence[tuple[datetime, Event]], actor: Actor) -> str:
    """Appends entries behind the one whose hash is ``head``, the first as number ``first``; returns the new head."""
    rows = []
    for seq, (at, event) in enumerate(events, start=first):
        rows.append(chained(tx, "ledger", number, seq, head, at, actor, event.type, _EVENT.dump_json(event)))
        head = rows[-1]["hash"]
    tx.connection.execute(_APPEND, rows)
    anchor_later(tx, number, first + len(events) - 1, head)
    return head


def chained(
    tx: Tx, kind: str, number: str, seq: int, previous: str, at: datetime, actor: Actor, type: str, event: bytes
) -> dict[str, Any]:
    """A row of the ledger, or of the access record, behind the one whose hash is ``previous``."""
    plain = f"{actor.name}\t{actor.subject}\n".encode() + event
    salt = os.urandom(SALT_BYTES)
    entry = {
        "number": number,
        "seq": seq,
        "at": at,
        "type": type,
        "actor_role": actor.role,
        "actor_department": actor.department,
        "content": commitment(salt, plain),
    }
    body = tx.seal.close(salt + plain, f"{kind}:{number}:{seq}")
    return {**entry, "body": body, "previous": previous, "hash": str(hash_of(previous, entry))}


def anchor_later(tx: Tx, number: str, revision: int, head: str) -> None:
    """The next checkpoint is to state this end of a chain."""
    row = {"number": number, "revision": revision, "head": head}
    upsert(tx, t.unanchored, row, ["revision", "head"])


def entries(tx: Tx, numbers: Sequence[str]) -> dict[str, list[Entry]]:
    """The ledgers of these cases, oldest entry first, in one query."""
    rows = tx.connection.execute(
        select(t.ledger).where(t.ledger.c.number.in_(numbers)).order_by(t.ledger.c.number, t.ledger.c.seq)
    ).mappings()
    found: dict[str, list[Entry]] = {number: [] for number in numbers}
    for row in rows:
        found[row["number"]].append(_entry(tx, row))
    return found


def _entry(tx: Tx, row: Any) -> Entry:
    actor, body = told(tx, row)
    return Entry(row["number"], row["seq"], row["at"], actor, _EVENT.validate_json(body), row["hash"])


def told(tx: Tx, row: Any, kind: str = "ledger") -> tuple[Actor, bytes]:
    """Who, and the event as JSON, of a row."""
    head, _, body = opened(tx, row, kind)[1].partition(b"\n")
    name, _, subject = head.decode().partition("\t")
    return Actor(row["actor_role"], name, row["actor_department"], subject), body


def opened(tx: Tx, row: Any, kind: str = "ledger") -> tuple[bytes, bytes]:
    """(salt, body) of a row.  Raises ``cryptography.exceptions.InvalidTag`` for one that was altered."""
    plain = tx.seal.open(row["body"], f"{kind}:{row['number']}:{row['seq']}")
    salted = SALT_BYTES if row["content"] is not None else 0
    return plain[:salted], plain[salted:]


def verify(tx: Tx, number: str) -> list[str]:
    """Checks the hash chain of one case, or of one shared record.  Returns what is wrong, nothing when all is well."""
    wrong, previous = chain_faults(tx, t.ledger, number)
    heads = (select(table.c.head).where(table.c.number == number) for table in (t.cases, t.shared_records))
    if previous not in {tx.connection.execute(head).scalar_one_or_none() for head in heads}:
        wrong.append(f"{number}: the last entries are missing")
    return wrong


def chain_faults(tx: Tx, table: Table, number: str, kind: str = "ledger") -> tuple[list[str], str]:
    """What is wrong inside a chain, and the hash of its last entry."""
    wrong = []
    previous, expected = START, 1
    rows = tx.connection.execute(select(table).where(table.c.number == number).order_by(table.c.seq)).mappings()
    for row in rows:
        if row["seq"] != expected:
            wrong.append(f"{number}: entry {expected} is missing")
        body = None
        try:
            salt, body = opened(tx, row, kind)
            if row["content"] is not None and commitment(salt, body) != row["content"]:
                wrong.append(f"{number}: entry {row['seq']} has another body")
        except (InvalidTag, LookupError, ValueError, zlib.error):
            wrong.append(f"{number}: entry {row['seq']} was altered and cannot be opened")
        if row["previous"] != previous or row["hash"] != hash_of(previous, dict(row), body):
            wrong.append(f"{number}: entry {row['seq']} does not follow from the one before it")
        previous, expected = row["hash"], row["seq"] + 1
    return wrong, previous


def hash_of(previous: str, entry: Mapping[str, Any], body: bytes | None = None) -> str | None:
    """Hash of an entry with an aware time ``at``, behind the one whose hash is ``previous``; see ``entry_hash``."""
    return entry_hash(previous, {**entry, "at": entry["at"].astimezone(UTC).isoformat()}, body)
