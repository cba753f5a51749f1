"""Shared records in the database: found by the deceased, taken by departments since a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import and_, insert, or_, select, update

from gateway.domain.events import Event
from gateway.domain.shared import SharedRecord
from gateway.store import cases, ledger
from gateway.store import tables as t
from gateway.store.areas import in_areas
from gateway.store.cases import Stale, deceased_indexes
from gateway.store.session import Tx

_RECORD = TypeAdapter(SharedRecord)


def of(tx: Tx, jurisdiction: str, id_number: str | None) -> SharedRecord | None:
    """The record of a deceased; locked until the end of a writing transaction."""
    c, found = t.shared_records.c, t.shared_deceased.c
    indexes = deceased_indexes(tx, jurisdiction, id_number)
    numbers = select(found.number).where(found.jurisdiction == jurisdiction, found.deceased_index.in_(indexes))
    row = tx.connection.execute(select(c.number, c.body).where(c.number.in_(numbers)).with_for_update()).one_or_none()
    return None if row is None else _opened(tx, row.number, row.body)


def numbers_of(tx: Tx, id_number: str) -> set[str]:
    """Numbers of the records of a deceased, one per jurisdiction."""
    found = t.shared_deceased.c
    places = tx.connection.execute(select(found.jurisdiction).distinct()).scalars()
    indexes = [index for place in places for index in deceased_indexes(tx, place, id_number)]
    return set(tx.connection.execute(select(found.number).where(found.deceased_index.in_(indexes))).scalars())


def append(tx: Tx, record: SharedRecord, events: Sequence[tuple[datetime, Event]], actor: ledger.Actor) -> None:
    """Appends events that are already folded into ``record`` and writes its present state.  Raises ``Stale``."""
    c = t.shared_records.c
    first = record.revision - len(events) + 1
    head = ledger.START
    if first > 1:
        row = tx.connection.execute(select(c.head, c.revision).where(c.number == record.number)).one()
        if row.revision != first - 1:
            raise Stale(record.number)
        head = row.head
    head = ledger.extend(tx, record.number, head, first, events, actor)
    values = {
        "jurisdiction": record.jurisdiction,
        "area": record.area,
        "updated_at": events[-1][0],
        "revision": record.revision,
        "head": head,
        "body": tx.seal.close(_RECORD.dump_json(record), f"shared:{record.number}"),
    }
    claim(tx, record)
    if first == 1:
        tx.connection.execute(insert(t.shared_records).values(number=record.number, **values))
    else:
        tx.connection.execute(update(t.shared_records).where(c.number == record.number).values(**values))


def index_anew(tx: Tx, body: bytes, number: str) -> dict[str, str | None]:
    """As ``cases.index_anew``."""
    claim(tx, _RECORD.validate_json(body))
    return {}


def claim(tx: Tx, record: SharedRecord) -> None:
    """Makes the record the one of its deceased.  Raises ``Stale``."""
    indexes = deceased_indexes(tx, record.jurisdiction, record.deceased.id_number)
    cases.claim(tx, t.shared_deceased, record.jurisdiction, indexes, record.number)


def since(
    tx: Tx, jurisdiction: str, areas: tuple[str, ...] | None, after: tuple[datetime, str] | None, limit: int
) -> list[tuple[datetime, SharedRecord]]:
    """(changed at, record) of records inside the areas (code prefixes; None = everywhere), oldest change first."""
    c = t.shared_records.c
    statement = select(c.number, c.updated_at, c.body).where(c.jurisdiction == jurisdiction)
    statement = statement.where(in_areas(c.area, areas))
    if after is not None:
        at, number = after
        statement = statement.where(or_(c.updated_at > at, and_(c.updated_at == at, c.number > number)))
    rows = tx.connection.execute(statement.order_by(c.updated_at, c.number).limit(limit))
    return [(row.updated_at, _opened(tx, row.number, row.body)) for row in rows]


def _opened(tx: Tx, number: str, body: bytes) -> SharedRecord:
    return _RECORD.validate_json(tx.seal.open(body, f"shared:{number}"))
