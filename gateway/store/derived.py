"""What is derived from a ledger: compared with it, and written anew from it.  For the repair sweep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Table, and_, delete, or_, select, update

from gateway.domain.case import Case
from gateway.domain.shared import SharedRecord
from gateway.domain.states import CaseStatus
from gateway.store import cases, shared, uploads
from gateway.store import rows as row_tables
from gateway.store import tables as t
from gateway.store.cases import AlertRow, ItemRow, PayoutRow, ReversalRow
from gateway.store.ledger import Entry
from gateway.store.session import Tx

_CASE = TypeAdapter(Case)
_RECORD = TypeAdapter(SharedRecord)
UNREADABLE = (InvalidTag, LookupError, ValueError, ValidationError)
Rows = tuple[Sequence[ItemRow], Sequence[PayoutRow], Sequence[ReversalRow], Sequence[AlertRow]]
TABLES = (t.items, t.payouts, t.reversals, t.alerts)
Kind = Literal["case", "shared", "unknown"]


def numbers(tx: Tx, after: str, limit: int) -> list[str]:
    """Numbers of cases, shared records and ledgers behind ``after``, in order: also what only one of them knows."""
    found: set[str] = set()
    for column, more in (
        (t.cases.c.number, ()),
        (t.shared_records.c.number, ()),
        (t.ledger.c.number, [t.ledger.c.seq == 1]),
    ):
        statement = select(column).where(column > after, *more).order_by(column).limit(limit)
        found.update(tx.connection.execute(statement).scalars())
    return sorted(found)[:limit]


def kind(tx: Tx, number: str, lock: bool = False) -> Kind:
    """What stands under a number.  ``lock``: until the end of the transaction."""
    table: Table
    for name, table in (("case", t.cases), ("shared", t.shared_records)):
        statement = select(table.c.number).where(table.c.number == number)
        if tx.connection.execute(statement.with_for_update() if lock else statement).one_or_none() is not None:
            return name  # type: ignore[return-value]
    return "unknown"


# ── a case ──────────────────────────────────────────────────────────────────────────────────────────────


def same_state(tx: Tx, proved: Case) -> bool:
    """Whether the body kept of a case is what its ledger proves."""
    body = tx.connection.execute(select(t.cases.c.body).where(t.cases.c.number == proved.number)).scalar_one()
    try:
        return _CASE.validate_json(tx.seal.open(body, f"case:{proved.number}")) == proved
    except UNREADABLE:
        return False


def differing(tx: Tx, case: Case, last: Entry, rows: Rows, attention_at: datetime | None) -> list[str]:
    """Names of the tables whose rows are not what the case says.

    When to look at the case next may stand in its row too early, which only costs a look, but not too late.
    """
    row = tx.connection.execute(select(t.cases).where(t.cases.c.number == case.number)).mappings().one()
    wrong = []
    late = attention_at is not None and (row["attention_at"] is None or row["attention_at"] > attention_at)
    changed = any(row[name] != value for name, value in cases.columns(case, last.at, last.hash).items())
    if late or changed or any(row[name] not in (may or (None,)) for name, may in cases.found_by(tx, case).items()):
        wrong.append(t.cases.name)
    for table, expected in zip(TABLES, rows, strict=True):
        if row_tables.present(tx, table, case.number) != row_tables.expected(table, case, expected):
            wrong.append(table.name)
    c = t.family.c
    subjects = set(tx.connection.execute(select(c.subject).where(c.number == case.number)).scalars())
    if not _stands_for(subjects, cases.family_of(tx, case)):
        wrong.append(t.family.name)
    if not _holds(tx, t.open_deceased, case.number, case.jurisdiction, cases.held_by(tx, case)):
        wrong.append(t.open_deceased.name)
    if uploads.rows(tx, case.number) != uploads.expected(case):
        wrong.append(t.materials.name)
    return wrong


def rival(tx: Tx, case: Case) -> tuple[str, bool] | None:
    """Another case that holds the deceased of this open one, and whether it is an open case itself."""
    if not cases.is_open(case):
        return None
    held = cases.open_case_of(tx, case.jurisdiction, case.deceased.id_number)
    if held is None or held == case.number:
        return None
    status = tx.connection.execute(select(t.cases.c.status).where(t.cases.c.number == held)).scalar_one_or_none()
    return held, status in (CaseStatus.AWAITING_REPORT, CaseStatus.IN_PROGRESS)


def release(tx: Tx, number: str) -> None:
    """A case that is gone or over holds its deceased no longer."""
    tx.connection.execute(delete(t.open_deceased).where(t.open_deceased.c.number == number))


def rewrite(tx: Tx, case: Case, last: Entry, rows: Rows, attention_at: datetime | None) -> None:
    """Writes the present state anew from what the ledger proves; rows that do not belong to it go."""
    for table, expected in zip(TABLES, rows, strict=True):
        name = row_tables.key_of(table)
        keep = [getattr(row, name) for row in expected]
        c = table.c
        tx.connection.execute(delete(table).where(c.number == case.number, c[name].not_in(keep)))
    if not _holds(tx, t.open_deceased, case.number, case.jurisdiction, cases.held_by(tx, case)):
        release(tx, case.number)
    uploads.write_rows(tx, case)
    cases.write(tx, case, last.at, last.hash, False, *rows, attention_at)


def _stands_for(found: set[str], wanted: Sequence[tuple[str, ...]]) -> bool:
    """Each is there under some index key, and nothing else is: while keys are changed any of them may be the one."""
    return found <= {index for indexes in wanted for index in indexes} and all(found & set(one) for one in wanted)


def _holds(tx: Tx, table: Table, number: str, jurisdiction: str, indexes: tuple[str, ...]) -> bool:
    c = table.c
    rows = tx.connection.execute(select(c.jurisdiction, c.deceased_index).where(c.number == number)).all()
    found = {row.deceased_index for row in rows}
    return {row.jurisdiction for row in rows} <= {jurisdiction} and _stands_for(found, [indexes] if indexes else [])


# ── a shared record ─────────────────────────────────────────────────────────────────────────────────────


def same_record(tx: Tx, proved: SharedRecord, last: Entry) -> bool:
    """Whether what is kept of a shared record is what its ledger proves."""
    c = t.shared_records.c
    row = tx.connection.execute(select(t.shared_records).where(c.number == proved.number)).mappings().one()
    if any(row[name] != value for name, value in _columns(proved, last).items()):
        return False
    indexes = cases.deceased_indexes(tx, proved.jurisdiction, proved.deceased.id_number)
    if not _holds(tx, t.shared_deceased, proved.number, proved.jurisdiction, indexes):
        return False
    try:
        return _RECORD.validate_json(tx.seal.open(row["body"], f"shared:{proved.number}")) == proved
    except UNREADABLE:
        return False


def rewrite_record(tx: Tx, proved: SharedRecord, last: Entry) -> None:
    body = tx.seal.close(_RECORD.dump_json(proved), f"shared:{proved.number}")
    statement = update(t.shared_records).where(t.shared_records.c.number == proved.number)
    tx.connection.execute(statement.values(**_columns(proved, last), body=body))
    tx.connection.execute(delete(t.shared_deceased).where(t.shared_deceased.c.number == proved.number))
    shared.claim(tx, proved)


def _columns(record: SharedRecord, last: Entry) -> dict[str, Any]:
    return {
        "jurisdiction": record.jurisdiction,
        "area": record.area,
        "updated_at": last.at,
        "revision": record.revision,
        "head": last.hash,
    }


# ── what a department is asked about ────────────────────────────────────────────────────────────────────


def told(tx: Tx, department: str, after: str, limit: int) -> list[str]:
    """Numbers of cases, behind ``after`` and in order, of which this department's system holds something open: an
    item, a reversal, or money that is not paid."""
    i, p, r = t.items.c, t.payouts.c, t.reversals.c
    sources = (
        (i.number, and_(i.reached_through == department, i.delivery == "DELIVERED", i.finished_at.is_(None))),
        (
            p.number,
            and_(p.reached_through == department, p.status.not_in(("PAID", "OFFSET", "CANCELLED")), p.fen > 0),
        ),
        (
            r.number,
            and_(
                r.department == department,
                r.delivery == "DELIVERED",
                or_(r.status == "REQUESTED", r.status == "ACCEPTED"),
            ),
        ),
    )
    found: set[str] = set()
    for column, holds in sources:
        statement = select(column).where(holds, column > after).distinct().order_by(column).limit(limit)
        found.update(tx.connection.execute(statement).scalars())
    return sorted(found)[:limit]
