"""Sweeps: in any order, at once, in pages; and who sees what they told (HZ-816, HZ-901)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test
from sqlalchemy import update

from gateway.access import rights
from gateway.access.rights import Viewer
from gateway.access.sight import see
from gateway.domain import events as e
from gateway.domain.alerts import AlertKind
from gateway.domain.identity import check_digit
from gateway.domain.states import ITEM, PAYOUT
from gateway.services import reminders
from gateway.store.tables import cases
from tests.builders import World, huzhou, hz_deceased, hz_form, moment
from tests.integration.test_random_walk import Walk
from tests.supervised import GATEWAY, supervised, sweep, worklist

HUKOU = "hukou-deregistration"
FACTS = (e.Reminded, e.Overdue, e.Escalated)


@pytest.fixture
def late(world: World) -> World:
    """A week after the cremation nobody has done anything."""
    return world.until_cremation(hz_form("MEDICAL_EMPLOYEE"))


# ── at once, again, and in pages ────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("PD-06", "HZ-901")
def test_two_sweeps_at_once_record_each_fact_once(late: World) -> None:
    late.at("2025-11-14 09:00")
    found = Barrier(2)

    def one(_: int) -> int:
        with late.database.read() as tx:
            ((_, number),) = reminders.due(late.ctx(tx))
        found.wait(30)
        with late.acting(GATEWAY) as ctx:
            return reminders.attend(ctx, number)

    with ThreadPoolExecutor(2) as pool:
        recorded = sorted(pool.map(one, range(2)))
    told_of = [event.slug for event in late.ledger() if isinstance(event, e.Overdue)]
    assert recorded == [0, len(told_of)] and len(told_of) == len(set(told_of)) > 1
    assert late.faults() == []


def test_a_sweep_goes_on_behind_the_first_page_and_past_a_case_that_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "PAGE", 2)
    numbers = []
    for index in range(5):
        stem = f"3305021939101{index:04d}"
        deceased = hz_deceased(id_number=stem + check_digit(stem))
        world.at("2025-11-07 22:10").submit(hz_form(deceased=deceased))
        numbers.append(world.number)
    attend = reminders.attend

    def fails(ctx: Any, number: str) -> int:
        if number in numbers[:2]:
            raise ValueError("damaged")
        return attend(ctx, number)

    monkeypatch.setattr(reminders, "attend", fails)
    world.at("2025-11-10 09:00")
    sweep(world)
    overdue = {number for number in numbers if world.case(number).alerts}
    assert overdue == {*numbers[2:]}
    with world.database.read() as tx:
        assert [number for _, number in reminders.due(world.ctx(tx))] == numbers[:2]


def test_what_has_nothing_due_costs_nothing(late: World) -> None:
    sweep(late.at("2026-01-14 09:00"))
    with late.database.read() as tx:
        assert reminders.due(late.at("2030-01-01 00:00").ctx(tx)) == []


@pytest.mark.rule("HZ-901")
def test_a_case_that_is_looked_at_too_early_is_looked_at_again_in_time(late: World) -> None:
    """As after an upgrade, or a corrected calendar: the row says when to look, the case what is due."""
    late.at("2025-11-13 09:00")
    with late.database.write() as tx:
        tx.connection.execute(update(cases).values(attention_at=moment("2025-11-10 09:30")))
    assert sweep(late) == 0
    with late.database.read() as tx:
        assert reminders.due(late.ctx(tx)) == []
    assert sweep(late.at("2025-11-14 09:00")) > 1


# ── who sees it ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("HZ-816", "PD-15")
def test_the_worklist_is_the_oldest_first_of_the_area_of_the_department_and_of_the_kind(world: World) -> None:
    world.until_cremation(hz_form("MEDICAL_EMPLOYEE")).at("2025-11-14 08:00").not_delivered(HUKOU, ())
    sweep(world.at("2025-11-14 09:00"))
    everything = worklist(world)
    assert len(everything) > 2
    kinds = [key.split("|")[0] for key in everything]
    assert kinds == [*["OVERDUE"] * (len(kinds) - 1), "ESCALATED"], "the push was given up this morning"
    police = worklist(world, department="public-security")
    assert len(police) == 2 and all(HUKOU in key for key in police)
    assert len(worklist(world, department="public-security", kinds=(AlertKind.OVERDUE,))) == 1
    assert worklist(world, areas=("330503",)) == [] and worklist(world, areas=("3305",)) == everything
    paged: list[str] = []
    after = None
    with world.database.read() as tx:
        while rows := reminders.worklist(world.ctx(tx), reminders.Wanted(), after, 1)[0]:
            ((since, number, key),) = rows
            paged.append(key)
            after = (since, f"{number} {key}")
    assert paged == everything


@pytest.mark.rule("HZ-816", "PD-15")
@pytest.mark.parametrize(
    "role, department, kinds",
    [
        ("specialist", "public-security", {"OVERDUE"}),
        ("specialist", "medical-insurance", {"OVERDUE"}),
        ("supervisor", None, {"OVERDUE", "ESCALATED"}),
        ("duty-person", None, {"OVERDUE", "ESCALATED"}),
    ],
)
def test_a_department_sees_what_is_its_own_and_not_what_went_to_the_supervisor(
    world: World, role: str, department: str | None, kinds: set[str]
) -> None:
    world.until_cremation(hz_form("MEDICAL_EMPLOYEE")).not_delivered(HUKOU, ())
    sweep(world.at("2025-11-14 09:00"))
    viewer = Viewer(role, "330500", "某", "s", department)
    shown = see(rights.load(), viewer, huzhou(), world.case())
    assert shown is not None
    assert {alert.kind.value for alert in shown.alerts.values()} == kinds
    owners = {huzhou().item(alert.item or "").department for alert in shown.alerts.values()}  # type: ignore[union-attr]
    assert department is None or owners == {department}


# ── any order ───────────────────────────────────────────────────────────────────────────────────────────


class SweptWalk(Walk):
    """Use cases in any order, with sweeps between them and a clock that also goes back."""

    def __init__(self) -> None:
        super().__init__()
        periods = {"remind_before": 1, "escalate_after": (5, "HOURS"), "follow_up_after": 1}
        self.world.policies = supervised(**periods)

    @rule()
    def a_sweep(self) -> None:
        before, known = self.world.case(), len(self.world.ledger())
        sweep(self.world)
        for event in self.world.ledger()[known:]:
            assert isinstance(event, FACTS), "a sweep only tells"
            self.still_to_do(before, event)
        assert sweep(self.world) == 0

    @rule(hours=st.integers(1, 72))
    def the_clock_goes_back(self, hours: int) -> None:
        self.world.now -= timedelta(hours=hours)

    @rule()
    def a_week_passes(self) -> None:
        self.world.now += timedelta(days=7)

    def still_to_do(self, case: Any, event: Any) -> None:
        item = case.items.get(event.slug)
        if event.clock == "PROCESSING":
            assert item.status not in ITEM.final
        elif event.clock == "PAYOUT":
            sums = [payout for payout in case.payouts.values() if payout.item == event.slug and payout.fen > 0]
            assert item.status not in ITEM.final or any(payout.status not in PAYOUT.final for payout in sums)
        if isinstance(event, e.Overdue):
            assert event.due_at < self.world.now
        if isinstance(event, e.Reminded):
            assert self.world.now <= event.due_at

    @invariant()
    def each_fact_is_recorded_once(self) -> None:
        if not self.world.number:
            return
        facts = Counter(
            (event.type, event.slug, event.clock, getattr(event, "payout", None), getattr(event, "since", None))
            if isinstance(event, e.Escalated)
            else (event.type, event.slug, event.clock, event.due_at)
            for event in self.world.ledger()
            if isinstance(event, FACTS)
        )
        assert [fact for fact, times in facts.items() if times > 1] == []


@pytest.mark.rule("HZ-901", "HZ-903", "PD-06")
def test_in_any_order_each_fact_is_told_at_most_once_and_never_of_what_is_done() -> None:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    chosen = settings(max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(SweptWalk, settings=chosen)
