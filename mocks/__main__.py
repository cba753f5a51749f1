"""``python -m mocks``: run the department systems, and stand at their counters."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Any

import typer

import mocks
from mocks.kit.server import Department, serve

HOST = "127.0.0.1"
BASE_PORT = 8100
TOKEN = "MOCKS_CALLBACK_TOKEN"
"""Every user of the machine reads the command line of a process; its environment is its owner's."""
app = typer.Typer(no_args_is_help=True, add_completion=False, help="Department systems, each a server of its own.")
BasePort = Annotated[int, typer.Option(help="First port; each department takes two: wire and counter.")]


def departments() -> dict[str, type[Department]]:
    """Every department in this package, by code, in a stable order."""
    found: dict[str, type[Department]] = {}
    for module in pkgutil.iter_modules(mocks.__path__):
        if not module.ispkg and not module.name.startswith("_"):
            kind = importlib.import_module(f"mocks.{module.name}").DEPARTMENT
            found[kind.code] = kind
    return dict(sorted(found.items()))


def ports(code: str, base: int) -> tuple[int, int]:
    """Wire port and counter port of a department."""
    index = list(departments()).index(code)
    return base + 2 * index, base + 2 * index + 1


@app.command("list")
def list_(base_port: BasePort = BASE_PORT) -> None:
    """The departments, their wires and their ports."""
    for code, kind in departments().items():
        wire, counter = ports(code, base_port)
        typer.echo(f"{code:32} wire {wire}  counter {counter}  {kind.title}: {kind.wire}")


@app.command("serve")
def serve_(
    codes: Annotated[list[str] | None, typer.Argument(help="Departments to run; all if none is named.")] = None,
    base_port: BasePort = BASE_PORT,
    data: Annotated[Path, typer.Option(help="Folder for their databases and files.")] = Path("var/mocks"),
    callback_url: Annotated[str | None, typer.Option(help="Address to which they send results.")] = None,
    callback_token: Annotated[str | None, typer.Option(envvar=TOKEN, help="Bearer token they send along.")] = None,
    auto: Annotated[float | None, typer.Option(help="Clerks act by themselves after that many seconds.")] = None,
) -> None:
    """Run departments: one process each; Ctrl-C stops them all."""
    known = departments()
    chosen = codes or list(known)
    for code in chosen:
        if code not in known:
            raise typer.BadParameter(f"no such department: {code}; `list` shows them")
    if len(chosen) == 1:
        department = known[chosen[0]](data, callback_url, callback_token)
        department.office.habits.auto = auto
        asyncio.run(serve(department, HOST, *ports(chosen[0], base_port)))
        return
    shared = ["--base-port", str(base_port), "--data", str(data)]
    for flag, value in (("--callback-url", callback_url), ("--auto", auto)):
        shared += [flag, str(value)] if value is not None else []
    environment = {**os.environ, TOKEN: callback_token or ""}
    commands = ([sys.executable, "-m", "mocks", "serve", code, *shared] for code in chosen)
    children = [subprocess.Popen(command, env=environment) for command in commands]

    def stop(*_: object) -> None:
        for child in children:
            child.terminate()

    signal.signal(signal.SIGTERM, stop)
    try:
        for child in children:
            child.wait()
    except KeyboardInterrupt:
        for child in children:
            child.wait()


@app.command("serve-at")
def serve_at(
    code: str,
    port: int,
    counter_port: int,
    data: Annotated[Path, typer.Option(help="Folder for its database and files.")] = Path("var/mocks"),
    callback_url: Annotated[str | None, typer.Option(help="Address to which it sends results.")] = None,
    callback_token: Annotated[str | None, typer.Option(envvar=TOKEN, help="Bearer token it sends along.")] = None,
    auto: Annotated[float | None, typer.Option(help="The clerk acts by itself after that many seconds.")] = None,
) -> None:
    """Run one department on the ports given."""
    department = departments()[code](data, callback_url, callback_token)
    department.office.habits.auto = auto
    asyncio.run(serve(department, HOST, port, counter_port))


@app.command()
def clerk(
    code: Annotated[str, typer.Argument(help="Department, e.g. health.")],
    action: Annotated[
        str,
        typer.Argument(help="list, show, accept, finish, refuse, none, correct, pay, return, behave, calls"),
    ],
    key: Annotated[str | None, typer.Argument(help="Application: its key or the department's reference.")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--set", help="reason=…, missing=a,b, sum:KIND=fen, detail:NAME=…; for behave: slow=3, fail=2 …"),
    ] = None,
    base_port: BasePort = BASE_PORT,
) -> None:
    """Stand at a department's counter: approve, refuse, ask for a correction, pay, misbehave."""
    counter = f"http://{HOST}:{ports(code, base_port)[1]}/office"
    pairs = dict(item.split("=", 1) for item in option or [])
    if action == "list":
        for row in _call("GET", f"{counter}/applications"):
            mark = " (撤销)" if row["undoes"] else " (已恢复)" if row["undone"] else ""
            typer.echo(f"{row['key']:40} {row['reference']:16} {row['state']:10} {row['business']}{mark}")
    elif action == "show":
        typer.echo(json.dumps(_call("GET", f"{counter}/applications/{key}"), ensure_ascii=False, indent=2))
    elif action == "calls":
        typer.echo(json.dumps(_call("GET", f"{counter}/calls"), indent=2))
    elif action == "behave":
        body = {
            name: None if value == "none" else json.loads(value) if _plain(value) else value
            for name, value in pairs.items()
        }
        typer.echo(json.dumps(_call("POST", f"{counter}/habits", body), ensure_ascii=False, indent=2))
    else:
        options: dict[str, Any] = {"sums": {}, "details": {}}
        for name, value in pairs.items():
            if name.startswith("sum:"):
                options["sums"][name[4:]] = int(value)
            elif name.startswith("detail:"):
                options["details"][name[7:]] = value
            else:
                options[name] = value.split(",") if name == "missing" else value
        row = _call("POST", f"{counter}/applications/{key}/{action}", options)
        typer.echo(f"{row['reference']} {row['state']} {row['business']}")


def _plain(value: str) -> bool:
    return value in ("true", "false") or value.lstrip("-").replace(".", "", 1).isdigit()


def _call(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(
        url,
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        typer.echo(f"the counter says: {error.read().decode(errors='replace')}", err=True)
    except urllib.error.URLError:
        typer.echo(f"nobody is at this counter: {url}", err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
