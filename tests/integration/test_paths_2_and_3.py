"""Paths 2 and 3: a certificate opens the case, the report follows it (HZ-505…509); unidentified bodies (PD-21)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.department import Outcome
from gateway.domain.form import DeathForm, PersonForm
from gateway.domain.messages import Refused
from gateway.services import case_care
from gateway.services.write_back import AckOutcome
from tests.builders import (
    AFTERCARE,
    SHEN_LIJUAN,
    World,
    codes,
    cremation_certificate,
    hz_deceased,
    hz_form,
    medical_certificate,
    moment,
    police_certificate,
    unidentified,
)

PLACE = DeathForm(area="330502")
DIED = moment("2025-11-07 20:00")


@pytest.mark.rule("HZ-505", "HZ-506", "C-10")
def test_path_2_health_opens_and_the_assistant_reports(world: World) -> None:
    world.at("2025-11-08 08:00").opened_by("health", "INSIDE", medical_certificate())
    case = world.case()
    assert (case.status, world.status("death-cert-normal")) == ("AWAITING_REPORT", "COMPLETED")
    assert set(case.items) == {"death-report", "death-cert-normal", "death-cert-abnormal"}, "nothing else is judged"
    number = world.number
    world.at("2025-11-08 10:00").submit(hz_form(flow="INSIDE"))
    assert world.number == number, "the report belongs to the case the certificate opened"
    assert (world.case().status, world.status("funeral-service")) == ("IN_PROGRESS", "DISPATCHED")
    assert world.count() == 1


@pytest.mark.rule("HZ-505", "HZ-503")
def test_path_2_has_no_24_hours(world: World) -> None:
    world.opened_by("health", "INSIDE", medical_certificate())
    with pytest.raises(StopIteration):
        world.deadline("death-cert-normal")


@pytest.mark.rule("HZ-508", "HZ-509", "C-10")
def test_path_3_the_police_open_and_the_assistant_reports(world: World) -> None:
    world.at("2025-11-08 08:00").opened_by("public-security", "ABNORMAL", police_certificate())
    assert world.status("death-cert-abnormal") == "COMPLETED"
    world.at("2025-11-08 10:00").submit(hz_form(flow="ABNORMAL"))
    world.book_funeral()
    world.cremate()
    assert world.status("death-cert-normal") == "NOT_APPLICABLE"
    assert {world.status(slug) for slug in AFTERCARE} == {"DISPATCHED"}


@pytest.mark.rule("HZ-505", "HZ-508")
def test_the_certificate_is_not_pushed_back_to_who_issued_it(world: World) -> None:
    world.opened_by("public-security", "ABNORMAL", police_certificate())
    assert world.queued == []


@pytest.mark.parametrize(
    "flow, row",
    [
        pytest.param("INSIDE", "HZ-506", marks=pytest.mark.rule("HZ-506", "C-09")),
        pytest.param("ABNORMAL", "HZ-509", marks=pytest.mark.rule("HZ-509", "C-09")),
    ],
)
def test_a_report_before_the_certificate_is_refused(world: World, flow: str, row: str) -> None:
    with pytest.raises(Refused) as refused:
        world.submit(hz_form(flow=flow))
    (problem,) = refused.value.problems
    assert (problem.reason.code, problem.reason.ids) == ("CERTIFICATE_REQUIRED_FIRST", (row,))
    assert (world.count(), world.queued) == (0, [])


@pytest.mark.rule("HZ-505", "HZ-508", "C-10")
@pytest.mark.parametrize(
    "department, flow",
    [
        ("public-security", "INSIDE"),
        ("health", "ABNORMAL"),
        ("health", "OUTSIDE"),
        ("civil-affairs", "INSIDE"),
        ("health", "NOWHERE"),
    ],
)
def test_nobody_else_opens_a_case_by_certificate(world: World, department: str, flow: str) -> None:
    with pytest.raises(Refused) as refused:
        world.opened_by(department, flow, medical_certificate())
    assert codes(refused.value) == ["OPENER_NOT_ALLOWED"]
    assert world.count() == 0


@pytest.mark.rule("HZ-101", "PD-11")
def test_a_certificate_opens_no_case_for_the_ineligible(world: World) -> None:
    with pytest.raises(Refused) as refused:
        world.opened_by(
            "health",
            "INSIDE",
            medical_certificate(),
            deceased=hz_deceased(hukou_area="310101"),
            death=DeathForm(moment("2025-11-07 20:00"), "610800"),
        )
    assert codes(refused.value) == ["NOT_ELIGIBLE", "NOT_ELIGIBLE"]
    assert world.count() == 0


@pytest.mark.rule("HZ-301", "PD-11")
def test_a_certificate_with_a_mistyped_id_number_opens_no_case(world: World) -> None:
    with pytest.raises(Refused) as refused:
        world.opened_by("health", "INSIDE", medical_certificate(), deceased=hz_deceased(id_number="330502193910109558"))
    assert codes(refused.value) == ["ID_NUMBER_INVALID"]
    assert world.count() == 0


@pytest.mark.rule("PD-06")
def test_the_same_opening_message_again_is_the_same_case(world: World) -> None:
    first = world.at("2025-11-08 08:00").opened_by("health", "INSIDE", medical_certificate())
    again = world.at("2025-11-08 09:00").opened_by("health", "INSIDE", medical_certificate())
    assert again.outcome is AckOutcome.REPEATED and again.at == first.at
    assert again.case is not None and first.case is not None and again.case.number == first.case.number
    assert world.count() == 1


@pytest.mark.rule("PD-06", "PD-07")
def test_a_second_opening_with_another_certificate_is_a_conflict(world: World) -> None:
    world.opened_by("health", "INSIDE", medical_certificate("D-1"))
    ack = world.opened_by("health", "INSIDE", medical_certificate("D-2"), serial="o-2")
    assert ack.reason is not None and ack.reason.code == "CONFLICT"
    assert world.count() == 1


@pytest.mark.rule("PD-07")
def test_a_report_naming_another_persons_case_is_not_merged_into_it(world: World) -> None:
    world.opened_by("health", "INSIDE", medical_certificate())
    other = hz_deceased(name="沈丽娟", id_number=SHEN_LIJUAN)
    with pytest.raises(Refused) as refused:
        world.submit(hz_form(flow="INSIDE", deceased=other), case_number=world.number)
    assert codes(refused.value) == ["CERTIFICATE_REQUIRED_FIRST"]
    assert world.case().deceased.name == "沈福根"


# ── unidentified bodies ─────────────────────────────────────────────────────────────────────────────────


def body_cremated(world: World) -> None:
    world.at("2025-11-08 08:00").opened_by(
        "public-security", "ABNORMAL", police_certificate(), deceased=unidentified(), death=PLACE
    )
    form = hz_form(flow="ABNORMAL", deceased=unidentified(), death=PLACE, applicant=None)
    world.at("2025-11-08 10:00").submit(form, case_number=world.number)
    world.book_funeral()
    world.at("2025-11-10 09:30").cremate()


@pytest.mark.rule("HZ-104", "PD-21")
def test_an_unidentified_body_is_cremated_and_what_needs_a_name_is_blocked_not_refused(world: World) -> None:
    body_cremated(world)
    assert world.status("cremation-cert") == "COMPLETED"
    assert {world.status(slug) for slug in AFTERCARE} == {"BLOCKED"}
    assert all(world.waits_for(slug) == ["WAITS_FOR_IDENTITY"] for slug in AFTERCARE)
    assert world.case().status == "IN_PROGRESS"


@pytest.mark.rule("PD-21")
def test_later_identification_releases_the_items_in_the_same_case(world: World) -> None:
    body_cremated(world)
    with world.at("2026-01-05 10:00").acting() as ctx:
        case_care.identify(ctx, world.number, hz_deceased(), DIED)
    case = world.case()
    assert {case.items[slug].pushed_at for slug in AFTERCARE} == {moment("2026-01-05 10:00")}
    assert (case.deceased.name, case.death.occurred_at, world.count()) == ("沈福根", DIED, 1)


@pytest.mark.rule("PD-21", "PD-23")
@pytest.mark.parametrize(
    "deceased, expected",
    [
        (hz_deceased(hukou_area="310101"), "NOT_ELIGIBLE"),
        (hz_deceased(id_number="330502193910109558"), "ID_NUMBER_INVALID"),
        (hz_deceased(name=None), "FIELD_REQUIRED"),
        (unidentified(), "FIELD_REQUIRED"),
    ],
)
def test_identification_is_checked_like_a_submission(world: World, deceased: object, expected: str) -> None:
    body_cremated(world)
    with pytest.raises(Refused) as refused, world.acting() as ctx:
        case_care.identify(ctx, world.number, deceased, DIED)  # type: ignore[arg-type]
    assert expected in codes(refused.value)
    assert not world.case().deceased.identified


@pytest.mark.rule("PD-21")
def test_an_identity_that_is_known_is_not_replaced(world: World) -> None:
    world.submit(hz_form())
    with pytest.raises(Refused) as refused, world.acting() as ctx:
        case_care.identify(ctx, world.number, hz_deceased(name="另一人"))
    assert codes(refused.value) == ["IDENTITY_ALREADY_KNOWN"]


@pytest.mark.rule("PD-07", "PD-21")
@pytest.mark.parametrize("way", ["identify", "report"])
def test_a_body_found_to_be_somebody_with_an_open_case_makes_no_second_one(world: World, way: str) -> None:
    first = world.submit(hz_form()).number
    world.opened_by("public-security", "ABNORMAL", police_certificate(), deceased=unidentified(), death=PLACE)
    body = world.number
    assert body != first, "two unidentified or unknown people cannot be told apart"
    with pytest.raises(Refused) as refused:
        if way == "identify":
            with world.acting() as ctx:
                case_care.identify(ctx, body, hz_deceased(), DIED)
        else:
            world.submit(hz_form(flow="ABNORMAL"), case_number=body)
    assert codes(refused.value) == ["CASE_ALREADY_OPEN"]
    assert refused.value.problems[0].reason.facts == {"number": first}


@pytest.mark.rule("HZ-104")
def test_two_unidentified_bodies_are_two_cases_and_one_message_is_one(world: World) -> None:
    for serial in ("o-1", "o-2", "o-1"):
        world.opened_by(
            "public-security",
            "ABNORMAL",
            police_certificate(f"F-{serial}"),
            serial,
            deceased=unidentified(),
            death=PLACE,
        )
    assert world.count() == 2


@pytest.mark.rule("HZ-104", "PD-21")
def test_the_report_of_a_body_may_bring_its_name(world: World) -> None:
    world.opened_by("public-security", "ABNORMAL", police_certificate(), deceased=unidentified(), death=PLACE)
    form = hz_form(flow="ABNORMAL")
    world.submit(replace(form, applicant=PersonForm("沈丽娟", relation="CHILD")), case_number=world.number)
    assert world.case().deceased.name == "沈福根"
    world.book_funeral()
    ack = world.report(
        "civil-affairs", "cremation-cert", "c-2", Outcome.COMPLETED, certificates=(cremation_certificate(),)
    )
    assert ack.outcome is AckOutcome.APPLIED
    assert {world.status(slug) for slug in AFTERCARE} == {"DISPATCHED"}
