"""岳阳县 (AS-04…07): all parallel after the cremation, the deceased's own account, stops without an application."""

from __future__ import annotations

import pytest

from gateway.domain.department import Outcome
from gateway.domain.form import AccountForm
from gateway.domain.messages import Refused
from gateway.services import case_care, dispatch
from gateway.store.session import Database
from tests.builders import World, codes, moment, payment
from tests.yueyang import (
    CLERK,
    CREMATION,
    FOUR,
    FUND,
    HUKOU,
    IN_SERVICE,
    MEDICAL,
    OWN_CARD,
    PENSION_CARD,
    REASON,
    RESIDENT,
    RETIRED,
    VETERAN,
    apply,
    connected,
    cremation,
    heir_form,
    policy,
    refused,
    sent,
    upload,
    yy_form,
)

DEPARTMENT = {HUKOU: "public-security", RETIRED: "social-security", MEDICAL: "medical-insurance", FUND: "housing-fund"}


@pytest.fixture
def county(database: Database) -> World:
    return connected(database)


def pay(world: World) -> None:
    sums = (payment("1", "ACCOUNT_LUMP_SUM", 1635247), payment("2", "FUNERAL_GRANT", 480000))
    world.report("social-security", RETIRED, "s-1", Outcome.COMPLETED, payments=sums)
    world.report(
        "medical-insurance",
        MEDICAL,
        "m-1",
        Outcome.COMPLETED,
        payments=(payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),),
    )
    world.report(
        "housing-fund", FUND, "f-1", Outcome.COMPLETED, payments=(payment("1", "HOUSING_FUND_BALANCE", 6400000),)
    )


# ── AS-04 ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("AS-04", "YY-403", "YY-404", "YY-504", "YY-506", "YY-507", "YY-1001", "C-07", "C-08")
def test_everything_is_pushed_in_one_instant_on_the_cremation_record_of_the_platform(county: World) -> None:
    upload(county)
    apply(county)
    assert sorted(sent(county)) == sorted((DEPARTMENT[slug], slug) for slug in FOUR)
    assert {county.item(slug).pushed_at for slug in FOUR} == {moment("2021-06-17 09:40")}
    case = county.case()
    assert case.certificate("CREMATION") is not None
    assert case.form is not None and "CREMATION" not in {paper.type for paper in case.form.materials}
    assert county.item(CREMATION).found
    assert IN_SERVICE not in case.items, "YY-603 is absent"


@pytest.mark.rule("YY-508", "YY-509", "YY-511", "YY-512", "YY-1003")
@pytest.mark.parametrize("slug", FOUR)
def test_none_waits_for_another(county: World, slug: str) -> None:
    upload(county)
    apply(county)
    county.report(DEPARTMENT[slug], slug, "x-1", Outcome.COMPLETED)
    assert county.status(slug) == "COMPLETED"
    assert {county.status(other) for other in FOUR if other != slug} == {"DISPATCHED"}


@pytest.mark.rule("AS-04", "YY-701", "YY-702", "YY-704", "YY-705", "YY-513", "C-14")
def test_all_money_goes_to_the_deceaseds_own_account_undivided(county: World) -> None:
    upload(county)
    apply(county)
    pay(county)
    case = county.case()
    told = []
    for payout in case.payouts:
        with county.acting() as ctx:
            found = dispatch.instruction(ctx, county.number, payout)
        assert found is not None
        told.append((found.fen, found.account.holder, found.account.number))
    assert {account[1:] for account in told} == {("李德福", PENSION_CARD)}
    assert sum(fen for fen, *_ in told) == 1635247 + 480000 + 120345 + 6400000
    assert len(told) == 4, "each sum goes out whole: heirs share among themselves"


@pytest.mark.rule("AS-04", "YY-506", "C-09")
def test_without_a_cremation_record_acceptance_stands_and_the_later_upload_releases_all_four(county: World) -> None:
    apply(county)
    assert county.case().status == "IN_PROGRESS"
    assert sent(county) == []
    for slug in FOUR:
        assert county.waits_for(slug) == ["WAITS_FOR_CERTIFICATE"]
    assert {gate.source for gate in item_gates(HUKOU)} == {"YY-506"}
    upload(county, "2021-06-18 10:00")
    assert sorted(slug for _, slug in sent(county)) == sorted(FOUR)
    assert {county.item(slug).pushed_at for slug in FOUR} == {moment("2021-06-18 10:00")}
    assert county.item(CREMATION).status == "COMPLETED"


def item_gates(slug: str) -> list:  # type: ignore[type-arg]
    definition = policy().item(slug)
    assert definition is not None
    return definition.requires


@pytest.mark.rule("YY-504", "YY-822")
def test_the_same_certificate_again_changes_nothing_and_another_number_is_a_conflict(county: World) -> None:
    apply(county)
    assert upload(county).changed
    before = county.case().revision
    assert not upload(county).changed
    with pytest.raises(Refused) as found:
        upload(county, certificate=cremation("YY-HH-9999"))
    assert codes(found.value) == ["CONFLICT"]
    assert county.case().revision == before


@pytest.mark.rule("YY-601", "C-21")
def test_the_registration_is_cancelled_in_every_case_ticked_or_not(county: World) -> None:
    upload(county)
    apply(county, items=(MEDICAL,))
    assert {slug for _, slug in sent(county)} == {HUKOU, MEDICAL}


@pytest.mark.rule("YY-604", "YY-605", "YY-606", "YY-510", "PD-18", "X-03", "C-17")
@pytest.mark.parametrize(
    "situation, slug, department",
    [
        ("CIVIL_IN_SERVICE", "pension-civil-inservice-participation-end", "social-security"),
        ("CIVIL_RETIRED", "pension-civil-retired-payment-stop", "social-security"),
        ("SOCIAL_ASSISTANCE", "social-assistance-cancellation", "social-assistance"),
    ],
)
def test_items_without_a_tick_box_are_pushed_whenever_their_condition_holds(
    county: World, situation: str, slug: str, department: str
) -> None:
    upload(county)
    apply(county, situations={situation: True})
    assert (department, slug) in sent(county)
    assert county.case().items[slug].chosen is False


@pytest.mark.rule("YY-609", "YY-610", "X-03", "PD-18")
@pytest.mark.parametrize("slug", [RESIDENT, VETERAN])
def test_an_item_whose_department_is_not_stated_is_blocked_and_visible_never_sent_to_a_guess(
    county: World, slug: str
) -> None:
    upload(county)
    apply(county, items=(slug,))
    assert county.waits_for(slug) == ["DEPARTMENT_NOT_CONFIGURED"]
    assert {sent_ for _, sent_ in sent(county)} == {HUKOU}
    found = county.supervision("2021-06-01 00:00", "2021-07-01 00:00")
    assert found.not_configured == ((county.number, slug),)


@pytest.mark.rule("YY-513", "YY-902", "C-20")
def test_no_number_of_days_is_stated_so_nothing_is_ever_overdue(county: World) -> None:
    upload(county)
    apply(county)
    county.at("2031-01-01 00:00")
    assert {county.deadline(slug).state.value for slug in FOUR} == {"NO_LIMIT"}
    assert all(clock.limit is None for item in policy().items for clock in item.clocks)


# ── AS-05 ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("AS-05", "YY-320", "YY-703", "X-07")
@pytest.mark.parametrize("reason", [None, "", "  "])
def test_the_heirs_account_needs_the_special_reason(county: World, reason: str | None) -> None:
    error = refused(county, heir_form(reason))
    assert ("account.fallbackReason", ("YY-320",)) in {(p.path, p.reason.ids) for p in error.problems}
    assert set(codes(error)) <= {"ACCOUNT_REASON_MISSING", "FIELD_REQUIRED"}


@pytest.mark.rule("AS-05", "YY-320", "YY-703")
def test_with_the_reason_it_is_accepted_kept_and_all_money_goes_there(county: World) -> None:
    upload(county)
    county.at("2021-06-17 09:40").submit(heir_form(), actor=CLERK)
    pay(county)
    case = county.case()
    assert case.form is not None and case.form.account is not None
    account = case.form.account
    assert (account.kind, account.holder, account.fallback_reason) == ("APPLICANT_HEIR", "李建军", REASON)
    assert {payout.account.number for payout in case.payouts.values() if payout.account} == {OWN_CARD}
    assert len(case.payouts) == 4


@pytest.mark.rule("YY-318", "YY-322", "YY-701")
@pytest.mark.parametrize(
    "account, problem",
    [
        (AccountForm("DECEASED", "李建军", OWN_CARD), ("ACCOUNT_HOLDER_MISMATCH", "account.holder")),
        (
            AccountForm("APPLICANT_HEIR", "李德福", OWN_CARD, fallback_reason="x"),
            ("ACCOUNT_HOLDER_MISMATCH", "account.holder"),
        ),
        (AccountForm("DESIGNATED", "李建军", OWN_CARD), ("OPTION_UNKNOWN", "account.kind")),
        (AccountForm("DECEASED", "李德福", None), ("FIELD_REQUIRED", "account.number")),
    ],
)
def test_another_account_is_refused(county: World, account: AccountForm, problem: tuple[str, str]) -> None:
    error = refused(county, yy_form(account=account))
    assert problem in {(found.reason.code.value, found.path) for found in error.problems}


@pytest.mark.rule("YY-318")
def test_the_deceaseds_account_is_meant_when_nothing_is_said(county: World) -> None:
    apply(county, account=AccountForm(None, "李德福", PENSION_CARD))
    case = county.case()
    assert case.form is not None and case.form.account is not None
    assert case.form.account.kind == "DECEASED"


@pytest.mark.rule("PD-23", "YY-703")
def test_the_rule_holds_for_every_later_account(county: World) -> None:
    apply(county)
    for account, code in (
        (AccountForm("APPLICANT_HEIR", "李建军", OWN_CARD), "ACCOUNT_REASON_MISSING"),
        (AccountForm("DECEASED", "李建军", OWN_CARD), "ACCOUNT_HOLDER_MISMATCH"),
    ):
        with county.acting(CLERK) as ctx, pytest.raises(Refused) as found:
            case_care.give_account(ctx, county.number, account)
        assert code in codes(found.value)
