"""What holds for every answer, whoever gives it: headers for browsers, words in JSON, no fault that shows itself.

The outermost layer.  There are no cookies and no WebSockets; pages of other sites may ask only when the deployment
names them.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.access import entrance
from gateway.domain.messages import Code, Reason, Refused
from gateway.faults import incident

log = logging.getLogger("shenhou.web")
Note = Callable[[str, str, Exception], None]
Answer = Callable[[Request], Awaitable[Response]]
HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Of every answer that does not say otherwise itself."""
TLS_ONLY = "max-age=31536000"
"""One year; the name of this host only."""
TOLD = ("Accept-Signature", "Retry-After", "Shenhou-Scan", "WWW-Authenticate")
"""Headers of an answer that a page of another origin may read."""
ASKED = ("Authorization", "Content-Digest", "Content-Type", "Signature", "Signature-Input")
"""Headers of a request that it may set."""
WORDS: Mapping[int, tuple[str, str]] = {
    404: ("没有此地址", "there is no such address"),
    405: ("此地址不接受该方法", "the address does not take this method"),
    413: ("请求正文过大", "the body is too large"),
}


class Web:
    """``secure``: browsers are told to come by TLS only.  ``origins``: whose pages may ask.  ``note``: keeps an
    incident: its number, where it happened, what was raised."""

    def __init__(self, app: ASGIApp, secure: bool, origins: tuple[str, ...] = (), note: Note | None = None) -> None:
        self.note = note
        more = {"Strict-Transport-Security": TLS_ONLY} if secure else {}
        self.headers = {**HEADERS, **more}
        self.app = app
        if origins:
            self.app = CORSMiddleware(
                app,
                allow_origins=origins,
                allow_methods=("GET", "POST"),
                allow_headers=ASKED,
                expose_headers=TOLD,
                max_age=600,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = plain = False

        async def told(message: Message) -> None:
            nonlocal begun, plain
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                plain = headers.get("content-type", "").startswith("text/plain")
                plain = plain and (message["status"] == 500 or message["status"] in WORDS)
                if plain and message["status"] != 500:  # the fault itself is about to arrive
                    await problem(message["status"], headers)(scope, receive, send)
                begun = begun or not plain or message["status"] != 500
            if not plain:
                await send(message)

        try:
            await self.app(scope, receive, told)
        except ClientDisconnect:
            return  # it hung up in the middle of what it sent
        except Exception as error:
            number = incident(log, error)
            if self.note is not None:
                self.note(number, "http", error)
            if begun:
                raise ConnectionAbortedError(number) from None
            reason = Reason(Code.INTERNAL, (), {"incident": number})
            await JSONResponse(body(reason, incident=number), 500)(scope, receive, told)


def told(answer: Answer, status: Mapping[Code, int] = entrance.STATUS) -> Answer:
    """A route that tells its refusals: their code, in both languages, and what the sender has to do.

    ``status``: HTTP status by code; 400 for every other.
    """

    async def run(request: Request) -> Response:
        try:
            return await answer(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Refused as refused:
            return refusal(refused, status)

    return run


def refusal(refused: Refused, status: Mapping[Code, int] = entrance.STATUS) -> Response:
    """Of several problems the first."""
    reason = refused.problems[0].reason
    return JSONResponse(body(reason), status.get(reason.code, 400), entrance.headers(reason))


def problem(status: int, headers: Mapping[str, str]) -> Response:
    """An answer of the framework, in our words and with its headers."""
    detail, detail_en = WORDS[status]
    kept = {name: value for name, value in headers.items() if name not in ("content-length", "content-type")}
    return JSONResponse(body(Reason(Code.NOT_SERVED, (), {"detail": detail, "detail_en": detail_en})), status, kept)


def body(reason: Reason, **more: str) -> dict[str, object]:
    """As the schema tells an error."""
    extensions = {"code": reason.code.value, "messageEn": reason.en(), "requirementIds": list(reason.ids), **more}
    return {"errors": [{"message": reason.zh(), "extensions": extensions}]}
