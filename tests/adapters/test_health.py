"""Health bureau: the adapter against the running registry, and the registry's messages byte by byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given

from adapters.health import codes, wire
from gateway.domain.department import (
    Application,
    Certificate,
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    PaymentInstruction,
)

from .builders import ACCOUNT, DECEASED, application
from .conftest import Running
from .garbled import garbled
from .listening import listening

Start = Callable[[str], Running]


def asked(**changes: Any) -> Application:
    """A new application for the certificate, with a key no other test has."""
    return application(key=f"HZ-{uuid4().hex}", item="death-cert-normal", certificates=(), **changes)


@pytest.mark.rule("HZ-602")
async def test_the_registry_registers_and_gives_its_own_number(department: Start) -> None:
    adapter = department("health").adapter()
    receipt = await adapter.submit(asked())
    assert (receipt.outcome, receipt.raw_code, receipt.raw_message) == (Outcome.RECEIVED, "00", "已登记")
    assert receipt.reference
    await adapter.close()


@pytest.mark.rule("PD-16")
async def test_the_same_key_makes_one_application(department: Start) -> None:
    running = department("health")
    adapter, wanted = running.adapter(), asked()
    first = await adapter.submit(wanted)
    assert await adapter.submit(wanted) == first
    assert [a["key"] for a in running.counter.applications()].count(wanted.key) == 1
    await adapter.close()


@pytest.mark.rule("HZ-503")
async def test_a_signed_certificate_comes_back_with_number_and_institution(department: Start) -> None:
    running = department("health")
    adapter, wanted = running.adapter(), asked()
    receipt = await adapter.submit(wanted)
    running.counter.act(wanted.key, "accept")
    assert (await adapter.read_many([wanted.key]))[wanted.key].outcome is Outcome.ACCEPTED
    before = datetime.now(UTC).replace(microsecond=0)
    running.counter.act(wanted.key, "finish")
    record = (await adapter.read_many([wanted.key]))[wanted.key]
    assert (record.outcome, record.raw_code, record.reference) == (Outcome.COMPLETED, "30", receipt.reference)
    [certificate] = record.certificates
    assert certificate.type == "DEATH_MEDICAL"
    assert certificate.number == f"33050{receipt.reference}"
    assert certificate.issuer == "月河街道社区卫生服务中心"
    assert before <= certificate.issued_at <= datetime.now(UTC)
    assert record.details == {}
    await adapter.close()


@pytest.mark.rule("HZ-504")
async def test_a_death_that_cannot_be_confirmed_as_normal_is_referred_to_the_police(department: Start) -> None:
    running = department("health")
    adapter, wanted = running.adapter(), asked()
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "refuse", reason="非正常死亡：体表有外伤")
    record = (await adapter.read_many([wanted.key]))[wanted.key]
    assert (record.outcome, record.raw_code) == (Outcome.REFUSED, "31")
    assert record.reason == "非正常死亡：体表有外伤"
    assert record.details == {"referral": "PUBLIC_SECURITY"}
    assert record.certificates == ()
    await adapter.close()


async def test_an_ordinary_refusal_refers_to_nobody(department: Start) -> None:
    running = department("health")
    adapter, wanted = running.adapter(), asked()
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "refuse", reason="死亡地点不在辖区")
    record = (await adapter.read_many([wanted.key]))[wanted.key]
    assert (record.outcome, record.raw_code, record.reason) == (Outcome.REFUSED, "32", "死亡地点不在辖区")
    assert record.details == {}
    await adapter.close()


async def test_a_correction_names_what_is_missing_and_its_answer_opens_the_application_again(
    department: Start,
) -> None:
    running = department("health")
    adapter, wanted = running.adapter(), asked()
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "correct", reason="病史不全", missing=["既往病历", "调查记录"])
    record = (await adapter.read_many([wanted.key]))[wanted.key]
    assert (record.outcome, record.reason) == (Outcome.CORRECTION, "病史不全")
    assert record.missing == ("既往病历", "调查记录")
    again = await adapter.submit(replace(wanted, correction=1, correction_answer="已补充病历"))
    assert (again.outcome, again.reference) == (Outcome.RECEIVED, record.reference)
    await adapter.close()


async def test_a_person_registered_elsewhere_has_nothing_here(department: Start) -> None:
    running = department("health")
    adapter = running.adapter()
    wanted = asked(deceased=replace(DECEASED, name="施阿妹", id_number="330521194701120026", sex="FEMALE"))
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "finish")
    record = (await adapter.read_many([wanted.key]))[wanted.key]
    assert (record.outcome, record.raw_code) == (Outcome.NOT_APPLICABLE, "40")
    await adapter.close()


async def test_many_keys_are_one_call_and_unknown_keys_are_absent(department: Start) -> None:
    running = department("health")
    adapter = running.adapter()
    wanted = [asked() for _ in range(5)]
    for one in wanted:
        await adapter.submit(one)
    found = await adapter.read_many([*(one.key for one in wanted), "HZ-unknown"])
    assert set(found) == {one.key for one in wanted}
    assert running.counter.calls() == {"submit": 5, "query": 1}
    assert await adapter.read_many([]) == {}
    await adapter.read_many([f"HZ-{number}" for number in range(501)])
    assert running.counter.calls()["query"] == 3
    await adapter.close()


async def test_an_item_it_does_not_take_is_never_sent(department: Start) -> None:
    running = department("health")
    adapter = running.adapter()
    with pytest.raises(DepartmentRejected):
        await adapter.submit(application(item="hukou-deregistration"))
    with pytest.raises(DepartmentRejected):
        await adapter.instruct(PaymentInstruction("K-1", "K", "S", "FUNERAL_GRANT", 1, ACCOUNT))
    assert running.counter.calls() == {}
    await adapter.close()


async def test_a_person_without_id_number_is_rejected_by_the_registry(department: Start) -> None:
    adapter = department("health").adapter()
    with pytest.raises(DepartmentRejected, match="E1003"):
        await adapter.submit(asked(deceased=replace(DECEASED, id_number=None)))
    await adapter.close()


async def test_an_unknown_business_code_is_rejected_by_the_registry(
    department: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = department("health").adapter()
    monkeypatch.setitem(codes.BUSINESS, "death-cert-normal", "SWZM77")
    with pytest.raises(DepartmentRejected, match="E1002"):
        await adapter.submit(asked())
    await adapter.close()


async def test_its_system_error_is_unavailable(department: Start) -> None:
    running = department("health")
    adapter = running.adapter()
    running.counter.behave(fail=2)
    with pytest.raises(DepartmentUnavailable, match="E9999"):
        await adapter.submit(asked())
    with pytest.raises(DepartmentUnavailable, match="E9999"):
        await adapter.read_many(["HZ-1"])
    await adapter.close()


@pytest.mark.rule("PD-16")
async def test_a_lost_answer_and_the_same_key_again_make_one_application(department: Start) -> None:
    running = department("health")
    adapter, wanted = running.adapter(), asked()
    running.counter.behave(drop=1)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(wanted)
    assert (await adapter.submit(wanted)).outcome is Outcome.RECEIVED
    assert [a["key"] for a in running.counter.applications()].count(wanted.key) == 1
    await adapter.close()


async def test_no_answer_within_the_limit_is_unavailable(department: Start) -> None:
    running = department("health")
    adapter = running.adapter(timeout_s=0.2)
    running.counter.behave(slow=1)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(asked())
    await adapter.close()


async def test_rubbish_is_unintelligible(department: Start) -> None:
    running = department("health")
    adapter = running.adapter()
    running.counter.behave(rubbish=2)
    with pytest.raises(DepartmentUnintelligible):
        await adapter.submit(asked())
    with pytest.raises(DepartmentUnintelligible):
        await adapter.read_many(["HZ-1"])
    await adapter.close()


@pytest.mark.rule("HZ-842", "PD-06")
async def test_it_sends_its_results_and_repeats_them_under_one_serial(tmp_path: Path) -> None:
    async with listening("health", tmp_path) as running:
        wanted = asked()
        await running.adapter.submit(wanted)
        running.counter.behave(twice=True)
        running.counter.act(wanted.key, "finish")
        first, second = await running.message(), await running.message()
        assert first == second
        assert await running.adapter.read_many([wanted.key]) == {wanted.key: first.records[0]}


# ── the wire ────────────────────────────────────────────────────────────────────────────────────────────────

NOTIFICATION = """{"head":{"jyCode":"SW2001","jyLsh":"swdj-7","fsSj":"20251108213004"},"body":{"jlList":[{
"wbLsh":"HZ-20251107-0001.1","slh":"20251107000001","zt":"30","ztMs":"已签发","gxSj":"20251108213000","shYj":"",
"bcCl":[],"zmInfo":{"zmBh":"3305020251107001","qfSj":"20251108213000","qfJg":"月河街道社区卫生服务中心","gbSy":"I25.1"}}]}}
""".encode()


REPLY = b'{"head":{"rspCode":"AAAAAAA"},"body":{"wbLsh":"HZ-1","slh":"20251107000001","zt":"00"}}'


def test_a_notification_is_read_field_by_field() -> None:
    callback = wire.notification(NOTIFICATION)
    assert callback.serial == "swdj-7"
    [record] = callback.records
    at = datetime(2025, 11, 8, 13, 30, tzinfo=UTC)
    assert (record.key, record.updated_at, record.reason) == ("HZ-20251107-0001.1", at, None)
    assert record.certificates == (Certificate("DEATH_MEDICAL", "3305020251107001", at, "月河街道社区卫生服务中心"),)


def test_a_submission_has_their_names_codes_and_local_times() -> None:
    message = json.loads(wire.submission(asked()))
    assert message["head"]["jyCode"] == "SW1001"
    body = message["body"]
    assert (body["ywDm"], body["sqSj"], body["bcCs"]) == ("SWZM01", "20251110090000", 0)
    assert body["szInfo"]["zjLx"] == "01" and body["szInfo"]["csRq"] == "19391010"
    assert body["swInfo"]["swLb"] == "1" and body["swInfo"]["swSj"] == "20251107043000"


def test_acknowledgements_carry_their_own_codes() -> None:
    assert json.loads(wire.acknowledgement(None))["head"]["rspCode"] == "AAAAAAA"
    refused = json.loads(wire.acknowledgement("重复"))["head"]
    assert (refused["rspCode"], refused["rspMsg"]) == ("E1001", "重复")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"zt":"30"', b'"zt":"77"'),
        (b'"zt":"30"', b'"zt":30'),
        (b'"gxSj":"20251108213000"', b'"gxSj":"2025-11-08"'),
        (b'"gxSj":"20251108213000"', b'"gxSj":"00010101000000"'),
        (b'"bcCl":[]', b'"bcCl":[1]'),
        (b'"jyLsh":"swdj-7",', b""),
        (b"SW2001", b"SW2002"),
        (b'{"jlList"', b'[[{"jlList"'),
    ],
)
def test_a_wrong_field_is_unintelligible(before: bytes, after: bytes) -> None:
    assert before in NOTIFICATION
    with pytest.raises(DepartmentUnintelligible):
        wire.notification(NOTIFICATION.replace(before, after))


def test_an_unknown_reply_code_is_unintelligible() -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.receipt(b'{"head":{"rspCode":"E7777"},"body":{}}')


@given(garbled(NOTIFICATION) | garbled(REPLY))
def test_nothing_but_department_errors_escapes(body: bytes) -> None:
    readers: list[Callable[[bytes], object]] = [wire.receipt, wire.records, wire.notification]
    for read in readers:
        with suppress(DepartmentError):
            read(body)
