"""The one command line: ``shenhou``."""

from __future__ import annotations

import gc
import logging
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

from gateway import cli_doctor, cli_documents, cli_evidence, cli_keys, cli_policy

if TYPE_CHECKING:
    from gateway.main import Application

HOST = "127.0.0.1"
WAIT_FOR_OTHER_S = 20.0
"""For so long a gateway that is just ending may still hold an embedded database."""
SCHEMA_FILE = Path("schema/schema.graphql")
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Shenhou (身后): one GraphQL gateway over every department a family has to see after a death.",
)
app.add_typer(cli_policy.app, name="policy")
app.command()(cli_doctor.doctor)
cli_evidence.register(app)
app.add_typer(cli_keys.app, name="keys")
app.add_typer(cli_documents.app, name="documents")
out = Console()
Port = Annotated[int, typer.Option(help="Port on the loopback interface.", envvar="PORT")]


def main() -> None:
    """Entry point of ``shenhou``."""
    app()


@app.command()
def serve(
    port: Port = 8000,
    host: Annotated[str, typer.Option(help="Interface to listen on.")] = HOST,
    clock: Annotated[
        str | None, typer.Option(help="Sandbox: start the clock at this time, e.g. 2025-11-07T22:10:00+08:00.")
    ] = None,
) -> None:
    """Run the gateway.  Settings come from SHENHOU_… variables; docs/operate.md lists them."""
    import uvicorn

    from adapters.kit.registry import manifests, sources
    from gateway import cli_database, settings
    from gateway import main as joined
    from gateway.line import Line
    from gateway.policy.loader import PolicyMistake

    if clock:
        os.environ["SHENHOU_CLOCK_START"] = clock
    _log()
    gc.disable()  # what is made for a start stays: it is not looked through, now or later
    os.umask(0o077)  # the database and its keys are for their owner only
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump of the memory would hold keys and persons in the clear
    try:
        application = joined.create(settings.read(codes=(*manifests(), *sources())))
    except settings.BadSetting as error:
        _stop(f"setting: {error}")
    except PolicyMistake as error:
        _stop(f"policy:\n{error}")
    gc.freeze()
    gc.enable()
    if not application.desk.database.hold_alone(WAIT_FOR_OTHER_S):
        _stop("another gateway serves this SQLite file; several gateways need PostgreSQL")
    cli_database.migrated(application.desk.database)
    threading.Thread(target=_watch_start, args=(application,), daemon=True).start()
    uvicorn.run(
        application.asgi,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        # The address of the peer itself decides whether it is a trusted proxy; nobody may claim another.
        proxy_headers=False,
        http=Line,
        ws="none",
        timeout_graceful_shutdown=10,
    )


@app.command()
def demo(
    port: Port = 8000,
    keep: Annotated[bool, typer.Option(help="Keep running afterwards, until Ctrl-C.")] = True,
) -> None:
    """Start the gateway and every department system on loopback, and run cases through."""
    from gateway.demo import run

    raise typer.Exit(run(port, keep))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def mocks(context: typer.Context) -> None:
    """Department systems: run them, stand at their counters.  `shenhou mocks --help` shows all."""
    raise typer.Exit(subprocess.call([sys.executable, "-m", "mocks", *context.args]))  # noqa: S603


@app.command()
def token(
    person: Annotated[str | None, typer.Option("--as", help="Somebody of the demo; asked for if no --role.")] = None,
    role: Annotated[str | None, typer.Option(help="Role, as in gateway/access/roles.yaml.")] = None,
    area: Annotated[str, typer.Option(help="Administrative code; 000000 = everywhere.")] = "000000",
    department: Annotated[str | None, typer.Option(help="Department of a specialist or a system.")] = None,
    name: Annotated[str, typer.Option(help="Name shown in the timeline.")] = "demo",
    id_number: Annotated[str | None, typer.Option(help="ID number of the person who signed in (family).")] = None,
    hours: Annotated[float, typer.Option(help="Lifetime.")] = 8,
) -> None:
    """Issue a token of the local issuer; development only."""
    from gateway.access import rights

    issuer = _local_issuer()
    if role is None:
        typer.echo(issuer.issue(_person(person), int(hours * 3600)))
        return
    roles = rights.load().roles
    if role not in roles:
        _stop(f"no role {role}; roles are {', '.join(roles)}")
    claims: dict[str, Any] = {"sub": f"{role}:{department or area}:{name}", "name": name, "role": role, "area": area}
    if department:
        claims["department"] = department
    if id_number:
        claims["id_number"] = id_number
    typer.echo(issuer.issue(claims, int(hours * 3600)))


@app.command()
def client(department: Annotated[str, typer.Argument(help="Code of the department.")]) -> None:
    """OAuth 2.0 credentials of a department's system at the local issuer; development only."""
    issuer = _local_issuer()
    typer.echo(f"client_id={department}\nclient_secret={issuer.secret(department)}")


@app.command("export-schema")
def export_schema(
    to: Annotated[Path, typer.Option(help="File to write.")] = SCHEMA_FILE,
    check: Annotated[bool, typer.Option(help="Only say whether the file is up to date.")] = False,
) -> None:
    """Write the published GraphQL schema (SDL) to its file."""
    from schema.build import sdl

    text = sdl()
    if check:
        if to.read_text(encoding="utf-8") != text:
            _stop(f"{to} is not up to date: run `shenhou export-schema` and review the change")
        out.print(f"{to} is up to date")
        return
    to.write_text(text, encoding="utf-8")
    out.print(f"{to}: {len(text.splitlines())} lines")


@app.command("export-docs")
def export_docs(to: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("docs")) -> None:
    """Write the generated pages of docs/: errors, states, policy and rights."""
    from gateway.docs import pages

    for name, text in pages().items():
        (to / name).write_text(text, encoding="utf-8")
        out.print(str(to / name))


@app.command()
def migrate() -> None:
    """Bring the tables of the database to what this release needs.  `serve` does it by itself at its start."""
    from gateway import cli_database

    cli_database.migrate(_settings())


@app.command()
def transfer(to: Annotated[str, typer.Option(help="URL of an empty database, e.g. postgresql://…")]) -> None:
    """Copy everything into another, empty database: from one gateway on SQLite to many on PostgreSQL."""
    from gateway import cli_database

    cli_database.transferred(_settings(), to)


@app.command()
def restored() -> None:
    """Once after a restore, before serving: no number given out after the backup comes again."""
    from gateway import cli_database

    cli_database.restored(_settings())


class _Fields(logging.Formatter):
    """One line per record: time, level, logger, message, and the fields given with it; never a request's values."""

    known = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in self.known}
        text = super().format(record)
        return text + "".join(f" {name}={value}" for name, value in fields.items())


def _watch_start(application: Application) -> None:
    limit_s = application.settings.start_limit_s
    if not application.started.wait(limit_s):
        typer.echo(f"not serving after {limit_s:g} s: ending, to be started again", err=True)
        os._exit(70)


def _log() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Fields("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def _local_issuer():  # type: ignore[no-untyped-def]
    from gateway.access.local_issuer import LocalIssuer

    read = _settings()
    if read.mode == "production":
        _stop("the local issuer does not run in production")
    return LocalIssuer.from_seed(read.issuer_seed, read.local_issuer_url)


def _person(key: str | None) -> dict[str, Any]:
    """Claims of somebody of the demo; asks who it is to be."""
    from gateway.demo import people

    known = {str(who["key"]): who for who in people()}
    if key is None:
        for name, who in known.items():
            typer.echo(f"{name:16} {who['title']}", err=True)
        key = typer.prompt("as", err=True)
    if key not in known:
        _stop(f"no {key}; there are {', '.join(known)}")
    return dict(known[key]["claims"])


def _settings():  # type: ignore[no-untyped-def]
    from adapters.kit.registry import manifests, sources
    from gateway import settings

    try:
        return settings.read(codes=(*manifests(), *sources()))
    except settings.BadSetting as error:
        _stop(f"setting: {error}")


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
