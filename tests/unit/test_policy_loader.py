"""Policy files: a good one loads beside the others, and every kind of mistake is told with file and line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from gateway.policy.book import PolicyBook
from gateway.policy.loader import DATA, PolicyMistake, load
from tests.builders import book

TOY = """\
code: toy
name: 玩具县
name_en: Toy County
version: "1"
effective_from: 2024-01-01
document: {title: 试点, issuer: 玩具县, number: null, seed: none}
area: "990100"
time_zone: Asia/Shanghai
case_number: TOY{date}{serial:03d}
duty_contact: 值守
duty_contact_en: duty
areas:
  - {code: "990100", name: 玩具县, level: COUNTY}
channels:
  - {code: WINDOW, name: 窗口, name_en: window, source: TY-201}
flows:
  - code: OUTSIDE
    name: 正常死亡
    name_en: normal death
    source: TY-502
    reporters: [family]
eligibility:
  - source: TY-101
    condition: {fact: deceased.hukouArea, within: ["990100"]}
    name: 本县户籍
    name_en: local household registration
    fact_label: deceased.hukouArea
form_groups:
  - {code: IDENTITY, name: 基本信息, name_en: identity, source: TY-301}
form:
  - {path: deceased.name, label: 姓名, label_en: name, group: IDENTITY, type: TEXT, required: true}
  - {path: deceased.hukouArea, label: 户籍, label_en: hukou, group: IDENTITY, type: AREA, required: true}
situations:
  - {code: PENSIONER, name: 领取养老金, name_en: pensioner, source: TY-601}
items:
  - slug: cremation-cert
    source: TY-605
    clause: "§1"
    quote: 火化
    name: 火化证明
    name_en: cremation certificate
    department: civil-affairs
    kind: CERT
    trigger: EVENT
    phase: CREMATION
    issues: [CREMATION]
  - slug: pension-stop
    source: TY-608
    clause: "§2"
    quote: 停发
    name: 停发养老金
    name_en: stop of pension
    department: social-security
    kind: STOP
    trigger: AUTO
    phase: AFTERCARE
    applies_when: {fact: situation.PENSIONER, equals: true}
    condition_name: 领取养老金
    condition_name_en: pensioner
    requires: [{certificate: [CREMATION], source: TY-514}]
    clocks:
      - {clock: PROCESSING, limit: 7, source: TY-608}
    payout: {kinds: [FUNERAL_GRANT], payee: null, source: TY-702}
"""

Extra = Callable[[str], Path]


@pytest.fixture
def extra(tmp_path: Path) -> Extra:
    def write(content: str) -> Path:
        path = tmp_path / "toy.yaml"
        path.write_text(content, encoding="utf-8")
        return path

    return write


def mistakes(path: Path) -> list[str]:
    """Of one file beside the shared words alone: the delivered policies are left out, which is faster."""
    data = path.parent / "data"
    (data / "calendar").mkdir(parents=True)
    (data / "catalogue").symlink_to(DATA / "catalogue")
    with pytest.raises(PolicyMistake) as found:
        load(data, (path,))
    return found.value.lines


@pytest.mark.rule("PD-19", "C-01", "C-20")
def test_a_further_jurisdiction_is_one_file(extra: Extra) -> None:
    found = load(more=(extra(TOY),))
    toy = found.in_force("toy", date(2025, 11, 7))
    assert toy is not None and toy.name == "玩具县"
    assert toy.item("pension-stop") is not None
    assert {policy.code for policy in found.current(date(2025, 11, 7))} >= {"hz", "toy"}


@pytest.mark.rule("PD-19")
@pytest.mark.parametrize(
    "right, wrong, further, says",
    [
        ("code: toy", "colour: red\ncode: toy", 0, "colour"),
        ("    kind: STOP", "    kind: HALT", 0, "kind"),
        ("issues: [CREMATION]", "issues: [CREMATION, TEA]", 0, "no certificate TEA"),
        ("certificate: [CREMATION]", "certificate: [TEA]", 0, "no certificate TEA"),
        ("department: social-security", "department: tea-house", 0, "no department tea-house"),
        ("kinds: [FUNERAL_GRANT]", "kinds: [TEA_MONEY]", 0, "no kind of payment TEA_MONEY"),
        ("slug: pension-stop", "slug: cremation-cert", 0, "item given twice: cremation-cert"),
        ("{certificate: [CREMATION], source", "{item: tea, source", 0, "requires tea"),
        ("{certificate: [CREMATION], source", "{item: pension-stop, source", 0, "circle"),
        ("{certificate: [CREMATION], source", "{source", 0, "exactly one of: certificate, item, report"),
        ("PENSIONER, equals: true", "PENSIONER, equals: true, known: true", 0, "exactly one of: equals"),
        ("{fact: situation.PENSIONER, equals: true}", "{equals: true}", 0, "exactly one of: all, any, not, fact"),
        ("{fact: situation.PENSIONER", "{fact: situation.PENSIONR", 0, "no fact situation.PENSIONR"),
        ("{fact: deceased.hukouArea,", "{fact: deceased.hukouarea,", 0, "no fact deceased.hukouarea"),
        ("limit: 7", "limit: -7", 0, "greater than 0"),
        ("limit: 7", "limit: seven", 0, "limit"),
        ("source: TY-608\n    clause", "source: §6\n    clause", 0, "source"),
        ("    condition_name: 领取养老金\n", "", -11, "applies_when needs condition_name"),
        ('within: ["990100"]', 'within: ["99010"]', 0, "within"),
        ("group: IDENTITY, type: AREA", "group: ASHES, type: AREA", 0, "no group ASHES"),
        ("effective_from: 2024-01-01", "effective_from: soon", 0, "effective_from"),
        ("  - {code: PENSIONER", "  - {code: PENSIONER\n  - {code: PENSIONER", 1, "not YAML"),
        ("code: toy", "code: toy\ncode: boy", 1, "not YAML"),
        ("code: toy", "", 0, "code"),
    ],
)
def test_a_mistake_names_file_and_line(extra: Extra, right: str, wrong: str, further: int, says: str) -> None:
    """``further``: how many lines below the changed place the mistake shows."""
    line = TOY[: TOY.index(right)].count("\n") + 1 + further
    path = extra(TOY.replace(right, wrong, 1))
    found = mistakes(path)
    assert any(entry.startswith(f"{path}:{line}: ") and says in entry for entry in found), found


@pytest.mark.rule("PD-19")
def test_a_circle_over_two_items_is_drawn(extra: Extra) -> None:
    circle = TOY.replace("    issues: [CREMATION]", "    requires: [{item: pension-stop, source: TY-514}]").replace(
        "{certificate: [CREMATION]", "{item: cremation-cert"
    )
    (found,) = mistakes(extra(circle))
    assert "cremation-cert → pension-stop → cremation-cert" in found


@pytest.mark.rule("PD-19")
def test_all_mistakes_of_all_files_are_told_at_once(extra: Extra, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("code: 1\n", encoding="utf-8")
    path = extra(TOY.replace("kind: STOP", "kind: HALT").replace("limit: 7", "limit: 0"))
    with pytest.raises(PolicyMistake) as found:
        load(more=(path, other))
    text = str(found.value)
    assert re.search(r"toy\.yaml:\d+: items\.1\.kind: ", text)
    assert re.search(r"toy\.yaml:\d+: items\.1\.clocks\.0\.limit: ", text)
    assert "other.yaml:1: " in text


@pytest.mark.rule("PD-19")
@pytest.mark.parametrize("content", ["", "- a\n- b\n", "just words"])
def test_a_file_that_is_no_policy_is_a_mistake(extra: Extra, content: str) -> None:
    path = extra(content)
    assert mistakes(path)[0].startswith(f"{path}:1: ")


@pytest.mark.rule("PD-19")
def test_a_file_in_another_encoding_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    path.write_bytes(TOY.encode("gb18030"))
    assert mistakes(path) == [f"{path}:2: not UTF-8"]


@pytest.mark.rule("PD-19")
def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path / "nowhere.yaml")[0].startswith(f"{tmp_path}/nowhere.yaml:1: ")


@pytest.mark.rule("PD-19")
def test_one_version_in_two_files_is_a_mistake(extra: Extra, tmp_path: Path) -> None:
    twin = tmp_path / "twin.yaml"
    twin.write_text(TOY, encoding="utf-8")
    with pytest.raises(PolicyMistake) as found:
        load(more=(extra(TOY), twin))
    assert found.value.lines == [f"{twin}:4: version: toy 1 is given twice"]


@pytest.mark.rule("PD-01")
def test_a_mistake_in_the_shared_words_and_in_a_calendar(tmp_path: Path) -> None:
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "calendar").mkdir()
    words = (DATA / "catalogue" / "words.yaml").read_text(encoding="utf-8")
    wrong = words.replace("name: 公安, name_en: public security", "name: 公安", 1)
    (tmp_path / "catalogue" / "words.yaml").write_text(wrong, encoding="utf-8")
    year = "year: 2027\nstatus: guessed\nsource: nobody\ndays_off: {}\nmake_up_days: {}\n"
    (tmp_path / "calendar" / "2027.yaml").write_text(year, encoding="utf-8")
    with pytest.raises(PolicyMistake) as found:
        load(tmp_path)
    text = str(found.value)
    assert re.search(r"words\.yaml:3: departments\.0\.name_en: ", text)
    assert re.search(r"2027\.yaml:2: status: ", text)


def two_versions(extra: Extra) -> PolicyBook:
    later = TOY.replace('version: "1"', 'version: "2"').replace("2024-01-01", "2026-01-01")
    later_file = extra(TOY).with_name("later.yaml")
    later_file.write_text(later, encoding="utf-8")
    return load(more=(extra(TOY), later_file))


@pytest.mark.rule("PD-19")
@pytest.mark.parametrize(
    "on, version",
    [
        (date(2023, 12, 31), None),
        (date(2024, 1, 1), "1"),
        (date(2025, 12, 31), "1"),
        (date(2026, 1, 1), "2"),
        (date(2030, 1, 1), "2"),
    ],
)
def test_the_version_in_force_follows_the_date(extra: Extra, on: date, version: str | None) -> None:
    found = two_versions(extra).in_force("toy", on)
    assert (found.version if found else None) == version


@pytest.mark.rule("PD-19")
def test_an_ended_version_is_not_in_force_but_still_at_hand(extra: Extra) -> None:
    ended = load(more=(extra(TOY.replace("2024-01-01", "2024-01-01\neffective_to: 2025-06-30")),))
    assert ended.in_force("toy", date(2025, 6, 30)) is not None
    assert ended.in_force("toy", date(2025, 7, 1)) is None
    assert ended.version("toy", "1").code == "toy"


@pytest.mark.rule("PD-18", "HZ-606")
def test_the_delivered_policies_are_in_force() -> None:
    found = book().in_force("hz", date(2025, 11, 7))
    assert found is not None and len(found.items) == 28
    assert found.document.number == "DB3305/T113—2019"
