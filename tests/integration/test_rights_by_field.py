"""Every field as every role: one case with everything in it is asked for whole, and compared with the tables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import fields as attributes
from dataclasses import replace
from datetime import date
from typing import Any, get_args

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type

from gateway.access import fields
from gateway.access import rights as access
from gateway.access.fields import GROUPS, OTHERS, Rule
from gateway.access.rights import Fields, Rights, Role, Viewer
from gateway.access.sight import masked, sight_of
from gateway.domain import alerts as a
from gateway.domain import case as c
from gateway.domain import form as f
from gateway.domain.alerts import AlertKind
from gateway.domain.case import Case
from gateway.domain.department import Outcome
from gateway.domain.events import Event
from gateway.domain.form import MaterialForm, PersonForm
from gateway.domain.materials import AttachedMaterial, MaterialStatus
from gateway.domain.messages import Code, Reason
from gateway.services import case_care
from gateway.store import cases
from schema.build import build
from schema.measure import Limits
from tests.builders import DUTY, World, hz_account, hz_form, payment
from tests.door import ask, desk_of, viewer
from tests.integration.conftest import sqlite

SCHEMA = build(Limits(depth=99, aliases=10**6, tokens=10**6, cost=10**30))
TABLE = access.load()
RULES = fields.load()
READER = "reader"
"""A role that exists here only and sees everything: the others are compared with what it is told."""
NOT_ASKED = {"Jurisdiction", "ItemDefinition", "Department", "BusinessType", "DepartmentLink", "PageInfo", "Message"}
PRINTED = {("Case", "registrationForm"), ("Case", "summaryDocument")}
ONE_ITEM = ("Case", "item")
SEAL = ("Certificate", "seal")
"""Over a number: hidden where the number is masked."""
pytestmark = pytest.mark.rule("HZ-816", "PD-15")
Told = dict[tuple[tuple[str, str], ...], list[Any]]
"""(type, field) after (type, field) → every value that was told there."""


# ── the tables ──────────────────────────────────────────────────────────────────────────────────────────


def published() -> dict[str, list[str]]:
    kinds = build()._schema.type_map.items()
    return {
        name: list(kind.fields)
        for name, kind in kinds
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__")
    }


def test_every_field_of_the_schema_has_a_rule() -> None:
    assert [f"{name}.{field}" for name, has in published().items() for field in has if not RULES.of(name, field)] == []


def test_no_rule_is_about_a_field_that_does_not_exist() -> None:
    there = published()
    named = {(name, field) for name, ruled in RULES.published.items() for field in ruled}
    assert [one for one in named if one[0] not in there or one[1] not in (*there[one[0]], OTHERS)] == []


def test_every_rule_is_explained_and_used() -> None:
    used = {rule for ruled in RULES.published.values() for rules in ruled.values() for rule in rules}
    assert set(RULES.rules) == used


def test_types_of_persons_name_every_field() -> None:
    """What is new there is not open by default."""
    persons = {name for name, ruled in RULES.published.items() if any({*r} & {*GROUPS} for r in ruled.values())}
    assert persons >= {"Deceased", "Death", "Applicant", "Payee", "Account", "JoinRequest", "FuneralInformation"}
    assert [name for name in persons if OTHERS in RULES.published[name]] == []


def test_what_a_case_is_cut_by_exists() -> None:
    known = {
        kind.__name__: {one.name for one in attributes(kind)}
        for kind in (*vars(c).values(), *vars(f).values())
        if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__")
    }
    assert [name for name, ruled in RULES.record.items() if not set(ruled) <= known.get(name, set())] == []
    assert RULES.staff.alerts <= {kind.value for kind in AlertKind}
    events = {kind.__dataclass_fields__["type"].default for kind in get_args(Event)}
    assert RULES.staff.entries - events == set()


def test_what_the_family_does_not_read_of_the_staff_is_reviewed() -> None:
    """That somebody looked is nothing of the staff's: the family reads it."""
    assert {kind for kind in RULES.staff.entries if not kind.endswith((".failed", ".redriven"))} == {
        "delivery.lost",
        "write_back.refused",
        "join.requested",
        "case.noted",
        "supervision.escalated",
    }
    assert {kind.partition(".")[0] for kind in RULES.staff.entries if kind.endswith((".failed", ".redriven"))} == {
        "delivery",
        "instruction",
        "reversal",
    }


# ── the answers ─────────────────────────────────────────────────────────────────────────────────────────


def everything() -> Rights:
    """The table, with a reader of everything; nobody's look is noted, or the next one would be told more."""
    full = Fields(**dict.fromkeys(Fields.model_fields, "FULL"))
    reader = Role(cases="AREA", items="ALL", fields=full, messages=True, budget_per_min=1, may=["case"])
    quiet = {name: role.model_copy(update={"purpose": None}) for name, role in TABLE.roles.items()}
    return TABLE.model_copy(update={"roles": {**quiet, READER: reader}})


def rich(world: World) -> Case:
    """A case with a value in every field."""
    world.until_cremation(hz_form(account=hz_account(branch="吴兴支行", fallback_reason="户主")))
    sums = (payment("m-1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    world.report("medical-insurance", "medical-account-settlement", "m-1", Outcome.COMPLETED, payments=sums)
    with world.acting(DUTY) as ctx:
        case_care.note(ctx, world.number, "FOLLOW_UP", "记")
    case, at = world.case(), world.now
    assert case.form is not None and case.form.applicant is not None
    person = PersonForm("沈丽娟", id_number="330502196607189625", phone="13757210001", relation="CHILD")
    person = replace(person, address="湖州市吴兴区1号", sex="FEMALE", capacity="HEIR")
    answers = {
        "funeral.pickupAddress": "1号",
        "funeral.position": "30.8, 120.0",
        "ashes.placement": "墓",
        "ashes.placeName": "陵园",
    }
    deceased = replace(
        case.deceased, birth_date=date(1939, 10, 10), ethnicity="汉", hukou_address="2号", police_station="所"
    )
    death = replace(case.death, place="家中", cause="病", cause_kind="ILLNESS")
    reason = Reason(Code.WAITS_FOR_DEPARTMENT, (), {"department": "x"})
    alert = a.Alert(AlertKind.OVERDUE, next(iter(a.Cause)), "hukou-deregistration", at, reason, at)
    return replace(
        case,
        deceased=deceased,
        death=death,
        certificates=[replace(found, number=f"3305022025110{found.type}") for found in case.certificates],
        form=replace(
            case.form,
            deceased=deceased,
            death=death,
            applicant=person,
            payee=person,
            answers=answers,
            materials=(MaterialForm("ID", "x.jpg", "sha256:0"),),
        ),
        materials={"f": AttachedMaterial("f", "ID", "u", "0" * 64, 9, "application/pdf", MaterialStatus.CLEAN, at)},
        family=("family",),
        joins={"j": c.JoinRequest("j", "沈建国", "CHILD", "13757210002", "son", at, True)},
        verifications=[c.Verification("deceased", "bank", "MATCH", at)],
        rating=c.Rating("5", "好", at),
        first_asked="姚丽",
        alerts={"o": alert, "e": replace(alert, kind=AlertKind.ESCALATED)},
    )


def query() -> str:
    """Every leaf below a case; nothing twice on one way down."""

    def select(kind: Any, above: tuple[str, ...]) -> str:
        parts = []
        for name, field in kind.fields.items():
            inner = get_named_type(field.type)
            if (kind.name, name) in (*PRINTED, ONE_ITEM) or inner.name in (*NOT_ASKED, *above):
                continue
            below = select(inner, (*above, inner.name)) if isinstance(inner, GraphQLObjectType) else ""
            if below or not isinstance(inner, GraphQLObjectType):
                parts.append(f"{name} {below}")
        return "{ " + " ".join(parts) + " }" if parts else ""

    return "query($n: String!) { case(number: $n) " + select(SCHEMA._schema.type_map["Case"], ("Case",)) + " }"


def leaves(value: Any, kind: Any, path: tuple[tuple[str, str], ...], found: Told) -> Told:
    if isinstance(value, list):
        for one in value:
            leaves(one, kind, path, found)
    elif isinstance(value, dict):
        for name, inner in value.items():
            leaves(inner, get_named_type(kind.fields[name].type), (*path, (kind.name, name)), found)
    else:
        found.setdefault(path, []).append(value)
    return found


def told_to(desk: Any, who: Viewer, number: str) -> Told:
    answer = asyncio.run(ask(desk, who, query(), schema=SCHEMA, n=number))
    assert answer["errors"] == [] and answer["data"]["case"] is not None, (who, answer["errors"])
    return leaves(answer["data"]["case"], SCHEMA._schema.type_map["Case"], (), {})


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str, Told]]:
    world = World(sqlite(tmp_path_factory.mktemp("rights")))
    full = rich(world)
    desk = desk_of(world, everything())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cases, "load", lambda tx, numbers, within=None: {full.number: full})
        yield desk, full.number, told_to(desk, viewer(READER), full.number)
    desk.threads.shutdown()
    world.database.dispose()


EVERYBODY = [viewer(role) for role, table in TABLE.roles.items() if table.cases != "DEPARTMENT"]
EVERYBODY += [
    viewer(role, department=department)
    for role, table in TABLE.roles.items()
    if table.cases == "DEPARTMENT"
    for department in ("public-security", "medical-insurance", "health")
]


def test_the_case_has_a_value_in_every_field_of_a_person(door: tuple[Any, str, Told]) -> None:
    """Or the comparison below proves nothing of it."""
    personal = {rule for rule in RULES.rules if rule in (*GROUPS, "whole", "staff")}
    empty = [path for path, values in door[2].items() if {*RULES.of(*path[-1])} & personal and not any(values)]
    assert empty == []
    reached = {path[-1] for path in door[2]}
    ruled = {(name, field) for name, has in RULES.published.items() for field, r in has.items() if {*r} & {*GROUPS}}
    assert ruled - reached == set()


@pytest.mark.parametrize("who", EVERYBODY, ids=lambda who: f"{who.role} {who.department or ''}")
def test_a_field_of_a_kind_the_role_does_not_see_is_masked_or_empty(door: tuple[Any, str, Told], who: Viewer) -> None:
    desk, number, reference = door
    told, role, sight = told_to(desk, who, number), TABLE.roles[who.role], sight_of(TABLE, who)

    def due(rules: set[Rule], value: Any) -> Any:
        if ("whole" in rules and role.items != "ALL") or ("staff" in rules and sight.staff != "FULL"):
            return None
        for group in rules & {*GROUPS}:
            seen, mask = getattr(sight, group), RULES.rules[group].mask
            mask = None if path[-1] == SEAL else mask
            if seen == "HIDDEN" or (seen == "MASKED" and (mask is None or len(str(value)) < 11)):
                return None
            value = masked(value, *mask) if seen == "MASKED" and mask is not None else value
        return value

    for path, values in reference.items():
        rules = {rule for step in path for rule in RULES.of(*step)}
        expected, got = [due(rules, value) for value in values], told.get(path, [])
        there = [value for value in expected if value is not None]
        cut = role.items != "ALL" or (sight.staff != "FULL" and {"alerts", "timeline"} & {step[1] for step in path})
        if {*rules} & {*GROUPS}:
            assert set(filter(None, got)) <= set(there), (path, got)
        if there and not any(value is not None for value in got):
            assert cut, (path, "is seen by the table, and was not told")
        if not there:
            assert not any(value is not None for value in got), (path, got)
        elif not cut:
            assert sorted(map(repr, filter(None, got))) == sorted(map(repr, filter(None, there))), path
