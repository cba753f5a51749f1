"""``policy graph``: the order of items, in three notations whose labels cannot break them."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from gateway.cli_policy import app
from gateway.policy.graph import Edge, Graph, Node, dot, draw, mermaid, text
from gateway.policy.model import Jurisdiction
from tests.builders import book, huzhou
from tests.wenzhou import policy as wenzhou

RUN = CliRunner()
NASTY = 'a "b" <c> | `d` # & \\ ;\n{e} [f] end --> x'


def nasty() -> Graph:
    graph = Graph('title "t"\nend')
    graph.nodes["item.end"] = Node("item.end", "ITEM", NASTY, ("TY-101",), "AFTERCARE", ("PULL",))
    graph.nodes['item."x'] = Node('item."x', "ITEM", "x", (), None)
    graph.edges.append(Edge("item.end", 'item."x', "GATE", NASTY))
    return graph


@pytest.mark.parametrize("policy", book().jurisdictions, ids=lambda policy: policy.code)
def test_every_item_and_every_gate_is_drawn(policy: Jurisdiction) -> None:
    graph = draw(book(), policy)
    for item in policy.items:
        target = f"item.{item.slug}"
        assert graph.nodes[target].phase == item.phase
        gates = [edge for edge in graph.edges if edge.target == target and edge.kind == "GATE"]
        assert len(gates) == len(item.requires)
        issued = [edge.target for edge in graph.edges if edge.source == target and edge.kind == "ISSUES"]
        assert issued == [f"certificate.{kind}" for kind in item.issues]
    ends = {end for edge in graph.edges for end in (edge.source, edge.target)}
    assert ends <= set(graph.nodes)


@pytest.mark.rule("WZ-703", "WZ-338", "WZ-511")
def test_deductions_platform_and_shared_items_are_marked() -> None:
    graph = draw(book(), wenzhou())
    taken = [edge for edge in graph.edges if edge.kind == "DEDUCTS"]
    assert [(edge.source, edge.target) for edge in taken] == [
        ("item.medical-account-settlement", "item.pension-funeral-bereavement-claim")
    ]
    assert graph.nodes["item.township-approval"].marks == ("PLATFORM",)
    assert "SHARED" in graph.nodes["item.cremation-record"].marks
    assert "OFF" in graph.nodes["item.housing-fund-death-withdrawal"].marks
    choice = [node for node in graph.nodes.values() if node.kind == "ANY"]
    assert choice and all(
        {edge.source for edge in graph.edges if edge.target == node.id}
        == {"certificate.DEATH_MEDICAL", "certificate.DEATH_ABNORMAL"}
        for node in choice
    )


def test_a_certificate_no_item_issues_comes_from_outside() -> None:
    outside = [node for node in draw(book(), huzhou()).nodes.values() if "OUTSIDE" in node.marks]
    issued = {kind for item in huzhou().items for kind in item.issues}
    assert outside and not issued & {node.id.partition(".")[2] for node in outside}


def test_no_label_ends_a_mermaid_string() -> None:
    lines = mermaid(nasty()).splitlines()
    for line in lines:
        assert line.count('"') in (0, 2), line
    inside = [found for line in lines for found in re.findall(r'"(.*)"', line)]
    assert inside and not any(set(label.replace("<br/>", "")) & set('"<>|`\\') for label in inside)
    names = [line.split("[")[0].strip() for line in lines if '["' in line]
    assert all(re.fullmatch(r"n\d+", name) for name in names), "a slug may be a word of the notation"


def test_no_label_ends_a_dot_string() -> None:
    string = r'"(?:[^"\\\n]|\\.)*"'
    for line in dot(nasty()).splitlines():
        assert '"' not in re.sub(string, "", line), line


@pytest.mark.parametrize("policy", book().jurisdictions, ids=lambda policy: policy.code)
def test_real_files_are_drawn_in_all_notations(policy: Jurisdiction) -> None:
    graph = draw(book(), policy)
    drawn = mermaid(graph)
    assert drawn.startswith("flowchart TD\n")
    assert drawn.count("subgraph ") == drawn.count("\n    end\n") == len({item.phase for item in policy.items})
    assert dot(graph).count("{") == dot(graph).count("}")
    assert all(item.slug in text(graph) for item in policy.items)


def test_the_command_draws() -> None:
    for name, start in (("mermaid", "flowchart"), ("dot", "digraph"), ("text", huzhou().name)):
        done = RUN.invoke(app, ["graph", "hz", "--format", name])
        assert done.exit_code == 0 and done.output.startswith(start)
