"""The one-time notification: every problem of a form at once, each with its field and the rows it rests on (PD-11)."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.domain.form import DeathForm, Form, PersonForm
from gateway.domain.messages import TEXTS, Code, Reason
from gateway.policy.check import check
from tests.builders import (
    SHEN_FUGEN,
    book,
    huzhou,
    hz_account,
    hz_deceased,
    hz_form,
    moment,
    unidentified,
)

TODAY = date(2025, 11, 7)


def problems(form: Form) -> list[tuple[str, str | None, tuple[str, ...]]]:
    found = check(book(), huzhou(), form, TODAY)
    return [(problem.reason.code.value, problem.path, problem.reason.ids) for problem in found]


def paths(form: Form) -> set[tuple[str, str | None]]:
    return {(code, path) for code, path, _ in problems(form)}


def with_applicant(**changes: Any) -> Form:
    form = hz_form()
    assert form.applicant is not None
    return replace(form, applicant=replace(form.applicant, **changes))


@pytest.mark.rule("HZ-301", "HZ-302")
def test_a_right_form_has_no_problem() -> None:
    assert problems(hz_form()) == []
    assert problems(hz_form(account=hz_account())) == []


@pytest.mark.rule("PD-11", "YN-901", "HZ-101", "HZ-301")
def test_every_problem_is_told_at_once_with_path_and_row() -> None:
    form = hz_form(
        channel="PIGEON",
        deceased=hz_deceased(id_number="330502193910109558", hukou_area="340502", sex="MAN"),
        death=DeathForm(None, "610800"),
        applicant=PersonForm("沈丽娟", phone="123", relation="FRIEND"),
        situations={"RICH": True},
        items=("tea-ceremony",),
        account=hz_account(holder=None, number="12ab"),
        answers={"funeral.music": "no"},
    )
    found = {(code, path): ids for code, path, ids in problems(form)}
    assert set(found) == {
        ("CHANNEL_NOT_OFFERED", "channel"),
        ("ID_NUMBER_INVALID", "deceased.idNumber"),
        ("NOT_ELIGIBLE", "deceased.hukouArea"),
        ("OPTION_UNKNOWN", "deceased.sex"),
        ("FIELD_REQUIRED", "death.occurredAt"),
        ("NOT_ELIGIBLE", "death.area"),
        ("FIELD_INVALID", "applicant.phone"),
        ("OPTION_UNKNOWN", "applicant.relation"),
        ("OPTION_UNKNOWN", "situations"),
        ("ITEM_UNKNOWN", "items"),
        ("FIELD_REQUIRED", "account.holder"),
        ("FIELD_INVALID", "account.number"),
        ("FIELD_INVALID", "funeral.music"),
    }
    assert found["NOT_ELIGIBLE", "deceased.hukouArea"] == ("HZ-101",)
    assert found["NOT_ELIGIBLE", "death.area"] == ("HZ-101",)
    assert found["ID_NUMBER_INVALID", "deceased.idNumber"] == ("HZ-301",)
    assert found["FIELD_INVALID", "account.number"] == ("HZ-701",)
    assert "HZ-201" in found["CHANNEL_NOT_OFFERED", "channel"]


@pytest.mark.rule("HZ-301")
def test_an_empty_form_names_every_required_field() -> None:
    empty = Form("hz", "OUTSIDE", "STAFF_APP", None)
    assert paths(empty) == {
        ("FIELD_REQUIRED", path)
        for path in (
            "deceased.name",
            "deceased.idNumber",
            "deceased.hukouArea",
            "death.occurredAt",
            "death.area",
            "applicant.name",
            "applicant.relation",
        )
    }


@pytest.mark.rule("HZ-104", "PD-21")
def test_an_unidentified_body_needs_only_the_place() -> None:
    form = Form("hz", "ABNORMAL", "STAFF_APP", None, unidentified(), DeathForm(area="330502"))
    assert problems(form) == []
    assert paths(replace(form, death=DeathForm())) == {("FIELD_REQUIRED", "death.area")}


@pytest.mark.rule("HZ-101")
@pytest.mark.parametrize(
    "hukou, died, failing",
    [
        ("330502", "330521", set()),
        ("330500", "330502", set()),
        ("330502001003", "330502001", set()),
        ("330402", "330502", {"deceased.hukouArea"}),
        ("330502", "310101", {"death.area"}),
        ("330402", "310101", {"deceased.hukouArea", "death.area"}),
    ],
)
def test_hukou_and_place_of_death_must_both_be_local(hukou: str, died: str, failing: set[str]) -> None:
    form = hz_form(deceased=hz_deceased(hukou_area=hukou), death=DeathForm(moment("2025-11-07 20:00"), died))
    assert paths(form) == {("NOT_ELIGIBLE", path) for path in failing}


@pytest.mark.rule("HZ-103")
@pytest.mark.parametrize("cause", ["WORK_INJURY", "SUICIDE", "HOMICIDE", "TRAFFIC_ACCIDENT", "NATURAL_DISASTER"])
def test_every_enumerated_cause_is_admitted(cause: str) -> None:
    death = DeathForm(moment("2025-11-07 20:00"), "330502", cause_kind=cause)
    assert problems(hz_form(flow="ABNORMAL", death=death)) == []


@pytest.mark.rule("HZ-301")
@pytest.mark.parametrize(
    "phone, right",
    [
        ("13757210001", True),
        ("137 5721 0001", True),
        ("+8613757210001", True),
        ("0572-2031234", True),
        ("0572-2031234-8001", True),
        ("057187051234", True),
        ("2031234", True),
        ("12345", True),  # the government hotline
        ("23757210001", False),
        ("1375721000", False),
        ("137572100011", False),
        ("电话不详", False),
        ("13757210001\n", False),
    ],
)
def test_phone(phone: str, right: bool) -> None:
    expected = set() if right else {("FIELD_INVALID", "applicant.phone")}
    assert paths(with_applicant(phone=phone)) == expected


@pytest.mark.rule("HZ-701")
@pytest.mark.parametrize(
    "number, right",
    [
        ("6222021205001234567", True),
        ("6222 0212 0500 1234 567", True),
        ("12345678", True),
        ("1234567", False),
        ("6" * 33, False),
        ("6222-0212-0500", False),
        ("六二二二零二一二零五", False),
    ],
)
def test_account_number(number: str, right: bool) -> None:
    expected = set() if right else {("FIELD_INVALID", "account.number")}
    assert paths(hz_form(account=hz_account(number=number))) == expected


@pytest.mark.rule("HZ-701")
def test_an_account_needs_its_holder_but_none_is_needed() -> None:
    assert paths(hz_form(account=hz_account(holder=None))) == {("FIELD_REQUIRED", "account.holder")}
    assert paths(hz_form(account=None)) == set()


@pytest.mark.rule("HZ-101")
@pytest.mark.parametrize("area", ["3305", "33050", "3305020", "湖州", "330502\n", "３３０５０２"])
def test_what_is_no_area_code_is_named(area: str) -> None:
    form = hz_form(deceased=hz_deceased(hukou_area=area))
    assert ("AREA_UNKNOWN", "deceased.hukouArea") in paths(form)


@pytest.mark.rule("HZ-301")
@pytest.mark.parametrize("path", ["funeral.bookingTime", "funeral.pickupAddress", "ashes.placement"])
def test_answers_of_the_four_groups_are_on_the_form(path: str) -> None:
    assert problems(hz_form(answers={path: "2025-11-09 08:00"})) == []


@pytest.mark.rule("HZ-301")
def test_an_answer_to_no_question_is_named() -> None:
    assert paths(hz_form(answers={"inheritance.house": "吴兴"})) == {("FIELD_INVALID", "inheritance.house")}


@pytest.mark.rule("HZ-201", "HZ-202", "HZ-203", "HZ-204", "HZ-207", "C-29")
@pytest.mark.parametrize("channel", ["WEB", "APP", "STAFF_APP", "WINDOW", "HOTLINE", "AGENT"])
def test_every_channel_of_huzhou_is_open(channel: str) -> None:
    assert problems(hz_form(channel=channel)) == []


@pytest.mark.rule("PD-11")
def test_no_text_of_a_problem_carries_the_whole_id_number() -> None:
    wrong = hz_deceased(id_number=SHEN_FUGEN[:-1] + "8")
    for problem in check(book(), huzhou(), hz_form(deceased=wrong), TODAY):
        assert SHEN_FUGEN[:-1] not in problem.reason.zh() + problem.reason.en()


@pytest.mark.parametrize("code", Code)
def test_every_code_has_its_text_in_both_languages(code: Code) -> None:
    chinese, english = TEXTS[code]
    names = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (chinese, english)]
    assert chinese.endswith(("。", "）", "}")) and english, "a whole sentence"
    plain = {name.removesuffix("_en") for name in names[1]}
    assert plain - {"path"} <= {name.removesuffix("_en") for name in names[0]} | {"label", "detail"}


def test_a_text_without_its_facts_shows_the_gap() -> None:
    assert "{number}" in Reason(Code.CASE_ALREADY_OPEN).zh()
