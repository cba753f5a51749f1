"""Uploaded files: received part by part, sealed before they are written, found by whom they are from.

A file is there when its row has left the state ``RECEIVING``, which happens in one transaction after its last part;
whatever is interrupted before is never shown to anybody and swept away.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from cryptography.exceptions import InvalidTag
from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from gateway.domain.case import Case
from gateway.domain.materials import AttachedMaterial, MaterialStatus
from gateway.store import tables as t
from gateway.store.seal import Seal
from gateway.store.session import Tx
from gateway.store.upsert import upsert

PART = 256 * 1024
"""Bytes of one part before it is sealed."""
RECEIVING = "RECEIVING"
AT_ONCE = 100
"""Files that one sweep removes."""
THERE = (MaterialStatus.NOT_SCANNED, MaterialStatus.WAITING, MaterialStatus.CLEAN)


@dataclass(frozen=True, slots=True)
class Content:
    """What a file is: hash in hex, size in bytes, type as it is served."""

    sha256: str
    size: int
    content_type: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was received whole."""

    id: str
    owner: str
    """Pseudonym of who uploaded it."""
    content: Content
    status: MaterialStatus


def make_room(tx: Tx, owner: str, at: datetime) -> str:
    """Makes room for a file; returns its id, which nobody can guess."""
    id = secrets.token_urlsafe(24)
    values = {"owner_index": _owner(tx.seal, owner)[0], "state": RECEIVING, "at": at, "parts": 0}
    tx.connection.execute(insert(t.uploads).values(id=id, body=_body(tx.seal, id, owner, None), **values))
    return id


def sealed(seal: Seal, id: str, part: int, plain: bytes) -> bytes:
    """A part as it is written; made outside of the transaction that writes it."""
    return seal.close(plain, f"upload_part:{id}:{part}", level=0)


def add(tx: Tx, id: str, first: int, parts: Sequence[bytes]) -> bool:
    """Writes sealed parts from number ``first`` on; False: the upload was swept away meanwhile."""
    c = t.uploads.c
    there = select(c.id).where(c.id == id, c.state == RECEIVING).with_for_update()
    if tx.connection.execute(there).one_or_none() is None:
        return False
    rows = [{"id": id, "part": first + index, "body": body} for index, body in enumerate(parts)]
    tx.connection.execute(insert(t.upload_parts), rows)
    return True


def finish(tx: Tx, id: str, owner: str, content: Content, parts: int, status: MaterialStatus) -> bool:
    """The file is there from now on; False: it was swept away meanwhile."""
    c = t.uploads.c
    values = {
        "content_index": _content(tx.seal, owner, content.sha256)[0],
        "state": status,
        "parts": parts,
        "body": _body(tx.seal, id, owner, content),
    }
    done = tx.connection.execute(update(t.uploads).where(c.id == id, c.state == RECEIVING).values(**values))
    return done.rowcount == 1


def same(tx: Tx, owner: str, sha256: str) -> Upload | None:
    """The same content, uploaded by the same person before."""
    c = t.uploads.c
    statement = select(c.id).where(c.content_index.in_(_content(tx.seal, owner, sha256)), c.state.in_(THERE))
    found = tx.connection.execute(statement.order_by(c.at).limit(1)).scalar_one_or_none()
    return get(tx, found) if found is not None else None


def get(tx: Tx, id: str, lock: bool = False) -> Upload | None:
    """A file that was received whole, infected or not.  ``lock``: until the end of the transaction."""
    statement = select(t.uploads).where(t.uploads.c.id == id, t.uploads.c.state != RECEIVING)
    row = tx.connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        return None
    body = json.loads(tx.seal.open(row.body, f"upload:{id}"))
    return Upload(id, body["owner"], Content(**body["content"]), MaterialStatus(row.state))


def part(tx: Tx, id: str, number: int) -> bytes | None:
    """Plain content of one part, from 0; None behind the last.  Raises ``InvalidTag`` for one that was altered."""
    c = t.upload_parts.c
    body = tx.connection.execute(select(c.body).where(c.id == id, c.part == number)).scalar_one_or_none()
    return tx.seal.open(body, f"upload_part:{id}:{number}") if body is not None else None


def loose(tx: Tx, owner: str) -> int:
    """How many files of a person hang on no case, those on their way included."""
    c = t.uploads.c
    statement = select(func.count()).where(c.owner_index.in_(_owner(tx.seal, owner)), _hangs_nowhere())
    return int(tx.connection.execute(statement).scalar_one())


def waiting(tx: Tx, limit: int) -> list[str]:
    """Files the scanner has not looked at yet, oldest first."""
    c = t.uploads.c
    statement = select(c.id).where(c.state == MaterialStatus.WAITING).order_by(c.at, c.id).limit(limit)
    return list(tx.connection.execute(statement).scalars())


def judge(tx: Tx, id: str, status: MaterialStatus) -> list[tuple[str, str]]:
    """Records what the scanner found; of an infected file the content goes, and the row only while a case names it.

    Returns (case number, material id) of where it hangs.
    """
    if get(tx, id, lock=True) is None:
        return []
    c = t.materials.c
    hangs = [(row.number, row.id) for row in tx.connection.execute(select(c.number, c.id).where(c.upload == id))]
    infected = status is MaterialStatus.INFECTED
    if infected:
        tx.connection.execute(delete(t.upload_parts).where(t.upload_parts.c.id == id))
    row = t.uploads.c.id == id
    if infected and not hangs:
        tx.connection.execute(delete(t.uploads).where(row))
    else:
        tx.connection.execute(update(t.uploads).where(row).values(state=status))
    return hangs


def discard(tx: Tx, id: str) -> None:
    """Removes a file with its content, unless a case names it."""
    tx.connection.execute(delete(t.uploads).where(t.uploads.c.id == id, _hangs_nowhere()))


def sweep(tx: Tx, broken_off_before: datetime, loose_before: datetime) -> int:
    """Removes what was broken off, and what nobody attached to a case.  Returns how many.

    What somebody has locked is about to be named by a case, and is left.
    """
    c = t.uploads.c
    old = or_(c.at < loose_before, (c.state == RECEIVING) & (c.at < broken_off_before))
    found = select(c.id).where(old, _hangs_nowhere()).order_by(c.at).limit(AT_ONCE).with_for_update(skip_locked=True)
    ids = list(tx.connection.execute(found).scalars())
    return tx.connection.execute(delete(t.uploads).where(c.id.in_(ids), _hangs_nowhere())).rowcount


def place(tx: Tx, material: str) -> str | None:
    """Number of the case a material hangs on."""
    c = t.materials.c
    return tx.connection.execute(select(c.number).where(c.id == material)).scalar_one_or_none()


def damaged(tx: Tx, case: Case) -> list[str]:
    """Ids of materials of a case whose content should be there and is not whole.  Nothing is opened."""
    wanted = {one.upload: one for one in case.materials.values() if one.status is not MaterialStatus.INFECTED}
    u, p = t.uploads.c, t.upload_parts.c
    parts = select(p.id, func.count().label("there")).where(p.id.in_(wanted)).group_by(p.id).subquery()
    whole = select(u.id).join(parts, parts.c.id == u.id).where(u.state != RECEIVING, parts.c.there == u.parts)
    there = set(tx.connection.execute(whole).scalars())
    return [one.id for upload, one in wanted.items() if upload not in there]


def altered(tx: Tx, case: Case) -> list[str]:
    """Ids of materials of a case whose content is not the one that was attached.  Everything is opened and read."""
    return [one.id for one in case.materials.values() if one.status is not MaterialStatus.INFECTED and not _is(tx, one)]


def _is(tx: Tx, one: AttachedMaterial) -> bool:
    digest, size = hashlib.sha256(), 0
    try:
        while (plain := part(tx, one.upload, size // PART)) is not None:
            digest.update(plain)
            size += len(plain)
            if len(plain) < PART:
                break
        there = get(tx, one.upload)
    except (InvalidTag, LookupError, ValueError):
        return False
    said = Content(one.sha256, one.size, one.content_type)
    return there is not None and there.content == said and (digest.hexdigest(), size) == (one.sha256, one.size)


# ── beside other rows ───────────────────────────────────────────────────────────────────────────────────


def rows(tx: Tx, number: str) -> set[tuple[str, str]]:
    """(material id, upload) of a case, as they are written down."""
    c = t.materials.c
    return {(row.id, row.upload) for row in tx.connection.execute(select(c.id, c.upload).where(c.number == number))}


def expected(case: Case) -> set[tuple[str, str]]:
    """(material id, upload) of a case, as it says."""
    return {(one.id, one.upload) for one in case.materials.values()}


def write_rows(tx: Tx, case: Case) -> None:
    """Writes down which files hang on a case."""
    c = t.materials.c
    if expected(case) == rows(tx, case.number):
        return
    tx.connection.execute(delete(t.materials).where(c.number == case.number, c.id.not_in(case.materials)))
    for id, upload in expected(case):
        row = {"id": id, "number": case.number, "upload": upload}
        upsert(tx, t.materials, row, ["number", "upload"])


def index_anew(tx: Tx, body: bytes, id: str) -> dict[str, str | None]:
    """What an upload is found by, under today's index keys."""
    known = json.loads(body)
    found: dict[str, str | None] = {"owner_index": _owner(tx.seal, known["owner"])[0]}
    if known["content"] is not None:
        found["content_index"] = _content(tx.seal, known["owner"], known["content"]["sha256"])[0]
    return found


def _body(seal: Seal, id: str, owner: str, content: Content | None) -> bytes:
    plain = {"owner": owner, "content": asdict(content) if content is not None else None}
    return seal.close(json.dumps(plain).encode(), f"upload:{id}")


def _owner(seal: Seal, owner: str) -> tuple[str, ...]:
    return seal.indexes("uploader", owner)


def _content(seal: Seal, owner: str, sha256: str) -> tuple[str, ...]:
    return seal.indexes("upload", owner, sha256)


def _hangs_nowhere() -> ColumnElement[bool]:
    return ~select(t.materials.c.id).where(t.materials.c.upload == t.uploads.c.id).exists()
