"""Insurer: the adapter against the running claims service, and its messages byte by byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given

from adapters.insurer import codes, wire
from adapters.insurer.adapter import Insurer
from adapters.kit.registry import connect
from gateway.domain.department import (
    Application,
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    Payment,
    PaymentState,
)

from .builders import ACCOUNT, DECEASED, application
from .conftest import Running
from .garbled import garbled

Start = Callable[[str], Running]

WITHOUT_POLICY = replace(DECEASED, name="施阿妹", id_number="330521194701120026", sex="FEMALE")
NEVER_HEARD_OF = replace(DECEASED, name="测试人", id_number="330502194302141664", sex="FEMALE")


def asked(**changes: Any) -> Application:
    """A new application with a key no other test has."""
    return application(key=f"HZ-{uuid4().hex}", item="insurer-asset-disposal", **changes)


@pytest.mark.rule("PD-16")
async def test_the_same_key_makes_one_claim(department: Start) -> None:
    running = department("insurer")
    adapter, wanted = running.adapter(), asked(account=ACCOUNT)
    first = await adapter.submit(wanted)
    assert (first.outcome, first.raw_code, first.raw_message) == (Outcome.RECEIVED, "SUBMITTED", "已报案")
    assert await adapter.submit(wanted) == first
    assert [a["key"] for a in running.counter.applications()].count(wanted.key) == 1
    await adapter.close()


@pytest.mark.rule("HZ-630", "HZ-705")
async def test_the_insurer_orders_and_makes_its_payments_itself(department: Start) -> None:
    running = department("insurer")
    adapter, wanted = running.adapter(), asked(account=ACCOUNT)

    async def payments() -> tuple[Payment, ...]:
        return (await adapter.read_many([wanted.key]))[wanted.key].payments

    await adapter.submit(wanted)
    running.counter.act(wanted.key, "accept")
    running.counter.act(wanted.key, "finish")
    record = (await adapter.read_many([wanted.key]))[wanted.key]
    assert (record.outcome, record.raw_code) == (Outcome.COMPLETED, "SETTLED")
    assert record.details == {"answer": "有效保单2份：终身寿险、年金保险"}
    assert [(p.kind, p.fen) for p in record.payments] == [
        ("INSURANCE_BENEFIT", 5000000),
        ("INSURANCE_BENEFIT", 1286037),
    ]
    assert {p.state for p in record.payments} == {PaymentState.INSTRUCTED}
    running.counter.act(wanted.key, "return", reason="账户已销户")
    assert {(p.state, p.reason) for p in await payments()} == {(PaymentState.RETURNED, "账户已销户")}
    running.counter.act(wanted.key, "pay")
    assert {(p.state, p.reason) for p in await payments()} == {(PaymentState.PAID, None)}
    await adapter.close()


@pytest.mark.rule("PD-20")
async def test_without_an_account_the_insurer_orders_payment_to_the_beneficiary_of_the_policy(
    department: Start,
) -> None:
    running = department("insurer")
    adapter, wanted = running.adapter(), asked(deceased=NEVER_HEARD_OF)
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "finish")
    [payment] = (await adapter.read_many([wanted.key]))[wanted.key].payments
    assert (payment.fen, payment.state) == (3000000, PaymentState.INSTRUCTED)
    await adapter.close()


async def test_nothing_is_due_where_there_is_no_policy(department: Start) -> None:
    running = department("insurer")
    adapter, wanted = running.adapter(), asked(deceased=WITHOUT_POLICY, account=ACCOUNT)
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "finish")
    record = (await adapter.read_many([wanted.key]))[wanted.key]
    assert (record.outcome, record.payments) == (Outcome.NOT_APPLICABLE, ())
    assert record.reason == "未查询到有效保单"
    await adapter.close()


async def test_refusals_and_corrections_come_with_their_reasons(department: Start) -> None:
    running = department("insurer")
    adapter, refused, returned = running.adapter(), asked(), asked()
    await adapter.submit(refused)
    await adapter.submit(returned)
    running.counter.act(refused.key, "refuse", reason="等待期内")
    running.counter.act(returned.key, "correct", reason="缺继承证明", missing=["继承权公证书", "关系证明"])
    found = await adapter.read_many([refused.key, returned.key])
    assert running.counter.calls()["query"] == 1
    assert (found[refused.key].outcome, found[refused.key].reason) == (Outcome.REFUSED, "等待期内")
    assert (found[returned.key].outcome, found[returned.key].reason) == (Outcome.CORRECTION, "缺继承证明")
    assert found[returned.key].missing == ("继承权公证书", "关系证明")
    again = await adapter.submit(replace(returned, correction=1, correction_answer="已补"))
    assert again.outcome is Outcome.RECEIVED
    await adapter.close()


async def test_more_than_500_keys_are_two_calls(department: Start) -> None:
    running = department("insurer")
    adapter = running.adapter()
    assert await adapter.read_many([f"HZ-{number}" for number in range(501)]) == {}
    assert running.counter.calls() == {"query": 2}
    await adapter.close()


async def test_a_token_is_fetched_lazily_kept_and_renewed_when_it_has_run_out(department: Start) -> None:
    adapter = department("insurer").adapter()
    assert isinstance(adapter, Insurer)
    assert adapter.token is None
    await adapter.read_many(["HZ-1"])
    kept = adapter.token
    await adapter.read_many(["HZ-1"])
    assert adapter.token == kept
    adapter.token = "run-out"
    assert (await adapter.submit(asked())).outcome is Outcome.RECEIVED
    assert adapter.token not in (kept, "run-out", None)
    await adapter.close()


async def test_a_wrong_client_secret_is_rejected(department: Start) -> None:
    running = department("insurer")
    adapter = connect(running.manifest, running.address, {"user": "demo", "secret": "guessed"})
    with pytest.raises(DepartmentRejected):
        await adapter.submit(asked())
    assert running.counter.calls() == {}
    await adapter.close()


async def test_a_person_without_id_number_is_rejected_by_the_service(department: Start) -> None:
    adapter = department("insurer").adapter()
    with pytest.raises(DepartmentRejected, match="422"):
        await adapter.submit(asked(deceased=replace(DECEASED, id_number=None)))
    await adapter.close()


async def test_an_unknown_claim_type_is_rejected_by_the_service(
    department: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = department("insurer").adapter()
    monkeypatch.setitem(codes.BUSINESS, "insurer-asset-disposal", "LIFE_AFTER_DEATH")
    with pytest.raises(DepartmentRejected, match="422"):
        await adapter.submit(asked())
    await adapter.close()


async def test_its_system_error_is_unavailable(department: Start) -> None:
    running = department("insurer")
    adapter = running.adapter()
    running.counter.behave(fail=2)
    with pytest.raises(DepartmentUnavailable, match="503"):
        await adapter.submit(asked())
    with pytest.raises(DepartmentUnavailable, match="503"):
        await adapter.read_many(["HZ-1"])
    await adapter.close()


@pytest.mark.rule("PD-16")
async def test_a_lost_answer_and_the_same_key_again_make_one_claim(department: Start) -> None:
    running = department("insurer")
    adapter, wanted = running.adapter(), asked()
    running.counter.behave(drop=1)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(wanted)
    assert (await adapter.submit(wanted)).outcome is Outcome.RECEIVED
    assert [a["key"] for a in running.counter.applications()].count(wanted.key) == 1
    await adapter.close()


async def test_no_answer_within_the_limit_is_unavailable(department: Start) -> None:
    running = department("insurer")
    adapter = running.adapter(timeout_s=0.2)
    running.counter.behave(slow=1)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(asked())
    await adapter.close()


async def test_rubbish_is_unintelligible(department: Start) -> None:
    running = department("insurer")
    adapter = running.adapter()
    running.counter.behave(rubbish=2)
    with pytest.raises(DepartmentUnintelligible):
        await adapter.submit(asked())
    with pytest.raises(DepartmentUnintelligible):
        await adapter.read_many(["HZ-1"])
    await adapter.close()


# ── the wire ────────────────────────────────────────────────────────────────────────────────────────────────

CLAIM = """{"externalRef":"HZ-20251107-0001.1","claimNumber":"20251110000001","claimType":"DEATH_ASSET_DISPOSAL",
"status":"SETTLED","statusReason":null,"requiredDocuments":["关系证明"],"updatedAt":"2025-11-10T02:00:00.123Z",
"findings":"有效保单1份","benefits":[{"benefitId":"20251110000001-1","type":"DEATH_BENEFIT",
"amount":{"value":"50000.05","currency":"CNY"},"status":"BOUNCED","changedAt":"2025-11-10T10:00:00.000+08:00",
"bounceReason":"账户已销户"}]}""".encode()
CLAIMS = b'{"claims":[' + CLAIM + b"]}"
TOKEN = b'{"access_token":"abc","token_type":"Bearer","expires_in":300}'


def test_a_claim_is_read_field_by_field() -> None:
    [record] = wire.records(CLAIMS)
    at = datetime(2025, 11, 10, 2, 0, tzinfo=UTC)
    assert record.updated_at == at + timedelta(milliseconds=123)
    assert (record.missing, record.details) == (("关系证明",), {"answer": "有效保单1份"})
    assert record.payments == (
        Payment("20251110000001-1", "INSURANCE_BENEFIT", 5000005, PaymentState.RETURNED, at, "账户已销户"),
    )


def test_a_claim_is_sent_with_their_names_and_utc_times() -> None:
    body = json.loads(wire.claim(asked(account=ACCOUNT)))
    assert (body["claimType"], body["submittedAt"]) == ("DEATH_ASSET_DISPOSAL", "2025-11-10T01:00:00.000Z")
    assert body["event"]["occurredAt"] == "2025-11-06T20:30:00.000Z"
    assert body["payee"]["accountNumber"] == ACCOUNT.number
    assert [document["type"] for document in body["documents"]] == ["DEATH_MEDICAL", "CREMATION"]


def test_the_client_secret_is_sent_as_a_form() -> None:
    assert wire.client("demo", "a&b") == b"grant_type=client_credentials&client_id=demo&client_secret=a%26b"


@pytest.mark.parametrize("token", ["", "a b", "a\\r\\nX-Other: b", "令牌"])
def test_what_cannot_stand_in_a_header_is_no_token(token: str) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.token(f'{{"access_token":"{token}"}}'.encode())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"SETTLED", b"CLOSED"),
        (b'"SETTLED"', b"1"),
        (b"DEATH_BENEFIT", b"LOTTERY"),
        (b"BOUNCED", b"LOST"),
        (b'"CNY"', b'"USD"'),
        (b"50000.05", b"50000.051"),
        (b"50000.05", b"-50000.05"),
        (b'"50000.05"', b"50000.05"),
        (b"2025-11-10T02:00:00.123Z", b"2025-11-10T02:00:00"),
        (b"2025-11-10T02:00:00.123Z", b"0001-01-01T00:00:00+08:00"),
        (b'["\xe5\x85', b'[1,"\xe5\x85'),
    ],
)
def test_a_wrong_field_is_unintelligible(before: bytes, after: bytes) -> None:
    assert before in CLAIMS
    with pytest.raises(DepartmentUnintelligible):
        wire.records(CLAIMS.replace(before, after))


@given(garbled(CLAIMS) | garbled(CLAIM) | garbled(TOKEN))
def test_nothing_but_department_errors_escapes(body: bytes) -> None:
    readers: list[Callable[[bytes], object]] = [wire.token, wire.receipt, wire.records]
    for read in readers:
        with suppress(DepartmentError):
            read(body)
