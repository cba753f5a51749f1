"""乌审旗 (AS-01…03): a second government is only data. One case from the application to the money; who is admitted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.access import rights, sight
from gateway.access.rights import Viewer
from gateway.domain.department import Certificate, Outcome, PaymentState, Receipt
from gateway.domain.form import DeathForm, MaterialForm
from gateway.domain.messages import Refused
from gateway.services import dispatch, joint_submission, opening, reading
from gateway.services.write_back import AckOutcome
from gateway.store import cases
from gateway.store.cases import Actor
from gateway.store.session import Database
from tests.builders import World, codes, moment, payment
from tests.uxin import (
    CARD,
    CLERK,
    FOUR,
    HUKOU,
    MEDICAL,
    PENSION,
    QIQIGE,
    answer_and_close,
    connected,
    deregister,
    elsewhere,
    papers,
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


# ── AS-01 ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("AS-01", "WS-201", "WS-203", "WS-302", "WS-402", "WS-502", "WS-504", "C-07", "C-08", "C-21")
def test_one_push_leaves_and_what_was_chosen_waits_for_it(filed: World) -> None:
    case = filed.case()
    assert (case.number, case.area, case.channel) == ("WS2021071400001", "150626102", "WEB")
    assert sent(filed) == [("public-security", HUKOU)]
    assert set(case.items) == {HUKOU, PENSION, MEDICAL}, "what was not chosen is not in the case"
    assert filed.item(HUKOU).pushed_at == moment("2021-07-14 10:20")
    for slug in (PENSION, MEDICAL):
        assert filed.status(slug) == "BLOCKED"
        assert [(reason.code, reason.ids) for reason in waits(filed, slug)] == [("WAITS_FOR_ITEM", ("WS-506",))]


@pytest.mark.rule("AS-01", "WS-505", "WS-506", "WS-507", "WS-508", "WS-509", "WS-822", "C-22")
def test_the_deregistration_certificate_opens_the_gate_for_what_was_chosen_once_each(filed: World) -> None:
    assert deregister(filed).outcome is AckOutcome.APPLIED
    assert sent(filed)[1:] == [("social-security", PENSION), ("medical-insurance", MEDICAL)]
    assert {filed.item(slug).pushed_at for slug in (PENSION, MEDICAL)} == {moment("2021-07-15 09:05")}
    assert deregister(filed).outcome is AckOutcome.REPEATED
    assert len(sent(filed)) == 3, "残联 receives nothing, and nothing is pushed twice"


@pytest.mark.rule("AS-01", "WS-404", "WS-510", "WS-401")
@pytest.mark.parametrize("department, slug", [("social-security", PENSION), ("medical-insurance", MEDICAL)])
def test_departments_take_identity_and_both_certificates_from_the_platform(
    filed: World, department: str, slug: str
) -> None:
    deregister(filed)
    with filed.acting() as ctx:
        application = dispatch.application(ctx, filed.number, slug)
    assert application is not None
    assert (application.deceased.name, application.deceased.id_number) == ("巴图孟和", "150626194703129116")
    assert [(found.type, found.number) for found in application.certificates] == [
        ("DEATH_MEDICAL", "D-1"),
        ("DEREGISTRATION", "Z-1"),
    ]
    assert application.account is not None and application.account.number == CARD
    case = filed.case()
    seen = sight.see(rights.load(), Viewer("specialist", "150626", "某", "x", department), policy(), case)
    assert seen is not None
    assert set(seen.items) == {slug}
    assert {found.type for found in seen.certificates} == {"DEATH_MEDICAL", "DEREGISTRATION"}
    assert seen.deceased.id_number == "150626194703129116"


@pytest.mark.rule("AS-01", "WS-701", "WS-702", "WS-304", "C-14", "PD-13")
def test_all_money_goes_to_the_applicant_and_the_case_is_closed(filed: World) -> None:
    deregister(filed)
    case = answer_and_close(filed)
    instructions = []
    for payout in case.payouts.values():
        with filed.acting() as ctx:
            told = dispatch.instruction(ctx, filed.number, payout.id)
            assert told is not None
            instructions.append(told)
            dispatch.instructed(ctx, filed.number, payout.id, Receipt(Outcome.RECEIVED, "Z", "0"))
    assert sum(told.fen for told in instructions) == 2520345
    assert {told.account.number for told in instructions} == {CARD}
    assert len(sent(filed, "instruct")) == 3
    assert (case.status, case.closed_at) == ("CLOSED", moment("2021-07-20 10:00"))
    assert reading.money(policy(), filed.case()).approved == 2520345
    assert filed.faults() == []


@pytest.mark.rule("WS-701")
def test_the_money_of_a_closed_case_is_paid(filed: World) -> None:
    deregister(filed)
    answer_and_close(filed)
    paid = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345, PaymentState.PAID, on=moment("2021-07-21 10:00")),)
    filed.at("2021-07-21 10:00").report("medical-insurance", MEDICAL, "m-2", payments=paid)
    assert filed.payout(f"{MEDICAL}:1").status == "PAID"


# ── AS-02 ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("AS-02", "WS-202", "WS-204", "WS-402")
def test_the_window_is_the_same_pipeline_and_the_clerk_is_recorded(uxin: World) -> None:
    case = uxin.submit(ws_form(channel="WINDOW"), actor=CLERK)
    assert (case.channel, case.opened_by) == ("WINDOW", "window-clerk")
    with uxin.database.read() as tx:
        actors = {entry.actor for entry in cases.entries(tx, [case.number])[case.number]}
    assert actors == {CLERK}
    assert sent(uxin) == [("public-security", HUKOU)]
    assert [reason.ids for reason in waits(uxin, PENSION)] == [("WS-506",)]
    deregister(uxin)
    assert sent(uxin)[1:] == [("social-security", PENSION), ("medical-insurance", MEDICAL)]
    assert answer_and_close(uxin).status == "CLOSED"
    with uxin.acting() as ctx:
        assert case.family == (joint_submission.person_index(ctx, "15062619740608922X"),), "其其格 may see it online"


@pytest.mark.rule("AS-02", "WS-401", "WS-403", "PD-11", "C-26")
@pytest.mark.parametrize("channel, actor", [("WEB", QIQIGE), ("WINDOW", CLERK)])
@pytest.mark.parametrize("there", [(), FOUR[:1], FOUR[1:], FOUR[:3]])
def test_all_missing_materials_are_named_at_once(
    uxin: World, channel: str, actor: Actor, there: tuple[str, ...]
) -> None:
    error = refused(uxin, ws_form(channel=channel, materials=papers(*there)), actor)
    assert codes(error) == ["MATERIAL_MISSING"] * (4 - len(there))
    assert {problem.reason.ids for problem in error.problems} == {("WS-401",)}
    names = {
        "REGISTRATION_FORM": "身后一件事一次办登记表",
        "APPLICANT_ID_CARD": "亲属居民身份证",
        "HOUSEHOLD_BOOKLET": "亲属居民户口簿",
        "DEATH_CERTIFICATE": "居民死亡医学证明（推断）书",
    }
    assert [problem.reason.facts["label"] for problem in error.problems] == [
        name for kind, name in names.items() if kind not in there
    ]


@pytest.mark.rule("WS-204", "WS-403")
def test_a_paper_that_is_named_but_not_uploaded_is_missing(uxin: World) -> None:
    listed = (*papers(*FOUR[:3]), MaterialForm("DEATH_CERTIFICATE", "死亡证明.pdf"))
    assert codes(refused(uxin, ws_form(materials=listed))) == ["MATERIAL_MISSING"]


@pytest.mark.rule("WS-201", "WS-202", "C-29")
@pytest.mark.parametrize("channel", ["APP", "HOTLINE", "AGENT", "STAFF_APP"])
def test_other_channels_are_not_offered(uxin: World, channel: str) -> None:
    assert codes(refused(uxin, ws_form(channel=channel))) == ["CHANNEL_NOT_OFFERED"]


# ── who is admitted ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("AS-03", "WS-103", "C-02", "PD-11", "PD-12")
def test_registered_here_and_died_elsewhere_is_refused_for_the_one_reason(uxin: World) -> None:
    error = refused(uxin.at("2021-08-05 09:00"), elsewhere())
    (problem,) = error.problems
    assert (problem.reason.code, problem.path, problem.reason.ids) == ("NOT_ELIGIBLE", "death.area", ("WS-103",))
    assert "榆林市" in problem.reason.zh() and "乌审旗户籍在外地死亡人员暂不纳入" in problem.reason.zh()


@pytest.mark.rule("WS-103", "PD-11")
def test_the_code_of_the_area_is_shown_when_its_name_was_not_given(uxin: World) -> None:
    form = elsewhere()
    answers = {path: value for path, value in form.answers.items() if path != "placeOfDeath.areaName"}
    assert "610800" in refused(uxin, replace(form, answers=answers)).problems[0].reason.zh()


@pytest.mark.rule("WS-101", "WS-102", "WS-103", "X-01", "C-01", "PD-11")
@pytest.mark.parametrize(
    "hukou, died, failing",
    [
        ("610800", "150626102", {"deceased.hukouArea": ("WS-102", "WS-103")}),
        ("150626102", "610800", {"death.area": ("WS-103",)}),
        ("610800", "610800", {"deceased.hukouArea": ("WS-102", "WS-103"), "death.area": ("WS-101",)}),
        ("150627", "150626", {"deceased.hukouArea": ("WS-102", "WS-103")}),  # the neighbouring banner
        ("150626", "150600", {"death.area": ("WS-103",)}),  # the prefecture is more than the banner
    ],
)
def test_each_exclusion_has_its_own_reason(
    uxin: World, hukou: str, died: str, failing: dict[str, tuple[str, ...]]
) -> None:
    form = ws_form(death=DeathForm(moment("2021-07-12 06:00"), died))
    error = refused(uxin, replace(form, deceased=replace(form.deceased, hukou_area=hukou)))
    assert codes(error) == ["NOT_ELIGIBLE"] * len(failing)
    assert {problem.path: problem.reason.ids for problem in error.problems} == failing


@pytest.mark.rule("WS-101", "PD-11")
def test_a_death_elsewhere_is_told_even_when_the_registration_was_left_out(uxin: World) -> None:
    form = elsewhere()
    error = refused(uxin, replace(form, deceased=replace(form.deceased, hukou_area=None)))
    assert {(problem.reason.code.value, problem.path, problem.reason.ids) for problem in error.problems} == {
        ("FIELD_REQUIRED", "deceased.hukouArea", ("WS-102",)),
        ("NOT_ELIGIBLE", "death.area", ("WS-101",)),
    }


@pytest.mark.rule("WS-104", "C-05", "PD-11")
def test_an_abnormal_death_is_not_admitted_and_the_row_is_named(uxin: World) -> None:
    error = refused(uxin, ws_form(flow="ABNORMAL"))
    (problem,) = error.problems
    assert (problem.reason.code, problem.path, problem.reason.ids) == ("NOT_ELIGIBLE", "flow", ("WS-104",))
    assert (
        problem.reason.zh() == "不符合办理条件：在家自然死亡、非案件类在医院死亡（非正常死亡）。可按单项事项分别办理。"
    )
    with uxin.acting() as ctx:
        checked = joint_submission.check(ctx, ws_form(flow="ABNORMAL"))
    assert [found.reason.ids for found in checked.problems] == [("WS-104",)]


@pytest.mark.rule("WS-104")
def test_a_death_in_a_hospital_is_admitted(uxin: World) -> None:
    assert uxin.submit(ws_form(flow="INSIDE"), actor=QIQIGE).flow == "INSIDE"


@pytest.mark.rule("WS-105", "WS-203", "WS-104", "C-10")
@pytest.mark.parametrize(
    "flow, code, row", [("OUTSIDE", "OPENER_NOT_ALLOWED", "WS-104"), ("ABNORMAL", "NOT_ELIGIBLE", "WS-104")]
)
def test_no_department_opens_a_case_for_a_family_that_did_not_apply(
    uxin: World, flow: str, code: str, row: str
) -> None:
    form = ws_form()
    certificate = Certificate("DEATH_MEDICAL", "D-1", moment("2021-07-12 09:00"))
    with pytest.raises(Refused) as found, uxin.acting(Actor("department-system", "卫健", "health", "h")) as ctx:
        opening.open_by_certificate(ctx, "health", "ws", flow, form.deceased, form.death, certificate, "o-1")
    assert codes(found.value) == [code]
    assert found.value.problems[0].reason.ids == (row,)
    assert uxin.count() == 0
