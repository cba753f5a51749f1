"""Data-sharing platform: the adapter against the running platform, and its messages byte by byte."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from lxml import etree

from adapters.data_sharing_platform import codes, wire
from gateway.domain.department import (
    Certificate,
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Holding,
)

from .conftest import Running
from .damaged import damaged

Start = Callable[[str], Running]
BAO, MEIZHU = "330302194504049371", "330304195802229482"
BURNT = datetime(2019, 11, 21, 1, 30, tzinfo=UTC)

ANSWER = f"""<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="{wire.SOAP}" xmlns:dsp="{wire.SERVICE}"><soap:Body><dsp:queryResponse>
<code>200</code><msg>成功</msg>
<dataset resource="R3303-SWXX" total="1"><row><SFZHM>{BAO}</SFZHM><XM>陈阿宝</XM><XBDM>1</XBDM><CSRQ>1945-04-04</CSRQ>
<HJQH>330302</HJQH><SWSJ>2019-11-18 06:20:00</SWSJ><SWQH>330302</SWQH><ZMLX>1</ZMLX><ZMBH>SW330302201911180007</ZMBH>
<QFSJ>2019-11-18 10:00:00</QFSJ><QFJG>五马街道社区卫生服务中心</QFJG><SJZT>1</SJZT></row></dataset>
<dataset resource="R3303-HHXX" total="1"><row><SFZHM>{BAO}</SFZHM><XM>陈阿宝</XM><HHSJ>20191121093000</HHSJ>
<HHZBH>HH330302201911210031</HHZBH><BYGMC>温州市殡仪馆</BYGMC><BYGQH>330304</BYGQH><SJZT>1</SJZT></row></dataset>
</dsp:queryResponse></soap:Body></soap:Envelope>""".encode()


# ── against the running platform ────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("WZ-403", "WZ-510", "WZ-1001")
async def test_what_the_funeral_home_entered_is_there_at_the_next_question(department: Start) -> None:
    running = department("data-sharing-platform")
    source = running.adapter()
    assert await source.look_up([BAO]) == {}
    running.counter.act(
        BAO, "cremation", name="陈阿宝", at="2019-11-21T09:30:00", number="HH330302201911210031", area="330304"
    )
    assert await source.look_up([BAO]) == {
        BAO: Holding(
            BAO,
            "陈阿宝",
            cremation_area="330304",
            certificates=(Certificate("CREMATION", "HH330302201911210031", BURNT, "温州市殡仪馆"),),
        )
    }
    await source.close()


@pytest.mark.rule("WZ-403", "WZ-822")
@pytest.mark.parametrize(("kind", "certificate"), [("1", "DEATH_MEDICAL"), ("2", "DEATH_ABNORMAL")])
async def test_death_data_say_when_where_and_by_which_certificate(
    department: Start, kind: str, certificate: str
) -> None:
    running = department("data-sharing-platform")
    source = running.adapter()
    person = {"1": MEIZHU, "2": "33030419560911953X"}[kind]
    running.counter.act(person, "death", name="林美珠", kind=kind, at="2019-12-02T08:00:00", area="330304")
    held = (await source.look_up([person]))[person]
    assert (held.died_at, held.death_area) == (datetime(2019, 12, 2, tzinfo=UTC), "330304")
    assert [each.type for each in held.certificates] == [certificate]
    assert held.birth_date == date(int(person[6:10]), int(person[10:12]), int(person[12:14]))
    await source.close()


async def test_a_row_made_void_does_not_count(department: Start) -> None:
    running = department("data-sharing-platform")
    source = running.adapter()
    person = "330381195301309698"
    running.counter.act(person, "cremation", name="郑阿福", number="HH-1", at="2019-11-20T09:00:00", area="330381")
    running.counter.act(person, "cremation", name="郑阿福", number="HH-2", at="2019-11-21T09:00:00", area="330382")
    running.counter.act(person, "void", number="HH-2")
    held = (await source.look_up([person]))[person]
    assert ([each.number for each in held.certificates], held.cremation_area) == (["HH-1"], "330381")
    running.counter.act(person, "void", number="HH-1")
    assert await source.look_up([person]) == {}
    await source.close()


async def test_a_token_the_platform_has_forgotten_is_fetched_again(department: Start) -> None:
    running = department("data-sharing-platform")
    source = running.adapter()
    await source.look_up([BAO])
    await source.look_up([BAO])
    assert running.counter.calls() == {"token": 1, "query": 2}
    source.token = "forgotten"
    await source.look_up([BAO])
    assert running.counter.calls() == {"token": 2, "query": 4}
    await source.close()


async def test_a_resource_it_does_not_have_is_rejected(department: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    source = department("data-sharing-platform").adapter()
    monkeypatch.setattr(codes, "DEATHS", "R3303-XXXX")
    with pytest.raises(DepartmentRejected, match="404"):
        await source.look_up([BAO])
    await source.close()


async def test_what_xml_cannot_write_is_rejected_before_the_question(department: Start) -> None:
    source = department("data-sharing-platform").adapter()
    with pytest.raises(DepartmentRejected):
        await source.look_up(["33\x00"])
    await source.close()


# ── byte by byte ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("WZ-403")
def test_an_answer_is_read_field_by_field() -> None:
    assert wire.holdings(ANSWER) == {
        BAO: Holding(
            id_number=BAO,
            name="陈阿宝",
            sex="MALE",
            birth_date=date(1945, 4, 4),
            hukou_area="330302",
            died_at=datetime(2019, 11, 17, 22, 20, tzinfo=UTC),
            death_area="330302",
            cremation_area="330304",
            certificates=(
                Certificate(
                    "DEATH_MEDICAL",
                    "SW330302201911180007",
                    datetime(2019, 11, 18, 2, 0, tzinfo=UTC),
                    "五马街道社区卫生服务中心",
                ),
                Certificate("CREMATION", "HH330302201911210031", BURNT, "温州市殡仪馆"),
            ),
        )
    }


def test_a_question_names_both_resources_and_every_person() -> None:
    sent = etree.fromstring(wire.query([BAO, MEIZHU], "t-1"))
    assert sent.findtext(f"{{{wire.SOAP}}}Header/{{{wire.SERVICE}}}token") == "t-1"
    call = sent.find(f"{{{wire.SOAP}}}Body/{{{wire.SERVICE}}}query")
    assert call is not None
    assert [node.text for node in call.findall("resource")] == ["R3303-SWXX", "R3303-HHXX"]
    assert [node.text for node in call.findall("SFZHM")] == [BAO, MEIZHU]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<ZMLX>1<", "<ZMLX>3<"),
        ("<SJZT>1<", "<SJZT>2<"),
        ("<XBDM>1<", "<XBDM>M<"),
        ("<CSRQ>1945-04-04<", "<CSRQ>19450404x<"),
        ("2019-11-18 06:20:00", "20191118062000"),
        ("20191121093000", "2019-11-21 09:30:00"),
        ('total="1"', 'total="2"'),
        ("<HHZBH>HH330302201911210031<", "<HHZBH><"),
        ("<BYGQH>330304<", "<BYGQH><"),
        ("R3303-HHXX", "R3303-SWXX"),
        ("<code>200<", "<code>299<"),
        ("queryResponse", "getTokenResponse"),
        ("<?xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><?xml"),
    ],
)
def test_a_wrong_field_is_unintelligible(before: str, after: str) -> None:
    whole = ANSWER.decode()
    assert before in whole
    with pytest.raises(DepartmentUnintelligible) as caught:
        wire.holdings(whole.replace(before, after).encode())
    assert BAO not in str(caught.value)


@pytest.mark.parametrize(("code", "error"), [("403", DepartmentRejected), ("429", DepartmentUnavailable)])
def test_their_error_codes_are_ours(code: str, error: type[DepartmentError]) -> None:
    with pytest.raises(error, match=code):
        wire.holdings(ANSWER.replace(b"<code>200<", f"<code>{code}<".encode()))


@given(damaged(ANSWER))
def test_nothing_but_department_errors_escapes(body: bytes) -> None:
    readers: list[Callable[[bytes], object]] = [wire.holdings, wire.token, wire.stale]
    for read in readers:
        with suppress(DepartmentError):
            read(body)
