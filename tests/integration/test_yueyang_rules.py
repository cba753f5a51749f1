"""岳阳县, rule by rule: who is admitted, where one applies, which papers, promises and signature (AS-06)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.form import DeathForm
from gateway.domain.messages import Refused
from gateway.store.cases import Actor
from gateway.store.session import Database
from tests.builders import World, codes, moment
from tests.yueyang import (
    CLERK,
    FIVE,
    FUND,
    LI_DEFU,
    apply,
    connected,
    killed_at_work,
    papers,
    policy,
    refused,
    yy_form,
)


@pytest.fixture
def county(database: Database) -> World:
    return connected(database)


@pytest.mark.rule("AS-06", "YY-102", "YY-103", "YY-105", "PD-11", "C-04", "C-05", "C-06")
def test_every_failing_condition_is_told_together(county: World) -> None:
    error = refused(county, killed_at_work())
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


@pytest.mark.rule("YY-327", "YY-328")
def test_the_application_is_signed_the_day_is_kept_when_it_is_given(county: World) -> None:
    answers = {path: value for path, value in yy_form().answers.items() if path != "signature"}
    error = refused(county, yy_form(answers=answers))
    assert [(p.reason.code.value, p.path, p.reason.ids) for p in error.problems] == [
        ("FIELD_REQUIRED", "signature", ("YY-327",))
    ]
    apply(county, answers={**yy_form().answers, "signedOn": "2021-06-17"})
    case = county.case()
    assert case.form is not None
    assert (case.form.answers["signature"], case.form.answers["signedOn"]) == ("李建军", "2021-06-17")


@pytest.mark.rule("YY-303", "YY-307")
def test_a_wrong_check_digit_is_named_with_its_field(county: World) -> None:
    form = yy_form()
    wrong = LI_DEFU[:-1] + "0"
    error = refused(
        county,
        replace(
            form,
            deceased=replace(form.deceased, id_number=wrong),
            applicant=replace(form.applicant, id_number=wrong),  # type: ignore[type-var]
        ),
    )
    assert {problem.path for problem in error.problems} == {"deceased.idNumber", "applicant.idNumber"}
