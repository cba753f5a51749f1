"""The provincial government-service platform (省政务服务平台): an open gateway, one address, ``method`` in a form.

``biz_content`` is JSON; ``sign`` is SHA-256 over secret + sorted parameters + secret.  It answers at once: a case is
coded, or its result shown on every terminal, while the caller waits.  How a case code is made up no document says:
this one is region, day, serial and a check digit.  Nothing is sent to anybody.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from aiohttp import web

from mocks.kit.office import CHINA, Application
from mocks.kit.server import Department, Failing

SECRET = "demo"
APPS = {"53YJS": "个人身后“一件事”主题业务模块"}
MOST = 500
CODING, RETURN = "FM", "HC"
METHODS = {"project.code.apply": CODING, "project.result.return": RETURN}
TERMINALS = {"web": "01", "app": "02", "wechat": "03", "alipay": "04"}
STATES = {"registered": "S0", "accepted": "S1", "done": "S2", "returned": "S3", "refused": "S4", "none": "S5"}
ERRORS = {
    "SIGN_INVALID": "签名无效",
    "APP_UNKNOWN": "应用未注册",
    "METHOD_UNKNOWN": "接口不存在",
    "PARAM_INVALID": "参数错误",
    "LIST_TOO_LONG": "单次查询不得超过500笔",
    "SYSTEM_BUSY": "系统繁忙",
}


class Refused(Exception):
    """A call answered with an ``errorCode``."""


def sign(text: str) -> str:
    return hashlib.sha256(f"{SECRET}{text}{SECRET}".encode()).hexdigest().upper()


class ProvincialPlatform(Department):
    code = "provincial-platform"
    title = "省政务服务平台"
    wire = "HTTP POST /router/rest, form with biz_content in JSON, sorted-parameter SHA-256 signature; must be asked"
    items: ClassVar[dict[str, str]] = {CODING: "办件赋码", RETURN: "办件结果回传"}

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/router/rest", self.rest)]

    async def rest(self, request: web.Request) -> web.Response:
        content, code, nonce = "", "", ""
        try:
            form = dict(parse_qsl((await request.read()).decode("ascii"), keep_blank_values=True, strict_parsing=True))
            given, nonce = form.pop("sign"), form["nonce"]
            if not hmac.compare_digest(given, sign("".join(name + form[name] for name in sorted(form)))):
                raise Refused("SIGN_INVALID")
            if form["app_id"] not in APPS:
                raise Refused("APP_UNKNOWN")
            answer = await self.perform(form["method"], json.loads(form["biz_content"]))
            content = json.dumps(answer, ensure_ascii=False)
        except Failing:
            code = "SYSTEM_BUSY"
        except Refused as error:
            code = str(error)
        except (ValueError, KeyError, TypeError, AttributeError):
            code = "PARAM_INVALID"
        return web.json_response(
            {
                "success": not code,
                "errorCode": code,
                "errorMsg": ERRORS.get(code, ""),
                "content": content,
                "sign": sign(nonce + content),
            }
        )

    async def perform(self, method: str, sent: dict[str, Any]) -> dict[str, Any]:
        if method == "project.record.list":
            await self.called("query")
            if len(sent["outBizNos"]) > MOST:
                raise Refused("LIST_TOO_LONG")
            rows = [self.row(found) for found in self.office.find(sent["outBizNos"])]
            self.answered()
            return {"records": rows}
        if method not in METHODS:
            raise Refused("METHOD_UNKNOWN")
        await self.called("submit")
        made = self.take(METHODS[method], sent)
        self.answered()
        return {"record": self.row(made)}

    def take(self, business: str, sent: dict[str, Any]) -> Application:
        if not sent["outBizNo"] or not sent["outProjectNo"]:
            raise Refused("PARAM_INVALID")
        before, revision = self.office.get(sent["outBizNo"]), int(sent["revision"])
        made = self.office.receive(sent["outBizNo"], business, sent, revision)
        if before is not None and revision <= before.round:
            return made
        self.decide(made)  # 更正: what was done is done again with the new content
        return made

    def decide(self, application: Application) -> None:
        """No clerk: the platform's own programme."""
        sent = application.payload
        if self.office.habits.refuse:
            self.office.refuse(application, self.office.habits.refuse)
        elif "cancelOf" in sent:
            self.cancel(sent["cancelOf"], application.key)
            self.office.finish(application)
        elif application.item == CODING:
            application.details["projectCode"] = self.code_of(sent["outProjectNo"]) or self.new_code(application)
            self.office.finish(application)
        elif sent["projectCode"] and sent["projectCode"] == self.code_of(sent["outProjectNo"]):
            sent["terminals"] = dict.fromkeys(TERMINALS, f"{sent['projectCode']} {sent['summary']}")
            application.missing = []
            self.office.finish(application)
        else:
            self.office.ask_correction(application, "办件编码为空，或不是该办件的编码", ["办件编码"])

    def code_of(self, project: str) -> str | None:
        """The code this case has; a case is coded once."""
        for held in self.office.all():
            coded = held.item == CODING and "projectCode" in held.details and "revoked" not in held.payload
            if coded and held.payload["outProjectNo"] == project:
                return held.details["projectCode"]
        return None

    def new_code(self, application: Application) -> str:
        region = str(application.payload["regionCode"])[:6].ljust(6, "0")
        plain = f"{region}{datetime.now(CHINA):%Y%m%d}{application.reference[8:]}"
        return f"{plain}{sum(int(digit) for digit in plain if digit.isdigit()) % 10}"

    def cancel(self, key: str, by: str) -> None:
        """Undone: the code is void, the terminals show nothing more.  Not to know it is no fault."""
        undone = self.office.get(key)
        if undone is not None:
            undone.payload["revoked"] = by
            undone.payload.pop("terminals", None)
            self.office.save(undone)
            self.office.restore(key)

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        """The programme has been faster than any clerk: what is done needs no finishing."""
        if not (action == "finish" and application.state == "done"):
            super().act(application, action, options)

    def row(self, application: Application) -> dict[str, Any]:
        shown = application.payload.get("terminals", {})
        return {
            "outBizNo": application.key,
            "platformNo": application.reference,
            "state": STATES[application.state],
            "modifyTime": datetime.fromtimestamp(application.updated_at, CHINA).isoformat(timespec="milliseconds"),
            "remark": application.note,
            "lackList": application.missing,
            "projectCode": application.details.get("projectCode", ""),
            "terminals": [TERMINALS[name] for name in shown],
        }


DEPARTMENT = ProvincialPlatform
