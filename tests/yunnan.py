"""云南省 in the tests: 杨志强's application for his mother 杨桂芳, and what the departments answer (AS-08, AS-09)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from gateway.access import rights, sight
from gateway.access.rights import Viewer
from gateway.domain.case import Case
from gateway.domain.department import Application, Certificate, Holding, Outcome
from gateway.domain.events import Pushed
from gateway.domain.evidence import Look, Looks
from gateway.domain.form import DeathForm, DeceasedForm, Form, PersonForm
from gateway.policy.book import PolicyBook
from gateway.policy.model import Jurisdiction
from gateway.services import correction, dispatch, shared
from gateway.services.context import Outward
from gateway.services.correction import Changes
from gateway.services.shared import Shared
from gateway.services.write_back import Ack
from gateway.store.cases import Actor
from gateway.store.session import Database
from tests.builders import World, book, moment, payment

YANG_GUIFANG = "530402195509099420"
YANG_ZHIQIANG = "530402198102149338"

HUKOU = "hukou-deregistration"
LICENCE = "driving-licence-cancellation"
WILL = "will-notarisation-check"
PENSION_END = "pension-participation-end"
LUMP_SUM = "pension-basic-account-lumpsum-claim"
SURVIVORS = "survivor-benefit-claim"
FUND = "housing-fund-death-withdrawal"
EQUITY = "equity-registration-enquiry"
MEDICAL_END = "medical-insurance-participation-end"
MEDICAL = "medical-account-settlement"
DEPOSIT = "bank-small-deposit-withdrawal"
SEVEN = (HUKOU, LICENCE, PENSION_END, SURVIVORS, FUND, MEDICAL_END, MEDICAL)
"""YN-604, 605, 607, 609, 610, 612, 613."""
ELEVEN = (HUKOU, LICENCE, WILL, PENSION_END, LUMP_SUM, SURVIVORS, FUND, EQUITY, MEDICAL_END, MEDICAL, DEPOSIT)
"""All that the family may choose: YN-604…614."""
NORMAL, ABNORMAL, TREATED, CREMATED = (
    "death-cert-normal",
    "death-cert-abnormal",
    "death-cert-abnormal-treated",
    "cremation-cert",
)
CODING, RETURN = "case-coding", "case-result-return"

HUB, PLATFORM, LIBRARY = "data-direct", "provincial-platform", "e-certificate-library"
CASE_CODE = "5300002025110600000017"
"""What the stand-in of the provincial platform answers; the structure of the code is NOT STATED (S-11)."""

SON = Actor("family", "杨志强", None, "person-zhiqiang")
CLERK = Actor("window-clerk", "白丽", None, "staff-baili")
HELPER = Actor("civil-affairs-assistant", "普文", None, "staff-puwen")


@cache
def policy() -> Jurisdiction:
    return book().version("yn", "2025-08-01")


def yn_situations(*declared: str) -> dict[str, bool]:
    """Every situation declared false, except these."""
    return {situation.code: situation.code in declared for situation in policy().situations}


EVERYTHING = tuple(situation.code for situation in policy().situations)


def yn_form(*chosen: str, **changes: Any) -> Form:
    """杨桂芳 of 红塔区, who died under treatment in a hospital and was cremated; her son applies in WeChat."""
    form = Form(
        jurisdiction="yn",
        flow="INSIDE",
        channel="WECHAT",
        area=None,
        deceased=DeceasedForm("杨桂芳", id_number=YANG_GUIFANG, sex="FEMALE", hukou_area="530402"),
        death=DeathForm(moment("2025-11-03 04:20"), "530402", "玉溪市人民医院"),
        applicant=PersonForm("杨志强", id_number=YANG_ZHIQIANG, relation="CHILD", phone="13908770001"),
        situations=yn_situations(*EVERYTHING),
        items=chosen or SEVEN,
        answers={"disposal.mode": "CREMATION"},
    )
    return replace(form, **changes)


def as_heir(form: Form, capacity: str | None = "HEIR") -> Form:
    assert form.applicant is not None
    return replace(form, applicant=replace(form.applicant, capacity=capacity))


def buried(form: Form) -> Form:
    return replace(form, answers={**form.answers, "disposal.mode": "EARTH_BURIAL"})


def abnormal(form: Form, treated: bool) -> Form:
    answers = {**form.answers, "treatment.received": "true" if treated else "false"}
    return replace(form, flow="ABNORMAL", answers=answers)


def medical(number: str = "530402025110300012") -> Certificate:
    return Certificate("DEATH_MEDICAL", number, moment("2025-11-03 05:00"), "玉溪市人民医院")


def police(number: str = "YX-GA-2025-0077") -> Certificate:
    return Certificate("DEATH_ABNORMAL", number, moment("2025-11-03 15:00"), "玉溪市公安局红塔分局")


def cremation(number: str = "YX-HH-2025-0311") -> Certificate:
    return Certificate("CREMATION", number, moment("2025-11-05 10:00"), "玉溪市殡仪馆")


def held(**changes: Any) -> Holding:
    """What the e-certificate library holds of 杨桂芳."""
    told = Holding(
        YANG_GUIFANG,
        name="杨桂芳",
        sex="FEMALE",
        ethnicity="彝族",
        hukou_area="530402",
        certificates=(medical(), cremation()),
    )
    return replace(told, **changes)


def library(*holdings: Holding) -> Looks:
    """The library answers with these; without any: with 杨桂芳 and her son."""
    told = holdings or (held(), Holding(YANG_ZHIQIANG, name="杨志强"))
    return (Look(LIBRARY, {holding.id_number: holding for holding in told}),)


SILENT: Looks = (Look(LIBRARY, None),)


def connected(database: Database, policies: PolicyBook | None = None) -> World:
    """The hub and the provincial platform are connected, and no department by a link of its own (YN-1003)."""
    world = World(database, policies, Outward(frozenset({HUB, PLATFORM}), frozenset()))
    return world.at("2025-11-06 09:30")


# ── what is sent and what comes back ────────────────────────────────────────────────────────────────────


def sent(world: World, name: str = "deliver") -> list[str]:
    """Slugs of the items that were queued to be sent, in order."""
    return [str(work.args[1]) for work in world.queued if work.name == name]


def systems(world: World) -> dict[str, str]:
    """Item → system its push goes into."""
    return {str(work.args[1]): work.department for work in world.queued if work.name == "deliver"}


def pushed(world: World) -> list[set[str]]:
    return [set(event.slugs) for event in world.ledger() if isinstance(event, Pushed)]


def application(world: World, slug: str) -> Application:
    with world.acting() as ctx:
        found = dispatch.application(ctx, world.number, slug)
    assert found is not None, f"nothing is to be sent for {slug}"
    return found


def answer(
    world: World, slug: str, serial: str | None = None, outcome: Outcome = Outcome.COMPLETED, **more: Any
) -> Ack:
    """The department of the item answers."""
    case = world.case()
    definition = world.policies.version(case.jurisdiction, case.policy_version).item(slug)
    assert definition is not None and definition.department is not None
    return world.report(definition.department, slug, serial or f"done-{slug}", outcome, **more)


def answer_all(world: World, slugs: Sequence[str] = SEVEN) -> None:
    for slug in slugs:
        ack = answer(world, slug)
        assert ack.reason is None, ack.reason.zh()


def code(world: World, given: str = CASE_CODE) -> Ack:
    """The provincial platform gives the case its code."""
    return answer(world, CODING, details={"caseCode": given})


def sums(kind: str, fen: int) -> tuple[Any, ...]:
    return (payment("1", kind, fen, on=moment("2025-11-10 10:00")),)


def share(world: World, department: str, certificate: Certificate, form: Form | None = None) -> Shared:
    """A certificate is issued in the system (YN-505…507)."""
    form = form or yn_form()
    with world.acting(Actor("department-system", department, department, department)) as ctx:
        return shared.share(ctx, department, "yn", form.deceased, form.death, certificate)


def add(world: World, *slugs: str, actor: Actor = SON, **values: Any) -> Case:
    """The family adds items to its case; ``values``: form paths with ``__`` for the dot."""
    changes = Changes({path.replace("__", "."): value for path, value in values.items()}, slugs)
    with world.acting(actor) as ctx:
        return correction.correct(ctx, world.number, changes, "增加事项")


def seen_by(
    world: World, role: str = "family", area: str = "530000", department: str | None = None, subject: str = SON.subject
) -> Case | None:
    viewer = Viewer(role, area, "某", subject, department)
    return sight.see(rights.load(), viewer, policy(), world.case())


def until_result(world: World, form: Form | None = None, actor: Actor = SON) -> World:
    """AS-08: issued in the system, applied for once, coded, all answered; the platform has not taken the result yet."""
    form = form or yn_form()
    share(world.at("2025-11-03 05:05"), "health", medical(), form)
    share(world.at("2025-11-05 10:10"), "civil-affairs", cremation(), form)
    world.at("2025-11-06 09:30").submit(form, actor=actor, looks=library())
    code(world.at("2025-11-06 09:31"))
    answer_all(world.at("2025-11-10 16:00"), form.items)
    return world


def until_closed(world: World, form: Form | None = None, actor: Actor = SON) -> World:
    until_result(world, form, actor)
    answer(world.at("2025-11-10 16:01"), RETURN)
    return world
