"""Files over HTTP: ``POST /uploads`` takes one, ``GET /materials/{id}`` gives one back.

The body of an upload is the file itself, not a form: browsers send that to another site only if it agrees (CORS), and
there is no name in it.  It is sealed part by part as it comes: neither memory nor disk ever holds it whole and open.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Message

from gateway.access.asking import Asking
from gateway.access.budgets import MESSAGE, Budgets
from gateway.access.entrance import STATUS, Entrance
from gateway.access.rights import Viewer, allow
from gateway.desk import Desk
from gateway.domain.materials import HEAD, KINDS, TAIL, AttachedMaterial, FileKind, MaterialStatus, declared_kind
from gateway.domain.messages import Code, refuse
from gateway.services import materials
from gateway.services.context import Ctx
from gateway.store import uploads
from gateway.store.uploads import PART, Content, Upload
from gateway.upload_settings import UploadSettings
from gateway.web import Answer, told
from gateway.worker.scanner import Scanner
from gateway.worker.scanning import content, looked_at, part_of

log = logging.getLogger("shenhou.uploads")
AT_ONCE = 4
"""Parts that are written in one transaction; so many are in memory."""
REFUSED = {
    **STATUS,
    Code.UPLOAD_TOO_SLOW: 408,
    Code.UPLOAD_TOO_LARGE: 413,
    Code.UPLOAD_TYPE_NOT_ALLOWED: 415,
    Code.UPLOAD_TYPE_MISMATCH: 415,
    Code.UPLOAD_INFECTED: 422,
    Code.UPLOADS_TOO_MANY: 429,
    Code.UPLOAD_NOT_OFFERED: 503,
    Code.UPLOAD_NOT_FOUND: 409,
    Code.MATERIAL_NOT_FOUND: 404,
    Code.MATERIAL_NOT_SCANNED: 409,
}
INERT = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
}
"""No browser runs anything of a file."""
T = TypeVar("T")


def routes(
    desk: Desk, entrance: Entrance, budgets: Budgets, settings: UploadSettings, scanner: Scanner | None
) -> list[BaseRoute]:
    """Outside a sandbox files are taken only where somebody said how, or that they are not, scanned."""

    async def upload(request: Request) -> Response:
        try:
            async with asyncio.timeout(settings.limit_s):
                limited = Request(request.scope, _counting(request, settings.max_bytes))
                viewer = allow(desk.rights, await budgets.entered(entrance, limited, MESSAGE), "attachMaterial")
                if not (settings.scanner or desk.sandbox):
                    raise refuse(Code.UPLOAD_NOT_OFFERED)
                found = await Reception(desk, settings, scanner, viewer).take(limited)
        except TimeoutError:
            raise refuse(Code.UPLOAD_TOO_SLOW, limit=f"{settings.limit_s:g}") from None
        answer = {
            "upload": found.id,
            "sha256": found.content.sha256,
            "size": found.content.size,
            "contentType": found.content.content_type,
            "status": found.status,
        }
        return JSONResponse(answer, 201)

    async def download(request: Request) -> Response:
        viewer = allow(desk.rights, await budgets.entered(entrance, request, MESSAGE), "case")
        asking = Asking("material", frozenset({"materials"}), entrance.origin(request))
        found = await _material(desk, viewer, request.path_params["id"], asking)
        first = await part_of(desk, found.upload, 0)
        if first is None:
            raise RuntimeError("the content of a file is gone")
        extension = next((kind.name for kind in KINDS.values() if kind.content_type == found.content_type), "bin")
        headers = {
            **INERT,
            "Content-Disposition": f'attachment; filename="material.{extension}"',
            "Content-Length": str(found.size),
            "Shenhou-Scan": found.status,
        }
        return StreamingResponse(content(desk, found.upload, first), 200, headers, found.content_type)

    # The length is counted here, so that the refusal has its code.
    taking = Route("/uploads", _closing(upload), methods=["POST"], max_body_size=sys.maxsize)
    return [taking, Route("/materials/{id}", told(download, REFUSED), methods=["GET"])]


@dataclass(slots=True)
class Reception:
    """Takes one file of one person."""

    desk: Desk
    settings: UploadSettings
    scanner: Scanner | None
    viewer: Viewer
    _hash: Any = field(default_factory=hashlib.sha256)
    _size: int = 0
    _parts: int = 0
    _head: bytes = b""
    _tail: bytes = b""

    async def take(self, request: Request) -> Upload:
        """Raises ``Refused``; whatever is raised, nothing stays."""
        kind = self._declared(request)
        at = datetime.now(UTC)
        id = await self._do(partial(materials.begin, at=at, most=self.settings.loose))
        try:
            await self._receive(id, request)
            if self._size == 0:
                raise refuse(Code.UPLOAD_EMPTY)
            if not kind.is_it(self._head, self._tail):
                raise refuse(Code.UPLOAD_TYPE_MISMATCH, declared=kind.content_type)
            content = Content(self._hash.hexdigest(), self._size, kind.content_type)
            again = await self._do(partial(materials.known, id=id, sha256=content.sha256))
            if again is not None:
                return again
            status = await looked_at(self.desk, self.scanner, id)
            if status is MaterialStatus.INFECTED:
                subject = self.desk.database.seal.indexes("log", self.viewer.subject)[0]
                log.warning("infected file refused", extra={"role": self.viewer.role, "subject": subject})
                raise refuse(Code.UPLOAD_INFECTED)
            done = partial(materials.finish, id=id, content=content, parts=self._parts, status=status)
            return await self._do(done)
        except BaseException:
            await asyncio.shield(self._do(partial(materials.discard, id=id)))
            raise

    def _declared(self, request: Request) -> FileKind:
        kind = declared_kind(request.headers.get("content-type", ""))
        if kind is None or kind.name not in self.settings.types or "content-encoding" in request.headers:
            options = "、".join(KINDS[name].content_type for name in self.settings.types)
            raise refuse(Code.UPLOAD_TYPE_NOT_ALLOWED, options=options)
        return kind

    async def _receive(self, id: str, request: Request) -> None:
        waiting = bytearray()
        async for piece in request.stream():
            self._hash.update(piece)
            self._size += len(piece)
            self._head += piece[: HEAD - len(self._head)]
            self._tail = (self._tail + piece)[-TAIL:]
            waiting += piece
            if len(waiting) >= AT_ONCE * PART:
                await self._write(id, bytes(waiting[: AT_ONCE * PART]))
                del waiting[: AT_ONCE * PART]
        await self._write(id, bytes(waiting))

    async def _write(self, id: str, plain: bytes) -> None:
        pieces = [plain[at : at + PART] for at in range(0, len(plain), PART)]
        first, seal = self._parts, self.desk.database.seal

        def sealed() -> list[bytes]:
            return [uploads.sealed(seal, id, first + index, piece) for index, piece in enumerate(pieces)]

        if pieces:
            parts = await asyncio.to_thread(sealed)
            await self._do(partial(materials.add, id=id, first=first, parts=parts))
            self._parts += len(pieces)

    async def _do(self, call: Callable[[Ctx], T]) -> T:
        return await self.desk.change(self.viewer, call)


def _counting(request: Request, most: int) -> Callable[[], Awaitable[Message]]:
    """Receives at most ``most`` bytes.  Raises ``Refused`` (UPLOAD_TOO_LARGE), at once where the length is said."""
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > most:
        raise refuse(Code.UPLOAD_TOO_LARGE, limit=str(most))
    size = 0

    async def receive() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > most:
            raise refuse(Code.UPLOAD_TOO_LARGE, limit=str(most))
        return message

    return receive


async def _material(desk: Desk, viewer: Viewer, id: str, asking: Asking) -> AttachedMaterial:
    """A file this viewer may open; every other answers, and costs, what one that does not exist costs (PD-15).

    Raises ``Refused``.
    """
    possible = id.isprintable() and len(id) <= 32
    number = await desk.look(viewer, lambda ctx: uploads.place(ctx.tx, id)) if possible else None
    [case] = await desk.cases(viewer, [number or "-"], asking)
    found = case.materials.get(id) if case is not None else None
    if found is None or not found.upload:
        raise refuse(Code.MATERIAL_NOT_FOUND)
    if found.status is MaterialStatus.INFECTED:
        raise refuse(Code.UPLOAD_INFECTED)
    if found.status is MaterialStatus.WAITING:
        raise refuse(Code.MATERIAL_NOT_SCANNED)
    return found


def _closing(answer: Answer) -> Answer:
    """What is left of the body of a refused upload is not read."""

    async def run(request: Request) -> Response:
        response = await told(answer, REFUSED)(request)
        if response.status_code >= 400:
            response.headers["Connection"] = "close"
        return response

    return run
