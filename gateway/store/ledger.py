"""The ledger: append-only, hash-chained, one chain per case and per shared record."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from pydantic import TypeAdapter
from sqlalchemy import insert, select

from gateway.domain.events import Event
from gateway.store import tables as t
from gateway.store.session import Tx

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
START = "0" * 64


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
    for seq, (at, event) in enumerate(events, start=first):
        plain = f"{actor.name}\t{actor.subject}\n".encode() + _EVENT.dump_json(event)
        known = _hash(head, number, seq, at, event.type, actor.role, actor.department, plain)
        tx.connection.execute(
            insert(t.ledger).values(
                number=number,
                seq=seq,
                at=at,
                type=event.type,
                actor_role=actor.role,
                actor_department=actor.department,
                body=tx.seal.close(plain, f"ledger:{number}:{seq}"),
                previous=head,
                hash=known,
            )
        )
        head = known
    return head


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
    plain = tx.seal.open(row["body"], f"ledger:{row['number']}:{row['seq']}")
    head, _, body = plain.partition(b"\n")
    name, _, subject = head.decode().partition("\t")
    actor = Actor(row["actor_role"], name, row["actor_department"], subject)
    return Entry(row["number"], row["seq"], row["at"], actor, _EVENT.validate_json(body), row["hash"])


def verify(tx: Tx, number: str) -> list[str]:
    """Checks the hash chain of one case, or of one shared record.  Returns what is wrong, nothing when all is well."""
    wrong = []
    previous, expected = START, 1
    rows = tx.connection.execute(
        select(t.ledger).where(t.ledger.c.number == number).order_by(t.ledger.c.seq)
    ).mappings()
    for row in rows:
        if row["seq"] != expected:
            wrong.append(f"{number}: entry {expected} is missing")
        try:
            plain = tx.seal.open(row["body"], f"ledger:{number}:{row['seq']}")
        except (InvalidTag, LookupError, ValueError, zlib.error):
            wrong.append(f"{number}: entry {row['seq']} was altered and cannot be opened")
            previous, expected = row["hash"], row["seq"] + 1
            continue
        actor = (row["actor_role"], row["actor_department"])
        known = _hash(previous, number, row["seq"], row["at"], row["type"], *actor, plain)
        if row["previous"] != previous or row["hash"] != known:
            wrong.append(f"{number}: entry {row['seq']} does not follow from the one before it")
        previous, expected = row["hash"], row["seq"] + 1
    heads = (select(table.c.head).where(table.c.number == number) for table in (t.cases, t.shared_records))
    if previous not in {tx.connection.execute(head).scalar_one_or_none() for head in heads}:
        wrong.append(f"{number}: the last entries are missing")
    return wrong


def _hash(
    previous: str, number: str, seq: int, at: datetime, kind: str, role: str, department: str | None, plain: bytes
) -> str:
    """Over every open column of the entry and its body before sealing."""
    when = at.astimezone(UTC).isoformat()
    head = f"{previous}\n{number}\n{seq}\n{when}\n{kind}\n{role}\n{department or ''}\n".encode()
    return hashlib.sha256(head + plain).hexdigest()
