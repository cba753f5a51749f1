"""E-certificate library: the adapter against the running library, and its messages byte by byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given

from adapters.e_certificate_library import codes, wire
from gateway.domain.department import (
    Certificate,
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
)
from gateway.domain.identity import IdKind, check

from .conftest import Running
from .garbled import garbled

Start = Callable[[str], Running]
MOTHER, SON, DAO, PU, LI, MA = (
    "530402195509099420",
    "530402198102149338",
    "530423196208181427",
    "532525193905073057",
    "530102194803122010",
    "530102197511204632",
)
PERSONS = (MOTHER, SON, DAO, PU, LI, MA)

ANSWER = """{"code": 0, "msg": "ok", "data": {"count": 1, "holders": [{"holderCode": "530423196208181427",
"basic": {"name": "刀玉香", "genderCode": "2", "birthDate": "1962-08-18", "nationCode": "18", "domicileCode": "530423",
"domicileAddress": "云南省玉溪市通海县秀山街道文献里31号"}, "licenses": [
{"typeCode": "DZZZ0101", "licenseNo": "530423196208181427", "issueTime": "2015-03-02T00:00:00+08:00",
"issuer": "通海县公安局", "status": "NORMAL", "surface": {}},
{"typeCode": "DZZZ0301", "licenseNo": "YXZM1", "issueTime": "2025-08-12T10:15:00+08:00", "issuer": "通海县人民医院",
"status": "NORMAL", "surface": {"deathTime": "2025-08-12T04:40:00+08:00", "deathArea": "530423"}}]}]}}""".encode()


def test_the_persons_are_possible_ones() -> None:
    for person in PERSONS:
        assert check(IdKind.RESIDENT_ID, person, date(2025, 8, 20)).fault is None


# ── against the running library ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-402")
async def test_identity_data_of_both_persons_come_in_one_call(department: Start) -> None:
    running = department("e-certificate-library")
    source = running.adapter()
    found = await source.look_up([MOTHER, SON])
    assert running.counter.calls() == {"query": 1}
    mother, son = found[MOTHER], found[SON]
    assert (mother.name, mother.sex, mother.birth_date) == ("杨桂芳", "FEMALE", date(1955, 9, 9))
    assert (mother.ethnicity, mother.hukou_area) == ("汉族", "530402")
    assert mother.hukou_address == "云南省玉溪市红塔区玉带街道玉湖社区12号"
    assert (son.name, son.sex, son.birth_date) == ("杨志强", "MALE", date(1981, 2, 14))
    await source.close()


async def test_papers_that_are_held_and_valid_are_named_as_materials(department: Start) -> None:
    source = department("e-certificate-library").adapter()
    found = await source.look_up([MOTHER, PU, LI])
    assert found[MOTHER].materials == ("APPLICANT_ID_CARD", "DECEASED_ID_CARD", "HOUSEHOLD_BOOKLET")
    assert found[PU].materials == (), "an expired card is no paper"
    assert found[LI].materials == ()
    await source.close()


async def test_certificates_come_with_time_and_place(department: Start) -> None:
    source = department("e-certificate-library").adapter()
    held = (await source.look_up([DAO]))[DAO]
    assert held.certificates == (
        Certificate(
            "DEATH_MEDICAL",
            "YXZM530423202508120007",
            datetime(2025, 8, 12, 2, 15, tzinfo=UTC),
            "通海县人民医院",
        ),
        Certificate("CREMATION", "HHZM530423202508140003", datetime(2025, 8, 14, 1, 5, tzinfo=UTC), "通海县殡仪馆"),
    )
    assert held.died_at == datetime(2025, 8, 11, 20, 40, tzinfo=UTC)
    assert (held.death_area, held.cremation_area) == ("530423", "530423")
    assert held.ethnicity == "傣族"
    await source.close()


async def test_what_is_put_in_at_the_counter_is_held_and_what_is_revoked_is_not(department: Start) -> None:
    running = department("e-certificate-library")
    source = running.adapter()
    running.counter.act(MA, "add", name="马文俊", nation="03", address="昆明市五华区顺城街1号")
    held = (await source.look_up([MA]))[MA]
    assert (held.name, held.ethnicity, held.hukou_area, held.certificates) == ("马文俊", "回族", "530102", ())
    running.counter.act(MA, "license", type="DZZZ0302", number="GAZM-7", issuer="五华区公安分局")
    running.counter.act(MA, "license", type="DZZZ0901", number="A-1")
    held = (await source.look_up([MA]))[MA]
    assert [(each.type, each.number) for each in held.certificates] == [("DEATH_ABNORMAL", "GAZM-7")]
    running.counter.act(MA, "revoke", number="GAZM-7")
    assert (await source.look_up([MA]))[MA].certificates == ()
    await source.close()


async def test_a_purpose_it_has_not_registered_is_rejected(department: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    source = department("e-certificate-library").adapter()
    monkeypatch.setattr(codes, "PURPOSE", "CURIOSITY")
    with pytest.raises(DepartmentRejected, match="10005"):
        await source.look_up([MOTHER])
    await source.close()


async def test_an_application_it_does_not_know_is_rejected(department: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    source = department("e-certificate-library").adapter()
    monkeypatch.setattr(codes, "APP_ID", "OTHER")
    with pytest.raises(DepartmentRejected, match="10002"):
        await source.look_up([MOTHER])
    await source.close()


# ── byte by byte ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_question_names_its_purpose_and_asks_for_the_types_in_the_table_only() -> None:
    asked = json.loads(wire.question([MOTHER]))
    assert asked["holderCodes"] == [MOTHER]
    assert asked["purpose"] == "SHYJS"
    assert set(asked["licenseTypes"]) == {*codes.MATERIALS, *codes.CERTIFICATES}


def test_every_people_has_its_number() -> None:
    assert len(codes.ETHNICITIES) == 58
    assert (codes.ETHNICITIES["05"], codes.ETHNICITIES["22"], codes.ETHNICITIES["56"]) == (
        "维吾尔族",
        "畲族",
        "基诺族",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"nationCode": "18"', '"nationCode": "57"'),
        ('"genderCode": "2"', '"genderCode": "F"'),
        ('"typeCode": "DZZZ0301"', '"typeCode": "DZZZ0999"'),
        ('"status": "NORMAL"', '"status": "SUSPENDED"'),
        ('"issueTime": "2025-08-12T10:15:00+08:00"', '"issueTime": "2025-08-12"'),
        ('"deathTime": "2025-08-12T04:40:00+08:00"', '"deathTime": "yesterday"'),
        ('"deathArea": "530423"', '"deathArea": 530423'),
        ('"birthDate": "1962-08-18"', '"birthDate": "1962-13-18"'),
        ('"count": 1', '"count": 2'),
        ('"code": 0', '"code": 7'),
        ('"code": 0', '"code": "0"'),
        ('"licenseNo": "YXZM1"', '"licenseNo": ""'),
    ],
)
def test_a_wrong_field_is_unintelligible(before: str, after: str) -> None:
    whole = ANSWER.decode()
    assert before in whole
    with pytest.raises(DepartmentUnintelligible) as caught:
        wire.holdings(whole.replace(before, after).encode())
    assert "刀玉香" not in str(caught.value)


def test_a_people_that_is_not_registered_is_none() -> None:
    held = wire.holdings(ANSWER.replace(b'"nationCode": "18"', b'"nationCode": ""'))
    assert held[DAO].ethnicity is None


@pytest.mark.parametrize(("code", "error"), [(10004, DepartmentRejected), (50001, DepartmentUnavailable)])
def test_their_error_codes_are_ours(code: int, error: type[DepartmentError]) -> None:
    with pytest.raises(error, match=str(code)):
        wire.holdings(json.dumps({"code": code, "msg": "", "data": None}).encode())


@given(garbled(ANSWER))
def test_nothing_but_department_errors_escapes(body: bytes) -> None:
    with suppress(DepartmentError):
        wire.holdings(body)
