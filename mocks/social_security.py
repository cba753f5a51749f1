"""社会保险业务系统 (金保工程): one SOAP method ``callBusiness``, its argument an XML document in CDATA, UTF-8.

The business number in ``head`` says what is meant: filing (11…, 12…, 15…), looking up (990101), account orders
(990201).  Results go out as ``notifyBusiness`` (990301).  It pays only what has an account order.

``bzcs`` counts corrections (``aae013`` says why); a reversal has ``czlx`` 2, the original's ``ywblsh`` and ``cxyy``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, cast

from aiohttp import web
from lxml import etree

from mocks.kit.office import CHINA, Application, Sum
from mocks.kit.server import Department, Failing

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = "http://webservice.siis.mohrss.gov.cn/"
QUERY, INSTRUCT, NOTIFY = "990101", "990201", "990301"

AAE016 = {"registered": "0", "accepted": "1", "done": "2", "returned": "3", "refused": "4", "none": "5"}
AAE117 = {"approved": "0", "instructed": "1", "paid": "2", "returned": "3"}
ERRORS = {
    "-1": "系统异常",
    "-101": "业务编号不存在",
    "-102": "报文解析失败",
    "-201": "缺少必填参数",
    "-202": "缺少公民身份号码",
    "-203": "业务类型不存在",
    "-301": "待遇核定记录不存在",
    "-302": "该笔待遇已报盘",
    "-303": "实发金额与核定金额不符",
}
YWLX = {
    "1101": "达到法定退休年龄前终止职工基本养老保险关系待遇核准支付",
    "1102": "离退休人员死亡待遇核准支付",
    "1501": "城乡居民参保关系注销登记人员待遇核准支付",
    "2101": "领取失业保险金人员死亡待遇核准支付",
}

# aaa036 待遇项目 a business approves when it is done; a business that is not here only stops something.
FUNERAL, BEREAVEMENT, ACCOUNT, SURVIVOR = "301", "302", "303", "304"
APPROVES = {
    "110301": (FUNERAL, BEREAVEMENT),
    "110302": (FUNERAL, BEREAVEMENT),
    "110303": (ACCOUNT, FUNERAL, BEREAVEMENT),
    "110304": (ACCOUNT, FUNERAL, BEREAVEMENT),
    "110305": (ACCOUNT,),
    "110306": (SURVIVOR,),
    "120301": (ACCOUNT,),
    "150301": (FUNERAL,),
    "150302": (ACCOUNT, FUNERAL),
}
ORDINARY = {FUNERAL: 480000, BEREAVEMENT: 2880000, ACCOUNT: 1635247, SURVIVOR: 650000}
# 参保人员 whose figures this bureau knows, in fen; CBZT "" means that it has looked and there is no participation.
REGISTER: dict[str, dict[str, Any]] = {
    "330502193910109559": {"CBZT": "退休", FUNERAL: 480000, BEREAVEMENT: 4320000, ACCOUNT: 0, SURVIVOR: 650000},
    "330502194503124115": {"CBZT": "退休", FUNERAL: 480000, BEREAVEMENT: 5760000, ACCOUNT: 381256},
    "330521193801154077": {"CBZT": "城乡居民", FUNERAL: 240000, ACCOUNT: 518733},
    "330502196602147370": {"CBZT": "在职", FUNERAL: 480000, BEREAVEMENT: 1920000, ACCOUNT: 8842019},
    "330522194906205249": {"CBZT": ""},
}

Fields = Sequence[tuple[str, "str | Fields | None"]]


class Refused(Exception):
    """Answered with an appcode."""


class SocialSecurity(Department):
    code = "social-security"
    title = "社会保险业务系统"
    wire = "SOAP callBusiness with XML in CDATA, POST /siis/services/BusinessService, UTF-8"
    items: ClassVar[dict[str, str]] = {
        "110301": "丧葬补助金和抚恤金申领",
        "110302": "企业职工养老保险丧葬补助金、抚恤金申领",
        "110303": "退休企业职工死亡个人账户一次性待遇申领",
        "110304": "在职企业职工死亡个人账户一次性待遇申领",
        "110305": "个人账户一次性待遇申领",
        "110306": "遗属待遇申领",
        "110401": "养老金终止发放",
        "110402": "参保人员死亡终止参保关系",
        "110403": "养老保险个人账户划拨终止",
        "110404": "社会保险缴费终止",
        "110405": "社保待遇处理",
        "120301": "机关事业养老保险个人账户一次性待遇申领",
        "120401": "机关事业单位人员在职死亡终止参保",
        "120402": "机关事业单位人员退休死亡终止发放",
        "150301": "城乡居民养老保险丧葬补助金申领",
        "150302": "城乡居民个人账户一次性待遇申领",
    }

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/siis/services/BusinessService", self._call_business)]

    async def _call_business(self, request: web.Request) -> web.Response:
        document = _opened(await request.read())
        business = document.findtext("head/ywbh", "") if document is not None else ""
        try:
            await self.called({QUERY: "query", INSTRUCT: "instruct"}.get(business, "submit"))
            sent = document.find("body") if document is not None else None
            if sent is None:
                raise Refused("-102")
            if business == QUERY:
                answer = self._looked_up(sent)
            elif business == INSTRUCT:
                answer = self._ordered(_flat(sent))
            else:
                answer = self._filed(business, sent)
        except Refused as refusal:
            head, answer = [("appcode", str(refusal)), ("errormsg", ERRORS[str(refusal)])], []
        except Failing:
            head, answer = [("appcode", "-1"), ("errormsg", ERRORS["-1"])], []
        else:
            head = [("appcode", "1"), ("errormsg", "")]
            self.answered()
        body = _envelope("callBusinessResponse", "return", "output", [("head", head), ("body", answer)])
        return web.Response(body=body, content_type="text/xml", charset="utf-8")

    def _filed(self, business: str, sent: etree._Element) -> Fields:
        if business not in self.items:
            raise Refused("-101")
        fields = _flat(sent)
        if not fields.get("wblsh") or not fields.get("aac003") or not fields.get("bzcs", "0").isdecimal():
            raise Refused("-201")
        if not fields.get("aac002"):
            raise Refused("-202")
        types = [row.findtext("ywlx", "") for row in sent.findall("ywlxlist/row")]
        if any(each not in YWLX for each in types):
            raise Refused("-203")
        payload = {
            **fields,
            "ywlx": types,
            "cllist": [_flat(row) for row in sent.findall("cllist/row")],
        }
        undoes = fields.get("ywblsh", "") if fields.get("czlx") == "2" else ""
        filed = self.office.receive(fields["wblsh"], business, payload, int(fields.get("bzcs", "0")), undoes)
        return [
            ("slh", filed.reference),
            ("aae016", AAE016[filed.state]),
            ("slsj", _time(filed.created_at)),
        ]

    def _looked_up(self, sent: etree._Element) -> Fields:
        keys = [row.findtext("wblsh", "") for row in sent.findall("cxlist/row")]
        return [("jglist", [("row", _shown(each)) for each in self.office.find(keys)])]

    def _ordered(self, sent: dict[str, str]) -> Fields:
        """An account order.  The same order again is answered as it stands, even after a return."""
        if not all(sent.get(name) for name in ("zllsh", "wblsh", "dyxh", "sfje", "aae009", "aae010")):
            raise Refused("-201")
        held = self.office.get(sent["wblsh"])
        known = next((each for each in held.sums if each.serial == sent["dyxh"]), None) if held else None
        if held is None or known is None or known.kind != sent.get("aaa036"):
            raise Refused("-301")
        if known.account.get("zllsh") != sent["zllsh"]:
            if known.state in ("instructed", "paid"):
                raise Refused("-302")
            if not 0 <= _fen(sent["sfje"]) <= known.fen:
                raise Refused("-303")
            known = self.office.instruct(held, known.serial, sent) or known
            self.tell(held)
        return [("dyxh", known.serial), ("aae117", AAE117[known.state])]

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        """Looks the person up before accepting: no participation ends the matter.  Pays only what has an order."""
        if action == "pay":
            ordered = [each.serial for each in application.sums if each.state == "instructed"]
            chosen = [options["serial"]] if options.get("serial") else ordered
            if not chosen or not set(chosen) <= set(ordered):
                raise ValueError("no account order for this sum")
            for serial in chosen:
                self.office.pay(application, serial)
            self.tell(application)
            return
        if action in ("accept", "finish") and _person(application).get("CBZT") == "":
            action, options = "none", {"reason": "查无参保登记"}
        super().act(application, action, options)

    def approve(self, application: Application) -> list[tuple[str, int]]:
        """Sums of this business; those that are nil for the person are left out."""
        known = _person(application)
        amounts = {kind: known.get(kind, ordinary) for kind, ordinary in ORDINARY.items()}
        return [(kind, amounts[kind]) for kind in APPROVES.get(application.item, ()) if amounts[kind]]

    def message(self, application: Application, serial: str) -> tuple[bytes, str, str] | None:
        head: Fields = [("ywbh", NOTIFY), ("xxlsh", serial), ("fssj", _time(self.office.now()))]
        rows: Fields = [("jglist", [("row", _shown(application))])]
        body = _envelope("notifyBusiness", "inputXml", "input", [("head", head), ("body", rows)])
        return body, "text/xml; charset=utf-8", ""


def _person(application: Application) -> dict[str, Any]:
    return REGISTER.get(application.payload.get("aac002", ""), {})


def _shown(application: Application) -> Fields:
    return [
        ("wblsh", application.key),
        ("ywbh", application.item),
        ("slh", application.reference),
        ("aae016", AAE016[application.state]),
        ("aae013", application.note),
        ("gxsj", _time(application.updated_at)),
        ("bqlist", [("row", [("clmc", name)]) for name in application.missing]),
        ("dylist", [("row", _sum(each)) for each in application.sums]),
    ]


def _sum(item: Sum) -> Fields:
    return [
        ("dyxh", item.serial),
        ("aaa036", item.kind),
        ("aae019", f"{Decimal(item.fen) / 100:.2f}"),
        ("sfje", item.account.get("sfje")),
        ("aae117", AAE117[item.state]),
        ("ztsj", _time(item.at)),
        ("thyy", item.reason),
    ]


def _opened(body: bytes) -> etree._Element | None:
    """The document in the argument; None if it cannot be read."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        envelope = etree.fromstring(body, parser)
        argument = envelope.findtext(f"{{{SOAP}}}Body/{{{SERVICE}}}callBusiness/inputXml", "")
        return etree.fromstring(argument.strip().encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _flat(node: etree._Element) -> dict[str, str]:
    return {str(part.tag): (part.text or "").strip() for part in node if len(part) == 0}


def _envelope(operation: str, argument: str, name: str, fields: Fields) -> bytes:
    root = etree.Element(name)
    _fill(root, fields)
    document = '<?xml version="1.0" encoding="UTF-8"?>' + etree.tostring(root, encoding="unicode")
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "ns2": SERVICE})
    call = etree.SubElement(etree.SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{SERVICE}}}{operation}")
    etree.SubElement(call, argument).text = cast(str, etree.CDATA(document))
    return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)


def _fill(parent: etree._Element, fields: Fields) -> None:
    for name, value in fields:
        node = etree.SubElement(parent, name)
        if isinstance(value, str):
            node.text = value
        elif value is not None:
            _fill(node, value)


def _fen(yuan: str) -> int:
    try:
        return int(Decimal(yuan) * 100)
    except (InvalidOperation, OverflowError, ValueError):
        return -1


def _time(seconds: float) -> str:
    """yyyy-MM-dd HH:mm:ss.SSS"""
    return datetime.fromtimestamp(seconds, CHINA).isoformat(" ", "milliseconds")[:23]


DEPARTMENT = SocialSecurity
