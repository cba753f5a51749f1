"""Money: whose account, what is held, and that an approved amount never changes (PD-10, PD-20, HZ-701…705)."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.domain.deadlines import ClockKind
from gateway.domain.department import Outcome, PaymentState, Receipt
from gateway.domain.messages import Refused
from gateway.services import dispatch
from gateway.services.write_back import Ack, AckOutcome
from tests.builders import DUTY, World, codes, hz_account, hz_form, moment, payment

MEDICAL = "medical-account-settlement"
PENSION = "pension-funeral-bereavement-claim"
BALANCE = f"{MEDICAL}:1"
GRANT = f"{PENSION}:1"


def reason(ack: Ack) -> str | None:
    return ack.reason.code.value if ack.reason is not None else None


def settle(world: World, state: PaymentState, serial: str, fen: int = 120345, **more: Any) -> Ack:
    sums = (payment("1", "MEDICAL_ACCOUNT_BALANCE", fen, state, on=world.now, **more.pop("of_payment", {})),)
    return world.report("medical-insurance", MEDICAL, serial, payments=sums, **more)


@pytest.fixture
def cremated(world: World) -> World:
    return world.until_cremation().at("2025-11-11 10:00")


@pytest.fixture
def with_account(world: World) -> World:
    return world.until_cremation(hz_form(account=hz_account())).at("2025-11-11 10:00")


@pytest.mark.rule("PD-20", "HZ-702", "S-10")
def test_money_without_a_payee_rule_is_held_whatever_account_is_known(with_account: World) -> None:
    sums = (payment("1", "FUNERAL_GRANT", 480000), payment("2", "BEREAVEMENT_PAYMENT", 1200000))
    queued = len(with_account.queued)
    with_account.report("social-security", PENSION, "s-1", Outcome.COMPLETED, payments=sums)
    for name in (GRANT, f"{PENSION}:2"):
        payout = with_account.payout(name)
        assert (payout.status, payout.account) == ("HELD", None)
        assert payout.hold is not None and payout.hold.code == "PAYEE_RULE_NOT_CONFIGURED"
        assert "PD-20" in payout.hold.ids
        with with_account.acting() as ctx:
            assert dispatch.instruction(ctx, with_account.number, name) is None
    assert len(with_account.queued) == queued, "never sent to the nearest known account"


@pytest.mark.rule("HZ-701", "HZ-616", "C-14")
def test_the_medical_balance_goes_to_the_account_the_family_designated(with_account: World) -> None:
    settle(with_account, PaymentState.APPROVED, "m-1")
    payout = with_account.payout(BALANCE)
    assert (payout.status, payout.fen) == ("INSTRUCTED", 120345)
    assert payout.account is not None and payout.account.holder == "沈丽娟"
    assert with_account.queued[-1].name == "instruct"
    with with_account.acting() as ctx:
        told = dispatch.instruction(ctx, with_account.number, BALANCE)
    assert told is not None and (told.fen, told.account.number) == (120345, payout.account.number)


@pytest.mark.rule("HZ-701", "PD-20", "PD-23")
def test_an_account_given_later_releases_what_waited_for_it(cremated: World) -> None:
    settle(cremated, PaymentState.APPROVED, "m-1")
    sums = (payment("1", "FUNERAL_GRANT", 480000),)
    cremated.report("social-security", PENSION, "s-1", payments=sums)
    held = cremated.payout(BALANCE)
    assert held.status == "HELD" and held.hold is not None and held.hold.code == "ACCOUNT_NOT_GIVEN"
    cremated.at("2025-11-12 10:00").give_account()
    assert (cremated.payout(BALANCE).status, cremated.payout(GRANT).status) == ("INSTRUCTED", "HELD")


@pytest.mark.rule("PD-23", "HZ-701")
@pytest.mark.parametrize(
    "changes, code",
    [({"number": "12"}, "FIELD_INVALID"), ({"number": ""}, "FIELD_REQUIRED"), ({"holder": None}, "FIELD_REQUIRED")],
)
def test_a_later_account_is_checked_like_the_first(cremated: World, changes: dict[str, Any], code: str) -> None:
    settle(cremated, PaymentState.APPROVED, "m-1")
    with pytest.raises(Refused) as refused:
        cremated.give_account(hz_account(**changes))
    assert codes(refused.value) == [code]
    assert cremated.payout(BALANCE).status == "HELD"


@pytest.mark.rule("HZ-701")
def test_returned_money_goes_to_the_new_account_and_is_paid(with_account: World) -> None:
    settle(with_account, PaymentState.APPROVED, "m-1")
    with with_account.acting() as ctx:
        first = dispatch.instruction(ctx, with_account.number, BALANCE)
        dispatch.instructed(ctx, with_account.number, BALANCE, Receipt(Outcome.RECEIVED, "Z", "0"))
    settle(with_account.at("2025-11-12 10:00"), PaymentState.RETURNED, "m-2", of_payment={"reason": "户名不符"})
    returned = with_account.payout(BALANCE)
    assert (returned.status, returned.return_reason) == ("RETURNED", "户名不符")
    with_account.at("2025-11-13 10:00").give_account(hz_account(number="6228480402564890018"))
    with with_account.acting() as ctx:
        second = dispatch.instruction(ctx, with_account.number, BALANCE)
    assert first is not None and second is not None
    assert second.account.number == "6228480402564890018"
    assert first.key != second.key, "another instruction, not the first one repeated"
    settle(with_account.at("2025-11-14 10:00"), PaymentState.PAID, "m-3")
    paid = with_account.payout(BALANCE)
    assert (paid.status, paid.paid_at, paid.fen) == ("PAID", moment("2025-11-14 10:00"), 120345)


@pytest.mark.rule("HZ-701")
def test_money_may_come_back_after_it_was_paid(with_account: World) -> None:
    settle(with_account, PaymentState.APPROVED, "m-1")
    settle(with_account, PaymentState.PAID, "m-2")
    settle(with_account, PaymentState.RETURNED, "m-3", of_payment={"reason": "账户已销"})
    assert (with_account.payout(BALANCE).status, with_account.payout(BALANCE).paid_at) == ("RETURNED", None)


@pytest.mark.rule("PD-10")
@pytest.mark.parametrize("fen", [-20050, 0])
def test_a_negative_balance_pays_nothing_and_is_never_overdue(with_account: World, fen: int) -> None:
    queued = len(with_account.queued)
    settle(with_account, PaymentState.APPROVED, "m-1", fen, outcome=Outcome.COMPLETED)
    payout = with_account.payout(BALANCE)
    assert (payout.status, payout.fen) == ("HELD", fen)
    assert payout.hold is not None and payout.hold.code == "NEGATIVE_BALANCE"
    assert len(with_account.queued) == queued
    assert with_account.at("2025-12-24 10:00").deadline(MEDICAL, ClockKind.PAYOUT).state == "CLOSED"
    assert all(found.slug != MEDICAL for found in with_account.supervision().overdue)


@pytest.mark.rule("PD-10")
@pytest.mark.parametrize("state", [PaymentState.INSTRUCTED, PaymentState.PAID])
def test_there_is_never_a_negative_payment(with_account: World, state: PaymentState) -> None:
    settle(with_account, PaymentState.APPROVED, "m-1", -20050)
    assert reason(settle(with_account, state, "m-2", -20050)) == "CONFLICT"
    assert with_account.payout(BALANCE).status == "HELD"


@pytest.mark.rule("PD-13", "HZ-607")
def test_a_payment_on_an_item_without_payout_is_refused(cremated: World) -> None:
    sums = (payment("1", "FUNERAL_GRANT", 480000),)
    ack = cremated.report("public-security", "hukou-deregistration", "p-1", Outcome.COMPLETED, payments=sums)
    assert reason(ack) == "PAYOUT_NOT_ALLOWED"
    assert cremated.status("hukou-deregistration") == "DISPATCHED", "nothing of the message is taken"
    assert cremated.case().payouts == {}


@pytest.mark.rule("HZ-702")
def test_a_kind_of_payment_of_another_item_is_refused(cremated: World) -> None:
    sums = (payment("1", "HOUSING_FUND_BALANCE", 480000),)
    assert reason(cremated.report("social-security", PENSION, "s-1", payments=sums)) == "OPTION_UNKNOWN"


@pytest.mark.rule("PD-06")
@pytest.mark.parametrize("state", [PaymentState.PAID, PaymentState.INSTRUCTED, PaymentState.RETURNED])
def test_a_message_cannot_pay_what_was_not_approved(with_account: World, state: PaymentState) -> None:
    assert reason(settle(with_account, state, "m-1")) == "PAYOUT_UNKNOWN"
    assert with_account.case().payouts == {}
    assert len(with_account.refused()) == 1


@pytest.mark.rule("PD-06", "PD-16")
@pytest.mark.parametrize(
    "state, status",
    [
        (PaymentState.PAID, "PAID"),
        (PaymentState.INSTRUCTED, "INSTRUCTED"),
        (PaymentState.RETURNED, "RETURNED"),
    ],
)
def test_a_whole_record_may_show_a_later_state_at_once(cremated: World, state: PaymentState, status: str) -> None:
    ack = settle(cremated, state, "read:1", complete_record=True, of_payment={"reason": "户名不符"})
    assert ack.outcome is AckOutcome.APPLIED
    assert cremated.payout(BALANCE).status == status


@pytest.mark.rule("PD-06")
def test_an_old_payment_state_read_late_changes_nothing(with_account: World) -> None:
    settle(with_account, PaymentState.APPROVED, "m-1")
    settle(with_account, PaymentState.PAID, "m-2")
    ack = settle(with_account, PaymentState.INSTRUCTED, "read:1", complete_record=True)
    assert (ack.reason, with_account.payout(BALANCE).status) == (None, "PAID")


@pytest.mark.rule("PD-06", "PD-13")
@pytest.mark.parametrize("state", PaymentState)
@pytest.mark.parametrize("whole", [True, False])
def test_an_amount_never_changes(with_account: World, state: PaymentState, whole: bool) -> None:
    settle(with_account, PaymentState.APPROVED, "m-1", 120345)
    ack = settle(with_account, state, "m-2", 120346, complete_record=whole)
    assert reason(ack) == "CONFLICT"
    assert with_account.payout(BALANCE).fen == 120345


@pytest.mark.rule("PD-06")
def test_no_money_on_a_refused_item(cremated: World) -> None:
    cremated.report("medical-insurance", MEDICAL, "m-1", Outcome.REFUSED, reason="无账户")
    assert reason(settle(cremated, PaymentState.APPROVED, "m-2")) == "CONFLICT"


@pytest.mark.rule("HZ-629", "HZ-705")
def test_the_bank_pays_the_heirs_by_itself(world: World) -> None:
    from tests.integration.test_gates import attach

    world.until_cremation(hz_form("BANK_ACCOUNTS", account=hz_account()))
    attach(world.at("2025-11-20 10:00"))
    sums = (payment("1", "DEPOSIT", 10000000),)
    world.report("bank", "bank-asset-disposal", "b-1", payments=sums)
    payout = world.payout("bank-asset-disposal:1")
    assert (payout.status, payout.account) == ("APPROVED", None)


@pytest.mark.rule("HZ-702", "PD-04")
@pytest.mark.parametrize("paid, state", [("2025-11-24 23:00", "MET"), ("2025-11-25 00:01", "MISSED")])
def test_the_payout_clock_runs_from_the_push_until_all_sums_are_paid(cremated: World, paid: str, state: str) -> None:
    grant, bereavement = ("1", "FUNERAL_GRANT", 480000), ("2", "BEREAVEMENT_PAYMENT", 1200000)
    sums = (payment(*grant), payment(*bereavement))
    cremated.report("social-security", PENSION, "s-1", Outcome.COMPLETED, payments=sums)
    first = (payment(*grant, PaymentState.PAID, on=moment("2025-11-20 10:00")),)
    cremated.at("2025-11-20 10:00").report("social-security", PENSION, "s-2", payments=first)
    assert cremated.deadline(PENSION, ClockKind.PAYOUT).state == "RUNNING"
    second = (payment(*bereavement, PaymentState.PAID, on=moment(paid)),)
    cremated.at(paid).report("social-security", PENSION, "s-3", payments=second)
    found = cremated.deadline(PENSION, ClockKind.PAYOUT)
    assert (found.started_at, found.state) == (moment("2025-11-10 09:30"), state)


@pytest.mark.rule("PD-04", "S-02")
def test_the_payout_clock_may_start_with_the_approval(world: World) -> None:
    from dataclasses import replace

    policy = world.policies.version("hz", "2019-10-15").model_copy(update={"payout_clock_start": "APPROVAL"})
    world.policies = replace(world.policies, jurisdictions=(policy,))
    world.until_cremation(hz_form(account=hz_account()))
    assert world.deadline(MEDICAL, ClockKind.PAYOUT).state == "NOT_STARTED"
    settle(world.at("2025-11-13 10:00"), PaymentState.APPROVED, "m-1")
    found = world.deadline(MEDICAL, ClockKind.PAYOUT)
    assert (found.started_at, found.due_at) == (moment("2025-11-13 10:00"), moment("2025-11-21 00:00"))


@pytest.mark.rule("PD-08")
def test_money_still_moves_after_the_case_is_closed(with_account: World) -> None:
    from gateway.services import case_care
    from tests.builders import AFTERCARE

    settle(with_account, PaymentState.APPROVED, "m-1")
    with_account.complete(*AFTERCARE)
    with with_account.acting(DUTY) as ctx:
        case_care.complete_in_platform(ctx, with_account.number, "ashes-burial-information", {})
    assert with_account.case().status == "CLOSED"
    settle(with_account, PaymentState.PAID, "m-2")
    assert (with_account.payout(BALANCE).status, with_account.case().status) == ("PAID", "CLOSED")
