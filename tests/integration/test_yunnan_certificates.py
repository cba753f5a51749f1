"""云南省: certificates issued in the system itself, deaths without a cremation, and what the library holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.department import Certificate, Holding, Outcome
from gateway.domain.evidence import Looks
from gateway.domain.messages import Refused
from gateway.policy.book import PolicyBook
from gateway.policy.model import Material, SharedSource
from gateway.services import evidence, joint_submission, reading
from gateway.services.write_back import AckOutcome
from gateway.store.session import Database
from tests.builders import World, book, codes, moment
from tests.yunnan import (
    ABNORMAL,
    CODING,
    CREMATED,
    HUKOU,
    LIBRARY,
    NORMAL,
    RETURN,
    SEVEN,
    SILENT,
    SON,
    TREATED,
    YANG_GUIFANG,
    YANG_ZHIQIANG,
    abnormal,
    add,
    answer,
    answer_all,
    buried,
    code,
    connected,
    cremation,
    held,
    library,
    medical,
    police,
    policy,
    pushed,
    sent,
    share,
    until_result,
    yn_form,
)

CERTIFICATES = (NORMAL, ABNORMAL, TREATED, CREMATED)


@pytest.fixture
def yunnan(database: Database) -> World:
    return connected(database)


def statuses(world: World) -> dict[str, str]:
    return {slug: world.status(slug) for slug in CERTIFICATES}


def obstacles(world: World) -> dict[str | None, str]:
    case = world.case()
    return {found.item: found.reason.code.value for found in reading.obstacles(world.policies, policy(), case)}


# ── issued in the system ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-505", "YN-507", "YN-601", "YN-603", "YN-821", "YN-504", "C-07", "C-09", "C-11")
@pytest.mark.parametrize("flow", ["OUTSIDE", "INSIDE"])
def test_a_certificate_issued_after_the_application_arrives_by_write_back(yunnan: World, flow: str) -> None:
    yunnan.submit(yn_form(flow=flow), actor=SON)
    assert pushed(yunnan)[0] >= {CODING, *SEVEN}, "no item waits for a certificate"
    assert not {NORMAL, CREMATED} & set(sent(yunnan)), "they are issued here; nobody is pushed"
    shared = share(yunnan.at("2025-11-06 11:00"), "health", medical())
    assert shared.case is not None and shared.case.number == yunnan.number
    assert (yunnan.status(NORMAL), yunnan.item(NORMAL).finished_at) == ("COMPLETED", moment("2025-11-06 11:00"))
    assert yunnan.status(CREMATED) not in ("COMPLETED", "NOT_APPLICABLE")
    ack = answer(yunnan, CREMATED, certificates=(cremation(),))
    assert (ack.outcome, yunnan.status(CREMATED)) == (AckOutcome.APPLIED, "COMPLETED")
    again = share(yunnan, "health", medical())
    assert not again.changed and len(yunnan.case().certificates) == 2


@pytest.mark.rule("YN-505", "YN-506", "YN-507", "C-11", "PD-06")
@pytest.mark.parametrize(
    "department, certificate",
    [
        ("public-security", medical()),
        ("civil-affairs", medical()),
        ("health", cremation()),
        ("civil-affairs", police()),
        ("judicial", medical()),
    ],
)
def test_each_certificate_has_its_own_issuer(yunnan: World, department: str, certificate: Certificate) -> None:
    with pytest.raises(Refused) as found:
        share(yunnan, department, certificate)
    assert codes(found.value) == ["NOT_ISSUER"]


@pytest.mark.rule("YN-510", "YN-1001", "PD-08")
def test_a_case_stays_open_while_a_certificate_is_to_come(yunnan: World) -> None:
    yunnan.submit(yn_form(), actor=SON)
    code(yunnan)
    answer_all(yunnan)
    share(yunnan, "health", medical())
    assert (yunnan.case().status, yunnan.status(RETURN)) == ("IN_PROGRESS", "BLOCKED")
    assert set(obstacles(yunnan)) == {CREMATED, RETURN}
    share(yunnan, "civil-affairs", cremation())
    assert yunnan.status(RETURN) == "DISPATCHED"


@pytest.mark.rule("YN-101", "YN-505", "PD-08")
def test_the_issuer_ends_the_waiting_for_a_certificate_that_was_issued_elsewhere(yunnan: World) -> None:
    """杨桂芳 died in another province: its hospitals do not issue in this system."""
    form = yn_form(death=replace(yn_form().death, area="310101"))
    yunnan.submit(buried(form), actor=SON)
    code(yunnan)
    answer_all(yunnan)
    ack = answer(yunnan, NORMAL, outcome=Outcome.NOT_APPLICABLE, reason="由上海市医疗机构出具")
    assert (ack.outcome, yunnan.status(NORMAL)) == (AckOutcome.APPLIED, "NOT_APPLICABLE")
    assert yunnan.status(RETURN) == "DISPATCHED"


# ── earth burial ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-102", "YN-508", "YN-603", "C-04", "S-14")
def test_an_earth_burial_runs_to_its_end_without_a_cremation_certificate(yunnan: World) -> None:
    share(yunnan, "health", medical())
    yunnan.submit(buried(yn_form()), actor=SON)
    item = yunnan.item(CREMATED)
    assert (item.status, item.reason.code, item.reason.ids) == (
        "NOT_APPLICABLE",
        "DOES_NOT_APPLY",
        ("YN-603", "YN-508"),
    )
    assert "火葬" in item.reason.zh()
    code(yunnan)
    answer_all(yunnan)
    answer(yunnan, RETURN)
    assert yunnan.case().status == "CLOSED"
    assert all(record.present for record in reading.archive(policy(), yunnan.case()))


@pytest.mark.rule("YN-102", "YN-508")
def test_how_the_deceased_is_buried_must_be_told_and_can_be_corrected(yunnan: World) -> None:
    with pytest.raises(Refused) as found:
        yunnan.submit(yn_form(answers={}), actor=SON)
    assert [(problem.reason.code, problem.path) for problem in found.value.problems] == [
        ("FIELD_REQUIRED", "disposal.mode")
    ]
    yunnan.submit(yn_form(), actor=SON)
    assert yunnan.status(CREMATED) not in ("COMPLETED", "NOT_APPLICABLE")
    before = len(sent(yunnan))
    add(yunnan, disposal__mode="EARTH_BURIAL")
    assert yunnan.status(CREMATED) == "NOT_APPLICABLE"
    assert len(sent(yunnan)) == before, "it concerns no department that was told"
    add(yunnan, disposal__mode="CREMATION")
    assert yunnan.status(CREMATED) not in ("COMPLETED", "NOT_APPLICABLE")
    share(yunnan, "civil-affairs", cremation())
    assert yunnan.status(CREMATED) == "COMPLETED"


# ── abnormal deaths ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-103", "YN-506", "YN-602", "C-05", "C-12", "C-13")
def test_the_police_issue_for_the_untreated(yunnan: World) -> None:
    yunnan.submit(abnormal(yn_form(HUKOU), treated=False), actor=SON)
    found = statuses(yunnan)
    assert {slug for slug in CERTIFICATES if found[slug] == "NOT_APPLICABLE"} == {NORMAL, TREATED}
    share(yunnan, "public-security", police())
    assert yunnan.status(ABNORMAL) == "COMPLETED"
    definition = policy().item(ABNORMAL)
    assert definition is not None and definition.issues == ["DEATH_ABNORMAL"], "and nothing else is asked of them"


@pytest.mark.rule("YN-506", "X-19", "PD-18")
def test_a_treated_abnormal_death_has_no_issuer_and_waits_for_a_decision(yunnan: World) -> None:
    yunnan.submit(abnormal(yn_form(HUKOU), treated=True), actor=SON)
    assert {slug for slug in CERTIFICATES if statuses(yunnan)[slug] == "NOT_APPLICABLE"} == {NORMAL, ABNORMAL}
    assert (yunnan.status(TREATED), obstacles(yunnan)[TREATED]) == ("BLOCKED", "DEPARTMENT_NOT_CONFIGURED")
    assert set(sent(yunnan)) == {CODING, HUKOU}, "it is sent to nobody, and the rest proceeds"
    code(yunnan)
    answer_all(yunnan, (HUKOU,))
    share(yunnan, "civil-affairs", cremation())
    assert yunnan.case().status == "IN_PROGRESS"


@pytest.mark.rule("YN-506", "X-19")
@pytest.mark.parametrize("department, certificate", [("health", medical()), ("public-security", police())])
def test_whoever_was_decided_on_issues_and_the_waiting_ends(
    yunnan: World, department: str, certificate: Certificate
) -> None:
    yunnan.submit(abnormal(yn_form(HUKOU), treated=True), actor=SON)
    share(yunnan, department, certificate)
    assert (yunnan.status(TREATED), yunnan.item(TREATED).found) == ("COMPLETED", True)
    kept = {record.refers_to for record in reading.archive(policy(), yunnan.case()) if record.kind == "CERTIFICATE"}
    assert kept == {certificate.type, "CREMATION"}, "the archive wants the one that was issued, not both"


@pytest.mark.rule("YN-506")
def test_whether_an_abnormal_death_was_treated_must_be_told(yunnan: World) -> None:
    with pytest.raises(Refused) as found:
        yunnan.submit(yn_form(flow="ABNORMAL"), actor=SON)
    (problem,) = found.value.problems
    assert (problem.reason.code, problem.path, problem.reason.ids) == (
        "FIELD_REQUIRED",
        "treatment.received",
        ("YN-506",),
    )
    field = next(field for field in policy().form if field.path == "treatment.received")
    assert field.shown_when is not None, "nobody else is asked"
    yunnan.submit(yn_form(), actor=SON)


# ── the library ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-402", "YN-302", "C-26")
def test_what_the_library_holds_is_in_the_case_from_the_start(yunnan: World) -> None:
    yunnan.submit(yn_form(), actor=SON, looks=library())
    assert {found.type: found.number for found in yunnan.case().certificates} == {
        "DEATH_MEDICAL": medical().number,
        "CREMATION": cremation().number,
    }
    assert (yunnan.status(NORMAL), yunnan.status(CREMATED)) == ("COMPLETED", "COMPLETED")


@pytest.mark.rule("YN-402", "YN-510")
def test_a_certificate_that_reaches_the_library_later_is_fetched(yunnan: World) -> None:
    yunnan.submit(yn_form(), actor=SON, looks=library(held(certificates=(medical(),))))
    with yunnan.acting() as ctx:
        wanted, _ = evidence.wanting(ctx, LIBRARY, "", 100)
        assert wanted == {yunnan.number: (YANG_GUIFANG, YANG_ZHIQIANG)}
        assert evidence.take(ctx, yunnan.number, library())
    assert yunnan.status(CREMATED) == "COMPLETED"
    with yunnan.acting() as ctx:
        assert evidence.wanting(ctx, LIBRARY, "", 100)[0] == {}, "nothing is awaited any more"


@pytest.mark.rule("YN-402", "PD-11")
@pytest.mark.parametrize(
    "looks, path",
    [
        (library(held(name="杨桂芬")), "deceased.name"),
        (library(held(), Holding(YANG_ZHIQIANG, name="杨志刚")), "applicant.name"),
    ],
)
def test_another_name_than_the_library_holds_is_refused(yunnan: World, looks: Looks, path: str) -> None:
    with pytest.raises(Refused) as found:
        yunnan.submit(yn_form(), actor=SON, looks=looks)
    (problem,) = found.value.problems
    assert (problem.reason.code, problem.path, problem.reason.ids) == ("IDENTITY_MISMATCH", path, ("YN-402",))
    assert "杨桂芬" not in problem.reason.zh() and "杨志刚" not in problem.reason.zh(), "what it holds is not told"
    assert (yunnan.count(), yunnan.queued) == (0, [])


@pytest.mark.rule("YN-402", "S-15", "PD-16")
def test_a_silent_library_refuses_nobody_and_verifies_later(yunnan: World) -> None:
    with yunnan.acting(SON) as ctx:
        told = joint_submission.check(ctx, yn_form(), looks=SILENT).problems
    assert [(problem.reason.code, problem.severity) for problem in told] == [("SOURCE_UNAVAILABLE", "WARNING")]
    yunnan.submit(yn_form(), actor=SON, looks=SILENT)
    assert {found.outcome for found in yunnan.case().verifications} == {"UNAVAILABLE"}
    assert set(sent(yunnan)) == {CODING, *SEVEN}
    with yunnan.acting() as ctx:
        assert evidence.take(ctx, yunnan.number, library())
    assert [found.outcome for found in yunnan.case().verifications][-2:] == ["MATCH", "MATCH"]
    assert yunnan.status(NORMAL) == "COMPLETED"


@pytest.mark.rule("YN-402")
def test_of_whom_the_library_holds_nothing_is_taken_all_the_same(yunnan: World) -> None:
    yunnan.submit(yn_form(), actor=SON, looks=library(held(id_number="530402195509099439")))
    assert {found.outcome for found in yunnan.case().verifications} == {"NOT_HELD"}


# ── materials ───────────────────────────────────────────────────────────────────────────────────────────

PAPER = Material(code="KINSHIP_PROOF", name="亲属关系证明", name_en="proof of kinship", source="YN-404")


def with_paper() -> PolicyBook:
    """The departments have written a paper into the list, as YN-404 tells them to."""
    changed = policy().model_copy(update={"materials": [PAPER]})
    others = tuple(found for found in book().jurisdictions if found.code != "yn")
    return PolicyBook((*others, changed), book().catalogue, book().calendars)


@pytest.mark.rule("YN-401", "YN-403", "YN-404", "YN-304", "C-26")
def test_a_paper_is_asked_for_once_and_not_at_all_when_the_library_holds_it(database: Database) -> None:
    world = connected(database, with_paper())
    with pytest.raises(Refused) as found:
        world.submit(yn_form(), actor=SON, looks=library())
    (problem,) = found.value.problems
    assert (problem.reason.code, problem.reason.facts["label"]) == ("MATERIAL_MISSING", "亲属关系证明")
    son = Holding(YANG_ZHIQIANG, name="杨志强", materials=("KINSHIP_PROOF",))
    world.submit(yn_form(), actor=SON, looks=library(held(), son))
    assert set(sent(world)) == {CODING, *SEVEN}


@pytest.mark.rule("YN-402", "YN-403", "YN-302")
def test_the_library_is_asked_for_everything_it_can_give() -> None:
    (source,) = policy().shared_sources
    assert source == SharedSource(
        source=LIBRARY,
        uses=["PREFILL", "VERIFY", "MATERIALS", "CERTIFICATES"],
        certificates=["DEATH_MEDICAL", "DEATH_ABNORMAL", "CREMATION"],
        row="YN-402",
    )
    assert policy().materials == [], "no paper is stated, and none is asked for"


@pytest.mark.rule("YN-510")
def test_everything_that_happened_is_kept_with_its_time(yunnan: World) -> None:
    until_result(yunnan)
    assert yunnan.faults() == []
    kinds = [type(event).__name__ for event in yunnan.ledger()]
    assert kinds.count("Completed") == 8 and kinds.count("Found") == 2
    assert all(item.finished_at for item in yunnan.case().items.values() if item.status == "COMPLETED")
