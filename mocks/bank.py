"""银行: a message queue with a TCP front, and the deposit core behind it.

Frames are lines of JSON: ``put``, ``get``, ``ack`` and ``query`` on the queues REQ and RSP.  Delivery is at least
once: a message got and not acknowledged within ``LOCK_S`` is delivered again.  ``query`` browses: the newest
message of each correlation id, also an acknowledged one, and nothing is removed.  Messages are XML, ISO 20022
in style.

``Rnd`` counts corrections (``AddtlInf`` says why); a reversal has ``Rvsl`` with the original's ``OrgnlEndToEndId``
and ``Rsn``, and ends as ``CNCL``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from .kit.office import CHINA, Application
from .kit.server import Cut, Department, Failing, Lost, Rubbish

LOCK_S = 30.0
MAX_LINE_BYTES = 8 * 1024 * 1024
NAMESPACE = "urn:bank:estate:1.2"
N = {"b": NAMESPACE}
OPERATIONS = {"put": "submit", "query": "query", "get": "get", "ack": "ack"}
DEPOSIT = "DEPO"
HEIR = "HEIR"
STATUS = {
    "registered": "RCVD",
    "accepted": "ACCP",
    "returned": "PDNG",
    "done": "ACSC",
    "restored": "CNCL",
    "refused": "RJCT",
    "none": "NOAC",
}
SUM_STATUS = {"approved": "CALC", "instructed": "SENT", "paid": "STLD", "returned": "RTND"}
USUAL_DEPOSITS = [3_200_000]
CUSTOMERS: dict[str, tuple[str, list[int]]] = {
    "330502193910109559": ("沈福根", [4_128_635, 500_000]),
    "330502196205183319": ("钱建国", [18_860_071]),
    "330502195502011121": ("姚玉珍", [912_340, 100_000, 30]),
    "330502194803124022": ("陆阿毛", []),
}
"""ID number → name and deposits in fen, principal and interest; empty: every account was closed in life."""


class Refused(Exception):
    """An error code of the queue front."""


class Queues:
    """Queues in SQLite; ids grow."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT, corr TEXT, "
            "body TEXT, locked REAL DEFAULT 0, acked INTEGER DEFAULT 0)"
        )
        self._db.execute("CREATE INDEX IF NOT EXISTS by_corr ON message (queue, corr)")

    def put(self, queue: str, corr: str, body: str) -> int:
        row = self._db.execute("INSERT INTO message (queue, corr, body) VALUES (?,?,?)", (queue, corr, body))
        return int(row.lastrowid or 0)

    def get(self, queue: str, now: float) -> tuple[int, str, str] | None:
        """The oldest message that is free; it is locked for ``LOCK_S``."""
        row = self._db.execute(
            "SELECT id, corr, body FROM message WHERE queue=? AND acked=0 AND locked<=? ORDER BY id LIMIT 1",
            (queue, now),
        ).fetchone()
        if row is not None:
            self._db.execute("UPDATE message SET locked=? WHERE id=?", (now + LOCK_S, row[0]))
        return row

    def ack(self, number: int) -> None:
        self._db.execute("UPDATE message SET acked=1 WHERE id=?", (number,))

    def browse(self, queue: str, corrs: list[str]) -> list[tuple[int, str, str]]:
        """The newest message of each correlation id."""
        marks = ",".join("?" * len(corrs))
        return self._db.execute(
            "SELECT id, corr, body FROM message WHERE id IN "
            f"(SELECT MAX(id) FROM message WHERE queue=? AND corr IN ({marks}) GROUP BY corr)",
            (queue, *corrs),
        ).fetchall()


class Bank(Department):
    code = "bank"
    title = "银行"
    wire = "message queue over TCP, JSON frames, XML messages"
    items: ClassVar[dict[str, str]] = {"ESTD": "逝者个人金融资产处置", "ESTS": "已故存款人小额存款提取"}

    def __init__(self, data: Path, callback_url: str | None, callback_token: str | None) -> None:
        super().__init__(data, callback_url, callback_token)
        self._queues = Queues(data / f"{self.code}-queues.sqlite")

    async def start_wire(self, host: str, port: int) -> Callable[[], Awaitable[None]]:
        server = await asyncio.start_server(self._connection, host, port, limit=MAX_LINE_BYTES)

        async def stop() -> None:
            server.close()
            await server.wait_closed()

        return stop

    # ── the deposit core ────────────────────────────────────────────────────────────────────────────────

    async def housekeeping(self) -> None:
        """Takes the requests; the same request again is the same application."""
        while taken := self._queues.get("REQ", self.office.now()):
            number, key, body = taken
            self._take(key, _request(body))
            self._queues.ack(number)

    def _take(self, key: str, request: dict[str, Any]) -> None:
        made = self.office.receive(key, request["BizTp"], request, int(request["Rnd"]), request["Orgnl"])
        if made.undoes:
            self.tell(made)
            return
        if made.state == "registered" and not CUSTOMERS.get(request["IdNb"], ("", USUAL_DEPOSITS))[1]:
            self.office.no_case(made, "该客户在本行无存款账户")
        elif made.state == "registered" and HEIR not in request["Doc"]:
            self.office.ask_correction(made, "缺少合法继承人资格证明", ["继承资格证明"])
        self.tell(made)

    def approve(self, application: Application) -> list[tuple[str, int]]:
        deposits = CUSTOMERS.get(application.payload["IdNb"], ("", USUAL_DEPOSITS))[1]
        return [(DEPOSIT, fen) for fen in deposits]

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        """As every clerk; and what is settled goes to the heirs by the bank's own order."""
        super().act(application, action, options)
        if action == "finish":
            for item in application.sums:
                self.office.instruct(application, item.serial, {"payee": "heir"})
            self.tell(application)

    def clerk(self, application: Application, action: str, options: dict[str, Any]) -> None:
        """As every counter; and the order that was called off is reported as well."""
        super().clerk(application, action, options)
        original = self.office.get(application.undoes) if application.undoes and action == "finish" else None
        if original is not None:
            self.tell(original)

    def tell(self, application: Application) -> None:
        if not self.office.habits.silent:
            self._queues.put("RSP", application.key, _report(application))

    # ── the queue front ─────────────────────────────────────────────────────────────────────────────────

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers until the other side, or the end of this process, closes the line."""
        over = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError)
        with contextlib.closing(writer), contextlib.suppress(Lost, *over):
            while True:
                line = await reader.readuntil(b"\n")
                try:
                    answer = json.dumps(await self._handle(line), ensure_ascii=False).encode()
                except Rubbish:
                    answer = b"\x00\xfeAMQ\x1b{{"
                try:
                    writer.write(await self.leaving(answer + b"\n"))
                except Cut as cut:
                    writer.write(cut.half)
                    await writer.drain()
                    return
                await writer.drain()

    async def _handle(self, line: bytes) -> dict[str, Any]:
        try:
            frame = json.loads(line)
            operation, queue = str(frame["op"]), str(frame["queue"])
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "err": "MQ400"}
        if operation not in OPERATIONS or queue not in ("REQ", "RSP"):
            return {"ok": False, "err": "MQ404"}
        try:
            await self.called(OPERATIONS[operation])
            answer = {"ok": True, **self._do(operation, queue, frame)}
        except Refused as error:
            answer = {"ok": False, "err": str(error)}
        except Failing:
            answer = {"ok": False, "err": "MQ500"}
        self.answered()
        return answer

    def _do(self, operation: str, queue: str, frame: dict[str, Any]) -> dict[str, Any]:
        if operation == "put":
            key, body = str(frame.get("corrId", "")), str(frame.get("body", ""))
            request = _request(body)
            if not key or request["EndToEndId"] != key or not (request["Nm"] and request["IdNb"]):
                raise Refused("MQ422")
            if request["BizTp"] not in self.items:
                raise Refused("MQ423")
            return {"msgId": f"{queue}{self._queues.put(queue, key, body):010d}"}
        if operation == "get":
            taken = self._queues.get(queue, self.office.now())
            return {"msgs": [_shown(queue, taken)] if taken else []}
        if operation == "ack":
            number = str(frame.get("msgId", "")).removeprefix(queue)
            if not number.isdigit():
                raise Refused("MQ422")
            self._queues.ack(int(number))
            return {}
        return {"msgs": [_shown(queue, row) for row in self._queues.browse(queue, frame.get("corrIds") or [])]}


def _shown(queue: str, row: tuple[int, str, str]) -> dict[str, str]:
    return {"msgId": f"{queue}{row[0]:010d}", "corrId": row[1], "body": row[2]}


def _request(body: str) -> dict[str, Any]:
    """Fields of a request message.  Raises ``Refused``."""
    try:
        head = ET.fromstring(body).find("b:EstateReq", N)
    except (ET.ParseError, ValueError):
        raise Refused("MQ422") from None
    if head is None:
        raise Refused("MQ422")
    rounds = head.findtext("b:Rnd", "0", N)
    return {
        "EndToEndId": head.findtext("b:EndToEndId", "", N),
        "BizTp": head.findtext("b:BizTp", "", N),
        "Rnd": rounds if rounds.isdigit() else "0",
        "Nm": head.findtext("b:Dcsd/b:Nm", "", N),
        "IdNb": head.findtext("b:Dcsd/b:IdNb", "", N),
        "Rqstr": head.findtext("b:Rqstr/b:Nm", "", N),
        "Doc": [node.findtext("b:Tp", "", N) for node in head.findall("b:Doc", N)],
        "Orgnl": head.findtext("b:Rvsl/b:OrgnlEndToEndId", "", N),
        "Rsn": head.findtext("b:Rvsl/b:Rsn", "", N),
    }


def _report(application: Application) -> str:
    """The status message."""
    document = ET.Element("Document", xmlns=NAMESPACE)
    report = ET.SubElement(document, "EstateStsRpt")
    _add(report, "OrgnlEndToEndId", application.key)
    _add(report, "TxRef", application.reference)
    _add(report, "TxSts", STATUS[application.word])
    _add(report, "ChngDtTm", _time(application.updated_at))
    if application.note:
        _add(ET.SubElement(report, "StsRsnInf"), "AddtlInf", application.note)
    for missing in application.missing:
        _add(report, "MssngDoc", missing)
    for item in application.sums:
        payment = ET.SubElement(report, "Pmt")
        _add(payment, "PmtId", item.serial)
        _add(payment, "Tp", item.kind)
        _add(payment, "Amt", f"{item.fen // 100}.{item.fen % 100:02d}").set("Ccy", "CNY")
        _add(payment, "Sts", SUM_STATUS[item.state])
        _add(payment, "ChngDtTm", _time(item.at))
        if item.reason:
            _add(payment, "AddtlInf", item.reason)
    return ET.tostring(document, encoding="unicode")


def _add(parent: ET.Element, name: str, text: str) -> ET.Element:
    node = ET.SubElement(parent, name)
    node.text = text
    return node


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, CHINA).isoformat(timespec="milliseconds")


DEPARTMENT = Bank
