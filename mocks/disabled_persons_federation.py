"""残疾人服务系统 (cjrfw): pages that take forms percent-encoded in GBK and answer XML in GBK with Chinese names.

``ywsb.do`` files one business, ``ywcx.do`` looks up many serials.  It calls nobody; it has to be asked.

``bzcs`` counts corrections (``bzsm`` says why); a reversal has ``blfs`` 2, the original's ``ywbls`` and ``cxyy``.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, cast
from urllib.parse import parse_qsl

from aiohttp import web
from lxml import etree

from mocks.kit.office import CHINA, Application
from mocks.kit.server import Department, Failing

ENCODING = "GBK"
STATUS = {"registered": "D", "accepted": "S", "returned": "T", "done": "B", "refused": "J", "none": "W"}
ERRORS = {
    "1": "参数缺失",
    "2": "业务类别不存在",
    "3": "身份证号缺失",
    "4": "编码错误",
    "5": "死亡日期缺失",
    "9": "系统繁忙",
}
CARD, TREATMENT = "ZJ03", "DY01"

# 持证残疾人 as the federation knows them; "" means that it has looked and there is none.
REGISTER: dict[str, dict[str, str]] = {
    "330502193910109559": {"证号": "33050219391010955943", "补贴": "重度残疾人护理补贴"},
    "330502194503124115": {"证号": "33050219450312411514", "补贴": ""},
    "330521193801154077": {"证号": "33052119380115407741", "补贴": "困难残疾人生活补贴"},
    "330502197109052168": {"证号": "", "补贴": ""},
}

Fields = Sequence[tuple[str, "str | Fields"]]


class Refused(Exception):
    """Answered with an error code (代码)."""


class DisabledPersonsFederation(Department):
    code = "disabled-persons-federation"
    title = "残疾人服务系统"
    wire = "form POST /cjrfw/*.do in GBK, XML answers in GBK"
    items: ClassVar[dict[str, str]] = {
        "BT01": "残疾人补贴待遇终止",
        "BT02": "困难残疾人生活补贴和重度残疾人护理补贴终止",
        CARD: "残疾人证注销",
        TREATMENT: "死亡残疾人次月待遇终止",
    }

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/cjrfw/ywsb.do", self._page), web.post("/cjrfw/ywcx.do", self._page)]

    async def _page(self, request: web.Request) -> web.Response:
        asked = request.path.endswith("ywcx.do")
        try:
            await self.called("query" if asked else "submit")
            form = _fields(await request.read())
            answer = self._looked_up(form) if asked else self._filed(form)
        except Refused as refusal:
            return _answered([("代码", str(refusal)), ("信息", ERRORS[str(refusal)])])
        except Failing:
            return _answered([("代码", "9"), ("信息", ERRORS["9"])])
        self.answered()
        return _answered([("代码", "0"), ("信息", "成功"), *answer])

    def _filed(self, form: dict[str, str]) -> Fields:
        if not form.get("wbls") or not form.get("xm") or not form.get("bzcs", "0").isdecimal():
            raise Refused("1")
        business = form.get("ywlb", "")
        if business not in self.items:
            raise Refused("2")
        if not form.get("sfzh"):
            raise Refused("3")
        origin = form.get("ywbls", "") if form.get("blfs") == "2" else ""
        if business == TREATMENT and not origin and _died(form) is None:
            raise Refused("5")
        filed = self.office.receive(form["wbls"], business, dict(form), int(form.get("bzcs", "0")), origin)
        return [("受理单号", filed.reference), ("办理状态", STATUS[filed.state])]

    def _looked_up(self, form: dict[str, str]) -> Fields:
        if not form.get("wbls"):
            raise Refused("1")
        return [("记录集", [("记录", _shown(each)) for each in self.office.find(form["wbls"].split(","))])]

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        """Before accepting, the official looks the person up; nothing registered ends the matter there."""
        known = REGISTER.get(application.payload.get("sfzh", ""), {})
        column = "证号" if application.item == CARD else "补贴"
        if action in ("accept", "finish") and known.get(column) == "":
            reason = "查无残疾人证" if column == "证号" else "查无补贴待遇"
            action, options = "none", {"reason": reason}
        super().act(application, action, options)

    def complete(self, application: Application) -> None:
        """Treatment ends with the month of death: the next one is the first without payment."""
        died = _died(application.payload)
        if application.item == TREATMENT and died is not None:
            following = died.replace(day=1) + timedelta(days=31)
            application.details["停发月份"] = following.strftime("%Y%m")


def _died(form: dict[str, Any]) -> date | None:
    try:
        return datetime.strptime(form.get("swrq", ""), "%Y/%m/%d").date()
    except ValueError:
        return None


def _shown(application: Application) -> Fields:
    return [
        ("外部流水", application.key),
        ("业务类别", application.item),
        ("受理单号", application.reference),
        ("办理状态", STATUS[application.state]),
        ("说明", application.note),
        ("缺少材料", [("材料", name) for name in application.missing]),
        ("停发月份", application.details.get("停发月份", "") if application.state == "done" else ""),
        ("更新时间", datetime.fromtimestamp(application.updated_at, CHINA).strftime("%Y-%m-%d %H:%M:%S")),
    ]


def _fields(body: bytes) -> dict[str, str]:
    """The form; what GBK lacks arrives as character references.  Raises Refused 4 for another encoding."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, encoding=ENCODING, errors="strict")
    except ValueError as error:
        raise Refused("4") from error
    return {name: html.unescape(value) for name, value in pairs}


def _answered(fields: Fields) -> web.Response:
    root = etree.Element("应答")
    _fill(root, fields)
    body = cast(bytes, etree.tostring(root, encoding=ENCODING, xml_declaration=True))
    return web.Response(body=body, content_type="text/xml", charset=ENCODING)


def _fill(parent: etree._Element, fields: Fields) -> None:
    for name, value in fields:
        node = etree.SubElement(parent, name)
        if isinstance(value, str):
            node.text = value
        else:
            _fill(node, value)


DEPARTMENT = DisabledPersonsFederation
