"""Departments as processes that remember what was done to them: ``python -m benchmarks.chaos.department …``.

They are the stand-ins of ``mocks/`` with a witness at their books: every receipt of an application, every instruction
and every payment is one line in a journal of its own, which the judge reads.  The witness also finds what the clerk
has to do without reading all books at every step, so that thousands of applications cost the machine little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

from mocks.__main__ import departments
from mocks.kit import office, server
from mocks.kit.office import Application, Office, Sum

JOURNAL = "journal-{code}.sqlite"
TABLE = """CREATE TABLE IF NOT EXISTS seen
 (at REAL, what TEXT, key TEXT, serial TEXT, detail TEXT)"""


class Witness:
    """Writes down what happens in one office, in the order in which it happens."""

    def __init__(self, name: str, data: Path) -> None:
        self._db = sqlite3.connect(data / JOURNAL.format(code=name), isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")  # enough for a process that is killed
        self._db.execute("PRAGMA busy_timeout=5000")
        self._db.execute(TABLE)

    def note(self, what: str, key: str, serial: str = "", detail: str = "") -> None:
        self._db.execute("INSERT INTO seen VALUES (?,?,?,?,?)", (time.time(), what, key, serial, detail))


def install() -> None:
    """Puts a witness into every office of this process."""
    opened, receive, instruct, save = Office.__init__, Office.receive, Office.instruct, Office.save
    witnesses: dict[int, Witness] = {}
    waiting: dict[int, set[str]] = {}

    def open_(self: Office, name: str, data: Path) -> None:
        opened(self, name, data)
        witnesses[id(self)] = Witness(name, data)
        waiting[id(self)] = {found.key for found in self.all() if _to_do(found)}

    def received(
        self: Office, key: str, item: str, payload: dict[str, Any], round_: int = 0, undoes: str = ""
    ) -> Application:
        known = self.get(key)
        made = receive(self, key, item, payload, round_, undoes)
        what = "received" if known is None else "corrected" if round_ > known.round else "repeated"
        witnesses[id(self)].note(what, key, str(round_), item)
        return made

    def instructed(self: Office, application: Application, serial: str, account: dict[str, str]) -> Sum | None:
        witnesses[id(self)].note("instructed", application.key, serial, json.dumps(account, sort_keys=True))
        return instruct(self, application, serial, account)

    def saved(self: Office, application: Application) -> None:
        before = self.get(application.key)
        paid = {item.serial for item in before.sums if item.state == "paid"} if before is not None else set()
        save(self, application)
        for item in application.sums:
            if item.state == "paid" and item.serial not in paid:
                witnesses[id(self)].note("paid", application.key, item.serial, str(item.fen))
        (waiting[id(self)].add if _to_do(application) else waiting[id(self)].discard)(application.key)

    def to_do(self: Office) -> list[Application]:
        return [found for key in list(waiting[id(self)]) if (found := self.get(key)) is not None]

    Office.__init__, Office.receive, Office.instruct = open_, received, instructed  # type: ignore[method-assign]
    Office.save, Office.open = saved, to_do  # type: ignore[method-assign]


def _to_do(application: Application) -> bool:
    """As ``Office.open``."""
    moving = application.state not in (*office.FINAL, "returned")
    return not application.undone and (moving or any(item.state == "instructed" for item in application.sums))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stand", nargs="+", help="code:wire port:counter port:callback address or empty")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--auto", type=float, help="seconds after which the clerks act by themselves")
    parser.add_argument("--tokens", type=Path, required=True, help="JSON file: bearer token by code")
    given = parser.parse_args()
    given.data.mkdir(parents=True, exist_ok=True)
    tokens = json.loads(given.tokens.read_text())
    install()

    async def run() -> None:
        stands = []
        for stand in given.stand:
            code, wire, counter, callback = stand.split(":", 3)
            made = departments()[code](given.data, callback or None, tokens.get(code))
            made.office.habits.auto = given.auto
            stands.append(server.serve(made, "127.0.0.1", int(wire), int(counter)))
        await asyncio.gather(*stands)

    asyncio.run(run())


if __name__ == "__main__":
    main()
