"""``POST /graphql``: the schema over HTTP, with errors that tell their code and never an internal."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from cross_web import AsyncHTTPRequestAdapter, HTTPException
from graphql import GraphQLError, OperationType
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.types import ExecutionResult

from gateway.access.budgets import REQUEST, Budgets
from gateway.access.entrance import STATUS, Entrance, headers
from gateway.access.rights import Viewer, deny
from gateway.desk import Desk, time_limit
from gateway.domain.exchange import MessageKind
from gateway.domain.messages import Code, Refused, refuse
from gateway.faults import incident
from gateway.services import kept
from gateway.settings import BadSetting, Settings
from schema import documents
from schema import request as requests
from schema.build import build, sdl
from schema.context import Context
from schema.guard import Mistakes, as_error
from schema.measure import Limits

log = logging.getLogger("shenhou.schema")
# graphql-core quotes the value of a wrong variable, which may be an ID number: the value is cut out.
_VALUE = re.compile(r"got invalid value .*?(?=( at '[^']*')?; )", re.DOTALL)
_ENUM = re.compile(r"(?<=Value ).*?(?= does not exist in )", re.DOTALL)
_QUOTED = re.compile(r"(?<=: )('[^']*'|\"[^\"]*\"|\{.*\}|\[.*\]|-?\d[\d.]*)\.?$", re.DOTALL)
NOTHING_RAN = {**STATUS, Code.FORBIDDEN: 200, Code.INTERNAL: 500}
"""HTTP status when nothing was executed; 400 for every other code."""
BEST = "application/graphql-response+json"
T = TypeVar("T")


class Gone(Exception):
    """The client does not listen any more."""


class GraphQLOverHttp(GraphQL[Context, None]):
    """One endpoint.  Queries by POST only: nothing personal in an address."""

    def __init__(
        self, desk: Desk, entrance: Entrance, budgets: Budgets, settings: Settings, own: Sequence[Path]
    ) -> None:
        limits = Limits(
            depth=settings.max_depth,
            aliases=settings.max_aliases,
            tokens=settings.max_tokens,
            directives=settings.max_directives,
            cost=settings.max_cost,
        )
        schema = build(limits, settings.open_schema)
        super().__init__(schema, graphql_ide=None, allow_queries_via_get=False, subscription_protocols=())
        self.desk, self.entrance, self.budgets, self.gate = desk, entrance, budgets, schema.gate
        self.limit_s = settings.operation_limit_s
        self.inputs = requests.InputLimits(settings.max_depth, settings.max_values, settings.max_text)
        self.documents = trusted(settings, own)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            requests.must_be_json(request.headers.get("content-type", ""))
            try:
                response = await self.run(request)
            except (GraphQLError, Refused):
                await self._charge_unread(request)
                raise
        except Refused as refused:
            response = _denied(refused)
        except GraphQLError as error:
            answer = {"errors": [formatted(error)]}
            response = self.create_response(answer, await self.get_sub_response(request))
        except HTTPException as error:
            response = _denied(refuse(Code.INVALID_OPERATION, None, detail=error.reason), error.status_code)
        except Gone:
            return
        if BEST in request.headers.get("accept", ""):
            response.headers["Content-Type"] = f"{BEST}; charset=utf-8"
        await response(scope, receive, send)

    async def get_context(self, request: Any, response: Any) -> Context:
        """Raises ``Refused``, before the body is read as GraphQL."""
        viewer = await self.budgets.entered(self.entrance, request, 0.0)  # what it asks for is charged when it is read
        if viewer is None and not self.gate.open_schema:
            raise deny(self.desk.rights)
        context = Context(self.desk, viewer, origin=self.entrance.origin(request))
        request.state.context = context
        return context

    async def parse_http_body(self, request: Any) -> GraphQLRequestData:
        return requests.read(await request.get_body(), self.inputs, self.documents)

    async def execute_operation(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        request_data: GraphQLRequestData | list[GraphQLRequestData],
        context: Context,
        root_value: None,
        sub_response: Response,
    ) -> ExecutionResult | Any:
        """Reads the document, then runs it: a query within its time and as long as the client listens.

        A change runs to its end: its transaction is one, and whether it happened must not depend on a line.
        """
        assert isinstance(request_data, GraphQLRequestData)
        wrong: GraphQLError | None = None
        try:
            operation = self.gate.read(request_data.query or "").operation(request_data.operation_name)
        except GraphQLError as error:
            wrong = error
        body = await request.body()
        if context.viewer is not None:
            context.charged = True
            await self.budgets.charge(context.viewer, "", operation.cost if wrong is None else REQUEST)
        if wrong is not None:
            if b"mutation" in body:
                context.message = await self._keep(context.viewer, body)
            return ExecutionResult(None, wrong.errors if isinstance(wrong, Mistakes) else [wrong])
        run = partial(
            super().execute_operation, request, request_adapter, request_data, context, root_value, sub_response
        )
        if operation.kind is OperationType.MUTATION:
            context.message = await self._keep(context.viewer, body)
            return await run()
        with time_limit(self.limit_s):
            return await while_listening(request, run())

    async def _charge_unread(self, request: Request) -> None:
        """What was refused before it was read as an operation; nobody known was charged for coming."""
        context: Context | None = getattr(request.state, "context", None)
        if context is not None and context.viewer is not None and not context.charged:
            await self.budgets.charge(context.viewer, "")

    async def _keep(self, viewer: Viewer | None, body: bytes) -> str | None:
        """What a department may have written back is kept before it is taken: the exact bytes of the request."""
        role = self.desk.rights.roles.get(viewer.role) if viewer is not None else None
        if viewer is None or viewer.department is None or role is None or role.cases != "DEPARTMENT":
            return None
        take = partial(kept.received, code=viewer.department, kind=MessageKind.MUTATION, body=body)
        return await self.desk.change(viewer, take)

    def _note_incident(self, context: Context, error: GraphQLError, told: Any) -> None:
        """So that support can look it up."""
        id, cause = told.get("extensions", {}).get("incident"), cause_of(error)
        if id is not None and cause is not None:
            self.desk.note_incident(id, context.asking.operation, cause)

    def create_response(self, response_data: Any, sub_response: Response) -> Response:
        answer = super().create_response(response_data, sub_response)
        codes = [error.get("extensions", {}).get("code") for error in response_data.get("errors", ())]
        if Code.UNAUTHENTICATED in codes:
            nobody = deny(self.desk.rights).problems[0].reason
            answer.status_code = STATUS[nobody.code]
            answer.headers.update(headers(nobody))
        elif "data" not in response_data:
            answer.status_code = NOTHING_RAN.get(codes[0], 400)
        return answer

    def encode_json(self, data: object) -> str:
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    async def process_result(self, request: Request, result: ExecutionResult, strict: bool = False) -> Any:
        answer: GraphQLHTTPResponse = {"data": result.data}
        if result.errors:
            answer["errors"] = [formatted(error) for error in result.errors]
            if result.data is None and all(error.path is None for error in result.errors):
                del answer["data"]
        context: Context = request.state.context
        for error, told in zip(result.errors or (), answer.get("errors") or (), strict=True):
            self._note_incident(context, error, told)
        if context.message is not None:
            id, told = context.message, self.encode_json(answer).encode()
            code = "ERRORS" if result.errors else "OK"
            done = partial(kept.answered, id=id, answer=told, code=code, about=context.about)
            await self.desk.change(context.viewer, done)
        return answer


async def while_listening(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Ends the work when the client goes away.  Raises ``Gone``."""
    task, gone = asyncio.create_task(work), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Gone
    finally:
        gone.cancel()
        task.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def trusted(settings: Settings, own: Sequence[Path]) -> documents.Documents:
    """The registered documents and the pages' ``own``.  Raises ``BadSetting``."""
    if settings.trusted_documents is None:
        return documents.Documents()
    try:
        return documents.load([settings.trusted_documents, *own])
    except documents.BadDocuments as error:
        raise BadSetting(f"SHENHOU_TRUSTED_DOCUMENTS: {error}") from error


def _denied(refused: Refused, status: int = 400) -> Response:
    reason = refused.problems[0].reason
    found = {Code.NOT_SERVED: 415, **STATUS}.get(reason.code, status)
    return JSONResponse({"errors": [as_error(refused).formatted]}, found, headers(reason))


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
        number = incident(log, original)
        told = as_error(refuse(Code.INTERNAL, None, incident=number)).formatted
        return {**told, **_place(error), "extensions": {**told["extensions"], "incident": number}}
    text = _QUOTED.sub("…", _ENUM.sub("…", _VALUE.sub("got an invalid value", error.message)))
    return {**as_error(refuse(Code.INVALID_OPERATION, None, detail=text)).formatted, **_place(error)}


def _place(error: GraphQLError) -> dict[str, Any]:
    placed: dict[str, Any] = {}
    if error.locations:
        placed["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        placed["path"] = error.path
    return placed


def routes(
    desk: Desk, entrance: Entrance, budgets: Budgets, settings: Settings, own: Sequence[Path] = ()
) -> list[BaseRoute]:
    """The schema's routes.  ``own``: documents of this gateway's pages, which are trusted."""
    endpoint = GraphQLOverHttp(desk, entrance, budgets, settings, own)
    text = sdl()

    async def published(request: Request) -> Response:
        if not settings.open_schema:
            try:
                Context(desk, await budgets.entered(entrance, request)).allow_schema("schema.graphql")
            except Refused as refused:
                return _denied(refused)
        return PlainTextResponse(text)

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return [
        Route("/graphql", endpoint, methods=["POST"], max_body_size=settings.max_operation_bytes),
        Route("/schema.graphql", published),
        Route("/healthz", alive),
    ]
