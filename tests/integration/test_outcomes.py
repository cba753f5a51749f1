"""What a department does, and what comes of it: the rows of docs/outcomes.md that need no socket (PD-06, PD-10, PD-16).

``way``: as a message of its own (GraphQL), or as a whole record, sent in its own format or read from its system.
"""

from __future__ import annotations

from typing import Any

import pytest

from gateway.domain.deadlines import ClockKind
from gateway.domain.department import Certificate, Outcome, Payment, PaymentState, Record
from gateway.domain.messages import Code, Refused
from gateway.services import case_care, reading, revocation, write_back
from gateway.services.write_back import Ack, AckOutcome
from gateway.store.cases import Actor
from tests.builders import AFTERCARE, DUTY, World, codes, hz_account, hz_deceased, hz_form, moment, payment
from tests.builders import SHEN_LIJUAN as ANOTHER

POLICE, HUKOU = "public-security", "hukou-deregistration"
INSURANCE, MEDICAL = "medical-insurance", "medical-account-settlement"
PENSION_OFFICE, PENSION = "social-security", "pension-funeral-bereavement-claim"
BALANCE = f"{MEDICAL}:1"
APPLIED, REPEATED, REFUSED = AckOutcome.APPLIED, AckOutcome.REPEATED, AckOutcome.REFUSED

both_ways = pytest.mark.parametrize("way", ["message", "record"])


@pytest.fixture
def pushed(world: World) -> World:
    """Everything after the cremation lies with the departments; the family has given its account."""
    return world.until_cremation(hz_form(account=hz_account())).at("2025-11-11 10:00")


def send(world: World, way: str, serial: str, department: str, slug: str, outcome: Outcome, **more: Any) -> Ack:
    """One fact, by either way; ``serial`` is the message's own."""
    on = more.pop("on", world.now)
    if way == "message":
        return world.report(department, slug, serial, outcome, **more)
    record = Record(f"{world.number}.{slug}", outcome, "00", on, **more)
    return take(world, department, slug, serial, record)


def take(world: World, department: str, slug: str, serial: str, record: Record) -> Ack:
    with world.acting(Actor("department-system", department, department, department)) as ctx:
        return write_back.take(ctx, department, world.number, slug, serial, write_back.report_of(record))


def read(world: World, department: str, slug: str, record: Record) -> Ack:
    """The record as the gateway reads it, under the serial it makes for it."""
    return take(world, department, slug, write_back.record_serial(record), record)


def money(world: World, way: str, serial: str, state: PaymentState, on: str | None = None, **more: Any) -> Ack:
    """What became of the balance of the medical account."""
    at = moment(on) if on else world.now
    fen = more.pop("fen", 120345)
    found = Payment(more.pop("number", "1"), "MEDICAL_ACCOUNT_BALANCE", fen, state, at, **more)
    if way == "message":
        return world.report(INSURANCE, MEDICAL, serial, payments=(found,))
    record = Record(f"{world.number}.{MEDICAL}", Outcome.ACCEPTED, "00", world.now, payments=(found,))
    return take(world, INSURANCE, MEDICAL, serial, record)


def reason(ack: Ack) -> str | None:
    return ack.reason.code.value if ack.reason is not None else None


def why(world: World, slug: str) -> list[Code]:
    case = world.case()
    policy = world.policies.version(case.jurisdiction, case.policy_version)
    return [found.reason.code for found in reading.obstacles(world.policies, policy, case) if found.item == slug]


# ── results ─────────────────────────────────────────────────────────────────────────────────────────────


@both_ways
@pytest.mark.rule("PD-02", "PD-06")
def test_slow_a_result_after_its_day_is_taken_and_stays_late(pushed: World, way: str) -> None:
    late = pushed.at("2025-12-24 10:00")
    assert [found.slug for found in late.supervision().overdue if found.slug == HUKOU] == [HUKOU]
    assert send(late, way, "p-1", POLICE, HUKOU, Outcome.COMPLETED).outcome is APPLIED
    assert (late.status(HUKOU), late.deadline(HUKOU).state) == ("COMPLETED", "MISSED")


@both_ways
@pytest.mark.rule("PD-06")
def test_contradictory_of_two_results_the_first_stands_and_the_second_is_kept(pushed: World, way: str) -> None:
    send(pushed, way, "p-1", POLICE, HUKOU, Outcome.COMPLETED)
    before = pushed.item(HUKOU)
    second = send(pushed.at("2025-11-12 10:00"), way, "p-2", POLICE, HUKOU, Outcome.REFUSED, reason="查无此人")
    assert (second.outcome, reason(second)) == (REFUSED, "CONFLICT")
    assert pushed.item(HUKOU) == before
    assert [(kept.serial, kept.summary) for kept in pushed.refused()] == [("p-2", "REFUSED")]


@both_ways
@pytest.mark.rule("PD-06")
def test_half_a_refused_message_is_not_taken(pushed: World, way: str) -> None:
    """The result is right, its sum is not one of this item: neither stays."""
    sums = (payment("1", "FUNERAL_GRANT", 480000),)
    ack = send(pushed, way, "m-1", INSURANCE, MEDICAL, Outcome.COMPLETED, payments=sums)
    assert (ack.outcome, reason(ack)) == (REFUSED, "OPTION_UNKNOWN")
    assert (pushed.status(MEDICAL), pushed.case().payouts) == ("DISPATCHED", {})


@both_ways
@pytest.mark.rule("PD-06")
def test_wrong_department_changes_nothing(pushed: World, way: str) -> None:
    ack = send(pushed, way, "g-1", "housing-fund", MEDICAL, Outcome.COMPLETED)
    assert (ack.outcome, reason(ack), pushed.status(MEDICAL)) == (REFUSED, "NOT_OWNER", "DISPATCHED")
    assert [kept.department for kept in pushed.refused()] == ["housing-fund"]


@both_ways
@pytest.mark.rule("PD-06")
def test_another_cases_key_finishes_nothing_that_was_not_pushed_there(pushed: World, way: str) -> None:
    mine = pushed.number
    other = hz_form(deceased=hz_deceased(id_number=ANOTHER))
    pushed.submit(other)
    ack = send(pushed, way, "p-1", POLICE, HUKOU, Outcome.COMPLETED)
    assert (ack.outcome, reason(ack)) == (REFUSED, "NOT_DISPATCHED")
    pushed.number = mine
    assert pushed.status(HUKOU) == "DISPATCHED"


@both_ways
@pytest.mark.rule("PD-06")
def test_out_of_order_a_result_before_acceptance_and_acceptance_behind_it(pushed: World, way: str) -> None:
    assert send(pushed, way, "p-1", POLICE, HUKOU, Outcome.COMPLETED, reference="G1").outcome is APPLIED
    behind = send(pushed, way, "p-2", POLICE, HUKOU, Outcome.ACCEPTED, reference="G1")
    assert behind.outcome is (REFUSED if way == "message" else REPEATED)
    assert pushed.status(HUKOU) == "COMPLETED"


@pytest.mark.rule("PD-06")
@pytest.mark.parametrize("first", ["sent", "read"])
def test_twice_the_same_record_sent_and_read_is_one(pushed: World, first: str) -> None:
    record = Record(f"{pushed.number}.{HUKOU}", Outcome.ACCEPTED, "20", pushed.now, "G1")
    ways = [lambda: take(pushed, POLICE, HUKOU, "jg-1", record), lambda: read(pushed, POLICE, HUKOU, record)]
    one, two = ways if first == "sent" else reversed(ways)
    assert one().outcome is APPLIED
    first_at, length = pushed.now, len(pushed.ledger())
    again = (pushed.at("2025-11-12 10:00") and two)()
    assert (again.outcome, again.at, len(pushed.ledger())) == (REPEATED, first_at, length)


@pytest.mark.rule("PD-06", "PD-08")
def test_an_old_round_asks_nobody_twice(pushed: World) -> None:
    """The department asked; the record is read, the family answers; then the message of the first round arrives."""
    asked = Record(f"{pushed.number}.{PENSION}", Outcome.CORRECTION, "40", pushed.now, reason="材料不清")
    assert read(pushed, PENSION_OFFICE, PENSION, asked).outcome is APPLIED
    with pushed.at("2025-11-12 10:00").acting() as ctx:
        case_care.answer_correction(ctx, pushed.number, PENSION, "已补传")
    assert take(pushed, PENSION_OFFICE, PENSION, "s-1", asked).outcome is REPEATED
    newer = Record(f"{pushed.number}.{PENSION}", Outcome.CORRECTION, "40", pushed.now, reason="材料仍不清")
    assert take(pushed, PENSION_OFFICE, PENSION, "s-2", newer).outcome is REPEATED, "the answer is on its way to it"
    assert pushed.status(PENSION) == "DISPATCHED"
    pushed.delivered(PENSION)
    assert take(pushed, PENSION_OFFICE, PENSION, "s-1b", asked).outcome is REPEATED
    assert pushed.status(PENSION) == "DISPATCHED"
    later = Record(
        f"{pushed.number}.{PENSION}", Outcome.CORRECTION, "40", moment("2025-11-13 09:00"), reason="还缺一页"
    )
    assert take(pushed.at("2025-11-13 09:00"), PENSION_OFFICE, PENSION, "s-3", later).outcome is APPLIED
    assert pushed.status(PENSION) == "CORRECTION_REQUIRED"


@both_ways
@pytest.mark.rule("PD-06")
def test_a_result_refused_for_what_has_changed_since_is_judged_again(world: World, way: str) -> None:
    world.submit(hz_form())
    written = world.now
    early = send(world, way, "p-1", POLICE, HUKOU, Outcome.COMPLETED, on=written)
    assert reason(early) == "NOT_DISPATCHED"
    world.at("2025-11-08 21:30").certify_death()
    world.book_funeral()
    world.at("2025-11-10 09:30").cremate()
    again = send(world, way, "p-1", POLICE, HUKOU, Outcome.COMPLETED, on=written)
    assert (again.outcome, world.status(HUKOU)) == (APPLIED, "COMPLETED")


@both_ways
@pytest.mark.rule("PD-06")
def test_a_message_whose_handling_broke_before_it_was_written_down_is_taken_when_it_comes_again(
    world: World, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.until_cremation().at("2025-11-11 10:00")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("power loss")

    with monkeypatch.context() as patched:
        patched.setattr(write_back.seen, "remember", broken)
        with pytest.raises(RuntimeError):
            send(world, way, "p-1", POLICE, HUKOU, Outcome.COMPLETED)
    assert world.status(HUKOU) == "DISPATCHED"
    assert send(world, way, "p-1", POLICE, HUKOU, Outcome.COMPLETED).outcome is APPLIED
    assert world.faults() == []


@both_ways
@pytest.mark.rule("PD-06")
@pytest.mark.parametrize("serial", ["9" * 300, "a\x00b", "回传" * 60])
def test_a_serial_no_table_holds_is_known_again_all_the_same(pushed: World, way: str, serial: str) -> None:
    assert send(pushed, way, serial, POLICE, HUKOU, Outcome.ACCEPTED).outcome is APPLIED
    assert send(pushed, way, serial, POLICE, HUKOU, Outcome.ACCEPTED).outcome is REPEATED
    other = send(pushed, way, serial, POLICE, HUKOU, Outcome.REFUSED, reason="查无此人")
    assert reason(other) == "CONFLICT"


@both_ways
@pytest.mark.rule("PD-06")
@pytest.mark.parametrize("slug", ["x" * 300, "a\x00b", ""])
def test_an_unknown_item_is_refused_and_kept(pushed: World, way: str, slug: str) -> None:
    assert reason(send(pushed, way, "p-1", POLICE, slug, Outcome.COMPLETED)) == "ITEM_NOT_IN_CASE"
    assert [kept.slug for kept in pushed.refused()] == [slug]


@both_ways
@pytest.mark.rule("PD-06")
@pytest.mark.parametrize("number", ["HZ1", "a\x00b", "9" * 300, ""])
def test_an_unknown_case_is_refused(pushed: World, way: str, number: str) -> None:
    pushed.number = number
    with pytest.raises(Refused) as refused:
        send(pushed, way, "p-1", POLICE, HUKOU, Outcome.COMPLETED)
    assert codes(refused.value) == ["CASE_NOT_FOUND"]


@pytest.mark.rule("PD-16", "HZ-904")
def test_never_answered_is_shown_as_waiting_and_then_as_overdue(world: World) -> None:
    world.until_cremation()
    slug = HUKOU
    world.delivered(slug)
    assert why(world, slug) == [Code.WAITS_FOR_DEPARTMENT]
    assert world.deadline(slug).state == "RUNNING"
    world.at("2025-12-24 10:00")
    assert (world.deadline(slug).state, world.status(slug)) == ("OVERDUE", "DISPATCHED")
    assert slug in [found.slug for found in world.supervision().overdue]


@both_ways
@pytest.mark.rule("PD-08")
def test_after_closing_another_result_changes_nothing_and_opens_nothing(pushed: World, way: str) -> None:
    pushed.complete(*AFTERCARE)
    with pushed.acting(DUTY) as ctx:
        case_care.complete_in_platform(ctx, pushed.number, "ashes-burial-information", {})
    assert pushed.case().status == "CLOSED"
    assert reason(send(pushed, way, "p-9", POLICE, HUKOU, Outcome.REFUSED, reason="查无此人")) == "CONFLICT"
    assert (pushed.case().status, pushed.status(HUKOU)) == ("CLOSED", "COMPLETED")


@both_ways
@pytest.mark.rule("PD-06")
def test_after_a_revocation_a_result_is_refused_and_kept(pushed: World, way: str) -> None:
    with pushed.acting(DUTY) as ctx:
        revocation.revoke(ctx, pushed.number, "误报")
    assert reason(send(pushed, way, "p-1", POLICE, HUKOU, Outcome.COMPLETED)) == "CASE_REVOKED"
    assert (pushed.status(HUKOU), len(pushed.refused())) == ("DISPATCHED", 1)


@pytest.mark.rule("PD-06")
def test_times_before_the_push_are_the_departments_own(world: World) -> None:
    """A certificate may be older than the question for it: its date is its issuer's, our time of receipt is ours."""
    world.submit(hz_form())
    old = Certificate("DEATH_MEDICAL", "D-1", moment("2025-11-07 20:30"))
    assert world.report("health", "death-cert-normal", "h-1", Outcome.COMPLETED, certificates=(old,)).outcome is APPLIED
    found = world.case().certificate("DEATH_MEDICAL")
    assert found is not None and (found.issued_at, found.recorded_at) == (old.issued_at, world.now)


# ── money ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("PD-06", "PD-20")
def test_paid_before_anybody_was_told_an_account_is_recorded_as_paid(world: World) -> None:
    world.until_cremation().at("2025-11-11 10:00")
    money(world, "message", "m-1", PaymentState.APPROVED)
    assert world.payout(BALANCE).status == "HELD"
    assert money(world, "message", "m-2", PaymentState.PAID).outcome is APPLIED
    assert (world.payout(BALANCE).status, world.payout(BALANCE).hold) == ("PAID", None)


@both_ways
@pytest.mark.rule("PD-06")
def test_paid_twice_is_paid_once_and_at_the_first_time(pushed: World, way: str) -> None:
    money(pushed, way, "m-1", PaymentState.APPROVED)
    money(pushed, way, "m-2", PaymentState.PAID)
    pushed.at("2025-11-12 10:00")
    assert money(pushed, way, "m-3", PaymentState.PAID).outcome is REPEATED
    assert pushed.payout(BALANCE).paid_at == moment("2025-11-11 10:00")


@pytest.mark.rule("PD-06", "PD-13")
def test_the_same_money_approved_under_another_number_is_refused_and_never_ordered(pushed: World) -> None:
    money(pushed, "message", "m-1", PaymentState.APPROVED)
    queued = len(pushed.queued)
    assert reason(money(pushed, "message", "m-2", PaymentState.APPROVED, number="2")) == "CONFLICT"
    assert list(pushed.case().payouts) == [BALANCE] and len(pushed.queued) == queued
    other = money(pushed, "message", "m-3", PaymentState.APPROVED, number="3", fen=120346)
    assert other.outcome is APPLIED, "another amount is another sum"


@both_ways
@pytest.mark.rule("HZ-701")
def test_returned_twice_is_returned_once(pushed: World, way: str) -> None:
    money(pushed, way, "m-1", PaymentState.APPROVED)
    money(pushed, way, "m-2", PaymentState.RETURNED, "2025-11-11 10:00", reason="户名不符")
    ack = money(pushed.at("2025-11-12 10:00"), way, "m-3", PaymentState.RETURNED, reason="户名不符")
    assert (ack.outcome, pushed.payout(BALANCE).returned_at) == (REPEATED, moment("2025-11-11 10:00"))


@both_ways
@pytest.mark.rule("HZ-701")
def test_a_return_reported_again_after_the_new_account_is_no_second_return(pushed: World, way: str) -> None:
    money(pushed, way, "m-1", PaymentState.APPROVED)
    money(pushed, way, "m-2", PaymentState.RETURNED, "2025-11-11 10:00", reason="户名不符")
    pushed.at("2025-11-12 10:00").give_account(hz_account(number="6228480402564890018"))
    again = money(pushed, way, "m-3", PaymentState.RETURNED, "2025-11-11 10:00", reason="户名不符")
    assert (again.outcome, pushed.payout(BALANCE).status) == (REPEATED, "INSTRUCTED")
    second = money(pushed, way, "m-4", PaymentState.RETURNED, "2025-11-12 10:00", reason="账户已销")
    assert (second.outcome, pushed.payout(BALANCE).return_reason) == (APPLIED, "账户已销")


@both_ways
@pytest.mark.rule("HZ-701", "PD-06")
def test_a_payment_older_than_the_return_that_is_known_changes_nothing(pushed: World, way: str) -> None:
    money(pushed, way, "m-1", PaymentState.APPROVED)
    pushed.at("2025-11-13 10:00")
    money(pushed, way, "m-3", PaymentState.RETURNED, "2025-11-12 10:00", reason="户名不符")
    late = money(pushed, way, "m-2", PaymentState.PAID, "2025-11-11 12:00")
    assert (late.outcome, late.reason, pushed.payout(BALANCE).status) == (REPEATED, None, "RETURNED")
    assert why(pushed, MEDICAL) == [Code.WAITS_FOR_DEPARTMENT, Code.PAYOUT_RETURNED]


@pytest.mark.rule("PD-06")
@pytest.mark.parametrize("state", [PaymentState.PAID, PaymentState.RETURNED])
def test_money_that_moves_on_a_day_to_come_is_refused(pushed: World, state: PaymentState) -> None:
    money(pushed, "message", "m-1", PaymentState.APPROVED)
    ahead = money(pushed, "message", "m-2", state, "2025-11-12 00:00")
    assert reason(ahead) == "FIELD_INVALID"
    assert pushed.payout(BALANCE).status == "INSTRUCTED"
    assert money(pushed, "message", "m-3", state, "2025-11-11 23:59").outcome is APPLIED, "clocks differ"


@pytest.mark.rule("PD-06")
def test_a_time_of_payment_far_ahead_in_a_record_does_not_hide_the_return(pushed: World) -> None:
    money(pushed, "record", "m-1", PaymentState.PAID, "2035-01-01 00:00")
    assert pushed.payout(BALANCE).status == "PAID"
    back = money(pushed.at("2025-11-12 10:00"), "record", "m-2", PaymentState.RETURNED, reason="户名不符")
    assert (back.outcome, pushed.payout(BALANCE).status) == (APPLIED, "RETURNED")


@both_ways
@pytest.mark.rule("PD-06")
@pytest.mark.parametrize("number", ["", "9" * 65, "1\x002"])
def test_a_sum_without_a_usable_number_is_refused(pushed: World, way: str, number: str) -> None:
    assert reason(money(pushed, way, "m-1", PaymentState.APPROVED, number=number)) == "FIELD_INVALID"
    assert pushed.case().payouts == {}


@both_ways
@pytest.mark.rule("PD-04", "HZ-702")
def test_money_never_paid_is_shown_as_waiting_and_then_as_overdue(pushed: World, way: str) -> None:
    balance = payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345)
    send(pushed, way, "m-1", INSURANCE, MEDICAL, Outcome.COMPLETED, payments=(balance,))
    assert why(pushed, MEDICAL) == [Code.WAITS_FOR_PAYOUT]
    pushed.at("2025-12-24 10:00")
    assert pushed.deadline(MEDICAL, ClockKind.PAYOUT).state == "OVERDUE"
    assert (MEDICAL, "PAYOUT") in [(found.slug, found.clock) for found in pushed.supervision().overdue]
