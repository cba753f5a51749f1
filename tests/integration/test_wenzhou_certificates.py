"""温州市, certificates: by number on the form, from the city's platform, from who issues them; never asked twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.domain.department import Certificate, Outcome
from gateway.policy import decide
from gateway.services import dispatch, shared
from gateway.services.write_back import AckOutcome
from gateway.store.cases import Actor
from gateway.store.session import Database
from tests.builders import World
from tests.uxin import sent
from tests.wenzhou import (
    ABNORMAL,
    BEHIND_DATA,
    CHEN_ABAO,
    CREMATED,
    CREMATION,
    MEDICAL_CERTIFICATE,
    NORMAL,
    OPINION,
    POLICE_CERTIFICATE,
    RECORD,
    XIAOMIN,
    abnormal_form,
    answers,
    approve,
    connected,
    faults,
    finish,
    look,
    policy,
    refused,
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


def shares(world: World, department: str, certificate: Certificate) -> None:
    form = wz_form()
    with world.acting(Actor("department-system", department, department, department)) as ctx:
        shared.share(ctx, department, "wz", form.deceased, form.death, certificate)


# ── where certificates come from ────────────────────────────────────────────────────────────────────────


def by_number(world: World) -> None:
    world.submit(wz_form(), actor=XIAOMIN)


def shared_before(world: World) -> None:
    shares(world, "health", MEDICAL_CERTIFICATE)
    world.submit(wz_form(answers=unasked()), actor=XIAOMIN)


def held_by_the_platform(world: World) -> None:
    world.submit(wz_form(answers=unasked()), actor=XIAOMIN, looks=(look(CHEN_ABAO, MEDICAL_CERTIFICATE),))


def unasked() -> dict[str, str]:
    return answers(deathCertificate_kind=None, deathCertificate_number=None, deathCertificate_issuedOn=None)


@pytest.mark.rule("WZ-404", "WZ-405", "WZ-501", "WZ-606", "WZ-321", "WZ-403", "C-11")
@pytest.mark.parametrize("way", [by_number, shared_before, held_by_the_platform])
def test_the_medical_certificate_is_found_and_nobody_is_told_to_issue_it(
    wenzhou: World, way: Callable[[World], None]
) -> None:
    way(wenzhou)
    certificate = wenzhou.case().certificate("DEATH_MEDICAL")
    assert certificate is not None and certificate.number == MEDICAL_CERTIFICATE.number
    assert (wenzhou.status(NORMAL), wenzhou.item(NORMAL).found) == ("COMPLETED", True)
    approve(wenzhou)
    synchronise(wenzhou)
    assert all(department != "health" for department, _ in sent(wenzhou))
    assert told(BEHIND_DATA) <= set(sent(wenzhou))


@pytest.mark.rule("WZ-404", "WZ-321", "PD-11")
def test_the_number_is_asked_for_as_long_as_nobody_has_shared_the_certificate(wenzhou: World) -> None:
    assert faults(refused(wenzhou, wz_form(answers=unasked()))) == {
        ("FIELD_REQUIRED", "deathCertificate.kind", ("WZ-321",)),
        ("FIELD_REQUIRED", "deathCertificate.number", ("WZ-321",)),
    }


@pytest.mark.rule("WZ-404", "PD-06")
def test_what_was_shared_wins_over_the_number_the_family_typed(wenzhou: World) -> None:
    shares(wenzhou, "health", MEDICAL_CERTIFICATE)
    wenzhou.submit(wz_form(answers=answers(deathCertificate_number="WZSW-9")), actor=XIAOMIN)
    certificate = wenzhou.case().certificate("DEATH_MEDICAL")
    assert certificate is not None and certificate.number == "WZSW-1"


def from_the_platform(world: World) -> None:
    synchronise(world)


def from_the_funeral_home(world: World) -> None:
    ack = world.at(CREMATED).report("civil-affairs", CREMATION, "c-1", Outcome.COMPLETED, certificates=(RECORD,))
    assert ack.outcome is AckOutcome.APPLIED


def shared_by_civil_affairs(world: World) -> None:
    shares(world.at(CREMATED), "civil-affairs", RECORD)


@pytest.mark.rule("WZ-510", "WZ-511", "WZ-608", "WZ-1001", "WZ-503", "C-22", "C-23")
@pytest.mark.parametrize("way", [from_the_platform, from_the_funeral_home, shared_by_civil_affairs])
def test_the_cremation_data_release_the_same_items_on_whatever_way_they_come(
    filed: World, way: Callable[[World], None]
) -> None:
    approve(filed)
    before = len(sent(filed))
    way(filed)
    assert set(sent(filed)[before:]) == told(BEHIND_DATA)
    assert filed.status(CREMATION) == "COMPLETED"
    assert ("civil-affairs", CREMATION) not in sent(filed), "nobody is told to record a cremation"


@pytest.mark.rule("WZ-510", "PD-06")
def test_the_same_record_on_two_ways_is_one_and_another_number_is_a_conflict(filed: World) -> None:
    approve(filed)
    synchronise(filed)
    ack = filed.report("civil-affairs", CREMATION, "c-1", Outcome.COMPLETED, certificates=(RECORD,))
    assert ack.outcome is not AckOutcome.REFUSED
    other = replace(RECORD, number="WZHH-9")
    ack = filed.report("civil-affairs", CREMATION, "c-2", Outcome.COMPLETED, certificates=(other,))
    assert ack.reason is not None and ack.reason.code == "CONFLICT"
    assert len(sent(filed)) == len(set(sent(filed)))


@pytest.mark.rule("WZ-403", "WZ-822", "WZ-511", "WZ-602", "WZ-604")
@pytest.mark.parametrize("slug", BEHIND_DATA)
def test_departments_get_death_and_cremation_data_with_the_application(wenzhou: World, slug: str) -> None:
    until_data(wenzhou)
    with wenzhou.acting() as ctx:
        application = dispatch.application(ctx, wenzhou.number, slug)
    assert application is not None
    assert {found.type for found in application.certificates} == {"DEATH_MEDICAL", "CREMATION"}


@pytest.mark.rule("WZ-403", "WZ-510", "WZ-822")
def test_the_platform_is_asked_for_what_is_missing_and_no_more(filed: World) -> None:
    """One of the two death certificates is enough: nobody goes on asking for the other."""
    assert decide.awaited_certificates(policy(), filed.case()) == {"CREMATION"}
    approve(filed)
    synchronise(filed)
    assert decide.awaited_certificates(policy(), filed.case()) == set()


@pytest.mark.rule("WZ-822", "WZ-403")
def test_departments_take_what_was_shared_before_anybody_applied(wenzhou: World) -> None:
    shares(wenzhou, "health", MEDICAL_CERTIFICATE)
    shares(wenzhou, "civil-affairs", RECORD)
    for department in ("public-security", "social-security", "medical-insurance"):
        with wenzhou.acting(Actor("department-system", department, department, department)) as ctx:
            ((_, record),) = shared.find(ctx, department, "wz", ("3303",), None, 10)
        assert {found.type for found in record.certificates} == {"DEATH_MEDICAL", "CREMATION"}
    assert wenzhou.count() == 0


# ── abnormal death (WZ-507…509) ─────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("WZ-507", "WZ-607", "C-13")
def test_the_police_issue_both_documents_and_one_alone_completes_nothing(wenzhou: World) -> None:
    wenzhou.submit(abnormal_form(), actor=XIAOMIN)
    assert wenzhou.status(ABNORMAL) == "DISPATCHED", "the certificate is there by number, the opinion is not"
    assert sent(wenzhou) == []
    ack = wenzhou.report("public-security", ABNORMAL, "p-1", Outcome.COMPLETED)
    assert ack.reason is not None and ack.reason.code == "CERTIFICATE_REQUIRED"
    assert "遗体处置意见书" in ack.reason.zh()
    assert wenzhou.report("public-security", ABNORMAL, "p-2", Outcome.COMPLETED, certificates=(OPINION,)).reason is None
    assert wenzhou.status(ABNORMAL) == "COMPLETED"


@pytest.mark.rule("WZ-507", "WZ-405", "C-13")
@pytest.mark.parametrize("way", ["form", "shared"])
def test_both_documents_may_be_there_before(wenzhou: World, way: str) -> None:
    opinion = {"bodyDisposalOpinion.number": "WZGA-2", "bodyDisposalOpinion.issuedOn": "2019-11-18"}
    form = abnormal_form()
    if way == "form":
        form = replace(form, answers={**form.answers, **opinion})
    else:
        shares(wenzhou, "public-security", POLICE_CERTIFICATE)
        shares(wenzhou, "public-security", OPINION)
        form = abnormal_form(answers=unasked())
    wenzhou.submit(form, actor=XIAOMIN)
    assert (wenzhou.status(ABNORMAL), wenzhou.item(ABNORMAL).found) == ("COMPLETED", True)
    assert {found.type for found in wenzhou.case().certificates} == {"DEATH_ABNORMAL", "BODY_DISPOSAL_OPINION"}


@pytest.mark.rule("WZ-508", "WZ-509", "WZ-511", "X-09", "C-12")
def test_an_abnormal_death_runs_to_its_end_on_the_certificate_of_the_police(wenzhou: World) -> None:
    until_data(wenzhou, abnormal_form())
    assert wenzhou.status(NORMAL) == "NOT_APPLICABLE"
    assert told(BEHIND_DATA) <= set(sent(wenzhou))
    wenzhou.report("public-security", ABNORMAL, "p-1", Outcome.COMPLETED, certificates=(OPINION,))
    assert finish(wenzhou.at("2019-11-28 10:00")).status == "CLOSED"
