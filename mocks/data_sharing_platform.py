"""A city's data-sharing platform (政务数据资源共享平台): a resource directory over SOAP, with a token.

It holds two resources: 死亡信息, from health and police, and 火化信息, which the funeral homes enter in the province's
funeral management information system (殡葬管理信息系统) and which comes from there.  Both are put in at the counter,
one record per person, whose ID number is the key:

    … clerk data-sharing-platform cremation 330302194504049371 --set name=陈阿宝 --set at=2019-11-21T09:30:00
    … clerk data-sharing-platform death 330302194504049371 --set name=陈阿宝 --set kind=1
    … clerk data-sharing-platform void 330302194504049371 --set number=HH330302201911219371
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web
from lxml import etree

from mocks.kit.office import CHINA, Application, Office
from mocks.kit.server import Department, Failing

APPS = {"ZRYJS": "demo"}
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = "http://dsp.wenzhou.gov.cn/resource"
DEATHS, CREMATIONS = "R3303-SWXX", "R3303-HHXX"
MOST = 200
TOKEN_LIFE = timedelta(hours=2)
ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]|[0-9]{15}|[A-Z][0-9]{8}")
MESSAGES = {
    "200": "成功",
    "400": "请求格式错误",
    "401": "令牌失效",
    "404": "资源不存在",
    "411": "应用签名错误",
    "413": "单次查询不得超过200人",
    "500": "系统异常",
}


class Refused(Exception):
    """Answered with a code."""


class Register(Office):
    """One record per person.  A person of whom nothing was entered has an empty one, which is not kept."""

    def get(self, key: str) -> Application | None:
        found = super().get(key)
        if found is None and ID_NUMBER.fullmatch(key):
            empty: dict[str, Any] = {DEATHS: [], CREMATIONS: []}
            return Application(key=key, item="", payload=empty, reference=key, state="done")
        return found


class DataSharingPlatform(Department):
    code = "data-sharing-platform"
    title = "政务数据资源共享平台"
    wire = "SOAP 1.1, POST /dsp/services/ResourceService, token in the header; must be asked"
    items: ClassVar[dict[str, str]] = {"": "死亡信息、火化信息"}

    def __init__(self, data: Path, callback_url: str | None, callback_token: str | None) -> None:
        super().__init__(data, callback_url, callback_token)
        self.office = Register(self.code, data)
        self._tokens: dict[str, datetime] = {}

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/dsp/services/ResourceService", self.service)]

    async def service(self, request: web.Request) -> web.Response:
        envelope = _parsed(await request.read())
        call = None if envelope is None else next(iter(envelope.iterfind(f"{{{SOAP}}}Body/*")), None)
        operation = etree.QName(call).localname if call is not None else "unknown"
        parts: list[etree._Element] = []
        try:
            if envelope is None or call is None or operation not in ("getToken", "query"):
                raise Refused("400")
            await self.called("token" if operation == "getToken" else "query")
            parts = self.give_token(call) if operation == "getToken" else self.look_up(envelope, call)
            code = "200"
        except Failing:
            code = "500"
        except Refused as refusal:
            code = str(refusal)
        else:
            self.answered()
        return web.Response(body=_answer(operation, code, parts), content_type="text/xml", charset="utf-8")

    def give_token(self, call: etree._Element) -> list[etree._Element]:
        key, stamp = call.findtext("appKey", ""), call.findtext("timestamp", "")
        expected = hashlib.sha256(f"{key}{stamp}{APPS.get(key, '')}".encode()).hexdigest()
        if key not in APPS or not hmac.compare_digest(call.findtext("sign", ""), expected):
            raise Refused("411")
        token = secrets.token_hex(16)
        self._tokens[token] = datetime.now(CHINA) + TOKEN_LIFE
        return [_node("token", token), _node("expiresIn", str(int(TOKEN_LIFE.total_seconds())))]

    def look_up(self, envelope: etree._Element, call: etree._Element) -> list[etree._Element]:
        token = envelope.findtext(f"{{{SOAP}}}Header/{{{SERVICE}}}token", "")
        if self._tokens.get(token, datetime.min.replace(tzinfo=CHINA)) < datetime.now(CHINA):
            raise Refused("401")
        numbers = [node.text or "" for node in call.findall("SFZHM")]
        resources = [node.text or "" for node in call.findall("resource")]
        if len(numbers) > MOST:
            raise Refused("413")
        if not set(resources) <= {DEATHS, CREMATIONS}:
            raise Refused("404")
        held = self.office.find(numbers)
        return [_dataset(name, [row for person in held for row in person.payload[name]]) for name in resources]

    # ── what is entered ─────────────────────────────────────────────────────────────────────────────────────

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        """``death`` and ``cremation`` enter a row, ``void`` marks the rows with a number as void (作废)."""
        if action not in ("death", "cremation", "void"):
            raise ValueError(f"no such act: {action}")
        said = {name: str(value) for name, value in options.items() if isinstance(value, str | int)}
        if action == "void":
            for row in (*application.payload[DEATHS], *application.payload[CREMATIONS]):
                if said.get("number") in (row.get("ZMBH"), row.get("HHZBH")):
                    row["SJZT"] = "0"
        else:
            resource, row = (
                (DEATHS, _death(application.key, said))
                if action == "death"
                else (CREMATIONS, _cremation(application.key, said))
            )
            application.payload[resource].append(row)
        self.office.save(application)

    def step(self) -> None:
        """Nobody works here; what is entered is there."""


def _death(number: str, said: dict[str, str]) -> dict[str, str]:
    died = _at(said.get("at"))
    issued = _at(said.get("issued_at")) if "issued_at" in said else died
    area = said.get("area", "330302")
    return {
        "SFZHM": number,
        "XM": said.get("name", ""),
        "XBDM": said.get("sex") or (str(2 - int(number[16]) % 2) if len(number) == 18 else "0"),
        "CSRQ": f"{number[6:10]}-{number[10:12]}-{number[12:14]}" if len(number) == 18 else "",
        "HJQH": said.get("hukou", number[:6] if number[0].isdigit() else ""),
        "SWSJ": f"{died:%Y-%m-%d %H:%M:%S}",
        "SWQH": area,
        "ZMLX": said.get("kind", "1"),
        "ZMBH": said.get("number") or f"SW{area}{died:%Y%m%d}{number[-4:]}",
        "QFSJ": f"{issued:%Y-%m-%d %H:%M:%S}",
        "QFJG": said.get("issuer", "社区卫生服务中心"),
        "SJZT": "1",
    }


def _cremation(number: str, said: dict[str, str]) -> dict[str, str]:
    """录入火化信息."""
    burnt, area = _at(said.get("at")), said.get("area", "330302")
    return {
        "SFZHM": number,
        "XM": said.get("name", ""),
        "HHSJ": f"{burnt:%Y%m%d%H%M%S}",
        "HHZBH": said.get("number") or f"HH{area}{burnt:%Y%m%d}{number[-4:]}",
        "BYGMC": said.get("home", "温州市殡仪馆"),
        "BYGQH": area,
        "SJLY": "浙江省民政厅殡葬管理信息系统",
        "SJZT": "1",
    }


def _at(text: str | None) -> datetime:
    """A local time; now, if none is given.  Raises ValueError."""
    return datetime.fromisoformat(text).replace(tzinfo=CHINA) if text else datetime.now(CHINA)


def _dataset(resource: str, rows: list[dict[str, str]]) -> etree._Element:
    node = etree.Element("dataset", resource=resource, total=str(len(rows)))
    for row in rows:
        shown = etree.SubElement(node, "row")
        for name, value in row.items():
            etree.SubElement(shown, name).text = value
    return node


def _answer(operation: str, code: str, parts: list[etree._Element]) -> bytes:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "dsp": SERVICE})
    response = etree.SubElement(etree.SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{SERVICE}}}{operation}Response")
    response.extend([_node("code", code), _node("msg", MESSAGES[code]), *parts])
    return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)


def _node(name: str, text: str) -> etree._Element:
    node = etree.Element(name)
    node.text = text
    return node


def _parsed(body: bytes) -> etree._Element | None:
    try:
        return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return None


DEPARTMENT = DataSharingPlatform
