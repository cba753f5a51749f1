"""退役军人事务局: a JSON system that hands out tickets at once and works in batches.

``POST /yf/apply`` and ``/yf/account`` answer 202 and a ticket; the batch run takes them in later.
``POST /yf/query`` answers records by ``serials`` and what became of ``tickets``.  Sums are yuan as JSON numbers,
amounts of orders yuan as text, times milliseconds; errors are ``{"error": "<word>"}`` with HTTP 200.

``round`` counts corrections (``remark`` says why); a reversal has ``cancels`` with the original's ``serial`` and
``reason``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web

from .kit.office import Application
from .kit.server import Department, Failing

BATCH_S = 0.25
"""Seconds a message waits at least for the batch run."""
GRANT = "丧葬补助费"
GRANT_MONTHS = 6
USUAL_MONTHLY = 152_000
STATUS = {
    "registered": "待核",
    "accepted": "已受理",
    "returned": "退回补正",
    "done": "已办结",
    "refused": "不予办理",
    "none": "非优抚对象",
}
GRANT_STATES = {"approved": "待发放", "instructed": "已报盘", "paid": "已发放", "returned": "退汇"}
VETERANS: dict[str, tuple[str, str, int]] = {
    "330502193910109559": ("沈福根", "带病回乡退伍军人", 144_025),
    "33052219330707203X": ("潘水林", "在乡复员军人", 271_500),
    "330502194608150555": ("施金生", "参战退役人员", 93_010),
    "330502196205183319": ("钱建国", "退役军人", 0),
    "330503194011203665": ("朱阿巧", "非优抚对象", 0),
}
"""ID number → name, category, monthly subsidy in fen."""


class Refused(Exception):
    """An error word."""


class VeteransAffairs(Department):
    code = "veterans-affairs"
    title = "退役军人事务局"
    wire = "JSON over HTTP, tickets and batch runs"
    items: ClassVar[dict[str, str]] = {
        "YF01": "重点优抚对象丧葬补助",
        "YF02": "停发抚恤",
        "YF03": "优抚对象死亡一次性申领",
        "YF04": "优抚待遇终止",
        "YF05": "特殊人群待遇处理",
    }

    def __init__(self, data: Path, callback_url: str | None, callback_token: str | None) -> None:
        super().__init__(data, callback_url, callback_token)
        self._inbox = sqlite3.connect(data / f"{self.code}-inbox.sqlite", isolation_level=None)
        self._inbox.execute(
            "CREATE TABLE IF NOT EXISTS message (number INTEGER PRIMARY KEY AUTOINCREMENT, "
            "name TEXT UNIQUE, kind TEXT, body TEXT, at REAL, taken INTEGER DEFAULT 0)"
        )

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/yf/apply", lambda request: self._answer("submit", request, self._apply, 202)),
            web.post("/yf/query", lambda request: self._answer("query", request, self._query, 200)),
            web.post("/yf/account", lambda request: self._answer("instruct", request, self._account, 202)),
        ]

    async def housekeeping(self) -> None:
        """The batch run."""
        rows = self._inbox.execute(
            "SELECT number, kind, body FROM message WHERE taken=0 AND at<=? ORDER BY number",
            (self.office.now() - BATCH_S,),
        ).fetchall()
        for number, kind, text in rows:
            if kind == "apply":
                self._take_in(json.loads(text))
            else:
                self._note_account(json.loads(text))
            self._inbox.execute("UPDATE message SET taken=1 WHERE number=?", (number,))

    def approve(self, application: Application) -> list[tuple[str, int]]:
        if application.item not in ("YF01", "YF03"):
            return []
        monthly = VETERANS.get(application.payload["subject"]["idNo"], ("", "", USUAL_MONTHLY))[2]
        return [(GRANT, monthly * GRANT_MONTHS)] if monthly else []

    # ── at the door ─────────────────────────────────────────────────────────────────────────────────────

    async def _answer(
        self, operation: str, request: web.Request, work: Callable[[dict[str, Any]], dict[str, Any]], status: int
    ) -> web.Response:
        try:
            await self.called(operation)
            answer = work(await self._body(request))
        except Refused as error:
            answer, status = {"error": str(error)}, 200
        except Failing:
            answer, status = {"error": "系统异常"}, 200
        self.answered()
        return web.json_response(answer, status=status)

    async def _body(self, request: web.Request) -> dict[str, Any]:
        try:
            body = await request.json()
        except ValueError:
            raise Refused("报文格式错误") from None
        if not isinstance(body, dict):
            raise Refused("报文格式错误")
        return body

    def _apply(self, body: dict[str, Any]) -> dict[str, Any]:
        subject = body.get("subject") or {}
        if not (body.get("serial") and body.get("bizType") and subject.get("name") and subject.get("idNo")):
            raise Refused("参数缺失")
        if body["bizType"] not in self.items:
            raise Refused("业务类型不存在")
        return self._ticket(f"apply {body['serial']} {body.get('round', 0)}", "apply", body)

    def _account(self, body: dict[str, Any]) -> dict[str, Any]:
        account = body.get("account") or {}
        if not (body.get("orderSerial") and body.get("serial") and account.get("cardNo") and account.get("holder")):
            raise Refused("参数缺失")
        application = self.office.get(body["serial"])
        grants = [item for item in application.sums if item.serial == body.get("grantNo")] if application else []
        if not grants:
            raise Refused("无此款项")
        if Decimal(body.get("amount", "0")) * 100 > grants[0].fen:
            raise Refused("金额超过核定")
        return self._ticket(f"account {body['orderSerial']}", "account", body)

    def _ticket(self, name: str, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """The same message again has the same ticket."""
        self._inbox.execute(
            "INSERT OR IGNORE INTO message (name, kind, body, at) VALUES (?,?,?,?)",
            (name, kind, json.dumps(body, ensure_ascii=False), self.office.now()),
        )
        (number,) = self._inbox.execute("SELECT number FROM message WHERE name=?", (name,)).fetchone()
        return {"ticket": f"HZD{number:08d}"}

    def _query(self, body: dict[str, Any]) -> dict[str, Any]:
        serials, tickets = body.get("serials") or [], body.get("tickets") or []
        return {
            "records": [_record(application) for application in self.office.find(serials)],
            "tickets": [self._fate(str(ticket)) for ticket in tickets],
        }

    def _fate(self, ticket: str) -> dict[str, str]:
        number = ticket.removeprefix("HZD")
        row = self._inbox.execute(
            "SELECT taken FROM message WHERE number=?", (int(number) if number.isdigit() else 0,)
        ).fetchone()
        return {"ticket": ticket, "state": "无此回执" if row is None else "已入库" if row[0] else "待入库"}

    # ── in the batch run ────────────────────────────────────────────────────────────────────────────────

    def _take_in(self, body: dict[str, Any]) -> None:
        cancels = body.get("cancels") or {}
        turn = int(body.get("round", 0))
        made = self.office.receive(body["serial"], body["bizType"], body, turn, cancels.get("serial", ""))
        if made.undoes:
            return
        category = VETERANS.get(body["subject"]["idNo"], ("", "", 0))[1]
        if made.state == "registered" and category == "非优抚对象":
            self.office.no_case(made, "优抚对象信息库中无此人")

    def _note_account(self, body: dict[str, Any]) -> None:
        application = self.office.get(body["serial"])
        if application is not None:
            order = {**body["account"], "orderSerial": body["orderSerial"]}
            self.office.instruct(application, body["grantNo"], order)


def _record(application: Application) -> dict[str, Any]:
    paid = bool(application.sums) and all(item.state == "paid" for item in application.sums)
    return {
        "serial": application.key,
        "acceptNo": application.reference,
        "status": "已发放" if application.state == "done" and paid else STATUS[application.state],
        "changedAt": int(application.updated_at * 1000),
        "reason": application.note,
        "supplement": application.missing,
        "grants": [
            {
                "no": item.serial,
                "type": item.kind,
                "amount": item.fen / 100,
                "state": GRANT_STATES[item.state],
                "changedAt": int(item.at * 1000),
                "remark": item.reason,
            }
            for item in application.sums
        ],
    }


DEPARTMENT = VeteransAffairs
