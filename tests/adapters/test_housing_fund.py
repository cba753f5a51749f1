"""The housing fund: TCP messages with a length prefix, GBK, amounts in fen of 15 digits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.housing_fund import codes, wire
from adapters.housing_fund.adapter import connect
from gateway.domain.department import (
    Department,
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    PaymentInstruction,
    PaymentState,
)

from .builders import ACCOUNT, CHINA, DECEASED, application
from .conftest import Running

WITHDRAWAL, SEAL = "housing-fund-death-withdrawal", "housing-fund-account-seal"
NOW = datetime(2025, 11, 10, 9, 0, tzinfo=CHINA)
SERIAL = "20251110090000000001"


@pytest.fixture
async def fund(department: Callable[[str], Running]) -> AsyncIterator[tuple[Department, Running]]:
    running = department("housing-fund")
    adapter = running.adapter()
    yield adapter, running
    await adapter.close()


def order(key: str, serial: str, fen: int, number: str = "HF-PAY-1") -> PaymentInstruction:
    return PaymentInstruction(number, key, serial, "HOUSING_FUND_BALANCE", fen, ACCOUNT)


async def test_submitting_registers_the_application_once(fund: tuple[Department, Running]) -> None:
    adapter, running = fund
    pushed = application("HF-ONCE.1", WITHDRAWAL)
    first, again = await adapter.submit(pushed), await adapter.submit(pushed)
    assert (first.outcome, first.raw_code, first.raw_message) == (Outcome.RECEIVED, "00", "已登记")
    assert again == first
    held = [a for a in running.counter.applications() if a["key"] == "HF-ONCE.1"]
    assert [(a["reference"], a["item"]) for a in held] == [(first.reference, "0412")]
    assert held[0]["payload"]["XM"] == "沈福根"
    assert held[0]["payload"]["SWSJ"] == "20251107043000"


async def test_every_item_of_the_manifest_has_a_business_code(fund: tuple[Department, Running]) -> None:
    adapter, running = fund
    assert set(codes.ITEMS) == set(running.manifest.submits)
    for item in codes.ITEMS:
        assert (await adapter.submit(application(f"HF-ALL.{item}", item))).outcome is Outcome.RECEIVED


async def test_key_longer_than_the_header_serial(fund: tuple[Department, Running]) -> None:
    adapter, _ = fund
    key = "HZ-20251107-0001." + "x" * 47
    await adapter.submit(application(key, SEAL))
    assert (await adapter.read_many([key]))[key].key == key


@pytest.mark.rule("YY-608", "HZ-617")
async def test_balance_is_approved_then_paid_to_the_account_told(fund: tuple[Department, Running]) -> None:
    adapter, running = fund
    key = "HF-PAID.1"
    receipt = await adapter.submit(application(key, WITHDRAWAL))
    running.counter.act(key, "accept")
    assert (await adapter.read_many([key]))[key].outcome is Outcome.ACCEPTED
    running.counter.act(key, "finish")
    done = (await adapter.read_many([key]))[key]
    assert (done.outcome, done.reference) == (Outcome.COMPLETED, receipt.reference)
    assert set(done.details) == {"closedOn"}
    (balance,) = done.payments
    assert (balance.kind, balance.fen, balance.state) == ("HOUSING_FUND_BALANCE", 1_286_350, PaymentState.APPROVED)

    told = await adapter.instruct(order(key, balance.serial, balance.fen))
    assert (told.outcome, told.reference) == (Outcome.RECEIVED, balance.serial)
    assert (await adapter.read_many([key]))[key].payments[0].state is PaymentState.INSTRUCTED
    running.counter.act(key, "pay")
    assert (await adapter.read_many([key]))[key].payments[0].state is PaymentState.PAID
    (held,) = [a for a in running.counter.applications() if a["key"] == key]
    assert held["sums"][0]["account"]["SKZH"] == ACCOUNT.number


async def test_returned_money_is_not_sent_again_by_the_old_instruction(fund: tuple[Department, Running]) -> None:
    adapter, running = fund
    key = "HF-BACK.1"
    await adapter.submit(application(key, WITHDRAWAL))
    running.counter.act(key, "finish", sums={"0201": 100})
    serial = (await adapter.read_many([key]))[key].payments[0].serial
    await adapter.instruct(order(key, serial, 100))
    running.counter.act(key, "return", reason="账号户名不符")
    back = (await adapter.read_many([key]))[key].payments[0]
    assert (back.state, back.reason, back.fen) == (PaymentState.RETURNED, "账号户名不符", 100)
    await adapter.instruct(order(key, serial, 100))
    assert (await adapter.read_many([key]))[key].payments[0].state is PaymentState.RETURNED
    await adapter.instruct(order(key, serial, 100, "HF-PAY-2"))
    assert (await adapter.read_many([key]))[key].payments[0].state is PaymentState.INSTRUCTED


async def test_instruction_for_an_unknown_sum_or_too_much_is_rejected(fund: tuple[Department, Running]) -> None:
    adapter, running = fund
    key = "HF-WRONG.1"
    await adapter.submit(application(key, WITHDRAWAL))
    running.counter.act(key, "finish", sums={"0201": 100})
    serial = (await adapter.read_many([key]))[key].payments[0].serial
    with pytest.raises(DepartmentRejected, match="200001"):
        await adapter.instruct(order(key, "nothing", 100))
    with pytest.raises(DepartmentRejected, match="200002"):
        await adapter.instruct(order(key, serial, 101))


@pytest.mark.rule("YY-614")
async def test_sealing_pays_nothing_and_tells_the_date(fund: tuple[Department, Running]) -> None:
    adapter, running = fund
    await adapter.submit(application("HF-SEAL.1", SEAL))
    running.counter.act("HF-SEAL.1", "finish")
    done = (await adapter.read_many(["HF-SEAL.1"]))["HF-SEAL.1"]
    assert done.payments == ()
    assert datetime.fromisoformat(done.details["sealedOn"])


async def test_refusal_and_correction_come_with_their_reasons(fund: tuple[Department, Running]) -> None:
    adapter, running = fund
    refused, corrected = application("HF-NO.1", WITHDRAWAL), application("HF-FIX.1", WITHDRAWAL)
    await adapter.submit(refused)
    await adapter.submit(corrected)
    running.counter.act("HF-NO.1", "refuse", reason="账户已被司法冻结|执行中")
    running.counter.act("HF-FIX.1", "correct", reason="材料不全", missing=["继承公证书", "银行卡"])
    found = await adapter.read_many(["HF-NO.1", "HF-FIX.1"])
    assert (found["HF-NO.1"].outcome, found["HF-NO.1"].reason) == (Outcome.REFUSED, "账户已被司法冻结｜执行中")
    assert found["HF-FIX.1"].outcome is Outcome.CORRECTION
    assert found["HF-FIX.1"].missing == ("继承公证书", "银行卡")
    answered = replace(corrected, correction=1, correction_answer="已补")
    assert (await adapter.submit(answered)).outcome is Outcome.RECEIVED
    assert (await adapter.submit(answered)).outcome is Outcome.RECEIVED


async def test_person_without_an_account_has_nothing_to_do(fund: tuple[Department, Running]) -> None:
    adapter, _ = fund
    nobody = replace(DECEASED, name="陆阿毛", id_number="330502194803124022")
    receipt = await adapter.submit(application("HF-NONE.1", WITHDRAWAL, deceased=nobody))
    assert receipt.outcome is Outcome.NOT_APPLICABLE
    record = (await adapter.read_many(["HF-NONE.1"]))["HF-NONE.1"]
    assert (record.outcome, record.reason) == (Outcome.NOT_APPLICABLE, "查无该职工住房公积金账户")


async def test_many_keys_are_one_query(fund: tuple[Department, Running]) -> None:
    adapter, running = fund
    keys = [f"HF-MANY.{number}" for number in range(30)]
    for key in keys:
        await adapter.submit(application(key, SEAL))
    running.counter.call("DELETE", "/calls")
    assert set(await adapter.read_many([*keys, "HF-UNKNOWN"])) == set(keys)
    assert running.counter.calls() == {"query": 1}
    assert await adapter.read_many([]) == {}
    await adapter.read_many([f"HF-NOBODY.{number}" for number in range(501)])
    assert running.counter.calls() == {"query": 3}


async def test_system_error_is_unavailable(fund: tuple[Department, Running]) -> None:
    adapter, running = fund
    running.counter.behave(fail=1)
    with pytest.raises(DepartmentUnavailable, match="999999"):
        await adapter.submit(application("HF-FAIL.1", SEAL))
    assert (await adapter.submit(application("HF-FAIL.1", SEAL))).outcome is Outcome.RECEIVED


async def test_lost_answer_then_the_same_key_makes_no_second_application(fund: tuple[Department, Running]) -> None:
    adapter, running = fund
    running.counter.behave(drop=1)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(application("HF-LOST.1", SEAL))
    receipt = await adapter.submit(application("HF-LOST.1", SEAL))
    held = [a["reference"] for a in running.counter.applications() if a["key"] == "HF-LOST.1"]
    assert held == [receipt.reference]


async def test_slow_beyond_the_limit_is_unavailable(fund: tuple[Department, Running]) -> None:
    _, running = fund
    running.counter.behave(slow=1.5)
    with pytest.raises(DepartmentUnavailable, match=r"within 0\.2 s"):
        await running.adapter(timeout_s=0.2).read_many(["HF-SLOW"])


async def test_rubbish_is_unintelligible(fund: tuple[Department, Running]) -> None:
    adapter, running = fund
    running.counter.behave(rubbish=1)
    with pytest.raises(DepartmentUnintelligible):
        await adapter.read_many(["HF-RUBBISH"])


async def test_what_the_department_never_takes(
    fund: tuple[Department, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter, running = fund
    with pytest.raises(DepartmentRejected):
        await adapter.submit(application("HF-ITEM.1", "hukou-deregistration"))
    with pytest.raises(DepartmentRejected, match="GBK"):
        await adapter.submit(application("HF-RARE.1", SEAL, deceased=replace(DECEASED, name="沈𠮷")))
    with pytest.raises(DepartmentRejected):
        adapter.translate(b"", {})
    assert running.counter.calls() == {}
    with pytest.raises(DepartmentRejected, match="100001"):
        await adapter.submit(application("HF-NOID.1", SEAL, deceased=replace(DECEASED, id_number=None)))
    monkeypatch.setitem(codes.ITEMS, SEAL, "0999")
    with pytest.raises(DepartmentRejected, match="100002"):
        await adapter.submit(application("HF-CODE.1", SEAL))


async def test_nobody_there_is_unavailable(fund: tuple[Department, Running]) -> None:
    with pytest.raises(DepartmentUnavailable):
        await connect("tcp://127.0.0.1:1", 1.0, {}).read_many(["HF-1"])


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", DepartmentUnavailable),
        (b"0000", DepartmentUnavailable),
        (b"00000100half of it", DepartmentUnavailable),
        (b"99999999", DepartmentUnintelligible),
        (b"00000000", DepartmentUnintelligible),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", DepartmentUnintelligible),
        (b"00000058" + b"\xff" * 58, DepartmentUnintelligible),
    ],
)
async def test_broken_answers(sent: bytes, error: type[DepartmentError]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(sent)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(error):
            await connect(f"tcp://127.0.0.1:{port}", 2.0, {}).read_many(["HF-1"])


def answer_of(*lines: Mapping[str, str], code: str = "000000") -> bytes:
    """Body of an answer to query ``SERIAL``, as the department sends it."""
    sent = wire.frame(wire.QUERY, "GJJ", SERIAL, NOW, lines)[8:]
    return sent[:46] + code.encode() + sent[52:]


def test_header_is_fixed_width_and_the_length_counts_bytes() -> None:
    message = wire.frame(wire.SUBMIT, "LIANBAN", SERIAL, NOW, [{"XM": "沈福根"}])
    assert message[:8] == b"00000067"
    assert message[8:66] == b"6101LIANBAN 20251110090000000001" + b"20251110090000" + b"000000000001"
    assert message[66:] == "XM=沈福根".encode("gbk")


def test_what_somebody_wrote_freely_goes_without_the_characters_gbk_lacks() -> None:
    undo = application("k.R", "housing-fund-death-withdrawal", reverses="k", reversal_reason="误报😀：本人健在")
    line = wire.registration(undo)
    assert (line["CZLX"], line["YWBLSH"], line["CXYY"]) == ("2", "k", "误报?：本人健在")
    wire.frame("X", "Y", "1", undo.pushed_at, [line])


def test_gbk_characters_with_a_separator_byte_are_not_split() -> None:
    assert b"|" in "東".encode("gbk")
    assert wire.read(answer_of({"XM": "東瑞芳", "XB": "1"}), wire.QUERY, SERIAL) == [{"XM": "東瑞芳", "XB": "1"}]


def test_separators_inside_a_value_cannot_forge_fields() -> None:
    line = wire.registration(application(item=SEAL, correction_answer="好|ZT=30\nLX=KX"))
    (read,) = wire.read(answer_of(line), wire.QUERY, SERIAL)
    assert read["BJSM"] == "好｜ZT=30 LX=KX"


@pytest.mark.parametrize("code", ["123456", "ABCDEF", "      "])
def test_unknown_return_code(code: str) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.read(answer_of(code=code), wire.QUERY, SERIAL)


def test_answer_to_another_message() -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.read(answer_of(), wire.QUERY, SERIAL[::-1])


SQ = {"LX": "SQ", "WBLSH": "K", "SLH": "1", "ZT": "30", "GXSJ": "20251110090000"}
KX = {"LX": "KX", "WBLSH": "K", "KXXH": "1-1", "KXLX": "0201", "ZT": "1", "GXSJ": "20251110090000"} | {
    "JE": "000000001286350"
}


@pytest.mark.parametrize(
    "lines",
    [
        [SQ | {"ZT": "77"}],
        [SQ | {"GXSJ": "00010101000000"}],
        [SQ | {"XHRQ": "2025"}],
        [SQ | {"SLH": ""}],
        [KX],
        [SQ, KX | {"KXLX": "0999"}],
        [SQ, KX | {"ZT": "9"}],
        [SQ, KX | {"JE": "12863.50"}],
        [SQ, KX | {"JE": "-00000001286350"}],
        [SQ | {"LX": "ZZ"}],
    ],
)
def test_records_outside_the_tables(lines: list[wire.Line]) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.records(lines)


def test_record_of_a_paid_sum() -> None:
    record = wire.records([SQ, KX])["K"]
    assert record.updated_at == NOW
    assert [(p.serial, p.fen) for p in record.payments] == [("1-1", 1_286_350)]


@given(st.binary(max_size=200))
def test_no_bytes_escape_as_another_error(noise: bytes) -> None:
    for attempt in (lambda: wire.length(noise[:8]), lambda: wire.read(noise, wire.QUERY, SERIAL)):
        with contextlib.suppress(DepartmentError):
            attempt()


@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_no_damaged_answer_escapes_as_another_error(at: int, noise: bytes) -> None:
    whole = answer_of(SQ, KX)
    for damaged in (whole[:at], whole[:at] + noise + whole[at + len(noise) :]):
        with contextlib.suppress(DepartmentError):
            wire.records(wire.read(damaged, wire.QUERY, SERIAL))


NAMES = st.sampled_from([*SQ, *KX, "YY", "BJCL", "XHRQ"])


@given(st.lists(st.dictionaries(NAMES, st.one_of(st.text(max_size=15), st.sampled_from(["SQ", "KX", "K", "30"])))))
def test_no_fields_escape_as_another_error(lines: list[wire.Line]) -> None:
    with contextlib.suppress(DepartmentError):
        wire.records(lines)
