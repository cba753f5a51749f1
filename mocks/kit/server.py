"""Runs one department: its wire, its counter (the clerk's own HTTP interface) and its messages to others.

A department is a subclass of ``Department`` in ``mocks/<name>.py``.  Its wire may be anything; those that speak
HTTP give aiohttp routes, the others start their own listener in ``start_wire``.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
from aiohttp import web

from .office import FINAL, Application, Habits, Office

log = logging.getLogger("mocks")
CLERK_STEP_S = 0.2


class Lost(Exception):
    """The department did the work and the line broke before its answer left."""


class Failing(Exception):
    """The department's own "system error"."""


class Cut(Exception):
    """The line breaks in the middle of the answer; ``half`` still leaves."""

    def __init__(self, half: bytes) -> None:
        super().__init__()
        self.half = half


class Rubbish(Exception):
    """The department answers something that is not its format."""


class Department:
    """One department's system.

    ``code``: its name on the command line.  ``title``: Chinese name.  ``wire``: one line on its interface.
    ``items``: own business code → Chinese name of the business.
    """

    code: ClassVar[str]
    title: ClassVar[str]
    wire: ClassVar[str]
    items: ClassVar[dict[str, str]]

    def __init__(self, data: Path, callback_url: str | None, callback_token: str | None) -> None:
        self.data = data
        self.office = Office(self.code, data)
        self.callback_url = callback_url
        self.callback_token = callback_token
        self._messages: set[asyncio.Task[None]] = set()
        self._serial = 0

    # ── what a department fills in ──────────────────────────────────────────────────────────────────────

    def routes(self) -> list[web.RouteDef]:
        """Its HTTP wire; empty for a department with another kind of wire."""
        return []

    async def start_wire(self, host: str, port: int) -> Callable[[], Awaitable[None]] | None:
        """Starts a wire that is not HTTP; returns what stops it."""
        return None

    async def housekeeping(self) -> None:
        """Called every fifth of a second: batch runs, file drops."""

    def approve(self, application: Application) -> list[tuple[str, int]]:
        """Sums (kind in its own words, fen) that follow when this application is done; from its own register."""
        return []

    def complete(self, application: Application) -> None:
        """Fills certificate and details when the application is done."""

    def message(self, application: Application, serial: str) -> tuple[bytes, str, str] | None:
        """Body, content type and path of the message it sends about this application; None: it sends none."""
        return None

    # ── the wire's manners ──────────────────────────────────────────────────────────────────────────────

    async def called(self, operation: str) -> None:
        """To be awaited at the start of every wire call: counts it, and misbehaves when told to.

        Raises ``Failing`` or ``Rubbish``; ``answered`` raises ``Lost`` after the work is done.
        """
        self.office.calls[operation] += 1
        habits = self.office.habits
        if habits.slow:
            await asyncio.sleep(habits.slow)
        if habits.fail:
            habits.fail -= habits.fail > 0
            raise Failing("system error")
        if habits.rubbish:
            habits.rubbish -= habits.rubbish > 0
            raise Rubbish

    def answered(self) -> None:
        """To be called when the work is done and before the answer leaves."""
        habits = self.office.habits
        if habits.drop:
            habits.drop -= habits.drop > 0
            raise Lost

    async def leaving(self, answer: bytes) -> bytes:
        """To be awaited with every answer when the work is done.  Raises ``Cut``, after which the line is closed."""
        habits = self.office.habits
        if habits.late:
            await asyncio.sleep(habits.late)
        if habits.garble:
            habits.garble -= habits.garble > 0
            answer = _garbled(answer)
        if habits.half:
            habits.half -= habits.half > 0
            raise Cut(answer[: len(answer) // 2])
        return answer

    # ── the clerk ───────────────────────────────────────────────────────────────────────────────────────

    def clerk(self, application: Application, action: str, options: dict[str, Any]) -> None:
        """One act at the counter.  Undoing needs no look into the register and leads to nothing: no sum, no paper.

        What was refused can be undone after all, once the money has come back; what was undone is over.
        """
        if application.undone:
            raise ValueError("already undone")
        if application.undoes and action == "finish" and application.state not in ("done", "none"):
            self.office.undo(application)
            self.tell(application)
        elif application.undoes and action in ("accept", "refuse", "none"):
            Department.act(self, application, action, options)
        elif application.undoes:
            raise ValueError(f"no such act on a reversal: {action}")
        else:
            self.act(application, action, options)

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        """One act of the clerk: accept, finish, refuse, none, correct, pay, return.  Raises ValueError."""
        office = self.office
        if action in ("accept", "finish", "refuse", "none", "correct") and application.state in FINAL:
            raise ValueError(f"already {application.state}")
        if action == "accept":
            office.accept(application)
        elif action == "finish":
            sums = [(kind, int(fen)) for kind, fen in options.get("sums", {}).items()]
            self.complete(application)
            application.details.update(options.get("details", {}))
            office.finish(application, sums or self.approve(application))
        elif action == "refuse":
            office.refuse(application, options.get("reason") or "不符合办理条件")
        elif action == "none":
            office.no_case(application, options.get("reason") or "查无待遇登记")
        elif action == "correct":
            missing = options.get("missing") or ["材料不清晰"]
            office.ask_correction(application, options.get("reason") or "材料需补正", list(missing))
        elif action == "pay":
            office.pay(application, options.get("serial"))
        elif action == "return":
            office.give_back(application, options.get("reason") or "账号户名不符", options.get("serial"))
        else:
            raise ValueError(f"no such act: {action}")
        self.tell(application)

    def step(self) -> None:
        """The clerk's next step on everything that has waited long enough (``habits.auto``)."""
        auto = self.office.habits.auto
        if auto is None:
            return
        now = self.office.now()
        for application in self.office.open():
            if now - application.updated_at < auto:
                continue
            if self.office.habits.refuse and application.state in ("registered", "accepted"):
                self.clerk(application, "refuse", {"reason": self.office.habits.refuse})
            elif application.state == "registered":
                self.clerk(application, "accept", {})
            elif application.state == "accepted":
                self.clerk(application, "finish", {})
            else:
                self.clerk(application, "pay", {})

    def tell(self, application: Application) -> None:
        """Sends the message about an application to whoever subscribed (``--callback-url``)."""
        if self.callback_url is None or self.office.habits.silent:
            return
        self._send(application)
        if self.office.habits.twice:
            self._send(application, again=True)
        if self.office.habits.contradict and application.state in ("done", "refused"):
            opposite = dataclasses.replace(
                application, state="refused" if application.state == "done" else "done", note="更正"
            )
            self._send(opposite)

    def _send(self, application: Application, again: bool = False) -> None:
        if not again:
            self._serial += 1
        # The start time keeps serials of a restarted department apart from those of its former life.
        serial = f"{self.code}-{application.reference}-{int(application.updated_at * 1000)}-{self._serial}"
        made = self.message(application, serial)
        if made is not None:
            task = asyncio.get_running_loop().create_task(self._post(*made))
            self._messages.add(task)
            task.add_done_callback(self._messages.discard)

    async def _post(self, body: bytes, content_type: str, path: str) -> None:
        headers = {"Content-Type": content_type}
        if self.callback_token:
            headers["Authorization"] = f"Bearer {self.callback_token}"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            for pause in (0, 1, 3, 10, 30):
                await asyncio.sleep(pause)
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.post(f"{self.callback_url}{path}", data=body, headers=headers) as answer:
                        await answer.read()
                        if answer.status < 500:
                            return
        log.warning("%s: a message could not be delivered", self.code)


def _counter(department: Department) -> list[web.RouteDef]:
    """The clerk's own HTTP interface: what an office would do at its counter."""
    office = department.office

    def shown(application: Application) -> dict[str, Any]:
        body = dataclasses.asdict(application)
        body["business"] = department.items.get(application.item, application.item)
        return body

    async def listing(_: web.Request) -> web.Response:
        return web.json_response([shown(a) for a in office.all()])

    async def one(request: web.Request) -> web.Response:
        found = office.get(request.match_info["key"])
        return web.json_response(shown(found)) if found else web.json_response({"error": "unknown"}, status=404)

    async def act(request: web.Request) -> web.Response:
        found = office.get(request.match_info["key"])
        if found is None:
            return web.json_response({"error": "unknown application"}, status=404)
        options = await request.json() if request.can_read_body else {}
        try:
            department.clerk(found, request.match_info["action"], options)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=409)
        return web.json_response(shown(found))

    async def habits(request: web.Request) -> web.Response:
        if request.method == "POST":
            known = {f.name for f in dataclasses.fields(Habits)}
            for name, value in (await request.json()).items():
                if name not in known:
                    return web.json_response({"error": f"no such habit: {name}"}, status=400)
                setattr(office.habits, name, value)
        return web.json_response(dataclasses.asdict(office.habits))

    async def calls(request: web.Request) -> web.Response:
        counted = dict(office.calls)
        if request.method == "DELETE":
            office.calls.clear()
        return web.json_response(counted)

    async def about(_: web.Request) -> web.Response:
        return web.json_response(
            {
                "code": department.code,
                "title": department.title,
                "wire": department.wire,
                "items": department.items,
                "applications": len(office.all()),
            }
        )

    return [
        web.get("/office", about),
        web.get("/office/applications", listing),
        web.get("/office/applications/{key}", one),
        web.post("/office/applications/{key}/{action}", act),
        web.get("/office/habits", habits),
        web.post("/office/habits", habits),
        web.get("/office/calls", calls),
        web.delete("/office/calls", calls),
    ]


def _garbled(answer: bytes) -> bytes:
    try:
        return answer.decode("utf-8").encode("gb18030")
    except ValueError:
        return answer.decode("gb18030", "replace").encode("utf-8")


async def _leave(department: Department, request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    if not isinstance(answer, web.Response) or not isinstance(answer.body, bytes):
        return answer
    whole = len(answer.body)
    try:
        answer.body = await department.leaving(answer.body)
        return answer
    except Cut as cut:
        begun = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.headers["Content-Type"]})
        begun.content_length = whole
        await begun.prepare(request)
        await begun.write(cut.half)
        if request.transport is not None:
            request.transport.close()
        raise asyncio.CancelledError from None


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _manners(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Lost:
        if request.transport is not None:
            request.transport.abort()
        raise asyncio.CancelledError from None
    except Rubbish:
        return web.Response(body="<html><h1>502 网关超时 \ud83d".encode("gb18030", "replace") + b"\xff\xfe", status=200)
    except Failing:
        return web.Response(text="system error", status=500)


async def serve(department: Department, host: str, port: int, office_port: int) -> None:
    """Runs until SIGTERM or SIGINT."""
    stops: list[Callable[[], Awaitable[None]]] = []

    @web.middleware
    async def leaving(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await _leave(department, request, await handler(request))

    wire, counter = [leaving, _manners], [_manners]
    for routes, at, manners in ((department.routes(), port, wire), (_counter(department), office_port, counter)):
        if routes:
            app = web.Application(middlewares=manners, client_max_size=16 * 1024 * 1024)
            app.add_routes(routes)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            await web.TCPSite(runner, host, at).start()
            stops.append(runner.cleanup)
    stop_wire = await department.start_wire(host, port)
    if stop_wire is not None:
        stops.append(stop_wire)
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    print(f"{department.code}: {department.wire}; wire {port}, counter {office_port}", flush=True)
    while not over.is_set():
        try:
            await department.housekeeping()
            department.step()
        except Exception:
            log.exception("%s: the clerk stumbled", department.code)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), CLERK_STEP_S)
    for stop in stops:
        await stop()
