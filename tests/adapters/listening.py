"""A department that sends messages of its own, and somebody who listens to them."""

from __future__ import annotations

import asyncio
import sys
import time
import urllib.error
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from adapters.kit.registry import connect, manifests
from gateway.domain.department import Callback, Department

from .conftest import READY_S, Counter, address_of, free_pair

MESSAGE_S = 10.0


@dataclass
class Listening:
    """A running department, its adapter, and every body it has posted, in order of arrival."""

    adapter: Department
    counter: Counter
    inbox: asyncio.Queue[tuple[bytes, dict[str, str]]]

    async def message(self) -> Callback:
        """The next message, translated; fails after ten seconds of silence."""
        body, headers = await asyncio.wait_for(self.inbox.get(), MESSAGE_S)
        return self.adapter.translate(body, headers)


@asynccontextmanager
async def listening(code: str, data: Path, **credentials: str) -> AsyncIterator[Listening]:
    """Starts the department with us as the receiver of its messages; stops both at the end."""
    inbox: asyncio.Queue[tuple[bytes, dict[str, str]]] = asyncio.Queue()
    manifest = manifests()[code]
    port, ours = free_pair(), free_pair()
    adapter = connect(manifest, address_of(manifest, port, data), credentials)

    async def take(request: web.Request) -> web.Response:
        inbox.put_nowait((await request.read(), dict(request.headers)))
        body, content_type = adapter.acknowledge(None)
        return web.Response(body=body, headers={"Content-Type": content_type})

    app = web.Application()
    app.add_routes([web.post("/heard", take)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", ours).start()
    command = [sys.executable, "-m", "mocks", "serve-at", code, str(port), str(port + 1), "--data", str(data)]
    process = await asyncio.create_subprocess_exec(*command, "--callback-url", f"http://127.0.0.1:{ours}/heard")
    counter = Counter(f"http://127.0.0.1:{port + 1}/office")
    try:
        await _ready(counter, process)
        yield Listening(adapter, counter, inbox)
    finally:
        await adapter.close()
        process.terminate()
        await process.wait()
        await runner.cleanup()


async def _ready(counter: Counter, process: asyncio.subprocess.Process) -> None:
    until = time.monotonic() + READY_S
    while True:
        try:
            counter.call("GET", "")
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > until or process.returncode is not None:
                raise
            await asyncio.sleep(0.05)
