"""``POST /graphql``: the schema over HTTP, with errors that tell their code and never an internal."""

from __future__ import annotations

import json
import logging
import re
import secrets
from functools import partial
from typing import Any

from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse
from strawberry.types import ExecutionResult

from gateway.access.entrance import STATUS, Entrance, headers
from gateway.access.rights import Viewer, deny
from gateway.desk import Desk
from gateway.domain.exchange import MessageKind
from gateway.domain.messages import Code, Problem, Reason, Refused
from gateway.faults import places
from gateway.services import kept
from gateway.settings import Settings
from gateway.store.incidents import Incident
from schema.build import build, sdl
from schema.context import Context
from schema.guard import as_error, too_many_tokens

log = logging.getLogger("shenhou.schema")
# graphql-core quotes the value of a wrong variable, which may be an ID number: the value is cut out.
_VALUE = re.compile(r"got invalid value .*?(?=( at '[^']*')?; )", re.DOTALL)
_ENUM = re.compile(r"(?<=Value ).*?(?= does not exist in )", re.DOTALL)
_QUOTED = re.compile(r"(?<=: )('[^']*'|\"[^\"]*\"|\{.*\}|\[.*\]|-?\d[\d.]*)\.?$", re.DOTALL)


class GraphQLOverHttp(GraphQL[Context, None]):
    """One endpoint.  Queries by POST only: nothing personal in an address."""

    def __init__(self, desk: Desk, entrance: Entrance, settings: Settings) -> None:
        schema = build(settings.max_depth, settings.max_aliases, settings.max_tokens, settings.max_cost)
        super().__init__(schema, graphql_ide=None, allow_queries_via_get=False, subscription_protocols=())
        self.desk, self.entrance = desk, entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except Refused as refused:
            await _denied(refused)(scope, receive, send)

    async def get_context(self, request: Any, response: Any) -> Context:
        """Raises ``Refused``, before the body is read as GraphQL."""
        context = Context(self.desk, await self.entrance.viewer(request), origin=self.entrance.origin(request))
        context.message = await self._keep(context.viewer, request)
        request.state.context = context
        return context

    async def _keep(self, viewer: Viewer | None, request: Request) -> str | None:
        """What a department may have written back is kept before it is taken: the exact bytes of the request."""
        role = self.desk.rights.roles.get(viewer.role) if viewer is not None else None
        if viewer is None or viewer.department is None or role is None or role.cases != "DEPARTMENT":
            return None
        body, code = await request.body(), viewer.department
        if b"mutation" not in body:
            return None
        take = partial(kept.received, code=code, kind=MessageKind.MUTATION, body=body)
        return await self.desk.change(viewer, take)

    def _note_incident(self, context: Context, error: GraphQLError, told: Any) -> None:
        """So that support can look it up."""
        id, cause = told.get("extensions", {}).get("incident"), cause_of(error)
        if id is not None and cause is not None:
            now, kind = self.desk.clock.now(), type(cause).__name__[:128]
            self.desk.journal.incident(Incident(id, now, context.asking.operation, kind, places(cause)))

    def create_response(self, response_data: Any, sub_response: Response) -> Response:
        answer = super().create_response(response_data, sub_response)
        codes = [error.get("extensions", {}).get("code") for error in response_data.get("errors", ())]
        if Code.UNAUTHENTICATED in codes:
            nobody = deny(self.desk.rights).problems[0].reason
            answer.status_code = STATUS[nobody.code]
            answer.headers.update(headers(nobody))
        return answer

    def decode_json(self, data: str | bytes) -> object:
        try:
            found = json.loads(data)
            if b"\\u0000" in (data.encode() if isinstance(data, str) else data):
                raise ValueError("no text has the character NUL in it")
            if b"\\ud" in (data.encode() if isinstance(data, str) else data).lower():
                json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no character
            return found
        except (RecursionError, ValueError) as error:
            raise json.JSONDecodeError("not JSON this service reads", "", 0) from error

    def encode_json(self, data: object) -> str:
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    async def process_result(self, request: Request, result: ExecutionResult, strict: bool = False) -> Any:
        answer: GraphQLHTTPResponse = {"data": result.data}
        if result.errors:
            answer["errors"] = [formatted(error) for error in result.errors]
        context: Context = request.state.context
        for error, told in zip(result.errors or (), answer.get("errors") or (), strict=True):
            self._note_incident(context, error, told)
        if context.message is not None:
            id, told = context.message, self.encode_json(answer).encode()
            code = "ERRORS" if result.errors else "OK"
            done = partial(kept.answered, id=id, answer=told, code=code, about=context.about)
            await self.desk.change(context.viewer, done)
        return answer


def _denied(refused: Refused) -> Response:
    reason = refused.problems[0].reason
    return JSONResponse({"errors": [as_error(refused).formatted]}, STATUS[reason.code], headers(reason))


def cause_of(error: GraphQLError) -> Exception | None:
    """What was raised; None where GraphQL itself refused."""
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    return original


def formatted(error: GraphQLError) -> Any:
    """What a client may read of an error: expected ones keep their code, unexpected ones become an incident."""
    original = cause_of(error)
    if isinstance(original, Refused):
        return {**as_error(original).formatted, **_place(error)}
    if error.extensions and "code" in error.extensions:
        return error.formatted
    # Without a path nothing was resolved yet: a scalar did not take the value it was given.
    refused_value = isinstance(original, ValueError) and error.path is None
    if original is not None and not isinstance(original, GraphQLError) and not refused_value:
        incident = secrets.token_hex(6)
        frames = places(original)
        log.error("incident", extra={"incident": incident, "kind": type(original).__name__, "frames": frames})
        reason = Reason(Code.INTERNAL, (), {"incident": incident})
        extensions = {"code": reason.code.value, "messageEn": reason.en(), "incident": incident}
        return {"message": reason.zh(), **_place(error), "extensions": extensions}
    if "more than" in error.message and "token" in error.message:
        return as_error(Refused(Problem(too_many_tokens()))).formatted
    text = _QUOTED.sub("…", _ENUM.sub("…", _VALUE.sub("got an invalid value", error.message)))
    reason = Reason(Code.INVALID_OPERATION, (), {"detail": text})
    extensions = {"code": reason.code.value, "messageEn": reason.en()}
    return {"message": reason.zh(), **_place(error), "extensions": extensions}


def _place(error: GraphQLError) -> dict[str, Any]:
    placed: dict[str, Any] = {}
    if error.locations:
        placed["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        placed["path"] = error.path
    return placed


def routes(desk: Desk, entrance: Entrance, settings: Settings) -> list[BaseRoute]:
    """The schema's routes."""
    endpoint = GraphQLOverHttp(desk, entrance, settings)
    text = sdl()

    async def published(_: Request) -> Response:
        return PlainTextResponse(text)

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def wrong_method(_: Request) -> Response:
        reason = Reason(Code.INVALID_OPERATION, (), {"detail": "POST"})
        body = {"errors": [{"message": reason.zh(), "extensions": {"code": reason.code.value}}]}
        return JSONResponse(body, 405, headers={"Allow": "POST"})

    return [
        Route("/graphql", endpoint, methods=["POST"]),
        Route("/graphql", wrong_method, methods=["GET", "PUT", "DELETE", "PATCH"]),
        Route("/schema.graphql", published),
        Route("/healthz", alive),
    ]
