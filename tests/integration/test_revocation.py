"""A wrong "dead" is revoked: every department that was told is told the contrary; one item is withdrawn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.case import Case
from gateway.domain.department import Application, Outcome, PaymentState, Receipt
from gateway.domain.messages import Refused
from gateway.policy.book import PolicyBook
from gateway.policy.model import Withdrawal
from gateway.services import reading, reversal, revocation
from gateway.services.write_back import AckOutcome
from gateway.store.session import Database
from tests.builders import DUTY, World, book, codes, hz_account, hz_form, payment
from tests.uxin import HUKOU, MEDICAL, PENSION, QIQIGE, connected, deregister, policy, ws_form

pytestmark = pytest.mark.databases


@pytest.fixture
def filed(database: Database) -> World:
    world = connected(database)
    world.submit(ws_form(), actor=QIQIGE)
    return world


def revoke(world: World, reason: str = "误报：本人健在") -> Case:
    with world.acting(DUTY) as ctx:
        return revocation.revoke(ctx, world.number, reason)


def undo(world: World, slug: str) -> Application | None:
    with world.acting() as ctx:
        return reversal.application(ctx, world.number, slug)


def arrives(world: World, slug: str, outcome: Outcome = Outcome.RECEIVED) -> None:
    with world.acting() as ctx:
        reversal.delivered(ctx, world.number, slug, Receipt(outcome, "U-1", "00"))


def answers(world: World, department: str, slug: str, outcome: Outcome, reason: str = "") -> Case:
    with world.acting() as ctx:
        return reversal.take(ctx, department, world.number, slug, outcome, reason)


def undone(world: World) -> list[str]:
    return [str(work.args[1]) for work in world.queued if str(work.args[1]).endswith(".R")]


def test_only_the_departments_that_were_told_are_told_the_contrary(filed: World) -> None:
    case = revoke(filed)
    assert (case.status, undone(filed)) == ("REVOKING", [f"{HUKOU}.R"])
    assert {slug: item.status.value for slug, item in case.items.items()} == {
        HUKOU: "DISPATCHED",
        PENSION: "NOT_APPLICABLE",
        MEDICAL: "NOT_APPLICABLE",
    }
    told = undo(filed, HUKOU)
    assert told is not None
    assert (told.key, told.reverses) == (f"{filed.number}.{HUKOU}.R", f"{filed.number}.{HUKOU}")
    assert (told.deceased.id_number, told.reversal_reason) == ("150626194703129116", "误报：本人健在")
    assert (told.account, told.certificates, told.details) == (None, (), {})


def test_every_one_that_was_told_is_asked_at_one_moment_results_or_not(filed: World) -> None:
    deregister(filed)
    filed.report("social-security", PENSION, "s-1", Outcome.REFUSED, reason="无此参保")
    case = revoke(filed)
    assert set(undone(filed)) == {f"{HUKOU}.R", f"{PENSION}.R", f"{MEDICAL}.R"}
    assert {item.reversal.since for item in case.items.values() if item.reversal} == {filed.now}


def test_the_case_ends_once_all_have_answered_and_a_refusal_is_shown_with_its_reason(filed: World) -> None:
    deregister(filed)
    revoke(filed)
    for slug in (HUKOU, PENSION, MEDICAL):
        arrives(filed, slug)
    answers(filed, "public-security", HUKOU, Outcome.ACCEPTED)
    answers(filed, "public-security", HUKOU, Outcome.COMPLETED)
    answers(filed, "medical-insurance", MEDICAL, Outcome.COMPLETED)
    assert filed.case().status == "REVOKING"
    case = answers(filed, "social-security", PENSION, Outcome.REFUSED, "待遇已发放，须先追回")
    assert case.status == "REVOKED"
    (left,) = reading.obstacles(filed.policies, policy(), case)
    assert (left.reason.code, left.item) == ("REVERSAL_REFUSED", PENSION)
    assert "待遇已发放，须先追回" in left.reason.zh()
    assert filed.faults() == []


def test_nothing_more_is_pushed_or_taken_and_the_department_learns_why(filed: World) -> None:
    revoke(filed)
    since = len(filed.queued)
    ack = deregister(filed)
    assert (ack.outcome, ack.reason.code if ack.reason else None) == (AckOutcome.REFUSED, "CASE_REVOKED")
    assert (len(filed.queued), filed.status(HUKOU)) == (since, "DISPATCHED")
    with filed.acting() as ctx:
        from gateway.services import dispatch

        assert dispatch.application(ctx, filed.number, HUKOU) is None, "an application still under way is not sent"


def test_money_that_was_not_told_is_cancelled_and_what_was_paid_is_shown_to_be_recovered(world: World) -> None:
    world.until_cremation(hz_form("PENSION_RETIREE", "MEDICAL_EMPLOYEE", account=hz_account()))
    sums = (payment("1", "FUNERAL_GRANT", 480000),)
    world.report("social-security", "pension-funeral-bereavement-claim", "s-1", Outcome.COMPLETED, payments=sums)
    balance = payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345)
    world.report("medical-insurance", "medical-account-settlement", "m-1", Outcome.COMPLETED, payments=(balance,))
    paid = (replace(balance, state=PaymentState.PAID),)
    world.at("2025-11-11 10:00").report("medical-insurance", "medical-account-settlement", "m-2", payments=paid)
    case = revoke(world)
    assert world.payout("pension-funeral-bereavement-claim:1").status == "CANCELLED"
    assert world.payout("medical-account-settlement:1").status == "PAID"
    found = reading.obstacles(world.policies, world.policies.version("hz", case.policy_version), case)
    told = [obstacle.payout for obstacle in found if obstacle.reason.code == "PAID_BEFORE_REVOCATION"]
    assert told == ["medical-account-settlement:1"]


@pytest.mark.rule("PD-07")
def test_a_later_real_death_can_be_filed(filed: World) -> None:
    first = filed.number
    revoke(filed)
    filed.at("2026-01-05 10:00").submit(ws_form(), key="later", actor=QIQIGE)
    assert filed.number != first
    assert filed.case(first).status == "REVOKING"


def test_the_same_revocation_again_changes_nothing(filed: World) -> None:
    before = revoke(filed).revision
    assert revoke(filed).revision == before
    with pytest.raises(Refused) as found:
        revoke_without_reason(filed)
    assert codes(found.value) == ["FIELD_REQUIRED"]


def revoke_without_reason(world: World) -> None:
    world.submit(ws_form(), key="other", actor=QIQIGE)
    revoke(world, " ")


@pytest.mark.rule("PD-16")
def test_a_department_that_is_away_gets_it_when_it_is_back_and_an_operator_can_drive_it(filed: World) -> None:
    revoke(filed)
    for _ in range(3):
        with filed.acting() as ctx:
            reversal.not_delivered(ctx, filed.number, HUKOU, "timeout", (10, 60), True)
    item = filed.item(HUKOU)
    assert item.reversal is not None and item.reversal.delivery.state == "FAILED"
    assert filed.supervision("2020-01-01 00:00", "2030-01-01 00:00").undeliverable == 1
    assert undo(filed, HUKOU) is None
    with filed.acting(DUTY) as ctx:
        reversal.redrive(ctx, filed.number, HUKOU)
    assert undo(filed, HUKOU) is not None
    arrives(filed, HUKOU, Outcome.COMPLETED)
    assert filed.case().status == "REVOKED"


@pytest.mark.rule("PD-06")
def test_answers_twice_late_contradictory_and_from_another_department(filed: World) -> None:
    revoke(filed)
    with pytest.raises(Refused) as found:
        answers(filed, "medical-insurance", HUKOU, Outcome.COMPLETED)
    assert codes(found.value) == ["NOT_OWNER"]
    answers(filed, "public-security", HUKOU, Outcome.REFUSED, "须先补录户口")
    assert filed.case().status == "REVOKED"
    case = answers(filed, "public-security", HUKOU, Outcome.COMPLETED)
    assert case.items[HUKOU].reversal.status == "COMPLETED", "what was refused may be undone after all"  # type: ignore[union-attr]
    again = answers(filed, "public-security", HUKOU, Outcome.COMPLETED)
    late = answers(filed, "public-security", HUKOU, Outcome.ACCEPTED)
    assert case.revision == again.revision == late.revision
    with pytest.raises(Refused) as found:
        answers(filed, "public-security", HUKOU, Outcome.REFUSED, "x")
    assert codes(found.value) == ["CONFLICT"]


def test_a_department_without_a_system_answers_for_itself(database: Database) -> None:
    world = World(database)
    world.outward = replace(world.outward, connected=frozenset())
    world.at("2021-07-14 10:20").submit(ws_form(), actor=QIQIGE)
    revoke(world)
    assert undone(world) == []
    assert answers(world, "public-security", HUKOU, Outcome.COMPLETED).status == "REVOKED"


# ── withdrawal ──────────────────────────────────────────────────────────────────────────────────────────


def allowing(until: str = "ACCEPTED", items: str = "CHOSEN") -> PolicyBook:
    rule = Withdrawal(items=items, until=until, source="WS-105")  # type: ignore[arg-type]
    known = policy().model_copy(update={"withdrawal": rule})
    return replace(book(), jurisdictions=tuple(known if p.code == "ws" else p for p in book().jurisdictions))


def withdraw(world: World, slug: str) -> Case:
    with world.acting(QIQIGE) as ctx:
        return revocation.withdraw(ctx, world.number, slug, "家属改变主意")


@pytest.mark.rule("S-04")
def test_where_no_rule_allows_it_nothing_can_be_withdrawn(filed: World) -> None:
    assert all(policy.withdrawal is None for policy in book().jurisdictions), "no seed says so: null until set"
    with pytest.raises(Refused) as found:
        withdraw(filed, PENSION)
    assert codes(found.value) == ["WITHDRAWAL_NOT_OFFERED"]
    assert found.value.problems[0].reason.ids == ("S-04",)


@pytest.mark.rule("S-04", "WS-105")
def test_where_the_rules_allow_it_an_item_is_taken_back_and_a_department_that_was_told_undoes_it(
    database: Database,
) -> None:
    world = connected(database, allowing())
    world.submit(ws_form(), actor=QIQIGE)
    assert withdraw(world, PENSION).items[PENSION].status == "WITHDRAWN"
    assert undone(world) == [], "nobody had been told"
    deregister(world)
    assert withdraw(world, MEDICAL).items[MEDICAL].status == "WITHDRAWN"
    assert undone(world) == [f"{MEDICAL}.R"]
    assert world.case().status == "CLOSED", "a withdrawn item is final"


@pytest.mark.rule("S-04")
def test_what_was_not_chosen_or_is_accepted_already_stays(database: Database) -> None:
    world = connected(database, allowing())
    world.submit(ws_form(), actor=QIQIGE)
    deregister(world)
    world.report("medical-insurance", MEDICAL, "m-1", Outcome.ACCEPTED)
    for slug in (HUKOU, MEDICAL):
        with pytest.raises(Refused) as found:
            withdraw(world, slug)
        assert codes(found.value) == ["WITHDRAWAL_NOT_OFFERED"]
    assert found.value.problems[0].reason.ids == ("WS-105",)


@pytest.mark.rule("S-04")
def test_a_rule_may_reach_further(database: Database) -> None:
    world = connected(database, allowing("FINAL", "ALL"))
    world.submit(ws_form(), actor=QIQIGE)
    deregister(world)
    world.report("medical-insurance", MEDICAL, "m-1", Outcome.ACCEPTED)
    assert withdraw(world, MEDICAL).items[MEDICAL].status == "WITHDRAWN"
