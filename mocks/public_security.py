"""公安局人口与死亡业务系统: SOAP 1.1, XML in GB18030, fields in pinyin initials, two-digit codes.

``sbYw`` files one business, ``cxYw`` looks up many by the sender's serial; results go out as ``jgTz``.

BZCS counts corrections (BZSM says why); a reversal has CZLX 2, the original's YWBLSH and CXYY.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, cast

from aiohttp import web
from lxml import etree

from mocks.kit.office import CHINA, Application
from mocks.kit.server import Department, Failing

CONTENT_TYPE = "text/xml"
CHARSET = "GB18030"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = "http://www.mps.gov.cn/swyw/service"
OPERATIONS = {"sbYw": "submit", "cxYw": "query"}

SLZT = {
    "registered": ("01", "已登记"),
    "accepted": ("02", "已受理"),
    "returned": ("03", "退回补正"),
    "done": ("04", "已办结"),
    "refused": ("05", "不予办理"),
    "none": ("09", "查无登记"),
}
FHM = {
    "00": "成功",
    "11": "缺少必填项",
    "12": "业务代码不存在",
    "13": "报文格式错误",
    "21": "未提供公民身份号码，不能办理",
    "99": "系统异常，请稍后重试",
}
HUKOU, ABNORMAL, LICENCE = "0101", "0102", "0203"

# 常住人口 as this bureau knows them; HJ 户籍 and JSZ 驾驶证: "" means that it has looked and there is none.
REGISTER: dict[str, dict[str, str]] = {
    "330502193910109559": {"XM": "沈福根", "HJ": "月河派出所", "JSZ": "330500001287"},
    "330502194503124115": {"XM": "潘水荣", "HJ": "爱山派出所", "JSZ": ""},
    "330521193801154077": {"XM": "姚金土", "HJ": "", "JSZ": ""},
    "330502197109052168": {"XM": "钱雅芬", "HJ": "飞英派出所", "JSZ": "330500044310"},
}

Fields = Sequence[tuple[str, "str | Fields | None"]]


class Refused(Exception):
    """Answered with a reply code (FHM)."""


class PublicSecurity(Department):
    code = "public-security"
    title = "公安局人口与死亡业务系统"
    wire = "SOAP 1.1, POST /ws/swywService, XML in GB18030"
    items: ClassVar[dict[str, str]] = {
        HUKOU: "死亡人员户口注销",
        ABNORMAL: "出具非正常死亡证明",
        LICENCE: "机动车驾驶证注销",
    }

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/ws/swywService", self._service)]

    async def _service(self, request: web.Request) -> web.Response:
        call = _opened(await request.read())
        if call is None:
            return _answered(_envelope(f"{{{SOAP}}}Fault", [("faultcode", "soap:Client"), ("faultstring", FHM["13"])]))
        operation = etree.QName(call).localname
        try:
            await self.called(OPERATIONS[operation])
            answer = self._filed(call) if operation == "sbYw" else self._looked_up(call)
        except Refused as refusal:
            answer = [("FHM", str(refusal)), ("FHXX", FHM[str(refusal)])]
        except Failing:
            answer = [("FHM", "99"), ("FHXX", FHM["99"])]
        else:
            self.answered()
        return _answered(_envelope(f"{{{SERVICE}}}{operation}Response", answer))

    def _filed(self, call: etree._Element) -> Fields:
        sent = _payload(call)
        if not sent.get("BZCS", "0").isdecimal():
            raise Refused("13")
        if not sent.get("WBLSH") or not sent.get("XB") or not sent.get("SBSJ"):
            raise Refused("11")
        business = sent.get("YWDM", "")
        if business not in self.items:
            raise Refused("12")
        unnamed = business == ABNORMAL and sent.get("WMSBZ") == "1"
        if not unnamed and not sent.get("XM"):
            raise Refused("11")
        if business == HUKOU and not sent.get("GMSFHM"):
            raise Refused("21")
        if business == LICENCE and not (sent.get("GMSFHM") or sent.get("ZJHM")):
            raise Refused("21")
        undoes = sent.get("YWBLSH", "") if sent.get("CZLX") == "2" else ""
        filed = self.office.receive(sent["WBLSH"], business, sent, int(sent.get("BZCS", "0")), undoes)
        code, wording = SLZT[filed.state]
        return [
            ("FHM", "00"),
            ("FHXX", FHM["00"]),
            ("SLBH", filed.reference),
            ("SLZT", code),
            ("SLZTMC", wording),
            ("SLSJ", _time(filed.created_at)),
        ]

    def _looked_up(self, call: etree._Element) -> Fields:
        serials = [node.text.strip() for node in call.findall("CXTJ/WBLSH") if node.text]
        found = self.office.find(serials)
        return [("FHM", "00"), ("FHXX", FHM["00"]), ("YWLB", [("YW", _shown(each)) for each in found])]

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        """Before accepting, the officer looks the person up; nothing registered ends the matter there."""
        known = REGISTER.get(application.payload.get("GMSFHM", ""), {})
        column = {HUKOU: "HJ", LICENCE: "JSZ"}.get(application.item, "")
        if action in ("accept", "finish") and known.get(column) == "":
            wording = "查无户籍登记" if application.item == HUKOU else "查无机动车驾驶证登记"
            action, options = "none", {"reason": wording}
        super().act(application, action, options)

    def complete(self, application: Application) -> None:
        if application.item == LICENCE:
            return
        area = application.payload.get("XZQH") or "330500"
        mark, kind = ("HX", "11") if application.item == HUKOU else ("FZ", "12")
        application.certificate = {
            "ZZLX": kind,
            "number": f"{mark}{area[:6]}{application.reference}",
            "issued_at": str(self.office.now()),
            "QFJG": application.payload.get("SSPCS") or "公安局户籍窗口",
        }

    def message(self, application: Application, serial: str) -> tuple[bytes, str, str] | None:
        fields: Fields = [
            ("XXBH", serial),
            ("TZSJ", _time(self.office.now())),
            ("YW", _shown(application)),
        ]
        return _envelope(f"{{{SERVICE}}}jgTz", fields), f"{CONTENT_TYPE}; charset={CHARSET}", ""


def _shown(application: Application) -> Fields:
    code, wording = SLZT[application.state]
    fields: list[tuple[str, str | Fields | None]] = [
        ("WBLSH", application.key),
        ("YWDM", application.item),
        ("SLBH", application.reference),
        ("SLZT", code),
        ("SLZTMC", wording),
        ("YYSM", application.note),
        ("GXSJ", _time(application.updated_at, milliseconds=True)),
    ]
    if application.missing:
        fields.append(("BZCL", [("CLMC", name) for name in application.missing]))
    if application.state == "done" and application.certificate:
        certificate = application.certificate
        fields.append(
            (
                "DZZZ",
                [
                    ("ZZLX", certificate["ZZLX"]),
                    ("ZZBH", certificate["number"]),
                    ("QFSJ", _time(float(certificate["issued_at"]))),
                    ("QFJG", certificate["QFJG"]),
                ],
            )
        )
    return fields


def _opened(body: bytes) -> etree._Element | None:
    """The operation in the envelope; None for anything but SOAP in GB18030 with a known operation."""
    try:
        envelope = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return None
    calls = [envelope.find(f"{{{SOAP}}}Body/{{{SERVICE}}}{name}") for name in OPERATIONS]
    encoding = envelope.getroottree().docinfo.encoding or ""
    return next((call for call in calls if call is not None), None) if encoding.upper() == CHARSET else None


def _payload(call: etree._Element) -> dict[str, Any]:
    """Fields as sent; CLLB as a list of materials."""
    flat: dict[str, Any] = {str(node.tag): (node.text or "").strip() for node in call if len(node) == 0}
    flat["CLLB"] = [{str(part.tag): part.text or "" for part in node} for node in call.findall("CLLB/CL")]
    return flat


def _answered(body: bytes) -> web.Response:
    return web.Response(body=body, content_type=CONTENT_TYPE, charset=CHARSET)


def _envelope(name: str, fields: Fields) -> bytes:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "ns1": SERVICE})
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    _fill(etree.SubElement(body, name), fields)
    return cast(bytes, etree.tostring(envelope, encoding=CHARSET, xml_declaration=True))


def _fill(parent: etree._Element, fields: Fields) -> None:
    for name, value in fields:
        node = etree.SubElement(parent, name)
        if isinstance(value, str):
            node.text = value
        elif value is not None:
            _fill(node, value)


def _time(seconds: float, milliseconds: bool = False) -> str:
    """yyyyMMddHHmmss, with SSS for the last change."""
    moment = datetime.fromtimestamp(seconds, CHINA)
    return moment.strftime("%Y%m%d%H%M%S") + (f"{moment.microsecond // 1000:03d}" if milliseconds else "")


DEPARTMENT = PublicSecurity
