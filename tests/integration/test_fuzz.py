"""Operations that nobody thought of: made from the schema, sent with the token of every role.

Each is answered in JSON with codes that are published, never with an incident; and what is measured in the text before
it is parsed is what the parsed document says.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from graphql import FieldNode, OperationDefinitionNode, Visitor, parse, parse_value, visit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import from_schema, nodes

from gateway.access import rights
from gateway.domain.messages import Code
from schema.build import build
from schema.measure import Limits, measure
from tests.builders import World, hz_form
from tests.edge import Edge, codes

TEXT = st.sampled_from(
    ["", "hz", "330500", "health", "funeral-service", "2026-11-20T20:00:00+08:00", "1.00", "{}", "\u0001"]
)
SCALARS = dict.fromkeys(
    ("AreaCode", "Condition", "Date", "DateTime", "RequirementId", "Slug", "Yuan"), TEXT.map(nodes.String)
)
SCALARS["_Any"] = st.sampled_from(["Case", "DepartmentItem", "Payout", "Deceased", "X"]).map(
    lambda name: parse_value(f'{{__typename: "{name}", id: "Q2FzZTp4"}}')
)
OPERATIONS = from_schema(build()._schema, custom_scalars=SCALARS)
QUIET = settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Edge:
    made = Edge(tmp_path_factory.mktemp("edge"))
    World(made.desk.database).submit(hz_form())
    return made


@pytest.mark.rule("HZ-816")
def test_whatever_is_asked_is_answered_with_published_codes(edge: Edge) -> None:
    tokens = {role: edge.token(role) for role in rights.load().roles}
    ran = []

    async def ask(query: str, role: str) -> Any:
        return await edge.send({"query": query}, authorization=f"Bearer {tokens[role]}")

    @QUIET
    @given(OPERATIONS, st.sampled_from(sorted(tokens)))
    def check(query: str, role: str) -> None:
        answer = runner.run(ask(query, role))
        found = set(codes(answer))
        assert answer.status_code < 500 and "INTERNAL" not in found and found <= set(Code), answer.text
        ran.append(answer.json().get("data") is not None)

    with asyncio.Runner() as runner:
        check()
    assert any(ran) and not all(ran), "some have to run, and some to be refused"


class Deepest(Visitor):
    """Levels of fields."""

    found = 0

    def enter_field(self, _node: Any, _key: Any, _parent: Any, _path: Any, ancestors: list[Any]) -> None:
        self.found = max(self.found, 1 + sum(isinstance(one, FieldNode) for one in ancestors))


def test_what_is_measured_in_the_text_is_what_the_document_says() -> None:
    prices = build().gate.prices
    limits = Limits(depth=99, aliases=10**6, tokens=10**6, directives=10**6, cost=10**30)

    @QUIET
    @given(OPERATIONS)
    def check(query: str) -> None:
        document = parse(query)
        [operation] = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        [size] = measure(query, prices, limits).values()
        deepest = Deepest()
        visit(operation, deepest)
        assert size.depth == deepest.found and size.cost >= size.depth

    check()
