"""乌审旗, row by row: the form that is known by name only, the guide, the items, who may write, how results arrive."""

from __future__ import annotations

import pytest

from gateway.access import rights
from gateway.access.rights import Viewer, allow
from gateway.domain.department import Outcome
from gateway.domain.messages import Refused
from gateway.store.session import Database
from tests.builders import World, payment, viewer_of
from tests.uxin import HUKOU, MEDICAL, PENSION, QIQIGE, connected, deregister, policy, sent, ws_form

ITEMS = [
    ("WS-601", HUKOU, "public-security", "DEREG", "AUTO", None),
    ("WS-602", PENSION, "social-security", "CLAIM", "TICK", "APPLICANT"),
    ("WS-603", "pension-resident-funeral-claim", "social-security", "CLAIM", "TICK", "APPLICANT"),
    ("WS-604", "pension-civil-account-lumpsum-claim", "social-security", "CLAIM", "TICK", "APPLICANT"),
    ("WS-605", "disability-two-subsidies-stop", "disabled-persons-federation", "STOP", "TICK", None),
    ("WS-606", MEDICAL, "medical-insurance", "SETTLE", "TICK", "APPLICANT"),
]


@pytest.fixture
def filed(database: Database) -> World:
    world = connected(database)
    world.submit(ws_form(*(slug for _, slug, *_ in ITEMS[1:])), actor=QIQIGE)
    return world


@pytest.mark.parametrize(
    "row, slug, department, kind, trigger, payee",
    [pytest.param(*row, marks=pytest.mark.rule(row[0]), id=row[0]) for row in ITEMS],
)
def test_an_item_of_the_document_has_its_department_kind_trigger_and_payee(
    row: str, slug: str, department: str, kind: str, trigger: str, payee: str | None
) -> None:
    found = policy().item(slug)
    assert found is not None
    assert (found.source, found.department, found.kind, found.trigger) == (row, department, kind, trigger)
    assert (found.payout.payee if found.payout else None) == payee
    assert [clock.limit for clock in found.clocks] == [None], "no number of days is known"


@pytest.mark.rule("WS-301", "C-31")
def test_the_form_claims_no_field_the_document_does_not_name() -> None:
    """Its fields are not known: what stands in it are conventions, or rows of the text; nothing of another place's."""
    rows = {field.source for field in policy().form if field.source}
    assert all((row.startswith("WS-") and not row.startswith("WS-3")) or row == "WS-304" for row in rows)
    assert policy().form_groups[0].source == "WS-301"


@pytest.mark.rule("WS-205", "C-32")
def test_results_are_delivered_by_courier() -> None:
    assert [(way.code, way.source) for way in policy().delivery] == [("COURIER", "WS-205")]


@pytest.mark.rule("WS-501", "WS-502", "WS-503", "WS-504", "WS-505", "WS-506", "WS-510", "WS-511", "X-23")
def test_the_guide_tells_each_step_in_order_with_who_does_it() -> None:
    sources = [step.source for step in policy().steps]
    numbered = [source for source in sources if source.startswith("WS-5")]
    assert numbered == sorted(numbered) and len(numbered) == 11
    actors = {step.source: step.actor for step in policy().steps}
    assert (actors["WS-501"], actors["WS-505"]) == ("苏木镇卫生院或医院", "苏木镇派出所")


@pytest.mark.rule("WS-503", "WS-823", "WS-825", "X-23")
def test_four_departments_work_on_one_case_each_on_its_own(filed: World) -> None:
    deregister(filed)
    told = sent(filed)
    assert {department for department, _ in told} == {department for _, _, department, *_ in ITEMS}
    assert sum(department == "social-security" for department, _ in told) == 3, "the three pension items"
    filed.report("disabled-persons-federation", "disability-two-subsidies-stop", "d-1", Outcome.COMPLETED)
    assert filed.status("disability-two-subsidies-stop") == "COMPLETED"


@pytest.mark.rule("WS-824", "WS-702")
def test_the_medical_bureau_settles_and_gives_the_account_information_with_its_result(filed: World) -> None:
    deregister(filed)
    told = {"participationEnded": "2021-07-31", "accountStatus": "已清算"}
    balance = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    filed.report("medical-insurance", MEDICAL, "m-1", Outcome.COMPLETED, payments=balance, details=told)
    assert dict(filed.item(MEDICAL).details) == told
    assert filed.payout(f"{MEDICAL}:1").fen == 120345


@pytest.mark.rule("WS-1001", "WS-505")
def test_the_act_is_the_departments_own_only_its_result_enters_the_platform(filed: World) -> None:
    assert filed.item(HUKOU).status == "DISPATCHED"
    filed.delivered(HUKOU, reference="150626-2021-77")
    assert filed.item(HUKOU).status == "DISPATCHED", "that the police have it is not that it is done"
    deregister(filed)
    assert (filed.item(HUKOU).status, filed.item(HUKOU).reference) == ("COMPLETED", "150626-2021-77")


@pytest.mark.rule("WS-801")
@pytest.mark.parametrize("department", sorted({department for _, _, department, *_ in ITEMS}))
def test_each_department_has_an_account_of_its_own_and_writes_for_itself_only(filed: World, department: str) -> None:
    claims = {"sub": f"system:{department}", "role": "department-system", "area": "150626", "department": department}
    viewer = viewer_of(claims)
    assert viewer.department == department
    assert allow(rights.load(), viewer, "completeItem") == viewer
    with pytest.raises(Refused):
        allow(rights.load(), viewer, "submitCase")
    foreign = next(slug for _, slug, owner, *_ in ITEMS if owner != department)
    ack = filed.report(department, foreign, "x-1", Outcome.COMPLETED)
    assert ack.reason is not None and ack.reason.code in ("NOT_OWNER", "NOT_DISPATCHED")


@pytest.mark.rule("WS-901")
def test_the_lead_office_sees_where_every_case_stands(filed: World) -> None:
    deregister(filed)
    found = filed.supervision("2021-07-01 00:00", "2021-08-01 00:00")
    pushed = {row.department: row.pushed for row in found.compliance}
    assert pushed["social-security"] == 3 and pushed["public-security"] == 1
    assert allow(rights.load(), Viewer("supervisor", "150626", "某", "s"), "supervision")
