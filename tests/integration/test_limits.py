"""What is too large is refused at once, with words, before anything is executed (PD-22)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLError, parse

from schema.build import build
from schema.costs import PAGE
from schema.measure import Limits, TooLarge, measure
from tests.edge import Edge, codes

pytestmark = pytest.mark.rule("PD-22")
SPREAD = "{...F0} " + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(11))
ROLE = "viewer { role }"
LARGE = {
    "depth": "{ cases" + " { nodes { items { case" * 20 + " { number } " + " } } }" * 20 + " }",
    "aliases": "{ " + " ".join(f"a{n}: {ROLE}" for n in range(40)) + " }",
    "the same field again": "{ " + ROLE * 40 + " }",
    "the same field again in inline fragments": "{ " + f"... {{ {ROLE} }} " * 40 + " }",
    "tokens": "{ " + ROLE * 3000 + " }",
    "characters": "{ " + " " * 50_000 + ROLE + " }",
    "comments": "#\n" * 5000 + "{ " + ROLE + " }",
    "one long text": '{ case(number: "' + "x" * 50_000 + '") { number } }',
    "directives": "{ " + f"viewer {{ {' '.join(f'a{n}: role @skip(if: true)' for n in range(50))} }}" + " }",
    "directives in one place": "{ __typename" + " @aa" * 10 + " }",
    "operations": " ".join(f"query q{n} {{ {ROLE} }}" for n in range(30)),
    "deep literal": "{ case(number: " + "[" * 100 + "]" * 100 + ") { number } }",
    "deep default": "query($n: String = " + "[" * 50 + "]" * 50 + ") { viewer { role } }",
    "inline fragments in each other": "{ " + "... { " * 100 + ROLE + " }" * 100 + " }",
    "fragments in each other": " ".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(99)) + "{ ...F0 }",
    "a circle of fragments": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    "cost of lists in lists": "{ cases(first: 100) { nodes { items { case { items { case { number } } } } } } }",
    "cost by spreading": SPREAD + " fragment F11 on Query { cases(first: 100) { nodes { number status area } } }",
    "cost with a negative page": "{ cases(first: -5) { nodes { items { case { items { case { items { slug } }"
    + " }" * 6,
}


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Edge:
    return Edge(tmp_path_factory.mktemp("edge"))


@pytest.mark.parametrize("query", LARGE.values(), ids=LARGE.keys())
async def test_an_operation_that_is_too_large_is_refused_before_it_is_parsed(
    edge: Edge, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unread(*_: object) -> None:
        raise AssertionError("it was parsed")

    monkeypatch.setattr("schema.guard.parse", unread)
    answer = await edge.ask(query)
    assert (answer.status_code, codes(answer)) == (400, ["OPERATION_TOO_LARGE"]), answer.text
    assert "data" not in answer.json()


def test_fragments_that_double_again_and_again_are_measured_once_each() -> None:
    prices = build().gate.prices
    size = measure(SPREAD + " fragment F11 on Query { viewer { role } }", prices, Limits(aliases=10**9))[""]
    assert size.cost == 2**12 and size.depth == 2
    with pytest.raises(TooLarge):
        measure("{...F0} " + SPREAD[7:] + " fragment F11 on Query { a: viewer { role } }", prices, Limits())


@pytest.mark.parametrize(
    "query, cost",
    [
        ("{ viewer { role name } }", 3),
        ("{ cases { totalCount } }", 100 + 1),
        ("{ cases(first: 5) { totalCount nodes { number status } } }", 100 + 1 + 1 + 5 * 2),
        ("{ cases { nodes { number } } }", 100 + 1 + 20),
        ("query($n: Int!) { cases(first: $n) { edges { node { number } } } }", 100 + 1 + PAGE * 2),
        ("{ cases(first: 5) { ...C } } fragment C on CaseConnection { nodes { number } }", 100 + 1 + 5),
        ('{ case(number: "x") { items { slug payouts { amount } } } }', 20 + 1 + 30 * (1 + 1 + 10)),
        ('{ case(number: "first: 7 }{") { items { slug } } }', 20 + 1 + 30),
        ('{ case(number: """a "quoted\\""" { {""") { number } } # { {', 20 + 1),
        ("{ _entities(representations: []) { ... on Case { number } } }", 1 + PAGE),
        ("{ __schema { types { fields { name } } } }", 1),
        ("mutation { redriveItem(input: {}) { userErrors { code } } }", 500 + 1 + 10),
    ],
)
def test_the_cost_is_what_the_schemas_directives_say(query: str, cost: int) -> None:
    parse(query)
    [size] = measure(query, build().gate.prices, Limits()).values()
    assert size.cost == cost


def test_every_list_of_objects_says_how_long_it_is_taken_to_be() -> None:
    text = build().as_str()
    undeclared = [
        f"{kind}.{name}"
        for kind, fields in build().gate.prices.items()
        for name, price in fields.items()
        if price.below and price.times == PAGE and not kind.startswith("__") and name not in ("_entities", "nodes")
    ]
    assert undeclared == [] and text.count("@listSize") > 80


async def test_what_was_read_once_is_not_read_again(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = "{ viewer { role area } }", "{ viewer { nothing } }"
    assert codes(await edge.ask(good)) == [] and codes(await edge.ask(bad)) == ["INVALID_OPERATION"]

    def unread(*_: object, **__: object) -> None:
        raise AssertionError("it was read again")

    monkeypatch.setattr("schema.guard.measure", unread)
    assert codes(await edge.ask(good)) == [] and codes(await edge.ask(bad)) == ["INVALID_OPERATION"]


async def test_a_flood_of_other_documents_does_not_push_out_those_that_are_used() -> None:
    gate = build().gate
    used = gate.read("{ viewer { now } }")
    for number in range(2000):
        with pytest.raises(GraphQLError):
            gate.read(f"{{ nothing{number} }}")
    assert gate.read("{ viewer { now } }") is used


# ── bodies and variables ────────────────────────────────────────────────────────────────────────────────


def variables(value: Any) -> bytes:
    return json.dumps({"query": "{ viewer { role } }", "variables": {"v": value}}).encode()


def deep(levels: int) -> Any:
    found: Any = 1
    for _ in range(levels):
        found = {"a": found}
    return found


BODIES = {
    "10 MB": (b'{"query": "' + b"x" * 10_000_000 + b'"}', 413, "NOT_SERVED"),
    "deep variables": (variables(deep(50)), 400, "OPERATION_TOO_LARGE"),
    "deeper than the parser goes": (b'{"variables":' + b"[" * 5000 + b"]" * 5000 + b"}", 400, "INVALID_OPERATION"),
    "very deep": (b"[" * 100_000, 400, "OPERATION_TOO_LARGE"),
    "many values": (variables(list(range(6000))), 400, "OPERATION_TOO_LARGE"),
    "very many values": (variables([0] * 60_000), 400, "OPERATION_TOO_LARGE"),
    "a long text": (variables("x" * 30_000), 400, "OPERATION_TOO_LARGE"),
    "broken UTF-8": (b'{"query": "{ viewer { role } } # \xff\xfe"}', 400, "INVALID_OPERATION"),
    "UTF-16": ('{"query": "{ viewer { role } }"}'.encode("utf-16"), 400, "INVALID_OPERATION"),
    "half a surrogate pair": (b'{"query": "{ viewer { role } } # \\ud800"}', 400, "INVALID_OPERATION"),
    "NaN": (b'{"query": "{ viewer { role } }", "variables": {"a": NaN}}', 400, "INVALID_OPERATION"),
    "a batch": (b'[{"query": "{ viewer { role } }"}]', 400, "INVALID_OPERATION"),
    "a large batch": (json.dumps([{"query": "{ viewer { role } }"}] * 9999).encode(), 413, "NOT_SERVED"),
    "no query": (b"{}", 400, "INVALID_OPERATION"),
    "variables that are none": (b'{"query": "{ viewer { role } }", "variables": [1]}', 400, "INVALID_OPERATION"),
    "a name that is none": (b'{"query": "{ viewer { role } }", "operationName": {"a": 1}}', 400, "INVALID_OPERATION"),
    "an unknown operation": (b'{"query": "{ viewer { role } }", "operationName": "x"}', 400, "INVALID_OPERATION"),
    "two operations": (b'{"query": "query a {viewer{role}} query b {viewer{role}}"}', 400, "INVALID_OPERATION"),
    "no operation": (b'{"query": "fragment F on Query { viewer { role } }"}', 400, "INVALID_OPERATION"),
    "a subscription": (b'{"query": "subscription { viewer { role } }"}', 400, "INVALID_OPERATION"),
    "a schema": (b'{"query": "type A { b: Int }"}', 400, "INVALID_OPERATION"),
}


@pytest.mark.parametrize("body, status, code", BODIES.values(), ids=BODIES.keys())
async def test_a_body_that_cannot_be_meant_is_answered_with_a_code(
    edge: Edge, body: bytes, status: int, code: str
) -> None:
    answer = await edge.send(body)
    assert (answer.status_code, set(codes(answer))) == (status, {code}), answer.text[:500]
    assert len(answer.content) < 5000


async def test_of_a_body_that_says_it_is_too_large_nothing_is_read(edge: Edge) -> None:
    await must_not_read(edge, "10485760", b"", 413)


async def test_a_body_that_does_not_say_how_large_it_is_is_read_up_to_the_limit(edge: Edge) -> None:
    most = edge.settings.max_operation_bytes
    read = await must_not_read(edge, None, b"x" * 65536, 413)
    assert read <= most + 65536


async def must_not_read(edge: Edge, length: str | None, chunk: bytes, status: int) -> int:
    """Bytes that were taken of a body without an end, or of one of which nothing may be read."""
    sent: list[dict[str, Any]] = []
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        assert chunk, "the body was read"
        taken += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"authorization", f"Bearer {edge.token('support')}".encode())]
    headers += [(b"content-length", length.encode())] if length is not None else []
    scope = {"type": "http", "method": "POST", "path": "/graphql", "raw_path": b"/graphql", "query_string": b""}
    scope |= {"headers": headers, "client": ("10.0.0.7", 1), "server": ("gateway", 80), "scheme": "http"}
    async with asyncio.timeout(30):
        await edge.application.asgi({**scope, "http_version": "1.1", "root_path": ""}, receive, send)
    assert sent[0]["status"] == status
    return taken


def test_limits_are_settings(tmp_path: Path) -> None:
    edge = Edge(tmp_path, MAX_TOKENS="50", MAX_DEPTH="3", MAX_DIRECTIVES="2", MAX_ALIASES="1", MAX_COST="77")
    [endpoint] = [route for route in edge.application.asgi.app.routes if route.path == "/graphql"][:1]  # type: ignore
    assert endpoint.endpoint.gate.limits == Limits(depth=3, aliases=1, tokens=50, directives=2, cost=77)
