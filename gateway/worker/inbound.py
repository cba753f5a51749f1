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

from gateway.access.entrance import STATUS, Entrance, headers
from gateway.access.rights import MACHINE, Refused, Rights, deny, forbid
from gateway.domain.department import Department, DepartmentError
from gateway.worker.outward import Outward


def routes(outward: Outward, departments: Mapping[str, Department], entrance: Entrance, rights: Rights) -> list[Route]:
    """The inbound route over these departments."""

    async def message(request: Request) -> Response:
        code = request.path_params["code"]
        adapter = departments.get(code)
        try:
            viewer = await entrance.viewer(request)
            if viewer is None:
                raise deny(rights)
            if adapter is None or viewer.role != MACHINE or viewer.department != code:
                raise forbid(rights, f"messages of {code}", "PD-06")
        except Refused as refused:
            return _problem(refused)
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


def _problem(refused: Refused) -> JSONResponse:
    reason = refused.problems[0].reason
    body = {"code": reason.code, "message": reason.zh(), "messageEn": reason.en()}
    return JSONResponse(body, STATUS[reason.code], headers(reason))
