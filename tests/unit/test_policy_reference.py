"""``docs/policy.md``: every key is explained, and the tutorial's own file works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli_policy import app
from gateway.docs_policy import SMALLEST, TUTORIAL, meaning, models, policy
from gateway.policy.model import Strict

RUN = CliRunner()


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_key_has_a_meaning(model: type[Strict]) -> None:
    assert [name for name in model.model_fields if not meaning(model, name)] == []
    assert model.__doc__


def test_every_link_of_the_reference_leads_somewhere() -> None:
    page = policy()
    anchors = {found.lower() for found in re.findall(r"^### (\w+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\(#(\w+)\)", page)) <= anchors


@pytest.mark.rule("PD-19")
def test_the_smallest_file_of_the_tutorial_works_in_every_command(tmp_path: Path) -> None:
    following = re.search(r"```yaml\n(  - slug: pension-stop.*?)```", TUTORIAL, re.DOTALL)
    assert following is not None and f"```yaml\n{SMALLEST}```" in TUTORIAL
    file = tmp_path / "taoyuan.yaml"
    for text in (SMALLEST, SMALLEST + following[1]):
        file.write_text(text, encoding="utf-8")
        checked = RUN.invoke(app, ["check", str(file), "--nulls"])
        assert checked.exit_code == 0, checked.output
        assert RUN.invoke(app, ["graph", str(file)]).exit_code == 0
        assert RUN.invoke(app, ["diff", "hz", str(file)]).exit_code == 1
    assert "ADMITTED: yes" in RUN.invoke(app, ["explain", str(file), "--hukou", "990300"]).output
    refused = RUN.invoke(app, ["explain", str(file), "--hukou", "110101"]).output
    assert "ADMITTED: no" in refused and "TK-101" in refused
