"""Gates and dispatch: what waits for what, what is pushed together, and what is sent to the department."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from gateway.domain.calendar import Calendar, Year
from gateway.domain.department import Certificate, Outcome
from gateway.domain.messages import Refused
from gateway.services import calendars, case_care, dispatch
from gateway.services.context import Outward
from tests.builders import AFTERCARE, DUTY, World, codes, hz_account, hz_form, moment, payment

HEIRS = Certificate("HEIR_QUALIFICATION", "J-1", moment("2025-11-20 10:00"), "湖州市公证处")


def attach(world: World, certificate: Certificate = HEIRS) -> None:
    with world.acting() as ctx:
        case_care.attach_evidence(ctx, world.number, certificate)


@pytest.mark.rule("HZ-513", "HZ-514")
def test_every_aftercare_item_has_one_and_the_same_time_stamp(world: World) -> None:
    everything = [situation.code for situation in world.policies.version("hz", "2019-10-15").situations]
    world.until_cremation(hz_form(*everything))
    waits = {"resettlement-reduction", "bank-asset-disposal", "insurer-asset-disposal"}
    aftercare = [item.slug for item in world.policies.version("hz", "2019-10-15").items if item.phase == "AFTERCARE"]
    stamps = {world.case().items[slug].pushed_at for slug in aftercare if slug not in waits}
    assert stamps == {moment("2025-11-10 09:30")}
    assert {world.status(slug) for slug in waits} == {"BLOCKED"}


@pytest.mark.rule("HZ-625", "HZ-626")
def test_the_reduction_waits_for_the_registration(world: World) -> None:
    world.until_cremation(hz_form("RESETTLEMENT_SUPPORT"))
    assert world.waits_for("resettlement-reduction") == ["WAITS_FOR_ITEM"]
    world.at("2025-11-12 15:00").complete("resettlement-registration")
    assert world.item("resettlement-reduction").pushed_at == moment("2025-11-12 15:00")


@pytest.mark.rule("PD-08", "HZ-626")
def test_a_refused_gate_item_leaves_its_dependant_blocked_with_the_reason(world: World) -> None:
    world.until_cremation(hz_form("RESETTLEMENT_SUPPORT"))
    world.report("resettlement", "resettlement-registration", "r-1", Outcome.REFUSED, reason="档案缺失")
    assert world.status("resettlement-reduction") == "BLOCKED"
    assert world.waits_for("resettlement-reduction") == ["WAITS_FOR_REFUSED_ITEM"]
    assert world.case().status == "IN_PROGRESS"


@pytest.mark.rule("HZ-629", "HZ-630", "HZ-705", "X-18")
@pytest.mark.parametrize("slug", ["bank-asset-disposal", "insurer-asset-disposal"])
def test_banks_wait_for_qualified_heirs_and_their_clock_starts_then(world: World, slug: str) -> None:
    world.until_cremation(hz_form("BANK_ACCOUNTS", "INSURANCE_POLICIES"))
    assert (world.status(slug), world.waits_for(slug)) == ("BLOCKED", ["WAITS_FOR_CERTIFICATE"])
    assert world.at("2025-11-19 10:00").deadline(slug).state == "NOT_STARTED"
    attach(world.at("2025-11-20 10:00"))
    found = world.deadline(slug)
    assert (found.started_at, found.state) == (moment("2025-11-20 10:00"), "RUNNING")
    assert found.due_at == moment("2025-11-26 00:00"), "24:00 of Tuesday 2025-11-25"


@pytest.mark.rule("HZ-705")
def test_heirs_qualified_before_cremation_do_not_open_the_gate_alone(world: World) -> None:
    world.submit(hz_form("BANK_ACCOUNTS"))
    attach(world)
    attach(world)
    assert world.status("bank-asset-disposal") == "BLOCKED"
    assert len(world.case().certificates) == 1, "the same evidence twice is one"


@pytest.mark.rule("HZ-705", "PD-06")
def test_evidence_of_another_number_or_of_a_kind_that_an_item_issues_is_refused(world: World) -> None:
    world.submit(hz_form("BANK_ACCOUNTS"))
    attach(world)
    for certificate, code in (
        (Certificate("HEIR_QUALIFICATION", "J-2", moment("2025-11-20 10:00")), "CONFLICT"),
        (Certificate("CREMATION", "C-9", moment("2025-11-20 10:00")), "OPTION_UNKNOWN"),
    ):
        with pytest.raises(Refused) as refused:
            attach(world, certificate)
        assert codes(refused.value) == [code]
    assert world.case().certificate("CREMATION") is None


@pytest.mark.rule("PD-16", "HZ-515")
def test_only_connected_departments_get_work_and_only_once(world: World) -> None:
    world.until_cremation(hz_form("DISABILITY_CARD", "HOUSING_FUND"))
    sent = [work.args[1] for work in world.queued]
    assert sent.count("housing-fund-death-withdrawal") == 1
    assert "disability-card-cancellation" not in sent, "handled in the platform: nothing to be delivered"
    assert world.status("disability-card-cancellation") == "DISPATCHED"
    assert len(sent) == len(set(sent))
    assert len({work.id for work in world.queued}) == len(world.queued)


@pytest.mark.rule("PD-18")
def test_a_blocked_item_is_never_sent(world: World) -> None:
    world.outward = Outward(frozenset({"bank"}))
    world.until_cremation(hz_form("BANK_ACCOUNTS"))
    assert world.queued == []
    with world.acting() as ctx:
        assert dispatch.application(ctx, world.number, "bank-asset-disposal") is None


@pytest.mark.rule("HZ-402", "X-21")
def test_what_is_sent_carries_the_certificates_the_item_may_see(world: World) -> None:
    world.until_cremation(hz_form("HOUSING_FUND"))
    with world.acting() as ctx:
        sent = dispatch.application(ctx, world.number, "housing-fund-death-withdrawal")
    assert sent is not None
    assert [certificate.type for certificate in sent.certificates] == ["DEATH_MEDICAL", "CREMATION"]
    assert (sent.key, sent.pushed_at) == (
        f"{world.number}.housing-fund-death-withdrawal",
        moment("2025-11-10 09:30"),
    )
    assert (sent.deceased.name, sent.applicant and sent.applicant.name) == ("沈福根", "沈丽娟")


@pytest.mark.rule("HZ-701", "PD-20")
def test_an_account_goes_only_where_the_payee_rule_sends_it(world: World) -> None:
    world.until_cremation(hz_form(account=hz_account()))
    with world.acting() as ctx:
        medical = dispatch.application(ctx, world.number, "medical-account-settlement")
        pension = dispatch.application(ctx, world.number, "pension-funeral-bereavement-claim")
        hukou = dispatch.application(ctx, world.number, "hukou-deregistration")
    assert medical is not None and medical.account is not None and medical.account.holder == "沈丽娟"
    assert pension is not None and pension.account is None
    assert hukou is not None and hukou.account is None


@pytest.mark.rule("HZ-510")
def test_the_funeral_home_gets_the_booking_wishes(world: World) -> None:
    answers = {"funeral.pickupAddress": "吴兴区某路1号", "ashes.placement": "公墓"}
    world.submit(hz_form(answers=answers))
    world.certify_death()
    with world.acting() as ctx:
        sent = dispatch.application(ctx, world.number, "funeral-service")
    assert sent is not None and dict(sent.details) == answers


@pytest.mark.rule("HZ-606")
def test_information_on_ashes_is_given_in_the_platform(world: World) -> None:
    world.submit(hz_form())
    with world.acting(DUTY) as ctx:
        case_care.complete_in_platform(ctx, world.number, "ashes-burial-information", {})
        with pytest.raises(Refused) as refused:
            case_care.complete_in_platform(ctx, world.number, "hukou-deregistration", {})
    assert world.status("ashes-burial-information") == "COMPLETED"
    assert codes(refused.value) == ["NOT_OWNER"]


@pytest.mark.rule("HZ-631", "HZ-632", "HZ-706")
def test_reward_and_fee_relief_start_with_the_report(world: World) -> None:
    world.submit(hz_form("ECO_BURIAL", "DIBAO"))
    assert world.status("eco-burial-reward") == world.status("funeral-fee-relief") == "DISPATCHED"


@pytest.mark.rule("PD-01")
def test_a_clock_into_an_unpublished_year_runs_without_a_date(world: World) -> None:
    world.at("2026-12-28 08:00").submit(hz_form())
    world.certify_death()
    world.book_funeral()
    world.at("2026-12-31 09:30").cremate()
    found = world.deadline("hukou-deregistration")
    assert (found.state, found.due_at, found.missing_year) == ("CALENDAR_MISSING", None, 2027)
    assert world.status("hukou-deregistration") == "DISPATCHED"
    seen = world.supervision("2026-12-01 00:00", "2027-01-01 00:00")
    assert seen.calendar_missing >= 5 and seen.overdue == ()


@pytest.mark.rule("PD-01", "HZ-701")
def test_the_dates_appear_once_the_year_is_loaded(world: World) -> None:
    world.at("2026-12-28 08:00").submit(hz_form(account=hz_account()))
    world.certify_death()
    world.book_funeral()
    world.at("2026-12-31 09:30").cremate()
    slug = "medical-account-settlement"
    world.report("medical-insurance", slug, "m-1", payments=(payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),))
    old = world.policies.calendars["hz"]
    new_year = Year({date(2027, 1, 1): "元旦"}, frozenset(), "a notice to come")
    loaded = Calendar({**old.years, 2027: new_year}, old.zone)
    world.policies = replace(world.policies, calendars={"hz": loaded})
    with world.acting() as ctx:
        assert calendars.fill_in_due_dates(ctx) >= 5
        assert calendars.fill_in_due_dates(ctx) == 0, "every date is there now"
    assert world.deadline("hukou-deregistration").due_at == moment("2027-01-07 00:00")
    seen = world.at("2027-01-07 09:00").supervision("2026-12-01 00:00", "2027-01-01 00:00")
    assert seen.calendar_missing == 0
    assert {late.clock for late in seen.overdue if late.slug == slug} == {"PROCESSING"}
    seen = world.at("2027-01-09 09:00").supervision("2026-12-01 00:00", "2027-01-01 00:00")
    assert {late.clock for late in seen.overdue if late.slug == slug} == {"PROCESSING", "PAYOUT"}


@pytest.mark.rule("PD-19")
def test_the_policy_in_force_is_that_of_the_day_in_huzhou(world: World) -> None:
    """2019-10-14 16:00 UTC is already the 15th there, the first day of the document."""
    world.now = datetime(2019, 10, 14, 15, 59, tzinfo=UTC)
    with pytest.raises(Refused) as refused:
        world.submit(hz_form())
    assert codes(refused.value) == ["JURISDICTION_UNKNOWN"]
    world.now = datetime(2019, 10, 14, 16, 0, tzinfo=UTC)
    assert world.submit(hz_form()).number == "HZ2019101500001"


@pytest.mark.rule("PD-19")
def test_an_open_case_keeps_the_policy_version_it_was_accepted_under(world: World) -> None:
    old = world.policies.version("hz", "2019-10-15")
    items = [
        item.model_copy(
            update={"clocks": [clock.model_copy(update={"limit": 1}) for clock in item.clocks if clock.limit]}
        )
        for item in old.items
    ]
    new = old.model_copy(update={"version": "2025-11-09", "effective_from": date(2025, 11, 9), "items": items})
    world.policies = replace(world.policies, jurisdictions=(old, new))
    world.until_cremation()
    assert world.case().policy_version == "2019-10-15"
    assert world.deadline("hukou-deregistration").due_at == moment("2025-11-14 00:00")
    from tests.builders import SHEN_LIJUAN, hz_deceased

    world.at("2025-11-10 10:00").submit(hz_form(deceased=hz_deceased(name="沈丽娟", id_number=SHEN_LIJUAN)))
    assert world.case().policy_version == "2025-11-09"


@pytest.mark.rule("HZ-513")
def test_items_not_declared_are_pushed_for_the_department_to_verify(world: World) -> None:
    world.until_cremation(hz_form(situations={}))
    items = world.case().items
    assert items["dibao-stop"].applicability == "DEPARTMENT_VERIFIES"
    assert items["dibao-stop"].status == "DISPATCHED"
    assert set(AFTERCARE) <= {slug for slug, item in items.items() if item.pushed_at is not None}
