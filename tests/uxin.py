"""乌审旗 in the tests: 其其格's application for her father 巴图孟和, and what the departments answer (AS-01…03)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from gateway.domain.case import Case
from gateway.domain.department import Certificate, Outcome
from gateway.domain.form import AccountForm, DeathForm, DeceasedForm, Form, MaterialForm, PersonForm
from gateway.domain.messages import Reason, Refused
from gateway.policy import decide
from gateway.policy.book import PolicyBook
from gateway.policy.model import Jurisdiction
from gateway.services.context import Outward
from gateway.services.write_back import Ack
from gateway.store.cases import Actor
from gateway.store.session import Database
from tests.builders import World, book, moment, payment

HUKOU = "hukou-deregistration"
PENSION = "pension-enterprise-funeral-bereavement-claim"
MEDICAL = "medical-account-settlement"
TICKS = (
    PENSION,
    "pension-resident-funeral-claim",
    "pension-civil-account-lumpsum-claim",
    "disability-two-subsidies-stop",
    MEDICAL,
)
FOUR = ("REGISTRATION_FORM", "APPLICANT_ID_CARD", "HOUSEHOLD_BOOKLET", "DEATH_CERTIFICATE")
CARD = "6217003910000123456"
QIQIGE = Actor("family", "其其格", None, "person-qiqige")
CLERK = Actor("window-clerk", "乌云", None, "staff-wuyun")
ALL_FOUR = frozenset({"public-security", "social-security", "medical-insurance", "disabled-persons-federation"})
DEREGISTERED = Certificate("DEREGISTRATION", "Z-1", moment("2021-07-15 09:00"), "图克镇派出所")


def papers(*kinds: str) -> tuple[MaterialForm, ...]:
    return tuple(MaterialForm(kind, f"{kind}.pdf", f"sha256:{kind}") for kind in kinds)


@cache
def policy() -> Jurisdiction:
    return book().version("ws", "2021-06-24")


def ws_form(*chosen: str, **changes: Any) -> Form:
    """巴图孟和, natural death at home in 图克镇; his daughter 其其格 applies online with her own account."""
    form = Form(
        jurisdiction="ws",
        flow="OUTSIDE",
        channel="WEB",
        area=None,
        deceased=DeceasedForm("巴图孟和", id_number="150626194703129116", sex="MALE", hukou_area="150626102"),
        death=DeathForm(moment("2021-07-12 06:00"), "150626102"),
        applicant=PersonForm("其其格", id_number="15062619740608922X", relation="CHILD"),
        account=AccountForm("DESIGNATED", "其其格", CARD),
        items=chosen or (PENSION, MEDICAL),
        materials=papers(*FOUR),
        answers={"deathCertificate.number": "D-1", "deathCertificate.issuedOn": "2021-07-12"},
    )
    return replace(form, **changes)


def elsewhere(**changes: Any) -> Form:
    """刘凤英 of 嘎鲁图镇, who died in a hospital in 榆林市 (AS-03)."""
    form = ws_form(
        flow="INSIDE",
        deceased=DeceasedForm("刘凤英", id_number="15062619501102924X", sex="FEMALE", hukou_area="150626100"),
        death=DeathForm(moment("2021-08-03 11:00"), "610800"),
        applicant=PersonForm("王海军", id_number="150626197510199138", relation="CHILD"),
        account=AccountForm("DESIGNATED", "王海军", CARD),
    )
    return replace(form, answers={**form.answers, "placeOfDeath.areaName": "榆林市"}, **changes)


def connected(database: Database, policies: PolicyBook | None = None) -> World:
    """All four departments' systems are connected; the two that pay take instructions."""
    world = World(database, policies, Outward(ALL_FOUR, frozenset({"social-security", "medical-insurance"})))
    return world.at("2021-07-14 10:20")


def deregister(world: World, serial: str = "p-1") -> Ack:
    world.at("2021-07-15 09:05")
    return world.report("public-security", HUKOU, serial, Outcome.COMPLETED, certificates=(DEREGISTERED,))


def sent(world: World, name: str = "deliver") -> list[tuple[str, str]]:
    return [(work.department, str(work.args[1])) for work in world.queued if work.name == name]


def waits(world: World, slug: str) -> list[Reason]:
    case = world.case()
    policy = world.policies.version(case.jurisdiction, case.policy_version)
    definition = policy.item(slug)
    assert definition is not None
    return [gate.reason for gate in decide.gates(world.policies, policy, case, definition)]


def refused(world: World, form: Form, actor: Actor = QIQIGE) -> Refused:
    with pytest.raises(Refused) as found:
        world.submit(form, actor=actor)
    assert (world.count(), world.queued) == (0, []), "nothing is created, nothing is pushed"
    return found.value


def answer_and_close(world: World) -> Case:
    """人社局 and 医保局 answer as in AS-01."""
    sums = (payment("1", "FUNERAL_GRANT", 480000), payment("2", "BEREAVEMENT_PAYMENT", 1920000))
    world.at("2021-07-20 10:00").report("social-security", PENSION, "s-1", Outcome.COMPLETED, payments=sums)
    balance = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    world.report("medical-insurance", MEDICAL, "m-1", Outcome.COMPLETED, payments=balance)
    return world.case()
