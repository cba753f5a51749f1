"""Rows a case is found by: as they stand, as they are to be, and written where the two differ."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, Table, bindparam, select

from gateway.domain.case import Case
from gateway.store.session import Tx
from gateway.store.upsert import upsert

Row = dict[str, Any]


@cache
def key_of(table: Table) -> str:
    """Name of the column that tells the rows of one case apart."""
    return next(column.name for column in table.primary_key.columns if column.name != "number")


@cache
def _of_case(table: Table) -> Select[Any]:
    return select(table).where(table.c.number == bindparam("of"))


def present(tx: Tx, table: Table, number: str) -> dict[str, Row]:
    """What stands there of a case, by ``key_of``."""
    return {row[key_of(table)]: dict(row) for row in tx.connection.execute(_of_case(table), {"of": number}).mappings()}


def expected(table: Table, case: Case, rows: Sequence[Any]) -> dict[str, Row]:
    """What is to stand there, by ``key_of``.  ``rows``: ``ItemRow``, ``PayoutRow`` …"""
    common = {"number": case.number, "area": case.area, "jurisdiction": case.jurisdiction}
    wanted = [column.name for column in table.columns]
    return {
        getattr(row, key_of(table)): {name: common.get(name) or getattr(row, name) for name in wanted} for row in rows
    }


def write(tx: Tx, table: Table, case: Case, rows: Sequence[Any]) -> None:
    """Writes those that are not there as they are to be."""
    if not rows:
        return
    known = present(tx, table, case.number)
    changed = [row for key, row in expected(table, case, rows).items() if known.get(key) != row]
    if changed:
        keys = table.primary_key.columns.keys()
        upsert(tx, table, changed, [column.name for column in table.columns if column.name not in keys])
