"""Every query and change as every role: against the reviewed table, and against cases that are not theirs."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
)

from gateway.access import rights as access
from gateway.access.rights import Viewer
from gateway.desk import Desk
from gateway.domain.form import Form
from gateway.domain.messages import Refused
from schema.build import build
from tests import wenzhou
from tests.builders import SHEN_LIJUAN, World, codes, hz_account, hz_deceased, hz_form, unidentified
from tests.door import ask, desk_of, viewer
from tests.door import codes as codes_of
from tests.integration.conftest import sqlite

pytestmark = pytest.mark.rule("HZ-816", "PD-15")
TABLE = Path(__file__).with_name("operations.txt")
ROLES = list(access.load().roles)
SCHEMA = build()._schema
FOREIGN = "430621"
"""An area in which there is no case."""
ITEM = "death-cert-normal"
DATES = {
    "DateTime": "2025-11-07T10:00:00Z",
    "Time": "2025-11-07T10:00:00Z",
    "Date": "2025-11-07",
    "Int": 1,
    "Boolean": True,
    "Yuan": "1.00",
}
PLAIN = {"Slug": ITEM, "AreaCode": "330502", "item": ITEM, "jurisdiction": "hz", "type": "DEATH_MEDICAL"}


def operations() -> dict[str, tuple[str, GraphQLField]]:
    kinds = (("query", SCHEMA.query_type), ("mutation", SCHEMA.mutation_type))
    return {name: (kind, field) for kind, root in kinds if root for name, field in root.fields.items()}


def reviewed() -> dict[str, dict[str, bool]]:
    """Operation → role → whether it may."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    roles = lines[0].split()
    marks = {name: found for name, *found in map(str.split, lines[1:])}
    return {name: dict(zip(roles, (mark == "y" for mark in found), strict=True)) for name, found in marks.items()}


def document(name: str) -> str:
    """The operation with every argument as a variable."""
    kind, field = operations()[name]
    given = ", ".join(f"${arg}: {definition.type}" for arg, definition in field.args.items())
    passed = ", ".join(f"{arg}: ${arg}" for arg in field.args)
    head = f"{kind}({given})" if given else kind
    return f"{head} {{ {name}{f'({passed})' if passed else ''} {shape(get_named_type(field.type))} }}"


def shape(kind: Any, depth: int = 2) -> str:
    if not hasattr(kind, "fields"):
        return "{ __typename }" if hasattr(kind, "types") else ""
    parts = ["__typename"]
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if any(isinstance(arg.type, GraphQLNonNull) for arg in field.args.values()) or name in ("facts", "takenAt"):
            continue
        if not isinstance(inner, GraphQLObjectType):
            parts += [name] if not hasattr(inner, "fields") and not hasattr(inner, "types") else []
        elif depth > 1:
            parts.append(f"{name} {shape(inner, depth - 1)}")
    return "{ " + " ".join(parts) + " }"


def value(kind: Any, name: str, number: str) -> Any:
    """Something valid for an argument; whatever names a case names this one."""
    if isinstance(kind, GraphQLNonNull):
        return value(kind.of_type, name, number)
    if isinstance(kind, GraphQLList):
        return [value(kind.of_type, name, number)]
    if isinstance(kind, GraphQLInputObjectType):
        needed = {field for field, d in kind.fields.items() if isinstance(d.type, GraphQLNonNull)} | {"caseNumber"}
        wanted = {field: definition for field, definition in kind.fields.items() if field in needed}
        return {field: value(definition.type, field, number) for field, definition in wanted.items()}
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if name == "caseNumber":
        return number
    if name in ("id", "ids"):
        return base64.b64encode(f"Case:{number}".encode()).decode()
    if name == "representations":
        return {"__typename": "Case", "number": number}
    return DATES.get(kind.name, PLAIN.get(kind.name, PLAIN.get(name, "1")))


def variables(name: str, number: str) -> dict[str, Any]:
    given = {arg: value(d.type, arg, number) for arg, d in operations()[name][1].args.items()}
    return {"number": number} if name == "case" else given


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, World]]:
    """沈福根's case, whose first item is pushed to health."""
    world = World(sqlite(tmp_path_factory.mktemp("operations")))
    world.submit(hz_form(account=hz_account()))
    desk = desk_of(world)
    yield desk, world
    desk.threads.shutdown()
    world.database.dispose()


def test_the_table_names_every_operation_and_every_role() -> None:
    assert set(reviewed()) == set(operations())
    assert all(list(row) == ROLES for row in reviewed().values())


@pytest.mark.parametrize("name", operations())
def test_who_may_use_an_operation(place: tuple[Desk, World], name: str) -> None:
    """Without its arguments nothing is done: who may use it is told that they are missing, or gets an answer."""
    desk, _ = place
    text = document(name)

    def refused(who: Viewer | None) -> list[str]:
        found = codes_of(asyncio.run(ask(desk, who, text)))
        return [code for code in found if code in ("FORBIDDEN", "UNAUTHENTICATED")]

    told = {role: refused(viewer(role)) for role in ROLES}
    assert told == {role: [] if may else ["FORBIDDEN"] for role, may in reviewed()[name].items()}
    assert refused(None) == refused(viewer("ghost")) == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("role", ROLES)
def test_a_refusal_names_the_right_and_sends_citizens_to_the_hotline_and_staff_to_their_own_office(
    place: tuple[Desk, World], role: str
) -> None:
    name = "health" if role != "administrator" else "rateCase"
    [error] = asyncio.run(ask(place[0], viewer(role), document(name)))["errors"]
    hotline = role == "family"
    assert name in error["message"]
    assert ("12345" in error["message"], "系统管理员" in error["message"]) == (hotline, not hotline)


# ── cases of others ─────────────────────────────────────────────────────────────────────────────────────


def names_a_case(name: str) -> bool:
    return "NUMBER" in json.dumps(variables(name, "NUMBER")) or name in ("node", "nodes")


BY_RULE = "askToJoin"
"""Whoever knows the number may ask to join (PD-07): see below."""
ASKED = [
    (name, role)
    for name, row in reviewed().items()
    if names_a_case(name) and name != BY_RULE
    for role, may in row.items()
    if may
]


NO_ANSWER = {"INVALID_OPERATION", "INTERNAL", "FORBIDDEN"}
NOT_LOOKED = dict.fromkeys(("submitCase", "checkSubmission"), NO_ANSWER - {"FORBIDDEN"})
"""Staff file in the jurisdiction of their own area only, whatever the number."""


@pytest.mark.parametrize("name, role", ASKED)
def test_a_case_of_others_answers_as_one_that_does_not_exist(place: tuple[Desk, World], name: str, role: str) -> None:
    desk, world = place
    who = viewer(role, area=FOREIGN, **({"department": "health"} if viewer(role).department else {}))

    def answer(number: str) -> str:
        given = variables(name, number)
        if "fields" in given.get("input", {}):
            given["input"]["fields"] = [kind.upper() for kind in access.load().roles[role].on_reason]
        told = asyncio.run(ask(desk, who, document(name), **given))
        assert not {*codes_of(told)} & NOT_LOOKED.get(name, NO_ANSWER), "the case is not even looked for"
        return json.dumps(told, ensure_ascii=False, sort_keys=True).replace(number, "NUMBER")

    before = world.case()
    assert answer(world.number) == answer("HZ2025110799999")
    assert world.case() == before


# ── what is told by rule, and nothing more ──────────────────────────────────────────────────────────────


def another() -> Form:
    """Of another person."""
    return hz_form(deceased=hz_deceased(name="沈丽娟", id_number=SHEN_LIJUAN))


TAKEN = [
    name
    for name, (_, field) in operations().items()
    if getattr(field.type, "name", "") == "WriteBackPayload"
    or getattr(getattr(field.type, "of_type", None), "name", "") == "WriteBackPayload"
]


@pytest.mark.rule("PD-06")
@pytest.mark.parametrize("name", [name for name in TAKEN if name != "answerReversal"])
def test_who_does_not_own_an_item_is_told_so_and_nothing_of_the_case(tmp_path: Path, name: str) -> None:
    """That it is another department's stands in the catalogue; a department that sees nothing of the case is not even
    told that there is one: test_rights_judged.py."""
    world = World(sqlite(tmp_path))
    one = world.submit(hz_form()).number
    other = world.submit(another()).number
    desk, health = desk_of(world), viewer("department-system", department="health")

    def answer(number: str) -> str:
        given = variables(name, number)
        given["input"]["item"] = "hukou-deregistration"
        told = asyncio.run(ask(desk, health, document(name), **given))
        return json.dumps(told, ensure_ascii=False).replace(number, "NUMBER")

    assert answer(one) == answer(other), "two cases differ in everything, and it is not told"
    payload = json.loads(answer(one))["data"][name]
    assert (payload["item"], payload["acknowledgement"]) == (None, "REFUSED")
    assert [error["code"] for error in payload["userErrors"]] == ["NOT_OWNER"]
    desk.threads.shutdown()


@pytest.mark.rule("PD-07")
def test_who_asks_to_join_is_told_the_requests_number_and_nothing_of_the_case(tmp_path: Path) -> None:
    world = World(sqlite(tmp_path))
    numbers = [world.submit(hz_form()).number]
    numbers.append(world.submit(another()).number)
    desk, son = desk_of(world), viewer("family", subject="son")
    given = {"relation": "CHILD", "name": "沈建国", "phone": "13757210002"}
    text = "mutation($i: AskToJoinInput!) { askToJoin(input: $i) { request userErrors { code message path } } }"
    for number in numbers:
        told = asyncio.run(ask(desk, son, text, i={"caseNumber": number, "applicant": given}))["data"]["askToJoin"]
        assert len(told["request"]) == 16 and told["userErrors"] == []
        seen = asyncio.run(ask(desk, son, "query($n: String!) { case(number: $n) { status } }", n=number))
        assert seen["data"]["case"] is None, "asking lets nobody in"
    desk.threads.shutdown()


@pytest.mark.rule("PD-07")
def test_a_number_without_the_deceased_adds_no_report_to_somebodys_case(tmp_path: Path) -> None:
    """A hospital's certificate opened it; its family has not come yet.  Who only knows the number is no family."""
    world = wenzhou.connected(sqlite(tmp_path))
    wenzhou.certified_by_hospital(world)
    before = world.case()
    stranger = replace(wenzhou.XIAOMIN, subject="stranger")
    nobody = wenzhou.wz_form(flow="INSIDE", deceased=unidentified())

    def told(number: str) -> list[str]:
        with pytest.raises(Refused) as refused:
            world.submit(nobody, actor=stranger, case_number=number)
        return codes(refused.value)

    assert told(before.number) == told("WZ2019120299999")
    assert world.case(before.number) == before and "stranger" not in before.family
