"""Keys are changed while gateways serve: what is sealed or indexed under another key is written anew, row by row.

Nothing is remembered between runs: every value says what it was made with, so a run that was killed is run again.
A row is changed only if it is still what was read; what a gateway wrote meanwhile is looked at again.  The hashes of
the ledger are taken over what was sealed, not over the seal, and stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, delete, func, literal, or_, select, tuple_, update
from sqlalchemy.exc import OperationalError

from gateway.store import cases, ledger, shared, uploads
from gateway.store import tables as t
from gateway.store.columns import Blind, Sealed
from gateway.store.seal import INDEX_MARK, MARK, Seal, mark_of
from gateway.store.session import Database, Tx

BATCH = 200
"""Rows of one transaction: a gateway waits for so many at most."""
LARGE = {"upload_parts": 10}
"""As above, of tables with large rows."""
ATTEMPTS = 5
Progress = Callable[[str, int], None]
"""Called with the name of a table and how many rows of it were written anew by now."""
INDEX_ANEW: dict[str, Callable[[Tx, bytes, str], dict[str, str | None]]] = {
    "cases": cases.index_anew,
    "shared_records": shared.index_anew,
    "uploads": uploads.index_anew,
}
"""What stands beside a sealed row is written by the one who writes the row."""
BESIDE = {"cases": (t.family, t.open_deceased), "shared_records": (t.shared_deceased,)}
"""Tables that only find a row of another, by its ``number``."""
CLAIMS = (t.open_deceased, t.shared_deceased, t.submissions)
"""Tables that have a row under each key while an index key is changed."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many values of a column were made with a key.  ``needed``: rows that are found under this key only."""

    table: str
    column: str
    mark: bytes | str
    rows: int
    needed: int


def sealed_tables() -> Iterator[tuple[Table, Column[bytes]]]:
    """Every table with a sealed column, and the column."""
    for table in t.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Sealed):
                yield table, column


def blind_columns() -> Iterator[tuple[Table, Column[str]]]:
    """Every column of blind indexes."""
    for table in t.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Blind):
                yield table, column


def count(tx: Tx) -> list[Count]:
    """What the values of every column were made with; reads the whole database."""
    found = []
    for table, column in sealed_tables():
        made = func.substr(column, 1, MARK)
        marks: Counter[bytes] = Counter()
        for value, rows in tx.connection.execute(select(made, func.count()).where(column.is_not(None)).group_by(made)):
            marks[mark_of(bytes(value))] += rows
        found += [Count(table.name, column.name, value, rows, rows) for value, rows in marks.items()]
    first = tx.seal.index_keys[0].mark
    for table, blind in blind_columns():
        mark = _mark_of(blind)
        for value, rows in tx.connection.execute(select(mark, func.count()).where(blind.is_not(None)).group_by(mark)):
            needed = rows
            if table in CLAIMS and value != first:
                lonely = select(func.count()).where(mark == value, _unclaimed(table, blind, first))
                needed = tx.connection.execute(lonely).scalar_one()
            found.append(Count(table.name, blind.name, value, rows, needed))
    return found


def rotate(database: Database, progress: Progress = lambda table, rows: None) -> None:
    """Writes anew whatever is not of the first data key, the suite in use, and the first index key.

    Raises ``UnknownKey`` and ``InvalidTag`` for a value that cannot be opened; what was done before stays done.
    """
    for table, column in sealed_tables():
        _each(database, table, _stale(database.seal, table, column), _row_anew(table, column), progress)
    first = database.seal.index_keys[0].mark
    submitter = t.submissions.c.submitter
    lacking = and_(_mark_of(submitter) != first, _unclaimed(t.submissions, submitter, first))
    _each(database, t.submissions, lacking, _submitter_anew, progress)
    with database.write() as tx:
        _forget(tx)


def _each(
    database: Database,
    table: Table,
    stale: ColumnElement[bool],
    anew: Callable[[Tx, Mapping[str, Any]], bool],
    progress: Progress,
) -> None:
    """In passes through the table, until a pass meets no row that was changed under its hands."""
    done, missed = 0, True
    while missed:
        missed, after = False, None
        while rows := _next(database, table, stale, after):
            written = _batch(database, rows, anew)
            done, missed = done + written, missed or written < len(rows)
            after = tuple(rows[-1][column.name] for column in table.primary_key.columns)
            progress(table.name, done)


def _next(
    database: Database, table: Table, stale: ColumnElement[bool], after: Sequence[Any] | None
) -> list[Mapping[str, Any]]:
    key = tuple(table.primary_key.columns)
    statement = select(table).where(stale).order_by(*key).limit(LARGE.get(table.name, BATCH))
    if after is not None:
        last = (literal(part, column.type) for part, column in zip(after, key, strict=True))
        statement = statement.where(tuple_(*key) > tuple_(*last))
    with database.read() as tx:
        return [dict(row) for row in tx.connection.execute(statement).mappings()]


def _batch(database: Database, rows: Sequence[Mapping[str, Any]], anew: Callable[[Tx, Mapping[str, Any]], bool]) -> int:
    """How many of the rows were still as they were read.  A clash with a gateway is tried again."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with database.write() as tx:
                return sum(anew(tx, row) for row in rows)
        except (OperationalError, cases.Stale):
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _row_anew(table: Table, column: Column[bytes]) -> Callable[[Tx, Mapping[str, Any]], bool]:
    def anew(tx: Tx, row: Mapping[str, Any]) -> bool:
        same = and_(*(part == row[part.name] for part in table.primary_key.columns), column == row[column.name])
        if tx.connection.execute(select(literal(1)).where(same).with_for_update(of=table)).first() is None:
            return False
        name = context(table, column, row)
        plain = tx.seal.open(row[column.name], name)
        key = row[next(iter(table.primary_key.columns)).name]
        beside = INDEX_ANEW[table.name](tx, plain, key) if table.name in INDEX_ANEW else {}
        level = 0 if table.name in LARGE else 1
        values = {column.name: tx.seal.close(plain, name, level), **beside}
        tx.connection.execute(update(table).where(same).values(**values))
        return True

    return anew


def context(table: Table, column: Column[bytes], row: Mapping[str, Any]) -> str:
    """What a sealed value is bound to: the kind of its column and its primary key."""
    kind = column.type
    assert isinstance(kind, Sealed)
    words = [kind.kind, *(str(row[part.name]) for part in table.primary_key.columns)]
    return ":".join(words if kind.part is None else [*words, kind.part])


def _submitter_anew(tx: Tx, row: Mapping[str, Any]) -> bool:
    """Who filed stands in the ledger of the case that was made."""
    for entry in ledger.entries(tx, [row["number"]])[row["number"]]:
        if entry.event.type == "case.reported":
            submitter = tx.seal.indexes("submitter", entry.actor.subject or entry.actor.name)[0]
            cases.upsert(tx, t.submissions, {**row, "submitter": submitter})
    return True


def _forget(tx: Tx) -> None:
    """Rows under keys that are no longer configured, of what has a row under the first key too."""
    known = [key.mark for key in tx.seal.index_keys]
    for table in CLAIMS:
        column = next(column for found, column in blind_columns() if found is table)
        left = and_(_mark_of(column).not_in(known), ~_unclaimed(table, column, known[0]))
        tx.connection.execute(delete(table).where(left))


def _stale(seal: Seal, table: Table, column: Column[bytes]) -> ColumnElement[bool]:
    first = seal.index_keys[0].mark
    wrong = [func.substr(column, 1, MARK) != literal(seal.mark, column.type)]
    wrong += [_mark_of(blind) != first for found, blind in blind_columns() if found is table]
    for beside in BESIDE.get(table.name, ()):
        blind = next(blind for found, blind in blind_columns() if found is beside)
        stale = and_(beside.c.number == table.c.number, _mark_of(blind) != first)
        if beside in CLAIMS:
            stale = and_(stale, _unclaimed(beside, blind, first))
        wrong.append(select(literal(1)).where(stale).exists())
    return or_(*wrong)


def _unclaimed(table: Table, column: Column[str], first: str) -> ColumnElement[bool]:
    """The row has no twin under the first key."""
    twin = table.alias()
    same = [twin.c[part.name] == part for part in table.primary_key.columns if part is not column]
    found = and_(twin.c.number == table.c.number, _mark_of(twin.c[column.name]) == first, *same)
    return ~select(literal(1)).select_from(twin).where(found).exists()


def _mark_of(column: ColumnElement[Any]) -> ColumnElement[str]:
    return func.substr(column, 1, INDEX_MARK)
