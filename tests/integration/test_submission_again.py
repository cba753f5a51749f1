"""The same submission at once, again, and after a failure: one case, one number, nothing hidden (PD-07, PD-16)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway.access.rights import Viewer
from gateway.domain.department import Outcome
from gateway.domain.form import Form, MaterialForm
from gateway.domain.messages import Refused
from gateway.services import dispatch, joint_submission, reading, revocation
from gateway.services.joint_submission import Submitted
from tests.builders import DUTY, World, codes, hz_account, hz_form, payment, unidentified
from tests.door import desk_of
from tests.integration.test_submission import SON_FORM, refused


def at_once(world: World, filings: Sequence[tuple[Viewer, Form, str | None]]) -> list[Submitted | Refused]:
    """All of them at one moment, each in a transaction of its own."""
    desk = desk_of(world)

    async def file(viewer: Viewer, form: Form, key: str | None) -> Submitted | Refused:
        try:
            return await desk.change(viewer, lambda ctx: joint_submission.submit(ctx, form, key))
        except Refused as refused:
            return refused

    async def run() -> list[Submitted | Refused]:
        return list(await asyncio.gather(*(file(*filing) for filing in filings)))

    try:
        return asyncio.run(run())
    finally:
        desk.threads.shutdown()


def staff(subject: str = "staff-yaoli") -> Viewer:
    return Viewer("civil-affairs-assistant", "330500", "姚丽", subject)


@pytest.mark.rule("PD-07", "PD-16")
@pytest.mark.parametrize("keys", [["k-1"] * 20, [None] * 20, [f"k-{turn}" for turn in range(20)]])
def test_twenty_equal_submissions_at_once_are_one_case(world: World, keys: list[str | None]) -> None:
    made = at_once(world, [(staff(), hz_form(), key) for key in keys])
    assert all(isinstance(each, Submitted) for each in made), made
    assert len({each.case.number for each in made if isinstance(each, Submitted)}) == 1
    assert sum(each.created for each in made if isinstance(each, Submitted)) == 1
    assert world.count() == 1


@pytest.mark.rule("PD-07", "PD-21")
def test_twenty_equal_reports_of_an_unknown_body_at_once_are_one_case(world: World) -> None:
    """Nothing but the key tells that they are one: there is no number to find the deceased by."""
    body = hz_form(deceased=unidentified())
    made = at_once(world, [(staff(), body, "k-1")] * 20)
    assert {each.case.number for each in made if isinstance(each, Submitted)} != set()
    assert (len([each for each in made if isinstance(each, Submitted)]), world.count()) == (20, 1)


@pytest.mark.rule("PD-07", "PD-21")
def test_two_unknown_bodies_under_two_keys_are_two_cases(world: World) -> None:
    body = hz_form(deceased=unidentified())
    assert world.submit(body, "k-1").number != world.submit(body, "k-2").number


@pytest.mark.rule("PD-07")
def test_twenty_relatives_at_once_are_told_one_number(world: World) -> None:
    filings = [
        (staff(f"staff-{turn}"), hz_form(applicant=replace(SON_FORM, name=f"沈{turn}")), f"k-{turn}")
        for turn in range(20)
    ]
    made = at_once(world, filings)
    (first,) = [each for each in made if isinstance(each, Submitted)]
    told = [each for each in made if isinstance(each, Refused)]
    assert [codes(each) for each in told] == [["CASE_ALREADY_OPEN"]] * 19
    assert {each.problems[0].reason.facts["number"] for each in told} == {first.case.number}
    assert world.count() == 1


@pytest.mark.rule("PD-07")
def test_the_same_form_of_the_same_person_under_another_key_is_the_same_case(world: World) -> None:
    """A portal that makes a new key for each press of the button."""
    first = world.submit(hz_form(), "k-1")
    with world.acting() as ctx:
        again = joint_submission.submit(ctx, hz_form(), "k-2")
    assert (again.case.number, again.created) == (first.number, False)
    assert codes(refused(world, hz_form(applicant=SON_FORM), "k-2")) == ["SUBMISSION_KEY_REUSED"]


@pytest.mark.rule("PD-07")
@pytest.mark.parametrize("key", ["k" * 129, "a\x00b", "\n"])
def test_a_key_no_table_holds_is_refused(world: World, key: str) -> None:
    error = refused(world, hz_form(), key)
    assert (codes(error), error.problems[0].path) == (["FIELD_INVALID"], "submissionKey")


@pytest.mark.rule("PD-07", "PD-16")
def test_what_was_given_up_is_driven_again_by_the_same_submission(world: World) -> None:
    world.submit(hz_form(), "k-1")
    world.not_delivered("death-cert-normal", (), retryable=False)
    assert world.item("death-cert-normal").delivery.state == "FAILED"
    with world.at("2025-11-08 09:00").acting() as ctx:
        again = joint_submission.submit(ctx, hz_form(), "k-1")
    assert (again.case.number, again.created, again.driven) == (world.number, False, ("death-cert-normal",))
    assert world.item("death-cert-normal").delivery.state == "PENDING"
    assert (world.queued[-1].name, world.queued[-1].args) == ("deliver", (world.number, "death-cert-normal"))
    length = len(world.queued)
    with world.acting() as ctx:
        assert joint_submission.submit(ctx, hz_form(), "k-1").driven == (), "it is under way"
    assert len(world.queued) == length


@pytest.mark.rule("PD-16")
def test_a_push_between_two_attempts_keeps_its_pause_when_the_form_comes_again(world: World) -> None:
    world.submit(hz_form(), "k-1")
    world.not_delivered("death-cert-normal", (60.0,))
    before, queued = world.item("death-cert-normal").delivery, len(world.queued)
    with world.acting() as ctx:
        assert joint_submission.submit(ctx, hz_form(), "k-1").driven == ()
    assert (world.item("death-cert-normal").delivery, len(world.queued)) == (before, queued)


@pytest.mark.rule("PD-16", "HZ-701")
@pytest.mark.parametrize("who", ["form", "duty"])
def test_an_account_order_that_was_given_up_is_driven_again_under_its_key(world: World, who: str) -> None:
    form = hz_form(account=hz_account())
    world.until_cremation(form).at("2025-11-11 10:00")
    slug = "medical-account-settlement"
    sums = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    world.report("medical-insurance", slug, "m-1", Outcome.COMPLETED, payments=sums)
    with world.acting() as ctx:
        first = dispatch.instruction(ctx, world.number, f"{slug}:1")
        dispatch.not_instructed(ctx, world.number, f"{slug}:1", "timeout", (), retryable=False)
    case = world.case()
    policy = world.policies.version(case.jurisdiction, case.policy_version)
    why = reading.obstacles(world.policies, policy, case)
    assert [found.reason.code for found in why if found.payout == f"{slug}:1"] == ["DELIVERY_GIVEN_UP"]
    with world.at("2025-11-12 10:00").acting() as ctx:
        if who == "form":
            assert joint_submission.submit(ctx, form).driven == (slug,)
        else:
            dispatch.redrive(ctx, world.number, slug)
    assert world.payout(f"{slug}:1").delivery.state == "PENDING"
    assert (world.queued[-1].name, world.queued[-1].args) == ("instruct", (world.number, f"{slug}:1"))
    with world.acting() as ctx:
        again = dispatch.instruction(ctx, world.number, f"{slug}:1")
    assert first is not None and again == first


@pytest.mark.rule("PD-07", "PD-16")
def test_a_submission_that_broke_before_it_was_written_down_is_filed_by_the_next(world: World) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("power loss")

    world.database.enqueue = broken
    with pytest.raises(RuntimeError):
        world.submit(hz_form(), "k-1")
    world.database.enqueue = lambda connection, work: world.queued.append(work)
    assert world.count() == 0
    with world.acting() as ctx:
        assert joint_submission.submit(ctx, hz_form(), "k-1").created
    assert world.count() == 1 and world.queued


@pytest.mark.rule("PD-07")
def test_the_key_of_a_revoked_case_files_anew(world: World) -> None:
    first = world.submit(hz_form(), "k-1").number
    with world.acting(DUTY) as ctx:
        revocation.revoke(ctx, first, "误报")
    second = world.at("2026-03-01 10:00").submit(hz_form(), "k-1").number
    assert second != first
    with world.acting() as ctx:
        again = joint_submission.submit(ctx, hz_form(), "k-1")
    assert (again.case.number, again.created) == (second, False)


@pytest.mark.rule("PD-16")
def test_a_form_filed_again_after_an_upgrade_is_the_same_form() -> None:
    form = replace(hz_form(), materials=(MaterialForm("ID_CARD", "身份证", "sha256:0"),))
    of_the_release_before = "addfb4264bd60d18f5a7e77ffe3759cfe7b1913b6f7725fe7e688917863c5b31"
    assert joint_submission._content(form, None) == of_the_release_before
    other = replace(form, materials=(MaterialForm("ID_CARD", "身份证", "sha256:0", "u-1"),))
    assert joint_submission._content(other, None) != of_the_release_before
