"""Who may ask about the schema itself: everybody in development, in production roles that have it (HZ-816)."""

from __future__ import annotations

import pytest
from graphql import get_introspection_query

from gateway import settings
from tests.edge import Edge, codes

pytestmark = pytest.mark.rule("HZ-816")
ASKS = {
    "__schema": "{ __schema { queryType { name } } }",
    "__type": '{ __type(name: "Case") { name fields { name } } }',
    "_service": "{ _service { sdl } }",
    "under an alias": "{ a: __schema { queryType { name } } }",
    "in a fragment": "{ ...F } fragment F on Query { ... { __schema { queryType { name } } } }",
    "beside others": "{ viewer { role } __schema { queryType { name } } }",
    "everything": get_introspection_query(),
}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Edge:
    """As in production, where there is no issuer of our own."""
    return Edge(tmp_path_factory.mktemp("closed"), OPEN_SCHEMA="off")


@pytest.fixture(scope="module")
def open_(tmp_path_factory: pytest.TempPathFactory) -> Edge:
    return Edge(tmp_path_factory.mktemp("open"))


@pytest.mark.parametrize("query", ASKS.values(), ids=ASKS.keys())
async def test_only_roles_that_have_it_ask_about_the_schema(closed: Edge, open_: Edge, query: str) -> None:
    for role in ("family", "duty-person", "department-system", "support"):
        answer = await closed.ask(query, role)
        assert codes(answer) == ["FORBIDDEN"] and answer.json().get("data") is None, role
        assert "queryType" not in answer.text and "type Query" not in answer.text
    assert codes(await closed.ask(query, None)) == ["UNAUTHENTICATED"]
    for answer in (await closed.ask(query, "administrator"), await open_.ask(query, "support")):
        assert codes(answer) == [] and answer.json()["data"]


async def test_the_name_of_a_type_is_no_secret(closed: Edge) -> None:
    answer = await closed.ask("{ __typename viewer { __typename } }", "family")
    assert answer.json()["data"] == {"__typename": "Query", "viewer": {"__typename": "ViewerInfo"}}


@pytest.mark.parametrize(
    "query, variables",
    [
        ("{ viewe { role } }", {}),
        ("{ viewer { rol } }", {}),
        ("{ viewer { role(languag: EN) } }", {}),
        ("{ viewer { ... on Viewr { role } } }", {}),
        ("query($f: CaseFiltr) { cases(filter: $f) { totalCount } }", {}),
        ("query($f: CaseFilter) { cases(filter: $f) { totalCount } }", {"f": {"statuse": []}}),
        ("query($f: CaseFilter) { cases(filter: $f) { totalCount } }", {"f": {"statuses": ["OPNE"]}}),
        ("{ cases(filter: {statuses: [OPNE]}) { totalCount } }", {}),
        ("{ cases(filter: {statuse: []}) { totalCount } }", {}),
        ("{ cases(fist: 1) { totalCount } }", {}),
    ],
)
async def test_a_guess_is_not_answered_with_what_might_have_been_meant(
    closed: Edge, query: str, variables: dict[str, object]
) -> None:
    for role in ("family", "administrator"):
        answer = await closed.ask(query, role, **variables)
        assert set(codes(answer)) == {"INVALID_OPERATION"} and answer.status_code == 400
        assert "Did you mean" not in answer.text


async def test_in_development_a_slip_is_answered_with_what_might_have_been_meant(open_: Edge) -> None:
    assert "Did you mean 'viewer'" in (await open_.ask("{ viewe { role } }")).json()["errors"][0]["message"]


async def test_the_workbench_and_the_schema_as_text_are_closed_with_it(closed: Edge, open_: Edge) -> None:
    for path in ("/sandbox", "/schema.graphql"):
        assert (await open_.send(b"", None, "GET", path)).status_code == 200
    assert (await closed.send(b"", None, "GET", "/sandbox")).status_code == 404
    assert (await closed.send(b"", None, "GET", "/schema.graphql")).status_code == 401
    assert (await closed.send(b"", "family", "GET", "/schema.graphql")).status_code == 403
    assert "type Case" in (await closed.send(b"", "administrator", "GET", "/schema.graphql")).text
    assert (await closed.send(b"", None, "GET", "/support")).status_code == 200


def test_the_mode_decides_unless_the_deployment_says_otherwise(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = str(tmp_path_factory.mktemp("settings"))
    keys = {"DATA_KEYS": "1:" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}
    keys |= {"INDEX_KEY": keys["DATA_KEYS"][2:], "SEAL_KEY": keys["DATA_KEYS"][2:]}
    production = {
        f"SHENHOU_{name}": value for name, value in {**keys, "DATA_DIR": folder, "MODE": "production"}.items()
    }
    assert settings.read({"SHENHOU_DATA_DIR": folder}).open_schema
    assert not settings.read(production).open_schema and settings.read(production).rate_limits
    assert settings.read({**production, "SHENHOU_OPEN_SCHEMA": "on"}).open_schema
    with pytest.raises(settings.BadSetting, match="OPEN_SCHEMA must be on or off"):
        settings.read({**production, "SHENHOU_OPEN_SCHEMA": "yes"})
