"""A department that is down is left alone, probed, and gets everything that waited when it is back (PD-16)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.department import DepartmentError, DepartmentRejected, DepartmentUnavailable, Outcome, Receipt
from gateway.domain.exchange import Exchange
from gateway.domain.identity import check_digit
from gateway.domain.link import Breaker, Link, LinkState, Window
from gateway.domain.messages import Refused
from gateway.services import links, sending
from gateway.services.sending import Push
from gateway.store import links as store
from gateway.store.session import Database
from tests.builders import OUTWARD, SHANGHAI, World, codes, hz_account, hz_deceased, hz_form, payment

pytestmark = pytest.mark.databases
SOCIAL, MONEY = "social-security", "retirement-pension-stop"
CLAIM = "pension-funeral-bereavement-claim"
LADDER = (10.0, 60.0)
ANOTHER = "33050219400101331" + check_digit("33050219400101331")
BREAKER = Breaker(failures=3, rejections=3, probes_s=(10, 60))


@pytest.fixture
def world(database: Database) -> World:
    made = World(database, outward=replace(OUTWARD, breaker=BREAKER))
    made.until_cremation()
    made.queued.clear()
    return made


def begin(world: World, slug: str = MONEY) -> Push | None:
    with world.acting() as ctx:
        return sending.begin_push(ctx, world.number, slug)


def fail(world: World, slug: str = MONEY, error: DepartmentError | None = None) -> None:
    push = begin(world, slug)
    assert push is not None
    with world.acting() as ctx:
        sending.not_pushed(ctx, push, error or DepartmentUnavailable("no answer"), Exchange(), LADDER)


def arrive(world: World, slug: str = MONEY) -> None:
    push = begin(world, slug)
    assert push is not None
    with world.acting() as ctx:
        sending.pushed(ctx, push, Receipt(Outcome.RECEIVED, "R", "00"), Exchange())


def down(world: World) -> World:
    """Three calls without an answer: two of one item, one of another."""
    fail(world, MONEY)
    fail(world, MONEY)
    fail(world, CLAIM)
    world.queued.clear()
    return world


def link(world: World, code: str = SOCIAL) -> Link:
    with world.database.read() as tx:
        return store.get(tx, code)


def tend(world: World, code: str = SOCIAL) -> bool:
    """One turn of the recurring work.  Returns whether a probe went out."""
    with world.acting() as ctx:
        sent = links.probe(ctx, code)
    with world.acting() as ctx:
        found = links.releasable(ctx, code)
        if found is not None:
            for page in list(store.waiting(ctx.tx, code, 1)):
                links.release(ctx, code, page, "turn")
            links.released(ctx, code, found.parked_at)
    return sent


def queued(world: World) -> set[tuple[str, ...]]:
    return {work.args for work in world.queued}


@pytest.mark.rule("PD-16")
def test_down_nothing_goes_out_and_no_attempt_is_used_up(world: World) -> None:
    down(world)
    before = world.item(CLAIM).delivery.attempts
    assert link(world).state is LinkState.DOWN
    assert begin(world, CLAIM) is None and begin(world, MONEY) is None
    assert world.item(CLAIM).delivery.attempts == before
    assert begin(world, "hukou-deregistration") is not None, "other departments are not concerned"


@pytest.mark.rule("PD-16")
def test_a_probe_that_fails_is_no_attempt_of_the_item_it_was_taken_from(world: World) -> None:
    down(world)
    ledger = world.case().revision
    world.now += timedelta(seconds=10)
    assert tend(world)
    [probe] = world.queued
    fail(world, probe.args[1])
    found = link(world)
    assert (found.state, found.probes, found.probe_at) == (LinkState.DOWN, 1, world.now + timedelta(seconds=60))
    assert world.case().revision == ledger


@pytest.mark.rule("PD-16")
def test_a_department_that_is_back_gets_everything_that_waited(world: World) -> None:
    down(world)
    begin(world, CLAIM)
    world.now += timedelta(days=1)
    assert tend(world)
    [probe] = world.queued
    arrive(world, probe.args[1])
    world.queued.clear()
    assert link(world).state is LinkState.UP
    tend(world)
    [other] = {CLAIM, MONEY} - {probe.args[1]}
    assert (world.number, other) in queued(world)
    assert link(world).parked_at is None
    world.queued.clear()
    tend(world)
    assert world.queued == [], "once"


@pytest.mark.rule("PD-16")
def test_what_is_kept_back_during_the_release_is_released_in_the_next_turn(world: World) -> None:
    down(world)
    world.now += timedelta(seconds=10)
    with world.acting() as ctx:
        links.resume(ctx, SOCIAL)
        found = links.releasable(ctx, SOCIAL)
        assert found is not None
    world.now += timedelta(seconds=1)
    with world.acting() as ctx:
        links.pause(ctx, SOCIAL, world.now + timedelta(minutes=5), "维护")
    assert begin(world, CLAIM) is None
    with world.acting() as ctx:
        links.released(ctx, SOCIAL, found.parked_at)
    world.now += timedelta(minutes=6)
    tend(world)
    assert (world.number, CLAIM) in queued(world)


@pytest.mark.rule("PD-16")
def test_business_faults_one_after_the_other_are_the_departments_fault(world: World) -> None:
    for slug in (MONEY, CLAIM):
        fail(world, slug, DepartmentRejected("code 99"))
    assert world.item(CLAIM).delivery.state == "FAILED", "one application that is rejected is not sent again by itself"
    assert link(world).state is LinkState.UP
    world.submit(hz_form("PENSION_RETIREE", deceased=hz_deceased(id_number=ANOTHER)))
    world.certify_death(), world.book_funeral(), world.cremate()
    fail(world, CLAIM, DepartmentRejected("code 99"))
    found = link(world)
    assert (found.state, found.error) == (LinkState.DOWN, "code 99")


@pytest.mark.rule("PD-16")
def test_nothing_waits_so_nothing_has_to_be_protected(world: World) -> None:
    down(world)
    world.complete(MONEY, CLAIM)
    world.now += timedelta(seconds=10)
    assert not tend(world)
    assert link(world).state is LinkState.UP


@pytest.mark.rule("PD-16")
def test_in_a_maintenance_window_everything_waits_and_goes_out_when_it_is_over(world: World) -> None:
    windows = {SOCIAL: (Window.read("daily 09:00-10:00", SHANGHAI),)}
    world.outward = replace(world.outward, windows=windows)
    assert begin(world) is None
    tend(world)
    assert world.queued == []
    world.at("2025-11-10 10:00")
    tend(world)
    assert {(world.number, MONEY), (world.number, CLAIM)} <= queued(world)
    assert begin(world) is not None


@pytest.mark.rule("PD-16")
def test_an_operator_pauses_and_resumes(world: World) -> None:
    with world.acting() as ctx:
        links.pause(ctx, SOCIAL, world.now + timedelta(hours=2), "升级")
    assert begin(world) is None
    with world.acting() as ctx, pytest.raises(Refused) as refused:
        links.pause(ctx, SOCIAL, world.now, "太晚")
    assert codes(refused.value) == ["FIELD_INVALID"]
    with world.acting() as ctx:
        links.resume(ctx, SOCIAL)
    tend(world)
    assert (world.number, MONEY) in queued(world)
    with world.acting() as ctx, pytest.raises(Refused) as refused:
        links.resume(ctx, "nobody")
    assert codes(refused.value) == ["OPTION_UNKNOWN"]


@pytest.mark.rule("PD-16")
def test_all_that_was_given_up_for_a_department_is_driven_again(world: World) -> None:
    for slug in (MONEY, CLAIM):
        world.not_delivered(slug, (), True)
    world.not_delivered("hukou-deregistration", (), True)
    with world.acting() as ctx:
        assert links.redrive(ctx, SOCIAL, ("3301",), 10) == 0, "cases of other areas are not theirs"
        assert links.redrive(ctx, SOCIAL, ("3305",), 1) == 1
        assert links.redrive(ctx, SOCIAL, None, 10) == 1
        assert links.redrive(ctx, SOCIAL, None, 10) == 0
    assert {world.item(slug).delivery.state for slug in (MONEY, CLAIM)} == {"PENDING"}
    assert world.item("hukou-deregistration").delivery.state == "FAILED"


@pytest.mark.rule("PD-16")
def test_an_account_that_could_not_be_told_is_driven_again(world: World) -> None:
    settlement = "medical-account-settlement"
    world.report("medical-insurance", settlement, "m-1", Outcome.COMPLETED)
    world.report("medical-insurance", settlement, "m-2", payments=(payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),))
    world.give_account(hz_account())
    payout = f"{settlement}:1"
    sent = _begin_instruction(world, payout)
    with world.acting() as ctx:
        sending.not_instructed(ctx, sent, DepartmentUnavailable("no answer"), Exchange(), ())
    assert world.payout(payout).delivery.state == "FAILED"
    assert world.supervision().undeliverable == 1
    world.queued.clear()
    with world.acting() as ctx:
        assert links.redrive(ctx, "medical-insurance", None, 10) == 1
    assert [work.args for work in world.queued] == [(world.number, payout)]
    again = _begin_instruction(world, payout)
    assert again.told_before and again.key == sent.key, "the department is asked first"


def _begin_instruction(world: World, payout: str) -> sending.Instruction:
    with world.acting() as ctx:
        found = sending.begin_instruction(ctx, world.number, payout)
    assert found is not None
    return found


@pytest.mark.rule("PD-16")
def test_a_push_that_was_begun_and_never_ended_is_asked_for_first(world: World) -> None:
    first = begin(world)
    again = begin(world)  # the gateway died in between: nothing was recorded
    assert first is not None and again is not None
    assert (first.told_before, again.told_before) == (False, True)
    assert first.key == again.key


@pytest.mark.rule("PD-16", "PD-06")
def test_a_departments_own_record_proves_that_a_push_whose_receipt_was_lost_arrived(world: World) -> None:
    assert begin(world) is not None  # it went out; what was answered is not known
    world.report(SOCIAL, MONEY, "read:1", Outcome.COMPLETED, reference="R-7", complete_record=True)
    delivery = world.item(MONEY).delivery
    assert (delivery.state, world.status(MONEY), world.item(MONEY).reference) == ("DELIVERED", "COMPLETED", "R-7")
    world.report(SOCIAL, CLAIM, "m-1", Outcome.ACCEPTED)
    assert world.item(CLAIM).delivery.state == "PENDING", "a person's message proves nothing of the system"
