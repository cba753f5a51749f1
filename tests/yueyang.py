"""岳阳县 in the tests: 李建军's application for his father 李德福 at the county window (AS-04…07)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from gateway.domain.department import Certificate
from gateway.domain.form import AccountForm, DeathForm, DeceasedForm, Form, MaterialForm, PersonForm
from gateway.domain.messages import Refused
from gateway.policy.model import ItemDefinition, Jurisdiction
from gateway.services import shared
from gateway.services.context import Outward
from gateway.services.shared import Shared
from gateway.store.cases import Actor
from gateway.store.session import Database
from tests.builders import World, book, moment

HUKOU = "hukou-deregistration"
RETIRED = "pension-enterprise-retired-death-claim"
IN_SERVICE = "pension-enterprise-inservice-death-claim"
MEDICAL = "medical-account-settlement"
FUND = "housing-fund-death-withdrawal"
RESIDENT = "pension-resident-account-claim"
VETERAN = "veteran-preferential-death-claim"
CREMATION = "cremation-cert"
FOUR = (HUKOU, RETIRED, MEDICAL, FUND)
"""Boxes 1, 3, 5 and 6: YY-601, 602, 607, 608."""
LI_DEFU = "430621195205209156"
LI_JIANJUN = "430621197910039171"
PENSION_CARD = "6228481250000678904"
OWN_CARD = "6222021102000345671"
REASON = "逝者银行卡遗失且账户已注销"
CLERK = Actor("window-clerk", "刘静", None, "staff-liujing")
DEPARTMENTS = frozenset(
    {"public-security", "social-security", "medical-insurance", "housing-fund", "social-assistance"}
)
FIVE = (
    "DECEASED_HOUSEHOLD_BOOKLET",
    "DECEASED_ID_CARD",
    "DECEASED_BANK_CARD",
    "APPLICANT_HOUSEHOLD_BOOKLET",
    "APPLICANT_ID_CARD",
)
PULLED = {
    "medical-insurance": (
        "medical-account-credit-stop",
        "special-disease-outpatient-stop",
        "special-drug-stop",
        "medical-benefit-and-participation-end",
    ),
    "housing-fund": ("housing-fund-account-seal",),
    "social-security": ("retirement-pension-stop", "social-insurance-contribution-stop", "pension-account-credit-stop"),
    "social-assistance": ("dibao-tekun-stop",),
    "elderly-care": ("elderly-service-stop",),
    "disabled-persons-federation": ("disability-subsidy-stop",),
    "veterans-affairs": ("veteran-preferential-stop",),
}
"""Department → stops it makes by itself: YY-611…622."""


@cache
def policy() -> Jurisdiction:
    return book().version("yy", "2021-05-26")


def item(slug: str) -> ItemDefinition:
    found = policy().item(slug)
    assert found is not None
    return found


def papers(*kinds: str) -> tuple[MaterialForm, ...]:
    return tuple(MaterialForm(kind, f"{kind}.pdf", f"sha256:{kind}") for kind in kinds)


def defu() -> DeceasedForm:
    return DeceasedForm("李德福", id_number=LI_DEFU, sex="MALE", hukou_area="430621100", police_station="荣家湾派出所")


def yy_form(*chosen: str, **changes: Any) -> Form:
    """李德福 of 荣家湾镇, retired enterprise employee, natural death at home, cremated in the county."""
    form = Form(
        jurisdiction="yy",
        flow="OUTSIDE",
        channel="WINDOW",
        area=None,
        deceased=defu(),
        death=DeathForm(moment("2021-06-13 05:00"), "430621100"),
        applicant=PersonForm("李建军", id_number=LI_JIANJUN, relation="CHILD", sex="MALE", phone="13975080001"),
        account=AccountForm("DECEASED", "李德福", PENSION_CARD, "中国农业银行"),
        items=chosen or FOUR,
        materials=papers(*FIVE),
        commitments=("TRUTH", "HEIR_SHARING"),
        answers={"insurance.countyCentre": "true", "cremation.area": "430621", "signature": "李建军"},
    )
    return replace(form, **changes)


def killed_at_work() -> Form:
    """周志刚, killed in an accident at work, cremated in 岳阳楼区; his wife 彭丽 applies (AS-06)."""
    return yy_form(
        flow="ABNORMAL",
        deceased=DeceasedForm("周志刚", id_number="430621198308159191", sex="MALE", hukou_area="430621"),
        death=DeathForm(moment("2021-06-13 05:00"), "430621100", cause_kind="WORK_INJURY"),
        applicant=PersonForm("彭丽", id_number="430621198512079260", relation="SPOUSE"),
        account=AccountForm("DECEASED", "周志刚", PENSION_CARD),
        answers={
            "insurance.countyCentre": "true",
            "cremation.area": "430602",
            "cremation.areaName": "岳阳楼区",
            "signature": "彭丽",
        },
    )


def heir_form(reason: str | None = REASON, **changes: Any) -> Form:
    account = AccountForm("APPLICANT_HEIR", "李建军", OWN_CARD, fallback_reason=reason)
    kept = tuple(paper for paper in papers(*FIVE) if paper.type != "DECEASED_BANK_CARD")
    return yy_form(account=account, materials=kept, **changes)


def connected(database: Database) -> World:
    paying = frozenset({"social-security", "medical-insurance", "housing-fund"})
    return World(database, None, Outward(DEPARTMENTS, paying)).at("2021-06-17 09:40")


def cremation(number: str = "YY-HH-0615") -> Certificate:
    return Certificate("CREMATION", number, moment("2021-06-15 11:00"), "岳阳县殡仪馆")


def system(department: str) -> Actor:
    return Actor("department-system", department, department, f"system:{department}")


def apply(world: World, **changes: Any) -> None:
    world.at("2021-06-17 09:40").submit(yy_form(**changes), actor=CLERK)


def upload(world: World, at: str = "2021-06-15 11:30", certificate: Certificate | None = None) -> Shared:
    """The funeral home uploads the cremation certificate (YY-504)."""
    with world.at(at).acting(system("civil-affairs")) as ctx:
        death = DeathForm(moment("2021-06-13 05:00"))
        return shared.share(ctx, "civil-affairs", "yy", defu(), death, certificate or cremation())


def stop(world: World, department: str, slug: str, reference: str | None = None) -> Shared:
    with world.acting(system(department)) as ctx:
        return shared.record_stop(ctx, department, "yy", LI_DEFU, slug, f"s-{slug}", reference)


def sent(world: World) -> list[tuple[str, str]]:
    return [(work.department, str(work.args[1])) for work in world.queued if work.name == "deliver"]


def refused(world: World, form: Form, actor: Actor = CLERK) -> Refused:
    with pytest.raises(Refused) as found:
        world.submit(form, actor=actor)
    assert (world.count(), world.queued) == (0, []), "nothing is created, nothing is pushed"
    return found.value
