"""``policy explain``: the outcome for one deceased, step by step, with the rows; and the commands around it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gateway.cli_policy import app
from gateway.domain.form import Form
from gateway.policy import decide
from gateway.policy.book import holds, trace
from gateway.policy.explain import Explanation, ItemShown, explain, mask
from gateway.policy.loader import DATA
from gateway.policy.model import Condition
from gateway.services.joint_submission import clean
from schema.plain import NotAForm, form
from tests import wenzhou
from tests.builders import CARD, SHEN_FUGEN, book, huzhou, hz_account, hz_form, moment
from tests.wenzhou import wz_form

NOW = moment("2019-11-19 09:00")
RUN = CliRunner()

CASE = """\
flow: OUTSIDE
channel: WEB
deceased: {name: 陈阿宝, idNumber: 330302194504049371, hukouArea: 330302}
death: {occurredAt: 2019-11-18T17:00:00+08:00, area: 330302}
account: {number: 6230520850000456786}
situations: {CIVIL_SERVANT: true, INSURED: true}
items: [pension-funeral-bereavement-claim]
answers: {body.atFuneralHome: false}
"""


def explained(filed: Form) -> Explanation:
    policy = book().in_force(filed.jurisdiction, NOW.date())
    assert policy is not None
    return explain(book(), policy, clean(filed, policy), NOW)


def item(found: Explanation, slug: str) -> ItemShown:
    return next(shown for shown in found.items if shown.slug == slug)


def conditions() -> st.SearchStrategy[dict[str, Any]]:
    leaves = st.sampled_from(
        [{"fact": "yes", "equals": True}, {"fact": "no", "equals": True}, {"fact": "unknown", "equals": True}]
    )
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts})
            | st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts})
            | inner.map(lambda part: {"not": part})
        ),
        max_leaves=8,
    )


@given(conditions())
def test_the_traced_value_is_the_decided_one_at_every_part(plain: dict[str, Any]) -> None:
    facts = {"yes": True, "no": False}.get
    condition = Condition.model_validate(plain)
    found = trace(condition, facts)
    assert found is not None and found.value is holds(condition, facts)
    parts = [found]
    for part in parts:
        assert part.value is holds(part.condition, facts)
        parts += part.parts


@pytest.mark.rule("WZ-101")
def test_an_admitted_deceased_is_told_by_which_value() -> None:
    found = explained(wz_form())
    assert found.admitted and found.accepted
    rule = found.rules[0]
    assert (rule.ids, rule.value, rule.condition.given) == (("WZ-101",), True, "330302")


@pytest.mark.rule("HZ-101")
def test_a_refused_deceased_sees_every_rule_with_its_value() -> None:
    found = explained(hz_form(deceased=replace(hz_form().deceased, hukou_area="310101")))
    assert not found.admitted and not found.accepted
    assert {rule.value for rule in found.rules} == {True, False}
    assert [problem.code for problem in found.problems] == ["NOT_ELIGIBLE"]


def test_what_is_not_known_refuses_nobody() -> None:
    found = explained(hz_form(deceased=replace(hz_form().deceased, hukou_area=None)))
    assert None in [rule.value for rule in found.rules]
    assert found.admitted and not found.accepted, "the field itself is required"


@pytest.mark.parametrize("filed", [hz_form(), wz_form()])
def test_every_item_of_the_catalogue_is_judged_as_the_gateway_judges_it(filed: Form) -> None:
    found = explained(filed)
    policy = book().in_force(filed.jurisdiction, NOW.date())
    assert policy is not None
    verdicts = {verdict.slug: verdict for verdict in decide.verdicts(policy, filed, filed.flow)}
    assert [shown.slug for shown in found.items] == [defined.slug for defined in policy.items]
    for shown in found.items:
        verdict = verdicts.get(shown.slug)
        assert (shown.why.code if shown.why else None) == (verdict.reason.code.value if verdict else None)


@pytest.mark.rule("HZ-513")
def test_the_order_is_that_of_the_gates() -> None:
    found = explained(hz_form())
    turns = [turn.items for turn in found.course]
    assert "death-cert-normal" in turns[0]
    assert turns[1:3] == [("funeral-service",), ("cremation-cert",)]
    assert {"hukou-deregistration", "medical-benefit-stop"} <= set(turns[3]), "all at once after the cremation"
    gates = item(found, "hukou-deregistration").waits
    assert [gate.state for gate in gates] and all(gate.ids for gate in gates)


@pytest.mark.rule("WZ-503", "WZ-506", "WZ-509")
def test_a_gate_of_another_kind_of_death_is_no_gate() -> None:
    states = {gate.ids: gate.state for gate in item(explained(wz_form()), wenzhou.CREMATION).waits}
    assert states == {("WZ-503",): "OPEN", ("WZ-506",): "NO_GATE", ("WZ-509",): "NO_GATE"}


@pytest.mark.rule("WZ-104")
def test_the_original_procedure_is_told_with_the_fact_that_decided() -> None:
    shown = item(explained(wz_form(situations=wenzhou.situations("CIVIL_SERVANT"))), wenzhou.PENSION)
    assert not shown.in_case and shown.why is not None and shown.why.code == "ORIGINAL_PROCEDURE"
    assert "WZ-104" in shown.why.ids
    assert shown.condition is not None and shown.condition.value is False


@pytest.mark.rule("WZ-514", "PD-20")
def test_what_is_not_stated_is_said_to_be_so() -> None:
    shown = item(explained(wz_form()), wenzhou.MEDICAL)
    assert [clock.limit for clock in shown.clocks] == [None]
    assert shown.money is not None and shown.money.payee is None
    assert shown.money.held is not None and shown.money.held.code == "PAYEE_RULE_NOT_CONFIGURED"


@pytest.mark.rule("WZ-513", "WZ-703")
def test_money_waits_for_the_settlement_and_then_goes_to_the_payee() -> None:
    money = item(explained(wz_form()), wenzhou.PENSION).money
    assert money is not None and money.waits is not None and money.waits.code == "WAITS_FOR_SETTLEMENT"
    assert money.held is None and money.account == f"PAYEE {mask(wenzhou.CARD)}"
    assert money.deducted is not None and "WZ-703" in money.deducted


def test_a_certificate_nobody_issues_comes_from_outside() -> None:
    found = explained(hz_form("BANK_ACCOUNTS"))
    late = item(found, "bank-asset-disposal")
    assert late.turn is not None and found.course[late.turn - 1].outside


def test_no_whole_number_of_anybody_is_told() -> None:
    plain = json.dumps(explained(hz_form(account=hz_account())).plain(), ensure_ascii=False, default=str)
    assert SHEN_FUGEN not in plain and CARD not in plain and mask(SHEN_FUGEN) in plain
    assert mask("1234567") == "*******"


# ── a form from a file ──────────────────────────────────────────────────────────────────────────────────


def test_a_form_has_the_shape_of_the_mutation() -> None:
    plain = {
        "jurisdiction": "hz",
        "flow": "OUTSIDE",
        "channel": "APP",
        "deceased": {"hukouArea": "330502"},
        "death": {},
    }
    read = form({**plain, "situations": {"A": True}, "answers": {"x.y": False}})
    assert (read.deceased.hukou_area, dict(read.situations), dict(read.answers)) == (
        "330502",
        {"A": True},
        {"x.y": "false"},
    )


def test_every_mistake_in_a_form_is_told_with_its_path_and_without_its_value() -> None:
    with pytest.raises(NotAForm) as caught:
        form({"flow": "NEVER", "channel": "APP", "deceased": {"idnumber": SHEN_FUGEN}, "death": {"occurredAt": "x"}})
    text = str(caught.value)
    assert SHEN_FUGEN not in text
    assert all(path in text for path in ("flow", "deceased", "death.occurredAt", "jurisdiction"))


# ── the commands ────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_reads_a_case_and_masks_it(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text(CASE, encoding="utf-8")
    done = RUN.invoke(app, ["explain", "wz", "--case", str(tmp_path / "case.yaml"), "--at", NOW.isoformat()])
    assert done.exit_code == 0, done.output
    assert "ORIGINAL_PROCEDURE" in done.output and "WZ-104" in done.output
    assert "330302194504049371" not in done.output and "6230520850000456786" not in done.output


def test_the_command_needs_no_file() -> None:
    options = ["--hukou", "310101", "--death-area", "330502", "--situation", "HOUSING_FUND=true", "--json"]
    done = RUN.invoke(app, ["explain", "hz", *options])
    found = json.loads(done.output)
    assert done.exit_code == 0 and found["admitted"] is False
    assert [rule["value"] for rule in found["rules"]].count(False) == 1


def test_options_alone_are_about_somebody_whose_identity_is_known() -> None:
    known, unknown = (
        json.loads(RUN.invoke(app, ["explain", "hz", "--json", *more]).output) for more in ([], ["--unidentified"])
    )
    turns = {shown["slug"]: shown["turn"] for shown in known["items"]}
    assert turns["hukou-deregistration"] is not None
    codes = [gate["said"]["code"] for shown in unknown["items"] for gate in shown["waits"] if gate["said"]]
    assert "WAITS_FOR_IDENTITY" in codes


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "nowhere"],
        ["explain", "hz", "--flow", "NEVER"],
        ["explain", "hz", "--situation", "HOUSING_FUND"],
        ["explain", "hz", "--case", "/no/such/file"],
        ["diff", "hz@0", "hz"],
        ["graph", "no-such-file.yaml"],
    ],
)
def test_a_wrong_argument_is_told_and_nothing_else(arguments: list[str]) -> None:
    done = RUN.invoke(app, arguments)
    assert done.exit_code == 2 and done.output.strip() and "Traceback" not in done.output


def test_check_counts_and_lists_what_is_not_stated() -> None:
    done = RUN.invoke(app, ["check", "--nulls"])
    assert done.exit_code == 0
    for policy in book().jurisdictions:
        assert f"{policy.code} {policy.name} {policy.version}: {len(policy.items)} items" in done.output
    assert "items.medical-account-settlement.payout.payee [WZ-604]" in done.output
    assert "supervision.remind_before.amount" in done.output


def test_items_and_schema_are_printed() -> None:
    assert "hukou-deregistration" in RUN.invoke(app, ["items", "hz"]).output
    printed = json.loads(RUN.invoke(app, ["schema"]).output)
    assert set(printed["required"]) <= set(printed["properties"]) and "items" in printed["properties"]


def test_an_explanation_of_a_file_needs_no_deployment(tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    source = (DATA / "huzhou.yaml").read_text(encoding="utf-8")
    source = source.replace("remind_before: {amount: null", "remind_before: {amount: 1")
    draft.write_text(source.replace(f'version: "{huzhou().version}"', 'version: "draft"'), encoding="utf-8")
    done = RUN.invoke(app, ["explain", str(draft)])
    assert done.exit_code == 0 and "hz@draft" in done.output
    assert "remind_before: 1 WORKING_DAYS" in done.output and "escalate_after: NOT STATED" in done.output
