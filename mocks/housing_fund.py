"""住房公积金管理中心: a core system that speaks length-prefixed TCP messages in GBK.

Body = header (ASCII, fixed width: 交易码 4, 发送方 8, 流水号 20, 日期 8, 时间 6, 返回码 6, 条数 6), then lines of
``KEY=value|KEY=value`` separated by ``\\n``.  The answer repeats the header with its own time and return code.
Amounts are fen, 15 digits.  A connection may carry any number of messages, one after the other.

BJCS counts corrections (BJSM says why); a reversal has CZLX 2, the original's YWBLSH and CXYY.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from .kit.office import CHINA, Application
from .kit.server import Cut, Department, Failing, Lost, Rubbish

WIDTHS = (("JYM", 4), ("FSF", 8), ("LSH", 20), ("RQ", 8), ("SJ", 6), ("FHM", 6), ("TS", 6))
HEADER_BYTES = sum(width for _, width in WIDTHS)
WITHDRAWAL, SEAL = "0412", "0421"
BALANCE = "0201"
STATUS = {"registered": "00", "accepted": "10", "returned": "20", "done": "30", "refused": "40", "none": "90"}
SUM_STATUS = {"approved": "1", "instructed": "2", "paid": "3", "returned": "4"}
USUAL_BALANCE = 3_862_450
DEPOSITORS: dict[str, tuple[str, int | None]] = {
    "330502193910109559": ("沈福根", 1_286_350),
    "330502196205183319": ("钱建国", 9_417_008),
    "330503197109231043": ("東瑞芳", 15_230_066),
    "330502197011304279": ("费志明", 0),
    "330502194803124022": ("陆阿毛", None),
}
"""ID number → name and balance in fen; None: never had an account."""

Line = dict[str, str]


class Refused(Exception):
    """A return code other than success."""


class HousingFund(Department):
    code = "housing-fund"
    title = "住房公积金管理中心"
    wire = "TCP, 8-digit length, fixed-width header, |-separated fields, GBK"
    items: ClassVar[dict[str, str]] = {WITHDRAWAL: "职工死亡或宣告死亡提取", SEAL: "个人账户封存"}

    def __init__(self, data: Path, callback_url: str | None, callback_token: str | None) -> None:
        super().__init__(data, callback_url, callback_token)
        self._transactions: dict[str, tuple[str, Callable[[list[Line]], list[Line]]]] = {
            "6101": ("submit", self._register),
            "6102": ("query", self._query),
            "6103": ("instruct", self._pay_to),
        }

    async def start_wire(self, host: str, port: int) -> Callable[[], Awaitable[None]]:
        server = await asyncio.start_server(self._connection, host, port)

        async def stop() -> None:
            server.close()
            await server.wait_closed()

        return stop

    def approve(self, application: Application) -> list[tuple[str, int]]:
        if application.item != WITHDRAWAL:
            return []
        balance = DEPOSITORS.get(application.payload["ZJHM"], ("", USUAL_BALANCE))[1]
        return [(BALANCE, balance)] if balance else []

    def complete(self, application: Application) -> None:
        field = "XHRQ" if application.item == WITHDRAWAL else "FCRQ"
        application.details[field] = datetime.now(CHINA).strftime("%Y%m%d")

    # ── transactions ────────────────────────────────────────────────────────────────────────────────────

    def _register(self, lines: list[Line]) -> list[Line]:
        line = lines[0] if len(lines) == 1 else {}
        if not all(line.get(name) for name in ("WBLSH", "YWDM", "XM", "ZJHM")):
            raise Refused("100001")
        if line["YWDM"] not in self.items:
            raise Refused("100002")
        rounds = line.get("BJCS", "")
        undoes = line.get("YWBLSH", "") if line.get("CZLX") == "2" else ""
        turn = int(rounds) if rounds.isdigit() else 0
        made = self.office.receive(line["WBLSH"], line["YWDM"], dict(line), turn, undoes)
        if not made.undoes and made.state == "registered" and DEPOSITORS.get(line["ZJHM"], ("", 0))[1] is None:
            self.office.no_case(made, "查无该职工住房公积金账户")
        return _lines(made)

    def _query(self, lines: list[Line]) -> list[Line]:
        found = self.office.find([line.get("WBLSH", "") for line in lines])
        return [row for application in found for row in _lines(application)]

    def _pay_to(self, lines: list[Line]) -> list[Line]:
        line = lines[0] if len(lines) == 1 else {}
        if not all(line.get(name) for name in ("WBLSH", "ZFLSH", "KXXH", "JE", "SKHM", "SKZH")):
            raise Refused("100001")
        application = self.office.get(line["WBLSH"])
        known = [item for item in application.sums if item.serial == line["KXXH"]] if application else []
        if application is None or not known:
            raise Refused("200001")
        if not line["JE"].isdigit() or int(line["JE"]) > known[0].fen:
            raise Refused("200002")
        if known[0].account.get("ZFLSH") != line["ZFLSH"]:
            self.office.instruct(application, line["KXXH"], dict(line))
        return []

    # ── the wire ────────────────────────────────────────────────────────────────────────────────────────

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers until the other side, or the end of this process, closes the line."""
        over = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ValueError)
        with contextlib.closing(writer), contextlib.suppress(Lost, *over):
            while True:
                body = await reader.readexactly(int(await reader.readexactly(8)))
                try:
                    answer = await self._handle(body)
                except Rubbish:
                    answer = b"\x00\xff\xfe\xc4\xe3##core dumped##"
                try:
                    writer.write(await self.leaving(answer))
                except Cut as cut:
                    writer.write(cut.half)
                    await writer.drain()
                    return
                await writer.drain()

    async def _handle(self, body: bytes) -> bytes:
        head: Line = {}
        at = 0
        for name, width in WIDTHS:
            head[name] = body[at : at + width].decode("ascii", "replace").strip()
            at += width
        if head["JYM"] not in self._transactions:
            return _message(head, "100003", [])
        operation, transaction = self._transactions[head["JYM"]]
        try:
            await self.called(operation)
            result = _message(head, "000000", transaction(_parse(body[HEADER_BYTES:])))
        except Refused as error:
            result = _message(head, str(error), [])
        except Failing:
            result = _message(head, "999999", [])
        self.answered()
        return result


def _parse(body: bytes) -> list[Line]:
    try:
        rows = body.decode("gbk").split("\n")
        return [dict(part.split("=", 1) for part in row.split("|")) for row in rows]
    except ValueError:
        raise Refused("100004") from None


def _message(head: Line, code: str, lines: list[Line]) -> bytes:
    now = datetime.now(CHINA)
    stamped = {**head, "RQ": f"{now:%Y%m%d}", "SJ": f"{now:%H%M%S}", "FHM": code, "TS": f"{len(lines):06d}"}
    text = "".join(stamped[name].ljust(width)[:width] for name, width in WIDTHS)
    text += "\n".join("|".join(f"{name}={_clean(value)}" for name, value in line.items()) for line in lines)
    body = text.encode("gbk", "replace")
    return f"{len(body):08d}".encode() + body


def _lines(application: Application) -> list[Line]:
    """One SQ line for the application, one KX line for each of its sums."""
    row = {
        "LX": "SQ",
        "WBLSH": application.key,
        "SLH": application.reference,
        "ZT": STATUS[application.state],
        "GXSJ": _stamp(application.updated_at),
        "YY": application.note,
        "BJCL": ";".join(application.missing),
        **application.details,
    }
    return [
        row,
        *(
            {
                "LX": "KX",
                "WBLSH": application.key,
                "KXXH": item.serial,
                "KXLX": item.kind,
                "JE": f"{item.fen:015d}",
                "ZT": SUM_STATUS[item.state],
                "GXSJ": _stamp(item.at),
                "YY": item.reason,
            }
            for item in application.sums
        ),
    ]


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, CHINA).strftime("%Y%m%d%H%M%S")


def _clean(value: Any) -> str:
    return str(value).replace("|", "｜").replace("\n", " ")


DEPARTMENT = HousingFund
