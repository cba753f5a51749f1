"""湖州 row by row: what the standard says of phases, modules, specialists, write-backs and shared data.

The scenarios are in the other files; here stand the rows that no scenario tells.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.access import rights, sight
from gateway.access.rights import Viewer
from gateway.domain.department import Application, Certificate, Outcome
from gateway.domain.events import Completed, CorrectionAnswered, Pushed
from gateway.services import case_care, dispatch, joint_submission, reading
from gateway.services.context import Outward
from gateway.services.write_back import AckOutcome
from gateway.store.session import Database
from tests.builders import (
    CONNECTED,
    DAUGHTER,
    DUTY,
    World,
    huzhou,
    hz_account,
    hz_form,
    hz_situations,
    moment,
    police_certificate,
)

EVERYTHING = tuple(situation.code for situation in huzhou().situations)
HEIRS = Certificate("HEIR_QUALIFICATION", "Q-1", moment("2025-11-10 10:00"), "公证处")

MODULES = {
    "报丧管理": ("civil-affairs", {"death-report"}),
    "死亡证明": ("health", {"death-cert-normal"}),
    "殡仪服务": ("civil-affairs", {"funeral-service", "cremation-cert", "eco-burial-reward", "funeral-fee-relief"}),
    "户籍注销": ("public-security", {"hukou-deregistration", "death-cert-abnormal"}),
    "丧葬补助": ("social-security", {"retirement-pension-stop", "pension-funeral-bereavement-claim"}),
    "医保处理": (
        "medical-insurance",
        {"medical-benefit-stop", "medical-maternity-participation-end", "medical-account-settlement"},
    ),
    "公积金处理": ("housing-fund", {"housing-fund-death-withdrawal"}),
    "退役军人事务处理": ("veterans-affairs", {"veteran-funeral-grant", "veteran-pension-stop"}),
    "养老处理": (
        "elderly-care",
        {"elderly-service-subsidy-stop", "old-age-allowance-stop", "purchased-elderly-service-stop"},
    ),
    "残联处理": ("disabled-persons-federation", {"disability-card-cancellation", "disability-treatment-stop"}),
    "移民处理": ("resettlement", {"resettlement-registration", "resettlement-reduction"}),
    "社会救助处理": ("social-assistance", {"dibao-stop", "tekun-stop"}),
    "账户查询、资产处理（银行）": ("bank", {"bank-asset-disposal"}),
    "账户查询、资产处理（保险）": ("insurer", {"insurer-asset-disposal"}),
}
"""HZ-826…828, 图1: the modules and the body that uses each; 逝者查询 is every role's (HZ-814)."""


@pytest.fixture
def everything(database: Database) -> World:
    """A case in which every item of the catalogue applies that can apply to one person, after the cremation."""
    departments = CONNECTED | {department for department, _ in MODULES.values()}
    world = World(database, None, Outward(departments))
    world.until_cremation(hz_form(situations=hz_situations(*EVERYTHING), account=hz_account()))
    with world.acting(DAUGHTER) as ctx:
        case_care.attach_evidence(ctx, world.number, HEIRS)
    return world.at("2025-11-11 09:00")


def application(world: World, slug: str) -> Application:
    with world.acting() as ctx:
        found = dispatch.application(ctx, world.number, slug)
    assert found is not None
    return found


def seen_by(world: World, department: str) -> Any:
    viewer = Viewer("specialist", "330502", "某", "x", department)
    return sight.see(rights.load(), viewer, huzhou(), world.case())


def pushed(world: World) -> list[set[str]]:
    return [set(event.slugs) for event in world.ledger() if isinstance(event, Pushed)]


# ── phases and paths ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("HZ-501")
def test_confirmation_cremation_and_aftercare_follow_each_other(world: World) -> None:
    world.until_cremation()
    assert pushed(world)[:4] == [
        {"death-report", "death-cert-normal", "ashes-burial-information"},
        {"funeral-service"},
        {"cremation-cert"},
        {slug for slug, item in world.case().items.items() if item.pushed_at == moment("2025-11-10 09:30")},
    ]
    phases = {item.slug: item.phase for item in huzhou().items}
    assert {phases[slug] for slug in pushed(world)[3]} == {"AFTERCARE"}
    assert "AFTERCARE" not in {phases[slug] for group in pushed(world)[:3] for slug in group}


@pytest.mark.rule("HZ-501", "HZ-502", "HZ-505", "HZ-508")
@pytest.mark.parametrize(
    "flow, first",
    [
        ("OUTSIDE", ["HZ-502", "HZ-503", "HZ-504"]),
        ("INSIDE", ["HZ-505", "HZ-504", "HZ-506"]),
        ("ABNORMAL", ["HZ-507", "HZ-508", "HZ-509"]),
    ],
)
def test_the_guide_tells_each_path_in_its_order(flow: str, first: list[str]) -> None:
    steps = [step for step in huzhou().steps if step.flow in (None, flow)]
    assert [step.source for step in steps] == [
        *first,
        *("HZ-512", "HZ-510", "HZ-511", "HZ-514", "HZ-513", "HZ-515", "HZ-905"),
    ]
    assert all(step.actor for step in steps)


@pytest.mark.rule("HZ-102", "HZ-507")
def test_an_abnormal_death_is_in_scope_and_the_guide_names_what_the_police_go_by(world: World) -> None:
    world.at("2025-11-08 08:00").opened_by("public-security", "ABNORMAL", police_certificate())
    case = world.at("2025-11-08 10:00").submit(hz_form(flow="ABNORMAL", death=replace(hz_form().death, cause="溺水")))
    assert (case.status, case.flow) == ("IN_PROGRESS", "ABNORMAL")
    assert huzhou().refused_flows == []
    found = next(step for step in huzhou().steps if step.source == "HZ-507")
    assert (found.actor, "法医检验鉴定结果" in found.name) == ("公安专员", True)


@pytest.mark.rule("HZ-601", "HZ-801")
def test_the_death_report_is_done_by_being_filed(world: World) -> None:
    world.at("2025-11-07 22:10").submit(hz_form())
    report = world.item("death-report")
    assert (report.status, report.finished_at) == ("COMPLETED", moment("2025-11-07 22:10"))
    assert world.queued == [work for work in world.queued if work.args[1] != "death-report"], "it goes to nobody"
    assert "submitCase" in rights.load().roles["civil-affairs-assistant"].may


@pytest.mark.rule("HZ-512")
def test_the_funeral_home_checks_the_report_and_has_it_corrected(world: World) -> None:
    world.submit(hz_form())
    world.certify_death()
    assert application(world, "funeral-service").applicant is not None, "the report is there to be checked"
    asked = world.report("civil-affairs", "funeral-service", "k-1", Outcome.CORRECTION, reason="接运地址不详")
    assert (asked.outcome, world.status("funeral-service")) == (AckOutcome.APPLIED, "CORRECTION_REQUIRED")
    with world.acting(DAUGHTER) as ctx:
        case_care.answer_correction(ctx, world.number, "funeral-service", "月河街道同心路8号")
    assert application(world, "funeral-service").correction_answer == "月河街道同心路8号"
    assert any(isinstance(event, CorrectionAnswered) for event in world.ledger())


# ── certificates and shared data instead of paper ───────────────────────────────────────────────────────


@pytest.mark.rule("HZ-403", "HZ-404", "HZ-822")
def test_from_the_certificate_to_the_last_item_there_is_no_paper(world: World) -> None:
    assert huzhou().materials == []
    world.until_cremation()
    assert world.case().form is not None and world.case().form.materials == ()
    certificate = world.case().certificate("DEATH_MEDICAL")
    assert certificate is not None
    assert (certificate.number, certificate.item) == ("D-1", "death-cert-normal"), "issued online, by the item"
    world.complete(*(slug for slug, item in world.case().items.items() if item.status == "DISPATCHED" and slug in DONE))
    with world.acting(DUTY) as ctx:
        case_care.complete_in_platform(ctx, world.number, "ashes-burial-information", {})
    assert world.case().status == "CLOSED"
    assert all(record.present for record in reading.archive(huzhou(), world.case()))


DONE = {item.slug for item in huzhou().items if item.department is not None}


@pytest.mark.rule("HZ-405", "HZ-829", "HZ-824")
def test_the_funeral_home_gets_the_certificate_and_the_booking_from_the_platform(world: World) -> None:
    booking = {"funeral.bookingTime": "2025-11-10T08:00:00+08:00", "funeral.pickupAddress": "月河街道同心路8号"}
    world.submit(hz_form(answers=booking))
    world.certify_death()
    booked = application(world, "funeral-service")
    assert dict(booked.details) == booking
    assert [(found.type, found.number) for found in booked.certificates] == [("DEATH_MEDICAL", "D-1")]
    world.book_funeral()
    cremation = application(world, "cremation-cert")
    assert [found.type for found in cremation.certificates] == ["DEATH_MEDICAL"]


@pytest.mark.rule("HZ-402", "HZ-1002", "HZ-1003", "HZ-824")
def test_every_department_gets_the_gathered_data_of_the_one_report(everything: World) -> None:
    open_items = [slug for slug, item in everything.case().items.items() if item.delivery.state == "PENDING"]
    aftercare = [slug for slug in open_items if _phase(slug) == "AFTERCARE"]
    assert len(aftercare) > 15
    for slug in aftercare:
        sent = application(everything, slug)
        assert (sent.deceased.name, sent.deceased.id_number) == ("沈福根", "330502193910109559"), slug
        assert {found.type for found in sent.certificates} >= {"DEATH_MEDICAL", "CREMATION"}, slug


def _phase(slug: str) -> str:
    definition = huzhou().item(slug)
    assert definition is not None
    return definition.phase


# ── modules, specialists, write-back ────────────────────────────────────────────────────────────────────


@pytest.mark.rule("HZ-817", "HZ-826", "HZ-827", "HZ-828", "X-11")
def test_every_item_belongs_to_the_module_of_the_body_that_uses_it() -> None:
    by_module = [slug for _, slugs in MODULES.values() for slug in slugs]
    assert len(by_module) == len(set(by_module))
    assert set(by_module) | {"ashes-burial-information"} == {item.slug for item in huzhou().items}
    for department, slugs in MODULES.values():
        assert {item.department for item in huzhou().items if item.slug in slugs} == {department}


ROWS = [
    ("health", "HZ-802", "HZ-842"),
    ("civil-affairs", "HZ-803", "HZ-841"),
    ("public-security", "HZ-804", "HZ-843"),
    ("social-security", "HZ-805", "HZ-844"),
    ("medical-insurance", "HZ-806", "HZ-845"),
    ("housing-fund", "HZ-807", "HZ-847"),
    ("veterans-affairs", "HZ-808", "HZ-848"),
    ("elderly-care", "HZ-809", "HZ-848"),
    ("disabled-persons-federation", "HZ-810", "HZ-846"),
    ("resettlement", "HZ-811", "HZ-848"),
    ("social-assistance", "HZ-812", "HZ-848"),
    ("bank", "HZ-813", "HZ-848"),
    ("insurer", "HZ-813", "HZ-848"),
]
SPECIALISTS = [pytest.param(department, marks=pytest.mark.rule(role)) for department, role, _ in ROWS]
WRITERS = [pytest.param(department, marks=pytest.mark.rule(duty)) for department, _, duty in ROWS]


@pytest.mark.rule("HZ-815", "HZ-817", "HZ-816")
@pytest.mark.parametrize("department", SPECIALISTS)
def test_a_specialist_works_in_the_modules_of_the_own_department_only(everything: World, department: str) -> None:
    own = {slug for owner, slugs in MODULES.values() if owner == department for slug in slugs}
    case = everything.case()
    at_work = {slug for slug in own if case.items[slug].pushed_at is not None}
    assert set(seen_by(everything, department).items) == at_work != set()
    foreign = next(slug for owner, slugs in MODULES.values() for slug in sorted(slugs) if owner != department)
    ack = everything.report(department, foreign, "foreign-1", Outcome.COMPLETED)
    assert (ack.reason and ack.reason.code) == "NOT_OWNER"


@pytest.mark.rule("HZ-515", "HZ-824", "HZ-825", "X-15")
@pytest.mark.parametrize("department", WRITERS)
def test_the_result_of_every_department_is_shared_through_the_platform(everything: World, department: str) -> None:
    if department == "resettlement":
        everything.complete("resettlement-registration")
    case = everything.case()
    own = [item.slug for item in huzhou().items if item.department == department and item.slug in case.items]
    waiting = [slug for slug in own if case.items[slug].status == "DISPATCHED"]
    everything.complete(*waiting)
    told = {event.slug for event in everything.ledger() if isinstance(event, Completed)}
    case = everything.case()
    assert told >= {slug for slug in own if case.items[slug].status == "COMPLETED"} != set()
    duty = sight.see(rights.load(), Viewer("duty-person", "330500", "值守", "d"), huzhou(), case)
    assert duty is not None
    assert {duty.items[slug].status.value for slug in own} <= {"COMPLETED", "NOT_APPLICABLE"}


@pytest.mark.rule("HZ-704", "HZ-617")
def test_the_housing_fund_pays_as_soon_as_it_can(everything: World) -> None:
    slug = "housing-fund-death-withdrawal"
    assert everything.item(slug).pushed_at == moment("2025-11-10 09:30")
    assert (everything.deadline(slug).due_at, everything.deadline(slug).limit.quote) == (None, "根据符合条件即可办理")
    assert everything.report("housing-fund", slug, "g-1", Outcome.COMPLETED).outcome is AckOutcome.APPLIED


@pytest.mark.rule("HZ-902", "HZ-901")
def test_how_each_department_does_its_work_is_inspected(everything: World) -> None:
    everything.complete("hukou-deregistration")
    rows = {row.department: row for row in everything.supervision().compliance}
    assert set(rows) == {department for department, _ in MODULES.values()}
    assert (rows["public-security"].pushed, rows["public-security"].on_time) == (1, 1)
    assert (rows["medical-insurance"].pushed, rows["medical-insurance"].running) == (3, 3)


# ── what is told and done for the family ────────────────────────────────────────────────────────────────


@pytest.mark.rule("HZ-907")
def test_the_family_is_told_of_every_item_before_it_files(world: World) -> None:
    form = hz_form()
    with world.acting() as ctx:
        told = joint_submission.check(ctx, form).verdicts
    assert {verdict.slug for verdict in told} == {item.slug for item in huzhou().items}
    assert all(verdict.reason.zh() and verdict.reason.ids for verdict in told)
    assert world.count() == 0


@pytest.mark.rule("HZ-908", "HZ-206", "HZ-606")
def test_the_duty_person_helps_and_informs(world: World) -> None:
    world.submit(hz_form())
    answer = {"information": "节地生态安葬：凤凰公墓树葬区"}
    with world.acting(DUTY) as ctx:
        case_care.complete_in_platform(ctx, world.number, "ashes-burial-information", answer)
    assert dict(world.item("ashes-burial-information").details) == answer
    told = {notice.code: notice for notice in huzhou().notices}
    assert "协助咨询和办理各类善后手续" in told["DUTY_PERSON"].text
    assert "值守" in huzhou().duty_contact


@pytest.mark.rule("HZ-1004", "HZ-207", "HZ-825")
@pytest.mark.parametrize("channel", [channel.code for channel in huzhou().channels])
def test_every_client_works_on_one_platform(world: World, channel: str) -> None:
    world.until_cremation(hz_form(channel=channel))
    assert world.case().channel == channel
    assert [len(group) for group in pushed(world)] == [3, 1, 1, 9], "the same items in the same order"


@pytest.mark.rule("C-19", "X-16")
def test_the_document_has_several_names_for_one_item() -> None:
    names = {item.slug: {item.name, *item.other_names} for item in huzhou().items}
    assert {"个人账户余额结算", "处理个人账户余额"} <= names["medical-account-settlement"]
    assert "公积金终止及提取" in names["housing-fund-death-withdrawal"]
    assert "停发社会救助金" in names["dibao-stop"]


@pytest.mark.rule("X-12", "X-13", "X-14", "X-17", "X-22", "HZ-621", "HZ-625", "HZ-628")
def test_where_the_document_contradicts_itself_the_clause_with_the_limit_wins() -> None:
    items = {item.slug: item for item in huzhou().items}
    assert items["tekun-stop"].department == "social-assistance", "§6.4, not 民政 of §4.2.2.3 nor the lane of 图A.1"
    assert items["resettlement-registration"].department == "resettlement", "§6.4, not 民政 of §4.2.2.3"
    assert items["death-cert-abnormal"].applies_when is not None
    assert items["death-cert-abnormal"].applies_when.equals == "ABNORMAL", "§6.2.3.1: wherever the person died"
    assert items["old-age-allowance-stop"].name == "停止发放高龄津贴", "高领津 in 图A.1 is a misprint"
    assert {"bank", "insurer"} < {item.department for item in huzhou().items}, "图1 adds two to the twelve roles"
