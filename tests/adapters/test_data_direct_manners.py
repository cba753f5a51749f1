"""Data-direct hub: corrections, reversals, money, faults and messages of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.kit.registry import connect, manifests
from gateway.domain.department import (
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    Payment,
    PaymentState,
)

from .builders import DECEASED
from .halves import half_an_answer
from .hub import VERTICAL, YANG, Start, asked, finished, held, order, record_of
from .listening import listening

# ── reversal ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("known", [True, False])
async def test_a_reversal_is_an_application_of_its_own(department: Start, known: bool) -> None:
    running = department("data-direct")
    adapter, wanted = running.adapter(), asked("housing-fund-death-withdrawal", details={"applicant.capacity": "HEIR"})
    if known:
        await finished(running, adapter, wanted)
    undoing = replace(wanted, key=f"{wanted.key}.R", reverses=wanted.key, reversal_reason="误报死亡")
    record = await finished(running, adapter, undoing)
    assert (record.outcome, record.payments, record.certificates) == (Outcome.COMPLETED, (), ())
    sent = held(running, undoing)["payload"]
    assert (sent["bllx"], sent["yywlsh"], sent["cxyy"]) == ("2", wanted.key, "误报死亡")
    assert not {"zhxx", "bdx"} & set(sent)
    if known:
        assert held(running, wanted)["payload"]["revoked"] == undoing.key
    await adapter.close()


async def test_a_reversal_can_be_refused(department: Start) -> None:
    running = department("data-direct")
    adapter, wanted = running.adapter(), asked("survivor-benefit-claim")
    undoing = replace(wanted, key=f"{wanted.key}.R", reverses=wanted.key, reversal_reason="误报死亡")
    await adapter.submit(undoing)
    running.counter.act(undoing.key, "refuse", reason="款项已发放，须先退款")
    record = await record_of(adapter, undoing)
    assert (record.outcome, record.reason) == (Outcome.REFUSED, "款项已发放，须先退款")
    await adapter.close()


# ── money ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_sum_is_ordered_returned_ordered_again_and_paid(department: Start) -> None:
    running = department("data-direct")
    adapter, wanted = running.adapter(), asked("pension-basic-account-lumpsum-claim")
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


async def test_wrong_orders_are_rejected(department: Start) -> None:
    running = department("data-direct")
    adapter, wanted = running.adapter(), asked()
    [payment] = (await finished(running, adapter, wanted)).payments
    with pytest.raises(DepartmentRejected, match="2001"):
        await adapter.instruct(order(wanted, payment, serial="7"))
    with pytest.raises(DepartmentRejected, match="2002"):
        await adapter.instruct(order(wanted, payment, fen=payment.fen + 1))
    with pytest.raises(DepartmentRejected, match="FUNERAL_GRANT"):
        await adapter.instruct(order(wanted, payment, kind="FUNERAL_GRANT"))
    await adapter.close()


@pytest.mark.rule("YN-614", "YN-701")
async def test_the_bank_pays_the_heir_itself(department: Start) -> None:
    running = department("data-direct")
    adapter, wanted = running.adapter(), asked("bank-small-deposit-withdrawal")
    [payment] = (await finished(running, adapter, wanted)).payments
    with pytest.raises(DepartmentRejected, match="DEPOSIT"):
        await adapter.instruct(order(wanted, payment))
    running.counter.act(wanted.key, "pay")
    running.counter.act(wanted.key, "flow")
    [paid] = (await record_of(adapter, wanted)).payments
    assert paid.state is PaymentState.PAID
    await adapter.close()


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("credentials", [{"secret": "guessed"}, {}])
async def test_a_wrong_signature_is_rejected(department: Start, credentials: dict[str, str]) -> None:
    running = department("data-direct")
    adapter = connect(running.manifest, running.address, credentials)
    with pytest.raises(DepartmentRejected, match="1003"):
        await adapter.submit(asked())
    with pytest.raises(DepartmentRejected, match="1003"):
        await adapter.read_many(["YN-1"])
    assert running.counter.calls() == {}
    await adapter.close()


async def test_a_person_without_id_number_is_rejected_where_no_certificate_is_asked_for(department: Start) -> None:
    adapter = department("data-direct").adapter()
    unknown = DECEASED.__class__(None, "UNKNOWN", None, "UNKNOWN")
    with pytest.raises(DepartmentRejected, match="1008"):
        await adapter.submit(asked(deceased=unknown))
    assert (await adapter.submit(asked("death-cert-abnormal", deceased=unknown))).outcome is Outcome.RECEIVED
    await adapter.close()


async def test_more_than_500_keys_are_two_calls(department: Start) -> None:
    running = department("data-direct")
    adapter = running.adapter()
    assert await adapter.read_many([f"YN-{number}" for number in range(501)]) == {}
    assert running.counter.calls() == {"query": 2}
    await adapter.close()


@pytest.mark.parametrize("honest", [True, False])
async def test_half_an_answer_is_no_answer(honest: bool) -> None:
    body = json.dumps({"header": {"code": "0000"}, "data": "{}" * 50}).encode()
    async with half_an_answer(body, honest=honest) as address:
        adapter = connect(manifests()["data-direct"], address, {"secret": "demo"})
        with pytest.raises(DepartmentUnavailable if honest else DepartmentUnintelligible) as caught:
            await adapter.submit(asked())
        assert str(YANG.id_number) not in str(caught.value)
        await adapter.close()


# ── messages ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-1005", "PD-06")
async def test_what_flows_back_is_sent_and_repeated_under_one_serial(tmp_path: Path) -> None:
    async with listening("data-direct", tmp_path, secret="demo") as running:
        wanted = asked(VERTICAL)
        await running.adapter.submit(wanted)
        running.counter.behave(twice=True)
        running.counter.act(wanted.key, "hold")
        running.counter.act(wanted.key, "finish")
        assert running.inbox.empty(), "nothing is told before it flows back"
        running.counter.act(wanted.key, "flow")
        first, second = await running.message(), await running.message()
        assert first == second
        assert first.records[0].outcome is Outcome.COMPLETED
        assert await running.adapter.read_many([wanted.key]) == {wanted.key: first.records[0]}


async def test_a_direct_answer_is_sent_at_once(tmp_path: Path) -> None:
    async with listening("data-direct", tmp_path, secret="demo") as running:
        wanted = asked()
        await running.adapter.submit(wanted)
        running.counter.act(wanted.key, "finish")
        told = await running.message()
        assert told.records == (await record_of(running.adapter, wanted),)
