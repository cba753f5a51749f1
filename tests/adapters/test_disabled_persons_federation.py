"""残联: forms and XML in GBK, against its running system."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings

from adapters.disabled_persons_federation import codes, wire
from adapters.kit.http import HttpChannel
from adapters.kit.registry import manifests
from gateway.domain.department import (
    Application,
    Department,
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    PaymentInstruction,
    Record,
)

from .builders import ACCOUNT, CHINA, DEATH, DECEASED, application
from .conftest import Counter, Running
from .damaged import damaged

CARD = "disability-card-cancellation"
TREATMENT = "disability-treatment-stop"
numbers = count(1)


def key() -> str:
    return f"HZ-20251107-DP{next(numbers)}.1"


@pytest.fixture
def running(department: Callable[[str], Running]) -> Running:
    return department("disabled-persons-federation")


@pytest.fixture
def counter(running: Running) -> Counter:
    return running.counter


@pytest.fixture
async def federation(running: Running) -> AsyncIterator[Department]:
    adapter = running.adapter()
    yield adapter
    await adapter.close()


async def read(federation: Department, sent: Application) -> Record:
    return (await federation.read_many([sent.key]))[sent.key]


def test_the_manifest_and_the_table_name_the_same_items() -> None:
    assert set(manifests()["disabled-persons-federation"].submits) == set(codes.BUSINESS)


async def test_submit_gives_a_receipt_with_their_serial(federation: Department, counter: Counter) -> None:
    sent = application(key(), CARD)
    receipt = await federation.submit(sent)
    held = counter.call("GET", f"/applications/{sent.key}")
    assert (receipt.outcome, receipt.raw_code, receipt.raw_message) == (Outcome.RECEIVED, "D", "待办")
    assert receipt.reference == held["reference"]
    assert held["item"] == "ZJ03"
    assert {name: held["payload"][name] for name in ("xm", "xb", "sfzh", "swrq", "gx", "swzmbh", "hhzmbh")} == {
        "xm": "沈福根",
        "xb": "男",
        "sfzh": "330502193910109559",
        "swrq": "2025/11/07",
        "gx": "子女",
        "swzmbh": "3305022025000117",
        "hhzmbh": "HZHH20251109003",
    }


async def test_a_name_with_characters_gbk_lacks_arrives_whole(federation: Department, counter: Counter) -> None:
    sent = application(key(), CARD, deceased=replace(DECEASED, name="䶮𠀀"))
    await federation.submit(sent)
    assert counter.call("GET", f"/applications/{sent.key}")["payload"]["xm"] == "䶮𠀀"


@pytest.mark.rule("PD-16")
async def test_the_same_key_twice_is_one_application(federation: Department, counter: Counter) -> None:
    sent = application(key(), CARD)
    assert (await federation.submit(sent)).reference == (await federation.submit(sent)).reference
    assert [each["key"] for each in counter.applications()].count(sent.key) == 1


@pytest.mark.rule("WS-605", "YY-620", "HZ-623")
@pytest.mark.parametrize("item", ["disability-two-subsidies-stop", "disability-subsidy-stop", CARD])
async def test_stops_are_completed_without_sums(federation: Department, counter: Counter, item: str) -> None:
    sent = application(key(), item)
    await federation.submit(sent)
    counter.act(sent.key, "accept")
    assert (await read(federation, sent)).outcome is Outcome.ACCEPTED
    counter.act(sent.key, "finish")
    record = await read(federation, sent)
    held = counter.call("GET", f"/applications/{sent.key}")
    assert (record.outcome, record.raw_code) == (Outcome.COMPLETED, "B")
    assert (record.payments, record.certificates, record.details) == ((), (), {})
    assert int(held["updated_at"]) == record.updated_at.timestamp()


@pytest.mark.rule("HZ-624")
@pytest.mark.parametrize(
    "died, month",
    [
        (datetime(2025, 11, 1, 0, 0, tzinfo=CHINA), "2025-12"),
        (datetime(2025, 11, 30, 23, 59, tzinfo=CHINA), "2025-12"),
        (datetime(2025, 11, 30, 16, 0, tzinfo=UTC), "2026-01"),  # already 1 December in Huzhou
        (datetime(2026, 1, 31, 12, 0, tzinfo=CHINA), "2026-02"),
        (datetime(2025, 12, 31, 12, 0, tzinfo=CHINA), "2026-01"),
    ],
)
async def test_treatment_stops_with_the_month_after_the_death(
    federation: Department, counter: Counter, died: datetime, month: str
) -> None:
    sent = application(key(), TREATMENT, death=replace(DEATH, occurred_at=died))
    await federation.submit(sent)
    assert (await read(federation, sent)).details == {}
    counter.act(sent.key, "finish")
    assert (await read(federation, sent)).details == {"effectiveMonth": month}


async def test_refused_with_a_reason(federation: Department, counter: Counter) -> None:
    sent = application(key(), CARD)
    await federation.submit(sent)
    counter.act(sent.key, "refuse", reason="证件由外地核发")
    record = await read(federation, sent)
    assert (record.outcome, record.raw_code, record.reason) == (Outcome.REFUSED, "J", "证件由外地核发")


async def test_correction_is_asked_for_and_answered(federation: Department, counter: Counter) -> None:
    sent = application(key(), CARD)
    await federation.submit(sent)
    counter.act(sent.key, "correct", reason="材料不全", missing=["残疾人证原件", "死亡证明"])
    record = await read(federation, sent)
    assert (record.outcome, record.reason) == (Outcome.CORRECTION, "材料不全")
    assert record.missing == ("残疾人证原件", "死亡证明")
    receipt = await federation.submit(replace(sent, correction=1, correction_answer="已补充"))
    assert (receipt.outcome, receipt.reference) == (Outcome.RECEIVED, record.reference)


@pytest.mark.parametrize(
    "id_number, item, reason",
    [
        ("330502197109052168", CARD, "查无残疾人证"),
        ("330502194503124115", "disability-two-subsidies-stop", "查无补贴待遇"),
    ],
)
async def test_nothing_registered(
    federation: Department, counter: Counter, id_number: str, item: str, reason: str
) -> None:
    sent = application(key(), item, deceased=replace(DECEASED, id_number=id_number))
    await federation.submit(sent)
    counter.act(sent.key, "accept")
    record = await read(federation, sent)
    assert (record.outcome, record.raw_code, record.reason) == (Outcome.NOT_APPLICABLE, "W", reason)


@pytest.mark.parametrize(
    "item, changes, code",
    [
        (CARD, {"deceased": replace(DECEASED, id_number=None)}, "3"),
        (CARD, {"deceased": replace(DECEASED, name=None)}, "1"),
        (TREATMENT, {"death": replace(DEATH, occurred_at=None)}, "5"),
    ],
)
async def test_missing_fields_are_rejected_with_their_own_code(
    federation: Department, item: str, changes: dict[str, object], code: str
) -> None:
    with pytest.raises(DepartmentRejected, match=code):
        await federation.submit(application(key(), item, **changes))


async def test_many_records_in_one_form(federation: Department, counter: Counter) -> None:
    keys = [key() for _ in range(5)]
    for each in keys:
        await federation.submit(application(each, CARD))
    records = await federation.read_many([*keys, "HZ-unknown.9"])
    assert set(records) == set(keys)
    assert counter.calls()["query"] == 1


@pytest.mark.parametrize("keys, calls", [(0, 0), (500, 1), (501, 2)])
async def test_beyond_500_keys_the_question_is_split(
    federation: Department, counter: Counter, keys: int, calls: int
) -> None:
    assert await federation.read_many([f"HZ-{number}" for number in range(keys)]) == {}
    assert counter.calls().get("query", 0) == calls


@pytest.mark.rule("PD-16")
async def test_a_lost_answer_makes_no_second_application(federation: Department, counter: Counter) -> None:
    sent = application(key(), CARD)
    counter.behave(drop=1)
    with pytest.raises(DepartmentUnavailable):
        await federation.submit(sent)
    assert (await federation.submit(sent)).outcome is Outcome.RECEIVED
    assert [each["key"] for each in counter.applications()].count(sent.key) == 1


@pytest.mark.parametrize(
    "habits, error", [({"fail": 2}, DepartmentUnavailable), ({"rubbish": 2}, DepartmentUnintelligible)]
)
async def test_system_error_and_rubbish(
    federation: Department, counter: Counter, habits: dict[str, int], error: type[DepartmentError]
) -> None:
    counter.behave(**habits)
    with pytest.raises(error):
        await federation.submit(application(key(), CARD))
    with pytest.raises(error):
        await federation.read_many(["HZ-1"])


async def test_slower_than_the_time_limit(running: Running) -> None:
    running.counter.behave(slow=2)
    adapter = running.adapter(timeout_s=0.2)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(application(key(), CARD))
    await adapter.close()


async def test_a_foreign_item_and_an_instruction_are_rejected_before_any_call(
    federation: Department, counter: Counter
) -> None:
    with pytest.raises(DepartmentRejected):
        await federation.submit(application(key(), "hukou-deregistration"))
    with pytest.raises(DepartmentRejected):
        await federation.instruct(PaymentInstruction("HZ-1.p1", "HZ-1", "1", "FUNERAL_GRANT", 1, ACCOUNT))
    assert counter.calls() == {}


def test_it_sends_no_messages(running: Running) -> None:
    with pytest.raises(DepartmentRejected, match="does not send messages"):
        running.adapter().translate(b"", {})


@pytest.mark.parametrize(
    "body",
    [
        "xm=沈福根".encode(),
        b"wbls=k&xm=%80%FF",
        wire.application(application("k", CARD), "").replace(b"ZJ03", b"X"),
    ],
)
async def test_their_own_errors_mean_rejected(running: Running, body: bytes) -> None:
    channel = HttpChannel(running.address, 5)
    answer = await channel.post("/cjrfw/ywsb.do", body, wire.CONTENT_TYPE)
    with pytest.raises(DepartmentRejected):
        wire.receipt(answer)
    await channel.close()


# ── the wire ────────────────────────────────────────────────────────────────────────────────────────────────


def gbk(inner: str) -> bytes:
    return f'<?xml version="1.0" encoding="GBK"?><应答>{inner}</应答>'.encode("gbk")


LISTING = gbk(
    "<代码>0</代码><信息>成功</信息><记录集><记录><外部流水>HZ-1.1</外部流水><业务类别>DY01</业务类别>"
    "<受理单号>20251110000001</受理单号><办理状态>B</办理状态><说明/><缺少材料/><停发月份>202512</停发月份>"
    "<更新时间>2025-11-10 09:30:00</更新时间></记录></记录集>"
)
RECEIPT = gbk("<代码>0</代码><受理单号>20251110000001</受理单号><办理状态>D</办理状态>")


def test_forms_are_percent_encoded_in_gbk() -> None:
    form = wire.application(application("k", CARD), "")
    assert b"&xm=%C9%F2%B8%A3%B8%F9&" in form
    assert parse_qs(form.decode(), encoding="gbk")["xm"] == ["沈福根"]
    assert b"jrm" not in form


def test_a_recorded_listing() -> None:
    record = wire.records(LISTING)["HZ-1.1"]
    assert (record.outcome, record.reference, record.reason) == (Outcome.COMPLETED, "20251110000001", None)
    assert record.updated_at == datetime(2025, 11, 10, 1, 30, tzinfo=UTC)
    assert record.details == {"effectiveMonth": "2025-12"}


@pytest.mark.parametrize(
    "before, after",
    [
        ("<办理状态>B<", "<办理状态>X<"),
        ("<停发月份>202512<", "<停发月份>202513<"),
        ("<更新时间>2025-11-10 ", "<更新时间>2025-13-10 "),
        ("<更新时间>2025-11-10 ", "<更新时间>"),
        ("<受理单号>20251110000001</受理单号>", ""),
        ("<代码>0<", "<代码>77<"),
        ("<代码>0</代码>", ""),
        ("应答", "回答"),
        ("记录集", "记录们"),
    ],
)
def test_what_is_not_in_the_tables_is_unintelligible(before: str, after: str) -> None:
    assert before.encode("gbk") in LISTING
    with pytest.raises(DepartmentUnintelligible):
        wire.records(LISTING.replace(before.encode("gbk"), after.encode("gbk")))


@pytest.mark.parametrize("code, error", [(code, error) for code, (error, _) in codes.REPLIES.items() if error])
def test_reply_codes(code: str, error: type[DepartmentError]) -> None:
    with pytest.raises(error):
        wire.receipt(gbk(f"<代码>{code}</代码>"))


@settings(deadline=None)
@given(damaged(RECEIPT), damaged(LISTING))
def test_nothing_but_department_errors_escapes(receipt: bytes, listing: bytes) -> None:
    for parse, body in ((wire.receipt, receipt), (wire.records, listing)):
        with suppress(DepartmentError):
            parse(body)
