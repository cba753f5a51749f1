"""岳阳县 (AS-04…07): all parallel after the cremation, the deceased's own account, stops without an application."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.department import Outcome
from gateway.domain.form import AccountForm, DeathForm
from gateway.domain.messages import Refused
from gateway.services import case_care, correction, dispatch, revocation, shared
from gateway.services.correction import Changes
from gateway.store.session import Database
from tests.builders import DUTY, World, codes, moment, payment
from tests.yueyang import (
    CLERK,
    CREMATION,
    FIVE,
    FOUR,
    FUND,
    HUKOU,
    IN_SERVICE,
    LI_DEFU,
    MEDICAL,
    OWN_CARD,
    PENSION_CARD,
    PULLED,
    REASON,
    RESIDENT,
    RETIRED,
    VETERAN,
    connected,
    cremation,
    heir_form,
    papers,
    policy,
    refused,
    sent,
    stop,
    system,
    upload,
    yy_form,
)

DEPARTMENT = {HUKOU: "public-security", RETIRED: "social-security", MEDICAL: "medical-insurance", FUND: "housing-fund"}


@pytest.fixture
def county(database: Database) -> World:
    return connected(database)


def apply(world: World, **changes: object) -> None:
    world.at("2021-06-17 09:40").submit(yy_form(**changes), actor=CLERK)  # type: ignore[arg-type]


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


@pytest.mark.rule("YY-504")
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


# ── AS-06 ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("AS-06", "YY-102", "YY-103", "YY-105", "PD-11", "C-04", "C-05", "C-06")
def test_every_failing_condition_is_told_together(county: World) -> None:
    form = yy_form(
        flow="ABNORMAL",
        death=DeathForm(moment("2021-06-13 05:00"), "430621100", cause_kind="WORK_INJURY"),
        answers={
            "insurance.countyCentre": "true",
            "cremation.area": "430602",
            "cremation.areaName": "岳阳楼区",
            "signature": "彭丽",
        },
    )
    error = refused(county, form)
    assert {(p.reason.code.value, p.reason.ids) for p in error.problems} == {
        ("NOT_ELIGIBLE", ("YY-103",)),
        ("NOT_ELIGIBLE", ("YY-102",)),
        ("NOT_ELIGIBLE", ("YY-105",)),
    }
    assert any("岳阳楼区" in problem.reason.zh() for problem in error.problems)
    assert all("可按单项事项分别办理" in problem.reason.zh() for problem in error.problems)


@pytest.mark.rule("YY-101", "YY-102", "YY-104", "YY-105", "C-01", "C-03", "C-04", "C-06")
@pytest.mark.parametrize(
    "changes, row",
    [
        ({"insurance.countyCentre": "false"}, "YY-101"),
        ({"cremation.area": "430602"}, "YY-102"),
        ({"hukou": "430626"}, "YY-104"),
        ({"cause": "WORK_INJURY"}, "YY-105"),
    ],
)
def test_each_condition_refuses_by_itself(county: World, changes: dict[str, str], row: str) -> None:
    form = yy_form()
    answers = {**form.answers, **{path: value for path, value in changes.items() if "." in path}}
    deceased = replace(form.deceased, hukou_area=changes.get("hukou", "430621100"))
    death = replace(form.death, cause_kind=changes.get("cause"))
    error = refused(county, replace(form, answers=answers, deceased=deceased, death=death))
    assert [problem.reason.ids for problem in error.problems] == [(row,)]


@pytest.mark.rule("YY-102", "C-02")
def test_the_place_of_death_is_no_condition_and_what_is_not_known_does_not_refuse(county: World) -> None:
    apply(county, death=DeathForm(None, "430100"), answers={"signature": "李建军"})
    assert county.case().status == "IN_PROGRESS"


@pytest.mark.rule("X-06", "PD-12", "YY-102")
def test_a_person_declared_dead_is_admitted_only_after_a_cremation_in_the_county(county: World) -> None:
    declared = {"insurance.countyCentre": "true", "declaration.byCourt": "true", "signature": "李建军"}
    error = refused(county, yy_form(FUND, answers=declared))
    assert [(p.path, p.reason.ids) for p in error.problems] == [("declaration.byCourt", ("YY-102",))]
    assert "单项事项" in error.problems[0].reason.zh()
    apply(county, items=(FUND,), answers={**declared, "cremation.area": "430621"})
    assert county.status(FUND) == "BLOCKED"


@pytest.mark.rule("YY-103", "YY-107", "YY-108")
def test_two_kinds_of_death_are_admitted_by_their_names(county: World) -> None:
    names = {flow.code: flow.name for flow in policy().flows}
    assert "养老机构" in names["OUTSIDE"] and "途中" in names["INSIDE"]
    apply(county, flow="INSIDE")
    assert county.case().flow == "INSIDE"


@pytest.mark.rule("YY-106")
def test_before_the_start_nothing_is_accepted(county: World) -> None:
    county.at("2021-05-25 10:00")
    with pytest.raises(Refused) as found:
        county.submit(yy_form(), actor=CLERK)
    assert codes(found.value) == ["JURISDICTION_UNKNOWN"], "the rules are not in force yet"
    early = policy().model_copy(update={"effective_from": moment("2021-05-01 00:00").date()})
    county.policies = replace(county.policies, jurisdictions=(early,))
    assert codes(refused(county, yy_form())) == ["NOT_ROLLED_OUT"]


@pytest.mark.rule("YY-201", "YY-202", "YY-204", "YY-505", "C-10", "C-24", "C-29")
def test_one_window_only_and_the_family_applies_there(county: World) -> None:
    assert [channel.code for channel in policy().channels] == ["WINDOW"]
    assert codes(refused(county, yy_form(channel="WEB"))) == ["CHANNEL_NOT_OFFERED"]
    from gateway.store.cases import Actor

    assert codes(refused(county, yy_form(), Actor("family", "李建军", None, "p"))) == ["OPENER_NOT_ALLOWED"]
    apply(county)
    assert (county.case().channel, county.case().opened_by) == ("WINDOW", "window-clerk")


@pytest.mark.rule("YY-401", "YY-402", "PD-11", "C-26")
@pytest.mark.parametrize("there", [(), FIVE[:2], FIVE[1:]])
def test_all_missing_papers_of_the_five_are_named_at_once(county: World, there: tuple[str, ...]) -> None:
    error = refused(county, yy_form(materials=papers(*there)))
    assert codes(error) == ["MATERIAL_MISSING"] * (5 - len(there))
    assert {problem.reason.ids for problem in error.problems} == {("YY-401",)}


@pytest.mark.rule("YY-325", "YY-326")
def test_both_commitments_are_made(county: World) -> None:
    error = refused(county, yy_form(commitments=()))
    assert [(p.reason.code.value, p.reason.ids) for p in error.problems] == [
        ("COMMITMENT_MISSING", ("YY-325",)),
        ("COMMITMENT_MISSING", ("YY-326",)),
    ]


# ── AS-07 ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("AS-07", "YY-514", "YY-825", "C-22")
@pytest.mark.parametrize("department", sorted(PULLED))
def test_each_department_takes_the_cremation_information_without_any_application(
    county: World, department: str
) -> None:
    upload(county)
    with county.acting(system(department)) as ctx:
        ((_, record),) = shared.find(ctx, department, "yy", ("430621",), None, 10)
    assert (record.deceased.id_number, [found.type for found in record.certificates]) == (LI_DEFU, ["CREMATION"])
    for slug in PULLED[department]:
        assert stop(county, department, slug).changed
        assert not stop(county, department, slug).changed, "twice is once"
    assert (county.count(), county.queued) == (0, []), "no case, no form, no payment exists"
    with county.acting(system(department)) as ctx:
        ((_, record),) = shared.find(ctx, department, "yy", ("430621",), None, 10)
    assert set(record.stops) == set(PULLED[department]), "each sees its own stops"


@pytest.mark.rule("AS-07", "YY-514", "PD-06")
def test_a_department_records_only_its_own_stops_and_only_on_a_cremation(county: World) -> None:
    with pytest.raises(Refused) as found:
        stop(county, "social-security", "retirement-pension-stop")
    assert codes(found.value) == ["NOTHING_SHARED"]
    upload(county)
    for department, slug, code in (
        ("housing-fund", "retirement-pension-stop", "NOT_OWNER"),
        ("social-security", RETIRED, "NOT_OWNER"),
        ("social-security", "nonsense", "ITEM_UNKNOWN"),
    ):
        with pytest.raises(Refused) as found:
            stop(county, department, slug)
        assert codes(found.value) == [code]


@pytest.mark.rule("AS-07", "YY-614", "YY-608", "X-05")
def test_the_case_shows_what_was_stopped_already_and_pushes_none_of_it(county: World) -> None:
    upload(county)
    for department, slugs in PULLED.items():
        for slug in slugs:
            stop(county, department, slug, "R-1")
    apply(county, items=(*FOUR, VETERAN))
    case = county.case()
    done = {slug for slugs in PULLED.values() for slug in slugs}
    assert {slug for slug, found in case.items.items() if found.found} == {*done, CREMATION}
    assert case.items["housing-fund-account-seal"].finished_at == moment("2021-06-15 11:30")
    assert done.isdisjoint(slug for _, slug in sent(county))
    assert county.status(FUND) == "DISPATCHED", "a sealed account can still be withdrawn"
    assert VETERAN in case.items, "the stop and the claim do not cancel each other"


@pytest.mark.rule("YY-514")
def test_a_stop_recorded_after_the_application_enters_the_case_done(county: World) -> None:
    apply(county)
    upload(county, "2021-06-18 10:00")
    assert stop(county, "social-security", "retirement-pension-stop").case is not None
    found = county.item("retirement-pension-stop")
    assert (found.status, found.found, found.reason.code) == ("COMPLETED", True, "RECORDED_BY_DEPARTMENT")


@pytest.mark.rule("YY-514", "YY-825")
def test_a_certificate_that_came_into_the_case_is_shared_as_well(county: World) -> None:
    apply(county)
    county.report("civil-affairs", CREMATION, "c-1", certificates=(cremation(),))
    assert county.status(HUKOU) == "DISPATCHED"
    assert stop(county, "social-security", "retirement-pension-stop").changed


@pytest.mark.rule("YY-514")
def test_a_wrong_death_is_undone_by_those_who_acted_on_shared_data_too(county: World) -> None:
    county.outward = replace(county.outward, connected=county.outward.connected | {"veterans-affairs"})
    upload(county)
    stop(county, "veterans-affairs", "veteran-preferential-stop")
    apply(county)
    with county.acting(DUTY) as ctx:
        case = revocation.revoke(ctx, county.number, "误报")
    assert {slug for slug, found in case.items.items() if found.reversal} == {*FOUR, "veteran-preferential-stop"}
    assert ("veterans-affairs", "veteran-preferential-stop.R") in sent(county)
    with pytest.raises(Refused) as found:
        stop(county, "social-security", "retirement-pension-stop")
    assert codes(found.value) == ["CASE_REVOKED"]
    with county.acting(system("social-security")) as ctx:
        ((_, record),) = shared.find(ctx, "social-security", "yy", None, None, 10)
    assert record.revocation is not None and record.revocation.reason == "误报"


def test_only_the_issuer_shares_a_certificate_and_only_of_somebody_known(county: World) -> None:
    with county.acting(system("housing-fund")) as ctx, pytest.raises(Refused) as found:
        shared.share(ctx, "housing-fund", "yy", yy_form().deceased, DeathForm(), cremation())
    assert codes(found.value) == ["NOT_ISSUER"]
    for number, code in ((None, "FIELD_REQUIRED"), (LI_DEFU[:-1] + "0", "ID_NUMBER_INVALID")):
        deceased = replace(yy_form().deceased, id_number=number)
        with county.acting(system("civil-affairs")) as ctx, pytest.raises(Refused) as found:
            shared.share(ctx, "civil-affairs", "yy", deceased, DeathForm(), cremation())
        assert codes(found.value) == [code]


def test_the_history_of_a_shared_record_is_chained_and_its_fold_is_the_record(county: World) -> None:
    from gateway.domain.shared import fold
    from gateway.store import ledger

    upload(county)
    record = stop(county, "social-security", "retirement-pension-stop").record
    with county.database.read() as tx:
        assert ledger.verify(tx, record.number) == []
        entries = ledger.entries(tx, [record.number])[record.number]
    assert fold((entry.at, entry.event) for entry in entries) == record


@pytest.mark.rule("YY-304", "YY-601", "YY-822")
def test_the_police_station_goes_to_the_police_and_a_correction_of_it_reaches_them_only(county: World) -> None:
    upload(county)
    apply(county)
    for slug in FOUR:
        county.delivered(slug)
    since = len(county.queued)
    with county.acting(CLERK) as ctx:
        values = {"deceased.policeStation": "新墙派出所"}
        correction.correct(ctx, county.number, Changes(values), "派出所填错")
    assert [work.args[1] for work in county.queued[since:]] == [HUKOU]
    with county.acting() as ctx:
        told = dispatch.application(ctx, county.number, HUKOU)
    assert told is not None and told.details == {"deceased.policeStation": "新墙派出所"}
