"""云南省: systems that are down or answer by another route, four stages, rating rules, monitoring and counting."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.department import Outcome, Record
from gateway.domain.events import Delivered, Pushed
from gateway.domain.messages import Refused
from gateway.services import joint_submission, reading, supervision, write_back
from gateway.services.write_back import AckOutcome
from gateway.store.cases import Actor
from gateway.store.session import Database
from tests.builders import World, codes, moment
from tests.yunnan import (
    CASE_CODE,
    CLERK,
    CODING,
    FUND,
    HELPER,
    HUKOU,
    MEDICAL,
    MEDICAL_END,
    RETURN,
    SEVEN,
    SON,
    add,
    answer,
    answer_all,
    application,
    as_heir,
    code,
    connected,
    library,
    policy,
    seen_by,
    sent,
    systems,
    until_closed,
    until_result,
    yn_form,
)


@pytest.fixture
def filed(database: Database) -> World:
    world = connected(database)
    world.submit(yn_form(), actor=SON, looks=library())
    return world


def obstacles(world: World) -> dict[str | None, str]:
    found = reading.obstacles(world.policies, policy(), world.case())
    return {obstacle.item: obstacle.reason.code.value for obstacle in found}


def read(world: World, slug: str, at: str, outcome: Outcome = Outcome.COMPLETED, **more: str) -> write_back.Ack:
    """The hub is asked, and shows its record of an item."""
    record = Record(f"{world.number}.{slug}", outcome, "30", moment(at), details=more)
    definition = policy().item(slug)
    assert definition is not None and definition.department is not None
    with world.acting(Actor("gateway", "联办平台", None, "gateway")) as ctx:
        report, serial = write_back.report_of(record), write_back.record_serial(record)
        return write_back.take(ctx, definition.department, world.number, slug, serial, report)


# ── the provincial platform ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-1001", "PD-16", "S-15", "AS-08")
def test_without_the_platform_the_case_runs_and_the_code_comes_later(filed: World) -> None:
    filed.not_delivered(CODING)
    assert obstacles(filed)[CODING] == "WAITS_FOR_DELIVERY"
    answer_all(filed)
    assert {filed.status(slug) for slug in SEVEN} == {"COMPLETED"}, "no item needs the code"
    assert (filed.status(RETURN), obstacles(filed)[RETURN]) == ("BLOCKED", "WAITS_FOR_ALL_ITEMS")
    filed.at("2025-11-12 08:00").delivered(CODING)
    code(filed)
    assert (filed.status(RETURN), sent(filed).count(RETURN)) == ("DISPATCHED", 1)
    assert application(filed, RETURN).details["caseCode"] == CASE_CODE


@pytest.mark.rule("YN-1001", "PD-06")
def test_the_code_is_read_from_the_platform_when_it_does_not_call_back(filed: World) -> None:
    filed.delivered(CODING, Outcome.RECEIVED)
    assert read(filed, CODING, "2025-11-06 09:40", caseCode=CASE_CODE).outcome is AckOutcome.APPLIED
    assert read(filed, CODING, "2025-11-06 09:40", caseCode=CASE_CODE).outcome is AckOutcome.REPEATED
    assert filed.item(CODING).details["caseCode"] == CASE_CODE


@pytest.mark.rule("YN-1001", "PD-16")
def test_a_result_that_did_not_arrive_is_returned_again_and_closes_the_case_once(database: Database) -> None:
    world = until_result(connected(database))
    keys = {application(world, RETURN).key}
    world.not_delivered(RETURN)
    assert world.case().status == "IN_PROGRESS"
    keys.add(application(world, RETURN).key)
    world.delivered(RETURN, Outcome.COMPLETED)
    assert (world.case().status, len(keys)) == ("CLOSED", 1)
    world.delivered(RETURN, Outcome.COMPLETED)
    assert sum(isinstance(event, Delivered) for event in world.ledger()) == 1


# ── the hub and the systems behind it ───────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-1003", "PD-16", "S-15")
def test_an_item_the_hub_did_not_take_is_tried_again_under_one_key(filed: World) -> None:
    first = application(filed, HUKOU)
    filed.at("2025-11-06 09:31").not_delivered(HUKOU)
    assert obstacles(filed)[HUKOU] == "WAITS_FOR_DELIVERY"
    assert filed.item(HUKOU).delivery.failing_since == moment("2025-11-06 09:31")
    answer(filed, MEDICAL)
    assert filed.status(MEDICAL) == "COMPLETED", "the others go on"
    again = application(filed, HUKOU)
    assert (again.key, again.correction) == (first.key, 0)
    filed.delivered(HUKOU)
    assert filed.item(HUKOU).delivery.state == "DELIVERED"


@pytest.mark.rule("YN-1005", "YN-823", "YN-821", "PD-06", "C-23")
def test_a_result_comes_back_by_another_route_than_the_push(filed: World) -> None:
    """The police system is run by a higher level: it answers later, and not through the hub."""
    filed.delivered(HUKOU)
    back = answer(filed.at("2025-11-18 15:00"), HUKOU, "GA-2025-11-18-0007", reference="YX-HK-0815")
    assert (back.outcome, filed.status(HUKOU)) == (AckOutcome.APPLIED, "COMPLETED")
    assert read(filed.at("2025-11-19 09:00"), HUKOU, "2025-11-18 23:00").reason is None, "the hub says the same later"
    assert filed.item(HUKOU).finished_at == moment("2025-11-18 15:00")
    late = read(filed, HUKOU, "2025-11-19 08:00", Outcome.REFUSED)
    assert (late.outcome, late.reason and late.reason.code) == (AckOutcome.REFUSED, "CONFLICT")
    assert filed.status(HUKOU) == "COMPLETED"


@pytest.mark.rule("YN-503", "YN-502")
def test_four_stages_of_an_item_are_kept_with_their_times(filed: World) -> None:
    assert filed.item(FUND).pushed_at == moment("2025-11-06 09:30")
    answer(filed.at("2025-11-07 10:00"), FUND, "a", Outcome.ACCEPTED)
    answer(filed.at("2025-11-08 11:00"), FUND, "b", Outcome.CORRECTION, reason="缺少账户信息", missing=("公积金账号",))
    assert filed.status(FUND) == "CORRECTION_REQUIRED"
    answer(filed.at("2025-11-09 12:00"), FUND, "c")
    item = filed.item(FUND)
    assert (item.accepted_at, item.finished_at) == (moment("2025-11-07 10:00"), moment("2025-11-09 12:00"))


@pytest.mark.rule("YN-502", "YN-206", "PD-15")
def test_the_back_office_sees_its_own_and_the_window_hands_out_everything(filed: World) -> None:
    answer_all(filed)
    medical = seen_by(filed, "specialist", "530402", "medical-insurance")
    assert medical is not None and set(medical.items) == {MEDICAL_END, MEDICAL}
    window = seen_by(filed, "window-clerk", "530402")
    assert window is not None and {window.items[slug].status.value for slug in SEVEN} == {"COMPLETED"}
    assert seen_by(filed, "specialist", "530402", "judicial") is None


# ── the four regimes of YN-901 ──────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-901", "PD-11")
def test_all_defects_are_told_at_once(database: Database) -> None:
    world = connected(database)
    form = yn_form(*SEVEN, "no-such-item", channel="HOTLINE", answers={})
    deceased = replace(form.deceased, id_number="530402195509099421")
    with pytest.raises(Refused) as found:
        world.submit(replace(form, deceased=deceased, applicant=None), actor=SON)
    assert set(codes(found.value)) == {
        "CHANNEL_NOT_OFFERED",
        "ID_NUMBER_INVALID",
        "FIELD_REQUIRED",
        "ITEM_UNKNOWN",
    }
    assert {problem.path for problem in found.value.problems} >= {"disposal.mode", "applicant.name"}
    assert (world.count(), world.queued) == (0, [])


@pytest.mark.rule("YN-901", "YN-207")
@pytest.mark.parametrize("actor, named", [(CLERK, "白丽"), (HELPER, "普文"), (SON, None)])
def test_who_was_asked_first_is_kept(database: Database, actor: Actor, named: str | None) -> None:
    world = connected(database)
    case = world.submit(yn_form(channel="REMOTE_ASSISTED"), actor=actor)
    assert case.first_asked == named
    until = add(world, "will-notarisation-check", actor=CLERK)
    assert until.first_asked == named, "it stays with the first"


# ── monitoring ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-902", "C-20")
def test_what_is_open_is_counted_per_department_and_area(filed: World) -> None:
    answer(filed, MEDICAL)
    filed.not_delivered(FUND, ladder=())
    period = (moment("2025-11-01 00:00"), moment("2025-12-01 00:00"))
    with filed.database.read() as tx:
        ctx = filed.ctx(tx)
        here = supervision.supervise(ctx, ("5304",), *period)
        elsewhere = supervision.supervise(ctx, ("5301",), *period)
    rows = {row.department: row for row in here.compliance}
    assert (rows["medical-insurance"].pushed, rows["medical-insurance"].without_limit) == (2, 2)
    assert (here.undeliverable, elsewhere.undeliverable, elsewhere.compliance) == (1, 0, ())
    assert obstacles(filed)[FUND] == "DELIVERY_GIVEN_UP", "the bottleneck has a name"
    assert MEDICAL not in obstacles(filed)


@pytest.mark.rule("YN-903", "YN-401")
def test_materials_steps_hand_overs_and_time_are_countable(database: Database) -> None:
    world = until_closed(connected(database))
    case = world.case()
    assert case.form is not None
    assert len(case.form.materials) == 0
    assert len([step for step in policy().steps if step.flow in (None, case.flow)]) == 11
    assert sum(len(event.slugs) for event in world.ledger() if isinstance(event, Pushed)) == len(SEVEN) + 2
    days = {slug: item.finished_at - item.pushed_at for slug, item in case.items.items() if item.pushed_at}  # type: ignore[operator]
    assert {days[slug].days for slug in SEVEN} == {4}
    assert case.closed_at is not None and (case.closed_at - case.opened_at).days == 4


@pytest.mark.rule("YN-1006", "YN-302")
def test_the_front_end_is_told_beforehand_what_the_one_form_leads_to(database: Database) -> None:
    world = connected(database)
    with world.acting(SON) as ctx:
        told = joint_submission.check(ctx, as_heir(yn_form()), looks=library())
    assert told.problems == () and world.count() == 0
    world.submit(as_heir(yn_form()), actor=SON, looks=library())
    assert {verdict.slug for verdict in told.verdicts} == set(world.case().items)
    assert set(systems(world)) == {CODING, *SEVEN}
