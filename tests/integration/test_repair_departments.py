"""The repair sweep and the departments: what they lost, what we lost, and money."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from gateway.domain.department import Outcome, PaymentState, Record
from gateway.services import dispatch, revocation
from tests.builders import DUTY, World, payment
from tests.repair_stand import (
    CONFIRM_S,
    FUND,
    MEDICAL,
    POLICE,
    Stand,
    application,
    later,
)

pytestmark = pytest.mark.databases

# ── the departments ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("PD-16")
def test_what_a_department_lost_is_sent_again_under_the_same_key(underway: Stand) -> None:
    world = underway.world
    key = application_key(world, FUND)
    underway.lose(FUND)
    assert underway.doctor(heal=True) == [], "it has just been delivered"
    later(underway)
    assert underway.doctor(heal=True) == [f"NOT_KNOWN_THERE {FUND} WAITING"]
    later(underway, CONFIRM_S / 2)
    assert underway.doctor(heal=True) == [f"NOT_KNOWN_THERE {FUND} WAITING"], "two looks, but not far enough apart"
    later(underway)
    assert underway.doctor() == [f"NOT_KNOWN_THERE {FUND} HEALABLE"]
    assert world.item(FUND).delivery.state == "DELIVERED"
    assert underway.doctor(heal=True) == [f"NOT_KNOWN_THERE {FUND} HEALED"]
    sent = application(world, FUND)
    assert sent is not None and sent.key == key
    assert [type(event).__name__ for event in world.ledger()][-1] == "DeliveryLost"
    assert len(underway.live(FUND)) == 1
    assert underway.doctor(heal=True) == []


def application_key(world: World, slug: str) -> str:
    return f"{world.number}.{slug}"


@pytest.mark.rule("PD-16")
def test_what_was_missing_for_a_moment_only_is_not_sent_again(underway: Stand) -> None:
    underway.lose(FUND)
    later(underway)
    underway.doctor(heal=True)
    underway.hold(FUND)
    later(underway)
    assert underway.doctor(heal=True) == []
    underway.lose(FUND)
    later(underway)
    assert underway.doctor(heal=True) == [f"NOT_KNOWN_THERE {FUND} WAITING"], "the first look is forgotten"


def test_what_is_lost_again_and_again_is_for_a_person(underway: Stand) -> None:
    for _ in range(3):
        underway.lose(FUND)
        for _ in range(2):
            later(underway)
            last = underway.doctor(heal=True)
        assert last == [f"NOT_KNOWN_THERE {FUND} HEALED"]
        underway.deliver_all()
    underway.lose(FUND)
    later(underway)
    assert underway.doctor(heal=True) == [f"NOT_KNOWN_THERE {FUND} PERSON"]


@pytest.mark.rule("PD-06")
def test_a_result_that_never_came_is_taken(underway: Stand) -> None:
    underway.hold(FUND, Outcome.REFUSED, reason="账户已封存")
    underway.must_heal(f"RESULT_NOT_TAKEN {FUND}")
    assert underway.world.status(FUND) == "REFUSED"


@pytest.mark.rule("PD-06", "HZ-701")
def test_a_payment_that_never_was_told_is_taken(underway: Stand) -> None:
    world = underway.world
    underway.hold(MEDICAL, Outcome.COMPLETED, payments=(payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345, on=world.now),))
    underway.must_heal(f"RESULT_NOT_TAKEN {MEDICAL}")
    assert world.payout(f"{MEDICAL}:1").fen == 120345


def test_a_reversal_that_was_answered_or_lost(underway: Stand) -> None:
    world = underway.world
    with world.acting(DUTY) as ctx:
        revocation.revoke(ctx, world.number, "误报")
    from gateway.domain.department import Receipt
    from gateway.services import reversal

    told = [
        slug for slug, item in world.case().items.items() if item.reversal and item.reversal.delivery.state == "PENDING"
    ]
    for slug in told:
        with world.acting() as ctx:
            reversal.delivered(ctx, world.number, slug, Receipt(Outcome.RECEIVED, "U-1", "01"))
    underway.break_(text(f"UPDATE {underway.work} SET status='SUCCESS'"))
    for slug in told:
        put_reversal(underway, slug, Outcome.RECEIVED)
    assert underway.doctor(heal=True) == []
    put_reversal(underway, FUND, Outcome.COMPLETED)
    underway.lose(f"{POLICE}.R")
    later(underway)
    assert underway.doctor() == [
        f"RESULT_NOT_TAKEN {FUND}.R HEALABLE",
        f"NOT_KNOWN_THERE {POLICE}.R WAITING",
    ]
    later(underway)
    assert underway.doctor(heal=True) == [f"RESULT_NOT_TAKEN {FUND}.R HEALED", f"NOT_KNOWN_THERE {POLICE}.R HEALED"]
    reversed_ = world.item(FUND).reversal
    assert reversed_ is not None and reversed_.status == "COMPLETED"
    assert len(underway.live(f"{POLICE}.R")) == 1


def put_reversal(stand: Stand, slug: str, outcome: Outcome) -> None:
    definition = stand.world.policies.version("hz", "2019-10-15").item(slug)
    assert definition is not None and definition.department is not None
    key = f"{stand.world.number}.{slug}.R"
    stand.books[definition.department].records[key] = Record(key, outcome, "01", stand.world.now, "U-1")


# ── money ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("PD-06")
@pytest.mark.parametrize("how", ["amount", "gone", "not instructed"])
def test_money_is_never_healed(underway: Stand, how: str) -> None:
    from gateway.domain.department import Receipt

    world = underway.world
    approved = payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345, on=world.now)
    world.report("medical-insurance", MEDICAL, "m-1", payments=(approved,))
    with world.acting() as ctx:
        dispatch.instructed(ctx, world.number, f"{MEDICAL}:1", Receipt(Outcome.RECEIVED, None, "0"))
    underway.break_(text(f"UPDATE {underway.work} SET status='SUCCESS'"))
    ours = replace(approved, state=PaymentState.INSTRUCTED)
    underway.hold(MEDICAL, payments=(ours,))
    later(underway)
    assert underway.doctor(heal=True) == []
    books = {"amount": (replace(ours, fen=120344),), "gone": (), "not instructed": (approved,)}[how]
    underway.hold(MEDICAL, payments=books)
    assert underway.doctor(heal=True) == [f"MONEY_DIFFERS {MEDICAL}:1 WAITING"]
    later(underway)
    before = underway.image()
    assert underway.doctor(heal=True) == [f"MONEY_DIFFERS {MEDICAL}:1 PERSON"]
    assert underway.image() == before


def test_a_department_that_forgot_its_result_is_for_a_person(underway: Stand) -> None:
    world = underway.world
    world.report("medical-insurance", MEDICAL, "m-1", Outcome.COMPLETED)
    underway.hold(MEDICAL, Outcome.RECEIVED)
    later(underway)
    assert underway.doctor(heal=True) == [], "the sweep asks about what is open"
    assert underway.doctor(True, world.number) == [f"DEPARTMENT_BEHIND {MEDICAL} WAITING"]
    later(underway)
    assert underway.doctor(True, world.number) == [f"DEPARTMENT_BEHIND {MEDICAL} PERSON"]
    assert world.status(MEDICAL) == "COMPLETED"


@pytest.mark.rule("PD-06")
def test_a_contradiction_is_for_a_person_and_leaves_no_trace(underway: Stand) -> None:
    world = underway.world
    world.report("medical-insurance", MEDICAL, "m-1", Outcome.COMPLETED)
    underway.hold(MEDICAL, Outcome.REFUSED, reason="查无此人")
    before = len(world.ledger())
    assert underway.doctor(True, world.number) == [f"DEPARTMENT_CONTRADICTS {MEDICAL} PERSON"]
    assert len(world.ledger()) == before


def test_a_department_that_does_not_answer_holds_up_nothing(underway: Stand) -> None:
    underway.books["housing-fund"].away = True
    underway.hold(POLICE, Outcome.REFUSED, reason="户口不在本地")
    assert underway.doctor(heal=True) == [f"RESULT_NOT_TAKEN {POLICE} HEALED"]
