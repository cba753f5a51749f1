"""The repair sweep and the engine: work that is lost, useless, or held by nobody that lives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, text

from gateway.services import links, revocation
from gateway.store import tables as t
from tests.builders import DUTY, payment
from tests.repair_stand import (
    FUND,
    MEDICAL,
    Stand,
    application,
    dispatch_again,
)

pytestmark = pytest.mark.databases

# ── the engine ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("PD-16")
@pytest.mark.parametrize("end", ["lost", "ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "CANCELLED", "SUCCESS"])
def test_a_push_that_no_work_carries_any_more_is_queued_again(underway: Stand, end: str) -> None:
    dispatch_again(underway, FUND)
    mine = f"workflow_uuid LIKE '%{FUND}:%' AND status = 'ENQUEUED'"
    if end == "lost":
        underway.break_(text(f"DELETE FROM {underway.work} WHERE {mine}"))
    else:
        underway.break_(text(f"UPDATE {underway.work} SET status='{end}' WHERE {mine}"))
    assert underway.live(FUND) == []
    assert underway.found()[0].facts["detail"] == ("SUCCESS" if end == "lost" else end)
    underway.must_heal(f"WORK_MISSING {FUND}")
    assert len(underway.live(FUND)) == 1
    assert application(underway.world, FUND) is not None


@pytest.mark.rule("PD-16")
def test_the_next_attempt_is_not_made_before_its_time(underway: Stand) -> None:
    dispatch_again(underway, FUND)
    underway.world.not_delivered(FUND, (600.0,))
    underway.break_(text(f"DELETE FROM {underway.work}"))
    underway.must_heal(f"WORK_MISSING {FUND}")
    assert underway.engine("status", f"workflow_uuid LIKE '%{FUND}:%'") == [("DELAYED",)]


@pytest.mark.rule("PD-16")
def test_a_reversal_and_an_instruction_are_queued_again_too(underway: Stand) -> None:
    world = underway.world
    sums = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    world.report("medical-insurance", MEDICAL, "m-1", payments=sums)
    underway.hold(MEDICAL, payments=sums)
    underway.break_(text(f"DELETE FROM {underway.work}"))
    assert underway.doctor(heal=True) == [f"WORK_MISSING {MEDICAL}:1 HEALED"]
    with world.acting(DUTY) as ctx:
        revocation.revoke(ctx, world.number, "误报")
    underway.break_(text(f"DELETE FROM {underway.work}"))
    healed = underway.doctor(heal=True)
    assert f"WORK_MISSING {FUND}.R HEALED" in healed
    assert len(underway.live(f"{FUND}.R")) == 1
    assert underway.doctor() == []


@pytest.mark.rule("PD-16")
def test_what_waits_for_a_link_that_is_down_is_no_finding(underway: Stand) -> None:
    dispatch_again(underway, FUND)
    underway.break_(text(f"DELETE FROM {underway.work}"))
    with underway.world.acting() as ctx:
        links.pause(ctx, "housing-fund", underway.world.now + timedelta(hours=1), "维护")
    underway.books["housing-fund"].asked.clear()
    assert underway.doctor(heal=True) == []
    assert underway.books["housing-fund"].asked == [], "a department that is left alone is not asked either"


def test_a_push_that_was_given_up_is_for_a_person(underway: Stand) -> None:
    dispatch_again(underway, FUND)
    underway.world.not_delivered(FUND, ())
    underway.break_(text(f"UPDATE {underway.work} SET status='SUCCESS'"))
    assert underway.doctor(heal=True) == [f"PUSH_GIVEN_UP {FUND} PERSON"]


def test_work_for_which_there_is_nothing_to_do_is_taken_out(underway: Stand) -> None:
    dispatch_again(underway, FUND)
    underway.world.not_delivered(FUND, (600.0,))  # the next attempt waits …
    underway.break_(text(f"UPDATE {underway.work} SET status='SUCCESS' WHERE status='ENQUEUED'"))
    underway.world.delivered(FUND)  # … and the one before arrived after all
    underway.must_heal("WORK_WITHOUT_PURPOSE housing-fund")
    assert underway.live(FUND) == []


def test_work_of_a_process_that_is_gone_goes_back_into_its_queue(underway: Stand) -> None:
    dispatch_again(underway, FUND)
    long_ago = int((datetime.now(UTC) - timedelta(minutes=10)).timestamp() * 1000)
    taken = f"status='PENDING', executor_id='gateway-dead', started_at_epoch_ms={long_ago}"
    underway.break_(text(f"UPDATE {underway.work} SET {taken} WHERE status='ENQUEUED'"))
    queue = underway.engine("queue_name, queue_partition_key", "status='PENDING'")
    underway.must_heal("EXECUTOR_GONE gateway-dead")
    assert underway.engine("queue_name, queue_partition_key", "status='ENQUEUED'") == queue


def test_work_of_a_process_that_lives_is_left_to_it(underway: Stand) -> None:
    dispatch_again(underway, FUND)
    long_ago = int((datetime.now(UTC) - timedelta(minutes=10)).timestamp() * 1000)
    taken = f"status='PENDING', executor_id='gateway-live', started_at_epoch_ms={long_ago}"
    until = datetime.now(UTC) + timedelta(seconds=5)
    lease = insert(t.leases).values(name="executor:gateway-live", holder="gateway-live", until=until)
    underway.break_(text(f"UPDATE {underway.work} SET {taken} WHERE status='ENQUEUED'"), lease)
    assert underway.doctor(heal=True) == []
