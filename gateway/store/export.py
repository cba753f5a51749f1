"""Ledger and access record as JSON lines for an auditor: checked with ``proof.py`` and the public key alone.

Order: ``export``, then each checkpoint with its heads, entries, accesses, messages, ``end``.  A case is exported with
the accesses to it; they are entries too, under the number of the case behind ``access:``.  Bodies are left out unless
they are asked for; what stands for them in the hash tells nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, func, select, true

from gateway.store import ledger, messages
from gateway.store import tables as t
from gateway.store.checkpoints import Sign, heads
from gateway.store.proof import ACCESS, ENTRY, EXPORT, MESSAGE, VERSION, leaf, levels, path
from gateway.store.session import Tx

BATCH = 500
CHAINS = ((t.ledger, "ledger"), (t.accesses, "access"))
"""Tables of hash chains, each with the kind its bodies are sealed as."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is exported: chains by number (none: all), entries between two times (from, before), with bodies or not."""

    numbers: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    open: bool = False

    @property
    def whole(self) -> bool:
        return not self.numbers and self.since is None and self.until is None


def lines(tx: Tx, wanted: Wanted, now: datetime, key: Mapping[str, str], sign: Sign) -> Iterator[str]:
    """The lines with their ends.  The last one is signed: it says what stood before it."""
    running, count = hashlib.sha256(), 0
    head = {"line": "export", "version": VERSION, "at": now.astimezone(UTC).isoformat(), "whole": wanted.whole}
    head |= {"from_start": wanted.since is None, "key": dict(key)}
    entries = (_entries(tx, wanted, table, kind) for table, kind in CHAINS)
    for found in chain((head,), _checkpoints(tx, wanted), *entries, _messages(tx, wanted)):
        text = _text(found)
        running.update(text.encode())
        count += 1
        yield text
    yield _text({"line": "end", "statement": sign(EXPORT, {"lines": count, "sha256": running.hexdigest()})})


def _entries(tx: Tx, wanted: Wanted, table: Table, kind: str) -> Iterator[dict[str, Any]]:
    c = table.c
    statement = select(table).order_by(c.number, c.seq)
    if not wanted.whole:
        span = _spans(wanted, table).subquery()
        within = and_(c.number == span.c.number, c.seq.between(span.c.first, span.c.last))
        statement = select(table).join(span, within).order_by(c.number, c.seq)
    for row in tx.connection.execute(statement.execution_options(yield_per=BATCH)).mappings():
        plain = {**row, "at": row["at"].isoformat()}
        found = {"line": "entry", **{name: plain[name] for name in (*ENTRY, "previous", "hash")}}
        if wanted.open:
            salt, body = ledger.opened(tx, row, kind)
            found |= {"salt": salt.hex(), "body": body.decode()}
        yield found


def _spans(wanted: Wanted, table: Table) -> Select[tuple[str, int, int]]:
    """From the first to the last entry inside the times, and on to the next one a checkpoint has seen: its hash stands
    for all before it.  Without a gap: a sandbox's clock may have gone back."""
    c = table.c
    inside: list[ColumnElement[bool]] = [true()]
    if wanted.numbers:
        inside.append(c.number.in_([*wanted.numbers, *(ACCESS + number for number in wanted.numbers)]))
    if wanted.since is not None:
        inside.append(c.at >= wanted.since)
    if wanted.until is not None:
        inside.append(c.at < wanted.until)
    h = t.checkpoint_heads.c
    within = select(c.number, func.min(c.seq).label("first"), func.max(c.seq).label("end"))
    span = within.where(*inside).group_by(c.number).subquery()
    seen = select(func.min(h.revision)).where(h.number == span.c.number, h.revision >= span.c.end).scalar_subquery()
    return select(span.c.number, span.c.first, func.coalesce(seen, span.c.end).label("last"))


def _ids(tx: Tx, wanted: Wanted) -> list[str]:
    c = t.messages.c
    statement = select(c.id).where(c.part == 0).order_by(c.id)
    if wanted.numbers:
        about = select(t.message_items.c.id).where(t.message_items.c.number.in_(wanted.numbers))
        statement = statement.where(c.id.in_(about))
    if wanted.since is not None:
        statement = statement.where(c.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(c.at < wanted.until)
    return list(tx.connection.execute(statement).scalars())


def _messages(tx: Tx, wanted: Wanted) -> Iterator[dict[str, Any]]:
    ids = _ids(tx, wanted)
    for start in range(0, len(ids), BATCH):
        stated = messages.stated(tx, ids[start : start + BATCH])
        for id in ids[start : start + BATCH]:
            yield {"line": "message", **stated[id]}


def _checkpoints(tx: Tx, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """All of them in a whole export; else those that have seen what is exported, with the ways to their roots."""
    shown = None if wanted.whole else _shown(tx, wanted)
    for row in tx.connection.execute(select(t.checkpoints).order_by(t.checkpoints.c.seq)).all():
        all_heads = heads(tx, row.seq) if shown is None or row.seq in shown else []
        if shown is not None and not all_heads:
            continue
        yield {"line": "checkpoint", "seq": row.seq, "statement": row.statement}
        tree = levels([leaf(*head) for head in all_heads]) if shown is not None else []
        for place, (number, revision, head) in enumerate(all_heads):
            told = {"line": "head", "number": number, "revision": revision, "head": head}
            if shown is None:
                yield told
            elif (number, revision) in shown[row.seq]:
                yield {**told, "path": path(tree, place)}


def _shown(tx: Tx, wanted: Wanted) -> dict[int, set[tuple[str, int]]]:
    """What each checkpoint has seen of that which is exported."""
    h = t.checkpoint_heads.c
    found: dict[int, set[tuple[str, int]]] = {}
    for table, _ in CHAINS:
        span = _spans(wanted, table).subquery()
        within = and_(h.number == span.c.number, h.revision.between(span.c.first, span.c.last))
        for row in tx.connection.execute(select(h.seq, h.number, h.revision).join(span, within)):
            found.setdefault(row.seq, set()).add((row.number, row.revision))
    ids = _ids(tx, wanted)
    for start in range(0, len(ids), BATCH):
        numbers = [MESSAGE + id for id in ids[start : start + BATCH]]
        for row in tx.connection.execute(select(h.seq, h.number, h.revision).where(h.number.in_(numbers))):
            found.setdefault(row.seq, set()).add((row.number, row.revision))
    return found


def _text(found: Mapping[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n"
