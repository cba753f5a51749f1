"""The processes: gateways, departments, the database server.  Whoever ends by itself is started again, and counted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from typing import Any

from sqlalchemy import Engine, create_engine, text

from adapters.kit.registry import Manifest, manifests, sources
from gateway import settings
from gateway.access.local_issuer import LocalIssuer

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
READY_S = 120.0
LADDER_S = ",".join(map(str, (1, 2, 3, *[5] * 200)))
"""Pauses between attempts: short, because a run is short; and so many that no push is given up."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on; below the range from which the system hands out its own."""
    found: list[int] = []
    while len(found) < count:
        port = SystemRandom().randrange(12_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            if port not in found:
                found.append(port)
    return found


@dataclass
class Process:
    """One process that can be killed and started again; ``stopped``: on purpose."""

    name: str
    command: list[str]
    environment: dict[str, str]
    ready: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    stopped: bool = False
    deaths: int = 0
    """How often it ended without being told to."""
    ready_at: float = 0.0
    """Seconds since the epoch."""
    executor: str = ""
    """A gateway's name at the durable engine."""

    def start(self) -> None:
        self.stopped = False
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=ROOT, stdout=file, stderr=file, start_new_session=True
            )

    def kill(self) -> None:
        """Power loss: nothing is told to the process."""
        self.stopped = True
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def end(self) -> None:
        self.stopped = True
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def fell(self) -> bool:
        """Ended, and nobody had told it to."""
        return not self.stopped and self.process is not None and self.process.poll() is not None

    async def wait(self, patience_s: float = READY_S) -> None:
        """Until it answers.  Raises ``TimeoutError``; a process that ends meanwhile is started again."""
        until = time.monotonic() + patience_s
        for url in self.ready:
            while not self.stopped and not await asyncio.to_thread(_answers, url):
                if time.monotonic() > until:
                    raise TimeoutError(f"{self.name} did not become ready; its log is {self.log}")
                if self.fell:
                    self.deaths += 1
                    await asyncio.sleep(0.5)
                    self.start()
                await asyncio.sleep(0.05)
        self.ready_at = time.time()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def cpu_s(self) -> float:
        """CPU seconds so far (Linux)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def rss_mb(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


@dataclass
class World:
    """``codes``: departments and sources to run; all if none is named.  ``together``: in one process."""

    folder: Path
    database: str
    """``sqlite`` or ``postgresql``."""
    count: int
    codes: tuple[str, ...] = ()
    together: bool = False
    auto_s: float | None = 0.0
    variables: dict[str, str] = field(default_factory=dict)
    """More settings of the gateways."""
    gateways: list[Process] = field(default_factory=list)
    departments: list[Process] = field(default_factory=list)
    counters: dict[str, str] = field(default_factory=dict)
    """Address of each department's counter."""
    server: Any = None
    url: str = ""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        known: dict[str, Manifest] = {**manifests(), **sources()}
        self.known = {code: known[code] for code in self.codes or known}
        self._engine: Engine | None = None
        self._starting = asyncio.Lock()

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Everything, one after the other, until all answer."""
        if self.database == "postgresql":
            from tests.postgres import Server

            self.server = Server()
            await asyncio.to_thread(self.server.start)
            self.url = await asyncio.to_thread(self.server.database, "chaos")
        else:
            self.url = f"sqlite:///{self.folder / 'shenhou.sqlite'}"
        self.prepare()
        for department in self.departments:
            department.start()
        for department in self.departments:
            await department.wait()
        for gateway in self.gateways:
            await self.start_gateway(gateway)

    def prepare(self) -> None:
        """Ports, settings and commands; nothing is started."""
        gates = free_ports(self.count)
        data = self.folder / "departments"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SHENHOU_")}
        variables = {
            "SHENHOU_DATA_DIR": str(self.folder),
            "SHENHOU_DATABASE_URL": self.url,
            "SHENHOU_RETRY_LADDER_S": LADDER_S,
            **self.variables,
        }
        read = settings.read({**variables}, tuple(self.known))
        self.issuer = LocalIssuer.from_seed(read.issuer_seed, read.local_issuer_url)
        stands, tokens = [], {}
        for turn, (code, manifest) in enumerate(self.known.items()):
            wire, counter = free_ports(2)
            callback = ""
            if getattr(manifest, "answers", "") == "callback":
                callback = f"http://{HOST}:{gates[turn % len(gates)]}/departments/{code}/messages"
                tokens[code] = self.issuer.issue(self.issuer.machine(code), 86_400)
            stands.append((code, f"{code}:{wire}:{counter}:{callback}", f"http://{HOST}:{counter}/office"))
            stem = manifest.address_variable.removesuffix("URL")
            variables[manifest.address_variable] = manifest.demo_address.format(port=wire, data=data)
            variables |= {f"{stem}TOKEN": "demo", f"{stem}SECRET": "demo"}
        (self.folder / "tokens.json").write_text(json.dumps(tokens))
        self.counters = {code: address for code, _, address in stands}
        for group in [stands] if self.together else [[stand] for stand in stands]:
            name = "departments" if self.together else group[0][0]
            command = [sys.executable, "-m", "benchmarks.chaos.department", *(stand for _, stand, _ in group)]
            command += ["--data", str(data), "--tokens", str(self.folder / "tokens.json")]
            command += ["--auto", str(self.auto_s)] if self.auto_s is not None else []
            ready = [f"{address}/habits" for _, _, address in group]  # quick, however many applications there are
            self.departments.append(Process(name, command, environment, ready, self.folder / f"{name}.log"))
        for turn, port in enumerate(gates):
            command = [sys.executable, "-m", "gateway", "serve", "--port", str(port)]
            ready = [f"http://{HOST}:{port}/healthz"]
            log = self.folder / f"gateway-{turn}.log"
            self.gateways.append(Process(f"gateway {turn}", command, {**environment, **variables}, ready, log))

    async def start_gateway(self, gateway: Process) -> float:
        """Starts it, one at a time so that its name at the engine is known.  Returns seconds until it answered."""
        async with self._starting:
            before = await self.executors()
            started = time.monotonic()
            gateway.start()
            await gateway.wait()
            took = time.monotonic() - started
            fresh = await self.executors() - before
            gateway.executor = fresh.pop() if len(fresh) == 1 else ""
            return took

    async def keep(self) -> None:
        """For ever: whoever fell is started again, as a service manager would."""
        while True:
            for process in [*self.gateways, *self.departments]:
                if process.fell and not self._starting.locked():
                    process.deaths += 1
                    if process in self.gateways:
                        with contextlib.suppress(TimeoutError):
                            await self.start_gateway(process)
                    else:
                        process.start()
            await asyncio.sleep(0.3)

    def stop(self) -> None:
        for process in self.gateways:
            process.end()
        for process in self.departments:
            process.kill()
        if self._engine is not None:
            self._engine.dispose()
        if self.server is not None:
            self.server.stop()

    # ── looking from outside ────────────────────────────────────────────────────────────────────────────

    @property
    def urls(self) -> list[str]:
        """Of the gateways, whether they live or not."""
        return [gateway.ready[0].removesuffix("/healthz") for gateway in self.gateways]

    @property
    def living(self) -> str:
        """Address of a gateway that was not stopped."""
        return next(url for url, gateway in zip(self.urls, self.gateways, strict=True) if not gateway.stopped)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Rows of the gateways' database, read from outside."""
        if self._engine is None:
            self._engine = create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"), pool_pre_ping=True)
        with self._engine.connect() as connection:
            return list(connection.execute(text(statement), values))

    def execute(self, statement: str, **values: Any) -> None:
        """Changes the gateways' database behind their back."""
        self.rows("SELECT 1")
        assert self._engine is not None
        with self._engine.begin() as connection:
            connection.execute(text(statement), values)

    async def ask(self, statement: str, **values: Any) -> list[Any] | None:
        """As ``rows``; None while the database does not answer."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            return await asyncio.to_thread(lambda: self.rows(statement, **values))
        except SQLAlchemyError:
            return None

    async def executors(self) -> set[str]:
        """Names of the gateways at the durable engine that are not known to be gone."""
        found = await self.ask("SELECT holder FROM leases WHERE name LIKE 'executor:%'")
        return {row.holder for row in found or ()}

    @property
    def work_table(self) -> str:
        """The durable engine's table of pieces of work."""
        return "dbos.workflow_status" if self.database == "postgresql" else "workflow_status"

    def journal(self, what: Iterable[str]) -> list[tuple[str, float, str, str, str, str]]:
        """Every department's journal: (department, at, what, key, serial, detail), oldest first."""
        import sqlite3

        from benchmarks.chaos.department import JOURNAL

        found = []
        for code in self.known:
            file = self.folder / "departments" / JOURNAL.format(code=code)
            if file.exists():
                with contextlib.closing(sqlite3.connect(file)) as books:
                    marks = ",".join("?" * len(tuple(what)))
                    rows = books.execute(f"SELECT * FROM seen WHERE what IN ({marks}) ORDER BY rowid", tuple(what))
                    found += [(code, *row) for row in rows]
        return sorted(found, key=lambda row: row[1])

    def applications(self, code: str) -> list[dict[str, Any]]:
        """What a department holds, as its counter shows it."""
        with urllib.request.urlopen(f"{self.counters[code]}/applications", timeout=60) as answer:
            return json.load(answer)
