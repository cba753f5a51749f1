"""Deliveries: the ladder of attempts, the operator's redrive, and one idempotency key for all of it (PD-16)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.domain.department import Application, Outcome, Receipt
from gateway.domain.messages import Refused
from gateway.services import case_care, dispatch
from tests.builders import World, codes, hz_account, hz_form, moment, payment

pytestmark = pytest.mark.databases

SLUG = "housing-fund-death-withdrawal"
LADDER = (10.0, 60.0, 600.0)


@pytest.fixture
def pushed(world: World) -> World:
    world.until_cremation()
    return world


def application(world: World, slug: str = SLUG) -> Application | None:
    with world.acting() as ctx:
        return dispatch.application(ctx, world.number, slug)


def redrive(world: World, slug: str = SLUG) -> None:
    with world.acting() as ctx:
        dispatch.redrive(ctx, world.number, slug)


@pytest.mark.rule("PD-16")
def test_a_failure_is_recorded_together_with_the_next_attempt(pushed: World) -> None:
    for attempt, pause in enumerate(LADDER, start=1):
        pushed.not_delivered(SLUG, LADDER)
        delivery = pushed.item(SLUG).delivery
        assert (delivery.state, delivery.attempts, delivery.last_error) == ("PENDING", attempt, "timeout")
        assert delivery.next_attempt_at == pushed.now + timedelta(seconds=pause)
        work = pushed.queued[-1]
        assert (work.name, work.args, work.delay_s) == ("deliver", (pushed.number, SLUG), pause)
        pushed.now += timedelta(seconds=pause)
    assert len({work.id for work in pushed.queued}) == len(pushed.queued), "each attempt is work of its own"


@pytest.mark.rule("PD-16")
def test_after_the_last_attempt_it_shows_failed_and_nothing_is_queued(pushed: World) -> None:
    for _ in LADDER:
        pushed.not_delivered(SLUG, LADDER)
    queued = len(pushed.queued)
    pushed.not_delivered(SLUG, LADDER)
    delivery = pushed.item(SLUG).delivery
    assert (delivery.state, delivery.next_attempt_at, delivery.attempts) == ("FAILED", None, 4)
    assert len(pushed.queued) == queued
    assert pushed.status(SLUG) == "DISPATCHED", "the item still runs"
    assert pushed.supervision().undeliverable == 1
    assert application(pushed) is None


@pytest.mark.rule("PD-16")
def test_what_the_department_will_never_take_is_not_tried_again(pushed: World) -> None:
    pushed.not_delivered(SLUG, LADDER, retryable=False)
    assert pushed.item(SLUG).delivery.state == "FAILED"


@pytest.mark.rule("PD-16", "AS-18")
def test_since_when_the_department_is_silent_is_the_first_failure(pushed: World) -> None:
    pushed.at("2025-11-10 09:31").not_delivered(SLUG, LADDER)
    pushed.at("2025-11-10 09:45").not_delivered(SLUG, LADDER)
    assert pushed.item(SLUG).delivery.failing_since == moment("2025-11-10 09:31")
    pushed.at("2025-11-10 10:00").delivered(SLUG)
    delivery = pushed.item(SLUG).delivery
    assert (delivery.state, delivery.failing_since, delivery.last_error) == ("DELIVERED", None, None)
    assert delivery.delivered_at == moment("2025-11-10 10:00")


@pytest.mark.rule("PD-16")
def test_an_operator_drives_it_again_from_the_first_step_of_the_ladder(pushed: World) -> None:
    for _ in range(4):
        pushed.not_delivered(SLUG, LADDER)
    redrive(pushed)
    assert pushed.item(SLUG).delivery.state == "PENDING"
    assert (pushed.queued[-1].args, pushed.queued[-1].delay_s) == ((pushed.number, SLUG), 0.0)
    pushed.not_delivered(SLUG, LADDER)
    assert pushed.queued[-1].delay_s == LADDER[0]
    assert len({work.id for work in pushed.queued}) == len(pushed.queued)


@pytest.mark.rule("PD-16")
@pytest.mark.parametrize("how", ["delivered", "final", "platform"])
def test_there_is_nothing_to_drive(pushed: World, how: str) -> None:
    slug = SLUG
    if how == "delivered":
        pushed.delivered(SLUG)
    elif how == "final":
        pushed.complete(SLUG)
    else:
        slug = "ashes-burial-information"
    with pytest.raises(Refused) as refused:
        redrive(pushed, slug)
    assert codes(refused.value) == ["ACTION_NOT_POSSIBLE"]


@pytest.mark.rule("PD-16", "AS-18")
def test_the_idempotency_key_is_the_same_however_often_it_is_sent(pushed: World) -> None:
    keys = []
    for _ in range(4):
        sent = application(pushed)
        assert sent is not None
        keys.append(sent.key)
        pushed.not_delivered(SLUG, LADDER)
    redrive(pushed)
    again = application(pushed)
    assert again is not None
    assert {*keys, again.key} == {f"{pushed.number}.{SLUG}"}
    assert len(again.key) <= 64 and again.key.isascii()


@pytest.mark.rule("PD-16")
def test_nothing_is_sent_twice_after_it_arrived(pushed: World) -> None:
    pushed.delivered(SLUG)
    assert application(pushed) is None
    length = len(pushed.ledger())
    pushed.delivered(SLUG)
    pushed.not_delivered(SLUG)
    assert len(pushed.ledger()) == length, "a late echo of an earlier attempt"


@pytest.mark.rule("PD-16")
def test_a_result_ends_the_attempts(pushed: World) -> None:
    pushed.not_delivered(SLUG)
    pushed.complete(SLUG)
    assert application(pushed) is None


@pytest.mark.rule("PD-08")
@pytest.mark.parametrize(
    "outcome, status",
    [
        (Outcome.RECEIVED, "DISPATCHED"),
        (Outcome.ACCEPTED, "ACCEPTED"),
        (Outcome.COMPLETED, "COMPLETED"),
        (Outcome.NOT_APPLICABLE, "NOT_APPLICABLE"),
    ],
)
def test_what_the_department_says_at_once_is_its_first_result(pushed: World, outcome: Outcome, status: str) -> None:
    pushed.delivered(SLUG, outcome, "GJJ-1")
    assert (pushed.status(SLUG), pushed.item(SLUG).reference) == (status, "GJJ-1")


@pytest.mark.rule("PD-08", "PD-16")
def test_a_corrected_application_is_sent_again_under_the_same_key_and_accepted_again(pushed: World) -> None:
    pushed.delivered(SLUG, Outcome.ACCEPTED, "GJJ-1")
    pushed.report("housing-fund", SLUG, "g-1", Outcome.CORRECTION, reason="姓名有误")
    with pushed.acting() as ctx:
        case_care.answer_correction(ctx, pushed.number, SLUG, "已更正")
    assert pushed.queued[-1].args == (pushed.number, SLUG)
    sent = application(pushed)
    assert sent is not None
    assert (sent.key, sent.correction, sent.correction_answer) == (f"{pushed.number}.{SLUG}", 1, "已更正")
    pushed.delivered(SLUG, Outcome.ACCEPTED, "GJJ-1")
    assert pushed.status(SLUG) == "ACCEPTED"


@pytest.mark.rule("PD-16", "HZ-701")
def test_an_instruction_has_the_same_ladder(world: World) -> None:
    world.until_cremation(hz_form(account=hz_account()))
    sums = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    world.report("medical-insurance", "medical-account-settlement", "m-1", payments=sums)
    payout = "medical-account-settlement:1"
    keys = set()
    for _ in range(2):
        with world.acting() as ctx:
            told = dispatch.instruction(ctx, world.number, payout)
            assert told is not None
            keys.add(told.key)
            dispatch.not_instructed(ctx, world.number, payout, "timeout", (10.0,), retryable=True)
    assert len(keys) == 1
    assert world.queued[-1].name == "instruct" and world.queued[-1].delay_s == 10.0
    assert world.payout(payout).delivery.state == "FAILED"
    with world.acting() as ctx:
        assert dispatch.instruction(ctx, world.number, payout) is None


@pytest.mark.rule("HZ-701")
def test_a_delivered_instruction_is_not_told_again(world: World) -> None:
    world.until_cremation(hz_form(account=hz_account()))
    sums = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    world.report("medical-insurance", "medical-account-settlement", "m-1", payments=sums)
    payout = "medical-account-settlement:1"
    with world.acting() as ctx:
        dispatch.instructed(ctx, world.number, payout, Receipt(Outcome.RECEIVED, None, "0"))
        assert dispatch.instruction(ctx, world.number, payout) is None
    assert world.payout(payout).delivery.state == "DELIVERED"
