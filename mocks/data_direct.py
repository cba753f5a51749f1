"""The provincial data-direct system (省政务数据直达系统): one exchange hub, nine departments behind it.

Every message is ``{"header": {...}, "data": "<JSON text>"}``: source and target node, service, resource, SHA-256
digest of the data, HMAC-SHA256 over the header.  A resource takes the sections of its directory entry and no others.
Amounts are texts in yuan, times local to the millisecond.

Some departments' systems are run by a higher level (垂管).  Which, no document says; here they are the police and the
banks.  The hub has forwarded such an application and knows nothing more until the result flows back (数据回流): after
``BACK_FLOW_S``, or, when the clerk said ``hold``, when the clerk says ``flow``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web

from mocks.kit.office import CHINA, Application, Sum
from mocks.kit.server import Department, Failing

SECRET = b"demo"
BACK_FLOW_S = 0.5
MOST = 500
HUB, MODULE = "53ZD00", "53YJS01"
SIGNED_IN = ("requestId", "serviceCode", "sourceNode", "targetNode", "resourceCode", "timestamp", "digest")
SIGNED_OUT = ("requestId", "serviceCode", "code", "timestamp", "digest")

SYSTEM_ERROR = ("9999", "系统繁忙")
MALFORMED = ("1001", "报文格式错误")
WRONG_DIGEST = ("1002", "摘要不一致")
WRONG_SIGNATURE = ("1003", "签名校验失败")
UNKNOWN_NODE = ("1004", "目标节点不存在")
UNKNOWN_RESOURCE = ("1005", "服务编码或资源编码不存在")
NOT_PUBLISHED = ("1006", "目标节点未发布该资源")
TOO_MUCH = ("1007", "数据项超出资源目录")
NO_ID_NUMBER = ("1008", "逝者证件号码不能为空")
TOO_MANY = ("1009", "单次查询不得超过500笔")
UNKNOWN_SUM = ("2001", "资金记录不存在")
NOT_PAYABLE = ("2002", "金额不符或不可支付")

NODES = {
    "53MZ01": "民政",
    "53GA01": "公安",
    "53SF01": "司法",
    "53RS01": "人社",
    "53GJJ1": "住房公积金",
    "53WJ01": "卫生健康",
    "53SC01": "市场监管",
    "53YB01": "医保",
    "53JR01": "金融监管（银行）",
}
VERTICAL = ("53GA01", "53JR01")
DEATH_CERT, ABNORMAL_CERT, CREMATION, LICENCE = "ZY530101", "ZY530102", "ZY530201", "ZY530302"
WILL, PENSION_END, EQUITY, MEDICAL_END, DEPOSIT = "ZY530401", "ZY530501", "ZY530701", "ZY530801", "ZY530901"
DIRECTORY = {
    DEATH_CERT: ("53WJ01", "出具死亡证明（正常死亡）", "hjxx swxx swxq sqrxx"),
    ABNORMAL_CERT: ("53GA01", "出具死亡证明（非正常死亡）", "hjxx swxx swxq sqrxx"),
    CREMATION: ("53MZ01", "出具火化证明", "swxx sqrxx"),
    "ZY530301": ("53GA01", "死亡人员户口注销", "hjxx swxx sqrxx"),
    LICENCE: ("53GA01", "驾驶证注销", "swxx"),
    WILL: ("53SF01", "遗嘱公证信息核查", "swxx sqrxx"),
    PENSION_END: ("53RS01", "终止养老保险参保关系", "swxx"),
    "ZY530502": ("53RS01", "个人账户一次性待遇申领", "swxx sqrxx zhxx"),
    "ZY530503": ("53RS01", "遗属待遇申领", "swxx sqrxx zhxx"),
    "ZY530601": ("53GJJ1", "住房公积金提取（死亡）", "swxx sqrxx zhxx"),
    EQUITY: ("53SC01", "股权登记信息查询", "sqrxx"),
    MEDICAL_END: ("53YB01", "基本医疗保险停保", "swxx"),
    "ZY530802": ("53YB01", "职工医保个人账户一次性支取", "swxx sqrxx zhxx"),
    DEPOSIT: ("53JR01", "小额存款提取（继承人）", "swxx sqrxx"),
}
"""资源编码 → publishing node, name, sections it takes beside those of every message."""
EVERY = "ywlsh bllx bjbh sxmc xzqh tssj blsx bgcs bgsm szxx zzxx bdx yywlsh cxyy"

STATES = {"registered": "10", "accepted": "20", "returned": "30", "done": "90", "refused": "91", "none": "92"}
SUM_STATES = {"approved": "1", "instructed": "2", "paid": "3", "returned": "4"}
PAPERS = {
    DEATH_CERT: ("SW01", "YXZM", "医疗卫生机构"),
    ABNORMAL_CERT: ("SW02", "GAZM", "公安局"),
    CREMATION: ("BZ01", "HHZM", "殡仪馆"),
}


@dataclass(frozen=True)
class Person:
    """What the departments hold of a person; sums in fen, None where there is nothing."""

    licence: bool = True
    insured: bool = True
    will: str = "未查询到遗嘱公证信息"
    companies: tuple[tuple[str, str], ...] = ()
    pension_account: int | None = 2_386_450
    survivor: int | None = 1_260_000
    fund: int | None = 5_312_008
    medical_account: int | None = 187_620
    deposit: int | None = 968_031


SUMS = {
    "ZY530502": ("GRZH", "pension_account"),
    "ZY530503": ("YSDY", "survivor"),
    "ZY530601": ("GJJ", "fund"),
    "ZY530802": ("YBZH", "medical_account"),
    DEPOSIT: ("XECK", "deposit"),
}
REGISTER = {
    # 杨桂芳
    "530402195509099420": Person(
        will="有公证遗嘱", companies=(("玉溪红塔花卉有限公司", "30"), ("昆明滇池茶业有限公司", "12.5"))
    ),
    # 李春华: registered nowhere
    "530102194803122010": Person(False, False, "未查询到遗嘱公证信息", (), None, None, None, None, None),
    # 普玉林: drew more than the medical account held
    "532525193905073057": Person(licence=False, medical_account=-31_250),
}


class Refused(Exception):
    """A message answered with an error code."""


def signature(header: dict[str, Any], names: Sequence[str]) -> str:
    text = "\n".join(str(header[name]) for name in names)
    return hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()


def digest(data: str) -> str:
    return hashlib.sha256(data.encode()).hexdigest()


def time_of(moment: float) -> str:
    return datetime.fromtimestamp(moment, CHINA).strftime("%Y-%m-%d %H:%M:%S.%f")[:23]


class DataDirect(Department):
    code = "data-direct"
    title = "省政务数据直达系统"
    wire = "HTTP POST /zhida/exchange, JSON envelope with digest and signature; sends what flows back to a subscriber"
    items: ClassVar[dict[str, str]] = {code: f"{NODES[node]}·{name}" for code, (node, name, _) in DIRECTORY.items()}

    def __init__(self, data: Path, callback_url: str | None, callback_token: str | None) -> None:
        super().__init__(data, callback_url, callback_token)
        self._seen: dict[str, dict[str, Any]] = {}
        """What has flowed back of an application, if not all; after a restart, everything has."""
        self._changed: set[str] = set()
        self._held: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/zhida/exchange", self.exchange)]

    async def exchange(self, request: web.Request) -> web.Response:
        header: dict[str, Any] = {}
        answer: dict[str, Any] | None = None
        try:
            message = json.loads(await request.read())
            header, sent = message["header"], message["data"]
            if header["digest"] != digest(sent):
                raise Refused(WRONG_DIGEST)
            if not hmac.compare_digest(str(header["signature"]), signature(header, SIGNED_IN)):
                raise Refused(WRONG_SIGNATURE)
            answer = await self.perform(header, json.loads(sent))
            code, text = "0000", "成功"
        except Failing:
            code, text = SYSTEM_ERROR
        except Refused as error:
            code, text = error.args[0]
        except (ArithmeticError, ValueError, KeyError, TypeError, AttributeError):
            code, text = MALFORMED
        return web.json_response(self.sealed(header, answer, code, text))

    def sealed(self, asked: dict[str, Any], answer: dict[str, Any] | None, code: str, text: str) -> dict[str, Any]:
        data = "" if answer is None else json.dumps(answer, ensure_ascii=False)
        header = {
            "requestId": str(asked.get("requestId", "")),
            "serviceCode": str(asked.get("serviceCode", "")),
            "code": code,
            "message": text,
            "timestamp": datetime.now(CHINA).strftime("%Y%m%d%H%M%S%f")[:17],
            "digest": digest(data),
        }
        return {"header": {**header, "signature": signature(header, SIGNED_OUT)}, "data": data}

    async def perform(self, header: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
        service = header["serviceCode"]
        if header["sourceNode"] != MODULE or header["targetNode"] not in (*NODES, HUB):
            raise Refused(UNKNOWN_NODE)
        if service == "ZD1001":
            await self.called("submit")
            made = self.take(header["targetNode"], header["resourceCode"], sent)
            row = self.shown(made)
            self.answered()
            return {name: row[name] for name in ("ywlsh", "slbh", "ztdm")}
        if service == "ZD1002":
            await self.called("query")
            if len(sent["ywlshList"]) > MOST:
                raise Refused(TOO_MANY)
            rows = [self.shown(found) for found in self.office.find(sent["ywlshList"])]
            self.answered()
            return {"jgList": rows}
        if service == "ZD1003":
            await self.called("instruct")
            told = self.take_order(header["targetNode"], sent)
            self.answered()
            return {"zjbh": told.serial, "zjzt": SUM_STATES[told.state]}
        raise Refused(UNKNOWN_RESOURCE)

    def take(self, node: str, resource: str, sent: dict[str, Any]) -> Application:
        if resource not in DIRECTORY:
            raise Refused(UNKNOWN_RESOURCE)
        publisher, _, sections = DIRECTORY[resource]
        if publisher != node:
            raise Refused(NOT_PUBLISHED)
        if set(sent) - set(f"{EVERY} {sections}".split()):
            raise Refused(TOO_MUCH)
        if not sent["szxx"]["zjhm"] and resource not in PAPERS:
            raise Refused(NO_ID_NUMBER)
        if sent["bllx"] not in ("1", "2") or not sent["ywlsh"]:
            raise Refused(MALFORMED)
        before, turn = self.office.get(sent["ywlsh"]), int(sent["bgcs"])
        made = self.office.receive(sent["ywlsh"], resource, sent, turn)
        if self.vertical(made) and made.state == "registered" and (before is None or before.round < turn):
            self._seen[made.key] = {**self.row(made), "slbh": "", "ztdm": "00"}
        return made

    def take_order(self, node: str, order: dict[str, Any]) -> Sum:
        found = self.office.get(order["ywlsh"])
        item = next((s for s in found.sums if s.serial == order["zjbh"]), None) if found else None
        if found is None or item is None or item.kind != order["zjlb"] or DIRECTORY[found.item][0] != node:
            raise Refused(UNKNOWN_SUM)
        if item.kind == "XECK" or not 0 <= Decimal(order["je"]) * 100 <= item.fen:
            raise Refused(NOT_PAYABLE)
        # An order that comes twice must not send returned money to the wrong account again.
        if item.account.get("zlbh") == order["zlbh"]:
            return item
        account = {"zlbh": order["zlbh"], "je": order["je"], **order["zhxx"]}
        return self.office.instruct(found, item.serial, account) or item

    # ── the departments' desks ──────────────────────────────────────────────────────────────────────────────

    def person(self, application: Application) -> Person:
        return REGISTER.get(application.payload["szxx"]["zjhm"], Person())

    def undoes(self, application: Application) -> bool:
        return application.payload["bllx"] == "2"

    def nothing(self, application: Application) -> str | None:
        """Why there is nothing to do for this person, if so."""
        person = self.person(application)
        if application.item == LICENCE and not person.licence:
            return "未查询到机动车驾驶证"
        if application.item in (PENSION_END, MEDICAL_END) and not person.insured:
            return "未查询到参保信息"
        if application.item in SUMS and not getattr(person, SUMS[application.item][1]):
            return "未查询到可领取的款项"
        return None

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        """As every clerk; ``hold`` and ``flow`` say when the result of a vertically managed system flows back."""
        if action in ("hold", "flow"):
            if not self.vertical(application):
                raise ValueError("this department answers directly")
            if action == "hold":
                self._held.add(application.key)
            else:
                self._flow(application)
            return
        if self.vertical(application):
            self._seen.setdefault(application.key, self.row(application))
        reason = None if self.undoes(application) else self.nothing(application)
        if action == "finish" and reason and not options.get("sums"):
            action, options = "none", {"reason": reason}
        if action in ("pay", "return") and any(item.fen < 0 for item in application.sums):
            raise ValueError("a negative settlement is neither paid nor returned")
        super().act(application, action, options)
        if action == "finish" and application.item == DEPOSIT:
            for item in application.sums:  # the bank pays the heir itself
                self.office.instruct(application, item.serial, {"hm": "继承人"})

    def complete(self, application: Application) -> None:
        if self.undoes(application):
            original = self.office.get(application.payload["yywlsh"])
            if original is not None:
                original.payload["revoked"] = application.key
                self.office.save(original)
                self.office.restore(original.key)
            return
        person = self.person(application)
        if application.item in PAPERS:
            kind, mark, issuer = PAPERS[application.item]
            area = application.payload["xzqh"][:6]
            application.certificate = {
                "zzlx": kind,
                "zzbh": f"{mark}{area}{application.reference}",
                "bfsj": time_of(self.office.now()),
                "bfjg": issuer,
            }
        elif application.item == WILL:
            application.details.setdefault("yzgz", person.will)
        elif application.item == EQUITY:
            application.details.setdefault("gqdj", "；".join(f"{name} {share}" for name, share in person.companies))
        elif application.item in (PENSION_END, MEDICAL_END):
            died = application.payload.get("swxx", {}).get("swsj") or time_of(self.office.now())
            month = int(died[:4]) * 12 + int(died[5:7])
            application.details["zzny"] = f"{month // 12}{month % 12 + 1:02}"

    def approve(self, application: Application) -> list[tuple[str, int]]:
        if self.undoes(application) or application.item not in SUMS:
            return []
        kind, name = SUMS[application.item]
        return [(kind, getattr(self.person(application), name))]

    # ── what the hub shows, and when ────────────────────────────────────────────────────────────────────────

    def vertical(self, application: Application) -> bool:
        return DIRECTORY[application.item][0] in VERTICAL

    def shown(self, application: Application) -> dict[str, Any]:
        """What the hub knows: of a vertically managed system, what has flowed back."""
        return self._seen.get(application.key) or self.row(application)

    def tell(self, application: Application) -> None:
        """A direct answer is known at once; what happens in a vertically managed system is told when it flows back."""
        if self.vertical(application):
            self._changed.add(application.key)
        else:
            super().tell(application)

    async def housekeeping(self) -> None:
        for found in self.office.find(list(self._changed - self._held)):
            if self.office.now() - found.updated_at >= BACK_FLOW_S:
                self._flow(found)

    def _flow(self, application: Application) -> None:
        self._held.discard(application.key)
        self._changed.discard(application.key)
        self._seen.pop(application.key, None)
        super().tell(application)

    def row(self, application: Application) -> dict[str, Any]:
        return {
            "ywlsh": application.key,
            "slbh": application.reference,
            "zybm": application.item,
            "ztdm": STATES[application.state],
            "gxsj": time_of(application.updated_at),
            "ly": "2" if self.vertical(application) else "1",
            "yj": application.note,
            "bzcl": application.missing,
            "zzxx": [application.certificate] if application.certificate else [],
            "zjxx": [
                {
                    "zjbh": item.serial,
                    "zjlb": item.kind,
                    "je": f"{Decimal(item.fen) / 100:.2f}",
                    "zjzt": SUM_STATES[item.state],
                    "gxsj": time_of(item.at),
                    "sm": item.reason,
                }
                for item in application.sums
            ],
            "jgxx": _result(application.details),
        }

    def message(self, application: Application, serial: str) -> tuple[bytes, str, str] | None:
        data = json.dumps({"jgList": [self.row(application)]}, ensure_ascii=False)
        header = {
            "requestId": serial,
            "serviceCode": "ZD2001",
            "sourceNode": DIRECTORY[application.item][0],
            "targetNode": MODULE,
            "resourceCode": application.item,
            "timestamp": datetime.now(CHINA).strftime("%Y%m%d%H%M%S%f")[:17],
            "digest": digest(data),
        }
        header["signature"] = signature(header, SIGNED_IN)
        body = json.dumps({"header": header, "data": data}, ensure_ascii=False).encode()
        return body, "application/json;charset=UTF-8", ""


def _result(details: dict[str, str]) -> dict[str, Any]:
    """``gqdj`` is kept as ``name share；name share``: a clerk can write it so, too."""
    shown: dict[str, Any] = dict(details)
    if "gqdj" in details:
        rows = [row.partition(" ") for row in details["gqdj"].split("；") if row]
        shown["gqdj"] = [{"qymc": name, "czbl": share} for name, _, share in rows]
    return shown


DEPARTMENT = DataDirect
