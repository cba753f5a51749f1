"""A case that is not the viewer's answers as one that does not exist: every query and every change that names one."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from schema.build import build
from tests.acceptance.stage import Stage, form

ITEM = "death-cert-normal"
PAPER = {"type": "X", "number": "1", "issuedAt": "2025-11-07T10:00:00Z"}
BY_NUMBER = {
    "case": "query($n: String!) { case(number: $n) { number } }",
    "node": "query($case: ID!) { node(id: $case) { id } }",
    "nodes": "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
    "_entities": "query($r: [_Any!]!) { _entities(representations: $r) { __typename } }",
    "accesses": "query($n: String!) { accesses(caseNumber: $n) { totalCount } }",
    "cases": "query($d: String!) { cases(filter: {idNumber: $d}) { totalCount nodes { number } } }",
    "checkSubmission": "query($s: SubmitCaseInput!) { checkSubmission(input: $s) { userErrors { code path } } }",
}
NO_CASE = {
    "sharedRecords": "a list, confined to the area",
    "alerts": "a list, confined to the area",
    "prefill": "shared data of a person, told by the sources' rules (YN-402)",
    "jurisdiction": "public",
    "supervision": "a list, confined to the area",
    "incident": "an error, without anything of a case",
    "checkSeal": "a seal proves itself",
}
"""Queries with arguments that name no case."""


def test_every_query_that_takes_a_number_is_tried() -> None:
    fields = build()._schema.query_type.fields  # type: ignore[attr-defined,union-attr]
    assert {name for name, found in fields.items() if found.args} == {*BY_NUMBER, *NO_CASE}


def variables(number: str, id_number: str) -> dict[str, Any]:
    def key(kind: str, tail: str = "") -> str:
        return base64.b64encode(f"{kind}:{number}{tail}".encode()).decode()

    ids = [key("Case"), key("Deceased"), key("DepartmentItem", f".{ITEM}"), key("Payout", "/x")]
    kinds = ["Case", "Deceased", "DepartmentItem", "Payout"]
    entities = [{"__typename": kind, "id": one} for kind, one in zip(kinds, ids, strict=True)]
    asked = form(caseNumber=number, deceased={"name": "王五", "idNumber": "330502194001011016", "hukouArea": "330502"})
    return {
        "n": number,
        "case": ids[0],
        "ids": ids,
        "r": [*entities, {"__typename": "Case", "number": number}],
        "d": id_number,
        "s": asked,
    }


@pytest.mark.rule("PD-15", "HZ-816")
@pytest.mark.parametrize("name", BY_NUMBER)
@pytest.mark.parametrize(
    "who",
    [
        {"role": "family", "id_number": "330502197001011230"},
        {"role": "window-clerk", "area": "430621"},
        {"role": "duty-person", "area": "330503"},
        {"role": "support", "area": "530000"},
        {"role": "specialist", "department": "housing-fund"},
        {"role": "department-system", "department": "bank"},
        {"role": "department-system", "department": "health", "area": "430621"},
    ],
    ids=lambda who: f"{who['role']} {who.get('department', '')}{who.get('area', '')}",
)
def test_what_is_not_there_and_what_is_not_yours_are_answered_alike(
    told: tuple[Stage, str], name: str, who: dict[str, str]
) -> None:
    stage, number = told
    token = stage.token(**who)  # type: ignore[arg-type]
    asked = BY_NUMBER[name]

    def answer(case: str, person: str) -> str:
        given = variables(case, person)
        wanted = {key: value for key, value in given.items() if f"${key}:" in asked}
        status, body = stage.post(json.dumps({"query": asked, "variables": wanted}).encode(), token)
        return json.dumps([status, body]).replace(case, "NUMBER")

    theirs = answer(number, "330502193910109559")
    nobodys = answer("HZ2025110799999", "330502194001011016")
    assert theirs == nobodys


@pytest.mark.rule("PD-15", "HZ-816")
@pytest.mark.parametrize(
    "role, mutation, more",
    [
        ("family", "giveAccount", {"account": {"number": "6222021205001234567"}}),
        ("family", "answerCorrection", {"item": ITEM, "answer": "x"}),
        ("family", "correctCase", {"reason": "x", "changes": []}),
        ("family", "rateCase", {"level": "5"}),
        ("window-clerk", "attachEvidence", {"certificate": PAPER}),
        ("duty-person", "revokeCase", {"reason": "x"}),
        ("support", "redriveItem", {"item": ITEM}),
        ("supervisor", "recordSupervision", {"kind": "INSPECTION", "text": "x"}),
    ],
)
def test_what_cannot_be_seen_cannot_be_changed_and_is_not_told(
    told: tuple[Stage, str], role: str, mutation: str, more: dict[str, Any]
) -> None:
    stage, number = told
    token = stage.token(role, area="430621", **({"id_number": "330502197001011230"} if role == "family" else {}))

    def answer(case: str) -> str:
        kind = mutation[0].upper() + mutation[1:] + "Input"
        asked = f"mutation($i: {kind}!) {{ {mutation}(input: $i) {{ userErrors {{ code message path }} }} }}"
        return json.dumps(stage.ask(token, asked, i={"caseNumber": case, **more})).replace(case, "NUMBER")

    theirs = answer(number)
    assert theirs == answer("HZ2025110799999") and "CASE_NOT_FOUND" in theirs


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, str]]:
    """A gateway with one case of 吴兴区, whose first item has been pushed."""
    stage = Stage(tmp_path_factory.mktemp("told"))
    stage.start_gateway("2025-11-07T22:10:00+08:00")
    number = stage.do(stage.token("duty-person"), "submitCase", "case { number }", **form())["case"]["number"]
    seen = stage.ask(stage.token("duty-person"), BY_NUMBER["nodes"], ids=variables(number, "")["ids"])["nodes"]
    assert [node is not None for node in seen] == [True, True, True, False], "the ids are those of what is there"
    yield stage, number
    stage.stop()
