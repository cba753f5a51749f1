"""The clock passes a limit, and people see it: case, timeline, worklist (HZ-901, HZ-903, HZ-816)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.stage import Stage, eventually, form

SLUG = "death-cert-normal"
CASE = """query($n: String!) { case(number: $n) {
  whyNotFinished { reason { code requirementIds } item { slug } since }
  alerts { kind reason { code message(language: EN) } item { slug } clock since recordedAt answeredAt }
  timeline { nodes { type title actor reason { message } } } } }"""
LIST = """query($k: [AlertKind!], $d: Slug, $f: Int!, $a: String) {
  alerts(kinds: $k, department: $d, first: $f, after: $a) {
  totalCount pageInfo { hasNextPage endCursor } nodes { kind case { number } item { slug } since } } }"""


@pytest.mark.rule("HZ-901", "HZ-903", "HZ-816", "PD-15")
def test_a_clock_that_is_moved_past_a_limit_is_told_at_the_next_turn(stage: Stage) -> None:
    assistant = stage.token("civil-affairs-assistant", department="civil-affairs")
    family = stage.token("family", id_number="330502196607189625")
    supervisor = stage.token("supervisor")
    numbers = []
    for person in ("330502193910109559", "330502194001011233"):
        deceased = {**form()["deceased"], "idNumber": person}
        numbers.append(
            stage.do(assistant, "submitCase", "case { number }", **form(deceased=deceased))["case"]["number"]
        )

    def listed(token: str, **wanted: Any) -> Any:
        return stage.ask(token, LIST, **{"f": 20, **wanted})["alerts"]

    assert listed(supervisor)["totalCount"] == 0
    stage.move_clock(supervisor, "2025-11-08T22:30:00+08:00")
    eventually(lambda: listed(supervisor)["totalCount"] == 2)

    found = stage.ask(family, CASE, n=numbers[0])["case"]
    assert {"code": "OVERDUE", "requirementIds": ["HZ-503"]} in [why["reason"] for why in found["whyNotFinished"]]
    (alert,) = found["alerts"]
    assert (alert["kind"], alert["item"]["slug"], alert["clock"]) == ("OVERDUE", SLUG, "PROCESSING")
    assert alert["answeredAt"] is None and alert["recordedAt"] > alert["since"]
    assert "the processing limit has passed" in alert["reason"]["message"]
    (entry,) = [node for node in found["timeline"]["nodes"] if node["type"] == "supervision.overdue"]
    assert (entry["title"], entry["actor"]) == ("时限已过", "联办平台") and "应于" in entry["reason"]["message"]

    health = stage.token("specialist", department="health")
    assert listed(health)["totalCount"] == 2
    assert listed(stage.token("specialist", department="housing-fund"))["totalCount"] == 0
    assert listed(stage.token("supervisor", area="330503"))["totalCount"] == 0
    assert listed(supervisor, d="housing-fund")["totalCount"] == 0
    assert listed(supervisor, k=["REMINDED"])["totalCount"] == 0
    first = listed(supervisor, f=1)
    second = listed(supervisor, f=1, a=first["pageInfo"]["endCursor"])
    assert [page["pageInfo"]["hasNextPage"] for page in (first, second)] == [True, False]
    assert {page["nodes"][0]["case"]["number"] for page in (first, second)} == set(numbers)
    (refused,) = stage.errors(family, LIST, f=20)
    assert refused["extensions"]["code"] == "FORBIDDEN"
