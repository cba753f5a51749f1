"""Pages of the documentation that are printed from the code's own tables."""

from __future__ import annotations

from gateway import docs_rights
from gateway.docs_policy import policy
from gateway.domain.messages import TEXTS
from gateway.domain.states import CASE, ITEM, PAYOUT, mermaid


def pages() -> dict[str, str]:
    """File name → text."""
    return {"errors.md": errors(), "states.md": states(), "policy.md": policy(), "rights.md": docs_rights.page()}


def errors() -> str:
    lines = [
        "# Codes",
        "",
        "Every code a client can meet, printed by `shenhou export-docs` from `gateway/domain/messages.py`. Codes are",
        "stable: never renamed, never reused. `{…}` is filled in with facts, never with a whole ID number, phone or",
        "account.",
        "",
        "| code | 中文 | English |",
        "|---|---|---|",
    ]
    lines += [f"| `{code.value}` | {zh} | {en} |" for code, (zh, en) in TEXTS.items()]
    return "\n".join(lines) + "\n"


def states() -> str:
    lines = [
        "# States",
        "",
        "Printed by `shenhou export-docs` from the tables in `gateway/domain/states.py`. What is not drawn cannot",
        "happen. Delivery into a department's own system is beside the item's state: NONE, PENDING, DELIVERED, FAILED.",
    ]
    drawn = ((CASE.name, mermaid(CASE)), (ITEM.name, mermaid(ITEM)), (PAYOUT.name, mermaid(PAYOUT)))
    for name, graph in drawn:
        lines += ["", f"## {name}", "", "```mermaid", graph, "```"]
    return "\n".join(lines) + "\n"
