"""温州市, the money: a named payee, the negative medical account deducted in either order, a shortfall for a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.domain.department import Outcome, PaymentState, Receipt
from gateway.domain.form import AccountForm, PersonForm
from gateway.domain.messages import Refused
from gateway.policy import decide
from gateway.policy.loader import DATA, load
from gateway.services import case_care, correction, dispatch, reading, revocation
from gateway.services.correction import Changes
from gateway.services.write_back import AckOutcome
from gateway.store.session import Database
from tests.builders import DUTY, World, codes, moment, payment
from tests.uxin import sent
from tests.wenzhou import (
    CARD,
    FUNERAL,
    HUKOU,
    MEDICAL,
    PENSION,
    XIAOMIN,
    approve,
    connected,
    faults,
    pension_answers,
    policy,
    refused,
    settles,
    synchronise,
    until_data,
    wz_form,
)

GRANT, BEREAVEMENT = f"{PENSION}:1", f"{PENSION}:2"
BROTHER = PersonForm("陈晓东", id_number="330302197506150012", relation="CHILD")
OTHER_CARD = "6230520850000999888"


@pytest.fixture
def wenzhou(database: Database) -> World:
    return connected(database)


@pytest.fixture
def due(wenzhou: World) -> World:
    """Boxes 1 to 4; the data are there, pension and settlement are with their departments."""
    return until_data(wenzhou)


@pytest.fixture
def without_settlement(wenzhou: World) -> World:
    return until_data(wenzhou, wz_form(HUKOU, PENSION))


def lines(world: World, *payouts: str) -> list[tuple[int, int, int]]:
    """(gross, deduction, net) of each sum."""
    found = [world.payout(name) for name in payouts]
    return [(payout.fen, payout.deduction, payout.net) for payout in found]


def shortfall(world: World) -> int:
    return decide.shortfall(policy(), world.case())


def instructed(world: World) -> dict[str, int]:
    """Sum → fen that its department was told to pay."""
    found = {}
    for _, name in sent(world, "instruct"):
        with world.acting() as ctx:
            told = dispatch.instruction(ctx, world.number, name)
        assert told is not None
        found[name] = told.fen
    return found


def correct(world: World, **values: object) -> None:
    changes = Changes({path.replace("_", "."): value for path, value in values.items()})
    with world.acting(XIAOMIN) as ctx:
        correction.correct(ctx, world.number, changes, "领取人变更")


# ── deduction (WZ-703, PD-10) ───────────────────────────────────────────────────────────────────────────


def pension_first(world: World, *fen: int, balance: int) -> None:
    pension_answers(world.at("2019-11-25 10:00"), *fen)
    settles(world.at("2019-11-26 10:00"), balance)


def settlement_first(world: World, *fen: int, balance: int) -> None:
    settles(world.at("2019-11-25 10:00"), balance)
    pension_answers(world.at("2019-11-26 10:00"), *fen)


BOTH_ORDERS = pytest.mark.parametrize("order", [pension_first, settlement_first])
Order = Callable[..., None]


@pytest.mark.rule("WZ-703", "WZ-344", "PD-10", "C-16", "S-08")
@BOTH_ORDERS
@pytest.mark.parametrize(
    "sums, balance, expected, left",
    [
        ((480000, 1920000), -120345, [(480000, 120345, 359655), (1920000, 0, 1920000)], 0),
        ((480000, 1920000), -480000, [(480000, 480000, 0), (1920000, 0, 1920000)], 0),
        ((480000, 1920000), -480001, [(480000, 480000, 0), (1920000, 1, 1919999)], 0),
        ((480000, 1920000), -2400000, [(480000, 480000, 0), (1920000, 1920000, 0)], 0),
        ((480000, 1920000), -3000000, [(480000, 480000, 0), (1920000, 1920000, 0)], 600000),
        ((480000, 1920000), 0, [(480000, 0, 480000), (1920000, 0, 1920000)], 0),
        ((480000, 1920000), 120345, [(480000, 0, 480000), (1920000, 0, 1920000)], 0),
        ((480000,), -500000, [(480000, 480000, 0)], 20000),
    ],
)
def test_gross_deduction_and_net_are_the_same_in_either_order(
    due: World, order: Order, sums: tuple[int, ...], balance: int, expected: list[tuple[int, int, int]], left: int
) -> None:
    order(due, *sums, balance=balance)
    names = (GRANT, BEREAVEMENT)[: len(sums)]
    assert lines(due, *names) == expected
    assert shortfall(due) == left
    assert instructed(due) == {name: net for name, (_, _, net) in zip(names, expected, strict=True) if net}
    assert all(due.payout(name).status == ("INSTRUCTED" if due.payout(name).net else "OFFSET") for name in names)
    assert due.faults() == []


@pytest.mark.rule("PD-10", "WZ-703")
@BOTH_ORDERS
def test_a_negative_account_is_never_paid_nor_claimed_as_a_payment(due: World, order: Order) -> None:
    order(due, 480000, 1920000, balance=-3000000)
    balance = due.payout(f"{MEDICAL}:1")
    assert (balance.fen, balance.status, balance.account) == (-3000000, "HELD", None)
    assert balance.hold is not None and balance.hold.code == "NEGATIVE_BALANCE"
    paid = (payment("1", "MEDICAL_ACCOUNT_BALANCE", -3000000, PaymentState.PAID),)
    ack = due.report("medical-insurance", MEDICAL, "m-9", payments=paid)
    assert ack.outcome is AckOutcome.REFUSED and ack.reason is not None and ack.reason.code == "CONFLICT"
    assert all(payout.net >= 0 or payout.item == MEDICAL for payout in due.case().payouts.values())


@pytest.mark.rule("WZ-513", "PD-10")
def test_the_sums_wait_while_the_settlement_has_no_result(due: World) -> None:
    pension_answers(due, 480000, 1920000)
    due.report("medical-insurance", MEDICAL, "m-0", Outcome.ACCEPTED)
    assert instructed(due) == {}
    assert {due.payout(name).hold.code for name in (GRANT, BEREAVEMENT)} == {"WAITS_FOR_SETTLEMENT"}  # type: ignore[union-attr]


@pytest.mark.rule("WZ-513", "S-08")
@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.NOT_APPLICABLE])
def test_a_settlement_that_comes_to_nothing_ends_the_waiting(due: World, outcome: Outcome) -> None:
    pension_answers(due, 480000, 1920000)
    due.report("medical-insurance", MEDICAL, "m-1", outcome, reason="无个人账户")
    assert instructed(due) == {GRANT: 480000, BEREAVEMENT: 1920000}


@pytest.mark.rule("S-08", "WZ-513", "PD-10")
def test_without_the_medical_box_nothing_waits_and_nothing_is_deducted(without_settlement: World) -> None:
    pension_answers(without_settlement, 480000, 1920000)
    assert lines(without_settlement, GRANT, BEREAVEMENT) == [(480000, 0, 480000), (1920000, 0, 1920000)]
    assert instructed(without_settlement) == {GRANT: 480000, BEREAVEMENT: 1920000}


@pytest.mark.rule("WZ-703", "WZ-603")
@BOTH_ORDERS
def test_only_funeral_grant_and_bereavement_payment_are_deducted_from(due: World, order: Order) -> None:
    """注4 names 养老丧葬、抚恤费; a pension account that is paid out with them is neither."""
    order(due, 480000, balance=-600000)
    lump = (payment("3", "ACCOUNT_LUMP_SUM", 900000),)
    due.report("social-security", PENSION, "s-2", payments=lump)
    assert lines(due, GRANT, f"{PENSION}:3") == [(480000, 480000, 0), (900000, 0, 900000)]
    assert shortfall(due) == 120000


@pytest.mark.rule("PD-10", "WZ-703")
def test_a_claim_that_is_refused_leaves_the_whole_deficit_for_a_person(due: World) -> None:
    settles(due, -120345)
    assert shortfall(due) == 0, "the claim may still come"
    due.report("social-security", PENSION, "s-1", Outcome.REFUSED, reason="不符合条件")
    assert shortfall(due) == 120345


@pytest.mark.rule("PD-10", "WZ-513")
def test_a_second_sum_approved_later_takes_what_the_first_could_not(due: World) -> None:
    settles(due, -600000)
    pension_answers(due, 480000)
    assert (lines(due, GRANT), shortfall(due)) == ([(480000, 480000, 0)], 120000)
    later = (payment("2", "BEREAVEMENT_PAYMENT", 1920000),)
    due.report("social-security", PENSION, "s-2", payments=later)
    assert (lines(due, BEREAVEMENT), shortfall(due)) == ([(1920000, 120000, 1800000)], 0)
    assert instructed(due) == {BEREAVEMENT: 1800000}


@pytest.mark.rule("WZ-604", "S-10", "PD-20")
def test_a_positive_balance_is_held_because_nobody_says_whose_account(due: World) -> None:
    settles(due, 120345)
    balance = due.payout(f"{MEDICAL}:1")
    assert balance.status == "HELD" and balance.hold is not None
    assert (balance.hold.code, balance.hold.ids) == ("PAYEE_RULE_NOT_CONFIGURED", ("WZ-604", "PD-20"))
    with due.acting() as ctx:
        application = dispatch.application(ctx, due.number, MEDICAL)
    assert application is None or application.account is None, "the department is not told the payee's account"


# ── the payee (WZ-701, WZ-702, PD-09, PD-23) ────────────────────────────────────────────────────────────


@pytest.mark.rule("WZ-701", "WZ-307", "WZ-310", "C-14")
def test_the_payee_may_be_another_than_the_applicant(wenzhou: World) -> None:
    until_data(wenzhou, wz_form(PENSION, payee=BROTHER))
    pension_answers(wenzhou, 480000, 1920000)
    for name in (GRANT, BEREAVEMENT):
        with wenzhou.acting() as ctx:
            told = dispatch.instruction(ctx, wenzhou.number, name)
            assert told is not None
            assert (told.account.holder, told.account.number) == ("陈晓东", CARD)
            dispatch.instructed(ctx, wenzhou.number, name, Receipt(Outcome.RECEIVED, "Z", "0"))


@pytest.mark.rule("WZ-701")
def test_the_department_is_told_who_the_payee_is(wenzhou: World) -> None:
    until_data(wenzhou, wz_form(PENSION, payee=BROTHER))
    with wenzhou.acting() as ctx:
        application = dispatch.application(ctx, wenzhou.number, PENSION)
    assert application is not None
    assert dict(application.details) == {
        "payee.name": "陈晓东",
        "payee.idNumber": BROTHER.id_number,
        "payee.relation": "CHILD",
    }


@pytest.mark.rule("WZ-701", "WZ-310")
def test_an_account_in_another_name_than_the_payees_is_refused(wenzhou: World) -> None:
    error = refused(wenzhou, wz_form(account=AccountForm("PAYEE", "陈晓东", CARD)))
    assert faults(error) == {("ACCOUNT_HOLDER_MISMATCH", "account.holder", ("WZ-701",))}


@pytest.mark.rule("WZ-702", "WZ-343", "PD-09", "S-09", "C-15")
@pytest.mark.parametrize("relation", ["SPOUSE", "CHILD", "PARENT", "GRANDCHILD_PATERNAL", "GRANDCHILD_MATERNAL"])
def test_the_five_immediate_relatives_may_be_paid(wenzhou: World, relation: str) -> None:
    assert wenzhou.submit(wz_form(payee=replace(BROTHER, relation=relation)), actor=XIAOMIN).number


@pytest.mark.rule("WZ-702", "WZ-343", "PD-09", "PD-11", "S-09", "C-15")
@pytest.mark.parametrize("relation", ["SIBLING", "OTHER", "NEPHEW"])
def test_anybody_else_is_refused_before_anything_is_sent(wenzhou: World, relation: str) -> None:
    error = refused(wenzhou, wz_form(payee=replace(BROTHER, relation=relation)))
    assert ("PAYEE_RELATION_NOT_ALLOWED", "payee.relation", ("WZ-702",)) in faults(error)
    assert {problem.path for problem in error.problems} == {"payee.relation"}


@pytest.mark.rule("PD-09", "PD-19")
def test_a_relation_is_added_in_one_place_of_the_data(database: Database, tmp_path: Path) -> None:
    text = (DATA / "wenzhou.yaml").read_text(encoding="utf-8")
    text = text.replace("code: wz\n", "code: wzs\n").replace("GRANDCHILD_MATERNAL]\npayee", "SIBLING]\npayee")
    file = tmp_path / "siblings.yaml"
    file.write_text(text, encoding="utf-8")
    world = connected(database, load(more=(file,)))
    sibling = replace(BROTHER, relation="SIBLING")
    assert world.submit(wz_form(payee=sibling, jurisdiction="wzs"), actor=XIAOMIN).number


@pytest.mark.rule("WZ-307", "WZ-308", "WZ-309", "WZ-310", "PD-11")
def test_payee_and_account_are_asked_for_when_the_claim_is_ticked_and_only_then(wenzhou: World) -> None:
    error = refused(wenzhou, wz_form(payee=None, account=None))
    assert faults(error) == {
        ("FIELD_REQUIRED", "payee.name", ("WZ-307",)),
        ("FIELD_REQUIRED", "payee.relation", ("WZ-308",)),
        ("FIELD_REQUIRED", "payee.idNumber", ("WZ-309",)),
        ("FIELD_REQUIRED", "account.number", ("WZ-310",)),
    }
    assert wenzhou.submit(wz_form(FUNERAL, HUKOU, MEDICAL, payee=None, account=None), actor=XIAOMIN).number


@pytest.mark.rule("PD-23", "WZ-702")
@pytest.mark.parametrize("relation", ["SIBLING", "OTHER"])
def test_a_later_change_of_the_payee_to_a_sibling_is_refused_as_well(due: World, relation: str) -> None:
    with pytest.raises(Refused) as found:
        correct(due, payee_name="陈阿贵", payee_relation=relation, payee_idNumber="330302194402084424")
    assert "PAYEE_RELATION_NOT_ALLOWED" in codes(found.value)
    assert {problem.path for problem in found.value.problems} == {"payee.relation"}
    form = due.case().form
    assert form is not None and form.payee is not None
    assert (form.payee.name, form.payee.relation) == ("陈晓敏", "CHILD"), "nothing has changed"


@pytest.mark.rule("PD-23", "WZ-701", "WZ-702")
def test_a_later_change_to_another_child_directs_the_money_there(due: World) -> None:
    correct(due, payee_name="陈晓东", payee_idNumber=BROTHER.id_number, account_number=OTHER_CARD)
    settles(due, 0)
    pension_answers(due, 480000, 1920000)
    account = due.payout(GRANT).account
    assert account is not None and (account.holder, account.number) == ("陈晓东", OTHER_CARD)


@pytest.mark.rule("PD-23", "WZ-701")
def test_a_later_account_must_be_the_payees_too(due: World) -> None:
    with due.acting(XIAOMIN) as ctx, pytest.raises(Refused) as found:
        case_care.give_account(ctx, due.number, AccountForm("PAYEE", "陈晓东", OTHER_CARD))
    assert "ACCOUNT_HOLDER_MISMATCH" in codes(found.value)
    with due.acting(XIAOMIN) as ctx:
        case_care.give_account(ctx, due.number, AccountForm(number=OTHER_CARD))
    settles(due, 0)
    pension_answers(due, 480000)
    account = due.payout(GRANT).account
    assert account is not None and (account.holder, account.number) == ("陈晓敏", OTHER_CARD)


@pytest.mark.rule("PD-23", "WZ-104", "WZ-705")
def test_a_later_correction_to_a_public_institution_takes_the_claim_out(wenzhou: World) -> None:
    wenzhou.submit(wz_form(), actor=XIAOMIN)
    approve(wenzhou)
    with wenzhou.acting(XIAOMIN) as ctx:
        correction.correct(ctx, wenzhou.number, Changes({"situation.CIVIL_SERVANT": True}), "退休教师")
    found = wenzhou.item(PENSION)
    assert (found.status, found.reason.code) == ("NOT_APPLICABLE", "ORIGINAL_PROCEDURE")
    synchronise(wenzhou)
    assert ("social-security", PENSION) not in sent(wenzhou)


@pytest.mark.rule("WZ-703", "PD-10")
def test_what_a_cancelled_sum_had_given_is_owed_again(due: World) -> None:
    settlement_first(due, 480000, balance=-50000)
    back = (payment("1", "FUNERAL_GRANT", 480000, PaymentState.RETURNED, on=moment("2019-12-02 10:00")),)
    due.at("2019-12-02 10:00").report("social-security", PENSION, "s-2", payments=back)
    assert shortfall(due) == 0
    with due.acting(DUTY) as ctx:
        case = revocation.revoke(ctx, due.number, "误报")
    found = reading.money(policy(), case)
    assert due.payout(GRANT).status == "CANCELLED"
    assert (found.approved, found.deducted, found.shortfall) == (0, 0, 50000)


@pytest.mark.rule("WZ-701", "PD-13")
def test_paid_money_is_what_was_left_after_the_deduction(due: World) -> None:
    settlement_first(due, 480000, 1920000, balance=-120345)
    paid = (
        payment("1", "FUNERAL_GRANT", 480000, PaymentState.PAID, on=moment("2019-12-02 10:00")),
        payment("2", "BEREAVEMENT_PAYMENT", 1920000, PaymentState.PAID, on=moment("2019-12-02 10:00")),
    )
    ack = due.at("2019-12-02 10:00").report("social-security", PENSION, "s-2", payments=paid)
    assert ack.reason is None
    assert [(due.payout(name).status.value, due.payout(name).net) for name in (GRANT, BEREAVEMENT)] == [
        ("PAID", 359655),
        ("PAID", 1920000),
    ]
