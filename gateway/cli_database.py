"""``shenhou migrate`` and ``shenhou restored``: what is done to the database before a gateway serves on it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NoReturn

import typer
from sqlalchemy.exc import OperationalError

from gateway.settings import Settings
from gateway.store.keys import WrongKeys, must_fit
from gateway.store.migrations import Migrated, Unusable
from gateway.store.session import Database


def database(settings: Settings) -> Database:
    return Database(settings.database_url, settings.seal)


def migrated(found: Database) -> Migrated:
    """Brings the tables to what this program needs, or ends the process with one line that says why it cannot."""
    try:
        done = found.migrate()
        must_fit(found)
        return done
    except (Unusable, WrongKeys) as error:
        _stop(str(error))
    except OperationalError as error:
        if error.statement is not None:
            raise
        _stop(f"it cannot be reached or opened: {found.url.set(query={}).render_as_string(hide_password=True)}")


def migrate(settings: Settings) -> None:
    done = migrated(database(settings))
    if done.adopted:
        typer.echo(f"database: made before there were revisions; it is what {done.before} makes")
    for revision, what in done.steps:
        typer.echo(f"database: {revision}: {what}")
    typer.echo(f"database: at revision {done.after}" + ("" if done.steps else ", nothing to do"))


def restored(settings: Settings) -> None:
    from gateway.policy import loader
    from gateway.services import restoring

    found = database(settings)
    migrated(found)
    book = loader.load(more=settings.policy_files)
    with found.write() as tx:
        done = restoring.restored(tx, book, datetime.now(UTC))
    known = done.known_until.isoformat(timespec="seconds") if done.known_until else "nothing"
    typer.echo(f"database: the backup knows what happened until {known}")
    for scope, (before, after) in done.serials.items():
        typer.echo(f"database: {scope}: {before} → {after}")
    typer.echo("database: ready to be served")


def transferred(settings: Settings, to: str) -> None:
    from gateway.store.transfer import NotEmpty, transfer

    source = database(settings)
    target = Database(to, source.seal)
    migrated(source)
    migrated(target)
    if not source.hold_alone(0.0):
        _stop("a gateway serves this database; stop it first")
    try:
        for table, rows in transfer(source, target):
            typer.echo(f"database: {table}: {rows}")
    except NotEmpty as error:
        _stop(f"the target is not empty: {error} has rows")
    typer.echo(
        "database: serve on the target, then run `shenhou doctor --heal` once: it queues what is still to be sent"
    )


def _stop(message: str) -> NoReturn:
    typer.echo(f"database: {message}", err=True)
    raise typer.Exit(2)
