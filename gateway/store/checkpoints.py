"""Checkpoints: signed statements over the heads of every chain that changed since the one before.

A chain proves only that it fits together: who can write to the database can compute it anew, or take a whole case out.
A checkpoint cannot be made without the key, and each holds the hash of the one before it.  What one costs depends on
how much changed since, never on how many cases there are.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    union_all,
)

from gateway.store import messages
from gateway.store import tables as t
from gateway.store.proof import ACCESS, CHECKPOINT, MESSAGE, START, leaf, levels, message_heads, opened
from gateway.store.session import Database, Tx

log = logging.getLogger("shenhou.checkpoints")
Sign = Callable[[str, Mapping[str, str | int]], str]
"""(kind, statement) → compact JWS."""
Keys = Sequence[Mapping[str, str]]
"""Public keys a statement may be signed with, as JWKs."""
MOST = 10_000
"""Chains in one checkpoint: it is one transaction, and others wait for it on SQLite."""
BATCH = 500


def write(tx: Tx, now: datetime, sign: Sign) -> int:
    """Writes one checkpoint over what changed, at most ``MOST`` chains.  Returns how many; 0: none was needed."""
    u = t.unanchored.c
    # Sorted here: databases sort texts each in their own way, and the root depends on it.
    changed = sorted(tx.connection.execute(select(u.number, u.revision, u.head).limit(MOST)).all())
    if not changed:
        return 0
    before = tx.connection.execute(select(t.checkpoints).order_by(t.checkpoints.c.seq.desc()).limit(1)).one_or_none()
    seq = before.seq + 1 if before is not None else 1
    root = levels([leaf(*row) for row in changed])[-1][0].hex()
    previous = before.hash if before is not None else START
    at = now.astimezone(UTC).isoformat()
    told = {"seq": seq, "at": at, "previous": previous, "heads": len(changed), "root": root}
    statement = sign(CHECKPOINT, told)
    values = {"seq": seq, "at": now, "statement": statement, "hash": _hash(statement)}
    tx.connection.execute(insert(t.checkpoints).values(**values))
    rows = [{"seq": seq, "number": row.number, "revision": row.revision, "head": row.head} for row in changed]
    tx.connection.execute(insert(t.checkpoint_heads), rows)
    # A chain that another gateway lengthened meanwhile stays on the list with its new end.
    done = delete(t.unanchored).where(u.number == bindparam("n"), u.revision == bindparam("r"))
    tx.connection.execute(done, [{"n": row.number, "r": row.revision} for row in changed])
    return len(changed)


def keep(database: Database, now: Callable[[], datetime], sign: Sign) -> int:
    """Writes checkpoints until nothing is left to be seen; recurring work of one gateway at a time.  Returns how many.

    Each is logged with its hash: whoever collects the logs can tell later whether the database still says the same.
    """
    written = 0
    while True:
        with database.write() as tx:
            heads = write(tx, now(), sign)
            seq, known = last(tx)
        if heads == 0:
            return written
        log.info("checkpoint", extra={"checkpoint": f"{seq}:{known}", "heads": heads})
        written += 1


def last(tx: Tx) -> tuple[int, str]:
    """(number, hash) of the last checkpoint: what an auditor writes down; (0, zeros) before the first."""
    row = tx.connection.execute(select(t.checkpoints).order_by(t.checkpoints.c.seq.desc()).limit(1)).one_or_none()
    return (row.seq, row.hash) if row is not None else (0, START)


# ── checking ────────────────────────────────────────────────────────────────────────────────────────────


def verify(tx: Tx, keys: Keys, known: tuple[int, str] | None = None) -> list[str]:
    """Checks all checkpoints, and every chain against them.  Returns what is wrong.

    ``known``: number and hash of a checkpoint that was written down elsewhere; only by it can be found that the last
    checkpoints were taken away together with what they had seen.
    """
    wrong = [*_statements(tx, keys), *_entries(tx), *_messages(tx), *_unseen(tx)]
    if known is not None:
        c = t.checkpoints.c
        if tx.connection.execute(select(c.hash).where(c.seq == known[0])).scalar_one_or_none() != known[1]:
            wrong.append(f"checkpoint {known[0]} is not the one that was written down")
    return wrong


def _statements(tx: Tx, keys: Keys) -> Iterator[str]:
    expected, previous = 1, START
    for row in tx.connection.execute(select(t.checkpoints).order_by(t.checkpoints.c.seq)).all():
        told = opened(row.statement, CHECKPOINT, keys)
        if row.seq != expected:
            yield f"checkpoint {expected} is missing"
        if told is None or row.hash != _hash(row.statement):
            yield f"checkpoint {row.seq} was altered, or signed with another key"
        elif (told["seq"], told["previous"]) != (row.seq, previous):
            yield f"checkpoint {row.seq} does not follow from the one before it"
        elif told["at"] != row.at.isoformat() or not _has_root(tx, row.seq, told["heads"], told["root"]):
            yield f"checkpoint {row.seq} had other heads, or another time"
        expected, previous = row.seq + 1, row.hash
    c = t.checkpoint_heads.c
    beyond = select(c.seq).where(c.seq >= expected).distinct().order_by(c.seq)
    for seq in tx.connection.execute(beyond).scalars():
        yield f"checkpoint {seq} is missing"


def _has_root(tx: Tx, seq: int, count: int, root: str) -> bool:
    rows = heads(tx, seq)
    return len(rows) == count and levels([leaf(*row) for row in rows])[-1][0].hex() == root


def heads(tx: Tx, seq: int) -> list[tuple[str, int, str]]:
    """(number, revision, head) of every chain a checkpoint has seen, in the order of its tree."""
    c = t.checkpoint_heads.c
    rows = tx.connection.execute(select(c.number, c.revision, c.head).where(c.seq == seq))
    return sorted((row.number, row.revision, row.head) for row in rows)


def _entries(tx: Tx) -> Iterator[str]:
    u, h = t.unanchored.c, t.checkpoint_heads.c
    for table in (t.ledger, t.accesses):
        e = table.c
        joined = t.unanchored.outerjoin(table, and_(e.number == u.number, e.seq == u.revision))
        lost = select(u.number, u.revision).select_from(joined).where(_stands_in(table, u.number))
        for end in tx.connection.execute(lost.where(e.hash.is_(None) | (e.hash != u.head)).order_by(u.number)):
            yield f"{end.number}: entry {end.revision} is missing, or not the one that was written"
        joined = t.checkpoint_heads.outerjoin(table, and_(e.number == h.number, e.seq == h.revision))
        differs = (e.hash.is_(None)) | (e.hash != h.head)
        statement = select(h.number, h.revision, h.seq, e.hash).select_from(joined)
        statement = statement.where(_stands_in(table, h.number), differs).order_by(h.number, h.revision)
        for row in tx.connection.execute(statement):
            what = "missing" if row.hash is None else "not the one"
            yield f"{row.number}: entry {row.revision} is {what} that checkpoint {row.seq} has seen"


def _stands_in(table: Table, number: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the chain of this number stands in the access record, or in the ledger."""
    access = number.startswith(ACCESS)
    return access if table is t.accesses else and_(~access, ~number.startswith(MESSAGE))


def _messages(tx: Tx) -> Iterator[str]:
    """Every message against its checkpoints, or against the list of those no checkpoint has seen."""
    h, u = t.checkpoint_heads.c, t.unanchored.c
    after = ""
    both: list[Select[tuple[str]]] = [select(h.number), select(u.number)]
    every = union_all(
        *(one.where(one.selected_columns[0].startswith(MESSAGE)) for one in both),
        select((literal(MESSAGE) + t.messages.c.id).label("number")),
    ).subquery()
    while numbers := list(
        tx.connection.execute(
            select(every.c.number).where(every.c.number > after).distinct().order_by(every.c.number).limit(BATCH)
        ).scalars()
    ):
        after = numbers[-1]
        ids = [number.removeprefix(MESSAGE) for number in numbers]
        present = messages.stated(tx, ids)
        yield from (f"{MESSAGE}{id}: its bytes are not those of its hash" for id in messages.damaged(tx, ids))
        seen: dict[str, dict[int, str]] = {number: {} for number in numbers}
        for table in (t.checkpoint_heads, t.unanchored):
            c = table.c
            rows = tx.connection.execute(select(c.number, c.revision, c.head).where(c.number.in_(numbers)))
            for row in rows:
                seen[row.number].setdefault(row.revision, row.head)
        for number in numbers:
            message = present.get(number.removeprefix(MESSAGE))
            now = dict(enumerate(message_heads(message), start=1)) if message is not None else {}
            if not now:
                yield f"{number} is missing"
            elif max(now) not in seen[number] or any(now.get(at) != head for at, head in seen[number].items()):
                yield f"{number} was altered"


def _unseen(tx: Tx) -> Iterator[str]:
    """A chain that changed is on the list of the next checkpoint, or a checkpoint has seen its end."""
    h, u, a = t.checkpoint_heads.c, t.unanchored.c, t.accesses.c
    ends = select(a.number, func.max(a.seq).label("revision")).group_by(a.number).subquery()
    for table in (t.cases, t.shared_records, ends):
        c = table.c
        seen = exists().where(h.number == c.number, h.revision == c.revision)
        waits = exists().where(u.number == c.number, u.revision == c.revision)
        for number in tx.connection.execute(select(c.number).where(~seen, ~waits).order_by(c.number)).scalars():
            yield f"{number}: no checkpoint has seen its last entry, and none is going to"


def waiting(tx: Tx) -> int:
    """Chains that changed since the last checkpoint."""
    return int(tx.connection.execute(select(func.count()).select_from(t.unanchored)).scalar_one())


def _hash(statement: str) -> str:
    return hashlib.sha256(statement.encode()).hexdigest()
