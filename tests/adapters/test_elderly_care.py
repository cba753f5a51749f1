"""Elderly care (养老服务): the adapter against the real department behind its exchange database."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.elderly_care import adapter as module
from adapters.elderly_care import codes, wire
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
from tests.adapters.conftest import READY_S, Running, free_pair
from tests.adapters.waiting import eventually

ITEM = "old-age-allowance-stop"


@pytest.fixture
def office(department: Callable[[str], Running]) -> Running:
    return department("elderly-care")


@pytest.fixture
async def adapter(office: Running) -> AsyncIterator[Department]:
    made = office.adapter()
    yield made
    await made.close()


@pytest.fixture
def key() -> str:
    return f"YL-{uuid4()}"


async def record(adapter: Department, key: str, outcome: Outcome) -> Record:
    """The record of ``key`` once it says ``outcome``."""

    async def probe() -> Record | None:
        found = (await adapter.read_many([key])).get(key)
        return found if found and found.outcome is outcome else None

    return await eventually(probe)


async def unavailable(adapter: Department, key: str) -> DepartmentUnavailable:
    async def probe() -> DepartmentUnavailable | None:
        try:
            await adapter.read_many([key])
        except DepartmentUnavailable as error:
            return error
        return None

    return await eventually(probe)


async def test_a_row_is_taken_in_by_the_batch(adapter: Department, key: str) -> None:
    receipt = await adapter.submit(application(key, ITEM))
    assert (receipt.outcome, receipt.reference) == (Outcome.RECEIVED, None)
    found = await record(adapter, key, Outcome.RECEIVED)
    assert found.reference is not None
    assert (found.raw_code, found.raw_message) == ("00", "待受理")


async def test_the_same_key_twice_is_one_application(office: Running, adapter: Department, key: str) -> None:
    await asyncio.gather(*(adapter.submit(application(key, ITEM)) for _ in range(4)))
    await record(adapter, key, Outcome.RECEIVED)
    await adapter.submit(application(key, ITEM))
    assert [row["key"] for row in office.counter.applications()].count(key) == 1


@pytest.mark.rule("HZ-620", "HZ-621", "HZ-622", "YY-619")
@pytest.mark.parametrize("item", codes.BUSINESS)
async def test_a_stop_is_done_with_the_month_after_the_death(
    office: Running, adapter: Department, key: str, item: str
) -> None:
    await adapter.submit(application(key, item))
    await record(adapter, key, Outcome.RECEIVED)
    assert office.counter.act(key, "accept")["item"] == codes.BUSINESS[item]
    await record(adapter, key, Outcome.ACCEPTED)
    office.counter.act(key, "finish")
    found = await record(adapter, key, Outcome.COMPLETED)
    assert found.details == {"effectiveMonth": "2025-12"}
    assert found.payments == ()
    assert abs((found.updated_at - datetime.now(UTC)).total_seconds()) < 10


async def test_a_refusal_has_its_reason(office: Running, adapter: Department, key: str) -> None:
    await adapter.submit(application(key, ITEM))
    await record(adapter, key, Outcome.RECEIVED)
    office.counter.act(key, "refuse", reason="非本辖区人员")
    assert (await record(adapter, key, Outcome.REFUSED)).reason == "非本辖区人员"


async def test_a_correction_is_answered_with_a_second_row(office: Running, adapter: Department, key: str) -> None:
    await adapter.submit(application(key, ITEM))
    await record(adapter, key, Outcome.RECEIVED)
    office.counter.act(key, "correct", reason="火化证明编号有误", missing=["火化证明", "户口簿"])
    found = await record(adapter, key, Outcome.CORRECTION)
    assert (found.reason, found.missing) == ("火化证明编号有误", ("火化证明", "户口簿"))
    await adapter.submit(application(key, ITEM, correction=1, correction_answer="已重新填写"))
    found = await record(adapter, key, Outcome.RECEIVED)
    assert (found.reason, found.missing) == (None, ())
    payload = office.counter.call("GET", f"/applications/{key}")["payload"]
    assert (payload["BZCS"], payload["BZSM"]) == ("1", "已重新填写")


async def test_a_person_without_the_treatment_is_not_applicable(office: Running, adapter: Department, key: str) -> None:
    someone = replace(DECEASED, name="章根发", id_number="330521194109173014")
    await adapter.submit(application(key, ITEM, deceased=someone))
    await record(adapter, key, Outcome.RECEIVED)
    office.counter.act(key, "finish")
    assert (await record(adapter, key, Outcome.NOT_APPLICABLE)).reason == "待遇发放库查无此项待遇"


async def test_many_keys_in_one_statement(adapter: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"YL-{uuid4()}" for _ in range(20)]
    await asyncio.gather(*(adapter.submit(application(key, ITEM)) for key in keys))
    selects: list[int] = []
    select = module.ElderlyCare._select

    def counted(self: module.ElderlyCare, part: Any) -> Any:
        selects.append(len(part))
        return select(self, part)

    await eventually(lambda: all_known(adapter, keys))
    monkeypatch.setattr(module.ElderlyCare, "_select", counted)
    found = await adapter.read_many([*keys, "never-sent"])
    assert set(found) == set(keys)
    assert selects == [21]
    assert await adapter.read_many([f"absent-{n}" for n in range(501)]) == {}
    assert selects == [21, 500, 1]
    assert await adapter.read_many([]) == {}


async def all_known(adapter: Department, keys: list[str]) -> bool:
    return len(await adapter.read_many(keys)) == len(keys)


async def test_a_system_error_is_unavailable_and_retried_by_the_batch(
    office: Running, adapter: Department, key: str
) -> None:
    office.counter.behave(fail=-1)
    await adapter.submit(application(key, ITEM))
    assert "99" in str(await unavailable(adapter, key))
    office.counter.behave(fail=0)
    await eventually(lambda: recovered(adapter, key))
    assert [row["key"] for row in office.counter.applications()].count(key) == 1


async def recovered(adapter: Department, key: str) -> bool:
    try:
        return key in await adapter.read_many([key])
    except (DepartmentUnavailable, DepartmentUnintelligible):
        return False


async def test_a_run_broken_off_after_registering_makes_no_second_application(
    office: Running, adapter: Department, key: str
) -> None:
    office.counter.behave(drop=3)
    await adapter.submit(application(key, ITEM))
    await adapter.submit(application(key, ITEM))
    await record(adapter, key, Outcome.RECEIVED)
    assert [row["key"] for row in office.counter.applications()].count(key) == 1
    assert office.counter.calls()["submit"] == 4


async def test_a_slow_batch_leaves_the_application_unknown_while_its_heart_beats(
    office: Running, adapter: Department, key: str
) -> None:
    def heartbeat() -> str:
        with sqlite3.connect(office.address.removeprefix("sqlite:///")) as database:
            return str(database.execute("SELECT ZHYXSJ FROM V_XTZT").fetchone()[0])

    office.counter.behave(slow=600)
    await adapter.submit(application(key, ITEM))
    before = heartbeat()
    await eventually(lambda: changed(heartbeat, before))
    assert await adapter.read_many([key]) == {}
    office.counter.behave(slow=0)
    await record(adapter, key, Outcome.RECEIVED)


async def changed(value: Callable[[], str], before: str) -> bool:
    return value() != before


async def test_a_status_in_no_table_is_unintelligible(office: Running, adapter: Department, key: str) -> None:
    await adapter.submit(application(key, ITEM))
    await record(adapter, key, Outcome.RECEIVED)
    office.counter.behave(rubbish=-1)

    async def probe() -> bool:
        try:
            await adapter.read_many([key])
        except DepartmentUnintelligible:
            return True
        return False

    await eventually(probe)
    office.counter.behave(rubbish=0)
    await eventually(lambda: recovered(adapter, key))


async def test_what_the_table_does_not_take_is_rejected(adapter: Department, key: str) -> None:
    nobody = replace(DECEASED, name=None, id_number=None, id_kind="UNKNOWN")
    with pytest.raises(DepartmentRejected) as caught:
        await adapter.submit(application(key, ITEM, deceased=nobody))
    assert not caught.value.retryable
    with pytest.raises(DepartmentRejected):
        await adapter.submit(application(key, ITEM, deceased=replace(DECEASED, name="\ud83d")))
    assert await adapter.read_many([key]) == {}


async def test_what_it_does_not_do(adapter: Department, key: str) -> None:
    with pytest.raises(DepartmentRejected):
        await adapter.submit(application(key, "hukou-deregistration"))
    with pytest.raises(DepartmentRejected):
        await adapter.instruct(PaymentInstruction(key, key, "1", "FUNERAL_GRANT", 1, Account("沈丽娟", "1")))
    with pytest.raises(DepartmentRejected):
        adapter.translate(b"", {})


async def test_values_are_bound_never_pasted(office: Running, adapter: Department, key: str) -> None:
    name = "沈'); DROP TABLE T_SWRY_IN; --"
    await adapter.submit(application(key, ITEM, deceased=replace(DECEASED, name=name)))
    await record(adapter, key, Outcome.RECEIVED)
    assert office.counter.call("GET", f"/applications/{key}")["payload"]["XM"] == name
    assert await adapter.read_many(["x') OR ('1'='1"]) == {}


# ── the system behind the database ──────────────────────────────────────────────────────────────────────


def started(data: Path) -> subprocess.Popen[bytes]:
    port = free_pair()
    serve = [sys.executable, "-m", "mocks", "serve-at", "elderly-care", str(port), str(port + 1)]
    return subprocess.Popen([*serve, "--data", str(data)], stdout=subprocess.DEVNULL)


async def test_a_stopped_department_is_noticed_by_its_heartbeat(
    tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = started(tmp_path)
    adapter = module.connect(f"sqlite:///{tmp_path}/elderly-care-exchange.sqlite", 5.0, {})
    try:
        await eventually(lambda: recovered_without(adapter), READY_S)
        await adapter.submit(application(key, ITEM))
        await record(adapter, key, Outcome.RECEIVED)
    finally:
        process.terminate()
        process.wait(10)
    monkeypatch.setattr(module, "HEARTBEAT_LIMIT_S", 1.0)
    assert "last ran" in str(await unavailable(adapter, key))
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(application(f"{key}-2", ITEM))
    with sqlite3.connect(tmp_path / "elderly-care-exchange.sqlite") as database:
        assert database.execute("SELECT COUNT(*) FROM T_SWRY_IN").fetchone() == (1,)


async def recovered_without(adapter: Department) -> bool:
    try:
        return await adapter.read_many(["-"]) == {}
    except DepartmentUnavailable:
        return False


async def test_no_database_is_unavailable_and_none_is_made(tmp_path: Path) -> None:
    file = tmp_path / "a folder#1" / "nothing.sqlite"
    adapter = module.connect(f"sqlite:///{file}", 1.0, {})
    for call in (adapter.read_many(["1"]), adapter.submit(application("1", ITEM))):
        with pytest.raises(DepartmentUnavailable):
            await call
    assert not file.exists()


async def test_not_a_database_is_unintelligible(tmp_path: Path) -> None:
    file = tmp_path / "rubbish.sqlite"
    file.write_bytes(b"\xff\xd8 not a database" * 100)
    with pytest.raises(DepartmentUnintelligible):
        await module.connect(f"sqlite:///{file}", 1.0, {}).read_many(["1"])


async def test_a_locked_database_keeps_the_time_limit_and_the_loop_running(tmp_path: Path) -> None:
    file = tmp_path / "locked.sqlite"
    with sqlite3.connect(file, isolation_level=None) as database:
        database.executescript(
            "CREATE TABLE V_XTZT (ZHYXSJ); CREATE TABLE T_SWRY_IN (JLBH, BZCS);"
            "INSERT INTO V_XTZT VALUES ('20991231235959'); BEGIN EXCLUSIVE;"
        )
        started = time.monotonic()
        adapter = module.connect(f"sqlite:///{file}", 0.3, {})
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        with pytest.raises(DepartmentUnavailable):
            await adapter.submit(application("1", ITEM))
        ticking.cancel()
        assert time.monotonic() - started < 2
        assert ticks > 5


@pytest.mark.parametrize("value", [None, b"\xff", 20251110090000, "yesterday", "00010101000000"])
async def test_a_heartbeat_that_is_no_time(tmp_path: Path, value: object) -> None:
    file = tmp_path / "heartbeat.sqlite"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE V_XTZT (ZHYXSJ)")
        database.execute("CREATE TABLE V_BLJG (JLBH, SLH, ZT, ZTMC, BLYJ, BZCL, TFNY, GXSJ)")
        database.execute("INSERT INTO V_XTZT VALUES (?)", (value,))
    expected = DepartmentUnavailable if value is None else DepartmentUnintelligible
    with pytest.raises(expected):
        await module.connect(f"sqlite:///{file}", 1.0, {}).read_many(["1"])


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────

GOOD = {
    "JLBH": "k",
    "SLH": "20251110000001",
    "ZT": "30",
    "ZTMC": "已办结",
    "BLYJ": None,
    "BZCL": None,
    "TFNY": "202512",
    "GXSJ": "20251110093000",
}


def test_row_out() -> None:
    row = wire.row(application("k", ITEM, correction=2))
    assert row["JLBH"] == "k"
    assert (row["YWLX"], row["BZCS"], row["XB"]) == ("02", "2", "1")
    assert (row["SWRQ"], row["TSSJ"]) == ("20251107", "20251110090000")
    assert (row["SWZMBH"], row["HHZMBH"]) == ("3305022025000117", "HZHH20251109003")


def test_row_in() -> None:
    found = wire.record(GOOD)
    assert found.updated_at == datetime(2025, 11, 10, 1, 30, tzinfo=UTC)
    assert found.details == {"effectiveMonth": "2025-12"}


@pytest.mark.parametrize("wrong", [{"ZT": "7A"}, {"ZT": 30}, {"GXSJ": ""}, {"TFNY": "202513"}, {"JLBH": b"k"}])
def test_a_wrong_row_is_unintelligible(wrong: dict[str, object]) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.record({**GOOD, **wrong})


ANYTHING = st.none() | st.text(max_size=20) | st.integers() | st.floats() | st.binary(max_size=20)


@given(st.sampled_from(sorted(GOOD)), ANYTHING)
def test_one_wrong_column_never_breaks_anything_else(name: str, value: object) -> None:
    with contextlib.suppress(DepartmentUnintelligible):
        wire.record({**GOOD, name: value})


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), ANYTHING))
def test_any_row_is_read_or_unintelligible(row: dict[str, object]) -> None:
    with contextlib.suppress(DepartmentUnintelligible):
        assert not wire.is_error(row)
        wire.record(row)


def test_connect_takes_user_and_secret() -> None:
    made = module.connect("postgresql+psycopg://db.example/elderly", 1.0, {"user": "gw", "secret": "s"})
    assert (made._engine.url.username, made._engine.url.password) == ("gw", "s")
