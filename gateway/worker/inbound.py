"""Messages departments send in their own format: ``POST /departments/{code}/messages``.

For old software that cannot speak GraphQL.  The body is the department's own message, the answer is in its own format;
the bearer token is that of a department system, and of that department only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.access.rights import Viewer
from gateway.access.tokens import Issuer
from gateway.domain.department import Department, DepartmentError
from gateway.domain.messages import Code, Reason
from gateway.store.session import Database
from gateway.worker.outward import Outward


def routes(outward: Outward, departments: Mapping[str, Department], issuer: Issuer, database: Database) -> list[Route]:
    """The inbound route over these departments."""

    async def message(request: Request) -> Response:
        code = request.path_params["code"]
        viewer = _viewer(request, issuer, database)
        if viewer is None:
            return _problem(Reason(Code.UNAUTHENTICATED), 401)
        adapter = departments.get(code)
        if adapter is None or viewer.role != "department-system" or viewer.department != code:
            words = {"right": f"messages of {code}", "contact": "12345", "contact_en": "the hotline 12345"}
            return _problem(Reason(Code.FORBIDDEN, ("PD-06",), words), 403)
        body = await request.body()
        try:
            callback = adapter.translate(body, dict(request.headers))
        except DepartmentError as error:
            answer, kind = adapter.acknowledge(str(error))
            return Response(answer, 400, media_type=kind)
        refusal = await asyncio.shield(outward.take_callback(code, callback))
        answer, kind = adapter.acknowledge(refusal)
        return Response(answer, media_type=kind)

    return [Route("/departments/{code}/messages", message, methods=["POST"])]


def _viewer(request: Request, issuer: Issuer, database: Database) -> Viewer | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return issuer.read(token.strip(), database.seal.index) if scheme.lower() == "bearer" else None


def _problem(reason: Reason, status: int) -> JSONResponse:
    return JSONResponse({"code": reason.code, "message": reason.zh(), "messageEn": reason.en()}, status)
