"""The registry: departments and sources of shared data are found by folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.kit.registry import manifests, sources
from gateway import settings
from gateway.policy import loader

DEPARTMENT = """code: forestry
interface: letters
submits: [tree-felling]
answers: poll
timeout_s: 1
read_timeout_s: 1
poll_s: 1
concurrency: 1
demo_address: "http://127.0.0.1:{port}"
"""
SOURCE = """code: parish-register
kind: source
interface: a book
timeout_s: 1
read_timeout_s: 1
poll_s: 1
demo_address: "http://127.0.0.1:{port}"
"""


def folder(root: Path, **manifests_: str) -> Path:
    for name, text in manifests_.items():
        (root / name).mkdir()
        (root / name / "manifest.yaml").write_text(text, encoding="utf-8")
    return root


def test_a_folder_is_a_department_unless_it_says_source(tmp_path: Path) -> None:
    root = folder(tmp_path, forestry=DEPARTMENT, parish=SOURCE)
    assert set(manifests(root)) == {"forestry"}
    assert set(sources(root)) == {"parish-register"}
    [source] = sources(root).values()
    assert (source.submits, source.answers, source.takes_instructions) == ((), "poll", False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (DEPARTMENT.replace("submits: [tree-felling]\n", ""), "submits"),
        (DEPARTMENT + "kind: oracle\n", "oracle"),
        (DEPARTMENT.replace("poll\n", "shout\n"), "shout"),
        (SOURCE.replace("poll_s: 1\n", ""), "poll_s"),
        ("- a list\n", "manifest"),
    ],
)
def test_a_bad_manifest_is_named(tmp_path: Path, text: str, says: str) -> None:
    root = folder(tmp_path, bad=text)
    with pytest.raises(ValueError, match=r"bad/manifest\.yaml") as caught:
        manifests(root)
    assert says in str(caught.value)


def test_a_code_belongs_to_one_folder(tmp_path: Path) -> None:
    root = folder(tmp_path, forestry=DEPARTMENT, other=SOURCE.replace("parish-register", "forestry"))
    with pytest.raises(ValueError, match="declared twice"):
        manifests(root)


def test_every_department_and_source_has_a_name_for_people() -> None:
    words = {word.code for word in loader.load().catalogue.departments}
    assert {*manifests(), *sources()} <= words


def test_settings_take_the_variables_of_sources(tmp_path: Path) -> None:
    [code, *_] = sources()
    variable = sources()[code].address_variable
    environment = {"SHENHOU_DATA_DIR": str(tmp_path), variable: "http://127.0.0.1:1", f"{variable[:-3]}SECRET": "s"}
    read = settings.read(environment, (*manifests(), *sources()))
    assert read.departments[code] == "http://127.0.0.1:1"
    assert read.credentials[code] == {"secret": "s"}
    with pytest.raises(settings.BadSetting, match=variable):
        settings.read(environment, tuple(manifests()))
