"""One connection of the HTTP server, with the limits the server software leaves to others.

The head of a request has a size and a time, its body a time that grows with what has arrived.  Who is answered before
all of the body was read still gets to read the answer: the rest is thrown away for a while before the line is cut,
because a line that is cut with bytes unread takes the answer with it.  What is refused here is JSON as everywhere.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gateway.domain.messages import Code, Reason
from gateway.web import HEADERS, body

HEAD_BYTES = 64 * 1024
"""Of the address and all headers; also of whatever else comes that is no body (RFC 9112: extensions, trailers)."""
HEAD_S = 10.0
BODY_S = 30.0
"""How long a body may take, and one second more for every ``BODY_RATE`` bytes of it."""
BODY_RATE = 8 * 1024
READ_S = 60.0
"""How long a client may take to read anything at all of what waits for it."""
AHEAD = 16
"""Requests that may wait on one line for the answer to the one before."""
OWN_FILES = 256
"""Files and connections the gateway needs itself, of those the system lets it open."""
LINES = max(16, min(4000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - OWN_FILES))
"""Connections at once: what comes on top of them is told to come back."""
LINGER_BYTES = 16 * 1024 * 1024
LINGER_S = 5.0
UPGRADE = re.compile(rb"\r\n(?=upgrade[ \t]*:)", re.IGNORECASE)
"""No other protocol is spoken here, and who offers one may be answered in this one (RFC 9110, 7.8); but the parser
would take the body for the other protocol's.  Java's own client offers HTTP/2 with every request."""
WORDS = {
    400: ("不是有效的HTTP请求", "this is no HTTP request"),
    408: ("请求未在时限内到达", "the request did not arrive in time"),
    431: ("请求头过大", "the headers are too large"),
    503: ("连接太多，请稍后再试", "there are too many connections, try again later"),
}


class _Transport:
    """The connection as the server software sees it: what it closes too early ends a little later."""

    def __init__(self, real: asyncio.Transport, line: Line) -> None:
        self._real, self._line = real, line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def is_closing(self) -> bool:
        return self._line.left is not None or self._real.is_closing()

    def close(self) -> None:
        self._line.hang_up(self._real)


class Line(HttpToolsProtocol):
    """``left``: bytes that are still thrown away before the line is cut; None while it is in use."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.left: int | None = None
        self._refused = False
        self._timer: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._head = self._idle = self._arrived = 0
        self._begun = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_Transport(transport, self))  # type: ignore[arg-type]
        self._within(HEAD_S, self._late)
        if len(self.connections) > LINES:
            self._answer(503)
            self.left = 0
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._within(0)
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(READ_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def data_received(self, data: bytes) -> None:
        if self.left is not None:
            self.left -= len(data)
            if self.left < 0:
                self.transport.abort()
            return
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            self._within(HEAD_S, self._late)
        if self.cycle is None or not self.cycle.more_body:
            top, gap, rest = data.partition(b"\r\n\r\n")
            data = UPGRADE.sub(b"\r\nNo-", top) + gap + rest
        self._idle += len(data)
        super().data_received(data)
        if self._idle > HEAD_BYTES:
            self._refuse(431)

    # ── what the parser finds ───────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value)
        if self._head > HEAD_BYTES:
            raise _TooMuch
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= AHEAD:
            self.transport.abort()
            raise _TooMuch
        super().on_headers_complete()
        self._idle = self._arrived = 0
        self._begun = self.loop.time()
        self._within(BODY_S, self._look)

    def on_body(self, body: bytes) -> None:
        self._idle = 0
        self._arrived += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._idle = 0
        self._within(0)
        super().on_message_complete()

    # ── refusing ────────────────────────────────────────────────────────────────────────────────────────

    def send_400_response(self, msg: str) -> None:
        self._refuse(431 if self._head > HEAD_BYTES else 400)

    def hang_up(self, real: asyncio.Transport) -> None:
        """Cuts the line; one on which a body is still coming only after ``LINGER_S``, or ``LINGER_BYTES``."""
        if self.left is not None:
            return
        unread = self._refused or (self.cycle is not None and self.cycle.more_body)
        if real.is_closing() or not unread or not real.can_write_eof():
            real.close()
            return
        self.left = LINGER_BYTES
        self.flow.resume_reading()
        real.write_eof()
        self._within(LINGER_S, real.abort)

    def _within(self, seconds: float, late: Any = None) -> None:
        """One clock: of the head, then of the body, then of the end."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, late) if late is not None else None

    def _look(self) -> None:
        """Whether the body comes fast enough; while we do not read, it is not the sender who is slow."""
        self._timer = None
        left = self._begun + BODY_S + self._arrived / BODY_RATE - self.loop.time()
        if self.cycle.response_complete or self.transport.is_closing():
            return
        if left > 0 or self.flow.read_paused:
            self._within(max(left, 1.0), self._look)
        else:
            self._late()

    def _late(self) -> None:
        self._timer = None
        if self._idle or (self.cycle is not None and not self.cycle.response_complete):
            self._refuse(408)
        else:
            self.transport.abort()  # nothing was said

    def _refuse(self, status: int) -> None:
        """Answers in place of the application, unless that has begun to answer."""
        if self.transport.is_closing():
            return
        self._refused = True
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self._answer(status)
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def _answer(self, status: int) -> None:
        detail, detail_en = WORDS[status]
        words = {"detail": detail, "detail_en": detail_en}
        text = json.dumps(body(Reason(Code.NOT_SERVED, (), words)), ensure_ascii=False).encode()
        headers = {**HEADERS, "Content-Type": "application/json", "Content-Length": str(len(text))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Connection": "close"}.items())
        self.transport.write(STATUS_LINE[status] + lines.encode() + b"\r\n" + text)


class _TooMuch(Exception):
    """Ends the parser."""
