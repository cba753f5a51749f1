"""催办、督办: what becomes due is recorded once, in the case's ledger, and people see it (HZ-901, HZ-903)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain import events as e
from gateway.domain.alerts import AlertKind
from gateway.domain.calendar import Calendar
from gateway.domain.deadlines import ClockKind
from gateway.domain.department import Certificate, Outcome, PaymentState
from gateway.domain.fold import fold
from gateway.domain.form import DeathForm
from gateway.domain.messages import Code
from gateway.policy.book import PolicyBook
from gateway.policy.model import Clock
from gateway.services import calendars, case_care, dispatch, reading, revocation
from gateway.store import cases
from gateway.store.session import Database
from tests import wenzhou, yunnan
from tests.builders import (
    AFTERCARE,
    DUTY,
    World,
    book,
    huzhou,
    hz_account,
    hz_form,
    medical_certificate,
    moment,
    payment,
    police_certificate,
    unidentified,
)
from tests.supervised import GATEWAY, about, supervised, sweep, told, worklist

HUKOU = "hukou-deregistration"
PENSION = "pension-funeral-bereavement-claim"
MEDICAL = "medical-account-settlement"
GRANT = "veteran-funeral-grant"
HEIRS = "resettlement-pension-stop"


def obstacles(world: World) -> list[tuple[str, str | None]]:
    case = world.case()
    policy = world.policies.version(case.jurisdiction, case.policy_version)
    return [(found.reason.code.value, found.item) for found in reading.obstacles(world.policies, policy, case)]


@pytest.fixture
def late(world: World) -> Iterator[World]:
    """AS-15: everything but HZ-607 was done in time; its limit ended with Thursday."""
    world.until_cremation(hz_form("MEDICAL_EMPLOYEE"))
    open_ = [slug for slug in AFTERCARE if world.status(slug) == "DISPATCHED"]
    world.at("2025-11-12 16:00").complete(*(slug for slug in open_ if slug != HUKOU))
    yield world
    assert world.faults() == []
    with world.database.read() as tx:
        entries = cases.entries(tx, [world.number])[world.number]
    assert fold((entry.at, entry.event) for entry in entries) == world.case()


@pytest.mark.rule("HZ-901", "HZ-903")
def test_a_limit_that_passed_is_recorded_once_with_its_due_date(late: World) -> None:
    assert sweep(late.at("2025-11-14 00:00")) == 0, "24:00 itself is in time"
    assert sweep(late.at("2025-11-14 00:01")) == 1
    for later in ("2025-11-14 00:02", "2025-11-17 09:00", "2026-06-01 09:00"):
        assert sweep(late.at(later)) == 0
    (entry,) = [event for event in late.ledger() if isinstance(event, e.Overdue)]
    assert (entry.slug, entry.clock, entry.due_at) == (HUKOU, "PROCESSING", moment("2025-11-14 00:00"))
    assert entry.reason.ids == ("HZ-607",)
    assert entry.reason.zh() == "公安：办理时限已过，应于2025-11-13 24:00前完成。"
    assert "due 2025-11-13 24:00" in entry.reason.en()
    assert ("OVERDUE", HUKOU) in obstacles(late)


@pytest.mark.rule("HZ-901", "HZ-903")
def test_done_late_it_is_answered_and_stays_recorded(late: World) -> None:
    sweep(late.at("2025-11-14 09:00"))
    (key,) = worklist(late)
    late.at("2025-11-14 10:00").complete(HUKOU)
    assert worklist(late) == [] and ("OVERDUE", HUKOU) not in obstacles(late)
    assert late.case().alerts[key].answered_at == moment("2025-11-14 10:00")
    assert sweep(late.at("2025-12-01 10:00")) == 0


@pytest.mark.rule("HZ-901")
def test_what_is_done_in_time_is_never_told(late: World) -> None:
    late.at("2025-11-13 23:59").complete(HUKOU)
    assert sweep(late.at("2026-06-01 09:00")) == 0
    assert late.case().alerts == {}


@pytest.mark.rule("S-01", "HZ-901")
def test_no_number_is_stated_so_nobody_is_reminded_before(world: World) -> None:
    for policy in book().jurisdictions:
        assert policy.supervision is not None, policy.code
        rule = policy.supervision
        assert {rule.remind_before.amount, rule.escalate_after.amount, rule.follow_up_after.amount} == {None}
    world.until_cremation()
    for _ in range(24 * 3):
        world.now += timedelta(hours=1)
        sweep(world)
        assert told(world, AlertKind.REMINDED) == []


@pytest.mark.rule("HZ-901", "HZ-903")
def test_the_department_is_reminded_when_its_owner_says_how_long_before(database: Database) -> None:
    world = World(database, supervised(remind_before=1)).until_cremation(hz_form("MEDICAL_EMPLOYEE"))
    assert sweep(world.at("2025-11-13 00:00")) == 0
    assert sweep(world.at("2025-11-13 00:01")) > 0
    assert (HUKOU, "PROCESSING") in about(told(world, AlertKind.REMINDED))
    assert sweep(world.at("2025-11-13 12:00")) == 0, "once"
    (entry,) = [event for event in world.ledger() if isinstance(event, e.Reminded) and event.slug == HUKOU]
    assert (entry.due_at, entry.reason.code, entry.reason.ids) == (
        moment("2025-11-14 00:00"),
        "LIMIT_NEAR",
        ("HZ-607",),
    )


@pytest.mark.rule("HZ-901")
def test_a_sweep_that_comes_too_late_to_remind_records_only_that_the_limit_passed(database: Database) -> None:
    world = World(database, supervised(remind_before=1)).until_cremation(hz_form("MEDICAL_EMPLOYEE"))
    sweep(world.at("2025-11-14 09:00"))
    processing = [alert for alert in told(world, AlertKind.REMINDED) if alert.clock == "PROCESSING"]
    assert processing == []
    assert (HUKOU, "PROCESSING") in about(told(world, AlertKind.OVERDUE))


@pytest.mark.rule("PD-03", "HZ-901")
def test_a_limit_in_hours_is_reminded_of_in_hours(database: Database) -> None:
    world = World(database, supervised(remind_before=(4, "HOURS"))).at("2025-11-07 22:10")
    world.submit(hz_form())
    assert sweep(world.at("2025-11-08 18:10")) == 0
    assert sweep(world.at("2025-11-08 18:11")) == 1
    assert about(told(world, AlertKind.REMINDED)) == {("death-cert-normal", "PROCESSING")}


@pytest.mark.rule("HZ-901", "HZ-702")
def test_each_clock_of_an_item_is_told_by_itself(world: World) -> None:
    world.until_cremation(hz_form("PENSION_RETIREE"))
    sweep(world.at("2025-11-14 09:00"))
    assert {clock for slug, clock in about(told(world, AlertKind.OVERDUE)) if slug == PENSION} == {"PROCESSING"}
    sweep(world.at("2025-11-25 09:00"))
    assert {clock for slug, clock in about(told(world, AlertKind.OVERDUE)) if slug == PENSION} == {
        "PROCESSING",
        "PAYOUT",
    }


@pytest.mark.rule("HZ-701", "HZ-901")
def test_an_instructed_sum_that_nobody_confirms_is_overdue_at_its_payout_limit(world: World) -> None:
    world.until_cremation(hz_form("MEDICAL_EMPLOYEE", account=hz_account())).at("2025-11-12 10:00")
    sums = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    world.report("medical-insurance", MEDICAL, "m-1", Outcome.COMPLETED, payments=sums)
    assert world.payout(f"{MEDICAL}:1").status == "INSTRUCTED"
    sweep(world.at("2025-11-18 00:01"))
    assert (MEDICAL, "PAYOUT") in about(told(world, AlertKind.OVERDUE))
    paid = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345, PaymentState.PAID, on=world.now),)
    world.report("medical-insurance", MEDICAL, "m-2", payments=paid)
    (alert,) = [alert for alert in told(world, AlertKind.OVERDUE) if alert.item == MEDICAL]
    assert alert.answered_at == world.now
    back = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345, PaymentState.RETURNED, on=world.now, reason="户名不符"),)
    world.report("medical-insurance", MEDICAL, "m-3", payments=back)
    (alert,) = [alert for alert in told(world, AlertKind.OVERDUE) if alert.item == MEDICAL]
    assert alert.answered_at is None, "the money is not on the account"


@pytest.mark.rule("HZ-701", "HZ-901")
def test_money_that_came_back_waits_for_a_new_account_and_is_told_each_time(world: World) -> None:
    world.until_cremation(hz_form("MEDICAL_EMPLOYEE", account=hz_account())).at("2025-11-12 10:00")
    sums = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    world.report("medical-insurance", MEDICAL, "m-1", Outcome.COMPLETED, payments=sums)
    for turn, account in enumerate(("6228480402564890018", "6222021205001234567"), 1):
        world.now += timedelta(hours=1)
        back = payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345, PaymentState.RETURNED, on=world.now, reason="户名不符")
        world.report("medical-insurance", MEDICAL, f"r-{turn}", payments=(back,))
        sweep(world)
        escalated = [alert for alert in told(world, AlertKind.ESCALATED) if alert.cause == "RETURN"]
        assert len(escalated) == turn and escalated[-1].reason.code == "PAYOUT_RETURNED"
        assert escalated[-1].payout == f"{MEDICAL}:1" and escalated[-1].answered_at is None
        world.give_account(hz_account(number=account))
        (*_, last) = [alert for alert in told(world, AlertKind.ESCALATED) if alert.cause == "RETURN"]
        assert last.answered_at == world.now


@pytest.mark.rule("PD-20", "HZ-702", "HZ-901")
def test_money_held_for_want_of_a_rule_or_of_an_account_waits_for_a_person(world: World) -> None:
    world.until_cremation(hz_form("PENSION_RETIREE", "MEDICAL_EMPLOYEE")).at("2025-11-12 10:00")
    world.report("social-security", PENSION, "s-1", payments=(payment("1", "FUNERAL_GRANT", 480000),))
    world.report("medical-insurance", MEDICAL, "m-1", payments=(payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),))
    sweep(world.at("2025-11-12 10:01"))
    held = {alert.payout: alert for alert in told(world, AlertKind.ESCALATED)}
    assert set(held) == {f"{PENSION}:1", f"{MEDICAL}:1"}
    assert held[f"{PENSION}:1"].reason.ids == ("HZ-702", "PD-20")
    world.give_account()
    answered = {payout: alert.answered_at for payout, alert in world.case().alerts.items() if alert.payout}
    assert sorted(at is None for at in answered.values()) == [False, True]


@pytest.mark.rule("PD-10", "WZ-344")
def test_a_negative_account_asks_nothing_of_a_person(world: World) -> None:
    world.until_cremation(hz_form("MEDICAL_EMPLOYEE")).at("2025-11-12 10:00")
    world.report("medical-insurance", MEDICAL, "m-1", payments=(payment("1", "MEDICAL_ACCOUNT_BALANCE", -5),))
    assert sweep(world.at("2025-11-12 10:01")) == 0


@pytest.mark.rule("HZ-901", "HZ-902")
def test_what_stays_overdue_is_put_before_the_supervisor(database: Database) -> None:
    world = World(database, supervised(escalate_after=2)).until_cremation(hz_form("MEDICAL_EMPLOYEE"))
    sweep(world.at("2025-11-18 00:00"))
    assert (HUKOU, "PROCESSING") not in about(told(world, AlertKind.ESCALATED)), "Friday and Monday"
    sweep(world.at("2025-11-18 00:01"))
    assert (HUKOU, "PROCESSING") in about(told(world, AlertKind.ESCALATED))
    before = world.case().revision
    sweep(world.at("2025-11-18 00:02"))
    assert world.case().revision == before


@pytest.mark.rule("PD-16")
def test_a_push_that_was_given_up_waits_for_a_person_until_it_arrives(world: World) -> None:
    world.until_cremation(hz_form("MEDICAL_EMPLOYEE")).at("2025-11-10 10:00")
    world.not_delivered(HUKOU, ())
    assert sweep(world.at("2025-11-10 10:01")) == 1
    (alert,) = told(world, AlertKind.ESCALATED)
    assert (alert.item, alert.reason.code, alert.since) == (HUKOU, "DELIVERY_GIVEN_UP", moment("2025-11-10 10:00"))
    with world.acting(DUTY) as ctx:
        dispatch.redrive(ctx, world.number, HUKOU)
    assert worklist(world) == []
    world.at("2025-11-10 11:00").not_delivered(HUKOU, ())
    assert len(worklist(world)) == 1, "it never arrived in between: open again"
    world.at("2025-11-10 12:00")
    with world.acting(DUTY) as ctx:
        dispatch.redrive(ctx, world.number, HUKOU)
    world.delivered(HUKOU)
    assert worklist(world) == [] and sweep(world.at("2025-11-10 12:01")) == 0


@pytest.mark.rule("HZ-901")
def test_a_correction_the_family_does_not_answer_is_followed_up_when_its_owner_says_so(database: Database) -> None:
    world = World(database, supervised(follow_up_after=1)).until_cremation(hz_form("MEDICAL_EMPLOYEE"))
    world.at("2025-11-10 10:00").report("public-security", HUKOU, "c-1", Outcome.CORRECTION, reason="缺户口簿")
    sweep(world.at("2025-11-12 00:00"))
    assert (HUKOU, "CORRECTION") not in about(told(world, AlertKind.ESCALATED))
    sweep(world.at("2025-11-12 00:01"))
    assert (HUKOU, "CORRECTION") in about(told(world, AlertKind.ESCALATED))
    with world.acting(DUTY) as ctx:
        case_care.answer_correction(ctx, world.number, HUKOU, "已补")
    assert (HUKOU, "CORRECTION") not in about([a for a in told(world, AlertKind.ESCALATED) if a.answered_at is None])


@pytest.mark.rule("HZ-705", "HZ-901")
def test_a_prerequisite_nobody_is_at_work_on_is_told_once_and_others_are_not(database: Database) -> None:
    world = World(database, supervised(follow_up_after=1))
    world.until_cremation(hz_form("BANK_ACCOUNTS", "RESETTLEMENT_SUPPORT"))
    blocked = [slug for slug, item in world.case().items.items() if item.status == "BLOCKED"]
    assert blocked
    sweep(world.at("2025-12-01 09:00"))
    waiting = [alert for alert in told(world, AlertKind.ESCALATED) if alert.cause == "PREREQUISITE"]
    assert [alert.reason.code for alert in waiting] == ["WAITS_FOR_CERTIFICATE"], "one thing is told once"
    heirs = Certificate("HEIR_QUALIFICATION", "J-1", moment("2025-12-01 10:00"))
    with world.acting(DUTY) as ctx:
        case_care.attach_evidence(ctx, world.number, heirs)
    assert all(a.answered_at for a in told(world, AlertKind.ESCALATED) if a.cause == "PREREQUISITE")


@pytest.mark.rule("HZ-505", "HZ-901")
def test_a_report_nobody_files_is_followed_up(database: Database) -> None:
    world = World(database, supervised(follow_up_after=1)).at("2025-11-10 10:00")
    world.opened_by("health", "INSIDE", medical_certificate())
    sweep(world.at("2025-11-12 09:00"))
    assert (None, "REPORT") in about(told(world, AlertKind.ESCALATED))
    assert [a for a in told(world, AlertKind.ESCALATED) if a.cause == "PREREQUISITE"] == []


@pytest.mark.rule("PD-18", "HZ-901")
def test_nothing_is_told_of_a_case_that_was_revoked_but_what_is_to_be_undone(world: World) -> None:
    world.until_cremation(hz_form("MEDICAL_EMPLOYEE"))
    sweep(world.at("2025-11-14 09:00"))
    assert worklist(world)
    with world.acting(DUTY) as ctx:
        revocation.revoke(ctx, world.number, "误报")
    assert worklist(world) == [] and sweep(world.at("2026-06-01 09:00")) == 0


@pytest.mark.rule("PD-01")
def test_a_limit_in_a_year_without_calendar_is_told_only_once_it_is_published(database: Database) -> None:
    known = book().calendars["hz"]
    years = {year: found for year, found in known.years.items() if year < 2026}
    told_before = supervised(remind_before=1, escalate_after=1)
    unpublished = replace(told_before, calendars={**book().calendars, "hz": replace(known, years=years)})
    world = World(database, unpublished).at("2025-12-30 09:00")
    world.submit(hz_form("MEDICAL_EMPLOYEE"))
    world.certify_death()
    world.book_funeral()
    world.cremate()
    for later in ("2025-12-31 23:00", "2026-01-02 00:00", "2026-02-10 09:00", "2026-02-12 09:00"):
        sweep(world.at(later))
        assert world.case().alerts == {}, "no date is guessed"
    world.policies = told_before
    with world.acting(GATEWAY) as ctx:
        calendars.fill_in_due_dates(ctx)
    sweep(world.at("2026-02-12 09:01"))
    assert (HUKOU, "PROCESSING") in about(told(world, AlertKind.OVERDUE))


@pytest.mark.rule("PD-01")
def test_an_escalation_into_a_year_without_calendar_is_made_once_it_is_published(database: Database) -> None:
    set_ = supervised(escalate_after=1)
    known = book().calendars["hz"]
    unpublished = Calendar({year: found for year, found in known.years.items() if year < 2026}, known.zone)
    world = World(database, replace(set_, calendars={**book().calendars, "hz": unpublished})).at("2025-12-25 09:00")
    world.submit(hz_form("MEDICAL_EMPLOYEE"))
    world.certify_death()
    world.book_funeral()
    world.at("2025-12-26 09:00").cremate()
    sweep(world.at("2026-01-08 09:00"))
    assert (HUKOU, "PROCESSING") in about(told(world, AlertKind.OVERDUE)), "due with 31 December"
    world.policies = set_
    sweep(world.at("2026-01-09 09:01"))
    assert (HUKOU, "PROCESSING") in about(told(world, AlertKind.ESCALATED))


@pytest.mark.rule("HZ-104", "PD-21")
def test_what_everything_waits_for_is_told_once(database: Database) -> None:
    world = World(database, supervised(follow_up_after=1))
    abnormal = hz_form(flow="ABNORMAL", deceased=unidentified(), death=DeathForm(None, "330502"))
    world.opened_by("public-security", "ABNORMAL", police_certificate(), "o-1", unidentified())
    world.submit(abnormal, case_number=world.number)
    world.at("2025-11-08 22:00").book_funeral()
    world.at("2025-11-10 09:30").cremate()
    waiting = [slug for slug in world.case().items if "WAITS_FOR_IDENTITY" in world.waits_for(slug)]
    assert len(waiting) > 1
    sweep(world.at("2025-12-01 09:00"))
    assert sweep(world.at("2025-12-01 09:01")) == 0
    reasons = [alert.reason.code for alert in told(world, AlertKind.ESCALATED) if alert.cause == "PREREQUISITE"]
    assert reasons.count(Code.WAITS_FOR_IDENTITY) == 1


@pytest.mark.rule("YN-1001")
def test_what_waits_for_all_others_to_end_waits_for_nobody_in_particular(database: Database) -> None:
    world = yunnan.connected(database, supervised(yunnan.policy(), follow_up_after=1)).at("2025-11-06 10:00")
    world.submit(yunnan.yn_form(), actor=yunnan.SON)
    assert world.status(yunnan.RETURN) == "BLOCKED"
    sweep(world.at("2025-12-06 10:00"))
    assert yunnan.RETURN not in {alert.item for alert in told(world, AlertKind.ESCALATED)}


@pytest.mark.rule("YY-609", "PD-18")
def test_an_item_without_a_department_waits_for_a_person_from_the_beginning(database: Database) -> None:
    items = [item.model_copy(update={"department": None}) if item.slug == HUKOU else item for item in huzhou().items]
    others = [policy for policy in book().jurisdictions if policy.code != "hz"]
    nobodys = PolicyBook((*others, huzhou().model_copy(update={"items": items})), book().catalogue, book().calendars)
    world = World(database, nobodys)
    world.submit(hz_form("MEDICAL_EMPLOYEE"))
    sweep(world.at("2025-11-07 22:11"))
    assert [(a.item, a.reason.code) for a in told(world, AlertKind.ESCALATED)] == [(HUKOU, "DEPARTMENT_NOT_CONFIGURED")]


@pytest.mark.rule("WZ-703", "PD-10")
def test_a_sum_that_went_against_a_negative_account_is_not_late_money(database: Database) -> None:
    clock = Clock(clock=ClockKind.PAYOUT, limit=5, source="WZ-514")
    items = [
        item.model_copy(update={"clocks": [*item.clocks, clock]}) if item.slug == wenzhou.PENSION else item
        for item in wenzhou.policy().items
    ]
    policy = wenzhou.policy().model_copy(update={"items": items})
    world = wenzhou.until_data(wenzhou.connected(database, supervised(policy)))
    wenzhou.pension_answers(world.at("2019-11-25 10:00"), 480000)
    wenzhou.settles(world, -480000)
    assert world.payout(f"{wenzhou.PENSION}:1").status == "OFFSET"
    sweep(world.at("2020-01-06 10:00"))
    assert (wenzhou.PENSION, "PAYOUT") not in about(told(world, AlertKind.OVERDUE))
    assert world.deadline(wenzhou.PENSION, ClockKind.PAYOUT).state == "CLOSED"
    assert all(found.clock != "PAYOUT" for found in world.supervision("2019-11-01 00:00", "2020-01-01 00:00").overdue)
