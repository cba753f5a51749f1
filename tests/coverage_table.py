"""``docs/coverage.md``: every row of the requirements, where it is carried out, and the tests that prove it.

Printed by ``make coverage`` from ``docs/requirements.csv``, the policy files, the code and the tests' marks, so that no
row can be claimed without a test.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import plain_yaml
from tests import rules

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "coverage.md"
ID = re.compile(r"\b(?:WS|YY|YN|WZ|HZ|C|X|S|PD)-\d{2,4}\b(?!-\w)")
SPAN = re.compile(r"\b([A-Z]{1,2})-(\d{2,4})…(?:[A-Z]{1,2}-)?(\d{2,4})\b")
TITLES = {
    "WS": "乌审旗",
    "YY": "岳阳县",
    "YN": "云南省",
    "WZ": "温州市",
    "HZ": "湖州市",
    "C": "Conflicts between the documents",
    "X": "Contradictions inside one document",
    "S": "Silences",
    "PD": "Conventions",
    "F": "Features by jurisdiction",
}
SHOWN = 3


@dataclass(frozen=True)
class Row:
    """One row.  ``kind``: ``software``, ``people`` (``note`` says why), or ``by`` (``note`` names the rows that stand
    for it)."""

    id: str
    clause: str
    text: str
    kind: str
    note: str
    carried: str
    """Where it is carried out, for a row that no policy key and no docstring names: ``file: word``."""

    @property
    def stands_for(self) -> list[str]:
        return self.note.split() if self.kind == "by" else []


def index() -> list[Row]:
    with (ROOT / "docs" / "requirements.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [Row(row["id"], row["clause"], row["requirement"], row["for"], row["note"], row["in"]) for row in rows]


def places() -> dict[str, list[str]]:
    """Id → policy keys and code files that carry it out."""
    found: dict[str, dict[str, None]] = {}
    for path in sorted((ROOT / "gateway" / "policy" / "data").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        for key, rule in _keys(plain_yaml.read(text), ""):
            found.setdefault(rule, {})[f"{path.stem}: {key}"] = None
        for rule in sorted(named(text)):
            found.setdefault(rule, {f"{path.stem}.yaml": None})
    for folder in ("gateway", "schema", "adapters", "mocks"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".yaml", ".js", ".html") and "policy/data" not in path.as_posix():
                for rule in named(path.read_text(encoding="utf-8")):
                    found.setdefault(rule, {})[path.relative_to(ROOT).as_posix()] = None
    for row in index():
        if row.carried:
            found.setdefault(row.id, {})[row.carried] = None
    return {rule: list(where) for rule, where in found.items()}


def named(text: str) -> set[str]:
    """Ids in a text; ``HZ-610…613`` names all four."""
    found = set(ID.findall(text))
    for prefix, first, last in SPAN.findall(text):
        width = len(first)
        end = int(last) if len(last) == width else int(first[: width - len(last)] + last)
        found |= {f"{prefix}-{number:0{width}d}" for number in range(int(first), end + 1)}
    return found


def _keys(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if isinstance(value, str) and ID.fullmatch(value):
                yield path or key, value
            else:
                yield from _keys(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for at, value in enumerate(node):
            name = at
            if isinstance(value, Mapping):
                name = next((value[key] for key in ("slug", "code", "path") if key in value), at)
            if isinstance(value, str) and ID.fullmatch(value):
                yield path, value
            else:
                yield from _keys(value, f"{path}.{name}")


def lacking(rows: Sequence[Row], where: Mapping[str, list[str]], tests: Mapping[str, list[str]]) -> dict[str, str]:
    """Id → what it lacks: ``test``, ``place``, or rows that stand for it."""
    open_: dict[str, str] = {}
    for row in rows:
        if row.kind == "software":
            missing = [what for what, found in (("place", where), ("test", tests)) if not found.get(row.id)]
            if missing:
                open_[row.id] = " and ".join(missing)
    for row in rows:
        left = [rule for rule in row.stands_for if rule in open_]
        if left:
            open_[row.id] = "rows " + " ".join(left)
    return open_


def page() -> str:
    rows, where, tests = index(), places(), rules.collect(ROOT)
    open_ = lacking(rows, where, tests)
    counts = {kind: sum(row.kind == kind for row in rows) for kind in ("software", "people", "by")}
    lines = [
        "# Coverage",
        "",
        "Printed by `make coverage` from [requirements.csv](requirements.csv), the policy files, the code and the",
        "marks of the tests (`@pytest.mark.rule`); a test holds it to the truth. Do not edit it.",
        "",
        f"{len(rows)} rows: {counts['software']} for software, {counts['people']} for people, {counts['by']} for which",
        f"other rows stand. Not carried out or not proved: {len(open_) or 'none'}.",
    ]
    if open_:
        lines += ["", "## Not yet", "", "| row | lacks |", "|---|---|"]
        lines += [f"| {rule} | {what} |" for rule, what in open_.items()]
    for prefix, title in TITLES.items():
        lines += ["", f"## {title}", "", "| row | requirement | carried out in | proved by |", "|---|---|---|---|"]
        lines += [_line(row, where, tests) for row in rows if row.id.partition("-")[0] == prefix]
    return "\n".join(lines) + "\n"


def _line(row: Row, where: Mapping[str, list[str]], tests: Mapping[str, list[str]]) -> str:
    text = row.text.replace("|", "\\|")
    if row.kind == "people":
        return f"| {row.id} | {text} | *people*: {row.note} | – |"
    if row.kind == "by":
        return f"| {row.id} | {text} | {' '.join(row.stands_for)} | {_some(tests.get(row.id, []))} |"
    return f"| {row.id} | {text} | {_some(where.get(row.id, []))} | {_some(tests.get(row.id, []))} |"


def _some(found: Sequence[str]) -> str:
    shown = [f"`{name.removeprefix('tests/')}`" for name in found[:SHOWN]]
    more = [f"+{len(found) - SHOWN}"] if len(found) > SHOWN else []
    return "<br>".join([*shown, *more]) or "–"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(ROOT))
