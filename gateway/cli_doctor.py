"""``shenhou doctor``: compares ledger, present state, the durable engine and the departments; heals what can be healed.

It works beside a running gateway, on both databases, and does in one go what the gateway's own sweep does in pages.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from gateway.domain.findings import Finding, Standing

if TYPE_CHECKING:  # the libraries below are loaded when the command runs, not for every command
    from gateway.main import Application
    from gateway.services.context import Ctx
    from gateway.worker.engine_view import Failure, Queue

out = Console()
SHOWN_FAILURES = 5
WORDS = {
    Standing.HEALED: "[green]healed[/green]",
    Standing.HEALABLE: "can be healed",
    Standing.WAITING: "[dim]to be looked at again[/dim]",
    Standing.PERSON: "[red]needs a person[/red]",
}


@dataclass(frozen=True, slots=True)
class DepartmentState:
    """One department, as our own records tell it."""

    department: str
    connected: bool
    pending: int
    """Items on their way to it."""
    failing: int
    """Those of them whose last attempt failed."""
    failing_since: datetime | None
    given_up: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands beside the findings."""

    queues: list[Queue]
    executors: dict[str, bool]
    """Name → whether its heartbeat is fresh."""
    departments: list[DepartmentState]
    failures: list[Failure]


def doctor(
    heal: Annotated[bool, typer.Option("--heal", help="Heal what can be healed; without it, only report.")] = False,
    case: Annotated[str | None, typer.Option(help="Number of one case or shared record; otherwise all.")] = None,
    departments: Annotated[bool, typer.Option(help="Ask the departments as well.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Compare ledgers, present state, the engine's work and the departments' records; heal what can be healed.

    Exit code 1 when something needs a person.  docs/doctor.md says what each finding means and what to do.
    """
    from adapters.kit.registry import manifests, sources
    from gateway import main as joined
    from gateway import settings
    from gateway.policy.loader import PolicyMistake

    try:
        application = joined.create(settings.read(codes=(*manifests(), *sources())))
    except (settings.BadSetting, PolicyMistake) as error:
        typer.echo(f"setting or policy: {error}", err=True)
        raise typer.Exit(2) from error
    found, facts = asyncio.run(_examine(application, heal, case, departments))
    if as_json:
        typer.echo(json.dumps(_plain(found, facts), ensure_ascii=False, indent=2))
    else:
        _print(found, facts, heal)
    raise typer.Exit(1 if any(finding.standing is Standing.PERSON for finding in found) else 0)


async def _examine(
    application: Application, heal: bool, case: str | None, departments: bool
) -> tuple[list[Finding], Facts]:
    desk = application.desk
    application.repair.engine.connect()
    try:
        found = await application.repair.whole(heal, case, departments)
        facts = await desk.look(None, lambda ctx: _facts(ctx, application))
    finally:
        for adapter in application.outward.departments.values():
            await adapter.close()
        for source in desk.lookups.sources.values():
            await source.close()
        desk.database.dispose()
        desk.threads.shutdown(wait=False)
    return found, facts


def _facts(ctx: Ctx, application: Application) -> Facts:
    from gateway.worker import engine_view

    engine = engine_view.snapshot(ctx.tx)
    fresh = application.repair.engine.now()
    return Facts(
        engine_view.queues(engine),
        {name: until >= fresh for name, until in sorted(engine.executors.items())},
        _departments(ctx, application),
        engine_view.failures(ctx.tx, SHOWN_FAILURES),
    )


def _departments(ctx: Ctx, application: Application) -> list[DepartmentState]:
    from sqlalchemy import func, select

    from gateway.store.tables import items

    c = items.c
    statement = select(
        c.reached_through,
        c.delivery,
        func.count().label("many"),
        func.count(c.failing_since).label("failing"),
        func.min(c.failing_since, type_=c.failing_since.type).label("since"),
    ).where(c.reached_through.is_not(None), c.delivery.in_(("PENDING", "FAILED")))
    rows = list(ctx.tx.connection.execute(statement.group_by(c.reached_through, c.delivery)))
    known = {*application.outward.departments, *(row.reached_through for row in rows)}
    made = []
    for code in sorted(known):
        pending = next((row for row in rows if (row.reached_through, row.delivery) == (code, "PENDING")), None)
        failed = next((row for row in rows if (row.reached_through, row.delivery) == (code, "FAILED")), None)
        made.append(
            DepartmentState(
                code,
                code in application.outward.departments,
                pending.many if pending else 0,
                pending.failing if pending else 0,
                pending.since if pending else None,
                failed.many if failed else 0,
            )
        )
    return made


# ── for people ──────────────────────────────────────────────────────────────────────────────────────────


def _print(found: Sequence[Finding], facts: Facts, heal: bool) -> None:
    if found:
        table = Table("code", "number", "where", "what", "standing", title="findings")
        for finding in sorted(found, key=lambda one: (one.standing, one.code, one.number, one.place)):
            text = f"{finding.zh()}\n[dim]{finding.en()}[/dim]"
            table.add_row(finding.code, finding.number, finding.place, text, WORDS[finding.standing])
        out.print(table)
    states = {one.department: one for one in facts.departments}
    queues = {one.department: one for one in facts.queues}
    table = Table("department", "connected", "waiting", "delayed", "running", "oldest", "failing since", "given up")
    for code in sorted({*states, *queues}):
        queue, state = queues.get(code), states.get(code)
        table.add_row(
            code or "—",
            "yes" if state and state.connected else "no",
            *([str(queue.waiting), str(queue.delayed), str(queue.running)] if queue else ["0"] * 3),
            _age(queue.oldest if queue else None),
            _age(state.failing_since if state else None),
            str(state.given_up if state else 0),
        )
    out.print(table)
    alive = [name for name, fresh in facts.executors.items() if fresh]
    out.print(f"gateways alive: {', '.join(alive) or 'none'}")
    for failure in facts.failures:
        out.print(f"[yellow]{failure.status}[/yellow] {failure.id} {failure.at:%Y-%m-%d %H:%M:%S}Z")
    out.print(_verdict(found, heal))


def _verdict(found: Sequence[Finding], heal: bool) -> str:
    """One line: how many of which standing, and what to do."""
    if not found:
        return "[green]All is as the ledgers say.[/green]"
    many = Counter(finding.standing for finding in found)
    parts = [f"{many[standing]} {WORDS[standing]}" for standing in Standing if many[standing]]
    hint = "  `shenhou doctor --heal` heals." if many[Standing.HEALABLE] and not heal else ""
    return f"{len(found)} findings: {', '.join(parts)}.{hint}"


def _age(since: datetime | None) -> str:
    if since is None:
        return "—"
    return str(timedelta(seconds=max(0, int((datetime.now(UTC) - since).total_seconds()))))


# ── for programs ────────────────────────────────────────────────────────────────────────────────────────


def _plain(found: Sequence[Finding], facts: Facts) -> dict[str, Any]:
    return {
        "findings": [
            {
                "code": finding.code,
                "number": finding.number,
                "where": finding.place,
                "standing": finding.standing,
                "zh": finding.zh(),
                "en": finding.en(),
            }
            for finding in found
        ],
        "needsPerson": sum(finding.standing is Standing.PERSON for finding in found),
        "queues": [
            {
                "department": queue.department,
                "waiting": queue.waiting,
                "delayed": queue.delayed,
                "running": queue.running,
                "oldest": queue.oldest.isoformat() if queue.oldest else None,
            }
            for queue in facts.queues
        ],
        "executors": facts.executors,
        "departments": [
            {
                "department": state.department,
                "connected": state.connected,
                "pending": state.pending,
                "failing": state.failing,
                "failingSince": state.failing_since.isoformat() if state.failing_since else None,
                "givenUp": state.given_up,
            }
            for state in facts.departments
        ],
        "failures": [
            {"id": failure.id, "status": failure.status, "at": failure.at.isoformat()} for failure in facts.failures
        ],
    }
