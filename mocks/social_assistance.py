"""社会救助信息系统: JSON with Chinese keys, behind a login.

``POST /login`` gives a 会话号 for the header ``X-Session``; it lives a quarter of an hour, and a user has at most
eight: the ninth login ends the oldest.  ``POST /jiuzhu/shenbao`` registers a death, ``POST /jiuzhu/chaxun`` reads
records by a list of 流水号.  Errors are a 返回码 with HTTP 200.

补正次数 counts corrections (补正说明 says why); a reversal has 操作类型 撤销, 原流水号 and 撤销原因, and ends as
已恢复.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web

from .kit.office import CHINA, Application
from .kit.server import Department, Failing

SESSION_S = 900
SESSIONS_PER_USER = 8
USERS = {"lianban": "demo"}
STATUS = {
    "registered": "已登记",
    "accepted": "核实中",
    "returned": "退回补正",
    "done": "已停发",
    "restored": "已恢复",
    "refused": "不予停发",
    "none": "未享受待遇",
}
SUPPORT = {"SJ01": {"低保", "特困", "临时救助"}, "SJ02": {"低保", "特困"}, "SJ03": {"低保"}, "SJ04": {"特困"}}
"""事项编码 → the kinds of support it ends."""
RECIPIENTS: dict[str, tuple[str, set[str]]] = {
    "330502193910109559": ("沈福根", {"低保", "特困"}),
    "330503194011203665": ("朱阿巧", {"特困"}),
    "330502194608150555": ("施金生", {"低保", "临时救助"}),
    "330502196205183319": ("钱建国", set()),
}
"""ID number → name and kinds of support; an empty set: asked once, never granted."""


class Refused(Exception):
    """A 返回码 other than 成功."""


class SocialAssistance(Department):
    code = "social-assistance"
    title = "社会救助信息系统"
    wire = "JSON with Chinese keys over HTTP, session login"
    items: ClassVar[dict[str, str]] = {
        "SJ01": "死亡人员社会救助待遇注销",
        "SJ02": "低保（特困）人员救助供养待遇终止",
        "SJ03": "低保停发",
        "SJ04": "特困供养停发",
    }

    def __init__(self, data: Path, callback_url: str | None, callback_token: str | None) -> None:
        super().__init__(data, callback_url, callback_token)
        self._sessions: dict[str, tuple[str, float]] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/login", self._log_in),
            web.post("/jiuzhu/shenbao", lambda request: self._answer("submit", request, self._register)),
            web.post("/jiuzhu/chaxun", lambda request: self._answer("query", request, self._query)),
        ]

    def complete(self, application: Application) -> None:
        """Support ends with the month of death: the first month without it is the next."""
        died = re.fullmatch(r"(\d{4})年(\d{1,2})月(\d{1,2})日", application.payload.get("死亡日期", ""))
        last = date(*map(int, died.groups())) if died else datetime.now(CHINA).date()
        year, month = (last.year + 1, 1) if last.month == 12 else (last.year, last.month + 1)
        application.details["停发月份"] = f"{year}年{month:02d}月"

    # ── the wire ────────────────────────────────────────────────────────────────────────────────────────

    async def _log_in(self, request: web.Request) -> web.Response:
        self.office.calls["login"] += 1
        try:
            body = await _body(request)
            user = str(body.get("用户名", ""))
            if user not in USERS or USERS[user] != body.get("口令"):
                raise Refused("用户名或口令错误")
        except Refused as error:
            return web.json_response({"返回码": str(error), "返回信息": "登录失败"})
        mine = [session for session, (owner, _) in self._sessions.items() if owner == user]
        for oldest in mine[: len(mine) + 1 - SESSIONS_PER_USER]:
            del self._sessions[oldest]
        session = secrets.token_hex(16)
        self._sessions[session] = (user, self.office.now() + SESSION_S)
        return web.json_response({"返回码": "成功", "返回信息": "", "会话号": session, "有效秒数": SESSION_S})

    async def _answer(
        self, operation: str, request: web.Request, work: Callable[[dict[str, Any]], Any]
    ) -> web.Response:
        try:
            await self.called(operation)
            if self._sessions.get(request.headers.get("X-Session", ""), ("", 0.0))[1] < self.office.now():
                raise Refused("会话失效")
            answer = {"返回码": "成功", "返回信息": "", "办理记录": work(await _body(request))}
        except Refused as error:
            answer = {"返回码": str(error), "返回信息": "请求未被接收"}
        except Failing:
            answer = {"返回码": "系统繁忙", "返回信息": "ORA-12516"}
        self.answered()
        return web.json_response(answer)

    def _register(self, body: dict[str, Any]) -> dict[str, Any]:
        if not all(body.get(name) for name in ("流水号", "事项编码", "姓名", "身份证号")):
            raise Refused("缺少必填项")
        if body["事项编码"] not in self.items:
            raise Refused("无此事项")
        rounds = body.get("补正次数", 0)
        undoes = body.get("原流水号", "") if body.get("操作类型") == "撤销" else ""
        turn = rounds if isinstance(rounds, int) else 0
        made = self.office.receive(body["流水号"], body["事项编码"], body, turn, undoes)
        recipient = RECIPIENTS.get(body["身份证号"])
        if (
            not made.undoes
            and made.state == "registered"
            and recipient is not None
            and not recipient[1] & SUPPORT[made.item]
        ):
            self.office.no_case(made, "救助对象库中该人员未享受此项待遇")
        return _record(made)

    def _query(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        keys = body.get("流水号")
        if not isinstance(keys, list):
            raise Refused("报文有误")
        return [_record(application) for application in self.office.find([str(key) for key in keys])]


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        raise Refused("报文有误") from None
    if not isinstance(body, dict):
        raise Refused("报文有误")
    return body


def _record(application: Application) -> dict[str, Any]:
    at = datetime.fromtimestamp(application.updated_at, CHINA)
    day = f"{at.year}年{at.month:02d}月{at.day:02d}日"
    return {
        "流水号": application.key,
        "受理编号": application.reference,
        "事项编码": application.item,
        "状态": STATUS[application.word],
        "更新时间": f"{day} {at.hour:02d}时{at.minute:02d}分{at.second:02d}秒",
        "停发月份": application.details.get("停发月份", ""),
        "说明": application.note,
        "需补材料": "、".join(application.missing),
    }


DEPARTMENT = SocialAssistance
