"""Conditions have three values: what nobody declared is neither true nor false."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.case import Applicability
from gateway.domain.form import DeathForm
from gateway.policy import decide
from gateway.policy.book import holds, inside
from gateway.policy.model import Condition
from tests.builders import book, huzhou, hz_form, moment, unidentified

T, F, U = True, False, None
YES = {"fact": "yes", "equals": True}
NO = {"fact": "no", "equals": True}
UNKNOWN = {"fact": "unknown", "equals": True}
FACTS: dict[str, Any] = {"yes": True, "no": False, "word": "CHILD", "area": "330502001"}


def value(condition: dict[str, Any]) -> bool | None:
    return holds(Condition.model_validate(condition), FACTS.get)


@pytest.mark.rule("PD-18")
@pytest.mark.parametrize(
    "left, right, both, either",
    [
        (YES, YES, T, T),
        (YES, NO, F, T),
        (YES, UNKNOWN, U, T),
        (NO, YES, F, T),
        (NO, NO, F, F),
        (NO, UNKNOWN, F, U),
        (UNKNOWN, YES, U, T),
        (UNKNOWN, NO, F, U),
        (UNKNOWN, UNKNOWN, U, U),
    ],
)
def test_truth_table(left: dict[str, Any], right: dict[str, Any], both: bool | None, either: bool | None) -> None:
    assert value({"all": [left, right]}) is both
    assert value({"any": [left, right]}) is either


@pytest.mark.parametrize("inner, outer", [(YES, F), (NO, T), (UNKNOWN, U)])
def test_not_of_unknown_is_unknown(inner: dict[str, Any], outer: bool | None) -> None:
    assert value({"not": inner}) is outer


def test_no_condition_always_holds() -> None:
    assert holds(None, FACTS.get) is True


@pytest.mark.parametrize(
    "condition, expected",
    [
        ({"fact": "word", "among": ["SPOUSE", "CHILD"]}, T),
        ({"fact": "word", "among": ["SPOUSE"]}, F),
        ({"fact": "unknown", "among": ["SPOUSE"]}, U),
        ({"fact": "area", "within": ["330500"]}, T),
        ({"fact": "area", "within": ["330503", "330502"]}, T),
        ({"fact": "area", "within": ["330503"]}, F),
        ({"fact": "unknown", "within": ["330503"]}, U),
        ({"fact": "word", "known": True}, T),
        ({"fact": "unknown", "known": True}, F),
        ({"fact": "unknown", "known": False}, T),
        ({"fact": "no", "equals": False}, T),
    ],
)
def test_facts(condition: dict[str, Any], expected: bool | None) -> None:
    assert value(condition) is expected


conditions = st.recursive(
    st.sampled_from([YES, NO, UNKNOWN]),
    lambda inner: (
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda part: {"not": part}, inner)
    ),
    max_leaves=8,
)


@given(conditions)
def test_unknown_only_where_the_missing_fact_decides(condition: dict[str, Any]) -> None:
    """A condition is unknown exactly when the two worlds of the missing fact could differ; never guessed."""
    parsed = Condition.model_validate(condition)
    worlds = {holds(parsed, {**FACTS, "unknown": filled}.get) for filled in (True, False)}
    assert None not in worlds
    known = value(condition)
    assert known is None or worlds == {known}


@given(conditions, conditions)
def test_de_morgan(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert value({"not": {"all": [left, right]}}) is value({"any": [{"not": left}, {"not": right}]})


@pytest.mark.rule("HZ-101", "HZ-816", "PD-15")
@pytest.mark.parametrize(
    "code, area, expected",
    [
        ("330502", "330500", True),
        ("330500", "330500", True),
        ("330502001", "330502", True),
        ("330502001003", "330502", True),
        ("330502001003", "330500", True),
        ("330502001003", "330502001", True),
        ("330502001003", "330502001000", True),
        ("330502001003", "330502000000", True),  # a county written with 12 digits
        ("330502", "330500000000", True),
        ("330502", "330000", True),
        ("330402", "330500", False),
        ("330503", "330502", False),
        ("330502002", "330502001", False),
        ("330502", "330502001", False),
        ("330500", "330502", False),
        ("340502", "330000", False),
    ],
)
def test_inside(code: str, area: str, expected: bool) -> None:
    assert inside(code, area) is expected


# ── which items, under Huzhou's policy ──────────────────────────────────────────────────────────────────


def verdict(slug: str, **situations: bool) -> str:
    form = hz_form(situations=situations)
    found = {verdict.slug: verdict for verdict in decide.verdicts(huzhou(), form, "OUTSIDE")}
    return found[slug].applicability.value


@pytest.mark.rule("HZ-608", "PD-18")
@pytest.mark.parametrize(
    "situations, expected",
    [
        ({"PENSION_RETIREE": True}, Applicability.APPLIES),
        ({"PENSION_RETIREE": False, "PENSION_RESIDENT": True}, Applicability.APPLIES),
        ({"PENSION_RETIREE": False, "PENSION_RESIDENT": False}, Applicability.DOES_NOT_APPLY),
        ({"PENSION_RETIREE": False}, Applicability.DEPARTMENT_VERIFIES),
        ({}, Applicability.DEPARTMENT_VERIFIES),
    ],
)
def test_what_was_not_declared_the_department_verifies(situations: dict[str, bool], expected: str) -> None:
    assert verdict("retirement-pension-stop", **situations) == expected


@pytest.mark.rule("HZ-629", "HZ-630", "HZ-631")
@pytest.mark.parametrize("slug", ["bank-asset-disposal", "insurer-asset-disposal", "eco-burial-reward"])
def test_what_nobody_can_verify_is_left_out_until_declared(slug: str) -> None:
    assert verdict(slug) == Applicability.DOES_NOT_APPLY


@pytest.mark.rule("HZ-610", "HZ-611", "HZ-612", "HZ-613", "PD-14")
def test_pension_business_types_are_neither_merged_nor_excluded() -> None:
    form = hz_form("PENSION_RETIREE", "PENSION_RESIDENT")
    found = {verdict.slug: verdict for verdict in decide.verdicts(huzhou(), form, "OUTSIDE")}
    types = found["pension-funeral-bereavement-claim"].business_types
    assert types == ("pension-claim.retiree", "pension-claim.resident")


@pytest.mark.rule("HZ-607", "HZ-606", "HZ-105")
@pytest.mark.parametrize("slug", ["hukou-deregistration", "funeral-service", "ashes-burial-information"])
def test_some_items_belong_to_every_case(slug: str) -> None:
    assert verdict(slug) == Applicability.APPLIES


@pytest.mark.rule("HZ-602", "HZ-603")
@pytest.mark.parametrize("flow, normal, abnormal", [("OUTSIDE", 1, 0), ("INSIDE", 1, 0), ("ABNORMAL", 0, 1)])
def test_each_flow_has_its_certificate(flow: str, normal: int, abnormal: int) -> None:
    found = decide.verdicts(huzhou(), hz_form(flow=flow), flow)
    applies = {verdict.slug for verdict in found if verdict.applicability is Applicability.APPLIES}
    assert ("death-cert-normal" in applies, "death-cert-abnormal" in applies) == (bool(normal), bool(abnormal))


@pytest.mark.rule("HZ-104", "PD-21")
def test_an_unidentified_body_is_not_found_ineligible() -> None:
    from gateway.policy.check import eligibility

    body = hz_form(flow="ABNORMAL", deceased=unidentified(), death=DeathForm(area="330502"))
    assert list(eligibility(huzhou(), body)) == []


@pytest.mark.rule("HZ-624", "HZ-626", "HZ-627", "PD-05", "C-30")
@pytest.mark.parametrize(
    "slug, died, effective",
    [
        ("dibao-stop", "2025-11-07 20:00", "2025-12"),
        ("dibao-stop", "2025-11-30 23:59", "2025-12"),
        ("dibao-stop", "2025-12-31 23:59", "2026-01"),
        ("disability-treatment-stop", "2025-12-01 00:00", "2026-01"),
        ("resettlement-reduction", "2025-12-31 23:59", "2026"),
        ("resettlement-reduction", "2026-01-01 00:00", "2027"),
        ("hukou-deregistration", "2025-11-07 20:00", None),
    ],
)
def test_a_stop_takes_effect_by_the_date_of_death(slug: str, died: str, effective: str | None) -> None:
    from gateway.domain import events as e
    from gateway.domain.fold import apply

    form = hz_form(death=DeathForm(moment(died), "330502"))
    opened = e.CaseOpened("1", "hz", "2019-10-15", "OUTSIDE", "330502", "WEB", "duty-person", form.deceased, form.death)
    case = apply(None, opened, moment("2026-02-01 10:00"))
    definition = huzhou().item(slug)
    assert definition is not None
    calendar = book().calendars["hz"]
    assert decide.effective(huzhou(), calendar, case, definition, moment("2026-02-01 10:00")) == effective
