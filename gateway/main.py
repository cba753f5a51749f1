"""Joins the parts into one application.  The one place that knows all of them; nothing imports it but the CLI."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

import schema
from adapters.kit.registry import Manifest, connect, manifests
from adapters.kit.registry import sources as source_manifests
from adapters.kit.values import CHINA
from gateway.access import identity as who
from gateway.access import rights as access
from gateway.access.budgets import Budgets
from gateway.access.entrance import Entrance
from gateway.access.local_issuer import LocalIssuer
from gateway.access.rights import EVERYWHERE, MACHINE, Viewer
from gateway.access.seals import Seals
from gateway.console import documents, entry
from gateway.console import routes as console
from gateway.desk import Clock, Desk
from gateway.domain.department import Department, EvidenceSource
from gateway.domain.link import Breaker, Window
from gateway.policy import loader
from gateway.services.calendars import fill_in_due_dates
from gateway.services.context import Outward as OutwardFacts
from gateway.services.journal import FLUSH_S
from gateway.services.live_records import LiveRecords
from gateway.services.lookups import Lookups
from gateway.settings import BadSetting, Settings, variable
from gateway.store import budgets as shared_budgets
from gateway.store import checkpoints, nonces
from gateway.store.session import Database
from gateway.web import Web
from gateway.worker import inbound, uploads
from gateway.worker.engine import Engine, Limits
from gateway.worker.outward import CALLBACK_POLL_FACTOR, Outward
from gateway.worker.recurring import Recurring
from gateway.worker.repair import Pace, Repair
from gateway.worker.scanner import BadScanner, Scanner, scanner
from gateway.worker.scanning import Scanning


@dataclass(slots=True)
class Application:
    """The joined parts, for the CLI and the tests."""

    settings: Settings
    desk: Desk
    outward: Outward
    repair: Repair
    asgi: ASGIApp
    started: threading.Event
    """Set as soon as it serves."""


def create(
    settings: Settings,
    departments: Mapping[str, Department] | None = None,
    sources: Mapping[str, EvidenceSource] | None = None,
) -> Application:
    """Builds the application; nothing is opened or started before its lifespan begins.

    ``departments``, ``sources``: adapters to use instead of those connected from the settings' addresses.
    """
    known = manifests()
    adapters = dict(departments) if departments is not None else _connect(settings, known)
    database = Database(settings.database_url, settings.seal)
    rights = access.load()
    clock = Clock()
    if settings.clock_start is not None:
        clock.move_to(settings.clock_start)
    facts = OutwardFacts(
        connected=frozenset(adapters),
        instructable=frozenset(code for code in adapters if known[code].takes_instructions),
        windows={code: _windows(code, settings) for code in adapters if settings.tuned(code, "maintenance")},
        breaker=Breaker(settings.breaker_failures, settings.breaker_rejections, settings.breaker_probes_s),
    )
    live = LiveRecords(database, adapters, {code: known[code].read_timeout_s for code in adapters}, clock.now)
    desk = Desk(
        database=database,
        book=loader.load(more=settings.policy_files),
        rights=rights,
        outward=facts,
        live=live,
        clock=clock,
        sandbox=settings.mode == "development",
        seals=Seals.from_seed(settings.seal_key),
        lookups=_lookups(settings, sources),
    )
    engine = Engine(
        database=database,
        queue_poll_s=settings.queue_poll_s,
        heartbeat_s=settings.heartbeat_s,
        now=lambda: datetime.now(UTC),
        drain_s=settings.drain_s,
        limits={code: _limits(known[code], settings) for code in adapters},
    )
    outward = Outward(
        departments=adapters,
        run=lambda call, department=None: desk.change(_system(department), call),
        look=lambda call: desk.look(None, call),
        poll_s={code: _poll_s(known[code]) for code in adapters},
        ladder_s=settings.retry_ladder_s,
        engine=engine,
        lookups=desk.lookups,
        source_poll_s={code: manifest.poll_s for code, manifest in source_manifests().items()},
        checkpoint=lambda: checkpoints.keep(database, engine.now, desk.seals.statement),
    )
    started = threading.Event()
    pace = Pace(settings.repair_pause_s, settings.repair_cases, settings.repair_asked, settings.repair_confirm_s)
    repair = Repair(adapters, outward.run, outward.look, engine, pace)
    local = LocalIssuer.from_seed(settings.issuer_seed, settings.local_issuer_url) if desk.sandbox else None
    entrance = _entrance(settings, desk, local)
    scanning = Scanning(desk, engine, settings.uploads, _scanner(settings))
    budgets = Budgets(rights, partial(_draw, desk), settings.rate_limits)
    app = Starlette(
        routes=[
            *schema.routes(desk, entrance, budgets, settings, console.DOCUMENTS),
            *inbound.routes(outward, adapters, entrance, budgets, desk.note_denied),
            *documents.routes(desk, entrance, budgets),
            *uploads.routes(desk, entrance, budgets, settings.uploads, scanning.scanner),
            *(local.routes(known) if local is not None else ()),
            *entry.routes(desk.book, settings.portal_url, lambda: desk.clock.now().date()),
            *console.routes(settings.open_schema),
        ],
        lifespan=lambda _: _lifespan(desk, engine, outward, repair, scanning, entrance, started),
        max_body_size=settings.max_body_bytes,
    )
    asgi = Web(app, settings.mode == "production", settings.cors_origins, desk.note_incident)
    return Application(settings, desk, outward, repair, asgi, started)


def _system(department: str | None) -> Viewer | None:
    """Who acts when a department's own system reports; None: the gateway itself."""
    if department is None:
        return None
    return Viewer(MACHINE, EVERYWHERE, department, f"system:{department}", department)


def _lookups(settings: Settings, sources: Mapping[str, EvidenceSource] | None) -> Lookups:
    known = source_manifests()
    connected = dict(sources) if sources is not None else _connect(settings, known)
    return Lookups(connected, {code: known[code].read_timeout_s for code in connected if code in known})


def _connect(settings: Settings, known: Mapping[str, Manifest]) -> dict[str, Any]:
    return {
        code: connect(known[code], address, settings.credentials.get(code, {}))
        for code, address in settings.departments.items()
        if code in known
    }


def _limits(manifest: Manifest, settings: Settings) -> Limits:
    """What the manifest says of the system, unless the deployment knows better."""
    concurrency = settings.tuned(manifest.code, "concurrency")
    rate = settings.tuned(manifest.code, "rate_per_s") or manifest.rate_per_s
    return Limits(int(concurrency or manifest.concurrency), float(rate) if rate is not None else None)


def _windows(code: str, settings: Settings) -> tuple[Window, ...]:
    text = settings.tuned(code, "maintenance") or ""
    try:
        return tuple(Window.read(part, CHINA) for part in text.split(";") if part.strip())
    except ValueError as error:
        example = '"daily 23:30-01:00; Sat,Sun 02:00-06:00"'
        raise BadSetting(f"{variable(code, 'maintenance')} must be like {example}") from error


def _poll_s(manifest: Manifest) -> float:
    return manifest.poll_s * (CALLBACK_POLL_FACTOR if manifest.answers == "callback" else 1)


def _entrance(settings: Settings, desk: Desk, local: LocalIssuer | None) -> Entrance:
    production = settings.mode == "production"
    if settings.identity_file is None and production:
        raise BadSetting("production needs SHENHOU_IDENTITY_FILE: without it nobody could come in")

    async def remember(key: str, nonce: str, until: datetime) -> bool:
        return await desk.change(None, lambda ctx: nonces.take(ctx.tx, key, nonce, until))

    try:
        file = settings.identity_file
        found = who.load(file, desk.rights, production) if file is not None else who.Identity()
        index = desk.database.seal.pseudonym
        return Entrance.build(found, desk.rights, index, remember, settings.proxy_secret, local)
    except who.BadIdentity as error:
        raise BadSetting(f"SHENHOU_IDENTITY_FILE: {error}") from error


def _scanner(settings: Settings) -> Scanner | None:
    try:
        return scanner(settings.uploads.scanner, settings.uploads.scanner_limit_s)
    except BadScanner as error:
        raise BadSetting(f"SHENHOU_SCANNER must be like {error}") from error


async def _draw(desk: Desk, caller: str, units: float, per_minute: float) -> float:
    """The real time counts here, not a sandbox's."""
    key = desk.database.seal.indexes("caller", caller)[0]
    return await desk.change(None, lambda ctx: shared_budgets.draw(ctx.tx, key, units, per_minute, time.time()))


@contextlib.asynccontextmanager
async def _lifespan(
    desk: Desk,
    engine: Engine,
    outward: Outward,
    repair: Repair,
    scanning: Scanning,
    entrance: Entrance,
    started: threading.Event,
) -> AsyncIterator[None]:
    entrance.start()
    await asyncio.to_thread(desk.database.migrate)
    await desk.change(None, fill_in_due_dates)
    await engine.start({"deliver": outward.deliver, "instruct": outward.instruct})
    await asyncio.to_thread(engine.beat, desk.database.sqlite)
    working, writing = Recurring(), Recurring()
    working.start(*outward.recurring(), *repair.recurring(), *scanning.recurring())
    writing.start((FLUSH_S, desk.write_journal))
    started.set()
    try:
        yield
    finally:
        await working.stop()
        await entrance.stop()
        await asyncio.to_thread(engine.stop)
        await writing.finish()
        try:
            await desk.write_journal()
            for department in outward.departments.values():
                await department.close()
            for source in desk.lookups.sources.values():
                await source.close()
        finally:
            desk.database.dispose()
            desk.threads.shutdown(wait=False)
