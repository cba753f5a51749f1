"""``shenhou keys``: what personal data are sealed with, and the change of keys and suite while gateways serve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NoReturn

import typer
from cryptography.exceptions import InvalidTag
from rich.console import Console
from rich.table import Table

from gateway import settings
from gateway.store import reseal
from gateway.store.keys import WrongKeys, must_fit
from gateway.store.reseal import Count
from gateway.store.seal import Seal, UnknownKey, said
from gateway.store.session import Database

app = typer.Typer(no_args_is_help=True, help="Keys of personal data: status, rotate.")
out = Console()


@app.command()
def status() -> None:
    """Count what every key was used for, and say which may be removed.  Reads the whole database.

    Exit code 1 while something is not of the first keys and the suite in use.
    """
    database = _database()
    with database.read() as tx:
        counts = reseal.count(tx)
    table = Table("table", "column", "made with", "rows", "still needed")
    for found in counts:
        table.add_row(found.table, found.column, said(found.mark), str(found.rows), str(found.needed))
    out.print(table)
    for line in verdicts(database.seal, counts):
        out.print(line)
    raise typer.Exit(1 if _behind(database.seal, counts) else 0)


@app.command()
def rotate() -> None:
    """Seal and index everything with the first keys and the suite in use; gateways may run.  May be run again."""
    database = _database()
    done: Counter[str] = Counter()

    def progress(table: str, rows: int) -> None:
        done[table] = rows
        typer.echo(f"{table}: {rows}")

    try:
        reseal.rotate(database, progress)
    except UnknownKey as error:
        _stop(f"{error}: add it to the settings and run this again")
    except InvalidTag:
        _stop("a value was altered and cannot be opened; `shenhou verify` tells where, if it is a ledger")
    with database.read() as tx:
        counts = reseal.count(tx)
    typer.echo(f"{done.total()} rows written anew")
    for line in verdicts(database.seal, counts):
        out.print(line)
    raise typer.Exit(1 if _behind(database.seal, counts) else 0)


def verdicts(seal: Seal, counts: Sequence[Count]) -> list[str]:
    """One line per key: what it is for, and whether it may be removed."""
    data, indexes = _needed(counts, bytes), _needed(counts, str)
    lines = []
    for number in seal.keys:
        rows = sum(n for mark, n in data.items() if isinstance(mark, bytes) and mark[-1] == number)
        use = "seals" if number == seal.mark[1] else f"needed by {rows} rows" if rows else "may be removed"
        lines.append(f"data key {number}: {use}")
    for place, key in enumerate(seal.index_keys):
        rows = indexes[key.mark]
        use = (
            "is written"
            if place == 0
            else f"needed by {rows} rows"
            if rows
            else "finds nothing that the first does not"
        )
        stays = key is seal.pseudonym_key
        end = "; oldest: stays" if stays else "; may be removed" if place and not rows else ""
        lines.append(f"index key {key.number} ({key.suite.name}): {use}{end}")
    configured = {key.mark for key in seal.index_keys}
    lines += [f"index {said(mark)} is not configured" for mark in indexes if mark not in configured]
    return lines


def _needed(counts: Sequence[Count], kind: type[bytes] | type[str]) -> Counter[bytes | str]:
    found: Counter[bytes | str] = Counter()
    for one in counts:
        if isinstance(one.mark, kind):
            found[one.mark] += one.needed
    return found


def _behind(seal: Seal, counts: Sequence[Count]) -> bool:
    current = {seal.mark, seal.index_keys[0].mark}
    return any(found.needed for found in counts if found.mark not in current)


def _database() -> Database:
    from adapters.kit.registry import manifests, sources

    try:
        read = settings.read(codes=(*manifests(), *sources()))
    except settings.BadSetting as error:
        _stop(f"setting: {error}")
    database = Database(read.database_url, read.seal)
    try:
        must_fit(database)
    except WrongKeys as error:
        _stop(str(error))
    return database


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
