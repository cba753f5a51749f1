"""Once a death is revoked nothing more goes out; and a correction leaves nothing of the wrong person behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from gateway.domain import form as forms
from gateway.domain.department import Certificate, Outcome, PaymentState
from gateway.domain.form import DeathForm, DeceasedForm
from gateway.domain.messages import Refused
from gateway.services import case_care, correction, dispatch, reading, reversal, revocation, shared
from gateway.services.context import Ctx
from gateway.services.correction import Changes, read_value
from gateway.services.joint_submission import person_index
from gateway.services.write_back import AckOutcome
from gateway.store import cases
from gateway.store.session import Database
from gateway.store.tables import family
from schema import enums
from tests import yueyang
from tests.builders import ASSISTANT, DUTY, World, codes, hz_account, hz_form, moment, payment
from tests.uxin import QIQIGE, connected, ws_form

pytestmark = pytest.mark.databases

PENSION = "pension-funeral-bereavement-claim"
MEDICAL = "medical-account-settlement"
OTHER_DECEASED = "430621195001019156"
OTHER_APPLICANT = "150626198506170025"


def with_check_digit(stem: str) -> str:
    from gateway.domain.identity import check_digit

    return stem[:17] + check_digit(stem[:17])


def revoke(world: World) -> None:
    with world.acting(DUTY) as ctx:
        revocation.revoke(ctx, world.number, "误报：本人健在")


@pytest.fixture
def paying(world: World) -> World:
    """A case whose medical balance is instructed, and whose pension application needs a correction."""
    world.until_cremation(hz_form("PENSION_RETIREE", "MEDICAL_EMPLOYEE", account=hz_account()))
    world.report("social-security", PENSION, "s-1", Outcome.CORRECTION, reason="材料不清晰")
    balance = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    world.report("medical-insurance", MEDICAL, "m-1", Outcome.COMPLETED, payments=balance)
    assert world.payout(f"{MEDICAL}:1").status == "INSTRUCTED"
    return world


# ── after a revocation ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "what",
    [
        lambda ctx, number: case_care.answer_correction(ctx, number, PENSION, "已补"),
        lambda ctx, number: case_care.give_account(ctx, number, hz_account()),
        lambda ctx, number: case_care.complete_in_platform(ctx, number, "ashes-burial-information", {}),
        lambda ctx, number: case_care.refuse_in_platform(ctx, number, "ashes-burial-information", "无"),
        lambda ctx, number: case_care.identify(ctx, number, DeceasedForm(name="某")),
        lambda ctx, number: revocation.withdraw(ctx, number, PENSION, "不办了"),
    ],
    ids=["answer", "account", "complete", "refuse", "identify", "withdraw"],
)
def test_nothing_is_done_in_a_revoked_case_any_more(paying: World, what: Callable[[Ctx, str], object]) -> None:
    revoke(paying)
    before = paying.case()
    with paying.acting(DUTY) as ctx, pytest.raises(Refused) as found:
        what(ctx, paying.number)
    assert codes(found.value) == ["CASE_REVOKED"] and paying.case() == before


def test_an_account_that_was_not_sent_yet_is_never_told_after_a_revocation(paying: World) -> None:
    with paying.acting() as ctx:
        assert dispatch.instruction(ctx, paying.number, f"{MEDICAL}:1") is not None
    revoke(paying)
    assert paying.payout(f"{MEDICAL}:1").status == "CANCELLED"
    with paying.acting() as ctx:
        assert dispatch.instruction(ctx, paying.number, f"{MEDICAL}:1") is None
    with paying.database.read() as tx:
        money = reading.money(paying.ctx(tx).policy(paying.case()), paying.case())
    assert (money.approved, money.paid, money.instructed) == (0, 0, 0), "a cancelled sum is not counted"


def test_an_account_that_may_have_arrived_stays_and_its_payment_is_still_recorded(paying: World) -> None:
    with paying.acting() as ctx:
        dispatch.not_instructed(ctx, paying.number, f"{MEDICAL}:1", "timeout", (10, 60), True)
    revoke(paying)
    assert paying.payout(f"{MEDICAL}:1").status == "INSTRUCTED"
    with paying.acting() as ctx:
        assert dispatch.instruction(ctx, paying.number, f"{MEDICAL}:1") is None, "it is not sent again"
    paid = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345, PaymentState.PAID),)
    assert paying.report("medical-insurance", MEDICAL, "m-2", payments=paid).outcome is AckOutcome.APPLIED
    assert paying.payout(f"{MEDICAL}:1").status == "PAID"
    fresh = (payment("2", "MEDICAL_ACCOUNT_BALANCE", 100),)
    assert paying.report("medical-insurance", MEDICAL, "m-3", payments=fresh).outcome is AckOutcome.REFUSED


def test_the_same_form_after_a_revocation_opens_a_new_case(database: Database) -> None:
    world = connected(database)
    first = world.submit(ws_form(), actor=QIQIGE)
    assert world.submit(ws_form(), actor=QIQIGE).number == first.number
    revoke(world)
    again = world.submit(ws_form(), actor=QIQIGE)
    assert again.number != first.number
    assert world.submit(ws_form(), actor=QIQIGE).number == again.number


@pytest.mark.rule("PD-06")
def test_an_answer_to_a_reversal_that_is_not_accepted_is_kept_for_review(paying: World) -> None:
    revoke(paying)

    def answer(outcome: Outcome, reason: str = "", department: str = "medical-insurance") -> AckOutcome:
        with paying.acting() as ctx:
            return reversal.answer(ctx, department, paying.number, MEDICAL, outcome, reason, None).outcome

    assert answer(Outcome.REFUSED) is AckOutcome.REFUSED, "a refusal gives its reason"
    assert answer(Outcome.COMPLETED) is AckOutcome.APPLIED
    assert answer(Outcome.COMPLETED) is AckOutcome.REPEATED
    assert answer(Outcome.REFUSED, "已发放") is AckOutcome.REFUSED
    assert answer(Outcome.COMPLETED, department="housing-fund") is AckOutcome.REFUSED
    told = [event.reason.code for event in paying.refused()]
    assert told == ["FIELD_REQUIRED", "CONFLICT", "NOT_OWNER"] and paying.faults() == []


# ── after a correction ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "path",
    ["deceased.sex", "applicant.sex", "applicant.capacity", "applicant.relation", "payee.relation", "account.kind"],
)
def test_a_word_that_no_form_knows_is_refused_by_its_path(path: str) -> None:
    with pytest.raises(Refused) as found:
        read_value(path, "NONSENSE")
    assert (codes(found.value), found.value.problems[0].path) == (["FIELD_INVALID"], path)
    assert read_value(path, "  ") is None, "blank text clears"


def test_the_words_of_the_form_are_those_of_the_schema() -> None:
    kinds = {"sex": enums.Sex, "capacity": enums.Capacity, "relation": enums.Relation, "kind": enums.AccountKind}
    for name, kind in kinds.items():
        assert set(forms.CLOSED_WORDS[name]) == {member.value for member in kind}  # type: ignore[attr-defined]


def test_a_required_field_of_blanks_is_missing() -> None:
    assert hz_form(deceased=DeceasedForm(name="   ")).value("deceased.name") is None


@pytest.mark.rule("PD-07", "PD-15")
def test_a_corrected_applicant_is_let_in_and_the_stranger_is_out(database: Database) -> None:
    world = connected(database)
    world.submit(ws_form(), actor=QIQIGE)
    with world.acting(ASSISTANT) as ctx:
        wrong = person_index(ctx, "15062619740608922X")
        others = [who for who in world.case().family if who != wrong]
        assert wrong in world.case().family
        changes = Changes({"applicant.idNumber": with_check_digit(OTHER_APPLICANT)})
        right = person_index(ctx, with_check_digit(OTHER_APPLICANT))
        assert correction.correct(ctx, world.number, changes, "录入有误").family == (*others, right)
    with world.database.read() as tx:
        found = set(tx.connection.execute(select(family.c.subject)).scalars())
        assert found == {tx.seal.indexes("family", who)[0] for who in (*others, right)}


@pytest.mark.rule("PD-07", "YY-514", "YY-825")
def test_a_corrected_deceased_leaves_nothing_under_the_wrong_number(database: Database) -> None:
    county = yueyang.connected(database)
    yueyang.upload(county)
    yueyang.stop(county, "social-security", "retirement-pension-stop")
    yueyang.apply(county)
    right = with_check_digit(OTHER_DECEASED)
    with county.acting(DUTY) as ctx:
        case = correction.correct(ctx, county.number, Changes({"deceased.idNumber": right}), "证件号码录入有误")
        assert cases.open_case_of(ctx.tx, "yy", yueyang.LI_DEFU) is None
        assert cases.open_case_of(ctx.tx, "yy", right) == county.number
        wrong = shared.store.of(ctx.tx, "yy", yueyang.LI_DEFU)
        assert wrong is not None and wrong.revocation is not None, "departments see that it was wrong"
    assert case.items["retirement-pension-stop"].reversal is not None, "the pension of the living is paid again"
    assert case.items[yueyang.HUKOU].reversal is None
    with county.acting(yueyang.system("housing-fund")) as ctx:
        found = shared.record_stop(ctx, "housing-fund", "yy", right, "housing-fund-account-seal", "s-2")
    assert found.case is not None and found.case.number == county.number
    with county.acting(yueyang.system("civil-affairs")) as ctx:
        another = Certificate("CREMATION", "YY-HH-9", moment("2021-06-16 09:00"), "岳阳县殡仪馆")
        deceased = replace(yueyang.defu(), name="王另人")
        done = shared.share(ctx, "civil-affairs", "yy", deceased, DeathForm(), another)
    assert done.case is None, "somebody else's certificate does not enter this case"


def test_an_item_that_is_undone_is_not_driven_again(paying: World) -> None:
    revoke(paying)
    with paying.acting(DUTY) as ctx, pytest.raises(Refused) as found:
        dispatch.redrive(ctx, paying.number, PENSION)
    assert codes(found.value) == ["ACTION_NOT_POSSIBLE"]
