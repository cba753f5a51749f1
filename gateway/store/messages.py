"""Messages to and from departments' systems, kept with their exact bytes, hash and time.

An outward message is written in two transactions: ``begin`` commits before the call goes out, ``finish`` after it.  A
message that stays begun was interrupted, and the department must be asked before it is told again.

A poll that brought nothing new is counted, not kept: it says nothing about any case that the last kept answer does not
say already, there are thousands a day, and each would carry up to 500 other families' states.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import bindparam, exists, insert, select, update

from gateway.domain.exchange import Direction, Exchange, Leg, MessageKind, MessageState
from gateway.store import tables as t
from gateway.store.ledger import anchor_later
from gateway.store.proof import MESSAGE, message_heads
from gateway.store.session import Tx
from gateway.store.upsert import upsert

Item = tuple[str, str]
"""Case number and item slug."""
TOLD = (MessageKind.SUBMIT, MessageKind.INSTRUCT)


@dataclass(frozen=True, slots=True)
class Message:
    """One message with its answer, without its bytes.  Sizes in bytes, hashes SHA-256 in hex."""

    id: str
    part: int
    direction: Direction
    system: str
    kind: MessageKind
    state: MessageState
    at: datetime
    finished_at: datetime | None
    code: str | None
    """The department's answer code, or the transport's when there was no other."""
    request_size: int | None
    request_sha256: str | None
    answer_size: int | None
    answer_sha256: str | None


_OF_ALL_PARTS = ("id", "direction", "system", "kind", "key")
_STATED = [column for column in t.messages.c if column.name not in ("request", "answer")]
_NEW = insert(t.messages)
_FIRST_PART = update(t.messages).where(t.messages.c.id == bindparam("of"), t.messages.c.part == 0)
_STATE = select(*_STATED).where(t.messages.c.id.in_(bindparam("of", expanding=True))).order_by(t.messages.c.part)
_BEGUN = select(t.messages).where(t.messages.c.id == bindparam("of"), t.messages.c.state == MessageState.BEGUN)
_COLUMNS = [t.messages.c[name] for name in Message.__slots__]


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────


def begin(
    tx: Tx,
    at: datetime,
    system: str,
    kind: MessageKind,
    *,
    direction: Direction = Direction.OUTWARD,
    key: str | None = None,
    items: Iterable[Item] = (),
    request: bytes | None = None,
) -> str:
    """Records that a message begins; returns its id.  To be committed before the call goes out.

    ``system``: code of the department or hub.  ``key``: idempotency key of what is told.  ``request``: bytes of an
    inward message; those of an outward one are known only when it has gone out, and come with ``finish``.
    """
    id = f"{int(at.timestamp() * 1000):012x}{secrets.token_hex(10)}"
    values = {
        "id": id,
        "part": 0,
        "direction": direction,
        "system": system,
        "kind": kind,
        "key": key,
        "state": MessageState.BEGUN,
        "at": at,
    }
    if request is not None:
        values |= _sealed(tx, id, 0, "request", "", request)
    tx.connection.execute(_NEW, values)
    about(tx, id, items)
    _anchor(tx, id)
    return id


def finish(tx: Tx, id: str, exchange: Exchange, at: datetime, code: str | None = None) -> None:
    """Records what went over the wire, the whole of it also when the call failed.

    ``code``: the department's answer code, where one was understood.
    """
    first = tx.connection.execute(_BEGUN, {"of": id}).one()
    shared = {name: getattr(first, name) for name in ("id", "direction", "system", "kind", "key")}
    for part, leg in enumerate(exchange.legs or [None]):
        values = _finished(tx, id, part, leg, first.at, at)
        if leg is not None and part == len(exchange.legs) - 1:
            values["code"] = code or leg.code
        if part == 0:
            tx.connection.execute(_FIRST_PART, {"of": id, **values})
        else:
            tx.connection.execute(_NEW, {**shared, "part": part, **values})
    _anchor(tx, id)


def answer(tx: Tx, id: str, given: bytes, at: datetime, code: str | None = None, items: Iterable[Item] = ()) -> None:
    """Records what the gateway answered to an inward message, and which items it turned out to be about."""
    values = {"state": MessageState.ANSWERED, "finished_at": at, "code": code}
    values |= _sealed(tx, id, 0, "answer", "", given)
    tx.connection.execute(_FIRST_PART, {"of": id, **values})
    about(tx, id, items)
    _anchor(tx, id)


def about(tx: Tx, id: str, items: Iterable[Item]) -> None:
    """Says which items a message is about."""
    for number, slug in items:
        upsert(tx, t.message_items, {"number": number, "slug": slug, "id": id})


def count_polls(tx: Tx, system: str, at: datetime, unchanged: int, failed: int) -> None:
    """Counts polls that brought nothing new, or failed."""
    day = at.astimezone(UTC).date().isoformat()
    values = {"system": system, "day": day, "unchanged": 0, "failed": 0}
    upsert(tx, t.polls, values)
    c = t.polls.c
    row = update(t.polls).where(c.system == system, c.day == day)
    tx.connection.execute(row.values(unchanged=c.unchanged + unchanged, failed=c.failed + failed))


def stated(tx: Tx, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What checkpoints and exports say of these messages: everything but the bytes."""
    rows = tx.connection.execute(_STATE, {"of": list(ids)})
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        plain = {name: v.isoformat() if isinstance(v, datetime) else v for name, v in row._mapping.items()}
        message = found.setdefault(row.id, {name: plain.pop(name) for name in _OF_ALL_PARTS} | {"parts": []})
        message["parts"].append({name: value for name, value in plain.items() if name not in _OF_ALL_PARTS})
    return found


def _anchor(tx: Tx, id: str) -> None:
    heads = message_heads(stated(tx, [id])[id])
    anchor_later(tx, MESSAGE + id, len(heads), heads[-1])


def _finished(tx: Tx, id: str, part: int, leg: Leg | None, begun: datetime, at: datetime) -> dict[str, Any]:
    if leg is None:
        return {"state": MessageState.FAILED, "finished_at": at}
    values: dict[str, Any] = {
        "state": MessageState.ANSWERED if leg.whole else MessageState.FAILED,
        "at": begun if part == 0 else leg.at,
        "finished_at": at,
        "code": leg.code,
    }
    values |= _sealed(tx, id, part, "request", leg.to, leg.sent)
    if leg.answer is not None:
        values |= _sealed(tx, id, part, "answer", "", leg.answer)
    return values


def _sealed(tx: Tx, id: str, part: int, which: str, to: str, plain: bytes) -> dict[str, Any]:
    return {
        f"{which}_size": len(plain),
        f"{which}_sha256": hashlib.sha256(plain).hexdigest(),
        which: tx.seal.close(to.encode() + b"\n" + plain, f"message:{id}:{part}:{which}"),
    }


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────


def begun(tx: Tx, key: str) -> bool:
    """Whether telling a department this was ever begun, however it ended; ``key``: the idempotency key."""
    c = t.messages.c
    told = exists().where(c.key == key, c.direction == Direction.OUTWARD, c.kind.in_(TOLD))
    return bool(tx.connection.execute(select(told)).scalar_one())


def of_items(tx: Tx, wanted: Sequence[Item], limit: int) -> dict[Item, list[Message]]:
    """The newest messages about each of these items, newest first, at most ``limit`` of each."""
    found: dict[Item, list[Message]] = {}
    for number, slug in dict.fromkeys(wanted):
        link = t.message_items.c
        ids = select(link.id).where(link.number == number, link.slug == slug).order_by(link.id.desc()).limit(limit)
        c = t.messages.c
        rows = tx.connection.execute(
            select(*_COLUMNS).where(c.id.in_(ids)).order_by(c.id.desc(), c.part.desc()).limit(limit)
        )
        found[number, slug] = [_message(row) for row in rows]
    return found


def get(tx: Tx, id: str) -> list[tuple[Message, str, bytes | None, bytes | None]]:
    """(message, what was called, its bytes, bytes of the answer) of every part; nothing for an unknown id."""
    rows = tx.connection.execute(select(t.messages).where(t.messages.c.id == id).order_by(t.messages.c.part))
    return [(_message(row), *_opened(tx, row, "request"), _opened(tx, row, "answer")[1]) for row in rows]


def damaged(tx: Tx, ids: Sequence[str]) -> list[str]:
    """Those of these messages whose bytes cannot be opened, or are not those of their hash."""
    found: dict[str, None] = {}
    for row in tx.connection.execute(select(t.messages).where(t.messages.c.id.in_(ids))):
        for which in ("request", "answer"):
            known = getattr(row, f"{which}_sha256")
            try:
                plain = _opened(tx, row, which)[1]
            except (InvalidTag, LookupError, ValueError, zlib.error):
                plain = None
            if (hashlib.sha256(plain).hexdigest() if plain is not None else None) != known:
                found[row.id] = None
    return list(found)


def _message(row: Any) -> Message:
    return Message(
        id=row.id,
        part=row.part,
        direction=Direction(row.direction),
        system=row.system,
        kind=MessageKind(row.kind),
        state=MessageState(row.state),
        at=row.at,
        finished_at=row.finished_at,
        code=row.code,
        request_size=row.request_size,
        request_sha256=row.request_sha256,
        answer_size=row.answer_size,
        answer_sha256=row.answer_sha256,
    )


def _opened(tx: Tx, row: Any, which: str) -> tuple[str, bytes | None]:
    sealed = getattr(row, which)
    if sealed is None:
        return "", None
    to, _, plain = tx.seal.open(sealed, f"message:{row.id}:{row.part}:{which}").partition(b"\n")
    return to.decode(), plain
