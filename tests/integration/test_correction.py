"""Correction (更正): it reaches only the departments it concerns, under the same key (PD-06, PD-11, PD-23)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.case import Case
from gateway.domain.department import Application, Outcome
from gateway.domain.messages import Refused
from gateway.services import correction, dispatch
from gateway.services.correction import Changes
from gateway.store.session import Database
from tests.builders import ASSISTANT, World, codes, hz_form, moment, payment
from tests.uxin import CARD, HUKOU, MEDICAL, PENSION, QIQIGE, connected, deregister, ws_form

pytestmark = pytest.mark.databases

NEW_CARD = "6217003910000999999"


@pytest.fixture
def uxin(database: Database) -> World:
    world = connected(database)
    world.submit(ws_form(), actor=QIQIGE)
    return world


def correct(world: World, items: tuple[str, ...] = (), reason: str = "填报有误", **values: Any) -> Case:
    changes = {path.replace("__", "."): value for path, value in values.items()}
    with world.acting(QIQIGE) as ctx:
        return correction.correct(ctx, world.number, Changes(changes, items), reason)


def refused(world: World, **values: Any) -> Refused:
    before = world.case()
    with pytest.raises(Refused) as found:
        correct(world, **values)
    assert world.case() == before, "nothing is written"
    return found.value


def sent_again(world: World, since: int) -> list[str]:
    return [str(work.args[1]) for work in world.queued[since:] if work.name == "deliver"]


def application(world: World, slug: str) -> Application:
    with world.acting() as ctx:
        found = dispatch.application(ctx, world.number, slug)
    assert found is not None
    return found


def all_delivered(world: World, *slugs: str) -> int:
    for slug in slugs:
        world.delivered(slug)
    return len(world.queued)


@pytest.mark.rule("PD-06")
def test_a_corrected_name_reaches_the_department_that_was_told_and_nobody_else(uxin: World) -> None:
    since = all_delivered(uxin, HUKOU)
    correct(uxin, deceased__name="巴图孟克")
    assert sent_again(uxin, since) == [HUKOU], "the others are blocked and will be told the right name at once"
    told = application(uxin, HUKOU)
    assert (told.key, told.correction, told.correction_answer) == (f"{uxin.number}.{HUKOU}", 1, "填报有误")
    assert told.deceased.name == "巴图孟克"
    uxin.delivered(HUKOU)
    deregister(uxin)
    assert application(uxin, PENSION).deceased.name == "巴图孟克"
    assert application(uxin, PENSION).correction == 0


@pytest.mark.rule("WS-701", "WS-304")
def test_a_corrected_account_concerns_only_those_who_pay(uxin: World) -> None:
    deregister(uxin)
    since = all_delivered(uxin, HUKOU, PENSION, MEDICAL)
    correct(uxin, account__number=NEW_CARD)
    assert set(sent_again(uxin, since)) == {PENSION, MEDICAL}, "the police have nothing to do with an account"
    assert application(uxin, MEDICAL).account is not None
    assert application(uxin, MEDICAL).account.number == NEW_CARD  # type: ignore[union-attr]


def test_what_was_not_sent_yet_simply_goes_out_with_the_right_content(uxin: World) -> None:
    since = len(uxin.queued)
    correct(uxin, deceased__name="巴图孟克")
    assert sent_again(uxin, since) == []
    told = application(uxin, HUKOU)
    assert (told.deceased.name, told.correction) == ("巴图孟克", 0)


def test_a_field_no_department_was_sent_concerns_nobody(uxin: World) -> None:
    since = all_delivered(uxin, HUKOU)
    correct(uxin, account__bank="乌审旗农商银行")
    assert sent_again(uxin, since) == []
    assert uxin.case().form is not None
    assert uxin.case().form.account.bank == "乌审旗农商银行"  # type: ignore[union-attr]


def test_a_department_that_is_done_is_told_as_well_and_its_result_stays(uxin: World) -> None:
    deregister(uxin)
    since = all_delivered(uxin, HUKOU)
    correct(uxin, deceased__name="巴图孟克")
    assert HUKOU in sent_again(uxin, since)
    assert uxin.status(HUKOU) == "COMPLETED"
    assert application(uxin, HUKOU).deceased.name == "巴图孟克"
    uxin.delivered(HUKOU, Outcome.COMPLETED)
    with uxin.acting() as ctx:
        assert dispatch.application(ctx, uxin.number, HUKOU) is None, "told, and not told again"
    assert uxin.refused() == []


@pytest.mark.rule("PD-23", "PD-11")
def test_the_rules_hold_for_every_later_change_all_reasons_at_once(uxin: World) -> None:
    error = refused(uxin, deceased__hukouArea="610800", account__holder="王五", deceased__idNumber="150626194703129117")
    assert {(problem.reason.code.value, problem.path) for problem in error.problems} == {
        ("NOT_ELIGIBLE", "deceased.hukouArea"),
        ("ACCOUNT_HOLDER_MISMATCH", "account.holder"),
        ("ID_NUMBER_INVALID", "deceased.idNumber"),
    }


@pytest.mark.parametrize("path", ["deceased.shoeSize", "nonsense", "situation.NONSENSE"])
def test_a_path_the_form_does_not_have_is_named(uxin: World, path: str) -> None:
    error = refused(uxin, **{path.replace(".", "__"): "true"})
    assert error.problems[0].path in (path, "situations")


def test_a_correction_without_a_reason_or_without_a_change_is_refused(uxin: World) -> None:
    assert codes(refused(uxin, deceased__name="巴图孟和")) == ["NOTHING_TO_CORRECT"]
    with pytest.raises(Refused) as found:
        correct(uxin, reason=" ", deceased__name="巴图孟克")
    assert codes(found.value) == ["FIELD_REQUIRED"]


@pytest.mark.rule("PD-07")
def test_a_case_cannot_be_corrected_into_another_open_one(uxin: World) -> None:
    first = uxin.number
    other = ws_form(deceased=ws_form().deceased.__class__("李生", id_number="150626195501010015", hukou_area="150626"))
    uxin.submit(other, actor=QIQIGE)
    second = uxin.number
    uxin.number = first
    error = refused(uxin, deceased__idNumber="150626195501010015")
    assert codes(error) == ["CASE_ALREADY_OPEN"]
    assert error.problems[0].reason.facts == {"number": second}


@pytest.mark.rule("WS-302", "WS-506")
def test_an_item_can_be_chosen_later_and_goes_through_the_same_gate(uxin: World) -> None:
    correct(uxin, items=("disability-two-subsidies-stop",), reason="漏选")
    assert uxin.status("disability-two-subsidies-stop") == "BLOCKED"
    deregister(uxin)
    assert uxin.status("disability-two-subsidies-stop") == "DISPATCHED"


@pytest.mark.rule("PD-08")
def test_an_item_chosen_after_the_end_opens_the_case_again(uxin: World) -> None:
    deregister(uxin)
    sums = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    uxin.report("social-security", PENSION, "s-1", Outcome.COMPLETED)
    uxin.report("medical-insurance", MEDICAL, "m-1", Outcome.COMPLETED, payments=sums)
    assert uxin.case().status == "CLOSED"
    correct(uxin, items=("disability-two-subsidies-stop",), reason="漏选")
    case = uxin.case()
    assert (case.status, case.closed_at) == ("IN_PROGRESS", None)
    uxin.report("disabled-persons-federation", "disability-two-subsidies-stop", "d-1", Outcome.COMPLETED)
    assert uxin.case().status == "CLOSED"
    assert uxin.faults() == []


@pytest.mark.rule("HZ-612", "HZ-627")
def test_corrected_facts_bring_items_in_and_end_others_where_the_department_is_asked_to_undo(world: World) -> None:
    world.outward = replace(world.outward, connected=world.outward.connected | {"social-assistance"})
    world.until_cremation(hz_form("PENSION_RETIREE", "DIBAO"))
    world.delivered("dibao-stop")
    with world.acting(ASSISTANT) as ctx:
        values = {"situation.DIBAO": False, "situation.OLD_AGE_ALLOWANCE": True}
        correction.correct(ctx, world.number, Changes(values), "情形填报有误")
    assert world.status("old-age-allowance-stop") == "DISPATCHED"
    dibao = world.item("dibao-stop")
    assert (dibao.status, dibao.reason.code) == ("NOT_APPLICABLE", "DOES_NOT_APPLY")
    assert dibao.reversal is not None and dibao.reversal.status == "REQUESTED"
    assert ("deliver", "dibao-stop.R") in [(work.name, work.args[1]) for work in world.queued]


def test_the_correction_is_in_the_ledger_with_what_changed(uxin: World) -> None:
    correct(uxin, deceased__name="巴图孟克", account__number=CARD[:-1] + "7")
    (event,) = [entry for entry in uxin.ledger() if entry.type == "form.corrected"]
    assert event.changed == ("account.number", "deceased.name")  # type: ignore[union-attr]
    assert uxin.faults() == []


@pytest.mark.parametrize(
    "path, text, value",
    [
        ("death.occurredAt", "2021-07-12T06:00:00+08:00", moment("2021-07-12 06:00")),
        ("situation.DIBAO", "true", True),
        ("deceased.name", "巴图", "巴图"),
        ("deceased.name", None, None),
    ],
)
def test_values_travel_as_text(path: str, text: str | None, value: Any) -> None:
    assert correction.read_value(path, text) == value


@pytest.mark.parametrize(
    "path, text", [("death.occurredAt", "gestern"), ("situation.DIBAO", "ja"), ("deceased.idKind", "X")]
)
def test_a_value_that_is_not_of_its_form_is_named(path: str, text: str) -> None:
    with pytest.raises(Refused) as found:
        correction.read_value(path, text)
    assert found.value.problems[0].path == path
