"""Write-back (PD-06): every outcome, taken once; what is refused changes nothing and stays in the ledger."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.department import Certificate, Outcome, Record
from gateway.domain.messages import Refused
from gateway.services import case_care, write_back
from gateway.services.write_back import Ack, AckOutcome
from tests.builders import World, codes, cremation_certificate, hz_form, medical_certificate, moment

pytestmark = pytest.mark.databases

HUKOU = ("public-security", "hukou-deregistration")


def reason(ack: Ack) -> str | None:
    return ack.reason.code.value if ack.reason is not None else None


@pytest.fixture
def cremated(world: World) -> World:
    return world.until_cremation().at("2025-11-11 10:00")


@pytest.mark.rule("PD-06")
def test_the_same_message_again_changes_nothing_and_the_first_time_stamp_stays(cremated: World) -> None:
    first = cremated.report(*HUKOU, "p-1", Outcome.COMPLETED, reference="G1")
    before = (cremated.case(), len(cremated.ledger()))
    again = cremated.at("2025-11-12 10:00").report(*HUKOU, "p-1", Outcome.COMPLETED, reference="G1")
    assert (first.outcome, again.outcome) == (AckOutcome.APPLIED, AckOutcome.REPEATED)
    assert again.at == first.at == moment("2025-11-11 10:00")
    assert (cremated.case(), len(cremated.ledger())) == before
    assert cremated.item("hukou-deregistration").finished_at == moment("2025-11-11 10:00")


@pytest.mark.rule("PD-06")
def test_the_same_serial_with_other_content_is_a_conflict(cremated: World) -> None:
    cremated.report(*HUKOU, "p-1", Outcome.COMPLETED)
    ack = cremated.report(*HUKOU, "p-1", Outcome.REFUSED, reason="查无此人")
    assert (ack.outcome, reason(ack)) == (AckOutcome.REFUSED, "CONFLICT")
    assert cremated.status("hukou-deregistration") == "COMPLETED"
    (kept,) = cremated.refused()
    assert (kept.department, kept.slug, kept.serial, kept.reason.code) == (*HUKOU, "p-1", "CONFLICT")


@pytest.mark.rule("PD-06")
@pytest.mark.parametrize(
    "first, then",
    [
        (Outcome.COMPLETED, Outcome.REFUSED),
        (Outcome.COMPLETED, Outcome.NOT_APPLICABLE),
        (Outcome.COMPLETED, Outcome.CORRECTION),
        (Outcome.COMPLETED, Outcome.ACCEPTED),  # 受理 reported late
        (Outcome.REFUSED, Outcome.COMPLETED),
        (Outcome.NOT_APPLICABLE, Outcome.COMPLETED),
    ],
)
def test_a_finished_item_takes_no_other_result(cremated: World, first: Outcome, then: Outcome) -> None:
    cremated.report(*HUKOU, "p-1", first, reason="一")
    before = cremated.item("hukou-deregistration")
    ack = cremated.report(*HUKOU, "p-2", then, reason="二")
    assert reason(ack) == "CONFLICT"
    assert cremated.item("hukou-deregistration") == before
    assert len(cremated.refused()) == 1


@pytest.mark.rule("PD-06")
def test_the_same_result_under_another_serial_is_a_repetition(cremated: World) -> None:
    cremated.report(*HUKOU, "p-1", Outcome.COMPLETED)
    before = cremated.item("hukou-deregistration")
    ack = cremated.at("2025-11-13 10:00").report(*HUKOU, "p-2", Outcome.COMPLETED)
    assert ack.outcome is AckOutcome.REPEATED
    assert cremated.item("hukou-deregistration") == before


@pytest.mark.rule("PD-06")
def test_a_refusal_for_another_reason_is_another_result(cremated: World) -> None:
    cremated.report(*HUKOU, "p-1", Outcome.REFUSED, reason="档案缺失")
    assert reason(cremated.report(*HUKOU, "p-2", Outcome.REFUSED, reason="非本辖区")) == "CONFLICT"
    assert cremated.item("hukou-deregistration").outcome == "档案缺失"


@pytest.mark.rule("PD-06", "HZ-514")
def test_a_result_before_the_push_is_refused_opens_no_gate_and_is_taken_after_it(world: World) -> None:
    world.submit(hz_form())
    world.certify_death()
    world.book_funeral()
    early = world.report(*HUKOU, "p-1", Outcome.COMPLETED)
    assert reason(early) == "NOT_DISPATCHED"
    assert "火化证明" in (early.reason.zh() if early.reason else ""), "what it waits for is told"
    assert world.status("hukou-deregistration") == "BLOCKED"
    assert [refused.reason.code for refused in world.refused()] == ["NOT_DISPATCHED"]
    world.at("2025-11-10 09:30").cremate()
    ack = world.at("2025-11-11 10:00").report(*HUKOU, "p-1", Outcome.COMPLETED)
    assert (ack.outcome, world.status("hukou-deregistration")) == (AckOutcome.APPLIED, "COMPLETED")


@pytest.mark.rule("PD-06", "HZ-511")
def test_a_cremation_certificate_before_its_push_opens_no_gate(world: World) -> None:
    world.submit(hz_form())
    ack = world.report("civil-affairs", "cremation-cert", "c-2", certificates=(cremation_certificate(),))
    assert reason(ack) == "NOT_DISPATCHED"
    assert world.case().certificates == []


@pytest.mark.rule("PD-06", "AS-16")
def test_another_departments_item_is_refused_and_recorded(cremated: World) -> None:
    ack = cremated.report("housing-fund", "medical-account-settlement", "g-1", Outcome.COMPLETED)
    assert reason(ack) == "NOT_OWNER"
    assert cremated.status("medical-account-settlement") == "DISPATCHED"
    (kept,) = cremated.refused()
    assert (kept.department, kept.slug) == ("housing-fund", "medical-account-settlement")


@pytest.mark.rule("PD-06")
def test_an_item_the_case_does_not_have_is_refused_and_recorded(cremated: World) -> None:
    assert reason(cremated.report("bank", "tea-ceremony", "b-1", Outcome.COMPLETED)) == "ITEM_NOT_IN_CASE"
    assert len(cremated.refused()) == 1


@pytest.mark.rule("PD-06")
def test_a_message_on_no_case_is_refused(cremated: World) -> None:
    cremated.number = "HZ1"
    with pytest.raises(Refused) as refused:
        cremated.report(*HUKOU, "p-1", Outcome.COMPLETED)
    assert codes(refused.value) == ["CASE_NOT_FOUND"]


@pytest.mark.rule("PD-06")
def test_serials_are_counted_per_department_case_and_item(cremated: World) -> None:
    one = cremated.report("social-security", "retirement-pension-stop", "1", Outcome.COMPLETED)
    two = cremated.report("social-security", "pension-funeral-bereavement-claim", "1", Outcome.COMPLETED)
    three = cremated.report(*HUKOU, "1", Outcome.REFUSED, reason="查无此人")
    assert {one.outcome, two.outcome, three.outcome} == {AckOutcome.APPLIED}


@pytest.mark.rule("PD-06", "HZ-605", "HZ-401")
def test_a_certificate_item_is_not_completed_without_its_certificate(world: World) -> None:
    world.submit(hz_form())
    ack = world.report("health", "death-cert-normal", "h-0", Outcome.COMPLETED)
    assert reason(ack) == "CERTIFICATE_REQUIRED"
    assert world.status("death-cert-normal") == "DISPATCHED"
    assert len(world.refused()) == 1


@pytest.mark.rule("PD-06")
def test_a_certificate_of_another_kind_or_number_is_refused(world: World) -> None:
    world.submit(hz_form())
    wrong = world.report("health", "death-cert-normal", "h-0", certificates=(cremation_certificate(),))
    assert reason(wrong) == "CERTIFICATE_TYPE_WRONG"
    world.certify_death()
    other = world.report("health", "death-cert-normal", "h-2", certificates=(medical_certificate("D-2"),))
    assert reason(other) == "CONFLICT"
    assert [found.number for found in world.case().certificates] == ["D-1"]
    assert len(world.refused()) == 2


@pytest.mark.rule("PD-06")
def test_half_of_a_refused_message_is_not_taken(world: World) -> None:
    """The certificate is right, the outcome contradicts: neither stays."""
    world.submit(hz_form())
    world.report("health", "death-cert-normal", "h-0", Outcome.REFUSED, reason="拒绝")
    ack = world.report("health", "death-cert-normal", "h-1", Outcome.COMPLETED, certificates=(medical_certificate(),))
    assert reason(ack) == "CONFLICT"
    assert world.case().certificates == []


@pytest.mark.rule("HZ-515", "PD-08")
def test_a_result_may_come_without_acceptance_and_acceptance_only_before_it(cremated: World) -> None:
    cremated.report(*HUKOU, "p-1", Outcome.ACCEPTED, reference="G1")
    assert cremated.status("hukou-deregistration") == "ACCEPTED"
    cremated.report(*HUKOU, "p-2", Outcome.COMPLETED)
    cremated.report("social-security", "retirement-pension-stop", "s-1", Outcome.COMPLETED)
    assert cremated.status("hukou-deregistration") == "COMPLETED"
    assert cremated.status("retirement-pension-stop") == "COMPLETED"
    assert cremated.item("hukou-deregistration").reference == "G1"


def read(world: World, outcome: Outcome) -> Ack:
    """A whole record as it was read from the department."""
    record = Record(f"{world.number}.hukou-deregistration", outcome, "01", world.now)
    with world.acting() as ctx:
        return write_back.take(
            ctx, *HUKOU[:1], world.number, HUKOU[1], write_back.record_serial(record), write_back.report_of(record)
        )


@pytest.mark.rule("PD-06")
def test_an_old_record_read_late_says_nothing_against_the_result(cremated: World) -> None:
    cremated.report(*HUKOU, "p-1", Outcome.COMPLETED)
    ack = read(cremated, Outcome.ACCEPTED)
    assert (ack.outcome, cremated.status("hukou-deregistration")) == (AckOutcome.REPEATED, "COMPLETED")
    assert cremated.refused() == []


@pytest.mark.rule("PD-16")
def test_the_same_record_read_twice_is_taken_once(cremated: World) -> None:
    first = read(cremated, Outcome.COMPLETED)
    assert first.outcome is AckOutcome.APPLIED
    length = len(cremated.ledger())
    assert read(cremated.at("2025-11-12 10:00"), Outcome.COMPLETED).outcome is AckOutcome.REPEATED
    assert len(cremated.ledger()) == length


@pytest.mark.rule("PD-08")
def test_registered_is_no_decision(cremated: World) -> None:
    cremated.report(*HUKOU, "p-1", Outcome.RECEIVED)
    assert cremated.status("hukou-deregistration") == "DISPATCHED"


@pytest.mark.rule("PD-08")
def test_a_correction_is_asked_for_and_answered(cremated: World) -> None:
    slug = "pension-funeral-bereavement-claim"
    cremated.report("social-security", slug, "s-1", Outcome.CORRECTION, reason="材料不清", missing=("户口簿",))
    item = cremated.item(slug)
    assert (item.status, item.outcome, item.missing) == ("CORRECTION_REQUIRED", "材料不清", ("户口簿",))
    with cremated.at("2025-11-12 10:00").acting() as ctx:
        case_care.answer_correction(ctx, cremated.number, slug, "已补传")
    item = cremated.item(slug)
    assert (item.status, item.correction, item.correction_answer) == ("DISPATCHED", 1, "已补传")
    assert item.pushed_at == moment("2025-11-10 09:30"), "the clock does not start again"
    cremated.complete(slug)
    assert cremated.item(slug).missing == ()


@pytest.mark.rule("PD-08")
def test_nothing_is_answered_that_was_not_asked(cremated: World) -> None:
    with pytest.raises(Refused) as refused, cremated.acting() as ctx:
        case_care.answer_correction(ctx, cremated.number, "hukou-deregistration", "已补传")
    assert codes(refused.value) == ["ACTION_NOT_POSSIBLE"]


@pytest.mark.rule("PD-08", "PD-18")
def test_the_departments_own_data_find_nothing(cremated: World) -> None:
    cremated.report("housing-fund", "housing-fund-death-withdrawal", "g-1", Outcome.NOT_APPLICABLE, reason="无账户")
    item = cremated.item("housing-fund-death-withdrawal")
    assert (item.status, item.reason.code) == ("NOT_APPLICABLE", "DEPARTMENT_FOUND_NOTHING")
    assert "无账户" in item.reason.zh()


@pytest.mark.rule("PD-08")
def test_a_refusal_keeps_its_reason(cremated: World) -> None:
    cremated.report(*HUKOU, "p-1", Outcome.REFUSED, reason="档案缺失", reference="G9")
    item = cremated.item("hukou-deregistration")
    assert (item.status, item.outcome, item.reference) == ("REFUSED", "档案缺失", "G9")


@pytest.mark.rule("HZ-627", "PD-05", "C-30")
def test_an_act_is_done_even_if_its_effect_lies_in_the_future(world: World) -> None:
    world.until_cremation(hz_form("DIBAO", "RESETTLEMENT_SUPPORT"))
    world.complete("dibao-stop", "resettlement-registration", "resettlement-reduction")
    found = {slug: world.item(slug) for slug in ("dibao-stop", "resettlement-reduction")}
    assert {item.status.value for item in found.values()} == {"COMPLETED"}
    assert [item.effective for item in found.values()] == ["2025-12", "2026"]


@pytest.mark.rule("PD-06")
def test_every_refused_write_back_is_in_the_ledger_once(world: World) -> None:
    world.submit(hz_form())
    for _ in range(3):
        world.report(*HUKOU, "p-1", Outcome.COMPLETED)
    world.report(*HUKOU, "p-2", Outcome.COMPLETED)
    world.report("bank", "hukou-deregistration", "p-1", Outcome.COMPLETED)
    kept = [(refused.department, refused.serial, refused.reason.code.value) for refused in world.refused()]
    assert kept == [
        ("public-security", "p-1", "NOT_DISPATCHED"),
        ("public-security", "p-2", "NOT_DISPATCHED"),
        ("bank", "p-1", "NOT_OWNER"),
    ]
    assert world.faults() == []


@pytest.mark.rule("PD-08")
def test_a_document_of_the_departments_own_opens_no_gate(cremated: World) -> None:
    own = Certificate("DEREGISTRATION", "X-1", moment("2025-11-11 09:00"))
    cremated.report(*HUKOU, "p-1", Outcome.COMPLETED, certificates=(own,))
    assert cremated.status("hukou-deregistration") == "COMPLETED"
    assert cremated.case().certificate("DEREGISTRATION") is None


@pytest.mark.rule("PD-06")
def test_a_finished_item_keeps_the_details_it_was_finished_with(cremated: World) -> None:
    cremated.report(*HUKOU, "p-1", Outcome.COMPLETED, details={"cancelledOn": "2025-11-11"})
    same = cremated.report(*HUKOU, "p-2", Outcome.COMPLETED, details={"cancelledOn": "2025-11-11"})
    other = cremated.report(*HUKOU, "p-3", Outcome.COMPLETED, details={"cancelledOn": "2025-11-12"})
    assert (same.outcome, reason(other)) == (AckOutcome.REPEATED, "CONFLICT")
    assert cremated.item("hukou-deregistration").details == {"cancelledOn": "2025-11-11"}


@pytest.mark.rule("PD-06")
def test_of_a_page_of_records_only_what_is_new_is_taken(world: World) -> None:
    world.until_cremation()
    department, slug = "social-security", "retirement-pension-stop"
    at = moment("2025-11-10 10:00")
    old = Record(f"{world.number}.{slug}", Outcome.ACCEPTED, "10", at)
    report = write_back.report_of(old)
    with world.acting() as ctx:
        serial = write_back.record_serial(old)
        write_back.take(ctx, department, world.number, slug, serial, report)
    later = replace(old, outcome=Outcome.COMPLETED, updated_at=moment("2025-11-10 11:00"))
    other = replace(old, key=f"{world.number}.pension-funeral-bereavement-claim")
    with world.acting() as ctx:
        assert write_back.news(ctx, department, [old, other]) == [other]
        assert write_back.news(ctx, department, [later]) == [later]
        assert write_back.news(ctx, "bank", [old]) == [old], "another department's message says nothing of it"
