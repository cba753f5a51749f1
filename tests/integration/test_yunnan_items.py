"""云南省: who is admitted and on which way, every item of the catalogue, what is paid, and rules kept as data."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway import plain_yaml
from gateway.access import rights
from gateway.domain.deadlines import DeadlineState
from gateway.domain.department import Outcome, PaymentState
from gateway.domain.form import DeathForm, DeceasedForm
from gateway.domain.messages import Refused
from gateway.policy.book import PolicyBook
from gateway.policy.loader import DATA, load
from gateway.policy.model import Rollout
from gateway.services import joint_submission, opening
from gateway.services.write_back import AckOutcome
from gateway.store.cases import Actor
from gateway.store.session import Database
from tests.builders import World, book, codes, moment, payment
from tests.yunnan import (
    CLERK,
    CODING,
    CREMATED,
    DEPOSIT,
    ELEVEN,
    EQUITY,
    FUND,
    HELPER,
    HUKOU,
    LICENCE,
    LUMP_SUM,
    MEDICAL,
    MEDICAL_END,
    NORMAL,
    PENSION_END,
    RETURN,
    SEVEN,
    SON,
    SURVIVORS,
    WILL,
    answer,
    application,
    as_heir,
    connected,
    medical,
    policy,
    seen_by,
    sent,
    share,
    sums,
    yn_form,
    yn_situations,
)


@pytest.fixture
def yunnan(database: Database) -> World:
    return connected(database)


# ── who is admitted, where and how ──────────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-101", "YN-104", "C-01", "C-02", "C-03")
@pytest.mark.parametrize("hukou", ["530402", "110105", None])
@pytest.mark.parametrize("died", ["530402", "440103", None])
def test_no_place_shuts_anybody_out(yunnan: World, hukou: str | None, died: str | None) -> None:
    form = yn_form(death=DeathForm(moment("2025-11-03 04:20"), died))
    case = yunnan.submit(replace(form, deceased=replace(form.deceased, hukou_area=hukou)), actor=SON)
    assert case.area == ("530402" if "530402" in (hukou, died) else "530000"), "handled where it belongs, or anywhere"
    assert policy().eligibility == []


@pytest.mark.rule("YN-201", "YN-202", "YN-203", "YN-204", "YN-207", "C-29")
@pytest.mark.parametrize("channel", ["WEB", "APP", "WECHAT", "ALIPAY", "WINDOW", "REMOTE_ASSISTED"])
@pytest.mark.parametrize("actor", [SON, CLERK, HELPER])
def test_every_way_in_is_the_same_pipeline(yunnan: World, channel: str, actor: Actor) -> None:
    case = yunnan.submit(yn_form(channel=channel), actor=actor)
    assert (case.channel, case.opened_by) == (channel, actor.role)
    assert set(sent(yunnan)) == {CODING, *SEVEN}
    with yunnan.acting() as ctx:
        family = joint_submission.person_index(ctx, "530402198102149338")
    assert seen_by(yunnan, subject=family) is not None, "the family sees it online, whoever filed it"


@pytest.mark.rule("YN-201", "C-29")
@pytest.mark.parametrize("channel", ["HOTLINE", "AGENT", "STAFF_APP"])
def test_other_ways_are_not_offered(yunnan: World, channel: str) -> None:
    with pytest.raises(Refused) as found:
        yunnan.submit(yn_form(channel=channel), actor=SON)
    assert codes(found.value) == ["CHANNEL_NOT_OFFERED"]


@pytest.mark.rule("YN-204", "C-10")
def test_no_certificate_opens_a_case_for_a_family_that_did_not_apply(yunnan: World) -> None:
    form = yn_form()
    with pytest.raises(Refused) as found, yunnan.acting(Actor("department-system", "卫健", "health", "h")) as ctx:
        opening.open_by_certificate(ctx, "health", "yn", "INSIDE", form.deceased, form.death, medical(), "o-1")
    assert codes(found.value) == ["OPENER_NOT_ALLOWED"]
    share(yunnan, "health", medical())
    assert yunnan.count() == 0, "what is shared waits for the application"


@pytest.mark.rule("YN-202", "C-24")
@pytest.mark.parametrize("area", ["530402", "530402001", "530402001004", "530400", "530000", "533423"])
def test_windows_of_every_level_handle_cases(yunnan: World, area: str) -> None:
    case = yunnan.submit(yn_form(channel="WINDOW", area=area), actor=CLERK)
    assert case.area == area
    assert seen_by(yunnan, "window-clerk", area) is not None
    assert seen_by(yunnan, "window-clerk", "530000") is not None
    assert seen_by(yunnan, "window-clerk", "530100") is None, "another prefecture"


@pytest.mark.rule("YN-202")
def test_all_prefectures_and_counties_are_there() -> None:
    levels = [area.level for area in policy().areas]
    assert [levels.count(level) for level in ("PROVINCE", "PREFECTURE", "COUNTY")] == [1, 16, 129]
    known = {area.code: area for area in policy().areas}
    assert all(area.parent in known for area in policy().areas if area.level != "PROVINCE")
    assert (known["530400"].name, known["530402"].name, known["530402"].parent) == ("玉溪市", "红塔区", "530400")


@pytest.mark.rule("YN-105")
@pytest.mark.parametrize("on, admitted", [("2025-08-15", False), ("2025-08-31", False), ("2025-09-01", True)])
def test_the_service_is_on_in_the_whole_province_since_september(yunnan: World, on: str, admitted: bool) -> None:
    yunnan.at(f"{on} 09:00")
    form = yn_form(death=DeathForm(moment("2025-08-14 04:20"), "530402"))
    if admitted:
        assert yunnan.submit(form, actor=SON).status == "IN_PROGRESS"
        return
    with pytest.raises(Refused) as found:
        yunnan.submit(form, actor=SON)
    (problem,) = found.value.problems
    assert (problem.reason.code, problem.reason.ids) == ("NOT_ROLLED_OUT", ("YN-105",))
    assert "2025-09-01" in problem.reason.zh()
    assert (yunnan.count(), yunnan.queued) == (0, [])


def version(changes: dict[str, Any]) -> PolicyBook:
    others = tuple(found for found in book().jurisdictions if found.code != "yn")
    return PolicyBook((*others, policy().model_copy(update=changes)), book().catalogue, book().calendars)


@pytest.mark.rule("YN-105", "YN-1008")
def test_a_pilot_county_runs_before_the_province_once_it_is_named(database: Database) -> None:
    pilot = [Rollout(area="530402", since=date(2025, 8, 1), source="YN-105"), *policy().rollout]
    world = connected(database, version({"rollout": pilot})).at("2025-08-15 09:00")
    assert world.submit(yn_form(death=DeathForm(moment("2025-08-14 04:20"), "530402")), actor=SON).area == "530402"
    with pytest.raises(Refused) as found:
        other = DeceasedForm("李存英", id_number="530102194807129121", sex="FEMALE", hukou_area="530102")
        world.submit(yn_form(deceased=other, death=DeathForm(moment("2025-08-14 04:20"), "530102")), actor=SON)
    assert codes(found.value) == ["NOT_ROLLED_OUT"]
    assert "五华区" in found.value.problems[0].reason.zh()


# ── items ───────────────────────────────────────────────────────────────────────────────────────────────

ROWS = dict(zip(ELEVEN, (f"YN-{number}" for number in range(604, 615)), strict=True))
OWNERS = {
    HUKOU: "public-security",
    LICENCE: "public-security",
    WILL: "judicial",
    PENSION_END: "social-security",
    LUMP_SUM: "social-security",
    SURVIVORS: "social-security",
    FUND: "housing-fund",
    EQUITY: "market-regulation",
    MEDICAL_END: "medical-insurance",
    MEDICAL: "medical-insurance",
    DEPOSIT: "bank",
}


@pytest.mark.parametrize(
    "slug", [pytest.param(slug, marks=pytest.mark.rule(row, "YN-822")) for slug, row in ROWS.items()]
)
def test_each_item_goes_to_its_department_and_comes_back(yunnan: World, slug: str) -> None:
    yunnan.submit(as_heir(yn_form(slug)), actor=SON)
    assert sent(yunnan) == [CODING, slug]
    told = application(yunnan, slug)
    definition = policy().item(slug)
    assert definition is not None and definition.source == ROWS[slug]
    assert (told.department, told.item_name) == (OWNERS[slug], definition.name)
    assert answer(yunnan, slug, "a", Outcome.ACCEPTED).outcome is AckOutcome.APPLIED
    assert answer(yunnan, slug, "b", details={"answer": "已办"}).outcome is AckOutcome.APPLIED
    assert yunnan.status(slug) == "COMPLETED"


@pytest.mark.rule("YN-1004", "YN-821", "YN-822")
def test_nine_departments_are_connected() -> None:
    named = {item.department for item in policy().items if item.department and item.service is None}
    assert named == {*OWNERS.values(), "health", "civil-affairs"}, "the bank stands for 金融监管, which guides it"
    assert len(named) == 9


@pytest.mark.rule("YN-504", "YN-501")
def test_no_item_waits_for_another(yunnan: World) -> None:
    yunnan.submit(as_heir(yn_form(*ELEVEN)), actor=SON)
    assert {yunnan.item(slug).pushed_at for slug in ELEVEN} == {moment("2025-11-06 09:30")}
    assert [item.slug for item in policy().items if item.requires] == [CODING, RETURN]


@pytest.mark.rule("YN-104", "YN-605", "YN-607", "YN-608", "YN-609", "YN-610", "YN-612", "YN-613", "C-17", "C-21")
def test_the_condition_stands_at_the_item(yunnan: World) -> None:
    form = yn_form(*SEVEN, LUMP_SUM)
    yunnan.submit(replace(form, situations=yn_situations("MEDICAL_INSURED")), actor=SON)
    found = {slug: yunnan.status(slug) for slug in (*SEVEN, LUMP_SUM)}
    ruled_out = {slug for slug, status in found.items() if status == "NOT_APPLICABLE"}
    assert ruled_out == {LICENCE, PENSION_END, LUMP_SUM, SURVIVORS, FUND, MEDICAL}
    assert set(sent(yunnan)) == {CODING, HUKOU, MEDICAL_END}


@pytest.mark.rule("YN-104", "YN-302")
def test_what_was_not_declared_is_verified_by_the_department(yunnan: World) -> None:
    yunnan.submit(yn_form(*SEVEN, situations={}), actor=SON)
    assert set(sent(yunnan)) == {CODING, *SEVEN}
    assert yunnan.item(LICENCE).applicability == "DEPARTMENT_VERIFIES"


@pytest.mark.rule("C-19", "YN-613")
def test_the_settlement_of_the_medical_account_has_the_words_of_the_document() -> None:
    definition = policy().item(MEDICAL)
    assert definition is not None and definition.name == "参保人员职工基本医疗保险个人账户余额一次性支取"


# ── money and time ──────────────────────────────────────────────────────────────────────────────────────

PAYING = {
    LUMP_SUM: "ACCOUNT_LUMP_SUM",
    SURVIVORS: "SURVIVOR_BENEFIT",
    FUND: "HOUSING_FUND_BALANCE",
    MEDICAL: "MEDICAL_ACCOUNT_BALANCE",
}


@pytest.mark.rule("YN-608", "YN-609", "YN-610", "YN-613", "PD-20", "S-10", "C-14")
@pytest.mark.parametrize("slug", PAYING)
def test_money_whose_payee_is_not_stated_is_held(yunnan: World, slug: str) -> None:
    yunnan.submit(yn_form(slug), actor=SON)
    answer(yunnan, slug, payments=sums(PAYING[slug], 1203400))
    payout = yunnan.payout(f"{slug}:1")
    assert (payout.status, payout.fen, payout.hold and payout.hold.code) == (
        "HELD",
        1203400,
        "PAYEE_RULE_NOT_CONFIGURED",
    )
    assert (payout.hold and payout.hold.ids) == (ROWS[slug], "PD-20")
    assert sent(yunnan, "instruct") == []


@pytest.mark.rule("YN-701", "YN-614", "C-14", "C-15")
def test_a_small_deposit_is_paid_by_the_bank_to_the_heir(yunnan: World) -> None:
    yunnan.submit(as_heir(yn_form(DEPOSIT)), actor=SON)
    answer(yunnan, DEPOSIT, payments=sums("DEPOSIT", 4860000))
    payout = yunnan.payout(f"{DEPOSIT}:1")
    assert (payout.status, payout.account, sent(yunnan, "instruct")) == ("APPROVED", None, [])
    paid = payment("1", "DEPOSIT", 4860000, PaymentState.PAID, on=moment("2025-11-12 10:00"))
    yunnan.at("2025-11-12 10:00").report("bank", DEPOSIT, "paid", payments=(paid,))
    assert yunnan.payout(f"{DEPOSIT}:1").status == "PAID"


@pytest.mark.rule("YN-604", "YN-605", "YN-607", "YN-612", "YN-702")
@pytest.mark.parametrize("slug", [HUKOU, LICENCE, PENSION_END, MEDICAL_END, WILL, EQUITY])
def test_what_pays_nothing_takes_no_payment(yunnan: World, slug: str) -> None:
    yunnan.submit(as_heir(yn_form(slug)), actor=SON)
    ack = answer(yunnan, slug, payments=sums("SURVIVOR_BENEFIT", 100))
    assert (ack.reason and ack.reason.code, yunnan.case().payouts) == ("PAYOUT_NOT_ALLOWED", {})


@pytest.mark.rule("YN-901", "C-20")
def test_a_limit_without_a_number_has_no_due_date_and_says_so(yunnan: World) -> None:
    yunnan.submit(as_heir(yn_form(*ELEVEN)), actor=SON)
    for slug in ELEVEN:
        found = yunnan.at("2030-01-01 09:00").deadline(slug)
        assert (found.state, found.due_at, found.limit.quote) == (DeadlineState.NO_LIMIT, None, "限时办结"), slug
    assert yunnan.supervision("2025-11-01 00:00", "2025-12-01 00:00").overdue == ()


# ── maintained as data ──────────────────────────────────────────────────────────────────────────────────

ADDED = {
    "slug": "social-security-card-cancellation",
    "source": "YN-509",
    "clause": "§一",
    "quote": "逐步拓展个人身后“一件事”服务事项",
    "name": "社会保障卡注销",
    "name_en": "cancellation of the social-security card",
    "basis": "（试验用）社会保障卡管理办法",
    "level": "PREFECTURE",
    "review_points": ["卡号与逝者一致"],
    "department": "social-security",
    "kind": "DEREG",
    "trigger": "TICK",
    "phase": "AFTERCARE",
    "requires": [{"item": HUKOU, "source": "YN-504"}],
    "sends": ["card.number"],
}


@pytest.fixture
def widened(tmp_path: Path) -> PolicyBook:
    """The same file in a later version, with one item and one field more, and a gate that was configured."""
    plain = plain_yaml.read((DATA / "yunnan.yaml").read_text(encoding="utf-8"))
    plain |= {"version": "2026-01-01", "effective_from": "2026-01-01"}
    plain["items"].append(ADDED)
    field = {"path": "card.number", "label": "社会保障卡号", "label_en": "card number", "group": "PERSONAL"}
    plain["form"].append({**field, "type": "TEXT", "hint": "卡面左下角"})
    path = tmp_path / "yunnan-2026.yaml"
    path.write_text(json.dumps(plain, default=str), encoding="utf-8")
    return load(more=(path,))


@pytest.mark.rule("YN-104", "YN-304", "YN-404", "YN-504", "YN-509", "YN-801", "YN-824", "YN-825", "YN-1007", "PD-19")
def test_an_item_is_added_by_data_alone(database: Database, widened: PolicyBook) -> None:
    slug = str(ADDED["slug"])
    world = connected(database, widened)
    with pytest.raises(Refused) as found:
        world.submit(yn_form(HUKOU, slug), actor=SON)
    assert "ITEM_UNKNOWN" in codes(found.value), "it is not in force yet"
    form = yn_form(HUKOU, slug)
    world.at("2026-01-05 09:30").submit(replace(form, answers={**form.answers, "card.number": "D53"}), actor=SON)
    assert world.case().policy_version == "2026-01-01"
    assert (world.status(slug), slug in sent(world)) == ("BLOCKED", False), "the gate that was configured is closed"
    answer(world, HUKOU)
    assert slug in sent(world)
    told = application(world, slug)
    assert (told.department, dict(told.details)) == ("social-security", {"card.number": "D53"})
    definition = widened.version("yn", "2026-01-01").item(slug)
    assert definition is not None
    assert (definition.basis, definition.level) == ("（试验用）社会保障卡管理办法", "PREFECTURE")
    assert definition.review_points == ["卡号与逝者一致"]


@pytest.mark.rule("YN-104", "YN-404", "YN-801")
def test_what_the_plan_does_not_say_is_null() -> None:
    for item in policy().items:
        assert (item.basis, item.level, item.review_points) == (None, None, None), item.slug
        assert item.name and item.quote and item.clause, item.slug


@pytest.mark.rule("YN-208", "YN-502", "YN-503", "YN-206", "YN-1007")
@pytest.mark.parametrize("flow", ["OUTSIDE", "INSIDE", "ABNORMAL"])
def test_the_guide_is_one_source_for_every_terminal(flow: str) -> None:
    steps = [step for step in policy().steps if step.flow in (None, flow)]
    assert [step.source for step in steps[-9:]] == [
        *("YN-302", "YN-502", "YN-1001", "YN-302", "YN-502", "YN-503", "YN-502", "YN-1001", "YN-901"),
    ]
    assert steps[0].source == {"ABNORMAL": "YN-506"}.get(flow, "YN-505")
    assert all(word in "".join(step.name for step in steps) for word in ("咨询", "接件", "受理", "告知", "结果送达"))


@pytest.mark.rule("YN-206", "YN-1006")
def test_the_window_advises_takes_in_and_hands_over(yunnan: World) -> None:
    may = set(rights.load().roles["window-clerk"].may)
    assert may >= {"checkSubmission", "submitCase", "case", "answerCorrection"}
    with yunnan.acting(CLERK) as ctx:
        advice = joint_submission.check(ctx, yn_form(channel="WINDOW"))
    assert advice.problems == () and yunnan.count() == 0
    case = yunnan.submit(yn_form(channel="WINDOW"), actor=CLERK)
    assert set(case.items) == {verdict.slug for verdict in advice.verdicts}, "what was told is what is done"
    assert {NORMAL, CREMATED} < set(case.items)
