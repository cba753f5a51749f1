"""Cases in the database: append to the ledger, keep the fold beside it, find them again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Select, Table, and_, bindparam, delete, func, insert, or_, select, update

from gateway.domain.case import Case
from gateway.domain.events import Event
from gateway.domain.identity import canonical
from gateway.domain.states import CaseStatus, ItemStatus
from gateway.store import ledger, uploads
from gateway.store import rows as row_tables
from gateway.store import tables as t
from gateway.store.areas import in_areas
from gateway.store.ledger import Actor as Actor
from gateway.store.ledger import Entry as Entry
from gateway.store.ledger import entries as entries
from gateway.store.ledger import verify as verify
from gateway.store.session import Tx
from gateway.store.upsert import upsert as upsert

_CASE = TypeAdapter(Case)
_NEW = insert(t.cases)
_CHANGED = update(t.cases).where(t.cases.c.number == bindparam("of"))
_TO_CHANGE = select(t.cases.c.body).where(t.cases.c.number == bindparam("of")).with_for_update()
_HEAD = select(t.cases.c.head, t.cases.c.revision).where(t.cases.c.number == bindparam("of"))
_FAMILY = select(t.family.c.subject).where(t.family.c.number == bindparam("of"))
"""Built once: building a statement costs more than running it."""


@dataclass(frozen=True, slots=True)
class ItemRow:
    """What an item is found by; computed by the caller from case and policy."""

    slug: str
    department: str | None
    status: str
    pushed_at: datetime | None
    due_at: datetime | None
    finished_at: datetime | None
    calendar_missing: bool
    delivery: str
    next_attempt_at: datetime | None
    failing_since: datetime | None
    reached_through: str | None = None
    """Code of the system it is pushed into: its department's, or a hub's."""
    due_clock: str | None = None
    """Which clock ``due_at`` belongs to: ``PROCESSING`` or ``PAYOUT``."""


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """What a payout is found by."""

    payout: str
    department: str | None
    slug: str
    status: str
    kind: str
    fen: int
    due_at: datetime | None
    paid_at: datetime | None
    delivery: str = "NONE"
    reached_through: str | None = None


@dataclass(frozen=True, slots=True)
class ReversalRow:
    """What a reversal is found by."""

    slug: str
    department: str | None
    status: str
    delivery: str
    since: datetime


@dataclass(frozen=True, slots=True)
class AlertRow:
    """What an open alert is found by."""

    key: str
    department: str | None
    kind: str
    since: datetime


class Stale(Exception):
    """Somebody else changed the case meanwhile; nothing was written.  The caller reads again."""


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────


def load(tx: Tx, numbers: Sequence[str], within: CaseFilter | None = None) -> dict[str, Case]:
    """The cases of these numbers, in one query.  ``within``: what does not match is not even read."""
    statement = select(t.cases.c.number, t.cases.c.body).where(t.cases.c.number.in_(numbers))
    rows = tx.connection.execute(statement if within is None else _matching(tx, within, statement))
    return {number: _CASE.validate_json(tx.seal.open(body, f"case:{number}")) for number, body in rows}


def get(tx: Tx, number: str) -> Case | None:
    return load(tx, [number]).get(number)


def get_to_change(tx: Tx, number: str) -> Case | None:
    """The case, locked until the end of the transaction."""
    body = tx.connection.execute(_TO_CHANGE, {"of": number}).scalar_one_or_none()
    return None if body is None else _CASE.validate_json(tx.seal.open(body, f"case:{number}"))


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────


def append(
    tx: Tx,
    case: Case,
    events: Sequence[tuple[datetime, Event]],
    actor: Actor,
    items: Iterable[ItemRow],
    payouts: Iterable[PayoutRow],
    reversals: Iterable[ReversalRow] = (),
    alerts: Iterable[AlertRow] = (),
    attention_at: datetime | None = None,
) -> None:
    """Appends events that are already folded into ``case`` and writes its present state.  Raises ``Stale``."""
    first = case.revision - len(events) + 1
    head = ledger.extend(tx, case.number, _head(tx, case.number, first - 1), first, events, actor)
    write(tx, case, events[-1][0], head, first == 1, items, payouts, reversals, alerts, attention_at)


def write(
    tx: Tx,
    case: Case,
    at: datetime,
    head: str,
    new: bool,
    items: Iterable[ItemRow],
    payouts: Iterable[PayoutRow],
    reversals: Iterable[ReversalRow],
    alerts: Iterable[AlertRow],
    attention_at: datetime | None,
) -> None:
    """Writes the present state of a case and the rows it is found by, as of its last entry."""
    _write_case(tx, case, at, head, new, attention_at)
    for group, rows in ((t.items, items), (t.payouts, payouts), (t.reversals, reversals)):
        row_tables.write(tx, group, case, list(rows))
    if case.alerts:
        _write_alerts(tx, case, alerts)
    _write_family(tx, case, new)
    if case.materials:
        uploads.write_rows(tx, case)


def _head(tx: Tx, number: str, revision: int) -> str:
    if revision == 0:
        return ledger.START
    row = tx.connection.execute(_HEAD, {"of": number}).one()
    if row.revision != revision:
        raise Stale(number)
    return str(row.head)


def columns(case: Case, at: datetime, head: str) -> dict[str, Any]:
    """What stands open beside the sealed body of a case."""
    return {
        "jurisdiction": case.jurisdiction,
        "area": case.area,
        "status": case.status,
        "flow": case.flow,
        "opened_at": case.opened_at,
        "updated_at": at,
        "closed_at": case.closed_at,
        "revision": case.revision,
        "head": head,
    }


def is_open(case: Case) -> bool:
    """Whether it is the one open case of its deceased (PD-07)."""
    return case.status not in (CaseStatus.CLOSED, CaseStatus.REVOKING, CaseStatus.REVOKED)


def _write_case(tx: Tx, case: Case, at: datetime, head: str, new: bool, attention_at: datetime | None) -> None:
    body = tx.seal.close(_CASE.dump_json(case), f"case:{case.number}")
    values = {**columns(case, at, head), **_first(found_by(tx, case)), "attention_at": attention_at, "body": body}
    tx.connection.execute(_NEW if new else _CHANGED, {"number" if new else "of": case.number, **values})
    _write_open(tx, case)


def found_by(tx: Tx, case: Case) -> dict[str, tuple[str, ...]]:
    """Columns a case is found by, each with what may stand in it: the first is written."""
    id_number, name = case.deceased.id_number, case.deceased.name
    return {
        "deceased_index": tx.seal.indexes("id", canonical(id_number)) if id_number else (),
        "name_index": tx.seal.indexes("name", name) if name else (),
    }


def held_by(tx: Tx, case: Case) -> tuple[str, ...]:
    """Indexes of the deceased that an open case holds; nothing for one that is over."""
    return deceased_indexes(tx, case.jurisdiction, case.deceased.id_number) if is_open(case) else ()


def family_of(tx: Tx, case: Case) -> list[tuple[str, ...]]:
    """For each person of the family, what may stand for it: the first is written."""
    return [tx.seal.indexes("family", who) for who in case.family]


def _write_open(tx: Tx, case: Case) -> None:
    claim(tx, t.open_deceased, case.jurisdiction, held_by(tx, case), case.number)


def _write_family(tx: Tx, case: Case, new: bool) -> None:
    subjects = {indexes[0] for indexes in family_of(tx, case)}
    c = t.family.c
    known = set() if new else set(tx.connection.execute(_FAMILY, {"of": case.number}).scalars())
    if known - subjects:
        tx.connection.execute(delete(t.family).where(c.number == case.number, c.subject.in_(known - subjects)))
    if subjects - known:
        upsert(tx, t.family, [{"subject": subject, "number": case.number} for subject in sorted(subjects - known)])


def index_anew(tx: Tx, body: bytes, number: str) -> dict[str, str | None]:
    """Writes what a case is found by under today's index keys; returns the columns of its own row."""
    case = _CASE.validate_json(body)
    _write_open(tx, case)
    _write_family(tx, case, new=False)
    return _first(found_by(tx, case))


def _first(found: dict[str, tuple[str, ...]]) -> dict[str, str | None]:
    return {name: next(iter(indexes), None) for name, indexes in found.items()}


@cache
def _held(table: Table) -> Select[Any]:
    return select(table.c.deceased_index).where(table.c.number == bindparam("of"))


def claim(tx: Tx, table: Table, jurisdiction: str, indexes: Sequence[str], number: str) -> None:
    """Makes these indexes of a deceased, and no others, stand for ``number``.  Raises ``Stale`` when another has one.

    All are written, always in one order: two gateways that know one key in common cannot both succeed.
    """
    c = table.c
    held = set(tx.connection.execute(_held(table), {"of": number}).scalars())
    if held == set(indexes):
        return
    if held - set(indexes):
        tx.connection.execute(delete(table).where(c.number == number, c.deceased_index.in_(held - set(indexes))))
    if not indexes:
        return
    rows = [{"jurisdiction": jurisdiction, "deceased_index": index, "number": number} for index in sorted(indexes)]
    upsert(tx, table, rows)
    # Another gateway may have claimed one since this transaction looked; whoever wrote first has it.
    taken = select(c.number).where(c.jurisdiction == jurisdiction, c.deceased_index.in_(indexes))
    if set(tx.connection.execute(taken).scalars()) - {number}:
        raise Stale(number)


def _write_alerts(tx: Tx, case: Case, rows: Iterable[AlertRow]) -> None:
    open_ = list(rows)
    c = t.alerts.c
    gone = delete(t.alerts).where(c.number == case.number, c.key.not_in([row.key for row in open_]))
    tx.connection.execute(gone)
    row_tables.write(tx, t.alerts, case, open_)


def next_serial(tx: Tx, scope: str) -> int:
    """1, 2, 3 … within a scope, without gaps that two writers could share."""
    return skip_serials(tx, scope, 1)[1]


def skip_serials(tx: Tx, scope: str, count: int) -> tuple[int, int]:
    """Gives out ``count`` serials of a scope at once.  Returns the last one before and the last one now."""
    upsert(tx, t.serials, {"scope": scope, "last": 0})
    tx.connection.execute(update(t.serials).where(t.serials.c.scope == scope).values(last=t.serials.c.last + count))
    last = int(tx.connection.execute(select(t.serials.c.last).where(t.serials.c.scope == scope)).scalar_one())
    return last - count, last


# ── finding ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What ``cases`` may be filtered by; None = not filtered."""

    areas: tuple[str, ...] | None = None
    """Administrative code prefixes the asker may see; None = all."""
    subject: str | None = None
    department: str | None = None
    jurisdiction: str | None = None
    statuses: tuple[str, ...] | None = None
    item_statuses: tuple[str, ...] | None = None
    item: str | None = None
    pushed_only: bool = False
    """Only items that were pushed, or are to be undone, count: a department does not see what has not come to it."""
    overdue_at: datetime | None = None
    area: str | None = None
    id_number: str | None = None
    name: str | None = None


def find(tx: Tx, wanted: CaseFilter, after: tuple[datetime, str] | None, limit: int) -> list[tuple[datetime, str]]:
    """(opened at, number) of matching cases, newest first, after a keyset position."""
    statement = _matching(tx, wanted, select(t.cases.c.opened_at, t.cases.c.number))
    if after is not None:
        at, number = after
        statement = statement.where(
            or_(t.cases.c.opened_at < at, and_(t.cases.c.opened_at == at, t.cases.c.number < number))
        )
    statement = statement.order_by(t.cases.c.opened_at.desc(), t.cases.c.number.desc()).limit(limit)
    return [(row.opened_at, row.number) for row in tx.connection.execute(statement)]


def open_numbers(tx: Tx, jurisdictions: Sequence[str], after: str, limit: int) -> list[str]:
    """Numbers of open cases of these jurisdictions, in order, behind ``after``."""
    c = t.cases.c
    statement = select(c.number).where(c.jurisdiction.in_(jurisdictions), c.status == CaseStatus.IN_PROGRESS)
    return list(tx.connection.execute(statement.where(c.number > after).order_by(c.number).limit(limit)).scalars())


def count(tx: Tx, wanted: CaseFilter) -> int:
    """How many match."""
    inner = _matching(tx, wanted, select(t.cases.c.number)).subquery()
    return int(tx.connection.execute(select(func.count()).select_from(inner)).scalar_one())


def _matching(tx: Tx, wanted: CaseFilter, statement: Select[Any]) -> Select[Any]:
    cases, items = t.cases.c, t.items.c
    statement = statement.where(in_areas(cases.area, wanted.areas))
    if wanted.area is not None:
        statement = statement.where(cases.area.startswith(wanted.area))
    if wanted.subject is not None:
        mine = select(t.family.c.number).where(t.family.c.subject.in_(tx.seal.indexes("family", wanted.subject)))
        statement = statement.where(cases.number.in_(mine))
    if wanted.jurisdiction is not None:
        statement = statement.where(cases.jurisdiction == wanted.jurisdiction)
    if wanted.statuses is not None:
        statement = statement.where(cases.status.in_(wanted.statuses))
    if wanted.id_number is not None:
        statement = statement.where(cases.deceased_index.in_(tx.seal.indexes("id", canonical(wanted.id_number))))
    if wanted.name is not None:
        statement = statement.where(cases.name_index.in_(tx.seal.indexes("name", wanted.name)))
    by_item = []
    if wanted.department is not None:
        by_item.append(items.department == wanted.department)
    if wanted.pushed_only:
        by_item.append(or_(items.pushed_at.is_not(None), items.delivery == "REVERSED"))
    if wanted.item is not None:
        by_item.append(items.slug == wanted.item)
    if wanted.item_statuses is not None:
        by_item.append(items.status.in_(wanted.item_statuses))
    if wanted.overdue_at is not None:
        by_item += [items.due_at < wanted.overdue_at, items.finished_at.is_(None)]
    if by_item:
        statement = statement.where(cases.number.in_(select(items.number).where(*by_item)))
    return statement


def concerns(tx: Tx, department: str, areas: tuple[str, ...] | None, number: str, slug: str) -> bool:
    """Whether a case of these areas is a matter of this department: an item came to it, or ``slug`` is to come.

    Of the case itself nothing is read.
    """
    items = t.items.c
    theirs = or_(items.department == department, items.reached_through == department)
    came = or_(items.pushed_at.is_not(None), items.delivery == "REVERSED")
    to_come = and_(items.slug == slug, items.status != ItemStatus.NOT_APPLICABLE)
    statement = select(items.number).where(items.number == number, in_areas(items.area, areas), theirs)
    return tx.connection.execute(statement.where(or_(came, to_come)).limit(1)).first() is not None


def deceased_indexes(tx: Tx, jurisdiction: str, id_number: str | None) -> tuple[str, ...]:
    """Empty for an unidentified deceased: nobody can tell two of them apart."""
    return tx.seal.indexes("deceased", jurisdiction, canonical(id_number)) if id_number else ()


def open_case_of(tx: Tx, jurisdiction: str, id_number: str | None) -> str | None:
    """Number of the open case for this deceased (PD-07)."""
    indexes = deceased_indexes(tx, jurisdiction, id_number)
    found = t.open_deceased.c
    statement = select(found.number).where(found.jurisdiction == jurisdiction, found.deceased_index.in_(indexes))
    return tx.connection.execute(statement).scalars().first()
