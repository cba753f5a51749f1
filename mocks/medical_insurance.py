"""The medical-insurance information platform (医疗保障信息平台): one address, the transaction number in ``infno``.

A message is ``{"infno": "2505", "msgid": ..., "input": {...}}``, its answer ``{"infcode": 0, "err_msg": "",
"output": {...}}``; a negative ``infcode`` is an error, inside HTTP 200.  Amounts are JSON numbers in yuan with two
decimals, times are milliseconds since the epoch.  The header ``X-Sign`` is the HMAC-SHA256 of the body, in hex.

``rpt_cnt`` counts corrections (``memo`` says why); a reversal has ``oprt_type`` 2, the original's ``init_matn_sn`` and
``undo_rea``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from aiohttp import web

from mocks.kit.office import CHINA, Application, Sum
from mocks.kit.server import Department, Failing

SECRET = b"demo"
SYSTEM_ERROR = (-1, "系统处理异常")
UNKNOWN_BUSINESS = (-2, "事项类型编码有误")
NO_ID_NUMBER = (-3, "证件号码不能为空")
MALFORMED = (-4, "报文解析失败")
WRONG_SIGNATURE = (-5, "签名验证失败")
UNKNOWN_NUMBER = (-6, "交易编号不存在")
UNKNOWN_SUM = (-7, "支付流水不存在")
NOT_PAYABLE = (-8, "金额不符或不可支付")
TOO_MANY = (-9, "查询笔数超过500")

MOST = 500
SETTLEMENT, REIMBURSEMENT = "QS01", "BX01"
OUTPATIENT, DRUG = "TZ02", "TZ03"
STATES = {"registered": "0", "accepted": "1", "returned": "2", "done": "3", "refused": "4", "none": "5"}
SUM_STATES = {"approved": "10", "instructed": "20", "paid": "30", "returned": "40"}
BALANCE, EXPENSES = "GRZH", "YLFY"


@dataclass(frozen=True)
class Insured:
    """One insured person; amounts in fen, None where there is no account or no open bill."""

    insutype: str = "310"
    balance: int | None = 120_345
    expenses: int | None = 86_012
    special_disease: bool = True
    special_drug: bool = True


REGISTER: dict[str, Insured | None] = {
    "330502193910109559": Insured(),  # 沈福根
    "330502194503081717": Insured(balance=-31_250, special_drug=False),  # 顾水林: drew more than he had
    "330502193809211516": Insured(balance=0, expenses=None),  # 姚金林: nothing left
    "330502195206171825": Insured("390", None, None, False, False),  # 严巧珍: resident insurance, no account
    "330521194701120026": None,  # 施阿妹: not insured here
}


class Refused(Exception):
    """A message answered with a negative ``infcode``."""


def written(message: dict[str, Any]) -> bytes:
    """JSON; texts made by ``yuan`` become numbers with two decimals."""
    return re.sub(r'"¥(-?\d+\.\d\d)"', r"\1", json.dumps(message, ensure_ascii=False)).encode()


def yuan(fen: int) -> str:
    return f"¥{Decimal(fen) / 100:.2f}"


def millis(moment: float) -> int:
    return int(moment * 1000)


class MedicalInsurance(Department):
    code = "medical-insurance"
    title = "医疗保障局 医疗保障信息平台"
    wire = "HTTP POST /fsi/api, JSON with infno and infcode, HMAC-SHA256 signature; sends results to a subscriber"
    items: ClassVar[dict[str, str]] = {
        SETTLEMENT: "职工医保个人账户清算",
        REIMBURSEMENT: "医疗费用报销",
        "TZ01": "个人账户划拨终止",
        OUTPATIENT: "特殊病种门诊待遇终止",
        DRUG: "特殊药品待遇终止",
        "TZ04": "医保待遇、医疗救助待遇终止",
        "ZX01": "基本医疗保险停保",
        "ZX02": "医疗（生育）保险参保关系注销",
        "ZX03": "终止医保待遇并注销参保关系",
    }

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/fsi/api", self.api)]

    async def api(self, request: web.Request) -> web.Response:
        body = await request.read()
        output: dict[str, Any] = {}
        msgid = ""
        try:
            signature = request.headers.get("X-Sign")
            expected = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
            if signature is not None and not hmac.compare_digest(signature, expected):
                raise Refused(WRONG_SIGNATURE)
            message = json.loads(body, parse_float=Decimal)
            msgid = str(message["msgid"])
            output = await self.perform(message["infno"], message["input"])
            code, text = 0, ""
        except Failing:
            code, text = SYSTEM_ERROR
        except Refused as error:
            code, text = error.args[0]
        except (ArithmeticError, ValueError, KeyError, TypeError, AttributeError):
            code, text = MALFORMED
        answer = {
            "infcode": code,
            "inf_refmsgid": msgid,
            "respond_time": millis(self.office.now()),
            "err_msg": text,
            "output": output,
        }
        return web.Response(body=written(answer), content_type="application/json", charset="utf-8")

    async def perform(self, number: str, given: dict[str, Any]) -> dict[str, Any]:
        if number == "2505":
            await self.called("submit")
            matter = given["matn"]
            if matter["matn_type"] not in self.items:
                raise Refused(UNKNOWN_BUSINESS)
            if not given["psninfo"].get("certno"):
                raise Refused(NO_ID_NUMBER)
            undoes = str(matter.get("init_matn_sn", "")) if matter.get("oprt_type") == "2" else ""
            made = self.office.receive(str(matter["matn_sn"]), matter["matn_type"], given, matter["rpt_cnt"], undoes)
            self.answered()
            return {"matn_sn": made.key, "acp_no": made.reference, "matn_stas": STATES[made.state]}
        if number == "5205":
            await self.called("query")
            if len(given["matn_sns"]) > MOST:
                raise Refused(TOO_MANY)
            rows = [self.row(a) for a in self.office.find(given["matn_sns"])]
            self.answered()
            return {"matns": rows}
        if number == "2506":
            await self.called("instruct")
            paid = self.take_order(given["payord"])
            self.answered()
            return {"pay_sn": paid.serial, "pay_stas": SUM_STATES[paid.state]}
        raise Refused(UNKNOWN_NUMBER)

    def take_order(self, order: dict[str, Any]) -> Sum:
        found = self.office.get(str(order["matn_sn"]))
        item = next((s for s in found.sums if s.serial == order["pay_sn"]), None) if found else None
        if found is None or item is None:
            raise Refused(UNKNOWN_SUM)
        if not 0 <= Decimal(order["pay_amt"]) * 100 <= item.fen:
            raise Refused(NOT_PAYABLE)
        # An order that comes twice must not send returned money to the wrong account again.
        if item.account.get("ord_sn") == order["ord_sn"]:
            return item
        account = {name: str(order[name]) for name in ("ord_sn", "acct_name", "acct_no", "bank_name", "pay_amt")}
        return self.office.instruct(found, item.serial, account) or item

    # ── the desk ────────────────────────────────────────────────────────────────────────────────────────────

    def insured(self, application: Application) -> Insured | None:
        return REGISTER.get(application.payload["psninfo"]["certno"], Insured())

    def nothing(self, application: Application) -> str | None:
        """Why there is nothing to do for this person, if so."""
        person = self.insured(application)
        if person is None:
            return "未查询到参保信息"
        reasons = {
            SETTLEMENT: "无职工医保个人账户" if person.balance is None else None,
            REIMBURSEMENT: "无未报销医疗费用" if person.expenses is None else None,
            OUTPATIENT: None if person.special_disease else "未享受特殊病种门诊待遇",
            DRUG: None if person.special_drug else "未享受特殊药品待遇",
        }
        return reasons.get(application.item)

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        reason = self.nothing(application)
        if action == "finish" and reason and not options.get("sums"):
            action, options = "none", {"reason": reason}
        if action in ("pay", "return") and any(item.fen < 0 for item in application.sums):
            raise ValueError("a negative settlement is neither paid nor returned")
        super().act(application, action, options)

    def complete(self, application: Application) -> None:
        """Stops take effect in the month after the death."""
        person = self.insured(application) or Insured()
        application.details["insutype"] = person.insutype
        if application.item not in (SETTLEMENT, REIMBURSEMENT):
            died = application.payload["psninfo"].get("dth_time")
            day = datetime.fromtimestamp(died / 1000 if died else self.office.now(), CHINA)
            month = day.year * 12 + day.month
            application.details["end_ym"] = f"{month // 12}{month % 12 + 1:02}"

    def approve(self, application: Application) -> list[tuple[str, int]]:
        person = self.insured(application)
        if person is not None and application.item == SETTLEMENT and person.balance:
            return [(BALANCE, person.balance)]
        if person is not None and application.item == REIMBURSEMENT and person.expenses:
            return [(EXPENSES, person.expenses)]
        return []

    # ── what it shows ───────────────────────────────────────────────────────────────────────────────────────

    def row(self, application: Application) -> dict[str, Any]:
        return {
            "matn_sn": application.key,
            "acp_no": application.reference,
            "matn_type": application.item,
            "matn_stas": STATES[application.state],
            "updt_time": millis(application.updated_at),
            "memo": application.note,
            "mtrl": application.missing,
            "pays": [
                {
                    "pay_sn": item.serial,
                    "pay_type": item.kind,
                    "pay_amt": yuan(item.fen),
                    "pay_stas": SUM_STATES[item.state],
                    "opt_time": millis(item.at),
                    "memo": item.reason,
                }
                for item in application.sums
            ],
            **application.details,
        }

    def message(self, application: Application, serial: str) -> tuple[bytes, str, str] | None:
        made = {"infno": "9101", "msgid": serial, "input": {"matns": [self.row(application)]}}
        return written(made), "application/json;charset=utf-8", ""


DEPARTMENT = MedicalInsurance
