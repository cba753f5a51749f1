"""What a form need not ask for: told of the dead only, and only to who knows name and number (YN-302, PD-15)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.domain.department import Holding
from gateway.domain.evidence import Looks
from gateway.domain.identity import canonical
from gateway.services.prefill import Prefilled, prefill
from gateway.store.cases import Actor
from gateway.store.session import Database
from tests.builders import World
from tests.edge import Edge
from tests.yunnan import (
    CLERK,
    LIBRARY,
    SILENT,
    YANG_GUIFANG,
    YANG_ZHIQIANG,
    connected,
    cremation,
    held,
    library,
    medical,
    policy,
    share,
)

NAME = "杨桂芳"
HELD = held(hukou_address="云南省玉溪市红塔区玉兴路7号")
SON = Holding(
    YANG_ZHIQIANG, name="杨志强", hukou_address="云南省玉溪市红塔区玉兴路9号", materials=("APPLICANT_ID_CARD",)
)


@pytest.fixture
def yunnan(database: Database) -> World:
    return connected(database)


def ask(
    world: World,
    looks: Looks,
    name: str = NAME,
    number: str = YANG_GUIFANG,
    applicant: str | None = None,
    actor: Actor = CLERK,
) -> Prefilled:
    with world.acting(actor) as ctx:
        return prefill(ctx, policy(), looks, name, number, applicant)


def values(found: Prefilled) -> dict[str, str]:
    return {one.path: one.value for one in found.fields}


def family(world: World, id_number: str) -> Actor:
    with world.acting(CLERK) as ctx:
        return Actor("family", "甲", None, ctx.tx.seal.pseudonym("person", canonical(id_number)))


@pytest.mark.rule("YN-302", "YN-402", "F-29")
def test_what_a_source_holds_of_the_deceased_fills_the_fields_the_form_asks_for(yunnan: World) -> None:
    found = ask(yunnan, library(HELD))
    assert {one.source for one in found.fields} == {LIBRARY}
    assert values(found) == {
        "deceased.name": NAME,
        "deceased.sex": "FEMALE",
        "deceased.ethnicity": "彝族",
        "deceased.hukouArea": "530402",
        "deceased.hukouAddress": "云南省玉溪市红塔区玉兴路7号",
    }
    assert found.certificates == (medical(), cremation())


@pytest.mark.rule("PD-15", "YN-302")
@pytest.mark.parametrize("name", ["杨桂兰", "", "*", "杨"])
def test_who_has_only_the_number_is_told_what_is_told_of_nobody(yunnan: World, name: str) -> None:
    assert ask(yunnan, library(HELD), name=name) == Prefilled()
    share(yunnan, "health", medical())
    assert ask(yunnan, SILENT, name=name) == Prefilled()


@pytest.mark.rule("PD-15", "YN-402")
def test_a_name_that_one_holder_contradicts_opens_nothing(yunnan: World) -> None:
    share(yunnan, "health", medical())
    assert ask(yunnan, library(replace(HELD, name="杨桂兰"))) == Prefilled()


@pytest.mark.rule("PD-15")
def test_where_no_holder_knows_the_name_nothing_is_told(yunnan: World) -> None:
    assert ask(yunnan, library(replace(HELD, name=None))) == Prefilled()


@pytest.mark.rule("YN-302")
def test_the_way_a_name_is_typed_does_not_matter(yunnan: World) -> None:
    assert ask(yunnan, library(HELD), name=" 杨 桂芳 ").fields


@pytest.mark.rule("PD-15", "YN-302")
def test_of_the_living_nothing_is_told(yunnan: World) -> None:
    assert ask(yunnan, library(replace(HELD, certificates=()))) == Prefilled()


@pytest.mark.rule("YN-402", "WZ-405")
def test_what_was_shared_on_the_platform_is_told_while_the_source_is_silent(yunnan: World) -> None:
    share(yunnan, "health", medical())
    found = ask(yunnan, SILENT)
    assert [one.type for one in found.certificates] == ["DEATH_MEDICAL"] and found.fields == ()


@pytest.mark.rule("PD-15", "YN-403")
def test_a_family_is_filled_in_itself_and_told_of_no_other_living_person(yunnan: World) -> None:
    looks = library(HELD, SON)
    own = ask(yunnan, looks, applicant=YANG_ZHIQIANG, actor=family(yunnan, YANG_ZHIQIANG))
    other = ask(yunnan, looks, applicant=YANG_ZHIQIANG, actor=family(yunnan, YANG_GUIFANG))
    assert values(own)["applicant.name"] == "杨志强" and own.materials == ("APPLICANT_ID_CARD",)
    assert not any(path.startswith("applicant.") for path in values(other)) and other.materials == ()
    assert values(ask(yunnan, looks, applicant=YANG_ZHIQIANG))["applicant.name"] == "杨志强", "at the counter"


@pytest.mark.rule("PD-15")
async def test_a_citizen_with_a_wrong_name_is_answered_as_for_a_number_nobody_has(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    shared = await edge.send(
        {
            "query": "mutation($i: ShareCertificateInput!) { shareCertificate(input: $i) { userErrors { code } } }",
            "variables": {
                "i": {
                    "jurisdiction": "yn",
                    "deceased": {"name": NAME, "idNumber": YANG_GUIFANG, "hukouArea": "530402"},
                    "certificate": {"type": "DEATH_MEDICAL", "number": "1", "issuedAt": "2025-11-03T05:00:00+08:00"},
                }
            },
        },
        authorization=f"Bearer {edge.token('department-system', '530000')}",
    )
    assert shared.json()["data"] == {"shareCertificate": {"userErrors": []}}, shared.text
    token = edge.token("family", "530000", id_number=YANG_ZHIQIANG)
    asked = """query($name: String!, $number: String!) {
        prefill(jurisdiction: "yn", deceasedName: $name, deceasedIdNumber: $number) {
            fields { path value } certificates { type number } materials sources { freshness } } }"""

    async def answer(name: str, number: str) -> tuple[int, str]:
        body = {"query": asked, "variables": {"name": name, "number": number}}
        told = await edge.send(body, authorization=f"Bearer {token}")
        return told.status_code, told.text

    _, known = await answer(NAME, YANG_GUIFANG)
    assert "DEATH_MEDICAL" in known
    assert await answer("杨桂兰", YANG_GUIFANG) == await answer(NAME, "530402195001010015")
