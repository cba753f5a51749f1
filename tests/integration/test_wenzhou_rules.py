"""温州市, rule by rule: who may apply and how, the township's seal, stops without a box, what has no number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.access import rights, sight
from gateway.access.rights import Viewer
from gateway.domain.department import Certificate, Outcome
from gateway.domain.form import DeathForm
from gateway.domain.messages import Refused
from gateway.policy.loader import DATA, load
from gateway.services import case_care, dispatch, opening
from gateway.services.context import Outward
from gateway.store import cases
from gateway.store.cases import Actor
from gateway.store.session import Database
from tests.builders import DUTY, World, codes, moment, payment
from tests.uxin import sent, waits
from tests.wenzhou import (
    AGENT,
    APPROVAL,
    BEHIND_DATA,
    BOXES,
    CARD,
    CHEN_ABAO,
    CIVIL_GROUP,
    CLERK,
    FUNERAL,
    HOUSING,
    HUKOU,
    INSURANCE,
    MEDICAL,
    PENSION,
    VETERANS_GROUP,
    XIAOMIN,
    abnormal_form,
    answers,
    approve,
    certified_by_hospital,
    connected,
    faults,
    finish,
    meizhu,
    pension_answers,
    policy,
    refused,
    settles,
    situations,
    synchronise,
    told,
    until_data,
    wz_form,
)


@pytest.fixture
def wenzhou(database: Database) -> World:
    return connected(database)


@pytest.fixture
def filed(wenzhou: World) -> World:
    wenzhou.submit(wz_form(), actor=XIAOMIN)
    return wenzhou


# ── who is admitted, and how ────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("WZ-101", "C-02", "PD-11")
@pytest.mark.parametrize("died", ["331000", "330482", "330000", "310101"])
def test_a_death_outside_the_city_is_not_admitted(wenzhou: World, died: str) -> None:
    error = refused(wenzhou, wz_form(death=DeathForm(moment("2019-11-18 17:00"), died)))
    assert faults(error) == {("NOT_ELIGIBLE", "death.area", ("WZ-101",))}


@pytest.mark.rule("WZ-101", "WZ-102", "C-01", "C-03", "C-04")
@pytest.mark.parametrize("hukou", ["340100", "610800", "330500", "330302001"])
def test_registration_elsewhere_is_an_ordinary_case(wenzhou: World, hukou: str) -> None:
    form = wz_form()
    case = wenzhou.submit(replace(form, deceased=replace(form.deceased, hukou_area=hukou)), actor=XIAOMIN)
    approve(wenzhou)
    synchronise(wenzhou)
    assert case.area == "330302"
    assert wenzhou.status(HUKOU) == "DISPATCHED"


@pytest.mark.rule("WZ-103", "WZ-501", "WZ-504", "WZ-507", "C-05")
@pytest.mark.parametrize("form", [wz_form(), wz_form(flow="INSIDE"), abnormal_form()])
def test_all_three_kinds_of_death_are_admitted(wenzhou: World, form: Any) -> None:
    assert wenzhou.submit(form, actor=XIAOMIN).flow == form.flow


@pytest.mark.rule("WZ-321", "WZ-103", "PD-11")
@pytest.mark.parametrize(
    "flow, kind", [("OUTSIDE", "DEATH_ABNORMAL"), ("INSIDE", "DEATH_ABNORMAL"), ("ABNORMAL", "DEATH_MEDICAL")]
)
def test_the_certificate_must_be_the_one_of_the_kind_of_death(wenzhou: World, flow: str, kind: str) -> None:
    error = refused(wenzhou, wz_form(flow=flow, answers=answers(deathCertificate_kind=kind)))
    assert faults(error) == {("NOT_ELIGIBLE", "deathCertificate.kind", ("WZ-321", "WZ-103"))}


@pytest.mark.rule("WZ-201", "WZ-202", "WZ-203", "WZ-204", "WZ-1006", "C-24", "C-29")
@pytest.mark.parametrize(
    "channel, actor", [("WEB", XIAOMIN), ("WINDOW", CLERK), ("PHONE", CLERK), ("PHONE", AGENT), ("AGENT", AGENT)]
)
def test_every_entry_leads_to_one_acceptance(wenzhou: World, channel: str, actor: Actor) -> None:
    township = "330302003"
    case = wenzhou.submit(wz_form(channel=channel, area=township), actor=actor)
    assert (case.channel, case.opened_by, case.area) == (channel, actor.role, township)
    approve(wenzhou)
    synchronise(wenzhou)
    assert set(sent(wenzhou)) == told((*BOXES, CIVIL_GROUP, VETERANS_GROUP, INSURANCE))


@pytest.mark.rule("WZ-202", "C-29")
@pytest.mark.parametrize("channel", ["HOTLINE", "APP", "STAFF_APP"])
def test_other_channels_are_not_offered(wenzhou: World, channel: str) -> None:
    assert codes(refused(wenzhou, wz_form(channel=channel))) == ["CHANNEL_NOT_OFFERED"]


@pytest.mark.rule("WZ-205", "C-10")
@pytest.mark.parametrize("role", ["specialist", "department-system", "supervisor"])
def test_a_department_does_not_apply_for_the_family(wenzhou: World, role: str) -> None:
    error = refused(wenzhou, wz_form(), Actor(role, "某", "social-security", "x"))
    assert codes(error) == ["OPENER_NOT_ALLOWED"]


@pytest.mark.rule("WZ-504", "C-10")
@pytest.mark.parametrize("flow, department", [("OUTSIDE", "health"), ("ABNORMAL", "public-security")])
def test_only_a_hospitals_certificate_opens_a_case(wenzhou: World, flow: str, department: str) -> None:
    kind = "DEATH_ABNORMAL" if flow == "ABNORMAL" else "DEATH_MEDICAL"
    certificate = Certificate(kind, "X-1", moment("2019-12-02 18:30"))
    with pytest.raises(Refused) as found:
        certified_by_hospital(wenzhou, flow, department, certificate)
    assert codes(found.value) == ["OPENER_NOT_ALLOWED"]
    assert wenzhou.count() == 0


@pytest.mark.rule("WZ-101", "PD-11")
def test_a_hospital_outside_the_city_opens_no_case(wenzhou: World) -> None:
    death = DeathForm(moment("2019-12-02 18:00"), "331002")
    certificate = Certificate("DEATH_MEDICAL", "X-1", moment("2019-12-02 18:30"))
    with pytest.raises(Refused) as found, wenzhou.acting(Actor("department-system", "h", "health", "h")) as ctx:
        opening.open_by_certificate(ctx, "health", "wz", "INSIDE", meizhu(), death, certificate, "o-1")
    assert codes(found.value) == ["NOT_ELIGIBLE"]


@pytest.mark.rule("WZ-207", "WZ-406", "C-26")
def test_one_identity_document_is_enough_and_no_paper_is_asked_for(wenzhou: World) -> None:
    form = wz_form()
    assert (form.materials, policy().materials) == ((), [])
    wenzhou.submit(form, actor=XIAOMIN)


@pytest.mark.rule("WZ-336", "WZ-328", "PD-11")
def test_the_promise_is_made_and_nobody_is_held_to_one_whose_words_are_not_known(wenzhou: World) -> None:
    error = refused(wenzhou, wz_form(commitments=()))
    assert [(problem.reason.code, problem.reason.ids) for problem in error.problems] == [
        ("COMMITMENT_MISSING", ("WZ-336",))
    ]
    assert wenzhou.submit(wz_form(commitments=("TRUTH",)), actor=XIAOMIN).number


# ── the seal of the township (WZ-338, C-25) ─────────────────────────────────────────────────────────────


@pytest.mark.rule("WZ-338", "WZ-502", "WZ-105", "C-25", "PD-08")
def test_a_township_that_does_not_approve_leaves_everything_blocked_with_the_reason(filed: World) -> None:
    with filed.at("2019-11-19 09:30").acting(CLERK) as ctx:
        case_care.refuse_in_platform(ctx, filed.number, APPROVAL, "死亡地点不在本辖区")
    synchronise(filed)
    assert (filed.status(APPROVAL), filed.item(APPROVAL).outcome) == ("REFUSED", "死亡地点不在本辖区")
    assert sent(filed) == []
    for slug in (*BOXES, CIVIL_GROUP, VETERANS_GROUP, INSURANCE):
        assert filed.status(slug) == "BLOCKED"
        (reason,) = waits(filed, slug)
        assert (reason.code, reason.ids) == ("WAITS_FOR_REFUSED_ITEM", ("WZ-502",))
        assert "乡镇（街道）审批" in reason.zh()
    assert filed.case().status == "IN_PROGRESS"


@pytest.mark.rule("WZ-338", "C-25")
@pytest.mark.parametrize("actor", [XIAOMIN, AGENT])
def test_the_seal_is_the_townships_alone(filed: World, actor: Actor) -> None:
    with pytest.raises(Refused) as found:
        approve(filed, actor=actor)
    assert codes(found.value) == ["NOT_OWNER"]
    assert filed.status(APPROVAL) == "DISPATCHED"
    approve(filed, actor=DUTY)
    assert filed.status(APPROVAL) == "COMPLETED"


@pytest.mark.rule("WZ-502", "PD-06")
@pytest.mark.parametrize("slug", [FUNERAL, HUKOU, INSURANCE])
def test_a_result_before_the_seal_is_not_taken(filed: World, slug: str) -> None:
    department = {FUNERAL: "civil-affairs", HUKOU: "public-security", INSURANCE: "social-security"}[slug]
    ack = filed.report(department, slug, "e-1", Outcome.COMPLETED)
    assert ack.reason is not None and ack.reason.code == "NOT_DISPATCHED"
    assert filed.status(slug) == "BLOCKED"


@pytest.mark.rule("WZ-502", "WZ-511")
def test_data_that_are_there_before_the_seal_open_nothing_alone(filed: World) -> None:
    synchronise(filed)
    assert sent(filed) == []
    assert [gate.ids for gate in waits(filed, HUKOU)] == [("WZ-502",)]
    approve(filed)
    assert told(BEHIND_DATA) <= set(sent(filed))


# ── stops without a tick box (WZ-342, WZ-345, X-10) ─────────────────────────────────────────────────────


@pytest.mark.rule("WZ-609", "WZ-345", "WZ-821", "C-28")
def test_both_departments_handle_special_groups_under_one_name(wenzhou: World) -> None:
    wenzhou.submit(wz_form(), actor=XIAOMIN)
    approve(wenzhou)
    for slug, department in ((CIVIL_GROUP, "civil-affairs"), (VETERANS_GROUP, "veterans-affairs")):
        assert (department, slug) in sent(wenzhou)
        assert wenzhou.item(slug).applicability == "DEPARTMENT_VERIFIES"
        with wenzhou.acting() as ctx:
            application = dispatch.application(ctx, wenzhou.number, slug)
        assert application is not None
        assert (application.item, application.key) == (CIVIL_GROUP, f"{wenzhou.number}.{slug}")


@pytest.mark.rule("WZ-609", "WZ-611")
def test_who_is_declared_not_to_be_concerned_is_sent_to_nobody(wenzhou: World) -> None:
    none = dict.fromkeys(("SPECIAL_GROUP_CIVIL_AFFAIRS", "SPECIAL_GROUP_VETERANS", "INSURED"), False)
    wenzhou.submit(wz_form(FUNERAL, situations=situations() | none), actor=XIAOMIN)
    approve(wenzhou)
    assert sent(wenzhou) == [("civil-affairs", FUNERAL)]


@pytest.mark.rule("WZ-611", "WZ-342", "X-10")
def test_social_insurance_is_processed_from_acceptance_even_when_nothing_was_ticked(wenzhou: World) -> None:
    wenzhou.submit(wz_form(items=()), actor=XIAOMIN)
    approve(wenzhou)
    assert ("social-security", INSURANCE) in sent(wenzhou)
    assert not {FUNERAL, *BEHIND_DATA} & set(wenzhou.case().items), "an item is applied for only when ticked"
    synchronise(wenzhou)
    assert finish(wenzhou.at("2019-11-28 10:00")).status == "CLOSED"


# ── the housing fund is not settled ──────────────────────────────────────────────────────────────


@pytest.mark.rule("WZ-333", "WZ-334", "WZ-605", "X-08")
def test_the_housing_fund_is_not_offered_until_it_is_switched_on(wenzhou: World) -> None:
    error = refused(wenzhou, wz_form(HOUSING))
    assert [(problem.reason.code, problem.reason.ids) for problem in error.problems] == [
        ("ITEM_NOT_OFFERED", ("WZ-605",))
    ]


def switched_on(path: Path, department: str) -> Path:
    text = (DATA / "wenzhou.yaml").read_text(encoding="utf-8")
    text = text.replace("code: wz\n", "code: wzh\n")
    text = text.replace("    enabled: false\n    department: null\n", f"    department: {department}\n")
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.rule("WZ-334", "WZ-605", "X-08", "PD-18", "PD-20", "PD-19")
@pytest.mark.parametrize("department, status", [("null", "BLOCKED"), ("housing-fund", "DISPATCHED")])
def test_the_data_switch_it_on(database: Database, tmp_path: Path, department: str, status: str) -> None:
    policies = load(more=(switched_on(tmp_path / "with-housing-fund.yaml", department),))
    world = connected(database, policies)
    world.submit(wz_form(HOUSING, jurisdiction="wzh"), actor=XIAOMIN)
    approve(world)
    synchronise(world)
    assert world.status(HOUSING) == status
    if department == "null":
        assert [gate.code for gate in waits(world, HOUSING)] == ["DEPARTMENT_NOT_CONFIGURED"]
        return
    balance = (payment("1", "HOUSING_FUND_BALANCE", 500000),)
    world.report("housing-fund", HOUSING, "g-1", Outcome.COMPLETED, payments=balance)
    payout = world.payout(f"{HOUSING}:1")
    assert payout.hold is not None and payout.hold.ids == ("WZ-605", "PD-20")


@pytest.mark.rule("WZ-335", "WZ-346", "WZ-1005", "C-31", "PD-19")
def test_a_county_alters_form_and_flow_by_a_file_of_its_own(database: Database, tmp_path: Path) -> None:
    text = (DATA / "wenzhou.yaml").read_text(encoding="utf-8")
    text = text.replace("code: wz\n", "code: yq\n").replace('area: "330300"\ntime', 'area: "330382"\ntime')
    text = text.replace(
        "  - {path: signature,",
        "  - {path: burial.hillPlot, label: 山地编号, label_en: plot, group: BODY, type: TEXT, required: true}\n"
        "  - {path: signature,",
    )
    text = text.replace(
        "    requires: &accepted [{item: township-approval, source: WZ-502}]",
        "    requires: &accepted [{report: true, source: WZ-1005}]",
    )
    file = tmp_path / "yueqing.yaml"
    file.write_text(text, encoding="utf-8")
    world = connected(database, load(more=(file,)))
    error = refused(world, wz_form(jurisdiction="yq"))
    assert [problem.path for problem in error.problems] == ["burial.hillPlot"]
    world.submit(wz_form(jurisdiction="yq", answers=answers() | {"burial.hillPlot": "7"}), actor=XIAOMIN)
    assert ("civil-affairs", FUNERAL) in sent(world), "there nobody waits for a seal"


# ── no number of days, fallback, sight ──────────────────────────────────────────────────────────────────


@pytest.mark.rule("WZ-514", "WZ-901", "WZ-902", "C-20")
def test_no_item_has_a_number_and_supervision_works_without(wenzhou: World) -> None:
    until_data(wenzhou, wz_form(situations=situations("REIMBURSEMENT_PENDING")))
    for slug in wenzhou.case().items:
        assert (wenzhou.deadline(slug).state, wenzhou.deadline(slug).due_at) == ("NO_LIMIT", None)
    seen = wenzhou.at("2020-11-19 09:00").supervision("2019-11-01 00:00", "2019-12-01 00:00")
    assert (seen.overdue, seen.calendar_missing) == ((), 0)
    by_department = {row.department: row.pushed for row in seen.compliance}
    assert by_department["social-security"] == 1 and by_department["medical-insurance"] == 2
    assert sum(row.without_limit for row in seen.compliance) == sum(row.pushed for row in seen.compliance)


@pytest.mark.rule("WZ-341", "S-17")
def test_the_thirty_days_are_advice_and_no_deadline(wenzhou: World) -> None:
    until_data(wenzhou)
    (notice,) = [found for found in policy().notices if found.source == "WZ-341"]
    assert "30日内" in notice.text
    assert wenzhou.deadline(HUKOU).limit.amount is None


@pytest.mark.rule("WZ-901")
def test_inspections_and_feedback_are_recorded(filed: World) -> None:
    with filed.acting(Actor("supervisor", "督查员", None, "staff-ducha")) as ctx:
        case_care.note(ctx, filed.number, "INSPECTION", "窗口现场检查")
    assert "Noted" in {type(event).__name__ for event in filed.ledger()}


@pytest.mark.rule("WZ-1002", "WZ-1003", "WZ-1004", "WZ-1007", "S-15", "C-23")
def test_departments_without_an_interface_work_at_the_window(database: Database) -> None:
    """过渡阶段: nothing is sent out; a person of each department enters the result."""
    world = World(database, outward=Outward(frozenset(), frozenset()))
    until_data(world, wz_form())
    assert sent(world) == []
    assert {world.status(slug) for slug in BOXES} == {"DISPATCHED"}
    case = world.case()
    seen = sight.see(rights.load(), Viewer("specialist", "330302", "某", "x", "public-security"), policy(), case)
    assert seen is not None and set(seen.items) == {HUKOU}
    settles(world, -120345)
    pension_answers(world, 480000, 1920000)
    assert [world.payout(f"{PENSION}:{serial}").net for serial in ("1", "2")] == [359655, 1920000]
    assert finish(world).status == "CLOSED"


@pytest.mark.rule("WZ-801", "WZ-821", "PD-15")
@pytest.mark.parametrize(
    "department, own, account",
    [
        ("social-security", {PENSION, INSURANCE}, True),
        ("medical-insurance", {MEDICAL}, False),
        ("public-security", {HUKOU}, False),
        ("veterans-affairs", {VETERANS_GROUP}, False),
    ],
)
def test_a_department_sees_its_own_items_and_money_only(
    wenzhou: World, department: str, own: set[str], account: bool
) -> None:
    until_data(wenzhou)
    settles(wenzhou, -120345)
    pension_answers(wenzhou, 480000, 1920000)
    viewer = Viewer("specialist", "330302", "某", "x", department)
    seen = sight.see(rights.load(), viewer, policy(), wenzhou.case())
    assert seen is not None
    pushed = {slug for slug, found in seen.items.items() if found.pushed_at is not None}
    assert pushed == own
    accounts = {payout.account.number for payout in seen.payouts.values() if payout.account is not None}
    assert accounts == ({CARD} if account else set())
    elsewhere = Viewer("specialist", "330382", "某", "x", department)
    assert sight.see(rights.load(), elsewhere, policy(), wenzhou.case()) is None


@pytest.mark.rule("WZ-347", "WZ-904", "WZ-301")
def test_a_form_is_archived_under_its_number_and_found_again(wenzhou: World) -> None:
    until_data(wenzhou)
    settles(wenzhou, 0)
    finish(wenzhou)
    case = wenzhou.case("WZ2019111900001")
    assert case.status == "CLOSED" and case.form is not None
    assert case.form.value("ashes.placeName") == "翠微山公墓"
    with wenzhou.database.read() as tx:
        assert cases.count(tx, cases.CaseFilter(id_number=CHEN_ABAO)) == 1


@pytest.mark.rule("WZ-206", "WZ-903")
def test_the_guide_says_whom_to_tell_first_and_whom_to_ask() -> None:
    first = next(step for step in policy().steps if step.flow == "OUTSIDE")
    assert (first.source, first.name) == ("WZ-206", "及时向当地乡镇（街道）报告死亡讯息")
    assert "乡镇（街道）行政服务中心" in policy().duty_contact
