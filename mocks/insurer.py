"""The claims service of a life insurer (人寿保险公司理赔开放平台): REST, camelCase, OAuth 2.0 client credentials.

``POST /oauth/token`` gives a bearer token for five minutes; without a valid one every call is HTTP 401.  Errors are
HTTP 4xx and 5xx with ``{"error": {"code", "message"}}``.  Money is ``{"value": "50000.00", "currency": "CNY"}``,
times are ISO 8601 in UTC with milliseconds.

``revision`` counts corrections (``revisionNote`` says why); a reversal has ``voids`` with the original's
``externalRef`` and ``reason``, and ends as ``VOIDED``.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from aiohttp import web

from mocks.kit.office import Application, Sum
from mocks.kit.server import Department, Failing

CLIENTS = {"demo": "demo"}
TOKEN_S = 300

CLAIM_TYPE = "DEATH_ASSET_DISPOSAL"
MOST = 500
STATUS = {
    "registered": "SUBMITTED",
    "accepted": "UNDER_REVIEW",
    "returned": "INFO_REQUIRED",
    "done": "SETTLED",
    "restored": "VOIDED",
    "refused": "DECLINED",
    "none": "NO_POLICY",
}
BENEFIT_STATUS = {"approved": "DECIDED", "instructed": "PAYMENT_ORDERED", "paid": "PAID", "returned": "BOUNCED"}


@dataclass(frozen=True)
class Policy:
    """One policy in force: product, what it yields, and how much, in fen."""

    product: str
    benefit: str
    fen: int


ORDINARY = (Policy("定期寿险", "DEATH_BENEFIT", 3_000_000),)
REGISTER: dict[str, tuple[Policy, ...]] = {
    "330502193910109559": (  # 沈福根
        Policy("终身寿险", "DEATH_BENEFIT", 5_000_000),
        Policy("年金保险", "CASH_VALUE", 1_286_037),
    ),
    "330502194503081717": (Policy("分红型两全保险", "UNCLAIMED_DIVIDEND", 40_905),),  # 顾水林
    "330521194701120026": (),  # 施阿妹: no policy
}


class Refused(Exception):
    """A call answered with an HTTP error: status, code, message."""


def iso(moment: float) -> str:
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


class Insurer(Department):
    code = "insurer"
    title = "人寿保险公司 理赔开放平台"
    wire = "HTTP REST below /v1, JSON, camelCase, OAuth 2.0 client credentials; must be asked for results"
    items: ClassVar[dict[str, str]] = {CLAIM_TYPE: "身故保险金给付及保单资产处置"}

    def routes(self) -> list[web.RouteDef]:
        self.tokens: dict[str, float] = {}
        return [
            web.post("/oauth/token", self.token),
            web.post("/v1/claims", self.guarded(self.create)),
            web.post("/v1/claims:batchGet", self.guarded(self.batch_get)),
        ]

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        if form.get("client_secret") is None or CLIENTS.get(str(form.get("client_id"))) != form["client_secret"]:
            return web.json_response({"error": "invalid_client"}, status=401)
        made = secrets.token_urlsafe(24)
        self.tokens[made] = self.office.now() + TOKEN_S
        return web.json_response({"access_token": made, "token_type": "Bearer", "expires_in": TOKEN_S})

    def guarded(
        self, work: Callable[[dict[str, Any]], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            presented = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if self.tokens.get(presented, 0) <= self.office.now():
                return error(401, "UNAUTHENTICATED", "token missing or expired")
            try:
                return await work(await request.json())
            except Failing:
                return error(503, "UNAVAILABLE", "service temporarily unavailable")
            except Refused as refused:
                return error(*refused.args)
            except (ValueError, KeyError, TypeError, AttributeError):
                return error(400, "INVALID_ARGUMENT", "request body is malformed")

        return answer

    async def create(self, sent: dict[str, Any]) -> web.Response:
        await self.called("submit")
        if sent["claimType"] not in self.items:
            raise Refused(422, "UNSUPPORTED_CLAIM_TYPE", "claim type is not supported")
        if not sent["insured"].get("idNumber"):
            raise Refused(422, "ID_NUMBER_REQUIRED", "insured.idNumber is required")
        voided = sent.get("voids", {}).get("externalRef", "")
        made = self.office.receive(str(sent["externalRef"]), sent["claimType"], sent, int(sent["revision"]), voided)
        self.answered()
        return web.json_response(self.claim(made), status=201)

    async def batch_get(self, sent: dict[str, Any]) -> web.Response:
        await self.called("query")
        if len(sent["externalRefs"]) > MOST:
            raise Refused(400, "TOO_MANY", "at most 500 references per call")
        claims = [self.claim(a) for a in self.office.find(sent["externalRefs"])]
        self.answered()
        return web.json_response({"claims": claims})

    # ── the claims desk ─────────────────────────────────────────────────────────────────────────────────────

    def policies(self, application: Application) -> tuple[Policy, ...]:
        return REGISTER.get(application.payload["insured"]["idNumber"], ORDINARY)

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        if action == "finish" and not self.policies(application) and not options.get("sums"):
            action, options = "none", {"reason": "未查询到有效保单"}
        super().act(application, action, options)
        if action == "finish":
            payee = application.payload.get("payee") or {"payTo": "beneficiary named in the policy"}
            for item in application.sums:
                self.office.instruct(application, item.serial, payee)

    def complete(self, application: Application) -> None:
        policies = self.policies(application)
        products = "、".join(policy.product for policy in policies)
        application.details["findings"] = f"有效保单{len(policies)}份：{products}"

    def approve(self, application: Application) -> list[tuple[str, int]]:
        return [(policy.benefit, policy.fen) for policy in self.policies(application)]

    # ── what it shows ───────────────────────────────────────────────────────────────────────────────────────

    def claim(self, application: Application) -> dict[str, Any]:
        return {
            "externalRef": application.key,
            "claimNumber": application.reference,
            "claimType": application.item,
            "status": STATUS[application.word],
            "statusReason": application.note or None,
            "requiredDocuments": application.missing,
            "updatedAt": iso(application.updated_at),
            "findings": application.details.get("findings"),
            "benefits": [self.benefit(item) for item in application.sums],
        }

    def benefit(self, item: Sum) -> dict[str, Any]:
        return {
            "benefitId": item.serial,
            "type": item.kind,
            "amount": {"value": f"{Decimal(item.fen) / 100:.2f}", "currency": "CNY"},
            "status": BENEFIT_STATUS[item.state],
            "changedAt": iso(item.at),
            "bounceReason": item.reason or None,
        }


DEPARTMENT = Insurer
