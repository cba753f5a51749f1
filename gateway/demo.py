"""``shenhou demo``: the gateway and every department system on loopback, and cases that run through.

Everything here goes over the same sockets a portal or a department would use; nothing is reached into.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.live import Live
from rich.table import Table

from adapters.kit.registry import Manifest, manifests, sources
from gateway import plain_yaml, settings
from gateway.access.local_issuer import LocalIssuer

FOLDER = Path(".demo")
STORY = Path(__file__).with_name("demo.yaml")
HOST = "127.0.0.1"
CLERK_S = 1.5
PATIENCE_S = 120.0
WATCHER = "administrator"
"""Sees every area, with personal data masked."""
out = Console()
_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


@dataclass
class Stage:
    """What is running: the gateway's address, one pair of ports per department, tokens by name."""

    url: str
    ports: dict[str, tuple[int, int]]
    tokens: dict[str, str]


def run(port: int, keep: bool) -> int:
    """Returns the exit code: 0 when every case ran through."""
    if not _free(port):
        out.print(f"[red]Port {port} is taken.[/red] Choose another: PORT=8080 make demo")
        return 2
    shutil.rmtree(FOLDER, ignore_errors=True)
    known = dict(sorted({**manifests(), **sources()}.items()))  # the order in which the counters are found
    ports = _ports(list(known), port + 1)
    environment = {**os.environ, **_environment(known, ports), "SHENHOU_DATA_DIR": str(FOLDER.resolve())}
    for name in list(environment):
        if name.startswith("SHENHOU_") and name not in _environment(known, ports) and name != "SHENHOU_DATA_DIR":
            del environment[name]
    read = settings.read(environment, tuple(known))
    issuer = LocalIssuer.from_seed(read.issuer_seed, read.local_issuer_url)
    story = _story()
    stage = Stage(f"http://{HOST}:{port}", ports, {who["key"]: issuer.issue(who["claims"]) for who in story["people"]})
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with contextlib.ExitStack() as stack:
        try:
            out.print(f"Starting {len(known)} systems and the gateway …")
            stack.enter_context(_processes(known, stage, issuer, environment, port))
            numbers, done = asyncio.run(_play(story, stage))
            _print_stage(story, stage, known, numbers[0], done)
            if keep:
                out.print("\nEverything keeps running. [bold]Ctrl-C[/bold] stops it.")
                while True:
                    time.sleep(3600)
        except KeyboardInterrupt:
            out.print("\nStopping …")
            return 0
        except _Trouble as trouble:
            out.print(f"[red]{trouble}[/red]\nThe gateway's log: {FOLDER / 'gateway.log'}")
            return 1
    return 0 if done else 1


class _Trouble(Exception):
    """The demo cannot go on; the message says why."""


# ── processes ───────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def _processes(
    known: dict[str, Manifest], stage: Stage, issuer: LocalIssuer, environment: dict[str, str], port: int
) -> Iterator[None]:
    children: list[subprocess.Popen[bytes]] = []
    try:
        for code, (wire, counter) in stage.ports.items():
            token = issuer.issue(issuer.machine(code))
            command = [sys.executable, "-m", "mocks", "serve-at", code, str(wire), str(counter)]
            command += ["--data", str(FOLDER / "mocks"), "--auto", str(CLERK_S)]
            if known[code].answers == "callback":
                command += ["--callback-url", f"{stage.url}/departments/{code}/messages"]
            children.append(_start(command, {**environment, "MOCKS_CALLBACK_TOKEN": token}, f"{code}.log"))
        children.append(
            _start([sys.executable, "-m", "gateway", "serve", "--port", str(port)], environment, "gateway.log")
        )
        for address in [
            f"{stage.url}/healthz",
            *(f"http://{HOST}:{counter}/office" for _, counter in stage.ports.values()),
        ]:
            _wait(address, children)
        yield
    finally:
        for child in reversed(children):
            child.terminate()
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(15)
            child.kill()


def _start(command: list[str], environment: dict[str, str], log: str) -> subprocess.Popen[bytes]:
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / log).open("wb") as file:
        # A session of its own: Ctrl-C reaches this process, which stops the others in order.
        return subprocess.Popen(  # noqa: S603
            command, env=environment, stdout=file, stderr=file, start_new_session=True, preexec_fn=_end_with_parent
        )


def _end_with_parent() -> None:
    """When this process is killed, nobody is left to stop the others: Linux tells them to end."""
    if _PRCTL is not None:
        _PRCTL(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _wait(address: str, children: list[subprocess.Popen[bytes]]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if any(child.poll() is not None for child in children):
            raise _Trouble(f"a process ended before {address} answered; see the logs in {FOLDER}")
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise _Trouble(f"{address} did not answer within a minute")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex((HOST, port)) != 0


def _ports(codes: list[str], first: int) -> dict[str, tuple[int, int]]:
    free = (port for port in range(first, first + 2000) if _free(port))
    return {code: (next(free), next(free)) for code in codes}


def _environment(known: dict[str, Manifest], ports: dict[str, tuple[int, int]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for code, manifest in known.items():
        stem = manifest.address_variable.removesuffix("URL")
        address = manifest.demo_address.format(port=ports[code][0], data=(FOLDER / "mocks").resolve())
        found |= {manifest.address_variable: address, f"{stem}TOKEN": "demo", f"{stem}SECRET": "demo"}
    return found


# ── the story ───────────────────────────────────────────────────────────────────────────────────────────


def people() -> list[dict[str, Any]]:
    """Who acts in the demo: ``key``, ``title``, ``claims`` of a token."""
    found: list[dict[str, Any]] = _story()["people"]
    return found


def _story() -> dict[str, Any]:
    return plain_yaml.read(STORY.read_text(encoding="utf-8"))


@dataclass
class Running:
    """One case of the story as it runs."""

    title: str
    number: str = ""
    note: str = ""


async def _play(story: dict[str, Any], stage: Stage) -> tuple[list[str], bool]:
    """Submits the cases, plays the people, shows the progress.  Returns the numbers, and whether all ran through."""
    async with aiohttp.ClientSession() as http:
        cases = [Running(case["title"]) for case in story["cases"]]
        plays = [
            asyncio.create_task(_case(http, stage, case, running))
            for case, running in zip(story["cases"], cases, strict=True)
        ]
        watching = asyncio.create_task(_watch(http, stage, story, cases, plays))
        try:
            await asyncio.gather(*plays)
            return [case.number for case in cases], await watching
        finally:
            watching.cancel()


async def _case(http: aiohttp.ClientSession, stage: Stage, case: dict[str, Any], running: Running) -> None:
    for step in case["steps"]:
        if "wait" in step:
            running.note = f"等待：{step['wait']['item']} {step['wait']['status']}"
            await _until(http, stage, running, step["wait"])
            continue
        if "counter" in step:
            running.note = step["says"]
            await _at_the_counter(http, stage, step["counter"])
            continue
        variables = json.loads(json.dumps(step["input"]).replace("{number}", running.number))
        running.note = step["says"]
        payload = await ask(http, stage, step["as"], step["document"], {"input": variables})
        answer = next(iter(payload.values()))
        if answer.get("userErrors") and not step.get("expect_errors"):
            raise _Trouble(f"{case['title']}: {step['says']}: {answer['userErrors'][0]['message']}")
        running.number = running.number or (answer.get("case") or {}).get("number", "")
    running.note = ""


async def _at_the_counter(http: aiohttp.ClientSession, stage: Stage, what: dict[str, Any]) -> None:
    """Somebody acts inside a department's own system, at its counter."""
    _, counter = stage.ports[what["department"]]
    address = f"http://{HOST}:{counter}/office/applications/{what['key']}/{what['action']}"
    async with http.post(address, json=what.get("options", {})) as answer:
        if answer.status >= 400:
            raise _Trouble(f"{what['department']}: {await answer.text()}")


async def _until(http: aiohttp.ClientSession, stage: Stage, running: Running, wait: dict[str, str]) -> None:
    query = "query($n:String!,$i:Slug!){case(number:$n){item(slug:$i){status}}}"
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        data = await ask(http, stage, WATCHER, query, {"n": running.number, "i": wait["item"]})
        if data["case"]["item"]["status"] == wait["status"]:
            return
        await asyncio.sleep(0.3)
    raise _Trouble(f"{running.title}: {wait['item']} did not become {wait['status']}")


PROGRESS = """query($n: String!) { case(number: $n) {
  number status deceased { name } progress { finished total phase }
  money { approved held underway paid }
  whyNotFinished { reason { message } item { name } } } }"""


async def _watch(
    http: aiohttp.ClientSession,
    stage: Stage,
    story: dict[str, Any],
    cases: list[Running],
    plays: list[asyncio.Task[None]],
) -> bool:
    """Shows every case until nothing moves any more; line by line where there is no terminal."""
    until, settled = time.monotonic() + PATIENCE_S, 0
    printed: dict[str, str] = {}
    with Live(console=out, refresh_per_second=4) if out.is_terminal else contextlib.nullcontext() as live:
        while time.monotonic() < until and settled < 3:
            rows = []
            for case in cases:
                query = {"n": case.number}
                shown = (await ask(http, stage, WATCHER, PROGRESS, query))["case"] if case.number else None
                rows.append((case, shown))
            if live is not None:
                live.update(_table(story, rows))
            for case, shown in rows if live is None else ():
                line = " | ".join(part.replace("\n", " ") for part in _row(case, shown))
                if printed.get(case.title) != line:
                    printed[case.title] = line
                    out.print(line, soft_wrap=True, highlight=False)
            still = all(play.done() for play in plays) and not any(s is None or _moving(s) for _, s in rows)
            settled = settled + 1 if still else 0
            await asyncio.sleep(0.4)
    return settled >= 3


def _moving(case: dict[str, Any]) -> bool:
    """Whether something is still with a department, or money is on its way."""
    return case["progress"]["finished"] < case["progress"]["total"] or float(case["money"]["underway"]) > 0


def _table(story: dict[str, Any], rows: list[tuple[Running, dict[str, Any] | None]]) -> Table:
    table = Table(title=story["title"], expand=True)
    for column, ratio in (("办件 case", 3), ("进度 progress", 3), ("款项 money", 2), ("正在 now", 5)):
        table.add_column(column, ratio=ratio)
    for running, case in rows:
        table.add_row(*_row(running, case))
    return table


def _row(running: Running, case: dict[str, Any] | None) -> tuple[str, str, str, str]:
    if case is None:
        return running.title, "", "", running.note
    done, total = case["progress"]["finished"], case["progress"]["total"]
    why = [f"{row['item']['name'] if row['item'] else ''} {row['reason']['message']}" for row in case["whyNotFinished"]]
    more = f"（另有{len(why) - 1}项）" if len(why) > 1 else ""
    money = case["money"]
    return (
        f"{case['number']}\n{case['deceased']['name'] or '身份不明'}，{running.title}",
        f"{'█' * round(10 * done / max(total, 1)):░<10} {done}/{total}\n{case['status']}",
        f"发放 {money['paid']}\n暂缓 {money['held']}",
        running.note or (why[0].strip() + more if why else "全部完成"),
    )


async def ask(
    http: aiohttp.ClientSession, stage: Stage, who: str, query: str, variables: dict[str, Any]
) -> dict[str, Any]:
    """One GraphQL operation over HTTP.  Raises ``_Trouble`` for an error of the operation."""
    headers = {"Authorization": f"Bearer {stage.tokens[who]}"}
    async with http.post(
        f"{stage.url}/graphql", json={"query": query, "variables": variables}, headers=headers
    ) as answer:
        body = await answer.json()
    if body.get("errors"):
        raise _Trouble(body["errors"][0]["message"])
    return body["data"]


def _print_stage(story: dict[str, Any], stage: Stage, known: dict[str, Manifest], number: str, done: bool) -> None:
    out.rule("addresses")
    out.print(f"GraphQL      {stage.url}/graphql   (POST)")
    out.print(f"support page {stage.url}/support")
    out.print(f"sandbox      {stage.url}/sandbox")
    out.print(f"schema       {stage.url}/schema.graphql")
    base = min(stage.ports.values())[0]
    out.print(f"counters     shenhou mocks clerk health list --base-port {base}   (any department below)")
    for code, (wire, counter) in stage.ports.items():
        out.print(f"  {code:28} wire {wire}  counter {counter}  {known[code].interface}", soft_wrap=True)
    out.rule("a token for each kind of user (8 hours)")
    for who in story["people"]:
        out.print(f"[bold]{who['key']}[/bold] {who['title']}")
        out.print(stage.tokens[who["key"]], soft_wrap=True, highlight=False)
    out.rule("three queries to paste")
    for query in story["queries"]:
        out.print(f"[bold]# {query['title']}[/bold] (as {query['as']})")
        document = query["document"].strip().replace("{number}", number)
        out.print(document, highlight=False, markup=False, soft_wrap=True)
    out.rule()
    out.print(
        "[green]Every case has run its course.[/green]" if done else "[red]Some case did not finish in time.[/red]"
    )
