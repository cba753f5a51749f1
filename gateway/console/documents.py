"""Printable documents over HTTP: guide and blank form for everybody, filled form and summary for who may see the case.

A case is asked for in the body, never in the address.  The pages carry one style and nothing else: no script runs.
"""

from __future__ import annotations

import json
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from gateway import documents
from gateway.access.asking import Asking
from gateway.access.budgets import MESSAGE, Budgets
from gateway.access.entrance import STATUS, Entrance
from gateway.access.fields import GROUPS
from gateway.access.rights import Viewer, allow, sees_whole_cases
from gateway.desk import Desk
from gateway.documents import STYLE
from gateway.domain.case import Case
from gateway.domain.messages import Code, Refused, refuse
from gateway.domain.states import CaseStatus
from gateway.policy.model import Jurisdiction
from gateway.web import told

POLICY = f"default-src 'none'; style-src {STYLE}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""One style and nothing else."""
FOUND = {**STATUS, Code.CASE_NOT_FOUND: 404, Code.JURISDICTION_UNKNOWN: 404, Code.ACTION_NOT_POSSIBLE: 409}


def routes(desk: Desk, entrance: Entrance, budgets: Budgets) -> list[BaseRoute]:
    """The documents' routes."""

    async def policy_of(request: Request) -> Jurisdiction:
        await budgets.charge(None, entrance.address(request))
        code = request.path_params["jurisdiction"]
        found = desk.book.in_force(code, desk.clock.now().date())
        if found is None:
            raise refuse(Code.JURISDICTION_UNKNOWN, "jurisdiction", value=code[:20])
        return found

    async def guide(request: Request) -> Response:
        policy = await policy_of(request)
        return _page(documents.guide(desk.book, policy), f"{policy.name}办事指南", _download(request))

    async def blank_form(request: Request) -> Response:
        policy = await policy_of(request)
        return _page(documents.blank_form(desk.book, policy), f"{policy.name}登记表", _download(request))

    async def registration_form(request: Request) -> Response:
        viewer, case, policy = await _case(desk, entrance, budgets, request)
        whole = sees_whole_cases(desk.rights, viewer)
        text = documents.filled_form(desk.book, policy, case, desk.clock.now(), whole)
        return _page(text, f"{case.number}登记表")

    async def summary(request: Request) -> Response:
        _, case, policy = await _case(desk, entrance, budgets, request)
        if case.status is not CaseStatus.CLOSED:
            words = {"status": case.status.value, "action": documents.SUMMARY_TITLE}
            raise refuse(Code.ACTION_NOT_POSSIBLE, "caseNumber", "HZ-905", **words)
        text = documents.summary(desk.book, policy, case, desk.clock.now())
        return _page(text, f"{case.number}汇总清单")

    return [
        Route("/documents/cases/registration-form", told(registration_form, FOUND), methods=["POST"]),
        Route("/documents/cases/summary", told(summary, FOUND), methods=["POST"]),
        Route("/documents/{jurisdiction}/guide", told(guide, FOUND)),
        Route("/documents/{jurisdiction}/form", told(blank_form, FOUND)),
    ]


async def _case(
    desk: Desk, entrance: Entrance, budgets: Budgets, request: Request
) -> tuple[Viewer, Case, Jurisdiction]:
    """The case that is asked for, as its viewer sees it; raises ``Refused``."""
    known = await budgets.entered(entrance, request, MESSAGE)
    asking = Asking(request.url.path.rpartition("/")[2], frozenset(GROUPS), entrance.origin(request))
    try:
        viewer = allow(desk.rights, known, "case")
    except Refused as refused:
        desk.note_denied(known, asking, refused.problems[0].reason.code)
        raise
    number = _number(await request.body(), request.headers.get("content-type", ""))
    found = (await desk.cases(viewer, [number], asking))[0]
    if found is None:
        raise refuse(Code.CASE_NOT_FOUND, "caseNumber", number=number)
    return viewer, found, desk.book.version(found.jurisdiction, found.policy_version)


def _number(body: bytes, kind: str) -> str:
    """The case number of a body in JSON, or of a form as browsers send it."""
    asked: object = None
    try:
        if kind.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            fields = parse_qs(body.decode(), max_num_fields=20)
            asked = {name: values[0] for name, values in fields.items()}
        else:
            asked = json.loads(body)
    except (RecursionError, ValueError):
        asked = None
    number = asked.get("caseNumber") if isinstance(asked, dict) else None
    if not isinstance(number, str) or not number.isprintable() or len(number) > 64:
        words = {"label": "办件编号", "path": "caseNumber"}
        raise refuse(Code.FIELD_REQUIRED, "caseNumber", **words)
    return number.strip()


def _download(request: Request) -> bool:
    """``?download`` saves a public document as a file instead of showing it."""
    return "download" in request.query_params


def _page(text: str, name: str, download: bool = False) -> Response:
    """``name``: what the file is called when it is saved."""
    how = "attachment" if download else "inline"
    headers = {"Content-Security-Policy": POLICY, "Content-Disposition": f"{how}; filename*=UTF-8''{quote(name)}.html"}
    return HTMLResponse(text, headers=headers)
