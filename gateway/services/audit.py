"""Whether the present state is what the ledger says: bodies, and every row that lists and rights go by."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import Table, exists, select, union

from gateway.domain import shared
from gateway.domain.case import Case
from gateway.domain.fold import fold
from gateway.domain.states import CaseStatus
from gateway.services.context import CaseWork, Ctx
from gateway.store import cases, ledger
from gateway.store import shared as shared_store
from gateway.store import tables as t


def numbers(ctx: Ctx, after: str, limit: int) -> list[str]:
    """Numbers of everything that has a ledger or a present state, in order, behind ``after``."""
    every = union(*(select(table.c.number) for table in (t.cases, t.shared_records, t.ledger))).subquery()
    statement = select(every.c.number).where(every.c.number > after).order_by(every.c.number).limit(limit)
    return list(ctx.tx.connection.execute(statement).scalars())


def faults(ctx: Ctx, number: str) -> list[str]:
    """Checks the chain of a case or a shared record, and its present state.  Returns what is wrong."""
    wrong = ledger.verify(ctx.tx, number)
    if wrong:
        return wrong  # it cannot be folded
    try:
        return [f"{number}: {difference}" for difference in differences(ctx, number)]
    except (InvalidTag, LookupError, ValueError, zlib.error) as error:
        return [f"{number}: the present state cannot be opened or folded ({type(error).__name__})"]


def differences(ctx: Ctx, number: str) -> Iterator[str]:
    """How the present state differs from the fold of the ledger; names of fields and rows, never values."""
    entries = ledger.entries(ctx.tx, [number])[number]
    history = [(entry.at, entry.event) for entry in entries]
    if not ctx.tx.connection.execute(select(exists().where(t.cases.c.number == number))).scalar_one():
        yield from _record(ctx, shared.fold(history), entries[-1].at)
        return
    case = fold(history)
    yield from _fields("case", asdict(case), asdict(cases.load(ctx.tx, [number])[number]))
    yield from _row(ctx, t.cases, number, cases.columns(ctx.tx, case, entries[-1].at, entries[-1].hash))
    work = CaseWork(ctx, case)
    for table, rows in (
        (t.items, work.item_rows()),
        (t.payouts, work.payout_rows()),
        (t.reversals, work.reversal_rows()),
    ):
        yield from _rows(ctx, table, case, rows)
    yield from _others(ctx, case)


def _record(ctx: Ctx, record: shared.SharedRecord, at: datetime) -> Iterator[str]:
    stored = shared_store.load(ctx.tx, record.number)
    yield from _fields("shared record", asdict(record), asdict(stored))
    head = ledger.entries(ctx.tx, [record.number])[record.number][-1].hash
    yield from _row(ctx, t.shared_records, record.number, shared_store.columns(ctx.tx, record, at, head))


def _fields(what: str, told: dict[str, Any], stored: dict[str, Any]) -> Iterator[str]:
    for name in told:
        if told[name] != stored[name]:
            yield f"{name} of the {what} is not what the ledger says"


def _row(ctx: Ctx, table: Table, number: str, told: dict[str, Any]) -> Iterator[str]:
    row = ctx.tx.connection.execute(select(table).where(table.c.number == number)).mappings().one()
    for name in [name for name in told if name != "body" and told[name] != row[name]]:
        yield f"column {name} of {table.name} is not what the ledger says"


def _rows(ctx: Ctx, table: Table, case: Case, rows: Iterable[Any]) -> Iterator[str]:
    key = next(column.name for column in table.primary_key.columns if column.name != "number")
    told = {getattr(row, key): row for row in rows}
    c = table.c
    stored = {
        row[key]: row for row in ctx.tx.connection.execute(select(table).where(c.number == case.number)).mappings()
    }
    for name in sorted(told.keys() | stored.keys()):
        if name not in told or name not in stored:
            yield f"{table.name} {name} is {'missing' if name in told else 'in no entry of the ledger'}"
            continue
        for column in [column.name for column in c if column.name in told[name].__slots__]:
            if getattr(told[name], column) != stored[name][column]:
                yield f"column {column} of {table.name} {name} is not what the ledger says"


def _others(ctx: Ctx, case: Case) -> Iterator[str]:
    """Who may see the case as family, and that it is the open case of its deceased."""
    family = select(t.family.c.subject).where(t.family.c.number == case.number)
    if set(ctx.tx.connection.execute(family).scalars()) != set(case.family):
        yield "family is not what the ledger says"
    over = case.status in (CaseStatus.CLOSED, CaseStatus.REVOKING, CaseStatus.REVOKED)
    index = cases.deceased_index(ctx.tx, case.jurisdiction, case.deceased.id_number)
    opened: Sequence[Any] = ctx.tx.connection.execute(
        select(t.open_deceased.c.jurisdiction, t.open_deceased.c.deceased_index).where(
            t.open_deceased.c.number == case.number
        )
    ).all()
    if [tuple(row) for row in opened] != ([] if over or index is None else [(case.jurisdiction, index)]):
        yield "open_deceased is not what the ledger says"
