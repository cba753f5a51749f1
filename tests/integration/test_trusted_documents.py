"""A gateway on which only registered documents run (HZ-816)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.settings import BadSetting
from schema.documents import id_of, manifest
from tests.edge import Edge, codes

pytestmark = pytest.mark.rule("HZ-816")
ROLE = "query Role { viewer { role } }"
COMPLETE = """mutation Complete($input: CompleteItemInput!) {
  completeItem(input: $input) { acknowledgement userErrors { code } } }"""
OTHER = "query Role { viewer { role area } }"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("documents")
    (made / "portal.json").write_text(json.dumps(manifest([("Role", ROLE)])))
    (made / "departments").mkdir()
    (made / "departments" / "complete.graphql").write_text(COMPLETE)
    return made


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Edge:
    return Edge(tmp_path_factory.mktemp("edge"), TRUSTED_DOCUMENTS=str(folder))


ID = id_of(ROLE)
WAYS: dict[str, dict[str, Any]] = {
    "documentId": {"documentId": f"sha256:{ID}"},
    "documentId without its kind": {"documentId": ID},
    "as Apollo's clients do": {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": ID}}},
    "the whole text": {"query": ROLE},
    "text and id": {"query": ROLE, "documentId": ID},
}


@pytest.mark.parametrize("body", WAYS.values(), ids=WAYS.keys())
async def test_a_registered_document_runs_however_it_is_named(edge: Edge, body: dict[str, Any]) -> None:
    answer = await edge.send(body, "support")
    assert answer.json() == {"data": {"viewer": {"role": "support"}}}


@pytest.mark.parametrize(
    "body",
    [
        {"query": OTHER},
        {"query": ROLE + " "},
        {"query": "{ __typename }"},
        {"query": 'mutation { moveSandboxClock(input: {to: "2026-01-01T00:00:00Z"}) { now } }'},
        {"documentId": id_of(OTHER)},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": id_of(OTHER)}}},
        {"query": OTHER, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": id_of(OTHER)}}},
    ],
)
async def test_nothing_else_runs_and_nothing_becomes_registered_by_asking(edge: Edge, body: dict[str, Any]) -> None:
    for _ in range(2):
        answer = await edge.send(body, "administrator")
        assert (answer.status_code, codes(answer)) == (400, ["DOCUMENT_NOT_REGISTERED"])


async def test_another_text_under_a_registered_id_is_refused(edge: Edge) -> None:
    answer = await edge.send({"query": OTHER, "documentId": ID})
    assert (answer.status_code, codes(answer)) == (400, ["INVALID_OPERATION"])


async def test_departments_write_back_by_a_registered_document(edge: Edge) -> None:
    variables = {"input": {"caseNumber": "HZ0000000000000", "item": "funeral-service", "serial": "1"}}
    answer = await edge.send({"documentId": id_of(COMPLETE), "variables": variables}, "department-system")
    assert answer.json()["data"]["completeItem"]["userErrors"] == [{"code": "CASE_NOT_FOUND"}]


async def test_whatever_the_support_page_asks_is_registered(edge: Edge) -> None:
    page = (await edge.send(b"", None, "GET", "/static/support.js")).text
    reveal = {"caseNumber": "HZ0000000000000", "fields": ["PHONE"], "reason": "CALL_FAMILY"}
    variables = {
        "find": {"f": {}},
        "case": {"n": "HZ0000000000000"},
        "reveal": {"input": reveal},
        "incident": {"id": "0"},
    }
    for name in re.findall(r'text\("(\w+)"\)', page):
        text = (await edge.send(b"", None, "GET", f"/static/{name}.graphql")).text
        assert codes(await edge.send({"query": text, "variables": variables.get(name, {})}, "support")) == [], name


async def test_without_a_manifest_no_id_is_known(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    assert codes(await edge.send({"query": OTHER, "documentId": id_of(OTHER)})) == []
    assert codes(await edge.send({"documentId": id_of(OTHER)})) == ["DOCUMENT_NOT_REGISTERED"]


@pytest.mark.parametrize("text", ["[]", "{", '{"operations": 5}', json.dumps({"a": "{ viewer { role } }"})])
def test_a_manifest_that_is_none_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(BadSetting, match=r"TRUSTED_DOCUMENTS: .*m\.json"):
        Edge(tmp_path, TRUSTED_DOCUMENTS=str(tmp_path / "m.json"))


def test_the_command_registers_what_runs_and_says_what_does_not(tmp_path: Path, folder: Path) -> None:
    made = tmp_path / "manifest.json"
    done = CliRunner().invoke(app, ["documents", "register", str(folder), "--to", str(made)])
    assert done.exit_code == 0, done.output
    assert {one["body"] for one in json.loads(made.read_text())["operations"]} == {ROLE, COMPLETE}
    assert CliRunner().invoke(app, ["documents", "check", str(made)]).exit_code == 0
    (tmp_path / "bad.graphql").write_text("{ viewer { nothing } }")
    (tmp_path / "large.graphql").write_text(
        "{ cases(first: 100) { nodes { items { case { items { case { number } } } } } } }"
    )
    checked = CliRunner().invoke(app, ["documents", "check", str(tmp_path)])
    assert checked.exit_code == 1 and "REFUSED" in checked.output and "bad:" in checked.output
    assert "large: The operation is too large" in checked.output
    refused = CliRunner().invoke(app, ["documents", "register", str(tmp_path), "--to", str(tmp_path / "no.json")])
    assert refused.exit_code == 1 and not (tmp_path / "no.json").exists()
