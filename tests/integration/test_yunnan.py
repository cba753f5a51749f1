"""云南省 (AS-08, AS-09): one form, a case code of the province, the result on every terminal; enquiries never pay."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from gateway.domain.department import Outcome
from gateway.domain.messages import Refused
from gateway.services import case_care, joint_submission
from gateway.services.write_back import AckOutcome
from gateway.store.session import Database
from tests.builders import World, codes, moment
from tests.yunnan import (
    ABNORMAL,
    CASE_CODE,
    CODING,
    CREMATED,
    DEPOSIT,
    EQUITY,
    HUB,
    HUKOU,
    MEDICAL,
    NORMAL,
    PLATFORM,
    RETURN,
    SEVEN,
    SON,
    TREATED,
    WILL,
    add,
    answer,
    answer_all,
    application,
    as_heir,
    code,
    connected,
    library,
    policy,
    pushed,
    seen_by,
    sent,
    share,
    sums,
    systems,
    until_closed,
    yn_form,
)
from tests.yunnan import cremation as cremation_certificate
from tests.yunnan import medical as medical_certificate


@pytest.fixture
def yunnan(database: Database) -> World:
    return connected(database)


@pytest.fixture
def filed(yunnan: World) -> World:
    """Both certificates were issued in the system; the son has applied."""
    share(yunnan.at("2025-11-03 05:05"), "health", medical_certificate())
    share(yunnan.at("2025-11-05 10:10"), "civil-affairs", cremation_certificate())
    yunnan.at("2025-11-06 09:30").submit(yn_form(), actor=SON, looks=library())
    return yunnan


# ── AS-08: one form ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("AS-08", "YN-301", "YN-302", "YN-303", "YN-501", "C-21")
def test_one_submission_becomes_seven_applications(filed: World) -> None:
    case = filed.case()
    assert (case.number, case.area, case.channel) == ("YN2025110600001", "530402", "WECHAT")
    assert pushed(filed) == [{CODING, *SEVEN}], "all at one moment; no item is a gate of another"
    assert set(sent(filed)) == {CODING, *SEVEN} and len(sent(filed)) == 8, "once each"
    assert set(case.items) == {*SEVEN, CODING, RETURN, NORMAL, ABNORMAL, TREATED, CREMATED}
    assert WILL not in case.items, "what was not chosen is not in the case"


@pytest.mark.rule("AS-08", "YN-1003", "YN-1004", "C-22")
def test_departments_are_reached_through_one_hub_and_the_platform_directly(filed: World) -> None:
    assert systems(filed) == {**dict.fromkeys(SEVEN, HUB), CODING: PLATFORM}
    departments = {slug: application(filed, slug).department for slug in SEVEN}
    assert departments == {slug: item.department for slug in SEVEN if (item := policy().item(slug))}


@pytest.mark.rule("AS-08", "YN-302")
def test_each_application_holds_the_fields_of_its_item_only(yunnan: World) -> None:
    form = as_heir(yn_form(*SEVEN, EQUITY, DEPOSIT))
    form = replace(form, death=replace(form.death, cause="脑出血"))
    yunnan.submit(replace(form, answers={**form.answers, "deposit.bank": "玉溪农信社"}), actor=SON, looks=library())
    for slug in SEVEN:
        told = application(yunnan, slug)
        assert (dict(told.details), told.account, told.business_types) == ({}, None, ()), slug
        assert [found.type for found in told.certificates] == ["DEATH_MEDICAL"], slug
        assert "脑出血" not in str(asdict(told)) and "玉溪农信社" not in str(asdict(told)), slug
    assert dict(application(yunnan, EQUITY).details) == {"applicant.capacity": "HEIR"}
    bank = application(yunnan, DEPOSIT)
    assert dict(bank.details) == {"applicant.capacity": "HEIR", "deposit.bank": "玉溪农信社"}


@pytest.mark.rule("AS-08", "YN-402", "YN-403", "YN-401")
def test_identity_and_certificates_are_verified_and_nothing_is_asked_for(filed: World) -> None:
    verified = {(found.person, found.source, found.outcome) for found in filed.case().verifications}
    assert verified == {(person, "e-certificate-library", "MATCH") for person in ("deceased", "applicant")}
    assert {found.type: found.number for found in filed.case().certificates} == {
        "DEATH_MEDICAL": medical_certificate().number,
        "CREMATION": cremation_certificate().number,
    }
    assert {slug: (filed.status(slug), filed.item(slug).found) for slug in (NORMAL, CREMATED)} == {
        NORMAL: ("COMPLETED", True),
        CREMATED: ("COMPLETED", True),
    }
    assert policy().materials == [] and filed.case().form is not None and filed.case().form.materials == ()


@pytest.mark.rule("AS-08", "YN-1001", "YN-204")
def test_only_who_was_authenticated_as_the_applicant_has_the_case(filed: World) -> None:
    with filed.acting() as ctx:
        authenticated = joint_submission.person_index(ctx, "530402198102149338")
    assert authenticated in filed.case().family
    assert seen_by(filed) is not None and seen_by(filed, subject=authenticated) is not None
    assert seen_by(filed, subject="person-stranger") is None


# ── AS-08: code, result, rating ─────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("AS-08", "YN-1001", "PD-17", "S-11")
def test_the_case_carries_the_code_of_the_province(filed: World) -> None:
    assert code(filed).outcome is AckOutcome.APPLIED
    assert dict(filed.item(CODING).details) == {"caseCode": CASE_CODE}
    again = code(filed, "5300002025110600000099")
    assert (again.outcome, again.reason and again.reason.code) == (AckOutcome.REFUSED, "CONFLICT")
    assert filed.item(CODING).details["caseCode"] == CASE_CODE


@pytest.mark.rule("AS-08", "YN-1001", "YN-503")
def test_the_result_is_returned_once_under_that_code_after_the_last_item(filed: World) -> None:
    code(filed)
    answer_all(filed, SEVEN[:-1])
    assert (filed.status(RETURN), RETURN in sent(filed)) == ("BLOCKED", False), "one item has not answered"
    answer(filed, SEVEN[-1])
    assert sent(filed).count(RETURN) == 1 and systems(filed)[RETURN] == PLATFORM
    told = application(filed, RETURN).details
    assert told["caseCode"] == CASE_CODE
    for slug in SEVEN:
        definition = policy().item(slug)
        assert definition is not None and f"{definition.name}：COMPLETED" in told["summary"]
    assert "杨桂芳" not in told["summary"]
    assert answer(filed, RETURN).outcome is AckOutcome.APPLIED
    assert (filed.case().status, sent(filed).count(RETURN)) == ("CLOSED", 1)
    assert filed.faults() == []


def result(world: World) -> dict[str, Any]:
    """What the family sees of its case, without the number and the way it came in."""
    seen = seen_by(world)
    assert seen is not None and seen.form is not None
    return asdict(replace(seen, number="", channel="", form=replace(seen.form, channel="")))


@pytest.mark.rule("AS-08", "YN-1002", "YN-201", "YN-203", "C-32")
@pytest.mark.parametrize("channel", [channel.code for channel in policy().channels if channel.code != "WECHAT"])
def test_the_result_is_the_same_on_every_terminal(database: Database, channel: str) -> None:
    first = until_closed(connected(database))
    told = result(first)
    other = connected(database)
    other.submit(yn_form(channel=channel), actor=SON, looks=library())
    code(other.at("2025-11-06 09:31"))
    answer_all(other.at("2025-11-10 16:00"))
    answer(other.at("2025-11-10 16:01"), RETURN)
    assert other.number != first.number and other.case().channel == channel
    assert {slug: item["status"] for slug, item in result(other)["items"].items()} == {
        slug: item["status"] for slug, item in told["items"].items()
    }
    assert result(other) == told


@pytest.mark.rule("AS-08", "YN-901", "PD-17", "S-12")
def test_the_family_rates_the_closed_case_and_the_rating_stays_with_it(yunnan: World) -> None:
    yunnan.at("2025-11-06 09:30").submit(yn_form(), actor=SON, looks=library())
    with pytest.raises(Refused) as early, yunnan.acting(SON) as ctx:
        case_care.rate(ctx, yunnan.number, "SATISFIED")
    assert codes(early.value) == ["ACTION_NOT_POSSIBLE"], "the departments have not answered yet"
    code(yunnan.at("2025-11-06 09:31"))
    answer_all(yunnan.at("2025-11-10 16:00"), yn_form().items)
    assert yunnan.status(RETURN) == "DISPATCHED", "the family need not wait for the platform's receipt"
    with yunnan.acting(SON) as ctx:
        case_care.rate(ctx, yunnan.number, "VERY_SATISFIED", "只跑了一次")
    rating = yunnan.case().rating
    assert rating is not None and (rating.level, rating.comment) == ("VERY_SATISFIED", "只跑了一次")
    seen = seen_by(yunnan)
    assert seen is not None and seen.rating == rating
    with pytest.raises(Refused) as unknown, yunnan.acting(SON) as ctx:
        case_care.rate(ctx, yunnan.number, "FIVE_STARS")
    assert codes(unknown.value) == ["OPTION_UNKNOWN"]
    rule = policy().rating
    assert rule is not None
    assert [level.name for level in rule.levels] == ["非常满意", "满意", "基本满意", "不满意", "非常不满意"]


# ── AS-09: enquiries never pay ──────────────────────────────────────────────────────────────────────────

TESTAMENT = {"answer": "有公证遗嘱"}
COMPANIES = {"answer": "玉溪市红塔区山茶商贸有限公司；云南高原花卉有限公司"}


@pytest.mark.rule("AS-09", "YN-205", "YN-606", "YN-611", "YN-702", "C-15")
def test_the_heir_adds_both_enquiries_and_sees_the_answers(yunnan: World) -> None:
    until_closed(yunnan, as_heir(yn_form()))
    before = len(sent(yunnan))
    case = add(yunnan.at("2025-11-12 10:00"), WILL, EQUITY)
    assert (case.status, set(sent(yunnan)[before:])) == ("IN_PROGRESS", {WILL, EQUITY}), "nothing else is pushed again"
    assert {systems(yunnan)[slug] for slug in (WILL, EQUITY)} == {HUB}
    assert answer(yunnan, WILL, details=TESTAMENT).outcome is AckOutcome.APPLIED
    assert answer(yunnan, EQUITY, details=COMPANIES).outcome is AckOutcome.APPLIED
    seen = seen_by(yunnan)
    assert seen is not None
    assert {slug: dict(seen.items[slug].details) for slug in (WILL, EQUITY)} == {WILL: TESTAMENT, EQUITY: COMPANIES}
    assert (seen.payouts, sent(yunnan, "instruct")) == ({}, [])


@pytest.mark.rule("AS-09", "YN-1001", "YN-1002")
def test_the_changed_result_is_returned_again_under_the_same_key(yunnan: World) -> None:
    until_closed(yunnan, as_heir(yn_form()))
    add(yunnan.at("2025-11-12 10:00"), WILL)
    answer(yunnan.at("2025-11-13 10:00"), WILL, details=TESTAMENT)
    assert (sent(yunnan).count(RETURN), yunnan.case().status) == (2, "CLOSED")
    told = application(yunnan, RETURN)
    assert (told.key, told.correction) == (f"{yunnan.number}.{RETURN}", 1)
    assert "逝者遗嘱公证信息核查：COMPLETED" in told.details["summary"]
    assert "有公证遗嘱" not in told.details["summary"], "what the will says is not the platform's"


@pytest.mark.rule("AS-09", "YN-702", "PD-06")
@pytest.mark.parametrize("slug", [WILL, EQUITY])
def test_a_payment_attached_to_an_enquiry_is_refused(yunnan: World, slug: str) -> None:
    yunnan.submit(as_heir(yn_form(HUKOU, WILL, EQUITY)), actor=SON, looks=library())
    with_money = answer(yunnan, slug, "x-1", details={"answer": "有"}, payments=sums("DEPOSIT", 100000))
    assert (with_money.outcome, with_money.reason and with_money.reason.code) == ("REFUSED", "PAYOUT_NOT_ALLOWED")
    assert (yunnan.case().payouts, yunnan.status(slug)) == ({}, "DISPATCHED"), "nothing of the message is taken"
    assert [event.reason.code for event in yunnan.refused()] == ["PAYOUT_NOT_ALLOWED"]
    assert answer(yunnan, slug, "x-2", details={"answer": "有"}).outcome is AckOutcome.APPLIED
    definition = policy().item(slug)
    assert definition is not None and (definition.kind, definition.payout) == ("ENQ", None)


@pytest.mark.rule("AS-09", "YN-205", "YN-611", "YN-614")
@pytest.mark.parametrize("capacity", [None, "LEGATEE"])
@pytest.mark.parametrize("slug", [EQUITY, DEPOSIT])
def test_who_is_not_declared_an_heir_is_refused_and_the_rest_proceeds(
    yunnan: World, slug: str, capacity: str | None
) -> None:
    yunnan.submit(as_heir(yn_form(HUKOU, WILL, slug), capacity), actor=SON, looks=library())
    item = yunnan.item(slug)
    assert (item.status, item.pushed_at, "YN-205" in item.reason.ids) == ("REFUSED", None, True)
    assert "继承人" in item.reason.zh()
    assert set(sent(yunnan)) == {CODING, HUKOU, WILL}
    late = answer(yunnan, slug, details=COMPANIES)
    assert late.outcome is AckOutcome.REFUSED, "what was refused takes no result"
    code(yunnan)
    share(yunnan, "health", medical_certificate())
    share(yunnan, "civil-affairs", cremation_certificate())
    answer_all(yunnan, (HUKOU, WILL))
    definition = policy().item(slug)
    assert definition is not None and f"{definition.name}：REFUSED" in application(yunnan, RETURN).details["summary"]


@pytest.mark.rule("AS-09", "YN-205")
def test_an_enquiry_added_by_who_is_no_heir_is_refused_and_the_case_goes_on(filed: World) -> None:
    before = len(sent(filed))
    add(filed, WILL, EQUITY)
    assert sent(filed)[before:] == [WILL]
    assert (filed.status(EQUITY), filed.item(EQUITY).reason.code) == ("REFUSED", "CONDITION_NOT_MET")
    assert filed.status(MEDICAL) == "DISPATCHED"


@pytest.mark.rule("AS-09", "YN-205")
def test_an_heir_who_forgot_to_say_so_says_so_when_the_enquiry_is_added(filed: World) -> None:
    add(filed, EQUITY, applicant__capacity="HEIR")
    assert filed.status(EQUITY) == "DISPATCHED"
    assert answer(filed, EQUITY, details=COMPANIES, outcome=Outcome.COMPLETED).outcome is AckOutcome.APPLIED
    assert filed.item(EQUITY).finished_at == moment("2025-11-06 09:30")
