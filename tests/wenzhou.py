"""温州市 in the tests: 陈晓敏's application for her father 陈阿宝, the township's approval, the city's sharing platform
(AS-10…13)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from gateway.domain.case import Case
from gateway.domain.department import Certificate, Holding, Outcome
from gateway.domain.evidence import Look
from gateway.domain.form import AccountForm, DeathForm, DeceasedForm, Form, PersonForm
from gateway.domain.messages import Refused
from gateway.policy.book import PolicyBook
from gateway.policy.model import ItemDefinition, Jurisdiction
from gateway.services import case_care, evidence, opening
from gateway.services.context import Outward
from gateway.services.write_back import Ack
from gateway.store.cases import Actor
from gateway.store.session import Database
from tests.builders import World, book, moment, payment

APPROVAL = "township-approval"
PICKUP = "pickup-notice"
FUNERAL = "funeral-service"
HUKOU = "hukou-deregistration"
PENSION = "pension-funeral-bereavement-claim"
MEDICAL = "medical-account-settlement"
HOUSING = "housing-fund-death-withdrawal"
NORMAL = "death-cert-normal"
ABNORMAL = "death-cert-abnormal"
CREMATION = "cremation-record"
CIVIL_GROUP = "special-group-treatment"
VETERANS_GROUP = "special-group-treatment-veterans"
REIMBURSEMENT = "medical-reimbursement"
INSURANCE = "social-insurance-treatment"
BOXES = (FUNERAL, HUKOU, PENSION, MEDICAL)
"""Tick boxes 1 to 4."""
BEHIND_DATA = (HUKOU, PENSION, MEDICAL)

CHEN_ABAO = "330302194504049371"
CHEN_XIAOMIN = "330302197212259469"
LIN_MEIZHU = "330304195802229482"
HUANG_YONGSHENG = "33030419560911953X"
ZHENG_AFU = "330381195301309698"
CARD = "6230520850000456786"
PLATFORM = "data-sharing-platform"

XIAOMIN = Actor("family", "陈晓敏", None, "person-xiaomin")
HUSBAND = Actor("family", "黄永胜", None, "person-yongsheng")
CLERK = Actor("window-clerk", "周倩", None, "staff-zhouqian")
AGENT = Actor("civil-affairs-assistant", "林芳", None, "staff-linfang")

DEPARTMENTS = frozenset(
    {"health", "civil-affairs", "public-security", "social-security", "medical-insurance", "veterans-affairs"}
)
OUTWARD = Outward(DEPARTMENTS, frozenset({"social-security", "medical-insurance"}))

TOLD = "2019-11-19 09:00"
SEALED = "2019-11-19 09:30"
CREMATED = "2019-11-21 15:00"

RECORD = Certificate("CREMATION", "WZHH-1", moment("2019-11-21 14:20"), "温州市殡仪馆")
HOSPITAL = Certificate("DEATH_MEDICAL", "WZYY-7", moment("2019-12-02 18:30"), "瓯海区人民医院")
MEDICAL_CERTIFICATE = Certificate("DEATH_MEDICAL", "WZSW-1", moment("2019-11-18 21:00"), "五马街道社区卫生服务中心")
POLICE_CERTIFICATE = Certificate("DEATH_ABNORMAL", "WZGA-1", moment("2019-11-18 21:00"), "鹿城区公安分局")
OPINION = Certificate("BODY_DISPOSAL_OPINION", "WZGA-2", moment("2019-11-18 21:00"), "鹿城区公安分局")


@cache
def policy() -> Jurisdiction:
    return book().version("wz", "2019-10-15")


def item(slug: str) -> ItemDefinition:
    found = policy().item(slug)
    assert found is not None
    return found


def situations(*declared: str) -> dict[str, bool]:
    """What the daughter knows; special groups are not declared unless they are named."""
    known = {"CIVIL_SERVANT": False, "REIMBURSEMENT_PENDING": False, "INSURED": True}
    return known | dict.fromkeys(declared, True)


def answers(**changes: str | None) -> dict[str, str]:
    """Of the paper's other boxes; ``body_pickupAddress=None`` leaves one empty."""
    full: dict[str, str | None] = {
        "ageAtDeath": "74",
        "residence.temporaryOrEmployerTownship": "五马街道",
        "deathCertificate.kind": "DEATH_MEDICAL",
        "deathCertificate.number": "WZSW-1",
        "deathCertificate.issuedOn": "2019-11-18",
        "body.atFuneralHome": "false",
        "body.pickupAddress": "鹿城区五马街道飞霞南路1号",
        "body.pickupDate": "2019-11-19",
        "ashes.placementIntent": "COMMERCIAL_CEMETERY",
        "ashes.placeName": "翠微山公墓",
        "funeral.processionRoute": "飞霞南路—殡仪馆",
        "signature": "陈晓敏",
        "appliedOn": "2019-11-19",
    }
    full |= {path.replace("_", "."): value for path, value in changes.items()}
    return {path: value for path, value in full.items() if value is not None}


def wz_form(*chosen: str, **changes: Any) -> Form:
    """陈阿宝, normal death at home in 鹿城区; his daughter 陈晓敏 applies online and is the payee."""
    form = Form(
        jurisdiction="wz",
        flow="OUTSIDE",
        channel="WEB",
        area=None,
        deceased=DeceasedForm("陈阿宝", id_number=CHEN_ABAO, sex="MALE", ethnicity="汉族", hukou_area="330302"),
        death=DeathForm(moment("2019-11-18 17:00"), "330302", "鹿城区家中", "心脏病"),
        applicant=PersonForm("陈晓敏", id_number=CHEN_XIAOMIN, phone="13757710001", relation="CHILD"),
        payee=PersonForm("陈晓敏", id_number=CHEN_XIAOMIN, relation="CHILD"),
        account=AccountForm(number=CARD),
        situations=situations(),
        items=chosen or BOXES,
        commitments=("CIVILISED_FUNERAL", "TRUTH"),
        answers=answers(),
    )
    return replace(form, **changes)


def abnormal_form(*chosen: str, **changes: Any) -> Form:
    """The same, and the police were called; the family has their certificate by number."""
    police = answers(deathCertificate_kind="DEATH_ABNORMAL", deathCertificate_number="WZGA-1")
    return wz_form(*chosen, **{"flow": "ABNORMAL", "answers": police, **changes})


def meizhu() -> DeceasedForm:
    return DeceasedForm("林美珠", id_number=LIN_MEIZHU, sex="FEMALE", hukou_area="330304")


def husbands_form(*chosen: str, **changes: Any) -> Form:
    """黄永胜 applies for 林美珠; the number of her certificate he need not know (AS-11)."""
    asked = answers(
        deathCertificate_kind=None,
        deathCertificate_number=None,
        deathCertificate_issuedOn=None,
        body_atFuneralHome="true",
        body_pickupAddress=None,
        body_pickupDate=None,
        body_funeralHome="温州市殡仪馆",
    )
    husband = PersonForm("黄永胜", id_number=HUANG_YONGSHENG, relation="SPOUSE")
    form = wz_form(
        *(chosen or (FUNERAL, HUKOU)),
        flow="INSIDE",
        deceased=meizhu(),
        death=DeathForm(moment("2019-12-02 18:00"), "330304", "瓯海区人民医院"),
        applicant=husband,
        payee=husband,
        answers=asked,
    )
    return replace(form, **changes)


def afu_form(*chosen: str, **changes: Any) -> Form:
    """郑阿福 of 瑞安市, with a hospital bill that is not reimbursed yet (AS-13)."""
    son = PersonForm("郑建国", id_number="330381197803084715", relation="CHILD")
    form = wz_form(
        *(chosen or (HUKOU, PENSION)),
        deceased=DeceasedForm("郑阿福", id_number=ZHENG_AFU, sex="MALE", hukou_area="330381"),
        death=DeathForm(moment("2019-11-18 17:00"), "330381"),
        applicant=son,
        payee=son,
        situations=situations("REIMBURSEMENT_PENDING"),
    )
    return replace(form, **changes)


def connected(database: Database, policies: PolicyBook | None = None) -> World:
    return World(database, policies, OUTWARD).at(TOLD)


def approve(world: World, at: str = SEALED, actor: Actor = CLERK) -> Case:
    """The township sets its seal."""
    with world.at(at).acting(actor) as ctx:
        return case_care.complete_in_platform(ctx, world.number, APPROVAL, {})


def look(id_number: str = CHEN_ABAO, *certificates: Certificate) -> Look:
    """What the city's sharing platform answers; no certificate: it holds nothing of the person."""
    held = Holding(id_number, certificates=certificates) if certificates else None
    return Look(PLATFORM, {id_number: held} if held else {})


def synchronise(world: World, *certificates: Certificate, at: str = CREMATED, of: str = CHEN_ABAO) -> bool:
    """The platform is asked while the case waits, and holds these."""
    with world.at(at).acting(Actor("gateway", "联办平台", None, "gateway")) as ctx:
        return evidence.take(ctx, world.number, (look(of, *(certificates or (RECORD,))),))


def until_data(world: World, form: Form | None = None) -> World:
    """Applied for, approved, cremated: the items behind the data are with their departments."""
    form = form or wz_form()
    world.at(TOLD).submit(form, actor=XIAOMIN)
    approve(world)
    synchronise(world, of=form.deceased.id_number or "")
    return world


def certified_by_hospital(
    world: World,
    flow: str = "INSIDE",
    department: str = "health",
    certificate: Certificate = HOSPITAL,
    at: str = "2019-12-02 18:35",
) -> Ack:
    """The hospital issues 林美珠's certificate; nobody has applied yet."""
    death = DeathForm(moment("2019-12-02 18:00"), "330304", "瓯海区人民医院")
    with world.at(at).acting(Actor("department-system", department, department, department)) as ctx:
        ack = opening.open_by_certificate(ctx, department, "wz", flow, meizhu(), death, certificate, "o-1")
    assert ack.case is not None
    world.number = ack.case.number
    return ack


def refused(world: World, form: Form, actor: Actor = XIAOMIN) -> Refused:
    with pytest.raises(Refused) as found:
        world.submit(form, actor=actor)
    assert (world.count(), world.queued) == (0, []), "nothing is created, nothing is pushed"
    return found.value


def faults(error: Refused) -> set[tuple[str, str | None, tuple[str, ...]]]:
    return {(problem.reason.code.value, problem.path, problem.reason.ids) for problem in error.problems}


def pension_answers(world: World, *fen: int, serial: str = "s-1") -> Ack:
    """Social security approves a funeral grant and a bereavement payment."""
    kinds = ("FUNERAL_GRANT", "BEREAVEMENT_PAYMENT")
    sums = [payment(str(n), kind, amount) for n, (kind, amount) in enumerate(zip(kinds, fen, strict=False), 1)]
    return world.report("social-security", PENSION, serial, Outcome.COMPLETED, payments=tuple(sums))


def settles(world: World, fen: int, serial: str = "m-1") -> Ack:
    """Medical insurance settles the account, perhaps below zero."""
    balance = (payment("1", "MEDICAL_ACCOUNT_BALANCE", fen),)
    return world.report("medical-insurance", MEDICAL, serial, Outcome.COMPLETED, payments=balance)


def finish(world: World, *but: str, outcome: Outcome = Outcome.COMPLETED) -> Case:
    """Every department answers what is open with it."""
    for slug, found in world.case().items.items():
        definition = item(slug)
        if definition.handler == "SYSTEM" and slug not in but and found.status in ("DISPATCHED", "ACCEPTED"):
            ack = world.report(definition.department or "", slug, f"done-{slug}", outcome)
            assert ack.reason is None, ack.reason.zh()
    return world.case()


def told(slugs: Iterable[str]) -> set[tuple[str | None, str]]:
    """(department, item) as the queue of pushes shows them."""
    return {(item(slug).department, slug) for slug in slugs}
