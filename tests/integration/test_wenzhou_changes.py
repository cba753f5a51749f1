"""温州市, what changes later: a correction reaches whom it concerns, a box ticked later waits like any other, a wrong
death is undone where somebody was told of it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.domain.messages import Refused
from gateway.services import correction, dispatch, revocation
from gateway.services.correction import Changes
from gateway.store.session import Database
from tests.builders import World, codes
from tests.uxin import sent, waits
from tests.wenzhou import (
    BEHIND_DATA,
    CIVIL_GROUP,
    CREMATION,
    FUNERAL,
    HUKOU,
    INSURANCE,
    MEDICAL,
    NORMAL,
    PENSION,
    REIMBURSEMENT,
    VETERANS_GROUP,
    XIAOMIN,
    approve,
    connected,
    synchronise,
    told,
    until_data,
    wz_form,
)


@pytest.fixture
def wenzhou(database: Database) -> World:
    return connected(database)


def correct(world: World, values: dict[str, Any], *items: str) -> None:
    with world.at("2019-11-22 10:00").acting(XIAOMIN) as ctx:
        correction.correct(ctx, world.number, Changes(values, items), "填写有误")


def delivered(world: World) -> None:
    for _, slug in sent(world):
        world.delivered(slug)
    world.queued.clear()


@pytest.mark.rule("WZ-324", "WZ-405")
def test_another_pickup_address_is_told_to_the_funeral_home_alone(wenzhou: World) -> None:
    until_data(wenzhou)
    delivered(wenzhou)
    correct(wenzhou, {"body.pickupAddress": "鹿城区信河街2号"})
    assert sent(wenzhou) == [("civil-affairs", FUNERAL)]
    with wenzhou.acting() as ctx:
        application = dispatch.application(ctx, wenzhou.number, FUNERAL)
    assert application is not None
    assert (application.correction, application.details["body.pickupAddress"]) == (1, "鹿城区信河街2号")


@pytest.mark.rule("WZ-701", "WZ-405")
def test_another_payee_is_told_to_social_security_alone(wenzhou: World) -> None:
    until_data(wenzhou)
    delivered(wenzhou)
    correct(wenzhou, {"payee.name": "陈晓东", "payee.idNumber": "330302197506150012"})
    assert sent(wenzhou) == [("social-security", PENSION)]


@pytest.mark.rule("PD-23", "WZ-326")
def test_a_correction_may_not_empty_what_is_compulsory(wenzhou: World) -> None:
    until_data(wenzhou)
    with pytest.raises(Refused) as found:
        correct(wenzhou, {"ashes.placeName": None})
    assert codes(found.value) == ["FIELD_REQUIRED"]


@pytest.mark.rule("PD-23", "WZ-101")
def test_a_correction_may_not_move_the_death_out_of_the_city(wenzhou: World) -> None:
    until_data(wenzhou)
    with pytest.raises(Refused) as found:
        correct(wenzhou, {"death.area": "331002"})
    assert codes(found.value) == ["NOT_ELIGIBLE"]


@pytest.mark.rule("WZ-340", "WZ-511", "WZ-502")
def test_a_box_ticked_later_waits_for_the_same_data(wenzhou: World) -> None:
    wenzhou.submit(wz_form(FUNERAL), actor=XIAOMIN)
    approve(wenzhou)
    correct(wenzhou, {}, HUKOU)
    assert [gate.ids for gate in waits(wenzhou, HUKOU)] == [("WZ-511",)]
    synchronise(wenzhou, at="2019-11-22 15:00")
    assert ("public-security", HUKOU) in sent(wenzhou)


@pytest.mark.rule("WZ-512", "WZ-610")
def test_a_reimbursement_remembered_in_time_still_comes_first(wenzhou: World) -> None:
    wenzhou.submit(wz_form(HUKOU, PENSION), actor=XIAOMIN)
    approve(wenzhou)
    correct(wenzhou, {"situation.REIMBURSEMENT_PENDING": True})
    assert wenzhou.status(REIMBURSEMENT) == "DISPATCHED"
    synchronise(wenzhou, at="2019-11-22 15:00")
    assert (wenzhou.status(HUKOU), wenzhou.status(PENSION)) == ("DISPATCHED", "BLOCKED")
    assert [gate.ids for gate in waits(wenzhou, PENSION)] == [("WZ-512",)]


@pytest.mark.rule("WZ-511", "WZ-606", "WZ-608")
def test_a_wrong_death_is_undone_with_everybody_who_was_told_and_nobody_else(wenzhou: World) -> None:
    until_data(wenzhou)
    delivered(wenzhou)
    with wenzhou.at("2019-11-23 09:00").acting() as ctx:
        revocation.revoke(ctx, wenzhou.number, "误报")
    asked = {slug for slug, found in wenzhou.case().items.items() if found.reversal is not None}
    assert asked == {FUNERAL, *BEHIND_DATA, CIVIL_GROUP, VETERANS_GROUP, INSURANCE}
    assert not {NORMAL, CREMATION} & asked, "they told the platform, the platform told them nothing"
    assert {(department, slug.removesuffix(".R")) for department, slug in sent(wenzhou)} == told(asked)
    assert MEDICAL in asked
