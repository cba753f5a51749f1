"""The form as data (issue 3): one query draws it, fills it in, and tells errors by path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, print_ast

from gateway.console.routes import FOLDER
from tests.acceptance.stage import Stage
from tests.builders import book

CODES = sorted({policy.code for policy in book().jurisdictions})
DECEASED_ID, APPLICANT_ID = "330502194102030011", "330502196804050024"
CHECK = "query($i: SubmitCaseInput!) { checkSubmission(input: $i) { userErrors { code path } } }"


def whole_form() -> str:
    """The published example itself: what it draws is what is tested."""
    document = parse(Path(FOLDER / "examples.graphql").read_text(encoding="utf-8"))
    found = next(one for one in document.definitions if one.name.value == "WholeForm")  # type: ignore[union-attr]
    return print_ast(found)


def served(stage: Stage, code: str) -> dict[str, Any]:
    return stage.ask(stage.token("window-clerk", area="000000"), whole_form(), code=code)["jurisdiction"]


class Filled:
    """A form filled in completely from what was served; ``without`` a field."""

    def __init__(self, form: dict[str, Any], flow: str, yes: bool, first: bool, account: str | None) -> None:
        self.form, self.flow, self.yes, self.first, self.account = form, flow, yes, first, account
        self.fields = [field for group in form["formGroups"] for field in group["fields"]]
        self.values: dict[str, str | None] = {field["path"]: self.value(field) for field in self.fields}
        for rule in form["eligibility"]:
            self.satisfy(rule["condition"]["expression"])

    def satisfy(self, rule: dict[str, Any]) -> None:
        """Chooses otherwise where the first choice would not be eligible."""
        for field in self.fields:
            if self.holds(rule) is not False:
                return
            choices = [choice["code"] for choice in field["choices"]]
            choices = ["true", "false"] if field["type"] == "BOOLEAN" else choices
            if f'"{field["path"]}"' in json.dumps(rule) and choices:
                for choice in (*choices, None):
                    self.values[field["path"]] = choice
                    if self.holds(rule) is not False:
                        break

    @property
    def eligible(self) -> bool:
        return all(self.holds(rule["condition"]["expression"]) is not False for rule in self.form["eligibility"])

    def value(self, field: dict[str, Any]) -> str:
        path, options = field["path"], [choice["code"] for choice in field["choices"]]
        if path == "account.kind":
            return self.account or options[0]
        if path == "account.holder":
            kind = self.account or next((c["kind"] for c in self.form["accountChoices"] if c["default"]), None)
            return "陆文清" if kind == "DECEASED" else "陆小梅"
        if options and set(options) <= {"DEATH_MEDICAL", "DEATH_ABNORMAL"}:
            return "DEATH_ABNORMAL" if self.flow == "ABNORMAL" else "DEATH_MEDICAL"
        if options:
            return options[0 if self.first else -1]
        return {
            "TEXT": "陆文清" if path == "deceased.name" else "陆小梅",
            "ID_NUMBER": DECEASED_ID if path == "deceased.idNumber" else APPLICANT_ID,
            "PHONE": "13905721234",
            "DATE": "2025-11-06",
            "DATE_TIME": "2025-11-06T08:00:00+08:00",
            "AREA": self.area,
            "BOOLEAN": "true" if self.yes else "false",
            "NUMBER": "84",
            "ACCOUNT_NUMBER": "6222021205001234567",
            "POSITION": "30.8672,120.0933",
        }[field["type"]]

    @property
    def area(self) -> str:
        return str(self.form["areas"][-1]["code"])

    def fact(self, name: str) -> Any:
        head = name.partition(".")[0]
        if head in ("item", "shared", "situation"):
            return head == "item"
        if name in ("death.flow", "identity.known"):
            return self.flow if name == "death.flow" else True
        value = "RESIDENT_ID" if name.endswith(".idKind") else self.values.get(name)
        return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value

    def holds(self, rule: dict[str, Any]) -> bool | None:
        """What the description of the scalar `Condition` says, no more."""
        if "all" in rule:
            parts = [self.holds(part) for part in rule["all"]]
            return False if False in parts else None if None in parts else True
        if "any" in rule:
            parts = [self.holds(part) for part in rule["any"]]
            return True if True in parts else None if None in parts else False
        if "not" in rule:
            inner = self.holds(rule["not"])
            return None if inner is None else not inner
        value = self.fact(rule["fact"])
        if "known" in rule:
            return (value is not None) is rule["known"]
        if value is None:
            return None
        if "within" in rule:
            return any(str(value).startswith(area.rstrip("0")) for area in rule["within"])
        return value in rule["among"] if "among" in rule else bool(value == rule["equals"])

    def needs(self, field: dict[str, Any]) -> bool:
        """Required as docs/clients.md tells it."""
        if field["shownWhen"] and self.holds(field["shownWhen"]["expression"]) is False:
            return False
        if field["requiredWhen"]:
            return self.holds(field["requiredWhen"]["expression"]) is True
        if field["requiredUnless"]:
            return self.holds(field["requiredUnless"]["expression"]) is not True
        return bool(field["required"])

    def input(self, without: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = {
            "jurisdiction": self.form["code"],
            "flow": self.flow,
            "channel": self.form["channels"][0]["code"],
            "area": self.area,
            "deceased": {},
            "death": {},
            "answers": [],
            "items": [box["item"] for box in self.form["tickBoxes"] if box["enabled"]],
            "situations": [{"code": situation["code"], "holds": False} for situation in self.form["situations"]],
            "materials": [{"type": paper["code"], "file": "sha256-1"} for paper in self.form["materials"]],
            "commitments": [promise["code"] for promise in self.form["commitments"] if promise["required"]],
        }
        for field in self.fields:
            path = field["path"]
            if path == without or self.values[path] is None:
                continue
            if field["typed"]:
                group, name = path.split(".")
                found.setdefault(group, {})[name] = self.values[path]
            else:
                found["answers"].append({"path": path, "value": self.values[path]})
        return found


def variants(form: dict[str, Any]) -> Iterator[Filled]:
    """Ways to fill the form in, so that every condition holds in one of them."""
    paths = [field["path"] for group in form["formGroups"] for field in group["fields"]]
    kinds = [choice["kind"] for choice in form["accountChoices"]] if "account.kind" in paths else [None]
    for flow, yes, first, account in product(form["flows"], (True, False), (True, False), kinds):
        filled = Filled(form, flow["flow"], yes, first, account)
        if filled.eligible:
            yield filled


def errors(stage: Stage, input_: dict[str, Any]) -> set[tuple[str, str]]:
    found = stage.ask(stage.token("window-clerk", area="000000"), CHECK, i=input_)["checkSubmission"]["userErrors"]
    return {(error["code"], ".".join(error["path"] or [])) for error in found}


@pytest.mark.rule("PD-11", "YN-901")
@pytest.mark.parametrize("code", CODES)
def test_each_required_field_left_out_comes_back_as_exactly_its_path(shared_stage: Stage, code: str) -> None:
    form = served(shared_stage, code)
    conditional = {
        field["path"]
        for group in form["formGroups"]
        for field in group["fields"]
        if field["required"] or field["requiredWhen"] or field["requiredUnless"]
    }
    proved: set[str] = set()
    for filled in variants(form):
        open_ = [field["path"] for field in filled.fields if filled.needs(field) and field["path"] not in proved]
        if not open_:
            continue
        base = errors(shared_stage, filled.input())
        assert {code for code, _ in base} <= {"CERTIFICATE_REQUIRED_FIRST", "SOURCE_UNAVAILABLE"}, base
        for path in open_:
            told = errors(shared_stage, filled.input(without=path)) - base
            assert ("FIELD_REQUIRED", path) in told and {where for _, where in told} == {path}
            proved.add(path)
    assert proved == conditional, "every field that can be required was"


@pytest.mark.parametrize("code", CODES)
def test_what_is_not_required_may_be_left_out(shared_stage: Stage, code: str) -> None:
    filled = next(variants(served(shared_stage, code)))
    optional = [field["path"] for field in filled.fields if not filled.needs(field)]
    base = errors(shared_stage, filled.input())
    for path in optional:
        told = errors(shared_stage, filled.input(without=path)) - base
        assert ("FIELD_REQUIRED", path) not in told


@pytest.mark.parametrize("code", CODES)
def test_one_query_serves_all_that_the_form_has(shared_stage: Stage, code: str) -> None:
    form = served(shared_stage, code)
    policy = next(
        policy for policy in book().jurisdictions if policy.code == code and policy.version == form["version"]
    )
    paths = [field["path"] for group in form["formGroups"] for field in group["fields"]]
    assert sorted(paths) == sorted(field.path for field in policy.form)
    assert [promise["text"] for promise in form["commitments"]] == [promise.text for promise in policy.commitments]
    assert [step["name"] for step in form["steps"]] == [step.name for step in policy.steps]
    assert [paper["code"] for paper in form["materials"]] == [paper.code for paper in policy.materials]
    assert [item["slug"] for item in form["items"]] == [item.slug for item in policy.items]
    assert [flow["flow"] for flow in form["refusedFlows"]] == [flow.code for flow in policy.refused_flows]
    for refused in form["refusedFlows"]:
        assert refused["name"] in refused["reason"]["message"]
    for item, definition in zip(form["items"], policy.items, strict=True):
        assert [limit["amount"] for limit in item["limits"]] == [clock.limit for clock in definition.clocks]
        if definition.payout is not None:
            assert item["payout"]["payee"] == definition.payout.payee
            assert (item["payout"]["text"] is None) is (definition.payout.payee is None)
