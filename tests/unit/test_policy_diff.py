"""``policy diff``: two policies compared by meaning, matched by code, slug and path."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway import plain_yaml
from gateway.cli_policy import app
from gateway.policy.diff import Change, diff
from gateway.policy.loader import DATA
from gateway.policy.model import Jurisdiction
from tests.builders import book, huzhou

RUN = CliRunner()


def altered(change: Callable[[dict[str, Any]], object]) -> Jurisdiction:
    """Huzhou's file with one change."""
    plain = plain_yaml.read((DATA / "huzhou.yaml").read_text(encoding="utf-8"))
    change(plain)
    return Jurisdiction.model_validate(plain)


def item(plain: dict[str, Any], slug: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in plain["items"] if item["slug"] == slug)
    return found


def of(changes: list[Change]) -> list[tuple[str, str, str, str]]:
    return [(change.section, change.key, change.field, change.kind) for change in changes]


@pytest.mark.parametrize("policy", book().jurisdictions, ids=lambda policy: policy.code)
def test_a_policy_does_not_differ_from_itself(policy: Jurisdiction) -> None:
    assert diff(policy, policy) == []
    assert diff(policy, policy, wording=False) == []


def test_the_order_of_a_file_is_no_difference() -> None:
    def turn(plain: dict[str, Any]) -> None:
        for key in ("items", "situations", "form", "channels", "eligibility"):
            plain[key].reverse()

    assert diff(huzhou(), altered(turn)) == []


HUKOU = "hukou-deregistration"
PROMISE = {"code": "X", "name": "承诺", "name_en": "promise", "source": "HZ-101", "text": None}


@pytest.mark.parametrize(
    "change, expected",
    [
        (lambda p: item(p, HUKOU).update(trigger="TICK"), ("items", HUKOU, "trigger", "CHANGED")),
        (lambda p: item(p, HUKOU).update(handler="PULL"), ("items", HUKOU, "handler", "CHANGED")),
        (lambda p: item(p, HUKOU).update(department="health"), ("items", HUKOU, "department", "CHANGED")),
        (lambda p: p["channels"].pop(), ("intake", None, "", "REMOVED")),
        (lambda p: p["situations"].pop(), ("situations", None, "", "REMOVED")),
        (lambda p: p.update(effect_base="PROCESSED_DATE"), ("after", "", "", "CHANGED")),
        (
            lambda p: p["supervision"]["remind_before"].update(amount=1),
            ("after", "supervision", "remind_before", "CHANGED"),
        ),
        (
            lambda p: p.update(commitments=[*p.get("commitments", []), PROMISE]),
            ("commitments", "X", "", "ADDED"),
        ),
    ],
)
def test_one_change_is_one_difference(
    change: Callable[[dict[str, Any]], object], expected: tuple[str, str | None, str, str]
) -> None:
    (found,) = of(diff(huzhou(), altered(change)))
    section, key, field, kind = expected
    assert (found[0], found[2], found[3]) == (section, field, kind)
    assert key is None or found[1] == key or found[1].endswith(key)


def test_a_period_that_is_set_is_shown_in_one_line_against_nothing() -> None:
    (found,) = diff(huzhou(), altered(lambda p: p["supervision"]["escalate_after"].update(amount=2, unit="HOURS")))
    assert (found.left, found.right, found.right_ids) == (None, "2 HOURS", ("HZ-903",))


def test_gates_and_clocks_are_matched_by_what_they_are() -> None:
    def change(plain: dict[str, Any]) -> None:
        found = item(plain, "retirement-pension-stop")
        found["clocks"] = [{**clock, "limit": 99} for clock in found["clocks"]]
        found["requires"] = [*found.get("requires", []), {"item": HUKOU, "source": "HZ-999"}]

    changes = {found.field: found for found in diff(huzhou(), altered(change))}
    limit = changes["clocks.PROCESSING.limit"]
    assert (limit.right, limit.left_ids) == ("99", limit.right_ids) and limit.left_ids
    gate = changes[f"requires.item {HUKOU}"]
    assert (gate.kind, gate.right_ids) == ("ADDED", ("HZ-999",))
    assert len(changes) == 2


def test_two_versions_are_compared_to_the_last_word_two_places_are_not() -> None:
    other = altered(lambda plain: item(plain, HUKOU).update(quote="另一句", source="HZ-998"))
    assert {change.field for change in diff(huzhou(), other)} == {"quote", "source"}
    assert diff(huzhou(), other, wording=False) == []


@pytest.mark.rule("WZ-701", "WZ-102")
def test_two_governments_differ_by_their_rules_with_the_rows_of_both() -> None:
    by_code = {policy.code: policy for policy in book().jurisdictions}
    changes = diff(by_code["hz"], by_code["wz"])
    payee = next(
        change
        for change in changes
        if (change.key, change.field) == ("pension-funeral-bereavement-claim", "payout.payee")
    )
    assert payee.right == "NAMED_PAYEE" and payee.right_ids == ("WZ-701",) and payee.left_ids[0].startswith("HZ-")
    registered = next(change for change in changes if change.section == "eligibility" and change.kind == "REMOVED")
    assert registered.key == "deceased.hukouArea", "registration is no condition in the other"
    assert not any(change.field in ("name", "source", "quote") for change in changes)


def test_a_difference_turned_round_is_the_same_difference() -> None:
    by_code = {policy.code: policy for policy in book().jurisdictions}
    there, back = diff(by_code["hz"], by_code["wz"]), diff(by_code["wz"], by_code["hz"])
    turned = {"ADDED": "REMOVED", "REMOVED": "ADDED", "CHANGED": "CHANGED"}
    assert {(c.section, c.key, c.field, turned[c.kind], c.right, c.left) for c in back} == {
        (c.section, c.key, c.field, c.kind, c.left, c.right) for c in there
    }


def test_the_command_says_by_its_exit_code_whether_they_differ(tmp_path: Path) -> None:
    assert RUN.invoke(app, ["diff", "hz", "hz"]).exit_code == 0
    done = RUN.invoke(app, ["diff", "hz", "wz"], env={"COLUMNS": "250"})
    assert done.exit_code == 1 and "NOT STATED" in done.output and "WZ-701" in done.output
    draft = tmp_path / "draft.yaml"
    text = (DATA / "huzhou.yaml").read_text(encoding="utf-8")
    draft.write_text(text.replace('"2019-10-15"', '"draft"', 1), encoding="utf-8")
    found = json.loads(RUN.invoke(app, ["diff", f"hz@{huzhou().version}", str(draft), "--json"]).output)
    assert [(change["section"], change["key"]) for change in found["changes"]] == [("head", "version")]
    assert found["right"] == "hz@draft"
