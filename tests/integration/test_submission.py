"""Joint submission: once, by whom it may be, and without a trace when it is refused (PD-07, PD-11, HZ-205)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.form import DeathForm, PersonForm
from gateway.domain.messages import Refused
from gateway.services import case_care, joint_submission
from gateway.store.cases import Actor
from tests.builders import (
    ASSISTANT,
    CARD,
    DAUGHTER,
    DUTY,
    SHEN_FUGEN,
    SHEN_LIJUAN,
    SON,
    World,
    codes,
    hz_account,
    hz_deceased,
    hz_form,
    moment,
)

pytestmark = pytest.mark.databases

SON_FORM = PersonForm("沈建国", relation="CHILD", phone="13757219999")


def refused(world: World, *arguments: object, **more: object) -> Refused:
    with pytest.raises(Refused) as found:
        world.submit(*arguments, **more)  # type: ignore[arg-type]
    return found.value


@pytest.mark.rule("PD-07", "PD-16")
@pytest.mark.parametrize("key", [None, "k-1"])
def test_the_same_submission_twice_is_one_case(world: World, key: str | None) -> None:
    first = world.submit(hz_form(), key)
    length, queued = len(world.ledger()), len(world.queued)
    with world.at("2025-11-07 22:11").acting() as ctx:
        again = joint_submission.submit(ctx, hz_form(), key)
    assert (again.case.number, again.created) == (first.number, False)
    assert (world.count(), len(world.ledger()), len(world.queued)) == (1, length, queued)


@pytest.mark.rule("PD-07")
def test_a_submission_key_with_other_content_is_refused(world: World) -> None:
    world.submit(hz_form(), "k-1")
    other = hz_form(deceased=hz_deceased(id_number=SHEN_LIJUAN))
    assert codes(refused(world, other, "k-1")) == ["SUBMISSION_KEY_REUSED"]
    assert world.count() == 1


@pytest.mark.rule("PD-07")
def test_a_key_belongs_to_who_used_it(world: World) -> None:
    world.submit(hz_form(), "k-1")
    other = hz_form(deceased=hz_deceased(id_number=SHEN_LIJUAN))
    world.submit(other, "k-1", DUTY)
    assert world.count() == 2


@pytest.mark.rule("PD-07", "S-05")
def test_a_second_submission_gets_the_number_and_nothing_else(world: World) -> None:
    number = world.submit(hz_form(account=hz_account())).number
    length, queued = len(world.ledger()), len(world.queued)
    error = refused(world, hz_form(applicant=SON_FORM), None, DUTY)
    (problem,) = error.problems
    assert (problem.reason.code, problem.reason.ids) == ("CASE_ALREADY_OPEN", ("PD-07",))
    assert dict(problem.reason.facts) == {"number": number}
    told = f"{error}{problem}{problem.reason.zh()}{problem.reason.en()}"
    for private in ("沈福根", "沈丽娟", SHEN_FUGEN, SHEN_LIJUAN, CARD, "13757210001"):
        assert private not in told
    assert (world.count(), len(world.ledger()), len(world.queued)) == (1, length, queued)


@pytest.mark.rule("PD-07")
@pytest.mark.parametrize("typed", ["３３０５０２１９３９１０１０９５５９", "330502 19391010 9559", "330502391010955"])
def test_the_same_person_written_otherwise_is_the_same_person(world: World, typed: str) -> None:
    world.submit(hz_form())
    other = hz_form(deceased=hz_deceased(id_number=typed), applicant=SON_FORM)
    assert codes(refused(world, other, None, DUTY)) == ["CASE_ALREADY_OPEN"]


@pytest.mark.rule("PD-07")
def test_two_cases_of_one_deceased_cannot_be_written_even_past_the_check(world: World) -> None:
    """Two gateways may look at the same moment; the second to write must not get a case."""
    from gateway.domain import events as e
    from gateway.services.context import CaseWork
    from gateway.store.cases import Stale

    world.submit(hz_form())
    form = hz_form()
    opened = e.CaseOpened(
        "HZ2025110700099",
        "hz",
        "2019-10-15",
        "OUTSIDE",
        "330502",
        "WEB",
        "duty-person",
        form.deceased,
        form.death,
    )
    with pytest.raises(Stale), world.acting() as ctx:
        CaseWork.open(ctx, opened).save()
    assert world.count() == 1


@pytest.mark.rule("PD-07")
def test_a_second_relative_joins_when_let_in(world: World) -> None:
    world.submit(hz_form())
    before = world.case().family
    with world.acting(SON) as ctx:
        request = case_care.ask_to_join(ctx, world.number, SON_FORM)
        assert case_care.ask_to_join(ctx, world.number, SON_FORM) == request, "asking twice is one request"
    assert world.case().family == before, "the number alone opens nothing"
    with world.acting(DUTY) as ctx:
        case_care.answer_join(ctx, world.number, request, accepted=True)
    assert world.case().family == (*before, SON.subject)
    with world.acting(SON) as ctx, pytest.raises(Refused):
        case_care.ask_to_join(ctx, world.number, SON_FORM)


@pytest.mark.rule("PD-07")
def test_a_refused_join_opens_nothing_and_is_answered_once(world: World) -> None:
    world.submit(hz_form())
    with world.acting(SON) as ctx:
        request = case_care.ask_to_join(ctx, world.number, SON_FORM)
    with world.acting(DUTY) as ctx:
        case_care.answer_join(ctx, world.number, request, accepted=False)
        with pytest.raises(Refused):
            case_care.answer_join(ctx, world.number, request, accepted=True)
    assert SON.subject not in world.case().family


@pytest.mark.rule("HZ-101", "PD-11", "PD-12")
@pytest.mark.parametrize(
    "hukou, died, failing",
    [
        ("310101", "330502", ["deceased.hukouArea"]),
        ("330502", "610800", ["death.area"]),
        ("310101", "610800", ["deceased.hukouArea", "death.area"]),
    ],
)
def test_the_ineligible_create_nothing_and_push_nothing(
    world: World, hukou: str, died: str, failing: list[str]
) -> None:
    death = DeathForm(moment("2025-11-07 20:00"), died)
    error = refused(world, hz_form(deceased=hz_deceased(hukou_area=hukou), death=death))
    assert [(problem.path, problem.reason.ids) for problem in error.problems] == [
        (path, ("HZ-101",)) for path in failing
    ]
    assert codes(error) == ["NOT_ELIGIBLE"] * len(failing)
    assert (world.count(), world.queued) == (0, [])
    assert world.submit(hz_form()).number.endswith("00001"), "not even a number was used up"


@pytest.mark.rule("HZ-205", "HZ-302", "C-10")
def test_the_family_may_not_open_a_case_in_huzhou(world: World) -> None:
    error = refused(world, hz_form(), None, DAUGHTER)
    assert codes(error) == ["OPENER_NOT_ALLOWED"]
    assert error.problems[0].reason.ids == ("HZ-502",)
    assert (world.count(), world.queued) == (0, [])


@pytest.mark.rule("HZ-204", "HZ-205", "HZ-206")
@pytest.mark.parametrize("role", ["civil-affairs-assistant", "window-clerk", "duty-person"])
def test_those_who_take_reports_may(world: World, role: str) -> None:
    assert world.submit(hz_form(), actor=Actor(role, "某", None, "x")).opened_by == role


@pytest.mark.rule("PD-11", "YN-901")
def test_faults_of_form_order_and_role_are_told_together(world: World) -> None:
    form = hz_form(flow="INSIDE", channel="PIGEON", deceased=hz_deceased(hukou_area="310101"))
    assert set(codes(refused(world, form, None, DAUGHTER))) == {
        "CHANNEL_NOT_OFFERED",
        "NOT_ELIGIBLE",
        "OPENER_NOT_ALLOWED",
        "CERTIFICATE_REQUIRED_FIRST",
    }


@pytest.mark.parametrize("change", [{"jurisdiction": "xx"}, {"flow": "SIDEWAYS"}])
def test_an_unknown_jurisdiction_or_flow_is_named(world: World, change: dict[str, str]) -> None:
    error = refused(world, replace(hz_form(), **change))  # type: ignore[arg-type]
    assert set(codes(error)) & {"JURISDICTION_UNKNOWN", "OPTION_UNKNOWN"}
    assert world.count() == 0


@pytest.mark.rule("PD-11")
def test_checking_first_answers_the_same_and_writes_nothing(world: World) -> None:
    with world.acting() as ctx:
        right = joint_submission.check(ctx, hz_form())
        wrong = joint_submission.check(ctx, hz_form(channel="PIGEON"))
    assert right.problems == () and len(right.verdicts) > 10
    assert [problem.reason.code for problem in wrong.problems] == ["CHANNEL_NOT_OFFERED"]
    assert world.count() == 0


@pytest.mark.rule("HZ-301")
def test_who_is_told_of_by_the_report_may_see_it(world: World) -> None:
    case = world.submit(hz_form())
    with world.acting() as ctx:
        assert case.family == (joint_submission.person_index(ctx, SHEN_LIJUAN),)


def test_a_case_that_is_not_there(world: World) -> None:
    world.number = "HZ2025110799999"
    with pytest.raises(Refused) as found, world.acting(ASSISTANT) as ctx:
        ctx.case(world.number)
    assert codes(found.value) == ["CASE_NOT_FOUND"]
