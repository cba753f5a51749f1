"""What the pages say is there: settings with their defaults, links, folders; and no file is too long."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import Settings
from gateway.upload_settings import UploadSettings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/decisions/*.md")])
ELSEWHERE = {"departments", "credentials", "tuning", "uploads"}
"""Not one setting each: `SHENHOU_<CODE>_…`, `SHENHOU_UPLOAD_…`."""


def rows() -> dict[str, list[list[str]]]:
    """Cells of the rows in tables of settings, by the name of the variable."""
    found: dict[str, list[list[str]]] = {}
    for page in ("operate", "limits", "doctor"):
        for line in (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8").splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            named = cells[-1] if page == "limits" else cells[0]
            if not line.startswith("|") or not named.startswith("`SHENHOU_"):
                continue
            first, *others = re.findall(r"`([A-Z_]+)`", named) or [""]
            for name in (first, *(first.rpartition("_")[0] + other for other in others)):
                found.setdefault(name, []).append(cells)
    return found


def settings() -> dict[str, Any]:
    """Name of the variable and its default; None where the default is no number."""
    found = {f.name: f.default for f in dataclasses.fields(Settings) if f.name not in ELSEWHERE}
    for f in dataclasses.fields(UploadSettings):
        found[f.name if f.name.startswith("scanner") else f"upload_{f.name}"] = f.default
    number = {name: value for name, value in found.items() if type(value) in (int, float)}
    return {f"SHENHOU_{name.upper()}": number.get(name) for name in found}


def test_every_setting_stands_in_one_table() -> None:
    counted = {name: len(found) for name, found in rows().items()}
    assert {name: counted.get(name, 0) for name in settings() if counted.get(name) != 1} == {}
    of_one_code = {name for name in counted if name.startswith(("SHENHOU_UPLOAD", "SHENHOU_SCANNER"))}
    assert of_one_code <= set(settings())


@pytest.mark.parametrize("name", [name for name, default in settings().items() if default is not None])
def test_the_default_is_the_one_that_holds(name: str) -> None:
    default, text = settings()[name], " ".join(rows()[name][0]).replace("256 KiB", "262144")
    numbers = {float(number.replace(" ", "")) for number in re.findall(r"\d+(?: \d{3})*(?:\.\d+)?", text)}
    assert float(default) in numbers, f"{name} is {default}"


def anchors(text: str) -> set[str]:
    heads = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", head) for head in re.findall(r"^#+ (.*)$", text, re.M)]
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text, broken = page.read_text(encoding="utf-8"), []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if link.startswith("http"):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []


def test_every_part_of_the_gateway_has_a_line_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition("## The room of every line")[2].partition("\n## ")[0]
    named = re.findall(r"`([\w/*.<>]+)`", table)
    parts = [path for path in (ROOT / "gateway").iterdir() if not path.name.startswith("__")]
    missing = [
        str(path.relative_to(ROOT))
        for path in parts
        if path.suffix in ("", ".py") and not any(path.relative_to(ROOT).match(name.rstrip("/")) for name in named)
    ]
    assert missing == []
    assert [name for name in named if name.startswith("gateway/") and not list(ROOT.glob(name.rstrip("/")))] == []


def test_no_file_is_longer_than_400_lines() -> None:
    ours = ("adapters", "benchmarks", "gateway", "mocks", "schema", "tests", "tools")
    files = [file for folder in ours for file in (ROOT / folder).rglob("*.py")]
    lengths = {str(file.relative_to(ROOT)): len(file.read_bytes().splitlines()) for file in files}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
