"""Civil affairs: the adapter against the running funeral system, and its resources byte by byte."""

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

from adapters.civil_affairs import codes, wire
from gateway.domain.department import (
    Application,
    Certificate,
    Deceased,
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    Payment,
    PaymentInstruction,
    PaymentState,
)

from .builders import ACCOUNT, DECEASED, application
from .conftest import Running
from .garbled import garbled
from .listening import listening

Start = Callable[[str], Running]

UNKNOWN_BODY = Deceased(name=None, id_kind="UNKNOWN", id_number=None, sex="MALE")
NOTHING_REGISTERED = replace(DECEASED, name="施阿妹", id_number="330521194701120026", sex="FEMALE")


def asked(item: str = "funeral-service", **changes: Any) -> Application:
    """A new application with a key no other test has."""
    return application(key=f"HZ-{uuid4().hex}", item=item, **changes)


def order(wanted: Application, payment: Payment, **changes: Any) -> PaymentInstruction:
    made = PaymentInstruction(f"{wanted.key}-pay", wanted.key, payment.serial, payment.kind, payment.fen, ACCOUNT)
    return replace(made, **changes)


@pytest.mark.rule("PD-16")
async def test_the_same_key_makes_one_application(department: Start) -> None:
    running = department("civil-affairs")
    adapter, wanted = running.adapter(), asked()
    first = await adapter.submit(wanted)
    assert (first.outcome, first.raw_code, first.raw_message) == (Outcome.RECEIVED, "10", "已登记")
    assert await adapter.submit(wanted) == first
    assert [a["key"] for a in running.counter.applications()].count(wanted.key) == 1
    await adapter.close()


@pytest.mark.rule("HZ-604", "HZ-510", "HZ-511")
async def test_a_funeral_is_booked_and_then_the_body_is_collected(department: Start) -> None:
    running = department("civil-affairs")
    adapter = running.adapter()
    details = {"funeral.bookingTime": "2025-11-08T23:30:00Z", "funeral.pickupAddress": "红丰新村12幢"}
    wanted = asked(details=details)
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "accept")
    booked = (await adapter.read_many([wanted.key]))[wanted.key]
    assert booked.outcome is Outcome.ACCEPTED
    assert booked.details["bookedAt"] == "2025-11-09T07:30:00+08:00"
    assert booked.details["funeralHome"] == "湖州市殡仪馆"
    assert booked.details["vehicle"].startswith("浙E")
    running.counter.act(wanted.key, "finish")
    collected = (await adapter.read_many([wanted.key]))[wanted.key]
    assert collected.outcome is Outcome.COMPLETED
    assert datetime.fromisoformat(collected.details["collectedAt"]).utcoffset() is not None
    assert booked.details.items() <= collected.details.items()
    await adapter.close()


@pytest.mark.rule("WZ-504", "AS-11")
async def test_a_pickup_notice_comes_before_anybody_has_applied(department: Start) -> None:
    running = department("civil-affairs")
    adapter, wanted = running.adapter(), asked("pickup-notice", applicant=None)
    await adapter.submit(wanted)
    assert "contact" not in json.loads(wire.submission(wanted))
    running.counter.act(wanted.key, "finish")
    collected = (await adapter.read_many([wanted.key]))[wanted.key]
    assert collected.outcome is Outcome.COMPLETED
    assert datetime.fromisoformat(collected.details["collectedAt"]).utcoffset() is not None
    await adapter.close()


@pytest.mark.rule("HZ-104")
@pytest.mark.parametrize("item", ["funeral-service", "cremation-cert", "pickup-notice"])
async def test_a_body_without_identity_is_taken(department: Start, item: str) -> None:
    running = department("civil-affairs")
    adapter, wanted = running.adapter(), asked(item, deceased=UNKNOWN_BODY)
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "finish")
    assert (await adapter.read_many([wanted.key]))[wanted.key].outcome is Outcome.COMPLETED
    await adapter.close()


async def test_what_was_done_for_a_body_without_identity_can_be_undone(department: Start) -> None:
    running = department("civil-affairs")
    adapter, first = running.adapter(), asked("cremation-cert", deceased=UNKNOWN_BODY)
    await adapter.submit(first)
    undo = replace(first, key=f"{first.key}.R", reverses=first.key, reversal_reason="误报", certificates=())
    await adapter.submit(undo)
    running.counter.act(undo.key, "finish")
    assert (await adapter.read_many([undo.key]))[undo.key].outcome is Outcome.COMPLETED
    await adapter.close()


@pytest.mark.parametrize("deceased", [UNKNOWN_BODY, replace(DECEASED, id_number=None)])
async def test_other_business_needs_an_id_number(department: Start, deceased: Deceased) -> None:
    adapter = department("civil-affairs").adapter()
    with pytest.raises(DepartmentRejected, match="40003"):
        await adapter.submit(asked("funeral-fee-relief", deceased=deceased))
    await adapter.close()


@pytest.mark.rule("HZ-605", "WZ-608")
@pytest.mark.parametrize("item", ["cremation-cert", "cremation-record"])
async def test_a_cremation_yields_its_certificate(department: Start, item: str) -> None:
    running = department("civil-affairs")
    adapter, wanted = running.adapter(), asked(item)
    receipt = await adapter.submit(wanted)
    before = datetime.now(UTC).replace(microsecond=0)
    running.counter.act(wanted.key, "finish")
    record = (await adapter.read_many([wanted.key]))[wanted.key]
    [certificate] = record.certificates
    assert (certificate.type, certificate.number) == ("CREMATION", f"HZHH{receipt.reference}")
    assert certificate.issuer == "湖州市殡仪馆"
    assert before <= certificate.issued_at <= datetime.now(UTC)
    await adapter.close()


@pytest.mark.rule("HZ-632")
async def test_a_fee_relief_lists_what_is_free(department: Start) -> None:
    running = department("civil-affairs")
    adapter, wanted = running.adapter(), asked("funeral-fee-relief")
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "finish")
    record = (await adapter.read_many([wanted.key]))[wanted.key]
    assert record.payments == ()
    assert record.details["reliefItems"].split("、")[0] == "遗体接运"
    await adapter.close()


@pytest.mark.rule("WZ-609")
async def test_the_treatment_of_a_special_group_ends_at_once(department: Start) -> None:
    running = department("civil-affairs")
    adapter, wanted = running.adapter(), asked("special-group-treatment")
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "finish")
    record = (await adapter.read_many([wanted.key]))[wanted.key]
    assert len(record.details["effectiveFrom"]) == len("2025-11-10")
    await adapter.close()


@pytest.mark.parametrize("item", ["eco-burial-reward", "funeral-fee-relief", "special-group-treatment"])
async def test_nothing_is_due_where_its_register_says_so(department: Start, item: str) -> None:
    running = department("civil-affairs")
    adapter, wanted = running.adapter(), asked(item, deceased=NOTHING_REGISTERED)
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "finish")
    record = (await adapter.read_many([wanted.key]))[wanted.key]
    assert (record.outcome, record.raw_code, record.payments) == (Outcome.NOT_APPLICABLE, "41", ())
    await adapter.close()


@pytest.mark.rule("HZ-631")
async def test_a_reward_is_approved_instructed_returned_instructed_again_and_paid(department: Start) -> None:
    running = department("civil-affairs")
    adapter, wanted = running.adapter(), asked("eco-burial-reward")

    async def payment() -> Payment:
        [one] = (await adapter.read_many([wanted.key]))[wanted.key].payments
        return one

    await adapter.submit(wanted)
    running.counter.act(wanted.key, "finish")
    approved = await payment()
    assert (approved.kind, approved.fen, approved.state) == ("ECO_BURIAL_REWARD", 200000, PaymentState.APPROVED)
    receipt = await adapter.instruct(order(wanted, approved))
    assert (receipt.outcome, receipt.reference) == (Outcome.RECEIVED, approved.serial)
    assert (await payment()).state is PaymentState.INSTRUCTED
    running.counter.act(wanted.key, "return", reason="账号户名不符")
    assert (await payment()).reason == "账号户名不符"
    await adapter.instruct(order(wanted, approved))
    assert (await payment()).state is PaymentState.RETURNED, "an order that comes late must not pay again"
    await adapter.instruct(order(wanted, approved, key=f"{wanted.key}-pay2"))
    running.counter.act(wanted.key, "pay")
    assert (await payment()).state is PaymentState.PAID
    await adapter.close()


async def test_wrong_instructions_are_rejected(department: Start) -> None:
    running = department("civil-affairs")
    adapter, wanted = running.adapter(), asked("eco-burial-reward")
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "finish")
    [payment] = (await adapter.read_many([wanted.key]))[wanted.key].payments
    with pytest.raises(DepartmentRejected, match="40401"):
        await adapter.instruct(order(wanted, payment, serial="../7"))
    with pytest.raises(DepartmentRejected, match="40901"):
        await adapter.instruct(order(wanted, payment, fen=payment.fen + 1))
    with pytest.raises(DepartmentRejected, match="FUNERAL_GRANT"):
        await adapter.instruct(order(wanted, payment, kind="FUNERAL_GRANT"))
    assert running.counter.calls()["instruct"] == 2
    await adapter.close()


async def test_refusals_and_corrections_come_with_their_reasons(department: Start) -> None:
    running = department("civil-affairs")
    adapter, refused, returned = running.adapter(), asked(), asked("eco-burial-reward")
    await adapter.submit(refused)
    await adapter.submit(returned)
    running.counter.act(refused.key, "refuse", reason="非本馆服务区域")
    running.counter.act(returned.key, "correct", reason="缺安葬证明", missing=["生态安葬证明", "现场照片"])
    found = await adapter.read_many([refused.key, returned.key])
    assert running.counter.calls()["query"] == 1
    assert (found[refused.key].outcome, found[refused.key].reason) == (Outcome.REFUSED, "非本馆服务区域")
    assert (found[returned.key].outcome, found[returned.key].reason) == (Outcome.CORRECTION, "缺安葬证明")
    assert found[returned.key].missing == ("生态安葬证明", "现场照片")
    again = await adapter.submit(replace(returned, correction=1, correction_answer="已补"))
    assert again.outcome is Outcome.RECEIVED
    await adapter.close()


async def test_more_than_500_keys_are_two_calls(department: Start) -> None:
    running = department("civil-affairs")
    adapter = running.adapter()
    assert await adapter.read_many([f"HZ-{number}" for number in range(501)]) == {}
    assert running.counter.calls() == {"query": 2}
    await adapter.close()


async def test_an_unknown_business_type_is_rejected_by_the_system(
    department: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = department("civil-affairs").adapter()
    monkeypatch.setitem(codes.BUSINESS, "funeral-service", 9999)
    with pytest.raises(DepartmentRejected, match="40002"):
        await adapter.submit(asked())
    await adapter.close()


async def test_its_system_error_is_unavailable(department: Start) -> None:
    running = department("civil-affairs")
    adapter = running.adapter()
    running.counter.behave(fail=2)
    with pytest.raises(DepartmentUnavailable, match="50000"):
        await adapter.submit(asked())
    with pytest.raises(DepartmentUnavailable, match="50000"):
        await adapter.read_many(["HZ-1"])
    await adapter.close()


@pytest.mark.rule("PD-16")
async def test_a_lost_answer_and_the_same_key_again_make_one_application(department: Start) -> None:
    running = department("civil-affairs")
    adapter, wanted = running.adapter(), asked()
    running.counter.behave(drop=-1)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(wanted)
    running.counter.behave(drop=0)
    assert (await adapter.submit(wanted)).outcome is Outcome.RECEIVED
    assert [a["key"] for a in running.counter.applications()].count(wanted.key) == 1
    await adapter.close()


async def test_no_answer_within_the_limit_is_unavailable(department: Start) -> None:
    running = department("civil-affairs")
    adapter = running.adapter(timeout_s=0.2)
    running.counter.behave(slow=1)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(asked())
    await adapter.close()


async def test_rubbish_is_unintelligible(department: Start) -> None:
    running = department("civil-affairs")
    adapter = running.adapter()
    running.counter.behave(rubbish=2)
    with pytest.raises(DepartmentUnintelligible):
        await adapter.submit(asked())
    with pytest.raises(DepartmentUnintelligible):
        await adapter.read_many(["HZ-1"])
    await adapter.close()


@pytest.mark.rule("HZ-841", "PD-06")
async def test_it_sends_its_results_and_repeats_them_under_one_serial(tmp_path: Path) -> None:
    async with listening("civil-affairs", tmp_path) as running:
        wanted = asked("eco-burial-reward")
        await running.adapter.submit(wanted)
        running.counter.behave(twice=True)
        running.counter.act(wanted.key, "finish")
        first, second = await running.message(), await running.message()
        assert first == second
        assert await running.adapter.read_many([wanted.key]) == {wanted.key: first.records[0]}


# ── the wire ────────────────────────────────────────────────────────────────────────────────────────────────

EVENT = """{"event_id":"e-7","event_type":"application.changed","data":{"external_no":"HZ-20251107-0001.1",
"accept_no":"20251109000001","biz_type":2102,"status":30,"updated_at":"2025-11-09T10:20:01","opinion":null,
"materials_required":["照片"],"certificate":{"cert_no":"HZHH3","issued_at":"2025-11-09T10:20:00","issuer":"湖州市殡仪馆"},
"result":{"cremated_at":"2025-11-09T10:00:00","vehicle_no":"浙E·3B610"},"grants":[{"grant_no":"20251109000001-1",
"grant_type":71,"amount":"2000.00","pay_status":4,"changed_at":"2025-11-09T11:00:00","fail_reason":"户名不符"}]}}
""".encode()
DATA = json.dumps(json.loads(EVENT)["data"])
REPLIES = [
    f'{{"code":0,"message":"ok","data":{DATA}}}'.encode(),
    f'{{"code":0,"message":"ok","data":{{"total":1,"items":[{DATA}]}}}}'.encode(),
    b'{"code":0,"message":"ok","data":{"grant_no":"1","pay_status":2}}',
]


def test_an_event_is_read_field_by_field() -> None:
    callback = wire.event(EVENT)
    assert callback.serial == "e-7"
    [record] = callback.records
    assert record.updated_at == datetime(2025, 11, 9, 2, 20, 1, tzinfo=UTC)
    assert record.details == {"crematedAt": "2025-11-09T10:00:00+08:00", "vehicle": "浙E·3B610"}
    issued_at = datetime(2025, 11, 9, 2, 20, tzinfo=UTC)
    assert record.certificates == (Certificate("CREMATION", "HZHH3", issued_at, "湖州市殡仪馆"),)
    [payment] = record.payments
    assert (payment.fen, payment.state, payment.reason) == (200000, PaymentState.RETURNED, "户名不符")


def test_a_submission_has_their_names_codes_and_local_times() -> None:
    details = {"funeral.bookingTime": "2019-11-19", "ashes.placeName": "青山公墓", "no.such": "x"}
    body = json.loads(wire.submission(asked("cremation-cert", details=details)))
    assert (body["biz_type"], body["submitted_at"]) == (2102, "2025-11-10T09:00:00")
    assert body["decedent"]["id_type"] == 1 and body["decedent"]["unidentified"] is False
    assert body["death"]["died_at"] == "2025-11-07T04:30:00"
    assert [certificate["cert_type"] for certificate in body["certificates"]] == [11, 21]
    assert body["service"] == {"pickup_time": "2019-11-19T00:00:00", "ashes_place": "青山公墓"}


def test_the_account_is_sent_with_the_amount_in_yuan() -> None:
    body = json.loads(wire.account(PaymentInstruction("K-1", "K", "S", "ECO_BURIAL_REWARD", 200005, ACCOUNT)))
    assert (body["order_no"], body["amount"], body["account_no"]) == ("K-1", "2000.05", ACCOUNT.number)


def test_acknowledgements_carry_their_own_codes() -> None:
    assert json.loads(wire.acknowledgement(None))["code"] == 0
    assert json.loads(wire.acknowledgement("重复")) == {"code": 40001, "message": "重复"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"status":30', b'"status":31'),
        (b'"status":30', b'"status":true'),
        (b'"grant_type":71', b'"grant_type":72'),
        (b'"pay_status":4', b'"pay_status":9'),
        (b'"2000.00"', b'"2000.001"'),
        (b'"2000.00"', b"2000.00"),
        (b'"2000.00"', b'"Infinity"'),
        (b'"2025-11-09T10:20:01"', b'"2025-11-09"'),
        (b'"2025-11-09T10:20:01"', b'"0001-01-01T00:00:00"'),
        (b"application.changed", b"application.deleted"),
    ],
)
def test_a_wrong_field_is_unintelligible(before: bytes, after: bytes) -> None:
    assert before in EVENT
    with pytest.raises(DepartmentUnintelligible):
        wire.event(EVENT.replace(before, after))


def test_an_unknown_answer_code_is_unintelligible() -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.receipt(b'{"code":777,"data":null}')


@given(garbled(EVENT) | garbled(REPLIES[0]) | garbled(REPLIES[1]) | garbled(REPLIES[2]))
def test_nothing_but_department_errors_escapes(body: bytes) -> None:
    readers: list[Callable[[bytes], object]] = [wire.receipt, wire.records, wire.instructed, wire.event]
    for read in readers:
        with suppress(DepartmentError):
            read(body)
