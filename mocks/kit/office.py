"""The inside of a department: applications, sums of money, and what a clerk does with them.

State lives in an SQLite file per department, so a restarted department remembers.  The words here
(``registered``, ``accepted``, ``returned``, ``done``, ``refused``, ``none``) never go over the wire: every
department turns them into its own codes.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
FINAL = ("done", "refused", "none")


@dataclass
class Sum:
    """One sum in the department's books; ``state``: approved, instructed, paid, returned.  Amount in fen."""

    serial: str
    kind: str
    fen: int
    state: str = "approved"
    at: float = 0.0
    reason: str = ""
    account: dict[str, str] = field(default_factory=dict)


@dataclass
class Application:
    """One application as the department holds it."""

    key: str
    """The sender's serial (外部流水号)."""
    item: str
    """The department's own business code."""
    payload: dict[str, Any]
    """What was sent, in the department's own field names."""
    reference: str
    """The department's own serial (受理号)."""
    state: str = "registered"
    """registered, accepted, returned, done, refused, none."""
    note: str = ""
    missing: list[str] = field(default_factory=list)
    certificate: dict[str, str] = field(default_factory=dict)
    """``number``, ``issued_at`` (seconds since the epoch), and what else the department writes on it."""
    details: dict[str, str] = field(default_factory=dict)
    sums: list[Sum] = field(default_factory=list)
    created_at: float = 0.0
    updated_at: float = 0.0
    round: int = 0
    undoes: str = ""
    """撤销: the sender's serial of the application this one asks to undo; empty for an ordinary application."""
    undone: bool = False
    """已恢复: what was done on this application was undone; the clerk is through with it."""
    corrections: list[str] = field(default_factory=list)
    """更正: what the sender corrected of its own accord, one line each time, by the names of the fields."""

    @property
    def word(self) -> str:
        """The state, for departments that have a word of their own for a reversal that is done: ``restored``."""
        return "restored" if self.undoes and self.state == "done" else self.state


@dataclass
class Habits:
    """How the department misbehaves.  Counters go down with every call; -1 means until told otherwise."""

    slow: float = 0.0
    """Seconds before every answer."""
    fail: int = 0
    """Answers "system error" that many times."""
    drop: int = 0
    """Does the work and closes the line without an answer that many times."""
    rubbish: int = 0
    """Answers something that is not its format that many times."""
    late: float = 0.0
    """Seconds between the work and its answer."""
    half: int = 0
    """Does the work and breaks the line in the middle of its answer that many times."""
    garble: int = 0
    """Answers in another encoding than it says that many times: GBK for UTF-8, or the reverse."""
    stray: bool = False
    """Answers with records that nobody asked for as well."""
    refuse: str = ""
    """The clerk refuses everything, with this reason."""
    twice: bool = False
    """Sends every message of its own twice."""
    contradict: bool = False
    """After a result sends the opposite result."""
    silent: bool = False
    """Never sends a message of its own."""
    auto: float | None = None
    """Seconds after which the clerk takes the next step without being asked; None: only by hand."""


class Office:
    """A department's books.  All methods are quick and synchronous; times are seconds since the epoch."""

    def __init__(self, name: str, data: Path) -> None:
        self.name = name
        self.habits = Habits()
        self.calls: Counter[str] = Counter()
        data.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(data / f"{name}.sqlite", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA busy_timeout=5000")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS application "
            "(key TEXT PRIMARY KEY, reference TEXT UNIQUE, state TEXT, updated REAL, body TEXT)"
        )

    def now(self) -> float:
        return time.time()

    def receive(self, key: str, item: str, payload: dict[str, Any], round_: int = 0, undoes: str = "") -> Application:
        """Registers an application once: the same key again is the same application.

        A higher ``round_`` replaces its content.  If it was returned, it is opened again: the family has corrected what
        was asked for (补正).  Otherwise its state, sums and certificate stay and the change is noted: the sender has
        corrected the case (更正).
        ``undoes``: the application asks to undo another one, which may be unknown here (撤销).
        """
        known = self.get(key)
        if known is not None:
            if round_ > known.round:
                if known.state == "returned":
                    known.state, known.note, known.missing = "registered", "", []
                else:
                    known.corrections.append(f"更正：{'、'.join(_changed(known.payload, payload))}")
                known.round, known.payload = round_, payload
                self.save(known)
            return known
        count = self._db.execute("SELECT COUNT(*) FROM application").fetchone()[0] + 1
        stamp = datetime.now(CHINA).strftime("%Y%m%d")
        made = Application(
            key=key,
            item=item,
            payload=payload,
            reference=f"{stamp}{count:06d}",
            created_at=self.now(),
            round=round_,
            undoes=undoes,
        )
        self.save(made)
        return made

    def save(self, application: Application) -> None:
        application.updated_at = self.now()
        body = json.dumps(application, default=lambda value: value.__dict__, ensure_ascii=False)
        self._db.execute(
            "INSERT INTO application VALUES (?,?,?,?,?) ON CONFLICT(key) DO UPDATE SET "
            "state=excluded.state, updated=excluded.updated, body=excluded.body",
            (application.key, application.reference, application.state, application.updated_at, body),
        )

    def get(self, key: str) -> Application | None:
        """By the sender's key or by the department's own serial."""
        row = self._db.execute("SELECT body FROM application WHERE key=? OR reference=?", (key, key)).fetchone()
        return _load(row[0]) if row else None

    def find(self, keys: Sequence[str]) -> list[Application]:
        """Those of the keys it knows, in one look."""
        if self.habits.stray:
            return self.all()
        marks = ",".join("?" * len(keys))
        rows = self._db.execute(f"SELECT body FROM application WHERE key IN ({marks})", tuple(keys))
        return [_load(row[0]) for row in rows]

    def all(self) -> list[Application]:
        return [_load(row[0]) for row in self._db.execute("SELECT body FROM application ORDER BY rowid")]

    def open(self) -> list[Application]:
        """Applications on which the clerk still has something to do: not final, or with sums not yet paid."""
        return [a for a in self.all() if not a.undone and (a.state not in (*FINAL, "returned") or _payable(a))]

    # ── what the clerk does ─────────────────────────────────────────────────────────────────────────────

    def accept(self, application: Application) -> None:
        application.state = "accepted"
        self.save(application)

    def refuse(self, application: Application, reason: str) -> None:
        application.state, application.note = "refused", reason
        self.save(application)

    def no_case(self, application: Application, reason: str) -> None:
        """The department's own data shows that there is nothing to do for this person (查无此人)."""
        application.state, application.note = "none", reason
        self.save(application)

    def ask_correction(self, application: Application, reason: str, missing: list[str]) -> None:
        application.state, application.note, application.missing = "returned", reason, missing
        self.save(application)

    def finish(self, application: Application, sums: Sequence[tuple[str, int]] = ()) -> None:
        """Done; ``sums`` are (kind in the department's words, fen) it approves."""
        application.state, application.note = "done", ""
        for kind, fen in sums:
            serial = f"{application.reference}-{len(application.sums) + 1}"
            application.sums.append(Sum(serial=serial, kind=kind, fen=fen, at=self.now()))
        self.save(application)

    def undo(self, application: Application) -> None:
        """Done: what the other application led to is undone."""
        application.state, application.note = "done", "已恢复"
        self.save(application)
        self.restore(application.undoes)

    def restore(self, key: str) -> None:
        """The application, if it is known here, is undone; sums of it that are not paid are no longer payable."""
        original = self.get(key)
        if original is not None:
            original.undone = True
            original.sums = [item for item in original.sums if item.state == "paid"]
            self.save(original)

    def instruct(self, application: Application, serial: str, account: dict[str, str]) -> Sum | None:
        """Notes the account a sum is to be paid to.  None if it has no such sum."""
        for item in application.sums:
            if item.serial == serial:
                if item.state in ("approved", "returned"):
                    item.state, item.account, item.at, item.reason = "instructed", account, self.now(), ""
                    self.save(application)
                return item
        return None

    def pay(self, application: Application, serial: str | None = None) -> None:
        """The bank has confirmed: every payable sum, or one, is paid."""
        for item in application.sums:
            if serial in (None, item.serial) and item.state != "paid":
                item.state, item.at, item.reason = "paid", self.now(), ""
        self.save(application)

    def give_back(self, application: Application, reason: str, serial: str | None = None) -> None:
        """The bank sent the money back (退汇)."""
        for item in application.sums:
            if serial in (None, item.serial):
                item.state, item.at, item.reason = "returned", self.now(), reason
        self.save(application)


def _payable(application: Application) -> bool:
    return any(item.state == "instructed" for item in application.sums)


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Names of the fields that differ, those of nested ones included."""
    found = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _changed(old, new)
        elif old != new:
            found.append(name)
    return found


def _load(body: str) -> Application:
    data = json.loads(body)
    data["sums"] = [Sum(**item) for item in data["sums"]]
    return Application(**data)
