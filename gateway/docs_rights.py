"""docs/rights.md: who may do and see what, printed from ``roles.yaml`` and ``fields.yaml``."""

from __future__ import annotations

from gateway.access import rights
from gateway.access.fields import GROUPS, OTHERS
from gateway.access.rights import Rights
from gateway.policy import loader

YES, NO = "●", ""


def page() -> str:
    table = rights.load()
    names = {word.code: word.name for word in loader.load().catalogue.roles}
    lines = [
        "# Rights",
        "",
        "Who may do and see what, printed by `shenhou export-docs` from `gateway/access/roles.yaml` and",
        "`gateway/access/fields.yaml`. What is not listed is refused. How somebody gets a role, and who learns what",
        "was looked at: [access.md](access.md).",
        "",
        "## Roles",
        "",
        _row("role", "中文", "cases", "items", "matters of the staff", "messages", "looks into cases for"),
        _rule(7),
    ]
    for code, role in table.roles.items():
        staff = _yes(role.fields.staff == "FULL")
        purpose = role.purpose or ""
        lines.append(_row(f"`{code}`", names[code], role.cases, role.items, staff, _yes(role.messages), purpose))
    lines += ["", *_kinds(table), "", *_operations(table), "", *_fields(table)]
    return "\n".join(lines) + "\n"


def _kinds(table: Rights) -> list[str]:
    rules = table.field_rules.rules
    lines = [
        "## Personal data",
        "",
        "MASKED: some characters at the beginning and the end; what has no mask, and what is no text, is hidden. With",
        f"`+` the role may unmask it in one case, for {table.reveal_minutes} minutes and for itself alone, by",
        "`revealPersonalData` with a reason; the family reads who, when, what and why. Departments the cause of death",
        f"concerns see it: {', '.join(f'`{code}`' for code in table.cause_departments)}.",
        "",
        _row("role", *(f"{group} {rules[group].name}" for group in GROUPS)),
        _rule(1 + len(GROUPS)),
    ]
    for code, role in table.roles.items():
        seen = (getattr(role.fields, group) + (" +" if group in role.on_reason else "") for group in GROUPS)
        lines.append(_row(f"`{code}`", *seen))
    lines += ["", "Reasons: " + ", ".join(_reason(reason) for reason in table.reasons) + "."]
    return lines


def _reason(reason: rights.RevealReason) -> str:
    return f"`{reason.code}` {reason.name} ({reason.name_en}{'; says which' if reason.note else ''})"


def _operations(table: Rights) -> list[str]:
    named = sorted({name for role in table.roles.values() for name in role.may})
    lines = ["## Operations", "", _row("", *(f"`{code}`" for code in table.roles)), _rule(1 + len(table.roles))]
    lines += [_row(f"`{name}`", *(_yes(name in role.may) for role in table.roles.values())) for name in named]
    return [*lines, "", f"Every role: {', '.join(f'`{name}`' for name in sorted(table.everyone))}."]


def _fields(table: Rights) -> list[str]:
    rules = table.field_rules
    lines = ["## Fields", "", _row("rule", "中文", "who may read it"), _rule(3)]
    lines += [_row(f"`{rule}`", text.name, text.name_en) for rule, text in rules.rules.items()]
    lines += ["", "`*`: every other field of the type.", "", _row("type", "fields"), _rule(2)]
    for name, ruled in rules.published.items():
        by_rule: dict[str, list[str]] = {}
        for field, of in ruled.items():
            by_rule.setdefault(" and ".join(of), []).append("`*`" if field == OTHERS else field)
        told = "; ".join(f"**{rule}**: {', '.join(fields)}" for rule, fields in by_rule.items())
        lines.append(_row(f"`{name}`", told))
    return lines


def _yes(value: bool) -> str:
    return YES if value else NO


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns
