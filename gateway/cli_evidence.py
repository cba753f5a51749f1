"""Commands of the evidence: check it, hand it to an auditor, show one message."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from gateway.store.proof import ACCESS, check, summary

if TYPE_CHECKING:
    from gateway.access.seals import Seals
    from gateway.main import Application
    from gateway.settings import Settings
    from gateway.store.session import Database

BATCH = 200
Moment = Annotated[str | None, typer.Option(help="Time with zone, e.g. 2026-01-01T00:00:00+08:00.")]
KeyFiles = Annotated[
    list[Path] | None, typer.Option(help="File with a public key (JWK) checkpoints may be signed with; repeatable.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands to the one command line."""
    app.command()(verify)
    app.command("checkpoint")(checkpoint)
    app.command("seal-key")(seal_key)
    app.command("export-ledger")(export_ledger)
    app.command()(message)
    app.command("accesses")(accesses_)
    app.command()(incident)


def verify(
    number: Annotated[
        str | None, typer.Argument(help="Number of a case or of a shared record; all of them if omitted.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Check this export instead; needs no database and no keys.")] = None,
    key: KeyFiles = None,
    known: Annotated[
        str | None, typer.Option(help="NUMBER:HASH of a checkpoint that was written down outside the database.")
    ] = None,
) -> None:
    """Check the ledger, the present state and the checkpoints: finds what was altered, removed or reordered."""
    keys = [json.loads(path.read_text(encoding="utf-8")) for path in key or []]
    if file is not None:
        with file.open("rb") as lines:
            found, used = check(lines, keys)
        _report(found.faults, summary(found, used, bool(keys)))
        return
    _report(*_verified(number, keys, known))


def _verified(number: str | None, keys: list[dict[str, str]], known: str | None) -> tuple[list[str], list[str]]:
    from gateway.services import audit
    from gateway.store import checkpoints, derived

    joined = _joined()
    wrong: list[str] = []
    after, checked = "", 0
    while True:
        with joined.desk.database.read() as tx:
            ctx = joined.desk.context(tx, None)
            numbers = [number] if number else derived.numbers(tx, after, BATCH)
            wrong += [fault for found in numbers for fault in audit.faults(ctx, found)]
        checked += len(numbers)
        if number or not numbers:
            break
        after = numbers[-1]
    records, access_faults = _access_faults(joined.desk.database, number)
    wrong += access_faults
    keys = keys or [joined.desk.seals.public_key()]
    seq, _, mark = (known or "").partition(":")
    with joined.desk.database.read() as tx:
        against = checkpoints.verify(tx, keys, (int(seq), mark) if known else None)
        last, waiting = checkpoints.last(tx), checkpoints.waiting(tx)
    mine = (f"{number}:", f"{ACCESS}{number}:")
    wrong += [line for line in against if not number or line.startswith(mine)]
    lines = [f"{checked} ledgers checked, {len(wrong)} faults", f"{records} access records checked with them"]
    return wrong, [*lines, f"last checkpoint: {last[0]}:{last[1]}, {waiting} chains changed since"]


def _access_faults(database: Database, number: str | None) -> tuple[int, list[str]]:
    """Chains of the access record that were checked, and what is wrong."""
    from gateway.store import accesses

    wrong: list[str] = []
    after, checked = "", 0
    while True:
        with database.read() as tx:
            chains = [ACCESS + number] if number else accesses.chains(tx, after, BATCH)
            wrong += [fault for chain in chains for fault in accesses.verify(tx, chain)]
        checked += len(chains)
        if number or not chains:
            return checked, wrong
        after = chains[-1]


def checkpoint() -> None:
    """Write the checkpoints that are due now, e.g. before a backup or an export."""
    from gateway.store import checkpoints

    database, seals = _kept()
    written = checkpoints.keep(database, lambda: datetime.now(UTC), seals.statement)
    with database.read() as tx:
        seq, mark = checkpoints.last(tx)
    typer.echo(f"{written} written; last checkpoint: {seq}:{mark}")


def seal_key() -> None:
    """Print the public key checkpoints and exports are signed with, for the auditor to keep."""
    typer.echo(json.dumps(_kept()[1].public_key()))


def export_ledger(
    numbers: Annotated[list[str] | None, typer.Argument(help="Numbers of cases; everything if omitted.")] = None,
    since: Moment = None,
    until: Moment = None,
    open: Annotated[
        bool, typer.Option("--open", help="With the bodies of the entries: personal data in clear.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option(help="File to write, for its owner only; standard output if omitted.")
    ] = None,
) -> None:
    """Write ledger, messages and checkpoints as JSON lines that can be verified without the gateway."""
    from gateway.store import export

    database, seals = _kept()
    wanted = export.Wanted(tuple(numbers or ()), _moment(since), _moment(until), open)
    with database.read() as tx, _file(to) as out:
        for line in export.lines(tx, wanted, datetime.now(UTC), seals.public_key(), seals.statement):
            out.write(line)


def message(
    id: Annotated[str, typer.Argument(help="Id of a message, as shown with its item.")],
    part: Annotated[int | None, typer.Option(help="Write only this part's exact bytes to standard output.")] = None,
    answer: Annotated[bool, typer.Option("--answer", help="With --part: the bytes of the answer.")] = False,
) -> None:
    """Show a message and its answer with their exact bytes.  Personal data: for an operator with the keys."""
    from gateway.store import messages

    with _kept()[0].read() as tx:
        found = messages.get(tx, id)
    if not found:
        typer.echo("no such message", err=True)
        raise typer.Exit(2)
    for known, to, request, given in found:
        if part is not None:
            if known.part == part:
                sys.stdout.buffer.write((given if answer else request) or b"")
            continue
        typer.echo(f"{known.direction} {known.kind} {known.system} part {known.part}: {known.state} {known.code or ''}")
        for name, plain, mark in (("request", request, known.request_sha256), ("answer", given, known.answer_sha256)):
            typer.echo(f"--- {name} {to if name == 'request' else ''} {len(plain or b'')} bytes, SHA-256 {mark or '-'}")
            typer.echo((plain or b"").decode("utf-8", "backslashreplace"))


def accesses_(
    number: Annotated[
        str | None, typer.Argument(help="Number of a case; all, with what was refused, if omitted.")
    ] = None,
    since: Moment = None,
    until: Moment = None,
    person: Annotated[
        bool,
        typer.Option("--person", help="Only what concerns one deceased, whose ID number is read from standard input."),
    ] = False,
    to: Annotated[
        Path | None, typer.Option(help="File to write, for its owner only; standard output if omitted.")
    ] = None,
) -> None:
    """Write who saw what, when, why and from where, as CSV.  Names and addresses in clear: for the supervisor."""
    from gateway.store import accesses

    asked = typer.prompt("ID number", hide_input=True, err=True) if person else None
    with _kept()[0].read() as tx, _file(to) as out:
        concerns = accesses.concerning(tx, asked) if asked else None
        rows = csv.writer(out)
        rows.writerow(COLUMNS)
        for kept in filter(concerns, accesses.between(tx, number, _moment(since), _moment(until))):
            told = {"case": kept.number, "at": kept.at.isoformat(), "hash": kept.hash, **asdict(kept.event)}
            told |= {"role": kept.actor.role, "department": kept.actor.department, "name": kept.actor.name}
            told |= {name: " ".join(told.get(name, ())) for name in ("fields", "about")}
            rows.writerow([_cell(told.get(column)) for column in COLUMNS])


COLUMNS = (
    *("at", "role", "department", "name", "type", "operation", "case", "fields", "reason", "code", "asked"),
    *("origin", "times", "about", "hash"),
)


def _cell(value: object) -> str:
    """No spreadsheet takes it for a formula: people type what they like."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def incident(id: Annotated[str, typer.Argument(help="Id a caller was told.")]) -> None:
    """Show where an unexpected error happened.  Nothing of a person stands in it."""
    from gateway.store import incidents

    with _kept()[0].read() as tx:
        found = incidents.get(tx, id)
    if found is None:
        typer.echo("no such incident", err=True)
        raise typer.Exit(2)
    typer.echo(f"{found.at.isoformat()} {found.operation}: {found.kind}")
    for frame in found.frames.split(" > "):
        typer.echo(f"  {frame}")


def _report(faults: list[str], lines: list[str]) -> None:
    for fault in faults:
        typer.echo(fault)
    for line in lines:
        typer.echo(line)
    raise typer.Exit(1 if faults else 0)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text} is not a time with zone like 2026-01-01T00:00:00+08:00")
    return moment


@contextmanager
def _file(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    path.touch(0o600)
    with path.open("w", encoding="utf-8", newline="\n") as out:
        yield out


def _kept() -> tuple[Database, Seals]:
    """What is kept, and the key it is stated with."""
    from gateway import cli_database
    from gateway.access.seals import Seals

    read = _settings()
    return cli_database.database(read), Seals.from_seed(read.seal_key)


def _joined() -> Application:
    """The gateway's own parts; nothing is started."""
    from gateway import main

    return main.create(_settings())


def _settings() -> Settings:
    from adapters.kit.registry import manifests, sources
    from gateway import settings

    try:
        return settings.read(codes=(*manifests(), *sources()))
    except settings.BadSetting as error:
        typer.echo(f"setting: {error}", err=True)
        raise typer.Exit(2) from error
