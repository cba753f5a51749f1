"""The funeral information system of a civil affairs bureau (殡葬管理信息系统): resources over HTTP, JSON.

Every answer is HTTP 200 with ``{"code": 0, "message": "ok", "data": {...}}``; a code other than 0 is an error.
Status and type codes are numbers.  Times are local without zone, ``2025-11-09T10:20:00``; money is a text in yuan.

``resubmit_count`` counts corrections (``resubmit_note`` says why); a reversal has ``revocation`` with the original's
``origin_no`` and ``reason``.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from aiohttp import web

from mocks.kit.office import CHINA, Application, Sum
from mocks.kit.server import Department, Failing

MALFORMED = (40001, "参数错误")
UNKNOWN_BUSINESS = (40002, "业务类型不存在")
NO_ID_NUMBER = (40003, "逝者证件号码必填")
TOO_MANY = (40004, "单次查询超过500条")
UNKNOWN_GRANT = (40401, "奖补记录不存在")
NOT_PAYABLE = (40901, "奖补金额不符或不可支付")
SYSTEM_ERROR = (50000, "系统异常")

FUNERAL_SERVICE, CREMATION_CERT, CREMATION_RECORD, PICKUP = "2101", "2102", "2103", "2104"
ECO_REWARD, FEE_RELIEF, SPECIAL_GROUP = "2201", "2202", "2301"
FOR_UNIDENTIFIED = (FUNERAL_SERVICE, CREMATION_CERT, PICKUP)
"""Business a body of unknown identity (无名遗体) can have."""

MOST = 500
REWARD = 71
STATUS = {"registered": 10, "accepted": 20, "returned": 21, "done": 30, "refused": 40, "none": 41}
GRANT_STATES = {"approved": 1, "instructed": 2, "paid": 3, "returned": 4}
HOME = "湖州市殡仪馆"
VEHICLES = ("浙E·3B610", "浙E·3B622", "浙E·3B637")
BASIC_SERVICES = ("遗体接运", "遗体存放(3日)", "遗体火化", "骨灰寄存(1年)")


@dataclass(frozen=True)
class Resident:
    """What the bureau holds of a person: reward for an ecological burial in fen, relief, group."""

    reward: int | None = 100_000
    relief: tuple[str, ...] | None = BASIC_SERVICES
    group: str | None = "特困人员"


REGISTER = {
    "330502193910109559": Resident(reward=200_000),  # 沈福根: tree burial
    "330502194503081717": Resident(reward=500_000, relief=None, group=None),  # 顾水林: burial at sea
    "330502195206171825": Resident(reward=None, relief=("遗体火化",), group="低保对象"),  # 严巧珍
    "330521194701120026": Resident(reward=None, relief=None, group=None),  # 施阿妹: nothing registered
}


class Refused(Exception):
    """A request answered with an error code."""


def text(moment: float | datetime) -> str:
    """Local time without zone, to the second."""
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, CHINA)
    return moment.astimezone(CHINA).replace(tzinfo=None).isoformat(timespec="seconds")


class CivilAffairs(Department):
    code = "civil-affairs"
    title = "民政局 殡葬管理信息系统"
    wire = "HTTP resources below /api/v1, JSON, snake_case, numeric codes, UTF-8; sends results to a subscriber"
    items: ClassVar[dict[str, str]] = {
        FUNERAL_SERVICE: "殡仪服务预约",
        CREMATION_CERT: "火化证明出具",
        CREMATION_RECORD: "火化信息录入",
        PICKUP: "遗体接运通知",
        ECO_REWARD: "节地生态安葬奖补",
        FEE_RELIEF: "基本殡葬服务费用减免",
        SPECIAL_GROUP: "特殊人群待遇处理",
    }

    def routes(self) -> list[web.RouteDef]:
        return [
            web.put("/api/v1/applications/{no}", self.answering(self.put_application)),
            web.get("/api/v1/applications/{no}", self.answering(self.get_application)),
            web.post("/api/v1/applications/search", self.answering(self.search)),
            web.put("/api/v1/applications/{no}/grants/{grant}/account", self.answering(self.put_account)),
        ]

    def answering(
        self, work: Callable[[web.Request], Awaitable[dict[str, Any]]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            data: dict[str, Any] | None = None
            try:
                data = await work(request)
                code, message = 0, "ok"
            except Failing:
                code, message = SYSTEM_ERROR
            except Refused as error:
                code, message = error.args[0]
            except (ValueError, KeyError, TypeError, AttributeError):
                code, message = MALFORMED
            return web.json_response({"code": code, "message": message, "data": data})

        return answer

    async def put_application(self, request: web.Request) -> dict[str, Any]:
        await self.called("submit")
        sent = await request.json()
        business = str(sent["biz_type"])
        if business not in self.items:
            raise Refused(UNKNOWN_BUSINESS)
        decedent = sent["decedent"]
        origin = sent.get("revocation", {}).get("origin_no", "")
        nameless = decedent.get("unidentified") is True and (business in FOR_UNIDENTIFIED or origin)
        if not decedent.get("id_no") and not nameless:
            raise Refused(NO_ID_NUMBER)
        if wanted := sent.get("service", {}).get("pickup_time"):
            datetime.strptime(wanted, "%Y-%m-%dT%H:%M:%S")
        turn = int(sent.get("resubmit_count", 0))
        made = self.office.receive(request.match_info["no"], business, sent, turn, origin)
        self.answered()
        return self.shown(made)

    async def get_application(self, request: web.Request) -> dict[str, Any]:
        await self.called("query")
        found = self.office.find([request.match_info["no"]])
        self.answered()
        return self.shown(found[0]) if found else {}

    async def search(self, request: web.Request) -> dict[str, Any]:
        await self.called("query")
        numbers = (await request.json())["external_nos"]
        if len(numbers) > MOST:
            raise Refused(TOO_MANY)
        items = [self.shown(a) for a in self.office.find(numbers)]
        self.answered()
        return {"total": len(items), "items": items}

    async def put_account(self, request: web.Request) -> dict[str, Any]:
        await self.called("instruct")
        sent = await request.json()
        found = self.office.get(request.match_info["no"])
        grant = next((s for s in found.sums if s.serial == request.match_info["grant"]), None) if found else None
        if found is None or grant is None:
            raise Refused(UNKNOWN_GRANT)
        if not 0 <= Decimal(sent["amount"]) * 100 <= grant.fen:
            raise Refused(NOT_PAYABLE)
        account = {name: str(sent[name]) for name in ("order_no", "holder", "account_no", "bank", "branch", "amount")}
        # An order that comes twice must not send returned money to the wrong account again.
        if grant.account.get("order_no") != account["order_no"]:
            grant = self.office.instruct(found, grant.serial, account) or grant
        self.answered()
        return self.grant(grant)

    # ── the desk ────────────────────────────────────────────────────────────────────────────────────────────

    def resident(self, application: Application) -> Resident:
        return REGISTER.get(application.payload["decedent"].get("id_no") or "", Resident())

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        nothing = {
            ECO_REWARD: self.resident(application).reward is None,
            FEE_RELIEF: self.resident(application).relief is None,
            SPECIAL_GROUP: self.resident(application).group is None,
        }
        if action == "accept" and application.item == FUNERAL_SERVICE:
            self.book(application)
        if action == "finish" and nothing.get(application.item, False) and not options.get("sums"):
            action, options = "none", {"reason": "未查询到登记信息"}
        super().act(application, action, options)

    def book(self, application: Application) -> None:
        """The next whole hour but one, unless the family asked for a time."""
        soonest = datetime.now(CHINA).replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
        service = application.payload.get("service", {})
        number = int(application.reference)
        application.details |= {
            "booked_at": service.get("pickup_time") or text(soonest),
            "funeral_home": service.get("funeral_home") or HOME,
            "vehicle_no": VEHICLES[number % len(VEHICLES)],
        }

    def complete(self, application: Application) -> None:
        now = self.office.now()
        if application.item == FUNERAL_SERVICE:
            if "booked_at" not in application.details:
                self.book(application)
            application.details["collected_at"] = text(now)
        elif application.item == PICKUP:
            application.details["collected_at"] = text(now)
        elif application.item in (CREMATION_CERT, CREMATION_RECORD):
            application.certificate = {
                "cert_no": f"HZHH{application.reference}",
                "issued_at": text(now),
                "issuer": HOME,
            }
            application.details["cremated_at"] = text(now)
        elif application.item == FEE_RELIEF:
            application.details["relief_items"] = "、".join(self.resident(application).relief or ())
        elif application.item == SPECIAL_GROUP:
            application.details["stopped_from"] = date.fromtimestamp(now).isoformat()

    def approve(self, application: Application) -> list[tuple[str, int]]:
        reward = self.resident(application).reward
        return [(str(REWARD), reward)] if application.item == ECO_REWARD and reward else []

    # ── what it shows ───────────────────────────────────────────────────────────────────────────────────────

    def shown(self, application: Application) -> dict[str, Any]:
        return {
            "external_no": application.key,
            "accept_no": application.reference,
            "biz_type": int(application.item),
            "status": STATUS[application.state],
            "updated_at": text(application.updated_at),
            "opinion": application.note or None,
            "materials_required": application.missing,
            "certificate": application.certificate or None,
            "result": application.details,
            "grants": [self.grant(item) for item in application.sums],
        }

    def grant(self, item: Sum) -> dict[str, Any]:
        return {
            "grant_no": item.serial,
            "grant_type": int(item.kind) if item.kind.isdecimal() else item.kind,
            "amount": f"{Decimal(item.fen) / 100:.2f}",
            "pay_status": GRANT_STATES[item.state],
            "changed_at": text(item.at),
            "fail_reason": item.reason or None,
        }

    def message(self, application: Application, serial: str) -> tuple[bytes, str, str] | None:
        made = {"event_id": serial, "event_type": "application.changed", "data": self.shown(application)}
        return json.dumps(made, ensure_ascii=False).encode(), "application/json", ""


DEPARTMENT = CivilAffairs
