"""The resettlement support office (移民扶持): a file front machine (前置机) that others reach as a file server.

``PUT /in/<name>.csv`` drops a report; ``GET /out/`` lists the results; ``GET /out/result.csv`` is the complete
present result.  Files are GB18030, CRLF, every field quoted, with a Chinese header line.  The front machine looks
at a report before it stores it and answers ``OK|<bytes>`` or ``ERR|<code>|<text>``, with HTTP 200 in either case.
A batch run every fifth of a second takes reports in, moves them to ``done`` and rewrites the result file, whose
last line is ``合计`` and the number of records, so that a broken file shows.

A correction is a further file with a higher 补正次数 (补正说明 says why); a reversal has 操作类型 撤销, 原流水号 and
撤销原因, needs no 死亡日期, and ends as 已恢复.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web

from mocks.kit.office import CHINA, Application
from mocks.kit.server import Department, Failing

REPORT = [
    *("流水号", "业务类别", "姓名", "身份证号码", "性别", "户籍地区划", "户籍地址", "死亡日期"),
    *("死亡证明编号", "火化证明编号", "申请人", "联系电话", "报送时间", "补正次数", "补正说明"),
    *("操作类型", "原流水号", "撤销原因"),
]
DEATH_DAY, UNDO = "死亡日期", "撤销"
REQUIRED = ("流水号", "业务类别", "姓名", "身份证号码", DEATH_DAY, "报送时间", "补正次数")
RESULT = ["流水号", "受理编号", "业务类别", "办理状态", "办理意见", "需补正材料", "核减年度", "更新时间"]
REGISTRATION, REDUCTION = "YM-DJ", "YM-HJ"
STATUS = {
    "registered": "已接收",
    "accepted": "审核中",
    "returned": "退回补正",
    "refused": "不予办理",
    "none": "非扶持人口",
    "restored": "已恢复",
}
DONE = {REGISTRATION: "已登记备案", REDUCTION: "已列入核减"}

# 扶持人口名册: whether a person is supported; persons not listed are taken as reported.
REGISTER = {
    "330502193910109559": True,  # 沈福根
    "330522193702144523": True,  # 严桂珍
    "330523194806202178": True,  # 汪水根
    "330503195208114062": False,  # 朱美英
}


class Refused(Exception):
    """The front machine does not store this file."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def _written(header: list[str], rows: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([header, *rows])
    return out.getvalue().encode("gb18030")


def _read(body: bytes) -> dict[str, str]:
    """The one record of a report.  Raises ``Refused``."""
    try:
        lines = list(csv.reader(io.StringIO(body.decode("gb18030"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise Refused("E01", "文件格式错误") from None
    if len(lines) != 2 or lines[0] != REPORT or len(lines[1]) != len(REPORT):
        raise Refused("E01", "文件格式错误")
    row = dict(zip(REPORT, lines[1], strict=True))
    if row["业务类别"] not in Resettlement.items:
        raise Refused("E02", "业务类别不存在")
    empty = [name for name in REQUIRED if not row[name] and not (name == DEATH_DAY and row["操作类型"] == UNDO)]
    if empty:
        raise Refused("E03", f"必填项为空: {empty[0]}")
    return row


class Resettlement(Department):
    code = "resettlement"
    title = "水库移民管理服务中心"
    wire = "CSV file drop on a front machine over HTTP: PUT /in/<name>.csv, GET /out/result.csv; GB18030"
    items: ClassVar[dict[str, str]] = {REGISTRATION: "移民扶持人口死亡登记备案", REDUCTION: "移民扶持人口核减"}

    def __init__(self, data: Path, callback_url: str | None, callback_token: str | None) -> None:
        super().__init__(data, callback_url, callback_token)
        self._in, self._out, self._done = (data / "resettlement" / name for name in ("in", "out", "done"))
        for folder in (self._in, self._out, self._done):
            folder.mkdir(parents=True, exist_ok=True)

    async def start_wire(self, host: str, port: int) -> Callable[[], Awaitable[None]] | None:
        self._publish()
        return None

    def routes(self) -> list[web.RouteDef]:
        return [
            web.put("/in/{name}", self._drop),
            web.get("/out/", self._listing),
            web.get("/out/result.csv", self._result),
        ]

    async def _drop(self, request: web.Request) -> web.Response:
        body, name = await request.read(), request.match_info["name"]
        try:
            await self.called("submit")
            _read(body)
        except Failing:
            return web.Response(text="ERR|E99|系统忙", charset="gb18030")
        except Refused as error:
            return web.Response(text=f"ERR|{error.code}|{error}", charset="gb18030")
        if not name.endswith(".csv") or "/" in name or name.startswith("."):
            return web.Response(text="ERR|E04|文件名错误", charset="gb18030")
        part = self._in / f"{name}.part"
        part.write_bytes(body)
        part.rename(self._in / name)
        self.answered()
        return web.Response(text=f"OK|{len(body)}", charset="gb18030")

    async def _listing(self, _: web.Request) -> web.Response:
        return web.Response(text="".join(f"{file.name}\r\n" for file in sorted(self._out.iterdir())))

    async def _result(self, _: web.Request) -> web.Response:
        await self.called("query")
        body = (self._out / "result.csv").read_bytes()
        self.answered()
        return web.Response(body=body, content_type="text/csv", charset="gb18030")

    async def housekeeping(self) -> None:
        """One batch run."""
        reports = sorted(self._in.glob("*.csv"))
        for file in reports:
            try:
                row = _read(file.read_bytes())
            except Refused:
                file.rename(file.with_suffix(".err"))
                continue
            undoes = row["原流水号"] if row["操作类型"] == UNDO else ""
            self.office.receive(row["流水号"], row["业务类别"], row, int(row["补正次数"]), undoes)
            file.rename(self._done / file.name)
        if reports:
            self._publish()

    def _publish(self) -> None:
        rows = [
            [
                application.key,
                application.reference,
                application.item,
                STATUS.get(application.word) or DONE[application.item],
                application.note,
                "、".join(application.missing),
                application.details.get("核减年度", ""),
                datetime.fromtimestamp(application.updated_at, CHINA).strftime("%Y-%m-%d %H:%M:%S"),
            ]
            for application in self.office.all()
        ]
        part = self._out / ".result.csv.part"
        part.write_bytes(_written(RESULT, [*rows, ["合计", str(len(rows))]]))
        part.rename(self._out / "result.csv")

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        """Nobody is registered or struck off who is not in the list of supported persons."""
        if action == "finish" and REGISTER.get(application.payload["身份证号码"]) is False:
            action, options = "none", {"reason": "扶持人口名册查无此人"}
        super().act(application, action, options)

    def complete(self, application: Application) -> None:
        """The head count is reduced in the year after the death (次年核减)."""
        if application.item == REDUCTION:
            application.details["核减年度"] = str(int(application.payload["死亡日期"][:4]) + 1)

    def tell(self, application: Application) -> None:
        """Results are not sent: they are in the result file."""
        self._publish()


DEPARTMENT = Resettlement
