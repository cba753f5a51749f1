"""Medical insurance: the adapter against the running platform."""

from __future__ import annotations

import urllib.error
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.kit.registry import connect
from adapters.medical_insurance import codes
from gateway.domain.department import (
    Application,
    Deceased,
    Department,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    Payment,
    PaymentInstruction,
    PaymentState,
    Record,
)

from .builders import ACCOUNT, DECEASED, application
from .conftest import Running
from .listening import listening

Start = Callable[[str], Running]

OVERDRAWN = replace(DECEASED, name="顾水林", id_number="330502194503081717")
EMPTY_ACCOUNT = replace(DECEASED, name="姚金林", id_number="330502193809211516")
RESIDENT = replace(DECEASED, name="严巧珍", id_number="330502195206171825", sex="FEMALE")
NOT_INSURED = replace(DECEASED, name="施阿妹", id_number="330521194701120026", sex="FEMALE")
NEVER_HEARD_OF = replace(DECEASED, name="测试人", id_number="330502194302141664", sex="FEMALE")


def asked(item: str = "medical-account-settlement", **changes: Any) -> Application:
    """A new application with a key no other test has."""
    return application(key=f"HZ-{uuid4().hex}", item=item, **changes)


def order(wanted: Application, payment: Payment, **changes: Any) -> PaymentInstruction:
    made = PaymentInstruction(f"{wanted.key}-pay", wanted.key, payment.serial, payment.kind, payment.fen, ACCOUNT)
    return replace(made, **changes)


async def record_of(adapter: Department, wanted: Application) -> Record:
    return (await adapter.read_many([wanted.key]))[wanted.key]


async def finished(running: Running, adapter: Department, wanted: Application) -> Record:
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "finish")
    return await record_of(adapter, wanted)


@pytest.mark.rule("PD-16")
async def test_the_same_key_makes_one_application(department: Start) -> None:
    running = department("medical-insurance")
    adapter, wanted = running.adapter(), asked(account=ACCOUNT)
    first = await adapter.submit(wanted)
    assert (first.outcome, first.raw_code, first.raw_message) == (Outcome.RECEIVED, "0", "登记")
    assert await adapter.submit(wanted) == first
    assert [a["key"] for a in running.counter.applications()].count(wanted.key) == 1
    await adapter.close()


@pytest.mark.rule("HZ-616", "WZ-604")
@pytest.mark.parametrize(("deceased", "fen"), [(DECEASED, 120345), (OVERDRAWN, -31250), (NEVER_HEARD_OF, 120345)])
async def test_an_account_is_settled_to_the_fen(department: Start, deceased: Deceased, fen: int) -> None:
    running = department("medical-insurance")
    adapter = running.adapter()
    record = await finished(running, adapter, asked(deceased=deceased))
    [payment] = record.payments
    assert (record.outcome, record.raw_code) == (Outcome.COMPLETED, "3")
    assert (payment.kind, payment.fen) == ("MEDICAL_ACCOUNT_BALANCE", fen)
    assert payment.state is PaymentState.APPROVED
    assert record.details == {"insuranceType": "EMPLOYEE"}
    await adapter.close()


async def test_an_empty_account_is_settled_without_a_sum(department: Start) -> None:
    running = department("medical-insurance")
    adapter = running.adapter()
    record = await finished(running, adapter, asked(deceased=EMPTY_ACCOUNT))
    assert (record.outcome, record.payments) == (Outcome.COMPLETED, ())
    await adapter.close()


@pytest.mark.rule("WZ-344")
async def test_a_negative_settlement_is_never_paid(department: Start) -> None:
    running = department("medical-insurance")
    adapter, wanted = running.adapter(), asked(deceased=OVERDRAWN)
    [payment] = (await finished(running, adapter, wanted)).payments
    for fen in (payment.fen, 0, 31250):
        with pytest.raises(DepartmentRejected, match="-8"):
            await adapter.instruct(order(wanted, payment, fen=fen))
    with pytest.raises(urllib.error.HTTPError):
        running.counter.act(wanted.key, "pay")
    assert (await record_of(adapter, wanted)).payments == (payment,)
    await adapter.close()


@pytest.mark.rule("HZ-616")
async def test_a_balance_is_instructed_returned_instructed_again_and_paid(department: Start) -> None:
    running = department("medical-insurance")
    adapter, wanted = running.adapter(), asked()
    [approved] = (await finished(running, adapter, wanted)).payments

    async def payment() -> Payment:
        [one] = (await record_of(adapter, wanted)).payments
        return one

    receipt = await adapter.instruct(order(wanted, approved))
    assert (receipt.outcome, receipt.reference) == (Outcome.RECEIVED, approved.serial)
    assert (await payment()).state is PaymentState.INSTRUCTED
    running.counter.act(wanted.key, "return", reason="账号不存在")
    returned = await payment()
    assert (returned.state, returned.reason) == (PaymentState.RETURNED, "账号不存在")
    await adapter.instruct(order(wanted, approved))
    assert (await payment()).state is PaymentState.RETURNED, "an order that comes late must not pay again"
    await adapter.instruct(order(wanted, approved, key=f"{wanted.key}-pay2"))
    running.counter.act(wanted.key, "pay")
    assert (await payment()).state is PaymentState.PAID
    await adapter.close()


async def test_wrong_instructions_are_rejected(department: Start) -> None:
    running = department("medical-insurance")
    adapter, wanted = running.adapter(), asked()
    [payment] = (await finished(running, adapter, wanted)).payments
    with pytest.raises(DepartmentRejected, match="-7"):
        await adapter.instruct(order(wanted, payment, serial="7"))
    with pytest.raises(DepartmentRejected, match="-8"):
        await adapter.instruct(order(wanted, payment, fen=payment.fen + 1))
    with pytest.raises(DepartmentRejected, match="FUNERAL_GRANT"):
        await adapter.instruct(order(wanted, payment, kind="FUNERAL_GRANT"))
    assert running.counter.calls()["instruct"] == 2
    await adapter.close()


@pytest.mark.rule("WZ-610")
async def test_open_bills_are_reimbursed(department: Start) -> None:
    running = department("medical-insurance")
    adapter = running.adapter()
    [payment] = (await finished(running, adapter, asked("medical-reimbursement"))).payments
    assert (payment.kind, payment.fen) == ("MEDICAL_REIMBURSEMENT", 86012)
    await adapter.close()


@pytest.mark.rule("HZ-614", "HZ-615", "YN-612", "YY-611", "YY-612", "YY-613", "YY-622")
@pytest.mark.parametrize("item", sorted(set(codes.BUSINESS) - {"medical-account-settlement", "medical-reimbursement"}))
async def test_a_benefit_ends_in_the_month_after_the_death(department: Start, item: str) -> None:
    running = department("medical-insurance")
    adapter = running.adapter()
    record = await finished(running, adapter, asked(item))
    assert (record.outcome, record.payments) == (Outcome.COMPLETED, ())
    assert record.details == {"insuranceType": "EMPLOYEE", "effectiveMonth": "2025-12"}
    await adapter.close()


async def test_a_death_in_december_ends_the_benefit_in_january(department: Start) -> None:
    running = department("medical-insurance")
    adapter = running.adapter()
    wanted = asked("medical-benefit-stop")
    last_hour = datetime(2025, 12, 31, 15, 59, tzinfo=UTC)
    wanted = replace(wanted, death=replace(wanted.death, occurred_at=last_hour))
    assert (await finished(running, adapter, wanted)).details["effectiveMonth"] == "2026-01"
    await adapter.close()


@pytest.mark.parametrize(
    ("item", "deceased", "reason"),
    [
        ("medical-benefit-stop", NOT_INSURED, "未查询到参保信息"),
        ("medical-account-settlement", RESIDENT, "无职工医保个人账户"),
        ("medical-reimbursement", RESIDENT, "无未报销医疗费用"),
        ("special-disease-outpatient-stop", RESIDENT, "未享受特殊病种门诊待遇"),
        ("special-drug-stop", OVERDRAWN, "未享受特殊药品待遇"),
    ],
)
async def test_nothing_is_due_where_its_register_says_so(
    department: Start, item: str, deceased: Deceased, reason: str
) -> None:
    running = department("medical-insurance")
    adapter = running.adapter()
    record = await finished(running, adapter, asked(item, deceased=deceased))
    assert (record.outcome, record.reason, record.payments) == (Outcome.NOT_APPLICABLE, reason, ())
    await adapter.close()


async def test_refusals_and_corrections_come_with_their_reasons(department: Start) -> None:
    running = department("medical-insurance")
    adapter, refused, returned = running.adapter(), asked(), asked("medical-reimbursement")
    await adapter.submit(refused)
    await adapter.submit(returned)
    running.counter.act(refused.key, "refuse", reason="账户已冻结")
    running.counter.act(returned.key, "correct", reason="票据不全", missing=["住院发票", "费用清单"])
    found = await adapter.read_many([refused.key, returned.key])
    assert running.counter.calls()["query"] == 1
    assert (found[refused.key].outcome, found[refused.key].reason) == (Outcome.REFUSED, "账户已冻结")
    assert (found[returned.key].outcome, found[returned.key].reason) == (Outcome.CORRECTION, "票据不全")
    assert found[returned.key].missing == ("住院发票", "费用清单")
    again = await adapter.submit(replace(returned, correction=1, correction_answer="已补"))
    assert again.outcome is Outcome.RECEIVED
    await adapter.close()


async def test_more_than_500_keys_are_two_calls(department: Start) -> None:
    running = department("medical-insurance")
    adapter = running.adapter()
    assert await adapter.read_many([f"HZ-{number}" for number in range(501)]) == {}
    assert running.counter.calls() == {"query": 2}
    await adapter.close()


async def test_a_wrong_signature_is_rejected(department: Start) -> None:
    running = department("medical-insurance")
    adapter = connect(running.manifest, running.address, {"secret": "guessed"})
    with pytest.raises(DepartmentRejected, match="-5"):
        await adapter.submit(asked())
    with pytest.raises(DepartmentRejected, match="-5"):
        await adapter.read_many(["HZ-1"])
    assert running.counter.calls() == {}
    await adapter.close()


async def test_without_a_secret_nothing_is_signed(department: Start) -> None:
    running = department("medical-insurance")
    adapter = connect(running.manifest, running.address, {})
    assert (await adapter.submit(asked())).outcome is Outcome.RECEIVED
    await adapter.close()


async def test_a_person_without_id_number_is_rejected_by_the_platform(department: Start) -> None:
    adapter = department("medical-insurance").adapter()
    with pytest.raises(DepartmentRejected, match="-3"):
        await adapter.submit(asked(deceased=replace(DECEASED, id_number=None)))
    await adapter.close()


async def test_an_unknown_business_code_is_rejected_by_the_platform(
    department: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = department("medical-insurance").adapter()
    monkeypatch.setitem(codes.BUSINESS, "medical-account-settlement", "QS77")
    with pytest.raises(DepartmentRejected, match="-2"):
        await adapter.submit(asked())
    await adapter.close()


async def test_its_system_error_is_unavailable(department: Start) -> None:
    running = department("medical-insurance")
    adapter = running.adapter()
    running.counter.behave(fail=2)
    with pytest.raises(DepartmentUnavailable, match="-1"):
        await adapter.submit(asked())
    with pytest.raises(DepartmentUnavailable, match="-1"):
        await adapter.read_many(["HZ-1"])
    await adapter.close()


@pytest.mark.rule("PD-16")
async def test_a_lost_answer_and_the_same_key_again_make_one_application(department: Start) -> None:
    running = department("medical-insurance")
    adapter, wanted = running.adapter(), asked()
    running.counter.behave(drop=1)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(wanted)
    assert (await adapter.submit(wanted)).outcome is Outcome.RECEIVED
    assert [a["key"] for a in running.counter.applications()].count(wanted.key) == 1
    await adapter.close()


async def test_no_answer_within_the_limit_is_unavailable(department: Start) -> None:
    running = department("medical-insurance")
    adapter = running.adapter(timeout_s=0.2)
    running.counter.behave(slow=1)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(asked())
    await adapter.close()


async def test_rubbish_is_unintelligible(department: Start) -> None:
    running = department("medical-insurance")
    adapter = running.adapter()
    running.counter.behave(rubbish=2)
    with pytest.raises(DepartmentUnintelligible):
        await adapter.submit(asked())
    with pytest.raises(DepartmentUnintelligible):
        await adapter.read_many(["HZ-1"])
    await adapter.close()


@pytest.mark.rule("HZ-845", "PD-06")
async def test_it_sends_its_results_and_repeats_them_under_one_serial(tmp_path: Path) -> None:
    async with listening("medical-insurance", tmp_path) as running:
        wanted = asked(deceased=OVERDRAWN)
        await running.adapter.submit(wanted)
        running.counter.behave(twice=True)
        running.counter.act(wanted.key, "finish")
        first, second = await running.message(), await running.message()
        assert first == second
        assert first.records[0].payments[0].fen == -31250
        assert await running.adapter.read_many([wanted.key]) == {wanted.key: first.records[0]}
