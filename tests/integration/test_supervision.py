"""AS-15: what is overdue on Friday morning, what stays late for ever, and compliance that can be counted."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.domain.department import Outcome, PaymentState
from tests.builders import AFTERCARE, World, hz_account, hz_form, moment, payment

pytestmark = pytest.mark.databases

HUKOU = "hukou-deregistration"
PAYMENTS = {
    "medical-account-settlement": "MEDICAL_ACCOUNT_BALANCE",
    "veteran-funeral-grant": "VETERAN_FUNERAL_GRANT",
}


@pytest.fixture
def week(world: World) -> World:
    """All results of AS-15 but HZ-607's, in time; the veterans' grant and the medical balance are paid."""
    world.until_cremation(hz_form(account=hz_account()))
    world.at("2025-11-12 16:00").complete(*(slug for slug in AFTERCARE if slug != HUKOU))
    for slug, kind in PAYMENTS.items():
        definition = world.policies.version("hz", "2019-10-15").item(slug)
        assert definition is not None and definition.department is not None
        for serial, state in (("a", PaymentState.APPROVED), ("b", PaymentState.PAID)):
            sums = (payment("1", kind, 120345, state, on=world.now),)
            world.report(definition.department, slug, serial, payments=sums)
    return world


def compliance(world: World, department: str, *period: str) -> Any:
    found = [row for row in world.supervision(*period).compliance if row.department == department]
    return found[0] if found else None


@pytest.mark.rule("AS-15", "HZ-901", "HZ-903")
def test_on_friday_exactly_hukou_is_overdue_with_department_and_case(week: World) -> None:
    assert week.at("2025-11-14 00:00").supervision().overdue == (), "24:00 itself is in time"
    (late,) = week.at("2025-11-14 09:00").supervision().overdue
    assert (late.slug, late.department, late.number) == (HUKOU, "public-security", week.number)
    assert (late.clock, late.due_at) == ("PROCESSING", moment("2025-11-14 00:00"))
    assert compliance(week, "public-security").overdue == 1


@pytest.mark.rule("AS-15", "HZ-901")
def test_completed_at_ten_it_is_no_longer_overdue_but_stays_late(week: World) -> None:
    week.at("2025-11-14 10:00").complete(HUKOU)
    for now in ("2025-11-14 10:00", "2026-06-01 10:00"):
        assert week.at(now).supervision().overdue == ()
        row = compliance(week, "public-security")
        assert (row.pushed, row.late, row.on_time, row.overdue) == (1, 1, 0, 0)
    assert week.deadline(HUKOU).state == "MISSED"


@pytest.mark.rule("AS-15", "HZ-901", "HZ-903")
def test_compliance_is_countable_per_department(week: World) -> None:
    week.at("2025-11-14 09:00")
    social = compliance(week, "social-security")
    assert (social.pushed, social.on_time, social.late, social.overdue) == (2, 2, 0, 0)
    medical = compliance(week, "medical-insurance")
    assert (medical.pushed, medical.on_time) == (3, 3)
    fund = compliance(week, "housing-fund")
    assert (fund.pushed, fund.without_limit, fund.on_time, fund.late) == (1, 1, 0, 0)
    health = compliance(week, "health")
    assert (health.on_time, health.late) == (1, 0)


@pytest.mark.rule("AS-15", "HZ-901")
def test_every_pushed_item_is_counted_exactly_once(week: World) -> None:
    for row in week.at("2025-11-14 09:00").supervision().compliance:
        assert row.pushed == row.without_limit + row.on_time + row.late + row.overdue + row.running


@pytest.mark.rule("AS-15", "HZ-901")
def test_compliance_is_countable_per_period_of_the_push(week: World) -> None:
    assert compliance(week, "public-security", "2025-11-10 00:00", "2025-11-11 00:00").pushed == 1
    assert compliance(week, "public-security", "2025-11-11 00:00", "2025-12-01 00:00") is None
    assert compliance(week, "health", "2025-11-07 00:00", "2025-11-08 00:00").pushed == 1


@pytest.mark.rule("HZ-703", "HZ-618")
@pytest.mark.parametrize("reviewed", [True, False])
def test_the_veterans_grant_is_due_as_money_not_as_review(world: World, reviewed: bool) -> None:
    world.until_cremation(hz_form("KEY_PREFERENTIAL")).at("2025-11-12 16:00")
    if reviewed:
        sums = (payment("1", "VETERAN_FUNERAL_GRANT", 480000),)
        world.report("veterans-affairs", "veteran-funeral-grant", "v-1", Outcome.COMPLETED, payments=sums)
    late = {(found.slug, found.clock) for found in world.at("2025-11-14 09:00").supervision().overdue}
    assert ("veteran-funeral-grant", "PAYOUT") in late
    assert ("veteran-funeral-grant", "PROCESSING") not in late


@pytest.mark.rule("HZ-702", "HZ-901")
def test_approved_money_that_is_not_on_the_account_in_time_is_overdue(week: World) -> None:
    sums = (payment("1", "FUNERAL_GRANT", 480000),)
    week.at("2025-11-12 17:00").complete(HUKOU)
    week.report("social-security", "pension-funeral-bereavement-claim", "s-1", payments=sums)
    assert week.at("2025-11-25 00:00").supervision().overdue == ()
    (late,) = week.at("2025-11-25 00:01").supervision().overdue
    assert (late.slug, late.clock) == ("pension-funeral-bereavement-claim", "PAYOUT")


@pytest.mark.rule("C-20", "HZ-617", "HZ-619")
def test_what_has_no_number_is_never_overdue(world: World) -> None:
    world.until_cremation(hz_form("HOUSING_FUND"))
    world.complete(HUKOU)
    assert world.at("2030-01-01 00:00").supervision("2025-11-01 00:00", "2026-01-01 00:00").overdue == ()


@pytest.mark.rule("HZ-816", "PD-15")
def test_supervisors_see_their_own_area_only(week: World) -> None:
    from gateway.services import supervision

    week.at("2025-11-14 09:00")
    with week.database.read() as tx:
        period = (moment("2025-11-01 00:00"), moment("2025-12-01 00:00"))
        own = supervision.supervise(week.ctx(tx), ("330502",), *period)
        other = supervision.supervise(week.ctx(tx), ("330503",), *period)
    assert len(own.overdue) == 1
    assert (other.overdue, other.compliance) == ((), ())


@pytest.mark.rule("PD-08", "HZ-901")
def test_what_does_not_apply_counts_for_nobody(world: World) -> None:
    world.until_cremation(hz_form("HOUSING_FUND"))
    world.report("housing-fund", "housing-fund-death-withdrawal", "g-1", Outcome.NOT_APPLICABLE, reason="无账户")
    assert compliance(world, "housing-fund").pushed == 0
