"""What can be told of a case: why it is not finished, what comes next, its money and archive (HZ-904, HZ-905)."""

from __future__ import annotations

import pytest

from gateway.domain.department import Outcome, PaymentState
from gateway.services import case_care, reading
from tests.builders import AFTERCARE, DUTY, World, huzhou, hz_account, hz_form, medical_certificate, moment, payment

pytestmark = pytest.mark.databases


def obstacles(world: World) -> dict[tuple[str | None, str], str]:
    """(item, code) → text."""
    case = world.case()
    found = reading.obstacles(world.policies, world.policies.version("hz", case.policy_version), case)
    return {(obstacle.item, obstacle.reason.code.value): obstacle.reason.zh() for obstacle in found}


def next_steps(world: World) -> set[str]:
    return set(reading.next_steps(world.case()))


def archive(world: World) -> list[reading.ArchiveRecord]:
    case = world.case()
    return reading.archive(world.policies.version("hz", case.policy_version), case)


def finish(world: World) -> None:
    world.complete(*(slug for slug in AFTERCARE if world.status(slug) == "DISPATCHED"))
    with world.acting(DUTY) as ctx:
        case_care.complete_in_platform(ctx, world.number, "ashes-burial-information", {})


@pytest.mark.rule("AS-17", "HZ-905")
def test_the_next_step_follows_each_step(world: World) -> None:
    always = {"ashes-burial-information"}
    world.at("2025-11-07 22:10").submit(hz_form())
    assert next_steps(world) == {"death-cert-normal"} | always
    world.certify_death()
    assert next_steps(world) == {"funeral-service"} | always
    world.book_funeral()
    assert next_steps(world) == {"cremation-cert"} | always
    world.cremate()
    assert next_steps(world) == set(AFTERCARE) | always
    finish(world)
    assert next_steps(world) == set()


@pytest.mark.rule("AS-17", "HZ-905")
def test_why_a_case_is_not_finished(world: World) -> None:
    world.submit(hz_form())
    world.certify_death()
    found = obstacles(world)
    assert ("funeral-service", "WAITS_FOR_DEPARTMENT") in found
    assert ("cremation-cert", "WAITS_FOR_ITEM") in found
    assert "火化证明" in found["hukou-deregistration", "WAITS_FOR_CERTIFICATE"]
    assert not [key for key in found if key[0] == "death-cert-normal"], "what is finished is no obstacle"
    world.book_funeral()
    world.cremate()
    finish(world)
    assert obstacles(world) == {}


@pytest.mark.rule("HZ-505", "HZ-506")
def test_a_case_opened_by_a_certificate_waits_for_its_report(world: World) -> None:
    world.opened_by("health", "INSIDE", medical_certificate())
    assert (None, "WAITS_FOR_REPORT") in obstacles(world)


@pytest.mark.rule("PD-16", "AS-18")
def test_a_silent_department_is_named_with_the_hour_since_when(world: World) -> None:
    world.until_cremation()
    slug = "housing-fund-death-withdrawal"
    world.at("2025-11-10 09:31").not_delivered(slug)
    told = obstacles(world)[slug, "WAITS_FOR_DELIVERY"]
    assert "住房公积金" in told and "2025-11-10 09:31" in told
    world.not_delivered(slug)
    world.not_delivered(slug)
    assert (slug, "DELIVERY_GIVEN_UP") in obstacles(world)


@pytest.mark.rule("PD-08", "PD-20", "HZ-701")
def test_what_the_family_and_the_money_wait_for(world: World) -> None:
    world.until_cremation()
    slug = "pension-funeral-bereavement-claim"
    sums = (payment("1", "FUNERAL_GRANT", 480000),)
    world.report(
        "social-security", slug, "s-1", Outcome.CORRECTION, reason="材料不清", missing=("户口簿",), payments=sums
    )
    told = obstacles(world)
    assert all(word in told[slug, "WAITS_FOR_FAMILY"] for word in ("材料不清", "户口簿"))
    assert "收款账户规则未配置" in told[slug, "PAYOUT_HELD"]


@pytest.mark.rule("AS-17", "PD-13", "PD-20")
def test_the_money_of_a_case_adds_up(world: World) -> None:
    world.until_cremation(hz_form(account=hz_account())).at("2025-11-11 10:00")
    pension = "pension-funeral-bereavement-claim"
    world.report("social-security", pension, "s-1", payments=(payment("1", "FUNERAL_GRANT", 480000),))
    world.report(
        "medical-insurance",
        "medical-account-settlement",
        "m-1",
        payments=(
            payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),
            payment("2", "MEDICAL_ACCOUNT_BALANCE", 1),
            payment("3", "MEDICAL_ACCOUNT_BALANCE", 50),
        ),
    )
    states = (("1", 120345, PaymentState.PAID), ("2", 1, PaymentState.RETURNED))
    sums = tuple(payment(serial, "MEDICAL_ACCOUNT_BALANCE", fen, state) for serial, fen, state in states)
    world.report("medical-insurance", "medical-account-settlement", "m-2", payments=sums)
    found = reading.money(huzhou(), world.case())
    assert found == reading.Money(approved=600396, held=480000, instructed=50, paid=120345, returned=1)
    assert found.approved == found.held + found.instructed + found.paid + found.returned


@pytest.mark.rule("AS-17", "HZ-904")
def test_the_archive_lists_each_record_present_or_missing(world: World) -> None:
    world.submit(hz_form())
    world.certify_death()
    found = {(record.kind, record.refers_to): record.present for record in archive(world)}
    assert found["REPORT", "report"] and found["CERTIFICATE", "DEATH_MEDICAL"]
    assert not found["CERTIFICATE", "CREMATION"]
    assert not found["RESULT", "hukou-deregistration"]
    assert ("CERTIFICATE", "DEATH_ABNORMAL") not in found, "not of this path"
    assert ("RESULT", "dibao-stop") not in found, "not of this person"


@pytest.mark.rule("AS-17", "HZ-904")
def test_an_archive_is_complete_only_with_every_record(world: World) -> None:
    world.until_cremation()
    *most, last = AFTERCARE
    world.complete(*most)
    with world.acting(DUTY) as ctx:
        case_care.complete_in_platform(ctx, world.number, "ashes-burial-information", {})
    assert [record.refers_to for record in archive(world) if not record.present] == [last]
    world.complete(last)
    assert all(record.present for record in archive(world))


@pytest.mark.rule("AS-17", "HZ-904")
def test_an_archive_without_the_report_is_not_complete(world: World) -> None:
    world.opened_by("health", "INSIDE", medical_certificate())
    assert {record.refers_to for record in archive(world) if not record.present} >= {"report", "death-report"}


@pytest.mark.rule("AS-17")
def test_the_summary_keeps_refused_and_inapplicable_items_with_their_reason(world: World) -> None:
    world.until_cremation()
    world.report("public-security", "hukou-deregistration", "p-1", Outcome.REFUSED, reason="档案缺失")
    finish(world.at("2025-11-12 10:00"))
    case = world.case()
    assert case.status == "CLOSED"
    assert case.items["hukou-deregistration"].outcome == "档案缺失"
    assert case.items["dibao-stop"].status == "NOT_APPLICABLE" and "低保" in case.items["dibao-stop"].reason.zh()
    assert all(item.finished_at is not None for item in case.items.values())
    assert case.items["retirement-pension-stop"].finished_at == moment("2025-11-12 10:00")
    done, of = reading.progress(case)
    assert done == of == len([item for item in case.items.values() if item.status != "NOT_APPLICABLE"])
