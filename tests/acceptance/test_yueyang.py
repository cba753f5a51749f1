"""AS-04 and AS-07 over HTTP: stops without an application, then one case that four departments' systems work on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.stage import Stage, eventually
from tests.adapters.conftest import free_pair
from tests.yueyang import FIVE, FOUR, LI_DEFU, LI_JIANJUN, PENSION_CARD, PULLED

COUNTY = "430621"
DECEASED = {
    "name": "李德福",
    "idNumber": LI_DEFU,
    "sex": "MALE",
    "hukouArea": "430621100",
    "policeStation": "荣家湾派出所",
}
CREMATION = {
    "type": "CREMATION",
    "number": "YY-HH-0615",
    "issuedAt": "2021-06-15T11:00:00+08:00",
    "issuer": "岳阳县殡仪馆",
}
SHARED = """query { sharedRecords(jurisdiction: "yy") { edges { node {
  idNumber certificates { type number } stops { item } } } } }"""
CASE = """query($n: String!) { case(number: $n) { status certificates { type number }
  items { slug requirementId status pushedAt }
  payouts { itemSlug status account { holder number } } } }"""


@pytest.fixture
def county(tmp_path: Path) -> Iterator[Stage]:
    """The gateway on the day of the cremation; the four departments of AS-04 work by themselves."""
    made = Stage(tmp_path, port=free_pair())
    for code in ("public-security", "social-security", "medical-insurance", "housing-fund"):
        made.start_department(code, auto=0.2)
    made.start_gateway("2021-06-15T11:30:00+08:00")
    yield made
    made.stop()


def form() -> dict[str, Any]:
    return {
        "jurisdiction": "yy",
        "flow": "OUTSIDE",
        "channel": "WINDOW",
        "deceased": DECEASED,
        "death": {"occurredAt": "2021-06-13T05:00:00+08:00", "area": "430621100"},
        "applicant": {"name": "李建军", "idNumber": LI_JIANJUN, "relation": "CHILD", "phone": "13975080001"},
        "account": {"kind": "DECEASED", "holder": "李德福", "number": PENSION_CARD, "bank": "中国农业银行"},
        "items": list(FOUR),
        "materials": [{"type": kind, "name": f"{kind}.pdf", "file": f"sha256:{kind}"} for kind in FIVE],
        "commitments": ["TRUTH", "HEIR_SHARING"],
        "answers": [
            {"path": "insurance.countyCentre", "value": "true"},
            {"path": "cremation.area", "value": COUNTY},
            {"path": "signature", "value": "李建军"},
        ],
    }


def system(stage: Stage, department: str) -> str:
    return stage.token("department-system", department=department, area=COUNTY)


@pytest.mark.rule("AS-04", "AS-07", "YY-403", "YY-504", "YY-506", "YY-507", "YY-514", "YY-701", "YY-825")
def test_stops_come_first_without_a_case_then_one_application_is_pushed_at_once_and_paid(county: Stage) -> None:
    shared = {"jurisdiction": "yy", "deceased": DECEASED, "certificate": CREMATION}
    done = county.do(system(county, "civil-affairs"), "shareCertificate", "acknowledgement inCase", **shared)
    assert done == {"acknowledgement": "APPLIED", "inCase": False, "userErrors": []}
    for department, slugs in PULLED.items():
        token = system(county, department)
        for slug in slugs:
            stop = {"jurisdiction": "yy", "idNumber": LI_DEFU, "item": slug, "serial": f"s-{slug}"}
            assert county.do(token, "recordStop", "acknowledgement inCase", **stop)["acknowledgement"] == "APPLIED"
        [edge] = county.ask(token, SHARED)["sharedRecords"]["edges"]
        assert edge["node"]["certificates"] == [{"type": "CREMATION", "number": "YY-HH-0615"}]
        assert {found["item"] for found in edge["node"]["stops"]} == set(slugs), "its own stops only"
    duty = county.token("duty-person", area=COUNTY)
    county.move_clock(duty, "2021-06-17T09:40:00+08:00")
    clerk = county.token("window-clerk", area=COUNTY, name="刘静")
    filed = county.do(clerk, "submitCase", "created case { number }", **form())
    assert filed["userErrors"] == [] and filed["created"]
    number = filed["case"]["number"]

    def closed() -> Any:
        case = county.ask(duty, CASE, n=number)["case"]
        return case if case["status"] == "CLOSED" else None

    case = eventually(closed)
    found = {item["slug"]: item for item in case["items"]}
    assert {found[slug]["pushedAt"] for slug in FOUR} == {"2021-06-17T01:40:00Z"}
    stops = {slug for slugs in PULLED.values() for slug in slugs}
    assert {found[slug]["status"] for slug in (*FOUR, *stops)} == {"COMPLETED"}
    assert {found[slug]["pushedAt"] for slug in stops} == {None}, "recorded, never pushed"
    assert "pension-enterprise-inservice-death-claim" not in found
    others = set(found) - {*FOUR, *stops, "cremation-cert"}
    assert {found[slug]["status"] for slug in others} == {"NOT_APPLICABLE"}
    paying = {payout["itemSlug"] for payout in case["payouts"]}
    assert paying == set(FOUR) - {"hukou-deregistration"}
    for department in ("social-security", "medical-insurance", "housing-fund"):
        seen = county.ask(system(county, department), CASE, n=number)["case"]
        assert {payout["account"]["number"] for payout in seen["payouts"]} == {PENSION_CARD}, department
