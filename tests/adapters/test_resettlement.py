"""Resettlement support (移民扶持): the adapter against the real office behind its file front machine."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import urllib.request
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.resettlement import codes, wire
from adapters.resettlement.adapter import connect
from gateway.domain.department import (
    Account,
    Department,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    PaymentInstruction,
    Record,
)
from tests.adapters.builders import DECEASED, application
from tests.adapters.conftest import Running
from tests.adapters.waiting import eventually

REGISTRATION, REDUCTION = "resettlement-registration", "resettlement-reduction"


@pytest.fixture
def office(department: Callable[[str], Running]) -> Running:
    return department("resettlement")


@pytest.fixture
async def adapter(office: Running) -> AsyncIterator[Department]:
    made = office.adapter()
    yield made
    await made.close()


@pytest.fixture
def key() -> str:
    return f"YM-{uuid4()}"


async def record(adapter: Department, key: str, outcome: Outcome) -> Record:
    """The record of ``key`` once it says ``outcome``."""

    async def probe() -> Record | None:
        found = (await adapter.read_many([key])).get(key)
        return found if found and found.outcome is outcome else None

    return await eventually(probe)


def count(office: Running, key: str) -> int:
    return [row["key"] for row in office.counter.applications()].count(key)


async def test_a_dropped_file_is_taken_in_by_the_batch(adapter: Department, key: str) -> None:
    receipt = await adapter.submit(application(key, REGISTRATION))
    assert (receipt.outcome, receipt.reference, receipt.raw_code) == (Outcome.RECEIVED, None, "OK")
    found = await record(adapter, key, Outcome.RECEIVED)
    assert found.raw_code == "已接收"
    assert found.reference is not None


async def test_the_same_key_twice_is_one_application(office: Running, adapter: Department, key: str) -> None:
    await adapter.submit(application(key, REGISTRATION))
    await adapter.submit(application(key, REGISTRATION))
    await record(adapter, key, Outcome.RECEIVED)
    await adapter.submit(application(key, REGISTRATION))
    await adapter.submit(application(f"{key}-2", REGISTRATION))
    await record(adapter, f"{key}-2", Outcome.RECEIVED)
    assert count(office, key) == 1


@pytest.mark.rule("HZ-625")
async def test_a_registration_is_done(office: Running, adapter: Department, key: str) -> None:
    await adapter.submit(application(key, REGISTRATION))
    await record(adapter, key, Outcome.RECEIVED)
    office.counter.act(key, "accept")
    assert (await record(adapter, key, Outcome.ACCEPTED)).raw_code == "审核中"
    office.counter.act(key, "finish")
    found = await record(adapter, key, Outcome.COMPLETED)
    assert (found.raw_code, found.details, found.payments) == ("已登记备案", {}, ())
    assert abs((found.updated_at - datetime.now(UTC)).total_seconds()) < 10


@pytest.mark.rule("HZ-626")
async def test_a_reduction_takes_effect_in_the_year_after_the_death(
    office: Running, adapter: Department, key: str
) -> None:
    await adapter.submit(application(key, REDUCTION))
    await record(adapter, key, Outcome.RECEIVED)
    office.counter.act(key, "finish")
    found = await record(adapter, key, Outcome.COMPLETED)
    assert (found.raw_code, found.details) == ("已列入核减", {"effectiveYear": "2026"})


async def test_a_refusal_has_its_reason(office: Running, adapter: Department, key: str) -> None:
    await adapter.submit(application(key, REGISTRATION))
    await record(adapter, key, Outcome.RECEIVED)
    office.counter.act(key, "refuse", reason='非本县"扶持"人口,\r\n请核实')
    assert (await record(adapter, key, Outcome.REFUSED)).reason == '非本县"扶持"人口,\r\n请核实'


async def test_a_correction_is_answered_with_a_second_file(office: Running, adapter: Department, key: str) -> None:
    await adapter.submit(application(key, REGISTRATION))
    await record(adapter, key, Outcome.RECEIVED)
    office.counter.act(key, "correct", reason="死亡日期与证明不符", missing=["死亡证明", "户口簿"])
    found = await record(adapter, key, Outcome.CORRECTION)
    assert (found.reason, found.missing) == ("死亡日期与证明不符", ("死亡证明", "户口簿"))
    await adapter.submit(application(key, REGISTRATION, correction=1, correction_answer="已更正"))
    await record(adapter, key, Outcome.RECEIVED)
    payload = office.counter.call("GET", f"/applications/{key}")["payload"]
    assert (payload["补正次数"], payload["补正说明"]) == ("1", "已更正")


async def test_a_person_who_is_not_supported_is_not_applicable(office: Running, adapter: Department, key: str) -> None:
    someone = replace(DECEASED, name="朱美英", id_number="330503195208114062")
    await adapter.submit(application(key, REDUCTION, deceased=someone))
    await record(adapter, key, Outcome.RECEIVED)
    office.counter.act(key, "finish")
    assert (await record(adapter, key, Outcome.NOT_APPLICABLE)).reason == "扶持人口名册查无此人"


async def test_rare_characters_arrive(office: Running, adapter: Department, key: str) -> None:
    someone = replace(DECEASED, name="沈𬭎㙟·é", hukou_address='安吉县"老"街,1号\n后门')
    await adapter.submit(application(key, REGISTRATION, deceased=someone))
    await record(adapter, key, Outcome.RECEIVED)
    payload = office.counter.call("GET", f"/applications/{key}")["payload"]
    assert (payload["姓名"], payload["户籍地址"]) == (someone.name, someone.hukou_address)


async def test_many_keys_in_one_call(office: Running, adapter: Department) -> None:
    keys = [f"YM-{uuid4()}" for _ in range(20)]
    await asyncio.gather(*(adapter.submit(application(key, REGISTRATION)) for key in keys))

    async def all_known() -> bool:
        return len(await adapter.read_many(keys)) == len(keys)

    await eventually(all_known)
    office.counter.call("DELETE", "/calls")
    assert set(await adapter.read_many([*keys, "never-sent"])) == set(keys)
    assert await adapter.read_many([]) == {}
    assert office.counter.calls() == {"query": 1}


async def test_a_system_error_is_unavailable(office: Running, adapter: Department, key: str) -> None:
    office.counter.behave(fail=2)
    with pytest.raises(DepartmentUnavailable, match="E99"):
        await adapter.submit(application(key, REGISTRATION))
    with pytest.raises(DepartmentUnavailable):
        await adapter.read_many([key])
    assert await adapter.read_many([key]) == {}


async def test_a_lost_answer_makes_no_second_application(office: Running, adapter: Department, key: str) -> None:
    """Two lost answers: aiohttp itself repeats a PUT once when the line breaks."""
    office.counter.behave(drop=2)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(application(key, REGISTRATION))
    await record(adapter, key, Outcome.RECEIVED)
    await adapter.submit(application(key, REGISTRATION))
    await adapter.submit(application(f"{key}-2", REGISTRATION))
    await record(adapter, f"{key}-2", Outcome.RECEIVED)
    assert count(office, key) == 1


async def test_slow_beyond_the_limit_is_unavailable(office: Running, key: str) -> None:
    adapter = office.adapter(timeout_s=0.2)
    office.counter.behave(slow=1)
    try:
        with pytest.raises(DepartmentUnavailable):
            await adapter.submit(application(key, REGISTRATION))
        with pytest.raises(DepartmentUnavailable):
            await adapter.read_many([key])
    finally:
        office.counter.behave(slow=0)
        await adapter.close()


async def test_rubbish_is_unintelligible(office: Running, adapter: Department, key: str) -> None:
    office.counter.behave(rubbish=2)
    with pytest.raises(DepartmentUnintelligible):
        await adapter.submit(application(key, REGISTRATION))
    with pytest.raises(DepartmentUnintelligible):
        await adapter.read_many([key])


async def test_what_the_front_machine_does_not_store_is_rejected(adapter: Department, key: str) -> None:
    nobody = replace(DECEASED, name=None, id_number=None, id_kind="UNKNOWN")
    with pytest.raises(DepartmentRejected, match="E03"):
        await adapter.submit(application(key, REGISTRATION, deceased=nobody))
    with pytest.raises(DepartmentRejected, match="GB18030"):
        await adapter.submit(application(key, REGISTRATION, deceased=replace(DECEASED, name="\ud83d")))


async def test_an_unknown_business_is_refused_by_the_front_machine(
    adapter: Department, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(codes.BUSINESS, REDUCTION, "YM-XX")
    with pytest.raises(DepartmentRejected, match="E02"):
        await adapter.submit(application(key, REDUCTION))


async def test_what_it_does_not_do(adapter: Department, key: str) -> None:
    with pytest.raises(DepartmentRejected):
        await adapter.submit(application(key, "hukou-deregistration"))
    with pytest.raises(DepartmentRejected):
        await adapter.instruct(PaymentInstruction(key, key, "1", "FUNERAL_GRANT", 1, Account("沈丽娟", "1")))
    with pytest.raises(DepartmentRejected):
        adapter.translate(b"", {})


def test_the_front_machine_lists_its_files(office: Running) -> None:
    with urllib.request.urlopen(f"{office.address}/out/", timeout=5) as answer:
        assert answer.read() == b"result.csv\r\n"


async def test_a_server_without_the_result_file_is_unavailable(office: Running) -> None:
    adapter = connect(f"{office.address}/elsewhere", 2.0, {})
    with pytest.raises(DepartmentUnavailable, match="404"):
        await adapter.read_many(["k"])
    await adapter.close()


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LINE = ["k", "20251110000001", "YM-HJ", "已列入核减", "", "", "2026", "2025-11-10 09:30:00"]


def result(*lines: list[str], total: int | None = None) -> bytes:
    out = io.StringIO(newline="")
    rows = [wire.RESULT, *lines, ["合计", str(len(lines) if total is None else total)]]
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue().encode("gb18030")


def test_report_out() -> None:
    made = application("k.1", REDUCTION, correction=2)
    assert wire.name(made) == "k.1_2.csv"
    header, line, rest = wire.report(made).split(b"\r\n")
    assert header.decode("gb18030").startswith('"流水号","业务类别","姓名","身份证号码","性别",')
    assert line.decode("gb18030").startswith('"k.1","YM-HJ","沈福根","330502193910109559","男","330502",')
    assert '"2025-11-07","3305022025000117","HZHH20251109003"'.encode("gb18030") in line
    assert rest == b""


def test_result_in() -> None:
    found = wire.records(result(LINE, ["other", *LINE[1:]]), {"k"})
    assert set(found) == {"k"}
    assert found["k"].updated_at == datetime(2025, 11, 10, 1, 30, tzinfo=UTC)
    assert found["k"].details == {"effectiveYear": "2026"}


@pytest.mark.parametrize(("column", "value"), [(3, "已办"), (6, "26"), (7, "2025-11-10"), (7, "0001-01-01 00:00:00")])
def test_a_wrong_field_is_unintelligible(column: int, value: str) -> None:
    line = [value if at == column else field for at, field in enumerate(LINE)]
    with pytest.raises(DepartmentUnintelligible):
        wire.records(result(line), {"k"})


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xff", result(LINE, total=2), result(LINE[:-1]), result(LINE).replace(b"20251110", b'2"5')],
)
def test_a_wrong_file_is_unintelligible(body: bytes) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.records(body, {"k"})


@given(st.integers(0, len(result(LINE, LINE)) - 4))
def test_a_truncated_file_is_unintelligible(size: int) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.records(result(LINE, LINE)[:size], {"k"})


@given(st.binary(max_size=300) | st.lists(st.lists(TEXT, max_size=9)).map(lambda x: result(*x)))
def test_any_bytes_are_read_or_unintelligible(body: bytes) -> None:
    with contextlib.suppress(DepartmentUnintelligible):
        wire.records(body, {"k"})


@given(st.sampled_from(range(len(LINE))), TEXT)
def test_any_field_is_read_or_unintelligible(column: int, value: str) -> None:
    line = [value if at == column else field for at, field in enumerate(LINE)]
    with contextlib.suppress(DepartmentUnintelligible):
        wire.records(result(line), {"k", value})


@given(st.binary(max_size=60))
def test_any_answer_to_a_drop_is_an_error_of_the_department(answer: bytes) -> None:
    with pytest.raises((DepartmentUnavailable, DepartmentUnintelligible, DepartmentRejected)):
        wire.stored(answer, 1234)
