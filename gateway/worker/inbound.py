"""Messages departments send in their own format: ``POST /departments/{code}/messages``.

For old software that cannot speak GraphQL.  The body is the department's own message, the answer is in its own format;
the bearer token is that of a department system, and of that department only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.access.asking import Asking
from gateway.access.budgets import MESSAGE, Budgets
from gateway.access.entrance import Entrance
from gateway.access.rights import MACHINE, Refused, Viewer, deny, forbid, prefixes
from gateway.domain.department import Department, DepartmentError
from gateway.domain.exchange import MessageKind
from gateway.domain.messages import Code
from gateway.services import kept
from gateway.store.messages import Item
from gateway.web import refusal
from gateway.worker.outward import Outward

Denied = Callable[[Viewer | None, Asking, Code], None]
"""Takes down what was refused."""


def routes(
    outward: Outward, departments: Mapping[str, Department], entrance: Entrance, budgets: Budgets, denied: Denied
) -> list[Route]:
    """The inbound route over these departments."""
    rights = budgets.rights

    async def message(request: Request) -> Response:
        code = request.path_params["code"]
        adapter = departments.get(code)
        viewer = None
        try:
            viewer = await budgets.entered(entrance, request, MESSAGE)
            if viewer is None:
                raise deny(rights)
            if adapter is None or viewer.role != MACHINE or viewer.department != code:
                raise forbid(rights, viewer, f"messages of {code}", "PD-06")
        except Refused as refused:
            denied(viewer, Asking("messages", origin=entrance.origin(request)), refused.problems[0].reason.code)
            return refusal(refused)
        body, headers, areas = await request.body(), dict(request.headers), prefixes(viewer)
        return await asyncio.shield(_take(outward, adapter, code, body, headers, areas))

    return [Route("/departments/{code}/messages", message, methods=["POST"])]


async def _take(
    outward: Outward,
    adapter: Department,
    code: str,
    body: bytes,
    headers: Mapping[str, str],
    areas: tuple[str, ...] | None,
) -> Response:
    """Once the message is kept it is taken and answered to the end, whether or not the sender still listens."""
    id = await outward.run(partial(kept.received, code=code, kind=MessageKind.CALLBACK, body=body), code)
    about: list[Item] = []
    try:
        callback = adapter.translate(body, headers)
    except DepartmentError as error:
        status, (answer, kind) = 400, adapter.acknowledge(str(error))
    else:
        about = kept.items(record.key for record in callback.records)
        status, (answer, kind) = 200, adapter.acknowledge(await outward.take_callback(code, callback, areas))
    done = partial(kept.answered, id=id, answer=answer, code=str(status), about=about)
    await outward.run(done, code)
    return Response(answer, status, media_type=kind)
