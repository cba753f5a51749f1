"""Rights as somebody outside would try them: what a department is told of a case that is none of its matters, and what
a mask, a link or a shared record gives away on another path (HZ-816, PD-15)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.access.rights import Viewer
from gateway.desk import Desk
from gateway.domain.department import Callback, Certificate, Outcome, Record
from gateway.services import revocation
from gateway.services.write_back import AckOutcome
from gateway.store.session import Database
from gateway.worker.outward import Outward
from tests import uxin, yueyang, yunnan
from tests.builders import (
    DUTY,
    SHEN_FUGEN,
    SHEN_LIJUAN,
    World,
    hz_account,
    hz_deceased,
    hz_form,
    medical_certificate,
    moment,
)
from tests.door import ask, codes, desk_of, viewer
from tests.integration.conftest import sqlite

pytestmark = pytest.mark.rule("HZ-816", "PD-15")

HUZHOU = "330500"
NOBODYS = "HZ2025110799999"
OWN = {"bank": "bank-asset-disposal", "insurer": "insurer-asset-disposal", "resettlement": "resettlement-registration"}
"""Items that 沈福根's case names and that do not apply to him: nothing was ever pushed there."""
_PAPER = 'certificate: {type: "DEATH_MEDICAL", number: "N-1", issuedAt: "2025-11-09T08:00:00+08:00"}'
_SUM = 'payout: {serial: "1", kind: "X", amount: "1.00"}'
MESSAGES = {
    "acceptItem": "",
    "completeItem": "",
    "refuseItem": 'reason: "x"',
    "requestCorrection": 'reason: "x"',
    "declareItemNotApplicable": 'reason: "x"',
    "attachCertificate": _PAPER,
    "referItem": 'reason: "x"',
    "reportPayout": _SUM,
    "answerReversal": "outcome: UNDONE",
}


def message(name: str, number: str, slug: str, serial: str = "s-1") -> str:
    given = f'caseNumber: "{number}", item: "{slug}", {MESSAGES[name]}'
    if name != "answerReversal":
        given += f', serial: "{serial}"'
    wanted = "acknowledgement takenAt item { slug } userErrors { code message path facts { name value } }"
    return f"mutation {{ {name}(input: {{{given}}}) {{ {wanted} }} }}"


def told(desk: Desk, who: Viewer, text: str, **variables: Any) -> dict[str, Any]:
    return asyncio.run(ask(desk, who, text, **variables))


def specialist(department: str, area: str = HUZHOU) -> Viewer:
    return viewer("specialist", department=department, area=area)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, World]]:
    """沈福根's case in 吴兴区, cremated, with many departments at work; and one in 岳阳县."""
    world = World(sqlite(tmp_path_factory.mktemp("judged")))
    world.at("2021-06-17 09:40").submit(yueyang.yy_form(), actor=yueyang.CLERK)
    world.until_cremation(hz_form(account=hz_account()))
    desk = desk_of(world)
    yield desk, world
    desk.threads.shutdown()
    world.database.dispose()


# ── messages about cases that are not the sender's ──────────────────────────────────────────────────────


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("department", [*OWN, "nowhere", "judicial"])
def test_a_department_with_nothing_in_a_case_is_not_told_that_there_is_one(
    place: tuple[Desk, World], department: str, name: str
) -> None:
    """Its area holds the case; its own item does not apply, or it has none, or nobody knows such a department."""
    desk, world = place
    before = len(world.ledger())
    for slug in (OWN.get(department, "hukou-deregistration"), "medical-account-settlement", "no-such-item"):

        def answer(number: str, slug: str = slug) -> str:
            found = told(desk, specialist(department), message(name, number, slug))
            return json.dumps(found, ensure_ascii=False).replace(number, "NUMBER")

        assert answer(world.number) == answer(NOBODYS), slug
    assert len(world.ledger()) == before, "nor is a case written into that is none of its matters"


def test_who_waits_for_an_item_is_told_that_it_was_not_pushed(tmp_path: Any) -> None:
    """PD-06 wants this word for the item's own department, and for nobody else."""
    world = World(sqlite(tmp_path))
    world.submit(hz_form())
    desk = desk_of(world)
    text = message("acceptItem", world.number, "hukou-deregistration")

    def answer(department: str) -> list[str]:
        payload = told(desk, specialist(department), text)["data"]["acceptItem"]
        return [error["code"] for error in payload["userErrors"]]

    assert [answer(one) for one in ("public-security", "bank")] == [["NOT_DISPATCHED"], ["CASE_NOT_FOUND"]]
    desk.threads.shutdown()


@pytest.mark.parametrize("name", MESSAGES)
def test_whether_others_have_an_item_in_the_case_is_not_told(tmp_path: Any, name: str) -> None:
    """That the deceased got a subsidy for disabled persons is no matter of the medical insurance's."""
    world = uxin.connected(sqlite(tmp_path))
    world.submit(uxin.ws_form(), actor=uxin.QIQIGE)
    uxin.deregister(world)
    desk, medical = desk_of(world), specialist("medical-insurance", "150626")
    there = set(world.case().items)
    chosen, other = "pension-enterprise-funeral-bereavement-claim", "disability-two-subsidies-stop"
    assert chosen in there and other not in there and "medical-account-settlement" in there

    def answer(slug: str) -> Any:
        [payload] = told(desk, medical, message(name, world.number, slug))["data"].values()
        return payload["acknowledgement"], payload["item"], [error["code"] for error in payload["userErrors"]]

    assert answer(chosen) == answer(other) == ("REFUSED", None, ["NOT_OWNER"])
    desk.threads.shutdown()


@pytest.mark.parametrize(
    "code, slug", [("health", "death-cert-normal"), ("bank", "bank-asset-disposal"), ("bank", "hukou-deregistration")]
)
def test_a_message_in_a_departments_own_format_is_held_to_the_same_area(
    database: Database, code: str, slug: str
) -> None:
    """A county's system writes into no other county's case, and is not told that there is one."""
    world = World(database)
    world.submit(hz_form())

    async def run(call: Any, _: str = "") -> Any:
        with world.acting() as ctx:
            return call(ctx)

    async def look(call: Any) -> Any:
        with world.database.read() as tx:
            return call(world.ctx(tx))

    outward = Outward({}, run, look, {}, (), None)  # type: ignore[arg-type]

    def answer(number: str, areas: tuple[str, ...] | None) -> str | None:
        record = Record(f"{number}.{slug}", Outcome.ACCEPTED, "20", world.now)
        return asyncio.run(outward.take_callback(code, Callback("s-1", (record,)), areas))

    before = world.case()
    assert answer(world.number, ("330503",)) == answer(NOBODYS, ("330503",)) == "CASE_NOT_FOUND"
    assert world.case() == before
    assert answer(world.number, ("3305",)) == (None if code == "health" else "CASE_NOT_FOUND")


# ── masks, and what undoes them ─────────────────────────────────────────────────────────────────────────

CERTIFICATES = "query($n: String!) { case(number: $n) { certificates { type number seal } } }"


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str]]:
    """Since July 2026 the number of the national death certificate is the ID number."""
    world = World(sqlite(tmp_path_factory.mktemp("certified")))
    number = world.submit(hz_form()).number
    paper = Certificate("DEATH_MEDICAL", SHEN_FUGEN, moment("2025-11-08 21:30"), "吴兴区社区卫生服务中心")
    world.at("2025-11-08 21:30").report("health", "death-cert-normal", "h-1", Outcome.COMPLETED, certificates=(paper,))
    desk = desk_of(world)
    yield desk, number
    desk.threads.shutdown()
    world.database.dispose()


@pytest.mark.parametrize("role", ["supervisor", "support", "administrator"])
def test_a_masked_id_number_does_not_stand_on_the_death_certificate(certified: tuple[Desk, str], role: str) -> None:
    """Nor is a seal shown: it is over the number, and would tell which of the few that fit the mask is right."""
    desk, number = certified
    answer = told(desk, viewer(role), CERTIFICATES, n=number)
    assert SHEN_FUGEN not in json.dumps(answer)
    [paper] = answer["data"]["case"]["certificates"]
    assert (paper["number"], paper["seal"]) == ("3305**********9559", None)


def test_who_sees_id_numbers_sees_it_with_its_seal(certified: tuple[Desk, str]) -> None:
    desk, number = certified
    for who in (viewer("duty-person"), specialist("health")):
        [paper] = told(desk, who, CERTIFICATES, n=number)["data"]["case"]["certificates"]
        assert paper["number"] == SHEN_FUGEN and paper["seal"]


def test_a_reason_lifts_the_mask_of_the_certificate_too(certified: tuple[Desk, str]) -> None:
    desk, number = certified
    text = """mutation($n: String!) { revealPersonalData(input: {caseNumber: $n, fields: [IDENTITY],
      reason: "VERIFY_DATA"}) { case { certificates { number seal } } userErrors { code } } }"""
    [paper] = told(desk, viewer("support", subject="one"), text, n=number)["data"]["revealPersonalData"]["case"][
        "certificates"
    ]
    assert paper["number"] == SHEN_FUGEN and paper["seal"]


# ── links of departments that serve several places ──────────────────────────────────────────────────────

PAUSE = 'mutation { pauseDepartment(input: {department: "%s", until: "2099-01-01T00:00:00+08:00", reason: "x"}) %s }'
RESUME = 'mutation { resumeDepartment(input: {department: "%s"}) %s }'


@pytest.mark.parametrize("text", [PAUSE, RESUME], ids=["pause", "resume"])
@pytest.mark.parametrize(
    "area, department, may",
    [
        ("000000", "medical-insurance", True),
        (HUZHOU, "medical-insurance", False),
        (HUZHOU, "veterans-affairs", True),
        ("330502", "veterans-affairs", True),
        ("330503", "veterans-affairs", False),
        ("110000", "veterans-affairs", False),
    ],
)
def test_a_link_is_stopped_only_by_who_administers_every_place_it_serves(
    place: tuple[Desk, World], text: str, area: str, department: str, may: bool
) -> None:
    desk, _ = place
    answer = told(desk, viewer("administrator", area=area), text % (department, "{ userErrors { code } }"))
    assert codes(answer) == ([] if may else ["FORBIDDEN"])
    if not may:
        assert "系统管理员" in answer["errors"][0]["message"], "whom to turn to"


# ── shared data of other areas ──────────────────────────────────────────────────────────────────────────


def test_sharing_a_certificate_tells_nothing_of_somebody_of_another_area(database: Database) -> None:
    """A funeral home elsewhere in the province may send what it issued; what others shared it does not get for it."""
    world = yunnan.connected(database)
    yunnan.share(world, "health", yunnan.medical())
    desk = desk_of(world)
    text = """mutation($i: ShareCertificateInput!) { shareCertificate(input: $i) { acknowledgement inCase
      record { name idNumber certificates { type number } } userErrors { code } } }"""
    person = yunnan.yn_form().deceased
    given = {
        "jurisdiction": "yn",
        "deceased": {"name": person.name, "idNumber": person.id_number, "sex": person.sex},
        "death": {"area": "530402"},
        "certificate": {"type": "CREMATION", "number": "C-9", "issuedAt": "2025-11-05T10:00:00+08:00", "issuer": "x"},
    }

    def answer(area: str) -> Any:
        return told(desk, specialist("civil-affairs", area), text, i=given)["data"]["shareCertificate"]

    elsewhere = answer("530102")
    assert elsewhere == {"acknowledgement": "APPLIED", "inCase": False, "record": None, "userErrors": []}
    assert answer("530400")["record"]["idNumber"] == person.id_number
    desk.threads.shutdown()


def test_a_stop_is_recorded_on_shared_data_of_the_own_area_only(database: Database) -> None:
    """What is shared of somebody of another area answers as if nothing were shared."""
    world = yueyang.connected(database)
    yueyang.upload(world)
    desk = desk_of(world)

    def answer(area: str, id_number: str, serial: str) -> Any:
        text = f"""mutation {{ recordStop(input: {{jurisdiction: "yy", idNumber: "{id_number}",
          item: "retirement-pension-stop", serial: "{serial}"}}) {{ acknowledgement record {{ idNumber }} inCase
          userErrors {{ code message path }} }} }}"""
        return told(desk, specialist("social-security", area), text)["data"]["recordStop"]

    township = answer("430621999", yueyang.LI_DEFU, "1")
    assert township == answer("430621999", yueyang.LI_JIANJUN, "2")
    assert [error["code"] for error in township["userErrors"]] == ["NOTHING_SHARED"]
    assert answer("430621", yueyang.LI_DEFU, "3")["record"] == {"idNumber": yueyang.LI_DEFU}
    desk.threads.shutdown()


# ── a number or a serial that somebody else has ─────────────────────────────────────────────────────────


def test_a_number_does_not_tell_that_the_death_was_recorded_in_error(database: Database) -> None:
    """Who asks to join an open case is told that the request was taken (PD-07); of a revoked one nothing is told."""
    world = World(database)
    world.submit(hz_form())
    with world.acting(DUTY) as ctx:
        revocation.revoke(ctx, world.number, "误报，本人健在")
    desk = desk_of(world)

    def answer(number: str) -> str:
        given = f'caseNumber: "{number}", applicant: {{name: "沈建国", relation: CHILD, phone: "13757210002"}}'
        text = f"mutation {{ askToJoin(input: {{{given}}}) {{ request userErrors {{ code message path }} }} }}"
        return json.dumps(told(desk, viewer("family", subject="son"), text), ensure_ascii=False).replace(number, "N")

    assert answer(world.number) == answer(NOBODYS) and "CASE_NOT_FOUND" in answer(NOBODYS)
    desk.threads.shutdown()


@pytest.mark.rule("PD-06")
def test_two_hospitals_with_one_serial_certify_two_deaths(world: World) -> None:
    """The second certificate was refused, and the refusal stood in the case of a stranger, which was shown."""
    first = world.opened_by("health", "INSIDE", medical_certificate("D-1"), "1")
    other = hz_deceased(name="沈丽娟", id_number=SHEN_LIJUAN)
    second = world.opened_by("health", "INSIDE", medical_certificate("D-2"), "1", deceased=other)
    assert second.reason is None and world.count() == 2
    assert first.case is not None and world.number != first.case.number
    again = world.opened_by("health", "INSIDE", medical_certificate("D-2"), "1", deceased=other)
    assert again.outcome is AckOutcome.REPEATED and world.count() == 2
