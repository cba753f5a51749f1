"""The order of a jurisdiction's items as a graph: certificates and the report open gates, items issue certificates.

``draw`` reads a policy into nodes and edges; ``mermaid``, ``dot`` and ``text`` print them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.policy import notation
from gateway.policy.book import PolicyBook
from gateway.policy.model import ItemDefinition, Jurisdiction, Requirement

REPORT = "report"
OTHERS = "all"


@dataclass(frozen=True, slots=True)
class Node:
    """``kind``: ITEM, CERTIFICATE, REPORT, ANY (one of several certificates) or OTHERS (every other item is final).

    ``marks``: how the item is handled, when it is not simply pushed: PULL, SHARED, PLATFORM, TICK, OFF; OUTSIDE for a
    certificate that no item issues.
    """

    id: str
    kind: str
    label: str
    ids: tuple[str, ...] = ()
    phase: str | None = None
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """``kind``: GATE (the target waits for the source), ISSUES, or DEDUCTS (the target's sums wait and are reduced)."""

    source: str
    target: str
    kind: str
    label: str = ""


@dataclass(slots=True)
class Graph:
    title: str
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    def of_phase(self, phase: str | None) -> list[Node]:
        return [node for node in self.nodes.values() if node.phase == phase]

    @property
    def phases(self) -> list[str]:
        return list(dict.fromkeys(node.phase for node in self.nodes.values() if node.phase is not None))


def draw(book: PolicyBook, policy: Jurisdiction) -> Graph:
    graph = Graph(f"{policy.name} {policy.version}")
    issued = {kind for item in policy.items for kind in item.issues}
    for item in policy.items:
        label = item.name if item.department is None else f"{item.name}\n{_department(book, item)}"
        graph.nodes[f"item.{item.slug}"] = Node(
            f"item.{item.slug}", "ITEM", label, (item.source,), item.phase, tuple(_marks(item))
        )
    for item in policy.items:
        target = f"item.{item.slug}"
        for at, gate in enumerate(item.requires):
            _gate(book, graph, issued, target, at, gate)
        for kind in item.issues:
            graph.edges.append(Edge(target, _certificate(book, graph, issued, kind), "ISSUES"))
        rule = item.payout.deduction if item.payout is not None else None
        if rule is not None:
            graph.edges.append(Edge(f"item.{rule.item}", target, "DEDUCTS", f"deducted {rule.source}"))
    return graph


def _department(book: PolicyBook, item: ItemDefinition) -> str:
    return book.word("departments", item.department or "").name


def _marks(item: ItemDefinition) -> list[str]:
    marks: list[str] = [item.handler] if item.handler != "SYSTEM" else []
    marks += ["TICK"] if item.trigger == "TICK" else []
    return marks if item.enabled else [*marks, "OFF"]


def _certificate(book: PolicyBook, graph: Graph, issued: set[str], kind: str) -> str:
    node = f"certificate.{kind}"
    marks = () if kind in issued else ("OUTSIDE",)
    graph.nodes.setdefault(node, Node(node, "CERTIFICATE", book.word("certificates", kind).name, (), None, marks))
    return node


def _gate(book: PolicyBook, graph: Graph, issued: set[str], target: str, at: int, gate: Requirement) -> None:
    when = f" if {notation.condition(gate.when)}" if gate.when is not None else ""
    label = f"{gate.source}{when}"
    if gate.certificate is not None:
        sources = [_certificate(book, graph, issued, kind) for kind in gate.certificate]
    elif gate.item is not None:
        sources = [f"item.{gate.item}"]
    elif gate.report:
        sources = [REPORT]
        graph.nodes.setdefault(REPORT, Node(REPORT, "REPORT", "报丧 / 申请\nthe form is filed"))
    else:
        sources = [OTHERS]
        graph.nodes.setdefault(OTHERS, Node(OTHERS, "OTHERS", "其他事项全部办结\nevery other item is final"))
    if len(sources) > 1:
        choice = f"any.{target}.{at}"
        graph.nodes[choice] = Node(choice, "ANY", "任一 one of")
        graph.edges += [Edge(source, choice, "GATE") for source in sources]
        sources = [choice]
    graph.edges += [Edge(source, target, "GATE", label) for source in sources]


# ── Mermaid ─────────────────────────────────────────────────────────────────────────────────────────────

_SHAPES = {
    "ITEM": ("[", "]"),
    "CERTIFICATE": ("([", "])"),
    "REPORT": ("((", "))"),
    "ANY": ("{", "}"),
    "OTHERS": ("[[", "]]"),
}
_ARROWS = {"GATE": "-->", "ISSUES": "==>", "DEDUCTS": "-.->"}
_STYLES = {
    "CERTIFICATE": "fill:#fff7d6,stroke:#b58900",
    "PULL": "stroke-dasharray:5 5",
    "SHARED": "fill:#e6f4ea,stroke:#2e7d32",
    "PLATFORM": "fill:#e8eefc,stroke:#3949ab",
    "OFF": "fill:#eeeeee,color:#888888,stroke:#bbbbbb",
    "OUTSIDE": "stroke-dasharray:3 3",
}


def mermaid(graph: Graph) -> str:
    """A Mermaid flowchart."""
    names = {node: f"n{at}" for at, node in enumerate(graph.nodes)}
    lines = ["flowchart TD", f"    %% {_one_line(graph.title)}"]
    for phase in graph.phases:
        lines.append(f"    subgraph {phase}")
        lines += [f"        {_mermaid_node(names[node.id], node)}" for node in graph.of_phase(phase)]
        lines.append("    end")
    lines += [f"    {_mermaid_node(names[node.id], node)}" for node in graph.of_phase(None)]
    for edge in graph.edges:
        label = f'|"{_mermaid_text(edge.label)}"|' if edge.label else ""
        lines.append(f"    {names[edge.source]} {_ARROWS[edge.kind]}{label} {names[edge.target]}")
    lines += [f"    classDef {name} {style}" for name, style in _STYLES.items()]
    for node in graph.nodes.values():
        classes = [
            *([node.kind] if node.kind == "CERTIFICATE" else []),
            *(mark for mark in node.marks if mark != "TICK"),
        ]
        lines += [f"    class {names[node.id]} {found}" for found in classes]
    return "\n".join(lines) + "\n"


def _mermaid_node(name: str, node: Node) -> str:
    left, right = _SHAPES[node.kind]
    return f'{name}{left}"{_mermaid_text(_label(node))}"{right}'


def _mermaid_text(text: str) -> str:
    """Entities for what ends a label or means something in it; Mermaid writes them ``#…;``."""
    for found, written in (("#", "#35;"), ("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        text = text.replace(found, written)
    return text.replace("|", "#124;").replace("\\", "#92;").replace("\n", "<br/>")


def _label(node: Node) -> str:
    marks = f" [{' '.join(node.marks)}]" if node.marks else ""
    return "\n".join([node.label, *([f"{' '.join(node.ids)}{marks}".strip()] if node.ids or marks else [])])


def _one_line(text: str) -> str:
    return " ".join(text.split())


# ── DOT ─────────────────────────────────────────────────────────────────────────────────────────────────

_DOT_SHAPES = {"ITEM": "box", "CERTIFICATE": "note", "REPORT": "circle", "ANY": "diamond", "OTHERS": "box3d"}
_DOT_STYLES = {"GATE": "solid", "ISSUES": "bold", "DEDUCTS": "dashed"}


def dot(graph: Graph) -> str:
    """A Graphviz digraph."""
    lines = [f"digraph {_quoted(graph.title)} {{", "    rankdir=TB;", f"    label={_quoted(graph.title)};"]
    for phase in graph.phases:
        lines += [f"    subgraph {_quoted(f'cluster_{phase}')} {{", f"        label={_quoted(phase)};"]
        lines += [f"        {_dot_node(node)}" for node in graph.of_phase(phase)]
        lines.append("    }")
    lines += [f"    {_dot_node(node)}" for node in graph.of_phase(None)]
    for edge in graph.edges:
        shown = f"label={_quoted(edge.label)}, style={_DOT_STYLES[edge.kind]}"
        lines.append(f"    {_quoted(edge.source)} -> {_quoted(edge.target)} [{shown}];")
    return "\n".join([*lines, "}"]) + "\n"


def _dot_node(node: Node) -> str:
    style = "dashed" if {"PULL", "OUTSIDE", "OFF"} & set(node.marks) else "solid"
    return f"{_quoted(node.id)} [label={_quoted(_label(node))}, shape={_DOT_SHAPES[node.kind]}, style={style}];"


def _quoted(text: str) -> str:
    inner = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inner}"'


# ── text ────────────────────────────────────────────────────────────────────────────────────────────────


def text(graph: Graph) -> str:
    """One paragraph per item, by phase: what opens it, what it issues, what is deducted from it."""
    lines = [graph.title]
    for phase in graph.phases:
        lines += ["", phase]
        for node in graph.of_phase(phase):
            lines.append(f"  {_one_line(_label(node))}  ({node.id.removeprefix('item.')})")
            lines += [f"    {line}" for line in _around(graph, node)]
    return "\n".join(lines) + "\n"


def _around(graph: Graph, node: Node) -> list[str]:
    into = [edge for edge in graph.edges if edge.target == node.id]
    gates = [f"← {_source(graph, edge.source)}  {edge.label}".rstrip() for edge in into if edge.kind == "GATE"]
    issued = [edge.target.partition(".")[2] for edge in graph.edges if edge.source == node.id and edge.kind == "ISSUES"]
    taken = [f"− {edge.source.partition('.')[2]}  {edge.label}" for edge in into if edge.kind == "DEDUCTS"]
    by_itself = "← by itself, on shared data" if "PULL" in node.marks else "← when its certificate is shared"
    free = by_itself if {"PULL", "SHARED"} & set(node.marks) else "← at once"
    return [*(gates or [free]), *(f"→ {kind}" for kind in issued), *taken]


def _source(graph: Graph, source: str) -> str:
    node = graph.nodes[source]
    if node.kind == "ANY":
        return " | ".join(edge.source.partition(".")[2] for edge in graph.edges if edge.target == source)
    if node.kind in ("REPORT", "OTHERS"):
        return _one_line(node.label)
    return source.partition(".")[2]
