"""A policy in words: every condition of every file is said in both languages, without a code left in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from gateway.policy import served, words
from gateway.policy.model import Condition, Jurisdiction
from tests.builders import book

FILES = [pytest.param(policy, id=f"{policy.code}-{policy.version}") for policy in book().jurisdictions]
CODE = re.compile(r"[a-z]+\.[a-zA-Z]+|[A-Z]{2,}(_[A-Z]+)*|\b\d{6}\b")
"""A path, a code or an area code: nothing a person should have to read."""


def conditions(policy: Jurisdiction) -> Iterator[Condition]:
    for field in policy.form:
        yield from filter(None, (field.required_when, field.required_unless, field.shown_when))
    for rule in policy.eligibility:
        yield rule.condition
    for item in policy.items:
        gates = (gate.when for gate in item.requires)
        clocks = (clock.when for clock in item.clocks)
        yield from filter(None, (item.applies_when, *gates, *clocks, *(kind.when for kind in item.business_types)))
    yield from filter(None, (material.required_when for material in policy.materials))
    yield from filter(None, (notice.when for notice in policy.notices))
    yield from filter(None, (paper.when for paper in policy.certificates_on_form))


def by_code(code: str) -> Jurisdiction:
    return next(policy for policy in book().jurisdictions if policy.code == code)


@pytest.mark.parametrize("policy", FILES)
def test_every_condition_is_said_in_both_languages(policy: Jurisdiction) -> None:
    for condition in conditions(policy):
        said = words.condition(book(), policy, condition)
        assert said.zh and said.en
        assert not CODE.search(said.zh), said.zh
        assert "situation." not in said.en and ".chosen" not in said.en


@pytest.mark.parametrize("policy", FILES)
def test_every_option_has_a_name(policy: Jurisdiction) -> None:
    for field in policy.form:
        for code, name in served.options(book(), policy, field):
            assert name.zh != code, (field.path, code)


@pytest.mark.parametrize("policy", FILES)
def test_every_gate_and_limit_is_said(policy: Jurisdiction) -> None:
    for item in policy.items:
        for gate in item.requires:
            assert not CODE.search(words.gate(book(), policy, gate).zh)
        for clock in item.clocks:
            said = words.limit(clock)
            assert ("未规定时限" in said.zh) is (clock.limit is None)


def said(policy: Jurisdiction, **condition: object) -> str:
    return words.condition(book(), policy, Condition.model_validate(condition)).zh


def test_conditions_read_as_sentences() -> None:
    wz, hz = by_code("wz"), by_code("hz")
    assert said(wz, fact="body.atFuneralHome", equals=False) == "“是否已运达殡仪馆”为否"
    assert said(wz, fact="death.flow", among=["OUTSIDE", "ABNORMAL"]) == (
        "死亡情形为“在家中、养老机构、其他场所未经救治正常死亡”或“非正常死亡”"
    )
    assert said(hz, fact="deceased.hukouArea", within=["330502"]) == "“户籍所在地”在吴兴区"
    assert said(hz, fact="deceased.idKind", equals="UNKNOWN") == "逝者身份不明"
    assert said(hz, fact="situation.DIBAO", equals=False) == "申报不属于“领取低保”"
    assert said(wz, fact="item.hukou-deregistration.chosen", equals=True) == "勾选“亡故人户口注销”"
    assert said(wz, fact="shared.DEATH_MEDICAL", equals=True) == "平台已有《居民死亡医学证明（推断）书》"


def test_labels_that_stand_twice_say_whose_they_are() -> None:
    wz = by_code("wz")
    assert said(wz, fact="payee.idNumber", known=True) == "已填写“丧葬抚恤金领取人：身份证号码”"
    assert said(wz, fact="deceased.name", known=False) == "未填写“亡故人姓名”"


def test_parts_are_joined_and_nested_parts_bracketed() -> None:
    hz = by_code("hz")
    dibao, tekun = ({"fact": f"situation.{code}", "equals": True} for code in ("DIBAO", "TEKUN"))
    known = {"fact": "situation.DIBAO", "known": True}
    assert said(hz, any=[dibao, tekun]) == "领取低保，或特困供养人员"
    assert said(hz, **{"not": {"any": [dibao, tekun]}}) == "并非（领取低保，或特困供养人员）"
    assert said(hz, all=[known, dibao]) == "领取低保", "that it must be declared goes without saying"


@pytest.mark.rule("PD-20")
def test_a_payee_that_is_not_stated_has_no_words() -> None:
    rules = {item.slug: item.payout for item in by_code("hz").items if item.payout is not None}
    claim = rules["pension-funeral-bereavement-claim"]
    assert claim.payee is None and words.payee(claim) is None


@pytest.mark.rule("C-14", "WZ-701")
def test_accounts_that_may_be_given_name_the_usual_one() -> None:
    choices = {choice.kind: choice for choice in served.account_choices(by_code("wz"))}
    assert [kind for kind, choice in choices.items() if choice.default] == ["PAYEE"]
    assert choices["PAYEE"].items == ("pension-funeral-bereavement-claim",)
    assert choices["PAYEE"].sources == ("WZ-701",)


@pytest.mark.rule("X-08", "WZ-333")
def test_a_box_that_is_switched_off_is_told_as_such() -> None:
    boxes = {box.item.slug: box for box in served.tick_boxes(by_code("wz"))}
    assert not boxes["housing-fund-death-withdrawal"].item.enabled
    assert boxes["hukou-deregistration"].name.zh == "亡故人户口注销" and not boxes["hukou-deregistration"].pushed_anyway
