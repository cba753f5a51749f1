"""The bank: a message queue over TCP, XML messages, heirs who must be qualified, sums the bank pays itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.bank import codes, wire
from adapters.bank.adapter import connect
from gateway.domain.department import (
    Certificate,
    Department,
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    PaymentInstruction,
    PaymentState,
    Record,
)

from .builders import ACCOUNT, CERTIFICATES, CHINA, DECEASED, application
from .conftest import Running

DISPOSAL, SMALL = "bank-asset-disposal", "bank-small-deposit-withdrawal"
QUALIFIED = (
    *CERTIFICATES,
    Certificate("HEIR_QUALIFICATION", "HZGZ2025110", datetime(2025, 11, 10, 8, 0, tzinfo=CHINA), "湖州市公证处"),
)
DEADLINE_S = 15.0


@pytest.fixture
async def bank(department: Callable[[str], Running]) -> AsyncIterator[tuple[Department, Running]]:
    running = department("bank")
    adapter = running.adapter()
    yield adapter, running
    await adapter.close()


async def seen(adapter: Department, key: str, good: Callable[[Record], bool] = lambda _: True) -> Record:
    """The record of ``key`` once it is there and ``good``."""
    until = time.monotonic() + DEADLINE_S
    while True:
        record = (await adapter.read_many([key])).get(key)
        if record is not None and good(record):
            return record
        assert time.monotonic() < until, "the bank has not taken it from its queue"
        await asyncio.sleep(0.05)


async def raw(running: Running, frame: dict[str, Any]) -> dict[str, Any]:
    """One frame on the wire without the adapter."""
    host, _, port = running.address.removeprefix("tcp://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(json.dumps(frame).encode() + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()
    return answer


@pytest.mark.parametrize("item", [DISPOSAL, SMALL])
async def test_submitting_puts_a_message_and_makes_one_application(bank: tuple[Department, Running], item: str) -> None:
    adapter, running = bank
    assert set(codes.ITEMS) == set(running.manifest.submits)
    key = f"BK-ONCE.{item}"
    pushed = application(key, item, certificates=QUALIFIED)
    first, again = await adapter.submit(pushed), await adapter.submit(pushed)
    assert (first.outcome, first.raw_code) == (Outcome.RECEIVED, "PUT")
    assert first.reference != again.reference
    record = await seen(adapter, key)
    assert (record.outcome, record.raw_code, record.raw_message) == (Outcome.RECEIVED, "RCVD", "已接收")
    held = [a for a in running.counter.applications() if a["key"] == key]
    assert [(a["reference"], a["item"]) for a in held] == [(record.reference, codes.ITEMS[item])]
    assert held[0]["payload"]["Nm"] == "沈福根"


@pytest.mark.rule("HZ-705")
async def test_without_qualified_heirs_the_bank_asks_for_the_qualification(
    bank: tuple[Department, Running],
) -> None:
    adapter, _ = bank
    key = "BK-HEIR.1"
    await adapter.submit(application(key, DISPOSAL))
    asked = await seen(adapter, key)
    assert (asked.outcome, asked.reason) == (Outcome.CORRECTION, "缺少合法继承人资格证明")
    assert asked.missing == ("继承资格证明",)
    answered = application(key, DISPOSAL, certificates=QUALIFIED, correction=1, correction_answer="已公证")
    await adapter.submit(answered)
    record = await seen(adapter, key, lambda record: record.outcome is not Outcome.CORRECTION)
    assert (record.outcome, record.missing, record.reference) == (Outcome.RECEIVED, (), asked.reference)


@pytest.mark.rule("YN-701")
async def test_deposits_are_paid_to_the_heirs_by_the_bank_itself(bank: tuple[Department, Running]) -> None:
    adapter, running = bank
    key = "BK-PAID.1"
    await adapter.submit(application(key, DISPOSAL, certificates=QUALIFIED))
    await seen(adapter, key)
    running.counter.act(key, "accept")
    assert (await seen(adapter, key)).outcome is Outcome.ACCEPTED
    running.counter.act(key, "finish")
    done = await seen(adapter, key)
    assert done.outcome is Outcome.COMPLETED
    assert [(p.kind, p.fen, p.state) for p in done.payments] == [
        ("DEPOSIT", 4_128_635, PaymentState.INSTRUCTED),
        ("DEPOSIT", 500_000, PaymentState.INSTRUCTED),
    ]
    first, second = done.payments
    running.counter.act(key, "pay", serial=first.serial)
    running.counter.act(key, "return", serial=second.serial, reason="继承人账户已销户")
    after = (await seen(adapter, key)).payments
    assert [(p.state, p.reason) for p in after] == [
        (PaymentState.PAID, None),
        (PaymentState.RETURNED, "继承人账户已销户"),
    ]


async def test_refusal_comes_with_its_reason(bank: tuple[Department, Running]) -> None:
    adapter, running = bank
    await adapter.submit(application("BK-NO.1", SMALL, certificates=QUALIFIED))
    await seen(adapter, "BK-NO.1")
    running.counter.act("BK-NO.1", "refuse", reason="超出小额 <限额> & 账户冻结")
    record = await seen(adapter, "BK-NO.1")
    assert (record.outcome, record.reason) == (Outcome.REFUSED, "超出小额 <限额> & 账户冻结")


async def test_person_without_an_account_has_nothing_to_do(bank: tuple[Department, Running]) -> None:
    adapter, _ = bank
    nobody = replace(DECEASED, name="陆阿毛", id_number="330502194803124022")
    await adapter.submit(application("BK-NONE.1", DISPOSAL, deceased=nobody))
    record = await seen(adapter, "BK-NONE.1")
    assert (record.outcome, record.reason) == (Outcome.NOT_APPLICABLE, "该客户在本行无存款账户")


async def test_many_keys_are_one_query_which_removes_nothing(bank: tuple[Department, Running]) -> None:
    adapter, running = bank
    keys = [f"BK-MANY.{number}" for number in range(30)]
    for key in keys:
        await adapter.submit(application(key, SMALL, certificates=QUALIFIED))
    await seen(adapter, keys[-1])
    running.counter.call("DELETE", "/calls")
    assert set(await adapter.read_many([*keys, "BK-UNKNOWN"])) == set(keys)
    assert running.counter.calls() == {"query": 1}
    assert set(await adapter.read_many(keys)) == set(keys)
    assert await adapter.read_many([]) == {}
    running.counter.call("DELETE", "/calls")
    await adapter.read_many([f"BK-NOBODY.{number}" for number in range(501)])
    assert running.counter.calls() == {"query": 2}


async def test_responses_are_delivered_until_acknowledged_and_still_browsed(
    bank: tuple[Department, Running],
) -> None:
    adapter, running = bank
    await adapter.submit(application("BK-GET.1", SMALL, certificates=QUALIFIED))
    await seen(adapter, "BK-GET.1")
    while messages := (await raw(running, {"op": "get", "queue": "RSP"}))["msgs"]:
        assert await raw(running, {"op": "ack", "queue": "RSP", "msgId": messages[0]["msgId"]}) == {"ok": True}
    assert (await seen(adapter, "BK-GET.1")).outcome is Outcome.RECEIVED


async def test_system_error_is_unavailable(bank: tuple[Department, Running]) -> None:
    adapter, running = bank
    running.counter.behave(fail=1)
    with pytest.raises(DepartmentUnavailable, match="MQ500"):
        await adapter.submit(application("BK-FAIL.1", SMALL))


async def test_lost_answer_then_the_same_key_makes_no_second_application(bank: tuple[Department, Running]) -> None:
    adapter, running = bank
    pushed = application("BK-LOST.1", SMALL, certificates=QUALIFIED)
    running.counter.behave(drop=1)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(pushed)
    before = await seen(adapter, "BK-LOST.1")
    await adapter.submit(pushed)
    await adapter.submit(application("BK-AFTER.1", SMALL, certificates=QUALIFIED))
    await seen(adapter, "BK-AFTER.1")
    held = [a["reference"] for a in running.counter.applications() if a["key"] == "BK-LOST.1"]
    assert held == [before.reference]


async def test_slow_beyond_the_limit_is_unavailable(bank: tuple[Department, Running]) -> None:
    _, running = bank
    running.counter.behave(slow=1.5)
    with pytest.raises(DepartmentUnavailable, match=r"within 0\.2 s"):
        await running.adapter(timeout_s=0.2).read_many(["BK-SLOW"])


async def test_rubbish_is_unintelligible(bank: tuple[Department, Running]) -> None:
    adapter, running = bank
    running.counter.behave(rubbish=1)
    with pytest.raises(DepartmentUnintelligible):
        await adapter.read_many(["BK-RUBBISH"])


async def test_what_the_bank_never_takes(bank: tuple[Department, Running], monkeypatch: pytest.MonkeyPatch) -> None:
    adapter, running = bank
    with pytest.raises(DepartmentRejected):
        await adapter.submit(application("BK-ITEM.1", "hukou-deregistration"))
    with pytest.raises(DepartmentRejected, match="XML"):
        await adapter.submit(application("BK-CHAR.1", SMALL, deceased=replace(DECEASED, name="沈\0")))
    with pytest.raises(DepartmentRejected):
        await adapter.instruct(PaymentInstruction("BK-PAY", "BK-1", "1", "DEPOSIT", 1, ACCOUNT))
    with pytest.raises(DepartmentRejected):
        adapter.translate(b"", {})
    assert running.counter.calls() == {}
    with pytest.raises(DepartmentRejected, match="MQ422"):
        await adapter.submit(application("BK-NOID.1", SMALL, deceased=replace(DECEASED, id_number=None)))
    monkeypatch.setitem(codes.ITEMS, SMALL, "XXXX")
    with pytest.raises(DepartmentRejected, match="MQ423"):
        await adapter.submit(application("BK-CODE.1", SMALL))
    assert (await raw(running, {"op": "purge", "queue": "REQ"}))["err"] == "MQ404"


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", DepartmentUnavailable),
        (b'{"ok": true, "msgs": [', DepartmentUnavailable),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", DepartmentUnintelligible),
        (b"null\n", DepartmentUnintelligible),
        (b'{"ok": false, "err": "MQ999"}\n', DepartmentUnintelligible),
        (b'{"ok": true, "msgs": {}}\n', DepartmentUnintelligible),
        (b"x" * (8 * 1024 * 1024 + 70_000), DepartmentUnintelligible),
    ],
)
async def test_broken_answers(sent: bytes, error: type[DepartmentError]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(sent)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(error):
            await connect(f"tcp://127.0.0.1:{port}", 5.0, {}).read_many(["BK-1"])


REPORT = """<Document xmlns="urn:bank:estate:1.2"><EstateStsRpt><OrgnlEndToEndId>K</OrgnlEndToEndId>
<TxRef>1</TxRef><TxSts>ACSC</TxSts><ChngDtTm>2025-11-10T09:00:05.250+08:00</ChngDtTm>
<Pmt><PmtId>1-1</PmtId><Tp>DEPO</Tp><Amt Ccy="CNY">41286.35</Amt><Sts>STLD</Sts>
<ChngDtTm>2025-11-10T09:00:05.250+08:00</ChngDtTm></Pmt></EstateStsRpt></Document>"""


def answer_of(body: Any, key: Any = "K") -> bytes:
    return json.dumps({"ok": True, "msgs": [{"msgId": "RSP1", "corrId": key, "body": body}]}).encode() + b"\n"


def test_request_is_a_document_of_their_namespace() -> None:
    root = etree.fromstring(wire.request(application(item=DISPOSAL, certificates=QUALIFIED)))
    find = etree.ETXPath(f"//{{{wire.NAMESPACE}}}Doc/{{{wire.NAMESPACE}}}Tp/text()")
    assert find(root) == ["DTHM", "CREM", "HEIR"]
    assert root.findtext("{*}EstateReq/{*}Dcsd/{*}DthDt") == "2025-11-07"


def test_report_of_a_paid_deposit() -> None:
    record = wire.records(answer_of(REPORT))["K"]
    assert record.updated_at == datetime(2025, 11, 10, 9, 0, 5, 250_000, tzinfo=CHINA)
    assert [(p.serial, p.fen, p.state) for p in record.payments] == [("1-1", 4_128_635, PaymentState.PAID)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ACSC", "ACWC"),
        ("DEPO", "FUND"),
        ("STLD", "????"),
        ("CNY", "USD"),
        ("41286.35", "41286.3"),
        ("41286.35", "-1.00"),
        ("41286.35", "1E9"),
        ("41286.35", ""),
        ("2025-11-10T09", "2025-13-10T09"),
        ("2025-11-10T09", "0001-01-01T00"),
        ("+08:00", ""),
        (">K<", ">L<"),
        ("EstateStsRpt", "EstateReq"),
        ("<Document", '<!DOCTYPE Document [<!ENTITY a "b">]><Document'),
        ("</Document>", ""),
    ],
)
def test_reports_outside_the_format(old: str, new: str) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.records(answer_of(REPORT.replace(old, new)))


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b"[" * 100_000, b"\xff", answer_of(1), answer_of(REPORT, [])])
def test_frames_outside_the_format(line: bytes) -> None:
    for read in (wire.records, wire.message_id):
        with pytest.raises(DepartmentUnintelligible):
            read(line)


@given(st.binary(max_size=100))
def test_no_bytes_escape_as_another_error(noise: bytes) -> None:
    for read in (wire.records, wire.message_id):
        with contextlib.suppress(DepartmentError):
            read(noise)


@given(st.integers(0, len(REPORT)), st.text(max_size=4), st.integers(0, 4))
def test_no_damaged_report_escapes_as_another_error(at: int, noise: str, cut: int) -> None:
    with contextlib.suppress(DepartmentError):
        wire.records(answer_of(REPORT[:at] + noise + REPORT[at + cut :]))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(REPORT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["corrId", "body", "x"]), inner),
    max_leaves=8,
)


@given(JSON_VALUES, JSON_VALUES, JSON_VALUES)
def test_no_wrong_type_escapes_as_another_error(one: Any, other: Any, third: Any) -> None:
    for messages in (one, [one], [{"corrId": other, "body": third}]):
        line = json.dumps({"ok": True, "msgs": messages, "msgId": other, "err": third}).encode()
        for read in (wire.records, wire.message_id):
            with contextlib.suppress(DepartmentError):
                read(line)
