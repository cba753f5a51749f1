"""温州市 (AS-10…13): applied for before the cremation, approved by the township, settled on shared data after it."""

from __future__ import annotations

import pytest

from gateway.domain.department import Outcome
from gateway.services import dispatch
from gateway.services.write_back import AckOutcome
from gateway.store.session import Database
from tests.builders import World, moment, payment
from tests.uxin import sent, waits
from tests.wenzhou import (
    APPROVAL,
    BEHIND_DATA,
    BOXES,
    CARD,
    CIVIL_GROUP,
    CREMATED,
    CREMATION,
    FUNERAL,
    HOSPITAL,
    HUKOU,
    HUSBAND,
    INSURANCE,
    MEDICAL,
    NORMAL,
    PENSION,
    PICKUP,
    RECORD,
    REIMBURSEMENT,
    SEALED,
    VETERANS_GROUP,
    XIAOMIN,
    ZHENG_AFU,
    afu_form,
    answers,
    approve,
    certified_by_hospital,
    connected,
    faults,
    finish,
    husbands_form,
    look,
    pension_answers,
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


# ── AS-10 ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("AS-10", "WZ-322", "WZ-324", "WZ-326", "PD-11")
def test_an_empty_pickup_address_and_an_unnamed_cemetery_are_reported_together(wenzhou: World) -> None:
    given = answers(body_pickupAddress=None, ashes_placeName=None)
    assert faults(refused(wenzhou, wz_form(answers=given))) == {
        ("FIELD_REQUIRED", "body.pickupAddress", ("WZ-324",)),
        ("FIELD_REQUIRED", "ashes.placeName", ("WZ-326",)),
    }
    assert wenzhou.submit(wz_form(), actor=XIAOMIN).number


@pytest.mark.rule("AS-10", "WZ-301", "WZ-302", "WZ-338", "WZ-340", "PD-17", "C-09", "C-21", "C-25")
def test_nothing_is_pushed_before_the_seal_of_the_township(filed: World) -> None:
    case = filed.case()
    assert (case.number, case.area, case.channel) == ("WZ2019111900001", "330302", "WEB")
    assert filed.status(APPROVAL) == "DISPATCHED"
    assert sent(filed) == []
    for slug in (FUNERAL, INSURANCE, CIVIL_GROUP, VETERANS_GROUP):
        assert [(gate.code, gate.ids) for gate in waits(filed, slug)] == [("WAITS_FOR_ITEM", ("WZ-502",))]
    assert filed.waits_for(FUNERAL) == ["WAITS_FOR_ITEM"]
    assert set(BOXES) < set(case.items)


@pytest.mark.rule("AS-10", "WZ-105", "WZ-502", "WZ-338", "WZ-601", "WZ-609", "WZ-611", "X-10", "C-25", "WZ-515")
def test_the_seal_starts_the_funeral_and_the_stops_at_once(filed: World) -> None:
    approve(filed)
    at_once = (FUNERAL, CIVIL_GROUP, VETERANS_GROUP, INSURANCE)
    assert set(sent(filed)) == told(at_once)
    assert {filed.item(slug).pushed_at for slug in at_once} == {moment(SEALED)}
    assert filed.item(APPROVAL).finished_at == moment(SEALED)


@pytest.mark.rule("WZ-323", "WZ-324", "WZ-325", "WZ-326", "WZ-327", "WZ-601", "WZ-503")
def test_the_funeral_home_is_told_where_when_and_whereto_in_words(filed: World) -> None:
    approve(filed)
    with filed.acting() as ctx:
        application = dispatch.application(ctx, filed.number, FUNERAL)
    assert application is not None and application.applicant is not None
    assert dict(application.details) == {
        "body.pickupAddress": "鹿城区五马街道飞霞南路1号",
        "body.pickupDate": "2019-11-19",
        "ashes.placementIntent": "经营性公墓",
        "ashes.placeName": "翠微山公墓",
        "funeral.processionRoute": "飞霞南路—殡仪馆",
    }
    assert [found.number for found in application.certificates] == ["WZSW-1"]


@pytest.mark.rule("AS-10", "WZ-511", "WZ-510", "WZ-602", "WZ-603", "WZ-604", "C-07", "X-10")
def test_hukou_pension_and_settlement_wait_for_the_cremation_data(filed: World) -> None:
    approve(filed)
    for slug in BEHIND_DATA:
        assert filed.status(slug) == "BLOCKED"
        (reason,) = waits(filed, slug)
        assert (reason.code, reason.ids, reason.facts["certificate"]) == (
            "WAITS_FOR_CERTIFICATE",
            ("WZ-511",),
            "火化证明",
        )


@pytest.mark.rule("AS-10", "WZ-510", "WZ-511", "WZ-1001", "WZ-515", "WZ-822", "C-08")
def test_the_record_of_the_sharing_platform_releases_all_three_at_one_moment(filed: World) -> None:
    approve(filed)
    before = len(sent(filed))
    assert synchronise(filed)
    assert set(sent(filed)[before:]) == told(BEHIND_DATA), "the hukou is a peer"
    assert {filed.item(slug).pushed_at for slug in BEHIND_DATA} == {moment(CREMATED)}
    record = filed.case().certificate("CREMATION")
    assert record is not None and (record.number, record.issued_at) == (RECORD.number, RECORD.issued_at)
    assert filed.status(CREMATION) == "COMPLETED"
    assert not synchronise(filed), "the same record again changes nothing"


@pytest.mark.rule("AS-10", "WZ-513", "WZ-701", "WZ-310", "PD-10")
def test_the_pension_money_waits_for_the_settlement_and_then_goes_to_the_payee(filed: World) -> None:
    approve(filed)
    synchronise(filed)
    pension_answers(filed.at("2019-11-25 10:00"), 480000, 1920000)
    for serial in ("1", "2"):
        payout = filed.payout(f"{PENSION}:{serial}")
        assert payout.status == "HELD" and payout.hold is not None
        assert (payout.hold.code, payout.hold.ids) == ("WAITS_FOR_SETTLEMENT", ("WZ-513",))
        assert "亡故人医疗保险个人帐户清算" in payout.hold.zh()
    settles(filed.at("2019-11-26 10:00"), 120345)
    for serial, fen in (("1", 480000), ("2", 1920000)):
        payout = filed.payout(f"{PENSION}:{serial}")
        assert (payout.status, payout.net, payout.deduction) == ("INSTRUCTED", fen, 0)
        with filed.acting() as ctx:
            instruction = dispatch.instruction(ctx, filed.number, payout.id)
        assert instruction is not None and instruction.fen == fen
        assert (instruction.account.number, instruction.account.holder) == (CARD, "陈晓敏")


@pytest.mark.rule("AS-10", "PD-08", "WZ-515")
def test_the_case_is_closed_when_every_department_has_answered(filed: World) -> None:
    approve(filed)
    synchronise(filed)
    settles(filed.at("2019-11-26 10:00"), 120345)
    assert finish(filed.at("2019-11-27 10:00"), HUKOU).status == "IN_PROGRESS"
    assert finish(filed.at("2019-11-28 10:00")).status == "CLOSED"
    assert filed.status(NORMAL) == "COMPLETED"
    assert filed.faults() == []


# ── AS-11 ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("AS-11", "WZ-504", "WZ-606", "C-10")
def test_the_funeral_home_is_notified_although_nobody_has_applied(wenzhou: World) -> None:
    assert certified_by_hospital(wenzhou).outcome is AckOutcome.APPLIED
    case = wenzhou.case()
    assert (case.status, case.form, case.area) == ("AWAITING_REPORT", None, "330304")
    assert sent(wenzhou) == [("civil-affairs", PICKUP)]
    assert wenzhou.status(NORMAL) == "COMPLETED"
    with wenzhou.acting() as ctx:
        notice = dispatch.application(ctx, wenzhou.number, PICKUP)
    assert notice is not None
    assert (notice.deceased.name, notice.death.place, notice.applicant) == ("林美珠", "瓯海区人民医院", None)
    assert [(found.type, found.number) for found in notice.certificates] == [("DEATH_MEDICAL", HOSPITAL.number)]
    assert certified_by_hospital(wenzhou).outcome is AckOutcome.REPEATED
    assert len(sent(wenzhou)) == 1


@pytest.mark.rule("AS-11", "WZ-405", "WZ-505", "WZ-404", "WZ-205")
def test_the_husband_finds_certificate_and_pickup_linked_and_is_not_asked_for_them(wenzhou: World) -> None:
    certified_by_hospital(wenzhou)
    opened = wenzhou.number
    wenzhou.at("2019-12-02 20:00").report("civil-affairs", PICKUP, "j-1", Outcome.COMPLETED)
    case = wenzhou.at("2019-12-03 09:00").submit(husbands_form(), actor=HUSBAND)
    assert (case.number, case.status, wenzhou.count()) == (opened, "IN_PROGRESS", 1)
    certificate = case.certificate("DEATH_MEDICAL")
    assert certificate is not None and certificate.number == HOSPITAL.number
    assert (wenzhou.status(NORMAL), wenzhou.status(PICKUP)) == ("COMPLETED", "COMPLETED")
    assert sent(wenzhou) == [("civil-affairs", PICKUP)], "the funeral home was notified once"
    approve(wenzhou, "2019-12-03 09:05")
    assert ("civil-affairs", FUNERAL) in sent(wenzhou)


@pytest.mark.rule("AS-11", "WZ-506", "WZ-511")
def test_a_case_the_hospital_opened_runs_to_its_end_like_any_other(wenzhou: World) -> None:
    certified_by_hospital(wenzhou)
    wenzhou.at("2019-12-03 09:00").submit(husbands_form(), actor=HUSBAND)
    approve(wenzhou, "2019-12-03 09:05")
    assert wenzhou.status(HUKOU) == "BLOCKED"
    synchronise(wenzhou, at="2019-12-05 15:00", of=wenzhou.case().deceased.id_number or "")
    assert wenzhou.status(HUKOU) == "DISPATCHED"
    assert finish(wenzhou.at("2019-12-06 10:00")).status == "CLOSED"


@pytest.mark.rule("WZ-504", "WZ-322")
@pytest.mark.parametrize("there, status", [("false", "DISPATCHED"), ("true", "NOT_APPLICABLE")])
def test_without_an_opened_case_the_notice_goes_only_for_a_body_that_is_not_there(
    wenzhou: World, there: str, status: str
) -> None:
    number = {"deathCertificate.kind": "DEATH_MEDICAL", "deathCertificate.number": "X-1"}
    given = answers(body_atFuneralHome=there, body_funeralHome="温州市殡仪馆") | number
    wenzhou.at("2019-12-03 09:00").submit(husbands_form(answers=given), actor=HUSBAND)
    assert wenzhou.status(PICKUP) == status


# ── AS-12 ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def teacher(wenzhou: World) -> World:
    """AS-10, but a retired teacher of a public institution; nobody is named as payee."""
    form = wz_form(*BEHIND_DATA, situations=situations("CIVIL_SERVANT"), payee=None, account=None)
    return until_data(wenzhou, form)


@pytest.mark.rule("AS-12", "WZ-104", "WZ-705", "WZ-311", "C-17")
def test_the_claim_of_a_public_institution_goes_by_the_original_procedure(teacher: World) -> None:
    assert (teacher.status(HUKOU), teacher.status(MEDICAL)) == ("DISPATCHED", "DISPATCHED")
    found = teacher.item(PENSION)
    assert (found.status, found.pushed_at, found.chosen) == ("NOT_APPLICABLE", None, True)
    assert (found.reason.code, found.reason.ids) == ("ORIGINAL_PROCEDURE", ("WZ-603", "WZ-104"))
    assert "按照原流程办理" in found.reason.zh() and "机关事业单位" in found.reason.zh()
    assert ("social-security", PENSION) not in sent(teacher)


@pytest.mark.rule("AS-12", "WZ-705")
def test_no_funeral_or_bereavement_payment_can_be_created(teacher: World) -> None:
    sums = (payment("1", "FUNERAL_GRANT", 480000), payment("2", "BEREAVEMENT_PAYMENT", 1920000))
    for outcome in (Outcome.COMPLETED, None):
        ack = teacher.report("social-security", PENSION, f"s-{outcome}", outcome, payments=sums)
        assert ack.outcome is AckOutcome.REFUSED
    assert teacher.case().payouts == {}


@pytest.mark.rule("AS-12", "WZ-104", "PD-08")
def test_and_the_case_can_close(teacher: World) -> None:
    settles(teacher.at("2019-11-26 10:00"), -120345)
    assert finish(teacher.at("2019-11-27 10:00")).status == "CLOSED"
    assert set(teacher.case().payouts) == {f"{MEDICAL}:1"}


@pytest.mark.rule("WZ-104", "WZ-603")
def test_who_did_not_say_what_the_deceased_was_claims_like_anybody(wenzhou: World) -> None:
    until_data(wenzhou, wz_form(situations={}))
    assert wenzhou.status(PENSION) == "DISPATCHED"


# ── AS-13 ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def afu(wenzhou: World) -> World:
    """The cremation data are there when the son applies."""
    wenzhou.at("2019-11-25 09:00").submit(afu_form(), actor=XIAOMIN, looks=(look(ZHENG_AFU, RECORD),))
    approve(wenzhou, "2019-11-25 09:10")
    return wenzhou


@pytest.mark.rule("AS-13", "WZ-512", "WZ-704", "WZ-610", "WZ-342")
def test_the_claim_waits_for_the_open_reimbursement_and_names_it(afu: World) -> None:
    assert afu.status(HUKOU) == "DISPATCHED"
    assert afu.status(REIMBURSEMENT) == "DISPATCHED"
    assert afu.status(PENSION) == "BLOCKED"
    (reason,) = waits(afu, PENSION)
    assert (reason.code, reason.ids) == ("WAITS_FOR_ITEM", ("WZ-512",))
    assert "未完成的医疗费用报销手续" in reason.zh()


@pytest.mark.rule("AS-13", "WZ-512", "WZ-704")
@pytest.mark.parametrize("outcome", [Outcome.COMPLETED, Outcome.NOT_APPLICABLE])
def test_the_finished_reimbursement_releases_the_claim_without_any_act_of_the_family(
    afu: World, outcome: Outcome
) -> None:
    afu.at("2019-12-02 16:00").report("medical-insurance", REIMBURSEMENT, "b-1", outcome)
    assert afu.item(PENSION).pushed_at == moment("2019-12-02 16:00")
    assert ("social-security", PENSION) in sent(afu)


@pytest.mark.rule("WZ-512", "PD-08")
def test_a_reimbursement_that_is_refused_leaves_the_claim_blocked_with_the_reason(afu: World) -> None:
    afu.report("medical-insurance", REIMBURSEMENT, "b-1", Outcome.REFUSED, reason="材料不全")
    assert [(gate.code, gate.ids) for gate in waits(afu, PENSION)] == [("WAITS_FOR_REFUSED_ITEM", ("WZ-512",))]


@pytest.mark.rule("WZ-610", "PD-20")
def test_reimbursed_money_is_held_because_nobody_says_whose_account(afu: World) -> None:
    sums = (payment("1", "MEDICAL_REIMBURSEMENT", 312000),)
    afu.report("medical-insurance", REIMBURSEMENT, "b-1", Outcome.COMPLETED, payments=sums)
    payout = afu.payout(f"{REIMBURSEMENT}:1")
    assert payout.status == "HELD" and payout.hold is not None
    assert (payout.hold.code, payout.hold.ids) == ("PAYEE_RULE_NOT_CONFIGURED", ("WZ-610", "PD-20"))


@pytest.mark.rule("WZ-512", "WZ-610")
@pytest.mark.parametrize("declared", [{"REIMBURSEMENT_PENDING": False}, {}])
def test_without_an_open_reimbursement_the_claim_waits_for_none(wenzhou: World, declared: dict[str, bool]) -> None:
    until_data(wenzhou, afu_form(situations=declared))
    assert wenzhou.status(REIMBURSEMENT) == "NOT_APPLICABLE"
    assert wenzhou.status(PENSION) == "DISPATCHED"


@pytest.mark.rule("WZ-511")
def test_the_claim_of_as_13_needs_the_data_too(wenzhou: World) -> None:
    wenzhou.submit(afu_form(), actor=XIAOMIN)
    approve(wenzhou)
    assert {ids for gate in waits(wenzhou, PENSION) for ids in gate.ids} == {"WZ-511", "WZ-512"}
