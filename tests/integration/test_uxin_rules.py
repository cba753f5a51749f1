"""乌审旗, rule by rule: the deregistration is the gate, no limit has a number, money goes to the applicant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.department import Certificate, Outcome
from gateway.domain.form import AccountForm, DeathForm, PersonForm
from gateway.domain.messages import Refused
from gateway.policy import decide
from gateway.services import case_care, dispatch
from gateway.store.session import Database
from tests.builders import World, codes, moment, payment
from tests.uxin import (
    CARD,
    CLERK,
    DEREGISTERED,
    HUKOU,
    MEDICAL,
    PENSION,
    QIQIGE,
    TICKS,
    connected,
    deregister,
    elsewhere,
    policy,
    refused,
    sent,
    waits,
    ws_form,
)


@pytest.fixture
def uxin(database: Database) -> World:
    return connected(database)


@pytest.fixture
def filed(uxin: World) -> World:
    uxin.submit(ws_form(), actor=QIQIGE)
    return uxin


# ── the gate ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("WS-504", "WS-506", "X-23", "PD-14", "S-06")
def test_nothing_but_the_deregistration_is_pushed_before_and_every_chosen_item_after(uxin: World) -> None:
    uxin.submit(ws_form(*TICKS), actor=QIQIGE)
    assert sent(uxin) == [("public-security", HUKOU)]
    for slug in TICKS:
        definition = policy().item(slug)
        assert definition is not None
        early = uxin.report(definition.department or "", slug, f"e-{slug}", Outcome.COMPLETED)
        assert early.reason is not None and early.reason.code == "NOT_DISPATCHED"
    deregister(uxin)
    assert sorted(slug for _, slug in sent(uxin)[1:]) == sorted(TICKS)
    assert ("disabled-persons-federation", "disability-two-subsidies-stop") in sent(uxin)


@pytest.mark.rule("WS-601", "WS-504")
def test_deregistration_is_pushed_for_every_case_even_when_nothing_was_chosen(uxin: World) -> None:
    uxin.submit(ws_form(items=(), account=None), actor=QIQIGE)
    assert set(uxin.case().items) == {HUKOU}
    deregister(uxin)
    assert uxin.case().status == "CLOSED"


@pytest.mark.rule("WS-505", "WS-506", "C-23")
def test_deregistration_without_its_certificate_does_not_open_the_gate(filed: World) -> None:
    ack = filed.at("2021-07-15 09:05").report("public-security", HUKOU, "p-1", Outcome.COMPLETED)
    assert ack.reason is not None and ack.reason.code == "CERTIFICATE_REQUIRED"
    assert "户口注销证明" in ack.reason.zh()
    assert filed.status(HUKOU) == "DISPATCHED"
    assert {filed.status(PENSION), filed.status(MEDICAL)} == {"BLOCKED"}
    deregister(filed, "p-2")
    assert {filed.status(PENSION), filed.status(MEDICAL)} == {"DISPATCHED"}


@pytest.mark.rule("WS-505")
def test_the_certificate_without_the_deregistration_does_not_open_it_either(filed: World) -> None:
    filed.at("2021-07-15 09:05").report("public-security", HUKOU, "p-1", certificates=(DEREGISTERED,))
    assert filed.case().certificate("DEREGISTRATION") is not None
    assert filed.status(PENSION) == "BLOCKED"
    filed.report("public-security", HUKOU, "p-2", Outcome.COMPLETED)
    assert filed.status(PENSION) == "DISPATCHED"


@pytest.mark.rule("PD-08", "WS-506")
@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.NOT_APPLICABLE])
def test_without_deregistration_the_dependants_stay_blocked_with_the_reason(filed: World, outcome: Outcome) -> None:
    filed.at("2021-07-15 09:05").report("public-security", HUKOU, "p-1", outcome, reason="查无登记")
    assert sent(filed) == [("public-security", HUKOU)]
    for slug in (PENSION, MEDICAL):
        assert filed.status(slug) == "BLOCKED"
        (reason,) = waits(filed, slug)
        assert (reason.code, reason.ids) == ("WAITS_FOR_REFUSED_ITEM", ("WS-506",))
        assert "户口注销" in reason.zh() and outcome.value in reason.zh()
    assert filed.case().status == "IN_PROGRESS"


@pytest.mark.rule("X-02", "WS-404")
def test_the_cremation_certificate_gates_nothing_and_may_be_added(filed: World) -> None:
    deregister(filed)
    cremation = Certificate("CREMATION", "C-1", moment("2021-07-14 15:00"), "乌审旗殡仪馆")
    with filed.acting(CLERK) as ctx:
        case_care.attach_evidence(ctx, filed.number, cremation)
    with filed.acting() as ctx:
        application = dispatch.application(ctx, filed.number, PENSION)
    assert application is not None
    assert {found.type for found in application.certificates} == {"DEATH_MEDICAL", "DEREGISTRATION", "CREMATION"}
    with filed.acting(CLERK) as ctx, pytest.raises(Refused) as found:
        case_care.attach_evidence(ctx, filed.number, replace(DEREGISTERED, number="Z-9"))
    assert codes(found.value) == ["OPTION_UNKNOWN"], "the police upload it, nobody else"


# ── no number of days, whose account ────────────────────────────────────────────────────────────────────


@pytest.mark.rule("WS-511", "C-20")
def test_no_item_has_a_deadline_and_supervision_works_without(uxin: World) -> None:
    uxin.submit(ws_form(*TICKS), actor=QIQIGE)
    deregister(uxin)
    for slug in (HUKOU, *TICKS):
        found = uxin.deadline(slug)
        assert (found.state, found.due_at, found.limit.source) == ("NO_LIMIT", None, "WS-511")
    seen = uxin.at("2022-07-14 10:20").supervision("2021-07-01 00:00", "2021-08-01 00:00")
    assert (seen.overdue, seen.calendar_missing) == ((), 0)
    assert sum(row.without_limit for row in seen.compliance) == sum(row.pushed for row in seen.compliance) == 6


@pytest.mark.rule("WS-304", "PD-11")
def test_the_account_is_asked_for_when_money_was_chosen_and_only_then(uxin: World) -> None:
    error = refused(uxin, ws_form(account=None))
    assert [(problem.reason.code, problem.path, problem.reason.ids) for problem in error.problems] == [
        ("FIELD_REQUIRED", "account.holder", ("WS-304",)),
        ("FIELD_REQUIRED", "account.number", ("WS-304",)),
    ]
    assert uxin.submit(ws_form("disability-two-subsidies-stop", account=None), actor=QIQIGE).number


@pytest.mark.rule("WS-701", "C-14", "PD-11")
def test_another_persons_account_is_refused(uxin: World) -> None:
    error = refused(uxin, ws_form(account=AccountForm("APPLICANT_HEIR", "巴图", CARD)))
    (problem,) = error.problems
    assert (problem.reason.code, problem.path) == ("ACCOUNT_HOLDER_MISMATCH", "account.holder")
    assert problem.reason.ids == ("WS-701",)
    assert problem.reason.zh() == "账户户名应为申请人本人。"


@pytest.mark.rule("WS-701")
@pytest.mark.parametrize("name, holder", [("其其格", " 其其格 "), ("阿古拉·巴特尔", "阿古拉•巴特尔")])
def test_the_same_name_written_otherwise_is_the_same_holder(uxin: World, name: str, holder: str) -> None:
    form = ws_form(applicant=PersonForm(name, relation="CHILD"), account=AccountForm("PAYEE", holder, CARD))
    assert uxin.submit(form, actor=QIQIGE).number


@pytest.mark.rule("WS-701", "PD-23")
def test_a_later_account_must_be_the_applicants_as_well(filed: World) -> None:
    deregister(filed)
    balance = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    filed.report("medical-insurance", MEDICAL, "m-1", Outcome.COMPLETED, payments=balance)
    with filed.acting(QIQIGE) as ctx, pytest.raises(Refused) as found:
        case_care.give_account(ctx, filed.number, AccountForm("DESIGNATED", "巴图", "6228480402564890018"))
    assert codes(found.value) == ["ACCOUNT_HOLDER_MISMATCH"]
    payout = filed.payout(f"{MEDICAL}:1")
    assert payout.account is not None and payout.account.number == CARD


@pytest.mark.rule("WS-701", "PD-20")
def test_money_for_the_applicant_is_held_rather_than_sent_to_another_holder(filed: World) -> None:
    """However the account came into the case: the rule stands before the money as well as before the form."""
    case = filed.case()
    assert case.form is not None
    item = policy().item(MEDICAL)
    assert item is not None
    case.form = replace(case.form, account=AccountForm("DESIGNATED", "巴图", CARD))
    direction = decide.direct(policy(), item, case, 120345)
    assert direction.account is None
    assert direction.hold is not None and direction.hold.code == "ACCOUNT_HOLDER_MISMATCH"


@pytest.mark.rule("WS-303", "C-31")
def test_nobody_is_held_to_a_commitment_whose_words_are_not_known(uxin: World) -> None:
    (commitment,) = policy().commitments
    assert (commitment.source, commitment.text) == ("WS-303", None)
    spoken = commitment.model_copy(update={"text": "本人承诺……"})
    known = policy().model_copy(update={"commitments": [spoken]})
    assert uxin.submit(ws_form(), actor=QIQIGE).number
    uxin.policies = replace(uxin.policies, jurisdictions=(known,))
    with pytest.raises(Refused) as found:
        uxin.submit(elsewhere(death=DeathForm(None, "150626100")), actor=QIQIGE)
    assert codes(found.value) == ["COMMITMENT_MISSING"]


@pytest.mark.rule("WS-404", "WS-401", "PD-11")
@pytest.mark.parametrize("issued", ["昨天", "2021-02-30", "2021/07/12"])
def test_the_date_on_the_death_certificate_is_checked(uxin: World, issued: str) -> None:
    error = refused(uxin, ws_form(answers={"deathCertificate.number": "D-1", "deathCertificate.issuedOn": issued}))
    assert [(problem.reason.code, problem.path) for problem in error.problems] == [
        ("FIELD_INVALID", "deathCertificate.issuedOn")
    ]
