"""乌审旗: the paper that is there before the case, accounts of the four departments, what the lead office sees."""

from __future__ import annotations

import pytest

from gateway.access import rights, sight
from gateway.access.rights import Viewer
from gateway.domain.department import Outcome
from gateway.domain.messages import Refused
from gateway.services import case_care, reading, supervision
from gateway.store.session import Database
from tests.builders import DUTY, World, codes, moment, viewer_of
from tests.uxin import ALL_FOUR, HUKOU, MEDICAL, PENSION, QIQIGE, TICKS, connected, deregister, policy, sent, ws_form


@pytest.fixture
def everything(database: Database) -> World:
    """A case in which every box was ticked, with the gate open."""
    world = connected(database)
    world.submit(ws_form(*TICKS), actor=QIQIGE)
    deregister(world)
    return world.at("2021-07-20 10:00")


def of(department: str) -> set[str]:
    return {found.slug for found in policy().items if found.department == department}


@pytest.mark.rule("WS-501", "WS-404", "C-11")
@pytest.mark.parametrize("issuer", ["图克镇卫生院", "乌审旗人民医院"])
def test_the_medical_certificate_comes_with_the_application_from_clinic_or_hospital(
    database: Database, issuer: str
) -> None:
    world = connected(database)
    answers = {**ws_form().answers, "deathCertificate.issuer": issuer}
    world.submit(ws_form(answers=answers), actor=QIQIGE)
    found = world.case().certificate("DEATH_MEDICAL")
    assert found is not None and (found.number, found.issuer, found.item) == ("D-1", issuer, None)
    assert [item.slug for item in policy().items if "DEATH_MEDICAL" in item.issues] == [], "nobody here is asked for it"


@pytest.mark.rule("WS-503")
def test_when_all_four_departments_have_approved_the_case_is_closed(everything: World) -> None:
    assert {department for department, _ in sent(everything)} == ALL_FOUR
    for slug in TICKS:
        item = policy().item(slug)
        assert item is not None and item.department is not None
        assert everything.case().status == "IN_PROGRESS"
        assert everything.report(item.department, slug, f"{slug}-1", Outcome.COMPLETED).outcome == "APPLIED"
    assert (everything.case().status, reading.progress(everything.case())) == ("CLOSED", (6, 6))


@pytest.mark.rule("WS-823", "WS-825")
@pytest.mark.parametrize("department", ["social-security", "disabled-persons-federation"])
def test_where_no_write_back_is_written_a_plain_completion_is_enough(everything: World, department: str) -> None:
    for slug in of(department):
        assert everything.report(department, slug, f"{slug}-1", Outcome.COMPLETED).reason is None
        assert everything.status(slug) == "COMPLETED"


@pytest.mark.rule("WS-1001")
def test_nobody_does_the_act_of_a_department_in_the_platform(everything: World) -> None:
    with everything.acting(DUTY) as ctx, pytest.raises(Refused) as error:
        case_care.complete_in_platform(ctx, everything.number, PENSION, {})
    assert codes(error.value) == ["NOT_OWNER"]
    assert everything.status(PENSION) == "DISPATCHED"


@pytest.mark.rule("WS-801")
@pytest.mark.parametrize("role", ["specialist", "department-system"])
@pytest.mark.parametrize("department", sorted(ALL_FOUR))
def test_the_account_of_a_department_sees_its_own_items_and_no_others(
    everything: World, department: str, role: str
) -> None:
    claims = {"sub": f"{role}:{department}", "role": role, "area": "150626", "department": department}
    seen = sight.see(rights.load(), viewer_of(claims), policy(), everything.case())
    assert seen is not None and set(seen.items) == of(department)


@pytest.mark.rule("WS-901")
def test_the_lead_office_sees_how_far_a_case_is_and_only_in_its_banner(everything: World) -> None:
    everything.report("social-security", PENSION, "s-1", Outcome.COMPLETED)
    case = everything.case()
    office = Viewer("supervisor", "150626", "旗政务服务局", "lead-office", None)
    seen = sight.see(rights.load(), office, policy(), case)
    assert seen is not None and set(seen.items) == {HUKOU, *TICKS}
    assert reading.progress(case) == (2, 6)
    assert set(reading.next_steps(case)) == {*TICKS} - {PENSION}
    with everything.database.read() as tx:
        period = (moment("2021-07-01 00:00"), moment("2021-08-01 00:00"))
        here = supervision.supervise(everything.ctx(tx), ("150626",), *period)
        elsewhere = supervision.supervise(everything.ctx(tx), ("330502",), *period)
    assert sum(row.pushed for row in here.compliance) == 6
    assert elsewhere.compliance == ()


@pytest.mark.rule("WS-901")
def test_the_lead_office_sees_a_push_that_does_not_arrive(everything: World) -> None:
    everything.not_delivered(MEDICAL, ladder=())
    assert everything.supervision("2021-07-01 00:00", "2021-08-01 00:00").undeliverable == 1
