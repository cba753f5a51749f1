"""What every adapter must do with what a department does wrong, or does twice: docs/outcomes.md, outward.

Run over each folder of ``adapters`` that has a manifest, as ``test_contract.py``.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from adapters.kit.http import MAX_ANSWER_BYTES, HttpChannel
from adapters.kit.json import loads
from adapters.kit.registry import FOLDER
from gateway.domain.department import (
    Account,
    Department,
    DepartmentError,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Payment,
    PaymentInstruction,
    PaymentState,
)
from tests.adapters.conftest import Running
from tests.adapters.halves import half_an_answer
from tests.adapters.test_contract import MANIFESTS, NOT_ON_THE_WIRE, check_discreet, count, known, made, misbehaving
from tests.adapters.test_contract_changes import finish, held, reversal, short_key
from tests.adapters.waiting import eventually

BROKEN = (DepartmentUnavailable, DepartmentUnintelligible)
REASON = "户口簿不清晰，请补传"
NOT_UTF8 = {"disabled-persons-federation", "housing-fund", "public-security", "resettlement"}
"""Their wire is GBK: most UTF-8 is GBK as well, so only the words can be wrong, never a code."""
TAKES_ORDERS = sorted(code for code, manifest in MANIFESTS.items() if manifest.takes_instructions)

on_every_wire = pytest.mark.parametrize("code", sorted(set(MANIFESTS) - set(NOT_ON_THE_WIRE)))
every_department = pytest.mark.parametrize("code", sorted(MANIFESTS))
every_payer = pytest.mark.parametrize("code", TAKES_ORDERS)


@pytest.fixture
def office(department: Callable[[str], Running], code: str) -> Running:
    return department(code)


@pytest.fixture
async def adapter(office: Running) -> AsyncIterator[Department]:
    made = office.adapter()
    yield made
    await made.close()


# ── what is pushed ──────────────────────────────────────────────────────────────────────────────────────


@on_every_wire
async def test_half_an_answer_is_no_answer_and_doubles_nothing(code: str, office: Running, adapter: Department) -> None:
    await adapter.read_many([short_key()])  # whoever needs a login has one
    async with misbehaving(office, adapter, half=-1) as key:
        with pytest.raises(BROKEN) as caught:
            await adapter.submit(made(code, key))
        check_discreet(caught.value)
        with pytest.raises(BROKEN):
            await adapter.read_many([key])
    await known(adapter, key)
    await adapter.submit(made(code, key))
    assert count(office, key) == 1


@on_every_wire
async def test_an_answer_after_the_time_limit_is_found_by_asking(
    code: str, office: Running, adapter: Department
) -> None:
    hasty = office.adapter(timeout_s=0.3)
    await hasty.read_many([short_key()])
    async with misbehaving(office, adapter, late=1.0) as key:
        with pytest.raises(DepartmentUnavailable):
            await hasty.submit(made(code, key))
    await hasty.close()
    await known(adapter, key)
    assert count(office, key) == 1


@on_every_wire
async def test_another_encoding_than_declared_is_never_taken_for_words(
    code: str, office: Running, adapter: Department
) -> None:
    key = short_key()
    await adapter.submit(made(code, key))
    await known(adapter, key)
    if (row := _row(office, key))["state"] != "registered":
        pytest.skip(f"is {row['state']} at once, without words")
    office.counter.act(key, "correct", reason=REASON)
    right = (await _record(adapter, key, REASON)).outcome
    async with misbehaving(office, adapter, garble=-1):
        try:
            found = (await adapter.read_many([key]))[key]
        except DepartmentUnintelligible as error:
            check_discreet(error)
            return
    assert found.outcome is right
    assert code in NOT_UTF8 or found.reason == REASON, "its answers are ASCII: nothing to misread"


@every_department
async def test_a_lost_answer_to_a_reversal_is_found_by_asking(code: str, office: Running, adapter: Department) -> None:
    undo = reversal(code, short_key())
    office.counter.behave(drop=1)
    try:
        await adapter.submit(undo)
    except DepartmentUnavailable as error:
        check_discreet(error)
    office.counter.behave(drop=0)
    await known(adapter, undo.key)
    await adapter.submit(undo)
    assert count(office, undo.key) == 1


@every_department
async def test_records_nobody_asked_for_are_passed_over(code: str, office: Running, adapter: Department) -> None:
    asked, other = short_key(), short_key()
    for key in (asked, other):
        await adapter.submit(made(code, key))
    await held(adapter, [asked, other])
    office.counter.behave(stray=True)
    try:
        found = await adapter.read_many([asked])
    except DepartmentUnintelligible:
        return
    finally:
        office.counter.behave(stray=False)
    assert set(found) == {asked}


# ── orders of accounts ──────────────────────────────────────────────────────────────────────────────────


async def _approved(code: str, office: Running, adapter: Department) -> tuple[str, Payment]:
    """An application of the department with a sum it approved."""
    firsts = {short_key(): item for item in MANIFESTS[code].submits}
    for key, item in firsts.items():
        await adapter.submit(made(code, key, item=item))
    await held(adapter, firsts)
    finish(office.counter, firsts)

    async def probe() -> tuple[str, Payment] | None:
        records = await adapter.read_many(list(firsts))
        sums = ((key, payment) for key, record in records.items() for payment in record.payments if payment.fen > 0)
        return next(((k, p) for k, p in sums if p.state is PaymentState.APPROVED and p.kind != "DEPOSIT"), None)

    return await eventually(probe)


async def _ordered(office: Running, adapter: Department, key: str, serial: str, state: PaymentState) -> None:
    async def probe() -> bool:
        record = (await adapter.read_many([key]))[key]
        return any(payment.serial == serial and payment.state is state for payment in record.payments)

    await eventually(probe)


@every_payer
@pytest.mark.parametrize("habit", ["drop", "half"])
async def test_an_order_whose_answer_was_lost_is_told_again_and_is_one(
    code: str, office: Running, adapter: Department, habit: str
) -> None:
    key, payment = await _approved(code, office, adapter)
    order = _order(key, payment, "1")
    office.counter.behave(**{habit: 1})
    with contextlib.suppress(*BROKEN):  # a PUT is told again by the transport itself
        await adapter.instruct(order)
    await adapter.instruct(order)
    await _ordered(office, adapter, key, payment.serial, PaymentState.INSTRUCTED)
    (row,) = [each for each in _row(office, key)["sums"] if each["serial"] == payment.serial]
    assert order.key in json.dumps(row["account"]), "the order's own key is on the wire"


@every_payer
async def test_an_old_order_told_again_does_not_move_money_that_came_back(
    code: str, office: Running, adapter: Department
) -> None:
    key, payment = await _approved(code, office, adapter)
    order = _order(key, payment, "1")
    await adapter.instruct(order)
    await _ordered(office, adapter, key, payment.serial, PaymentState.INSTRUCTED)
    office.counter.act(key, "return", serial=payment.serial)
    await _ordered(office, adapter, key, payment.serial, PaymentState.RETURNED)
    await adapter.instruct(order)
    await adapter.submit(made(code, late := short_key()))
    await known(adapter, late)  # whatever works in batches has worked
    await _ordered(office, adapter, key, payment.serial, PaymentState.RETURNED)
    await adapter.instruct(_order(key, payment, "2"))
    await _ordered(office, adapter, key, payment.serial, PaymentState.INSTRUCTED)


# ── what no stand-in does ───────────────────────────────────────────────────────────────────────────────


async def test_a_huge_answer_is_not_read_to_its_end() -> None:
    async with half_an_answer(b" " * (2 * MAX_ANSWER_BYTES + 4), honest=False) as url:
        channel = HttpChannel(url, 10)
        with pytest.raises(DepartmentUnintelligible):
            await channel.post("/", b"", "text/plain")
        await channel.close()


def test_half_a_character_is_no_text() -> None:
    assert loads(b'{"a": "\\ud83d\\ude4f"}') == {"a": "🙏"}
    for broken in (b'{"a": "\\ud83d"}', '{"\\uDE4F": 1}', b'[["\\ud83d"]]'):
        with pytest.raises(ValueError):
            loads(broken)
    own = [path for path in FOLDER.glob("*/*.py") if "json.loads(" in path.read_text(encoding="utf-8")]
    assert [path.relative_to(FOLDER).as_posix() for path in own] == ["kit/json.py"], "every adapter reads it so"


def _order(key: str, payment: Payment, turn: str) -> PaymentInstruction:
    account = Account("沈丽娟", f"622848000000000001{turn}", "中国农业银行", "湖州吴兴支行")
    return PaymentInstruction(f"{key}.{turn}", key, payment.serial, payment.kind, payment.fen, account)


def _row(office: Running, key: str) -> dict[str, Any]:
    (row,) = [row for row in office.counter.applications() if row["key"] == key]
    return row


async def _record(adapter: Department, key: str, reason: str) -> Any:
    async def probe() -> Any:
        try:
            record = (await adapter.read_many([key])).get(key)
        except DepartmentError:
            return None
        return record if record is not None and record.reason == reason else None

    return await eventually(probe)
