"""A gateway that ends loses nothing it has gathered (PD-15, decision 0015)."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.applications import Starlette

from gateway.access.asking import NOTHING
from gateway.domain.messages import Code
from gateway.services.journal import FLUSH_S
from gateway.store import accesses
from gateway.web import Web
from gateway.worker.engine import Engine
from tests.door import viewer
from tests.edge import Edge


@pytest.mark.rule("PD-15")
async def test_what_still_waits_for_a_thread_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def started(*_: object) -> None:
        pass

    monkeypatch.setattr(Engine, "start", started)
    monkeypatch.setattr(Engine, "beat", lambda *_: [])
    monkeypatch.setattr(Engine, "stop", lambda _: None)
    edge, free = Edge(tmp_path), threading.Event()
    edge.desk.threads = ThreadPoolExecutor(1)
    web = edge.application.asgi
    assert isinstance(web, Web) and isinstance(web.app, Starlette)
    async with web.app.router.lifespan_context(web.app):
        threading.Timer(FLUSH_S * 4, free.set).start()
        edge.desk.threads.submit(free.wait)
        edge.desk.note_denied(viewer("support"), NOTHING, Code.FORBIDDEN)
        await asyncio.sleep(FLUSH_S * 2)
        assert edge.desk.journal.take() is None, "it was taken up to be written"
    with edge.desk.database.read() as tx:
        assert accesses.count(tx, accesses.NO_CASE) == 1
