"""What SECURITY.md and the threat model promise is there: tests that are named exist, sealed columns change keys."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import LargeBinary, String

from gateway.store.columns import Blind, Sealed
from gateway.store.tables import metadata

ROOT = Path(__file__).resolve().parents[2]


def test_every_test_of_the_threat_model_exists() -> None:
    page = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) > 20
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).exists() or f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_every_attack_has_a_test_or_says_that_it_has_none() -> None:
    page = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith(("| attack", "|---"))]
    assert [row for row in rows if "tests/" not in row and "**none yet**" not in row] == []


def test_every_column_of_bytes_is_sealed_and_so_written_anew_with_new_keys() -> None:
    bare = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and not isinstance(column.type, Sealed)
    ]
    assert bare == []
    columns = [column for table in metadata.sorted_tables for column in table.columns]
    kinds = [(column.type.kind, column.type.part) for column in columns if isinstance(column.type, Sealed)]
    assert len(kinds) == len(set(kinds)), "two tables with one kind could exchange their rows"


def test_every_column_that_finds_people_is_indexed_anew_with_new_keys() -> None:
    wrong = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if (column.name.endswith("_index") or column.name in {"subject", "submitter", "pseudonym"})
        and isinstance(column.type, String)
        and not isinstance(column.type, Blind)
    ]
    assert wrong == []


def test_every_locked_package_has_its_hashes() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        blocks = re.split(r"\n(?=[a-z])", (ROOT / name).read_text(encoding="utf-8"))
        assert [block.splitlines()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block] == []
