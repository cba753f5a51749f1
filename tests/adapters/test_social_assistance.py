"""Social assistance: JSON with Chinese keys, a session that ends, the month in which support stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from adapters.social_assistance import codes, wire
from adapters.social_assistance.adapter import connect
from gateway.domain.department import (
    Department,
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    PaymentInstruction,
)

from .builders import ACCOUNT, CHINA, DEATH, DECEASED, application
from .conftest import Running

DIBAO, TEKUN = "dibao-stop", "tekun-stop"


@pytest.fixture
async def relief(department: Callable[[str], Running]) -> AsyncIterator[tuple[Department, Running]]:
    running = department("social-assistance")
    adapter = running.adapter()
    yield adapter, running
    await adapter.close()


async def test_submitting_registers_the_application_once(relief: tuple[Department, Running]) -> None:
    adapter, running = relief
    pushed = application("SA-ONCE.1", DIBAO)
    first, again = await adapter.submit(pushed), await adapter.submit(pushed)
    assert (first.outcome, first.raw_code) == (Outcome.RECEIVED, "已登记")
    assert again == first
    held = [a for a in running.counter.applications() if a["key"] == "SA-ONCE.1"]
    assert [(a["reference"], a["item"]) for a in held] == [(first.reference, "SJ03")]
    assert (held[0]["payload"]["姓名"], held[0]["payload"]["死亡日期"]) == ("沈福根", "2025年11月07日")


async def test_every_item_of_the_manifest_has_a_business_code(relief: tuple[Department, Running]) -> None:
    adapter, running = relief
    assert set(codes.ITEMS) == set(running.manifest.submits)
    for item in codes.ITEMS:
        assert (await adapter.submit(application(f"SA-ALL.{item}", item))).outcome is Outcome.RECEIVED


@pytest.mark.rule("HZ-627", "HZ-628")
@pytest.mark.parametrize(
    ("died", "month"),
    [
        (datetime(2025, 11, 7, 4, 30, tzinfo=CHINA), "2025-12"),
        (datetime(2025, 12, 31, 23, 59, tzinfo=CHINA), "2026-01"),
        (datetime(2026, 1, 1, 0, 1, tzinfo=CHINA), "2026-02"),
    ],
)
@pytest.mark.parametrize("item", [DIBAO, TEKUN])
async def test_support_stops_with_the_month_after_the_death(
    relief: tuple[Department, Running], item: str, died: datetime, month: str
) -> None:
    adapter, running = relief
    key = f"SA-{item}.{month}"
    await adapter.submit(application(key, item, death=replace(DEATH, occurred_at=died)))
    running.counter.act(key, "accept")
    assert (await adapter.read_many([key]))[key].outcome is Outcome.ACCEPTED
    running.counter.act(key, "finish")
    done = (await adapter.read_many([key]))[key]
    assert (done.outcome, done.raw_code, done.payments) == (Outcome.COMPLETED, "已停发", ())
    assert done.details == {"effectiveMonth": month}


async def test_refusal_and_correction_come_with_their_reasons(relief: tuple[Department, Running]) -> None:
    adapter, running = relief
    corrected = application("SA-FIX.1", DIBAO)
    await adapter.submit(application("SA-NO.1", DIBAO))
    await adapter.submit(corrected)
    running.counter.act("SA-NO.1", "refuse", reason="死亡信息核实不一致")
    running.counter.act("SA-FIX.1", "correct", reason="材料不全", missing=["火化证明", "户口簿"])
    found = await adapter.read_many(["SA-NO.1", "SA-FIX.1"])
    assert (found["SA-NO.1"].outcome, found["SA-NO.1"].reason) == (Outcome.REFUSED, "死亡信息核实不一致")
    assert found["SA-FIX.1"].outcome is Outcome.CORRECTION
    assert found["SA-FIX.1"].missing == ("火化证明", "户口簿")
    answered = replace(corrected, correction=1, correction_answer="已补")
    assert (await adapter.submit(answered)).outcome is Outcome.RECEIVED


async def test_person_without_this_support_has_nothing_to_do(relief: tuple[Department, Running]) -> None:
    adapter, _ = relief
    person = replace(DECEASED, name="施金生", id_number="330502194608150555")
    receipt = await adapter.submit(application("SA-NONE.1", TEKUN, deceased=person))
    assert receipt.outcome is Outcome.NOT_APPLICABLE
    assert (await adapter.read_many(["SA-NONE.1"]))["SA-NONE.1"].reason == "救助对象库中该人员未享受此项待遇"
    receipt = await adapter.submit(application("SA-SOME.1", DIBAO, deceased=person))
    assert receipt.outcome is Outcome.RECEIVED


async def test_many_keys_are_one_query_and_one_login(relief: tuple[Department, Running]) -> None:
    adapter, running = relief
    keys = [f"SA-MANY.{number}" for number in range(30)]
    await asyncio.gather(*(adapter.submit(application(key, DIBAO)) for key in keys))
    assert running.counter.calls() == {"login": 1, "submit": 30}
    running.counter.call("DELETE", "/calls")
    assert set(await adapter.read_many([*keys, "SA-UNKNOWN"])) == set(keys)
    assert running.counter.calls() == {"query": 1}
    assert await adapter.read_many([]) == {}
    await adapter.read_many([f"SA-NOBODY.{number}" for number in range(501)])
    assert running.counter.calls() == {"query": 3}


async def test_session_that_is_over_is_renewed_once_for_all(relief: tuple[Department, Running]) -> None:
    adapter, running = relief
    await adapter.submit(application("SA-SESSION.1", DIBAO))
    for _ in range(8):
        other = running.adapter()
        await other.read_many(["SA-SESSION.1"])
        await other.close()
    running.counter.call("DELETE", "/calls")
    answers = await asyncio.gather(*(adapter.read_many(["SA-SESSION.1"]) for _ in range(3)))
    assert all("SA-SESSION.1" in answer for answer in answers)
    assert running.counter.calls()["login"] == 1


async def test_wrong_password_is_unavailable(relief: tuple[Department, Running]) -> None:
    _, running = relief
    stranger = connect(running.address, 2.0, {"secret": "wrong"})
    with pytest.raises(DepartmentUnavailable, match="login refused"):
        await stranger.read_many(["SA-1"])
    await stranger.close()


async def test_system_error_is_unavailable(relief: tuple[Department, Running]) -> None:
    adapter, running = relief
    running.counter.behave(fail=1)
    with pytest.raises(DepartmentUnavailable, match="系统繁忙"):
        await adapter.submit(application("SA-FAIL.1", DIBAO))


async def test_lost_answer_then_the_same_key_makes_no_second_application(
    relief: tuple[Department, Running],
) -> None:
    adapter, running = relief
    running.counter.behave(drop=1)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(application("SA-LOST.1", DIBAO))
    (held,) = [a["reference"] for a in running.counter.applications() if a["key"] == "SA-LOST.1"]
    assert (await adapter.submit(application("SA-LOST.1", DIBAO))).reference == held
    assert [a["key"] for a in running.counter.applications()].count("SA-LOST.1") == 1


async def test_slow_beyond_the_limit_is_unavailable(relief: tuple[Department, Running]) -> None:
    _, running = relief
    running.counter.behave(slow=1.5)
    impatient = running.adapter(timeout_s=0.2)
    with pytest.raises(DepartmentUnavailable, match=r"within 0\.2 s"):
        await impatient.read_many(["SA-SLOW"])
    await impatient.close()


async def test_rubbish_is_unintelligible(relief: tuple[Department, Running]) -> None:
    adapter, running = relief
    running.counter.behave(rubbish=1)
    with pytest.raises(DepartmentUnintelligible):
        await adapter.read_many(["SA-RUBBISH"])


async def test_what_the_department_never_takes(
    relief: tuple[Department, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter, running = relief
    with pytest.raises(DepartmentRejected):
        await adapter.submit(application("SA-ITEM.1", "hukou-deregistration"))
    with pytest.raises(DepartmentRejected):
        await adapter.instruct(PaymentInstruction("SA-PAY", "SA-1", "1", "DEPOSIT", 1, ACCOUNT))
    with pytest.raises(DepartmentRejected):
        adapter.translate(b"", {})
    assert running.counter.calls() == {}
    with pytest.raises(DepartmentRejected, match="缺少必填项"):
        await adapter.submit(application("SA-NOID.1", DIBAO, deceased=replace(DECEASED, id_number=None)))
    monkeypatch.setitem(codes.ITEMS, DIBAO, "SJ99")
    with pytest.raises(DepartmentRejected, match="无此事项"):
        await adapter.submit(application("SA-CODE.1", DIBAO))


@pytest.mark.parametrize(
    ("login", "answer", "error"),
    [
        ('{"返回码": "成功", "会话号": "s"}', '{"返回码": "会话失效"}', DepartmentUnavailable),
        ('{"返回码": "会话失效"}', "", DepartmentUnavailable),
        ('{"返回码": "成功"}', "", DepartmentUnintelligible),
        ('{"返回码": "成功", "会话号": "s\\r\\nX-Evil: 1"}', "", DepartmentUnintelligible),
        ('{"返回码": "成功", "会话号": "会"}', "", DepartmentUnintelligible),
        ('{"返回码": "成功", "会话号": "s"}', '{"返回码": "成功", "办理记录": {}}', DepartmentUnintelligible),
    ],
)
async def test_broken_answers(login: str, answer: str, error: type[DepartmentError], unused_tcp_port: int) -> None:
    async def respond(request: web.Request) -> web.Response:
        return web.Response(text=login if request.path == "/login" else answer)

    app = web.Application()
    app.router.add_post("/{path:.*}", respond)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    adapter = connect(f"http://127.0.0.1:{unused_tcp_port}", 2.0, {})
    with pytest.raises(error):
        await adapter.read_many(["SA-1"])
    await adapter.close()
    await runner.cleanup()


ROW: dict[str, Any] = {
    "流水号": "K",
    "受理编号": "1",
    "状态": "已停发",
    "更新时间": "2025年11月10日 09时00分05秒",
    "停发月份": "2025年12月",
    "说明": "",
    "需补材料": "",
}


def answer_of(*rows: Any, code: Any = "成功") -> bytes:
    return json.dumps({"返回码": code, "办理记录": rows}).encode()


def test_dates_and_months() -> None:
    record = wire.records(answer_of(ROW))["K"]
    assert record.updated_at == datetime(2025, 11, 10, 9, 0, 5, tzinfo=CHINA)
    assert record.details == {"effectiveMonth": "2025-12"}


def test_keys_are_written_as_they_are() -> None:
    body = wire.registration(application(item=DIBAO)).decode()
    assert '"姓名": "沈福根"' in body
    assert '"身份证号": "330502193910109559"' in body


@pytest.mark.parametrize(
    "row",
    [
        ROW | {"状态": "已注销"},
        ROW | {"状态": 1},
        ROW | {"更新时间": "2025-11-10 09:00:05"},
        ROW | {"更新时间": "2025年13月10日 09时00分05秒"},
        ROW | {"停发月份": "2025年13月"},
        ROW | {"停发月份": "次月"},
        ROW | {"流水号": ""},
        ROW | {"说明": "\ud800"},
        {},
        None,
    ],
)
def test_records_outside_the_tables(row: Any) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.records(answer_of(row))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"[" * 100_000, b"\xff", answer_of(code="0"), answer_of(code=1)])
def test_answers_outside_the_format(body: bytes) -> None:
    for read in (wire.records, wire.receipt, wire.session):
        with pytest.raises(DepartmentUnintelligible):
            read(body)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["已停发", "K"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(ROW)), inner),
    max_leaves=8,
)


@given(st.binary(max_size=100))
def test_no_bytes_escape_as_another_error(noise: bytes) -> None:
    for read in (wire.records, wire.receipt, wire.session):
        with contextlib.suppress(DepartmentError, wire.SessionOver):
            read(noise)


@given(st.sampled_from(list(ROW)), JSON_VALUES, JSON_VALUES)
def test_no_wrong_type_escapes_as_another_error(field: str, one: Any, other: Any) -> None:
    for rows in ([ROW | {field: one}], ROW | {field: one}, one):
        body = json.dumps({"返回码": "成功", "办理记录": rows, "会话号": other}).encode()
        for read in (wire.records, wire.receipt, wire.session):
            with contextlib.suppress(DepartmentError):
                read(body)
