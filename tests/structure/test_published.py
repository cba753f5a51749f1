"""What is published and promised: the schema's text, the generated pages, the table of rights, the import contracts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType

from gateway import docs
from gateway.access import rights
from gateway.policy import loader
from schema.build import build, sdl

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = ("_Entity", "_Service", "_Any", "Node", "PageInfo")


def test_the_printed_schema_is_committed() -> None:
    committed = (ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8")
    assert committed == sdl(), "run `shenhou export-schema` and review the change"


@pytest.mark.parametrize("name", sorted(docs.pages()))
def test_the_printed_pages_are_committed(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == docs.pages()[name], "run `shenhou export-docs`"


def test_every_type_field_argument_and_value_is_described() -> None:
    bare = []
    for name, kind in build()._schema.type_map.items():
        if (
            name.startswith(("_", "link__"))
            or name in FOREIGN
            or name in ("String", "Int", "Boolean", "ID", "Float", "Date")
        ):
            continue
        if not kind.description and name not in ("Query", "Mutation"):
            bare.append(name)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field, definition in kind.fields.items():
                if not definition.description and not field.startswith("_") and field != "id":
                    bare.append(f"{name}.{field}")
        if isinstance(kind, GraphQLEnumType):
            bare += [f"{name}.{value}" for value, definition in kind.values.items() if not definition.description]
    assert bare == []


@pytest.mark.rule("HZ-816", "PD-15")
def test_every_root_field_has_a_rule_and_every_rule_a_root_field() -> None:
    schema = build()._schema
    assert schema.query_type is not None and schema.mutation_type is not None
    fields = {*schema.query_type.fields, *schema.mutation_type.fields}
    table = rights.load()
    ruled = {*table.everyone, *(name for role in table.roles.values() for name in role.may)}
    assert fields - ruled == set(), "no role may use these"
    assert ruled - fields == set(), "these do not exist"


def test_roles_and_reporters_are_words_of_the_catalogue() -> None:
    book, table = loader.load(), rights.load()
    known = {word.code for word in book.catalogue.roles}
    reporters = {role for policy in book.jurisdictions for flow in policy.flows for role in flow.reporters}
    assert set(table.roles) <= known
    assert reporters <= set(table.roles)


def test_imports_go_down_only() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_no_code_names_a_place_or_a_department() -> None:
    """Policy is data: a jurisdiction or a department is named in data files and its own folder only."""
    book = loader.load()
    places = {area.name for policy in book.jurisdictions for area in policy.areas} | {"乌审", "岳阳", "云南", "温州"}
    codes = {f'"{word.code}"' for word in book.catalogue.departments}
    found = []
    for path in [*ROOT.glob("gateway/**/*.py"), *ROOT.glob("schema/**/*.py"), *ROOT.glob("adapters/kit/*.py")]:
        text = path.read_text(encoding="utf-8")
        found += [f"{path.name}: {word}" for word in (*places, *codes) if word in text]
    assert found == []


def test_only_the_session_commits() -> None:
    """One request or piece of work, one transaction: all of it or nothing."""
    wanted = re.compile(r"\.commit\(|(?<!messages)\.begin\(")
    commits = {
        path.relative_to(ROOT).as_posix()
        for path in [*ROOT.glob("gateway/**/*.py"), *ROOT.glob("schema/**/*.py")]
        if wanted.search(path.read_text(encoding="utf-8"))
    }
    assert commits == {"gateway/store/session.py"}
