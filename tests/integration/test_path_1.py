"""AS-14 and AS-15's table: 沈福根's case from the report on Friday night to the aftercare on Monday."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.domain.deadlines import ClockKind
from gateway.domain.department import Outcome
from tests.builders import AFTERCARE, DUTY, SHANGHAI, World, cremation_certificate, hz_form, moment


@pytest.mark.rule("AS-14", "HZ-502", "HZ-503", "PD-03")
def test_the_report_is_pushed_to_health_and_due_in_24_hours(world: World) -> None:
    case = world.at("2025-11-07 22:10").submit(hz_form())
    assert case.number == "HZ2025110700001"
    assert (case.status, case.area) == ("IN_PROGRESS", "330502")
    assert world.item("death-cert-normal").pushed_at == moment("2025-11-07 22:10")
    found = world.deadline("death-cert-normal")
    assert (found.state, found.due_at) == ("RUNNING", moment("2025-11-08 22:10"))
    assert world.status("death-report") == "COMPLETED"
    assert [(work.name, work.department) for work in world.queued] == [("deliver", "health")]


@pytest.mark.rule("AS-14", "HZ-503")
@pytest.mark.parametrize(
    "issued, state", [("2025-11-08 21:30", "MET"), ("2025-11-08 22:10", "MET"), ("2025-11-08 22:11", "MISSED")]
)
def test_the_certificate_is_on_time_within_24_hours(world: World, issued: str, state: str) -> None:
    world.at("2025-11-07 22:10").submit(hz_form())
    world.at(issued).certify_death()
    assert world.deadline("death-cert-normal").state == state


@pytest.mark.rule("AS-14", "HZ-510", "HZ-514")
def test_the_funeral_home_books_and_no_aftercare_role_sees_an_open_task_yet(world: World) -> None:
    world.submit(hz_form())
    assert world.status("funeral-service") == "BLOCKED"
    world.at("2025-11-08 21:30").certify_death()
    assert world.status("funeral-service") == "DISPATCHED"
    assert world.status("cremation-cert") == "BLOCKED"
    world.book_funeral()
    assert world.status("cremation-cert") == "DISPATCHED"
    assert {world.status(slug) for slug in AFTERCARE} == {"BLOCKED"}
    assert all(world.waits_for(slug) == ["WAITS_FOR_CERTIFICATE"] for slug in AFTERCARE)


@pytest.mark.rule("AS-14", "HZ-513", "HZ-514", "C-07", "C-08")
def test_cremation_pushes_all_aftercare_with_one_time_stamp_and_hukou_is_a_peer(world: World) -> None:
    world.until_cremation()
    items = world.case().items
    pushed = {slug for slug, item in items.items() if item.pushed_at == moment("2025-11-10 09:30")}
    assert pushed == set(AFTERCARE)
    assert {items[slug].status.value for slug in AFTERCARE} == {"DISPATCHED"}
    world.complete("housing-fund-death-withdrawal")
    assert world.status("hukou-deregistration") == "DISPATCHED", "no item waits for the cancelled registration"


@pytest.mark.rule("HZ-514", "X-21")
def test_only_the_cremation_certificate_opens_the_gate(world: World) -> None:
    world.submit(hz_form())
    world.certify_death()
    world.book_funeral()
    ack = world.report("civil-affairs", "cremation-cert", "c-2", Outcome.COMPLETED)
    assert ack.reason is not None and ack.reason.code == "CERTIFICATE_REQUIRED"
    assert {world.status(slug) for slug in AFTERCARE} == {"BLOCKED"}
    world.report("civil-affairs", "cremation-cert", "c-3", certificates=(cremation_certificate(),))
    assert world.status("cremation-cert") == "COMPLETED", "issuing the certificate is the act"
    assert {world.status(slug) for slug in AFTERCARE} == {"DISPATCHED"}


@pytest.mark.rule("AS-15", "HZ-607", "HZ-608", "HZ-609", "HZ-616", "HZ-617", "HZ-618", "PD-02", "PD-04", "C-20")
@pytest.mark.parametrize(
    "slug, clock, day",
    [
        ("hukou-deregistration", ClockKind.PROCESSING, "2025-11-13"),
        ("retirement-pension-stop", ClockKind.PROCESSING, "2025-11-13"),
        ("pension-funeral-bereavement-claim", ClockKind.PROCESSING, "2025-11-13"),
        ("pension-funeral-bereavement-claim", ClockKind.PAYOUT, "2025-11-24"),
        ("medical-benefit-stop", ClockKind.PROCESSING, "2025-11-13"),
        ("medical-maternity-participation-end", ClockKind.PROCESSING, "2025-11-13"),
        ("medical-account-settlement", ClockKind.PROCESSING, "2025-11-13"),
        ("medical-account-settlement", ClockKind.PAYOUT, "2025-11-17"),
        ("veteran-funeral-grant", ClockKind.PAYOUT, "2025-11-13"),
        ("housing-fund-death-withdrawal", ClockKind.PROCESSING, None),
        ("veteran-pension-stop", ClockKind.PROCESSING, None),
    ],
)
def test_due_dates_of_an_ordinary_week(world: World, slug: str, clock: ClockKind, day: str | None) -> None:
    world.until_cremation()
    found = world.deadline(slug, clock)
    if day is None:
        assert (found.state, found.due_at) == ("NO_LIMIT", None)
        world.at("2027-11-10 09:30")
        assert world.deadline(slug, clock).state == "NO_LIMIT", "never overdue"
    else:
        assert found.due_at is not None
        assert found.due_at.astimezone(SHANGHAI) == moment(f"{day} 00:00") + timedelta(days=1), "at 24:00"


@pytest.mark.rule("HZ-401", "HZ-515")
def test_the_certificates_are_shared_on_the_platform(world: World) -> None:
    world.until_cremation()
    assert [(found.type, found.number) for found in world.case().certificates] == [
        ("DEATH_MEDICAL", "D-1"),
        ("CREMATION", "C-1"),
    ]


@pytest.mark.rule("PD-17")
def test_case_numbers_run_through_the_day_in_huzhou(world: World) -> None:
    from tests.builders import SHEN_LIJUAN, hz_deceased

    world.at("2025-11-07 23:59").submit(hz_form())
    other = hz_deceased(name="沈丽娟", id_number=SHEN_LIJUAN)
    assert world.submit(hz_form(deceased=other)).number == "HZ2025110700002"
    third = hz_deceased(id_number="330502401010955")
    assert world.at("2025-11-08 00:00").submit(hz_form(deceased=third)).number == "HZ2025110800001"


@pytest.mark.rule("PD-08")
def test_the_case_closes_when_every_item_is_final(world: World) -> None:
    from gateway.services import case_care

    world.until_cremation()
    *most, last = AFTERCARE
    world.at("2025-11-11 10:00").complete(*most)
    with world.acting(DUTY) as ctx:
        case_care.complete_in_platform(ctx, world.number, "ashes-burial-information", {"answer": "已告知"})
    assert world.case().status == "IN_PROGRESS"
    world.at("2025-11-12 10:00").complete(last)
    case = world.case()
    assert (case.status, case.closed_at) == ("CLOSED", moment("2025-11-12 10:00"))
