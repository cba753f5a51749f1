"""The death registry of a health bureau (人口死亡信息登记管理系统): one address, JSON, a trade code in the head.

Every message is ``{"head": {...}, "body": {...}}``; the reply's head carries ``rspCode``: ``AAAAAAA`` or ``E`` and
four digits.  Times are local, ``YYYYMMDDHHMMSS``; dates ``YYYYMMDD``.  Errors come inside HTTP 200.

``bcCs`` counts corrections (``bcSm`` says why); a reversal has ``cxInfo`` with the original's ``yWbLsh`` and
``cxYy``, and ends as ``35`` 已撤销.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from aiohttp import web

from mocks.kit.office import CHINA, Application
from mocks.kit.server import Department, Failing

OK = ("AAAAAAA", "交易成功")
MALFORMED = ("E1001", "报文格式错误")
UNKNOWN_BUSINESS = ("E1002", "业务代码不存在")
NO_ID_NUMBER = ("E1003", "证件号码不能为空")
UNKNOWN_TRADE = ("E1004", "交易代码不存在")
NO_DEATH_DETAILS = ("E1005", "死亡信息不完整")
TOO_MANY = ("E1006", "单次查询不得超过500笔")
BUSY = ("E9999", "系统繁忙，请稍后再试")

MOST = 500
ABNORMAL = "非正常死亡"
STATES = {
    "registered": ("00", "已登记"),
    "accepted": ("10", "核实中"),
    "returned": ("20", "退回补充"),
    "done": ("30", "已签发"),
    "restored": ("35", "已撤销"),
    "refused": ("32", "不予开具"),
    "none": ("40", "无此记录"),
}
TO_POLICE = ("31", "转公安机关")


@dataclass(frozen=True)
class Patient:
    """What the registry holds of a person: the institution that signs, and the underlying cause (ICD-10)."""

    institution: str
    cause: str


ORDINARY = Patient("月河街道社区卫生服务中心", "R54")
REGISTER: dict[str, Patient | None] = {
    "330502193910109559": Patient("月河街道社区卫生服务中心", "I25.1"),  # 沈福根
    "330502194503081717": Patient("湖州市第一人民医院", "C34.9"),  # 顾水林
    "330502195206171825": Patient("织里镇卫生院", "I61.9"),  # 严巧珍
    "330521194701120026": None,  # 施阿妹: died elsewhere, registered elsewhere
}


class Refused(Exception):
    """A message answered with an error code."""


def stamp(moment: float | None = None) -> str:
    now = datetime.now(CHINA) if moment is None else datetime.fromtimestamp(moment, CHINA)
    return now.strftime("%Y%m%d%H%M%S")


class Health(Department):
    code = "health"
    title = "卫生健康局 人口死亡信息登记管理系统"
    wire = "HTTP POST /swdj/trade, JSON with head and body, UTF-8; sends results to a subscriber"
    items: ClassVar[dict[str, str]] = {"SWZM01": "出具居民死亡医学证明（推断）书"}

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/swdj/trade", self.trade)]

    async def trade(self, request: web.Request) -> web.Response:
        head: dict[str, Any] = {}
        body: dict[str, Any] = {}
        try:
            message = json.loads(await request.read())
            head, content = message["head"], message["body"]
            body = await self.perform(head["jyCode"], content)
            result = OK
        except Failing:
            result = BUSY
        except Refused as error:
            result = error.args[0]
        except (ValueError, KeyError, TypeError, AttributeError):
            result = MALFORMED
        echoed = head if isinstance(head, dict) else {}
        reply = {
            "jyCode": echoed.get("jyCode", ""),
            "jyLsh": echoed.get("jyLsh", ""),
            "rspCode": result[0],
            "rspMsg": result[1],
            "rspSj": stamp(),
        }
        return web.json_response({"head": reply, "body": body})

    async def perform(self, trade: str, body: dict[str, Any]) -> dict[str, Any]:
        if trade == "SW1001":
            await self.called("submit")
            made = self.register(body)
            self.answered()
            return {"wbLsh": made.key, "slh": made.reference, "zt": self.status(made)[0]}
        if trade == "SW1002":
            await self.called("query")
            if len(body["wbLshList"]) > MOST:
                raise Refused(TOO_MANY)
            rows = [self.row(a) for a in self.office.find(body["wbLshList"])]
            self.answered()
            return {"jlList": rows}
        raise Refused(UNKNOWN_TRADE)

    def register(self, body: dict[str, Any]) -> Application:
        if body["ywDm"] not in self.items:
            raise Refused(UNKNOWN_BUSINESS)
        origin = body.get("cxInfo", {}).get("yWbLsh", "")
        if not body["szInfo"].get("zjHm") and not origin:
            raise Refused(NO_ID_NUMBER)
        if not body["swInfo"].get("swLb") and not origin:
            raise Refused(NO_DEATH_DETAILS)
        if not body["wbLsh"]:
            raise Refused(MALFORMED)
        return self.office.receive(body["wbLsh"], body["ywDm"], body, int(body.get("bcCs", 0)), origin)

    def patient(self, application: Application) -> Patient | None:
        return REGISTER.get(application.payload["szInfo"]["zjHm"], ORDINARY)

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        if action == "finish" and self.patient(application) is None:
            action, options = "none", {"reason": "查无此人死亡登记，已在外地登记"}
        super().act(application, action, options)

    def complete(self, application: Application) -> None:
        patient = self.patient(application) or ORDINARY
        application.certificate = {
            "number": f"33050{application.reference}",
            "issued_at": str(self.office.now()),
            "institution": patient.institution,
        }
        application.details["icd"] = patient.cause

    def status(self, application: Application) -> tuple[str, str]:
        if application.state == "refused" and application.note.startswith(ABNORMAL):
            return TO_POLICE
        return STATES[application.word]

    def row(self, application: Application) -> dict[str, Any]:
        code, wording = self.status(application)
        row: dict[str, Any] = {
            "wbLsh": application.key,
            "slh": application.reference,
            "zt": code,
            "ztMs": wording,
            "gxSj": stamp(application.updated_at),
            "shYj": application.note,
            "bcCl": application.missing,
        }
        if application.state == "done" and application.certificate:
            signed = application.certificate
            row["zmInfo"] = {
                "zmBh": signed["number"],
                "qfSj": stamp(float(signed["issued_at"])),
                "qfJg": signed["institution"],
                "gbSy": application.details.get("icd", ""),
            }
        return row

    def message(self, application: Application, serial: str) -> tuple[bytes, str, str] | None:
        head = {"jyCode": "SW2001", "jyLsh": serial, "fsSj": stamp()}
        made = {"head": head, "body": {"jlList": [self.row(application)]}}
        return json.dumps(made, ensure_ascii=False).encode(), "application/json;charset=UTF-8", ""


DEPARTMENT = Health
