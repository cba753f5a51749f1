"""公安: SOAP 1.1 in GB18030, against its running system."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from lxml import etree

from adapters.kit.http import HttpChannel
from adapters.kit.registry import manifests
from adapters.public_security import codes, wire
from adapters.public_security.adapter import PATH
from gateway.domain.department import (
    Account,
    Department,
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    PaymentInstruction,
)

from .builders import DECEASED, application
from .conftest import Counter, Running
from .damaged import damaged
from .listening import listening

NOBODY = replace(DECEASED, name=None, id_kind="UNKNOWN", id_number=None, sex="UNKNOWN", birth_date=None)
numbers = count(1)


def key() -> str:
    return f"HZ-20251107-PS{next(numbers)}.1"


@pytest.fixture
def running(department: Callable[[str], Running]) -> Running:
    return department("public-security")


@pytest.fixture
def counter(running: Running) -> Counter:
    return running.counter


@pytest.fixture
async def bureau(running: Running) -> AsyncIterator[Department]:
    adapter = running.adapter()
    yield adapter
    await adapter.close()


def test_the_manifest_and_the_table_name_the_same_items() -> None:
    assert set(manifests()["public-security"].submits) == set(codes.BUSINESS)


async def test_submit_gives_a_receipt_with_their_serial(bureau: Department, counter: Counter) -> None:
    sent = application(key())
    receipt = await bureau.submit(sent)
    held = counter.call("GET", f"/applications/{sent.key}")
    assert (receipt.outcome, receipt.raw_code, receipt.raw_message) == (Outcome.RECEIVED, "01", "已登记")
    assert receipt.reference == held["reference"]
    assert held["item"] == "0101"
    assert {name: held["payload"][name] for name in ("XM", "GMSFHM", "SWRQ", "SWSJ", "HKSZD", "XB", "YSWZGX")} == {
        "XM": "沈福根",
        "GMSFHM": "330502193910109559",
        "SWRQ": "20251107",
        "SWSJ": "20251107043000",
        "HKSZD": "330502",
        "XB": "1",
        "YSWZGX": "20",
    }
    assert held["payload"]["CLLB"][0]["CLBH"] == "3305022025000117"


@pytest.mark.rule("PD-16")
async def test_the_same_key_twice_is_one_application(bureau: Department, counter: Counter) -> None:
    sent = application(key())
    assert (await bureau.submit(sent)).reference == (await bureau.submit(sent)).reference
    assert [each["key"] for each in counter.applications()].count(sent.key) == 1


@pytest.mark.rule("WS-505", "HZ-607", "HZ-508")
@pytest.mark.parametrize(
    "item, certificate",
    [
        ("hukou-deregistration", "DEREGISTRATION"),
        ("death-cert-abnormal", "DEATH_ABNORMAL"),
        ("driving-licence-cancellation", None),
    ],
)
async def test_done_brings_the_certificate(
    bureau: Department, counter: Counter, item: str, certificate: str | None
) -> None:
    sent = application(key(), item)
    await bureau.submit(sent)
    counter.act(sent.key, "accept")
    assert (await bureau.read_many([sent.key]))[sent.key].outcome is Outcome.ACCEPTED
    counter.act(sent.key, "finish")
    record = (await bureau.read_many([sent.key]))[sent.key]
    held = counter.call("GET", f"/applications/{sent.key}")
    assert (record.outcome, record.raw_code, record.payments) == (Outcome.COMPLETED, "04", ())
    assert [each.type for each in record.certificates] == ([certificate] if certificate else [])
    if certificate:
        assert record.certificates[0].number == held["certificate"]["number"]
    assert abs(record.updated_at.timestamp() - held["updated_at"]) < 0.001


@pytest.mark.rule("HZ-104")
async def test_an_unidentified_body_gets_its_certificate(bureau: Department, counter: Counter) -> None:
    sent = application(key(), "death-cert-abnormal", deceased=NOBODY, applicant=None)
    await bureau.submit(sent)
    assert counter.call("GET", f"/applications/{sent.key}")["payload"]["WMSBZ"] == "1"
    counter.act(sent.key, "finish")
    record = (await bureau.read_many([sent.key]))[sent.key]
    assert [each.type for each in record.certificates] == ["DEATH_ABNORMAL"]


async def test_the_certificate_of_an_unidentified_body_can_be_undone(bureau: Department, counter: Counter) -> None:
    first = application(key(), "death-cert-abnormal", deceased=NOBODY, applicant=None)
    undo = replace(first, key=f"{first.key}.R", reverses=first.key, reversal_reason="误报", certificates=())
    await bureau.submit(undo)
    counter.act(undo.key, "finish")
    record = (await bureau.read_many([undo.key]))[undo.key]
    assert (record.outcome, record.certificates) == (Outcome.COMPLETED, ())


@pytest.mark.rule("HZ-104", "PD-21")
@pytest.mark.parametrize("item", ["hukou-deregistration", "driving-licence-cancellation"])
async def test_without_an_id_number_they_reject_with_their_own_code(bureau: Department, item: str) -> None:
    with pytest.raises(DepartmentRejected, match="21"):
        await bureau.submit(application(key(), item, deceased=replace(DECEASED, id_number=None)))


async def test_refused_with_a_reason(bureau: Department, counter: Counter) -> None:
    sent = application(key())
    await bureau.submit(sent)
    counter.act(sent.key, "refuse", reason="户口不在本辖区")
    record = (await bureau.read_many([sent.key]))[sent.key]
    assert (record.outcome, record.raw_code, record.reason) == (Outcome.REFUSED, "05", "户口不在本辖区")


async def test_correction_is_asked_for_and_answered(bureau: Department, counter: Counter) -> None:
    sent = application(key())
    await bureau.submit(sent)
    counter.act(sent.key, "correct", reason="材料不全", missing=["居民户口簿", "死亡证明第三联"])
    record = (await bureau.read_many([sent.key]))[sent.key]
    assert (record.outcome, record.reason) == (Outcome.CORRECTION, "材料不全")
    assert record.missing == ("居民户口簿", "死亡证明第三联")
    receipt = await bureau.submit(replace(sent, correction=1, correction_answer="已补充"))
    assert (receipt.outcome, receipt.reference) == (Outcome.RECEIVED, record.reference)


async def test_a_person_without_a_licence_has_nothing_to_cancel(bureau: Department, counter: Counter) -> None:
    deceased = replace(DECEASED, name="潘水荣", id_number="330502194503124115")
    sent = application(key(), "driving-licence-cancellation", deceased=deceased)
    await bureau.submit(sent)
    counter.act(sent.key, "accept")
    record = (await bureau.read_many([sent.key]))[sent.key]
    assert (record.outcome, record.raw_code, record.reason) == (
        Outcome.NOT_APPLICABLE,
        "09",
        "查无机动车驾驶证登记",
    )


async def test_many_records_in_one_call(bureau: Department, counter: Counter) -> None:
    keys = [key() for _ in range(5)]
    for each in keys:
        await bureau.submit(application(each))
    records = await bureau.read_many([*keys, "HZ-unknown.9"])
    assert set(records) == set(keys)
    assert counter.calls()["query"] == 1


@pytest.mark.parametrize("keys, calls", [(0, 0), (500, 1), (501, 2)])
async def test_beyond_500_keys_the_question_is_split(
    bureau: Department, counter: Counter, keys: int, calls: int
) -> None:
    assert await bureau.read_many([f"HZ-{number}" for number in range(keys)]) == {}
    assert counter.calls().get("query", 0) == calls


@pytest.mark.rule("PD-16")
async def test_a_lost_answer_makes_no_second_application(bureau: Department, counter: Counter) -> None:
    sent = application(key())
    counter.behave(drop=1)
    with pytest.raises(DepartmentUnavailable):
        await bureau.submit(sent)
    assert (await bureau.submit(sent)).outcome is Outcome.RECEIVED
    assert [each["key"] for each in counter.applications()].count(sent.key) == 1


@pytest.mark.parametrize(
    "habits, error", [({"fail": 2}, DepartmentUnavailable), ({"rubbish": 2}, DepartmentUnintelligible)]
)
async def test_system_error_and_rubbish(
    bureau: Department, counter: Counter, habits: dict[str, int], error: type[DepartmentError]
) -> None:
    counter.behave(**habits)
    with pytest.raises(error):
        await bureau.submit(application(key()))
    with pytest.raises(error):
        await bureau.read_many(["HZ-1"])


async def test_slower_than_the_time_limit(running: Running) -> None:
    running.counter.behave(slow=2)
    adapter = running.adapter(timeout_s=0.2)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(application(key()))
    await adapter.close()


async def test_nobody_there(running: Running) -> None:
    adapter = running.adapter()
    adapter._channel.base_url = "http://127.0.0.1:1"  # type: ignore[attr-defined]
    with pytest.raises(DepartmentUnavailable):
        await adapter.read_many(["HZ-1"])
    await adapter.close()


async def test_a_foreign_item_is_rejected_before_any_call(bureau: Department, counter: Counter) -> None:
    with pytest.raises(DepartmentRejected):
        await bureau.submit(application(key(), "housing-fund-death-withdrawal"))
    assert counter.calls() == {}


async def test_it_takes_no_payment_instruction(bureau: Department, counter: Counter) -> None:
    with pytest.raises(DepartmentRejected):
        await bureau.instruct(PaymentInstruction("k.p1", "k", "1", "FUNERAL_GRANT", 1, Account("沈丽娟", "6228")))
    assert counter.calls() == {}


@pytest.mark.parametrize("body", [b"hello", wire.application(application("k"), "").replace(b">0101<", b">9999<")])
async def test_their_own_errors_mean_rejected(running: Running, body: bytes) -> None:
    channel = HttpChannel(running.address, 5)
    answer = await channel.post(PATH, body, wire.CONTENT_TYPE)
    with pytest.raises(DepartmentRejected):
        wire.receipt(answer)
    await channel.close()


async def test_notifications_are_translated(tmp_path: Path) -> None:
    async with listening("public-security", tmp_path) as bureau:
        sent = application(key())
        receipt = await bureau.adapter.submit(sent)
        bureau.counter.act(sent.key, "accept")
        accepted = await bureau.message()
        bureau.counter.behave(twice=True)
        bureau.counter.act(sent.key, "finish")
        done, again = await bureau.message(), await bureau.message()
        assert [each.records[0].outcome for each in (accepted, done)] == [Outcome.ACCEPTED, Outcome.COMPLETED]
        assert done == again
        assert done.serial != accepted.serial
        assert (done.records[0].key, done.records[0].reference) == (sent.key, receipt.reference)
        assert done.records == ((await bureau.adapter.read_many([sent.key]))[sent.key],)


# ── the wire ────────────────────────────────────────────────────────────────────────────────────────────────


def soap(operation: str, inner: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="GB18030"?>\n'
        f'<soap:Envelope xmlns:soap="{wire.SOAP}" xmlns:ns1="{wire.SERVICE}"><soap:Body>'
        f"<ns1:{operation}>{inner}</ns1:{operation}></soap:Body></soap:Envelope>"
    ).encode("gb18030")


YW = (
    "<YW><WBLSH>HZ-1.1</WBLSH><YWDM>0101</YWDM><SLBH>20251110000001</SLBH><SLZT>04</SLZT><SLZTMC>已办结</SLZTMC>"
    "<YYSM/><GXSJ>20251110093000123</GXSJ><DZZZ><ZZLX>11</ZZLX><ZZBH>HX33050220251110000001</ZZBH>"
    "<QFSJ>20251110093000</QFSJ><QFJG>月河派出所</QFJG></DZZZ></YW>"
)
NOTIFICATION = soap("jgTz", f"<XXBH>ps-1</XXBH><TZSJ>20251110093001</TZSJ>{YW}")
LISTING = soap("cxYwResponse", f"<FHM>00</FHM><FHXX>成功</FHXX><YWLB>{YW}</YWLB>")
RECEIPT = soap("sbYwResponse", "<FHM>00</FHM><SLBH>20251110000001</SLBH><SLZT>01</SLZT>")


def test_bodies_are_really_gb18030() -> None:
    deceased = replace(DECEASED, name="䶮𠀀")
    body = wire.application(application("k", deceased=deceased), "demo")
    assert body.startswith(b"<?xml version='1.0' encoding='GB18030'?>")
    assert "<XM>䶮𠀀</XM>".encode("gb18030") in body
    assert "䶮".encode() not in body


def test_a_recorded_notification() -> None:
    callback = wire.notification(NOTIFICATION)
    record = callback.records[0]
    assert callback.serial == "ps-1"
    assert (record.key, record.outcome, record.reason) == ("HZ-1.1", Outcome.COMPLETED, None)
    assert record.updated_at == datetime(2025, 11, 10, 1, 30, 0, 123000, tzinfo=UTC)
    assert record.certificates[0].issuer == "月河派出所"


@pytest.mark.parametrize("error, code", [(None, "00"), ("无此业务\x00", "90")])
def test_our_answer_is_theirs_in_form(error: str | None, code: str) -> None:
    root = etree.fromstring(wire.acknowledgement(error))
    assert root.findtext(f".//{{{wire.SERVICE}}}jgTzResponse/FHM") == code


def test_a_character_xml_cannot_carry_is_rejected() -> None:
    with pytest.raises(DepartmentRejected):
        wire.application(application("k", correction_answer="\x00"), "")


@pytest.mark.parametrize(
    "before, after",
    [
        (b"<SLZT>04<", b"<SLZT>77<"),
        (b"<ZZLX>11<", b"<ZZLX>13<"),
        (b"<GXSJ>20251110093000123<", b"<GXSJ>20251310093000<"),
        (b"<GXSJ>20251110093000123<", b"<GXSJ>yesterday<"),
        (b"<SLBH>20251110000001</SLBH>", b""),
        (b"<XXBH>ps-1</XXBH>", b""),
        (b'encoding="GB18030"?>', b'encoding="GB18030"?><!DOCTYPE x [<!ENTITY a "b">]>'),
        (b"GB18030", b"UTF-8"),
        (b"jgTz", b"cxYw"),
    ],
)
def test_what_is_not_in_the_tables_is_unintelligible(before: bytes, after: bytes) -> None:
    assert before in NOTIFICATION
    with pytest.raises(DepartmentUnintelligible):
        wire.notification(NOTIFICATION.replace(before, after))


@pytest.mark.parametrize("code, error", [(code, error) for code, (error, _) in codes.REPLIES.items() if error])
def test_reply_codes(code: str, error: type[DepartmentError]) -> None:
    with pytest.raises(error):
        wire.receipt(soap("sbYwResponse", f"<FHM>{code}</FHM>"))


@pytest.mark.parametrize(
    "inner, error",
    [("soap:Server", DepartmentUnavailable), ("soap:Client", DepartmentRejected), ("", DepartmentUnintelligible)],
)
def test_soap_faults(inner: str, error: type[DepartmentError]) -> None:
    body = soap("x", "").replace(
        b"<ns1:x></ns1:x>", f"<soap:Fault><faultcode>{inner}</faultcode></soap:Fault>".encode()
    )
    with pytest.raises(error):
        wire.receipt(body)


@settings(deadline=None)
@given(damaged(RECEIPT), damaged(LISTING), damaged(NOTIFICATION))
def test_nothing_but_department_errors_escapes(receipt: bytes, listing: bytes, notification: bytes) -> None:
    for parse, body, expected in (
        (wire.receipt, receipt, DepartmentError),
        (wire.records, listing, DepartmentError),
        (wire.notification, notification, DepartmentUnintelligible),
    ):
        with suppress(expected):
            parse(body)
