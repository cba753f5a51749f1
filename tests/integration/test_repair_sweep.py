"""The repair sweep goes in turns, comes to no harm beside other work, and its guide is whole."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from gateway.domain.case import Case
from gateway.domain.department import Outcome
from gateway.domain.findings import TEXTS, FindingCode
from gateway.services import dispatch, health
from gateway.services.context import Ctx
from gateway.store import tables as t
from tests.repair_stand import (
    FUND,
    Stand,
    another,
    dispatch_again,
)

# ── turns ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_turn_is_bounded_and_the_next_one_goes_on_where_it_stopped(underway: Stand) -> None:
    first = underway.world.number
    for person in range(2):
        underway.world.submit(another(person))
        underway.deliver_all()
    underway.repair.pace = replace(underway.repair.pace, cases=1, asked=1)
    underway.break_(update(t.cases).values(name_index="x"))
    healed = [found.number for _ in range(3) for found in asyncio.run(underway.repair.turn()) if found.number]
    assert len(set(healed)) == 3 and healed[0] == first
    questions = underway.books["health"].asked
    assert all(len({key.split(".")[0] for key in keys}) == 1 for keys in questions)
    for _ in range(2):
        assert asyncio.run(underway.repair.turn()) == []
    with underway.database.read() as tx:
        seen = health.health(underway.world.ctx(tx))
    assert seen.finished_at is not None
    assert [(one.code, one.standing, one.count) for one in seen.findings] == [("ROWS_DIFFER", "HEALED", 3)]


def test_a_finding_that_went_away_by_itself_is_forgotten(underway: Stand) -> None:
    dispatch_again(underway, FUND)
    underway.world.not_delivered(FUND, ())
    asyncio.run(underway.repair.turn())
    with underway.world.acting() as ctx:
        dispatch.redrive(ctx, underway.world.number, FUND)
    underway.world.delivered(FUND)
    asyncio.run(underway.repair.turn())
    with underway.database.read() as tx:
        seen = health.health(underway.world.ctx(tx))
    assert [one for one in seen.findings if one.code == "PUSH_GIVEN_UP"] == []


def test_a_case_that_changes_between_the_look_and_the_healing_comes_to_no_harm(underway: Stand) -> None:
    """Somebody else writes the very case while the sweep is at it: after the look, before the lock."""
    world, plain = underway.world, underway.run
    underway.break_(update(t.items).where(t.items.c.slug == FUND).values(status="COMPLETED"))
    done: list[Case] = []

    async def run(call: Any, department: str | None = None) -> Any:
        if not done:
            done.append(world.case())
            world.report("housing-fund", FUND, "g-1", Outcome.ACCEPTED, reference="GJJ-1")
        return await plain(call, department)

    underway.repair.run = run
    assert underway.doctor(heal=True) == []
    assert world.status(FUND) == "ACCEPTED" and world.faults() == []


@pytest.mark.tampers
def test_one_case_that_cannot_be_examined_does_not_stop_the_sweep(underway: Stand) -> None:
    first = underway.world.number
    underway.world.submit(another(0))
    underway.deliver_all()
    with underway.world.acting() as ctx:
        ctx.tx.connection.execute(update(t.cases).where(t.cases.c.number == first).values(body=b"x"))
    original = Ctx.policy

    def policy(self: Ctx, case: Case) -> Any:
        if case.number == first:
            raise RuntimeError(case.deceased.name)
        return original(self, case)

    Ctx.policy = policy  # type: ignore[method-assign]
    try:
        found = underway.found(heal=True)
    finally:
        Ctx.policy = original  # type: ignore[method-assign]
    assert [(one.code, one.number, dict(one.facts)) for one in found] == [
        ("NOT_EXAMINED", first, {"detail": "RuntimeError"})
    ]


def test_the_guide_says_what_to_do_about_every_finding() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
    told = page.partition("## Findings")[2].partition("## Settings")[0]
    assert re.findall(r"^\| `([A-Z_]+)` \|", told, re.M) == list(FindingCode)
    assert set(TEXTS) == set(FindingCode)
