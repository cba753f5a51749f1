"""Veterans affairs: tickets at once, records after the batch run, Chinese status words, yuan as JSON numbers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from adapters.veterans_affairs import codes, wire
from adapters.veterans_affairs.adapter import connect
from gateway.domain.department import (
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

from .builders import ACCOUNT, DECEASED, application
from .conftest import Running

GRANT, STOP = "veteran-funeral-grant", "veteran-pension-stop"
DEADLINE_S = 15.0


@pytest.fixture
async def veterans(department: Callable[[str], Running]) -> AsyncIterator[tuple[Department, Running]]:
    running = department("veterans-affairs")
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
        assert time.monotonic() < until, "the batch run has not taken it in"
        await asyncio.sleep(0.05)


def order(key: str, serial: str, fen: int, number: str) -> PaymentInstruction:
    return PaymentInstruction(number, key, serial, "VETERAN_FUNERAL_GRANT", fen, ACCOUNT)


async def test_submitting_gives_a_ticket_and_one_application(veterans: tuple[Department, Running]) -> None:
    adapter, running = veterans
    pushed = application("VA-ONCE.1", GRANT)
    first, again = await adapter.submit(pushed), await adapter.submit(pushed)
    assert (first.outcome, first.raw_code) == (Outcome.RECEIVED, "202")
    assert again == first
    record = await seen(adapter, "VA-ONCE.1")
    assert (record.outcome, record.raw_code) == (Outcome.RECEIVED, "待核")
    assert record.reference not in (None, first.reference)
    assert await adapter.submit(pushed) == first
    held = [a for a in running.counter.applications() if a["key"] == "VA-ONCE.1"]
    assert [(a["reference"], a["item"]) for a in held] == [(record.reference, "YF01")]
    assert held[0]["payload"]["subject"]["deathDay"] == "2025-11-07"


async def test_there_is_no_record_before_the_batch_run(veterans: tuple[Department, Running]) -> None:
    adapter, _ = veterans
    for attempt in range(5):
        key = f"VA-EARLY.{attempt}"
        await adapter.submit(application(key, STOP))
        if key not in await adapter.read_many([key]):
            break
    else:
        pytest.fail("five records existed before any batch run")
    assert (await seen(adapter, key)).outcome is Outcome.RECEIVED


async def test_every_item_of_the_manifest_has_a_business_type(veterans: tuple[Department, Running]) -> None:
    adapter, running = veterans
    assert set(codes.ITEMS) == set(running.manifest.submits)
    for item in codes.ITEMS:
        assert (await adapter.submit(application(f"VA-ALL.{item}", item))).reference


@pytest.mark.rule("HZ-618", "YY-610")
@pytest.mark.parametrize("item", [GRANT, "veteran-preferential-death-claim"])
async def test_grant_is_approved_then_paid_to_the_account_told(veterans: tuple[Department, Running], item: str) -> None:
    adapter, running = veterans
    key = f"VA-PAID.{item}"
    await adapter.submit(application(key, item))
    await seen(adapter, key)
    running.counter.act(key, "accept")
    assert (await seen(adapter, key)).outcome is Outcome.ACCEPTED
    running.counter.act(key, "finish")
    done = await seen(adapter, key)
    assert (done.outcome, done.raw_code) == (Outcome.COMPLETED, "已办结")
    (grant,) = done.payments
    assert (grant.kind, grant.fen, grant.state) == ("VETERAN_FUNERAL_GRANT", 864_150, PaymentState.APPROVED)

    told = order(key, grant.serial, grant.fen, f"VA-PAY.{item}")
    receipt = await adapter.instruct(told)
    assert receipt.outcome is Outcome.RECEIVED
    await seen(adapter, key, lambda record: record.payments[0].state is PaymentState.INSTRUCTED)
    running.counter.act(key, "return", reason="账号户名不符")
    back = (await seen(adapter, key)).payments[0]
    assert (back.state, back.reason) == (PaymentState.RETURNED, "账号户名不符")
    assert await adapter.instruct(told) == receipt
    await adapter.instruct(replace(told, key=f"VA-PAY2.{item}"))
    await seen(adapter, key, lambda record: record.payments[0].state is PaymentState.INSTRUCTED)
    running.counter.act(key, "pay")
    paid = await seen(adapter, key)
    assert (paid.outcome, paid.raw_code) == (Outcome.COMPLETED, "已发放")
    assert paid.payments[0].state is PaymentState.PAID


async def test_instruction_for_an_unknown_sum_or_too_much_is_rejected(
    veterans: tuple[Department, Running],
) -> None:
    adapter, running = veterans
    key = "VA-WRONG.1"
    await adapter.submit(application(key, GRANT))
    await seen(adapter, key)
    running.counter.act(key, "finish", sums={"丧葬补助费": 100})
    serial = (await seen(adapter, key)).payments[0].serial
    with pytest.raises(DepartmentRejected, match="无此款项"):
        await adapter.instruct(order(key, "nothing", 100, "VA-W1"))
    with pytest.raises(DepartmentRejected, match="金额超过核定"):
        await adapter.instruct(order(key, serial, 101, "VA-W2"))


@pytest.mark.rule("HZ-619")
async def test_stops_pay_nothing(veterans: tuple[Department, Running]) -> None:
    adapter, running = veterans
    await adapter.submit(application("VA-STOP.1", STOP))
    await seen(adapter, "VA-STOP.1")
    running.counter.act("VA-STOP.1", "finish")
    done = await seen(adapter, "VA-STOP.1")
    assert (done.outcome, done.payments) == (Outcome.COMPLETED, ())


async def test_refusal_and_correction_come_with_their_reasons(veterans: tuple[Department, Running]) -> None:
    adapter, running = veterans
    corrected = application("VA-FIX.1", GRANT)
    await adapter.submit(application("VA-NO.1", GRANT))
    await adapter.submit(corrected)
    await seen(adapter, "VA-NO.1")
    await seen(adapter, "VA-FIX.1")
    running.counter.act("VA-NO.1", "refuse", reason="身份认定存疑")
    running.counter.act("VA-FIX.1", "correct", reason="材料不全", missing=["优抚证", "火化证明"])
    found = await adapter.read_many(["VA-NO.1", "VA-FIX.1"])
    assert (found["VA-NO.1"].outcome, found["VA-NO.1"].reason) == (Outcome.REFUSED, "身份认定存疑")
    assert found["VA-FIX.1"].outcome is Outcome.CORRECTION
    assert found["VA-FIX.1"].missing == ("优抚证", "火化证明")
    await adapter.submit(replace(corrected, correction=1, correction_answer="已补"))
    await seen(adapter, "VA-FIX.1", lambda record: record.outcome is Outcome.RECEIVED)


async def test_person_the_register_excludes_has_nothing_to_do(veterans: tuple[Department, Running]) -> None:
    adapter, _ = veterans
    nobody = replace(DECEASED, name="朱阿巧", id_number="330503194011203665")
    await adapter.submit(application("VA-NONE.1", STOP, deceased=nobody))
    record = await seen(adapter, "VA-NONE.1", lambda record: record.outcome is not Outcome.RECEIVED)
    assert (record.outcome, record.reason) == (Outcome.NOT_APPLICABLE, "优抚对象信息库中无此人")


async def test_many_keys_are_one_query(veterans: tuple[Department, Running]) -> None:
    adapter, running = veterans
    keys = [f"VA-MANY.{number}" for number in range(30)]
    for key in keys:
        await adapter.submit(application(key, STOP))
    await seen(adapter, keys[-1])
    running.counter.call("DELETE", "/calls")
    assert set(await adapter.read_many([*keys, "VA-UNKNOWN"])) == set(keys)
    assert running.counter.calls() == {"query": 1}
    assert await adapter.read_many([]) == {}
    await adapter.read_many([f"VA-NOBODY.{number}" for number in range(501)])
    assert running.counter.calls() == {"query": 3}


async def test_system_error_is_unavailable(veterans: tuple[Department, Running]) -> None:
    adapter, running = veterans
    running.counter.behave(fail=1)
    with pytest.raises(DepartmentUnavailable, match="系统异常"):
        await adapter.submit(application("VA-FAIL.1", STOP))


async def test_lost_answer_then_the_same_key_makes_no_second_application(
    veterans: tuple[Department, Running],
) -> None:
    adapter, running = veterans
    running.counter.behave(drop=1)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(application("VA-LOST.1", STOP))
    await adapter.submit(application("VA-LOST.1", STOP))
    await adapter.submit(application("VA-AFTER.1", STOP))
    await seen(adapter, "VA-AFTER.1")
    assert [a["key"] for a in running.counter.applications()].count("VA-LOST.1") == 1


async def test_slow_beyond_the_limit_is_unavailable(veterans: tuple[Department, Running]) -> None:
    _, running = veterans
    running.counter.behave(slow=1.5)
    impatient = running.adapter(timeout_s=0.2)
    with pytest.raises(DepartmentUnavailable, match=r"within 0\.2 s"):
        await impatient.read_many(["VA-SLOW"])
    await impatient.close()


async def test_rubbish_is_unintelligible(veterans: tuple[Department, Running]) -> None:
    adapter, running = veterans
    running.counter.behave(rubbish=1)
    with pytest.raises(DepartmentUnintelligible):
        await adapter.read_many(["VA-RUBBISH"])


async def test_what_the_department_never_takes(
    veterans: tuple[Department, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter, running = veterans
    with pytest.raises(DepartmentRejected):
        await adapter.submit(application("VA-ITEM.1", "hukou-deregistration"))
    with pytest.raises(DepartmentRejected):
        adapter.translate(b"", {})
    assert running.counter.calls() == {}
    with pytest.raises(DepartmentRejected, match="参数缺失"):
        await adapter.submit(application("VA-NOID.1", STOP, deceased=replace(DECEASED, id_number=None)))
    monkeypatch.setitem(codes.ITEMS, STOP, "YF99")
    with pytest.raises(DepartmentRejected, match="业务类型不存在"):
        await adapter.submit(application("VA-CODE.1", STOP))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (503, b"", DepartmentUnavailable),
        (404, b"", DepartmentRejected),
        (200, b"", DepartmentUnintelligible),
        (200, b'{"records": [', DepartmentUnintelligible),
        (200, b"[]", DepartmentUnintelligible),
        (200, b'{"records": {}}', DepartmentUnintelligible),
    ],
)
async def test_broken_answers(status: int, body: bytes, error: type[DepartmentError], unused_tcp_port: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_post("/yf/query", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    adapter = connect(f"http://127.0.0.1:{unused_tcp_port}", 2.0, {})
    with pytest.raises(error):
        await adapter.read_many(["VA-1"])
    await adapter.close()
    await runner.cleanup()


GRANT_ROW = {"no": "1-1", "type": "丧葬补助费", "amount": 8641.5, "state": "待发放", "changedAt": 1762736400250} | {
    "remark": ""
}
ROW: dict[str, Any] = {
    "serial": "K",
    "acceptNo": "1",
    "status": "已办结",
    "changedAt": 1762736400250,
    "reason": "",
    "supplement": [],
    "grants": [GRANT_ROW],
}


def answer_of(*rows: Any) -> bytes:
    return json.dumps({"records": rows}, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("written", "fen"), [("8641.5", 864_150), ("0.29", 29), ("144", 14_400), ("1.13e3", 113_000), ("0", 0)]
)
def test_amounts_are_exact(written: str, fen: int) -> None:
    body = answer_of(ROW).replace(b"8641.5", written.encode())
    assert wire.records(body)["K"].payments[0].fen == fen


@pytest.mark.parametrize("written", ["8641.505", "-1", '"8641.5"', "true", "null", "1e999999", "NaN", "1e-99", "[]"])
def test_amounts_that_are_no_money(written: str) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.records(answer_of(ROW).replace(b"8641.5", written.encode()))


def test_milliseconds_are_kept() -> None:
    assert wire.records(answer_of(ROW))["K"].updated_at.isoformat() == "2025-11-10T01:00:00.250000+00:00"


@pytest.mark.parametrize(
    "row",
    [
        ROW | {"status": "已注销"},
        ROW | {"changedAt": "2025-11-10"},
        ROW | {"changedAt": 10**30},
        ROW | {"serial": None},
        ROW | {"serial": ""},
        ROW | {"reason": "\ud800"},
        ROW | {"reason": "\0"},
        ROW | {"supplement": [1]},
        ROW | {"grants": [GRANT_ROW | {"type": "抚恤金"}]},
        ROW | {"grants": [GRANT_ROW | {"state": "发放中"}]},
        ROW | {"grants": None},
        [],
        None,
    ],
)
def test_records_outside_the_tables(row: Any) -> None:
    body = json.dumps({"records": [row]}).encode()
    with pytest.raises(DepartmentUnintelligible):
        wire.records(body)


@pytest.mark.parametrize("body", [b'{"error": "?"}', b'{"error": 1}', b'{"error": []}', b"[" * 100_000, b"\xff"])
def test_answers_outside_the_format(body: bytes) -> None:
    for read in (wire.records, wire.ticket):
        with pytest.raises(DepartmentUnintelligible):
            read(body)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["已办结", "K"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ROW, *GRANT_ROW]), inner),
    max_leaves=8,
)


@given(st.binary(max_size=100))
def test_no_bytes_escape_as_another_error(noise: bytes) -> None:
    for read in (wire.records, wire.ticket):
        with contextlib.suppress(DepartmentError):
            read(noise)


@given(st.sampled_from(list(ROW)), st.sampled_from(list(GRANT_ROW)), JSON_VALUES, JSON_VALUES)
def test_no_wrong_type_escapes_as_another_error(field: str, grant_field: str, one: Any, other: Any) -> None:
    for row in (ROW | {field: one}, ROW | {"grants": [GRANT_ROW | {grant_field: other}]}, one):
        body = json.dumps({"records": [row], "ticket": other}).encode()
        for read in (wire.records, wire.ticket):
            with contextlib.suppress(DepartmentError):
                read(body)
