"""Staff of one place learn nothing of the dead of another, by no way that names no case (HZ-816, PD-15)."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.services.lookups import Lookups
from tests.acceptance.stage import form
from tests.edge import Edge, codes

pytestmark = pytest.mark.rule("PD-15", "HZ-816")
ASKED = {
    "prefill": '{ prefill(jurisdiction: "hz", deceasedName: "沈福根", deceasedIdNumber: "330502193910109559") '
    "{ fields { path value } } }",
    "checkSubmission": "query($i: SubmitCaseInput!) { checkSubmission(input: $i) { userErrors { code } } }",
    "submitCase": "mutation($i: SubmitCaseInput!) { submitCase(input: $i) { userErrors { code } } }",
}
STAFF = ["window-clerk", "civil-affairs-assistant", "duty-person"]


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Edge:
    return Edge(tmp_path_factory.mktemp("places"))


@pytest.mark.parametrize("role", STAFF)
@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
async def test_staff_of_another_place_are_refused_before_any_source_is_asked(
    edge: Edge, asked: str, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def of(*_: Any) -> Any:
        raise AssertionError("a source was asked")

    monkeypatch.setattr(Lookups, "of", of)
    body = {"query": asked, "variables": {"i": form()} if "$i" in asked else {}}
    for area in ("430621", "330300"):
        answer = await edge.send(body, authorization=f"Bearer {edge.token(role, area)}")
        assert codes(answer) == ["FORBIDDEN"] and "PD-15" in answer.text, answer.text


@pytest.mark.parametrize("area", ["330500", "330502", "330000", "000000"])
async def test_staff_of_the_place_and_of_the_places_around_it_are_answered(edge: Edge, area: str) -> None:
    answer = await edge.send({"query": ASKED["prefill"]}, authorization=f"Bearer {edge.token('window-clerk', area)}")
    assert answer.json()["data"] == {"prefill": {"fields": []}}
