"""人社/社保: callBusiness with XML in CDATA, against its running system."""

from __future__ import annotations

import urllib.error
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from adapters.kit.http import HttpChannel
from adapters.kit.registry import manifests
from adapters.social_security import codes, wire
from adapters.social_security.adapter import PATH
from gateway.domain.department import (
    Application,
    Department,
    DepartmentError,
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
from .conftest import Counter, Running
from .listening import listening

CLAIM = "pension-funeral-bereavement-claim"
ORDINARY = replace(DECEASED, name="俞阿毛", id_number="330502195811033180")
numbers = count(1)


def key() -> str:
    return f"HZ-20251107-SS{next(numbers)}.1"


@pytest.fixture
def running(department: Callable[[str], Running]) -> Running:
    return department("social-security")


@pytest.fixture
def counter(running: Running) -> Counter:
    return running.counter


@pytest.fixture
async def bureau(running: Running) -> AsyncIterator[Department]:
    adapter = running.adapter()
    yield adapter
    await adapter.close()


async def read(bureau: Department, sent: Application) -> Record:
    return (await bureau.read_many([sent.key]))[sent.key]


def order(sent: Application, payment: Payment, number: int = 1, fen: int | None = None) -> PaymentInstruction:
    return PaymentInstruction(
        key=f"{sent.key}.p{number}",
        application_key=sent.key,
        serial=payment.serial,
        kind=payment.kind,
        fen=payment.fen if fen is None else fen,
        account=ACCOUNT,
    )


async def approved(bureau: Department, counter: Counter) -> tuple[Application, Payment]:
    """A claim that is done, and its funeral grant."""
    sent = application(key(), CLAIM)
    await bureau.submit(sent)
    counter.act(sent.key, "finish")
    return sent, (await read(bureau, sent)).payments[0]


def test_the_manifest_and_the_table_name_the_same_items() -> None:
    assert set(manifests()["social-security"].submits) == set(codes.BUSINESS)


async def test_submit_gives_a_receipt_with_their_serial(bureau: Department, counter: Counter) -> None:
    sent = application(key(), CLAIM)
    receipt = await bureau.submit(sent)
    held = counter.call("GET", f"/applications/{sent.key}")
    assert (receipt.outcome, receipt.raw_code) == (Outcome.RECEIVED, "0")
    assert receipt.reference == held["reference"]
    assert held["item"] == "110301"
    assert {name: held["payload"][name] for name in ("aac002", "aac003", "aac006", "swrq", "aae144")} == {
        "aac002": "330502193910109559",
        "aac003": "沈福根",
        "aac006": "1939-10-10",
        "swrq": "2025-11-07",
        "aae144": "02",
    }
    assert [each["clbh"] for each in held["payload"]["cllist"]] == ["3305022025000117", "HZHH20251109003"]


@pytest.mark.rule("PD-16")
async def test_the_same_key_twice_is_one_application(bureau: Department, counter: Counter) -> None:
    sent = application(key(), CLAIM)
    assert (await bureau.submit(sent)).reference == (await bureau.submit(sent)).reference
    assert [each["key"] for each in counter.applications()].count(sent.key) == 1


@pytest.mark.rule("HZ-610", "HZ-611", "HZ-612", "HZ-613")
async def test_business_types_go_in_their_codes(bureau: Department, counter: Counter) -> None:
    sent = application(key(), CLAIM, business_types=tuple(codes.BUSINESS_TYPES))
    await bureau.submit(sent)
    payload = counter.call("GET", f"/applications/{sent.key}")["payload"]
    assert payload["ywlx"] == ["1101", "1102", "1501", "2101"]


async def test_an_unknown_business_type_is_rejected_before_any_call(bureau: Department, counter: Counter) -> None:
    with pytest.raises(DepartmentRejected):
        await bureau.submit(application(key(), CLAIM, business_types=("pension-claim.other",)))
    assert counter.calls() == {}


@pytest.mark.rule("HZ-609", "YY-602", "YY-609", "YN-608", "YN-609", "WS-603", "WS-604")
@pytest.mark.parametrize(
    "item, sums",
    [
        (CLAIM, {"FUNERAL_GRANT": 480000, "BEREAVEMENT_PAYMENT": 2880000}),
        (
            "pension-enterprise-funeral-bereavement-claim",
            {"FUNERAL_GRANT": 480000, "BEREAVEMENT_PAYMENT": 2880000},
        ),
        (
            "pension-enterprise-retired-death-claim",
            {"ACCOUNT_LUMP_SUM": 1635247, "FUNERAL_GRANT": 480000, "BEREAVEMENT_PAYMENT": 2880000},
        ),
        ("pension-resident-funeral-claim", {"FUNERAL_GRANT": 480000}),
        ("pension-resident-account-claim", {"ACCOUNT_LUMP_SUM": 1635247, "FUNERAL_GRANT": 480000}),
        ("pension-civil-account-lumpsum-claim", {"ACCOUNT_LUMP_SUM": 1635247}),
        ("pension-basic-account-lumpsum-claim", {"ACCOUNT_LUMP_SUM": 1635247}),
        ("survivor-benefit-claim", {"SURVIVOR_BENEFIT": 650000}),
        ("retirement-pension-stop", {}),
        ("pension-civil-inservice-participation-end", {}),
    ],
)
async def test_claims_approve_sums_and_stops_none(
    bureau: Department, counter: Counter, item: str, sums: dict[str, int]
) -> None:
    sent = application(key(), item, deceased=ORDINARY)
    await bureau.submit(sent)
    counter.act(sent.key, "accept")
    assert (await read(bureau, sent)).outcome is Outcome.ACCEPTED
    counter.act(sent.key, "finish")
    record = await read(bureau, sent)
    held = counter.call("GET", f"/applications/{sent.key}")
    assert (record.outcome, record.raw_code, record.certificates) == (Outcome.COMPLETED, "2", ())
    assert {each.kind: each.fen for each in record.payments} == sums
    assert {each.state for each in record.payments} <= {PaymentState.APPROVED}
    assert [each.serial for each in record.payments] == [each["serial"] for each in held["sums"]]
    assert abs(record.updated_at.timestamp() - held["updated_at"]) < 0.001


async def test_sums_come_from_their_own_register(bureau: Department, counter: Counter) -> None:
    sent = application(key(), "pension-enterprise-retired-death-claim")
    await bureau.submit(sent)
    counter.act(sent.key, "finish")
    payments = (await read(bureau, sent)).payments
    assert {each.kind: each.fen for each in payments} == {"FUNERAL_GRANT": 480000, "BEREAVEMENT_PAYMENT": 4320000}


@pytest.mark.rule("WZ-703")
async def test_instructed_net_of_a_deduction_and_paid(bureau: Department, counter: Counter) -> None:
    sent, grant = await approved(bureau, counter)
    receipt = await bureau.instruct(order(sent, grant, fen=grant.fen - 12345))
    assert (receipt.outcome, receipt.reference, receipt.raw_code) == (Outcome.ACCEPTED, grant.serial, "1")
    assert counter.call("GET", f"/applications/{sent.key}")["sums"][0]["account"] == {
        "zllsh": f"{sent.key}.p1",
        "wblsh": sent.key,
        "dyxh": grant.serial,
        "aaa036": "301",
        "sfje": "4676.55",
        "aae009": "沈丽娟",
        "aae010": "6228480000000000017",
        "aae008": "中国农业银行",
        "khwd": "湖州吴兴支行",
    }
    states = [each.state for each in (await read(bureau, sent)).payments]
    assert states == [PaymentState.INSTRUCTED, PaymentState.APPROVED]
    counter.act(sent.key, "pay")
    states = [each.state for each in (await read(bureau, sent)).payments]
    assert states == [PaymentState.PAID, PaymentState.APPROVED]


@pytest.mark.rule("PD-20")
async def test_nothing_is_paid_without_an_order(bureau: Department, counter: Counter) -> None:
    sent, _ = await approved(bureau, counter)
    with pytest.raises(urllib.error.HTTPError):
        counter.act(sent.key, "pay")


async def test_returned_by_the_bank_and_ordered_again(bureau: Department, counter: Counter) -> None:
    sent, grant = await approved(bureau, counter)
    await bureau.instruct(order(sent, grant))
    counter.act(sent.key, "return", reason="账户已销户", serial=grant.serial)
    payment = (await read(bureau, sent)).payments[0]
    assert (payment.state, payment.reason) == (PaymentState.RETURNED, "账户已销户")
    await bureau.instruct(order(sent, grant))
    assert (await read(bureau, sent)).payments[0].state is PaymentState.RETURNED, "a late duplicate orders nothing"
    await bureau.instruct(order(sent, grant, 2))
    assert (await read(bureau, sent)).payments[0].state is PaymentState.INSTRUCTED


async def test_the_same_order_twice_is_one_and_another_is_rejected(bureau: Department, counter: Counter) -> None:
    sent, grant = await approved(bureau, counter)
    assert await bureau.instruct(order(sent, grant)) == await bureau.instruct(order(sent, grant))
    with pytest.raises(DepartmentRejected, match="-302"):
        await bureau.instruct(order(sent, grant, 2))


@pytest.mark.parametrize(
    "change, code",
    [({"serial": "nonsense"}, "-301"), ({"kind": "BEREAVEMENT_PAYMENT"}, "-301"), ({"fen": 480001}, "-303")],
)
async def test_orders_that_do_not_fit_the_books(
    bureau: Department, counter: Counter, change: dict[str, object], code: str
) -> None:
    sent, grant = await approved(bureau, counter)
    with pytest.raises(DepartmentRejected, match=code):
        await bureau.instruct(replace(order(sent, grant), **change))  # type: ignore[arg-type]


async def test_refused_with_a_reason(bureau: Department, counter: Counter) -> None:
    sent = application(key(), CLAIM)
    await bureau.submit(sent)
    counter.act(sent.key, "refuse", reason="参保关系不在本统筹区")
    record = await read(bureau, sent)
    assert (record.outcome, record.raw_code, record.reason) == (Outcome.REFUSED, "4", "参保关系不在本统筹区")


async def test_correction_is_asked_for_and_answered(bureau: Department, counter: Counter) -> None:
    sent = application(key(), CLAIM)
    await bureau.submit(sent)
    counter.act(sent.key, "correct", reason="材料不全", missing=["亲属关系证明", "火化证明"])
    record = await read(bureau, sent)
    assert (record.outcome, record.reason) == (Outcome.CORRECTION, "材料不全")
    assert record.missing == ("亲属关系证明", "火化证明")
    receipt = await bureau.submit(replace(sent, correction=1, correction_answer="已补充"))
    assert (receipt.outcome, receipt.reference) == (Outcome.RECEIVED, record.reference)


async def test_a_person_without_participation_has_nothing_to_claim(bureau: Department, counter: Counter) -> None:
    sent = application(
        key(), CLAIM, deceased=replace(DECEASED, name="费阿珍", id_number="330522194906205249", sex="FEMALE")
    )
    await bureau.submit(sent)
    counter.act(sent.key, "accept")
    record = await read(bureau, sent)
    assert (record.outcome, record.raw_code, record.reason) == (Outcome.NOT_APPLICABLE, "5", "查无参保登记")


@pytest.mark.rule("PD-21")
async def test_without_an_id_number_they_reject_with_their_own_code(bureau: Department) -> None:
    with pytest.raises(DepartmentRejected, match="-202"):
        await bureau.submit(application(key(), CLAIM, deceased=replace(DECEASED, id_number=None)))


async def test_many_records_in_one_call(bureau: Department, counter: Counter) -> None:
    keys = [key() for _ in range(5)]
    for each in keys:
        await bureau.submit(application(each, CLAIM))
    records = await bureau.read_many([*keys, "HZ-unknown.9"])
    assert set(records) == set(keys)
    assert counter.calls()["query"] == 1


@pytest.mark.parametrize("keys, calls", [(0, 0), (500, 1), (501, 2)])
async def test_beyond_500_keys_the_question_is_split(
    bureau: Department, counter: Counter, keys: int, calls: int
) -> None:
    assert await bureau.read_many([f"HZ-{number}" for number in range(keys)]) == {}
    assert counter.calls().get("query", 0) == calls


@pytest.mark.rule("PD-16")
async def test_a_lost_answer_makes_no_second_application(bureau: Department, counter: Counter) -> None:
    sent = application(key(), CLAIM)
    counter.behave(drop=1)
    with pytest.raises(DepartmentUnavailable):
        await bureau.submit(sent)
    assert (await bureau.submit(sent)).outcome is Outcome.RECEIVED
    assert [each["key"] for each in counter.applications()].count(sent.key) == 1


async def test_a_lost_answer_to_an_order(bureau: Department, counter: Counter) -> None:
    sent, grant = await approved(bureau, counter)
    counter.behave(drop=1)
    with pytest.raises(DepartmentUnavailable):
        await bureau.instruct(order(sent, grant))
    assert (await bureau.instruct(order(sent, grant))).raw_code == "1"


@pytest.mark.parametrize(
    "habits, error", [({"fail": 3}, DepartmentUnavailable), ({"rubbish": 3}, DepartmentUnintelligible)]
)
async def test_system_error_and_rubbish(
    bureau: Department, counter: Counter, habits: dict[str, int], error: type[DepartmentError]
) -> None:
    counter.behave(**habits)
    with pytest.raises(error):
        await bureau.submit(application(key(), CLAIM))
    with pytest.raises(error):
        await bureau.read_many(["HZ-1"])
    with pytest.raises(error):
        await bureau.instruct(PaymentInstruction("HZ-1.p1", "HZ-1", "1", "FUNERAL_GRANT", 1, ACCOUNT))


async def test_slower_than_the_time_limit(running: Running) -> None:
    running.counter.behave(slow=2)
    adapter = running.adapter(timeout_s=0.2)
    with pytest.raises(DepartmentUnavailable):
        await adapter.submit(application(key(), CLAIM))
    await adapter.close()


async def test_foreign_items_and_kinds_are_rejected_before_any_call(bureau: Department, counter: Counter) -> None:
    with pytest.raises(DepartmentRejected):
        await bureau.submit(application(key(), "hukou-deregistration"))
    with pytest.raises(DepartmentRejected):
        await bureau.instruct(PaymentInstruction("HZ-1.p1", "HZ-1", "1", "DEPOSIT", 1, ACCOUNT))
    assert counter.calls() == {}


@pytest.mark.parametrize(
    "body", [b"hello", wire.application(application("k", CLAIM), "").replace(b">110301<", b">999999<")]
)
async def test_their_own_errors_mean_rejected(running: Running, body: bytes) -> None:
    channel = HttpChannel(running.address, 5)
    answer = await channel.post(PATH, body, wire.CONTENT_TYPE)
    with pytest.raises(DepartmentRejected):
        wire.receipt(answer)
    await channel.close()


async def test_notifications_are_translated(tmp_path: Path) -> None:
    async with listening("social-security", tmp_path) as bureau:
        sent = application(key(), CLAIM)
        await bureau.adapter.submit(sent)
        bureau.counter.behave(twice=True)
        bureau.counter.act(sent.key, "finish")
        done, again = await bureau.message(), await bureau.message()
        bureau.counter.behave(twice=False)
        assert done == again
        assert done.records == (await read(bureau.adapter, sent),)
        await bureau.adapter.instruct(order(sent, done.records[0].payments[0]))
        ordered = await bureau.message()
        bureau.counter.act(sent.key, "pay")
        paid = await bureau.message()
        assert len({done.serial, ordered.serial, paid.serial}) == 3
        assert [each.records[0].payments[0].state for each in (done, ordered, paid)] == [
            PaymentState.APPROVED,
            PaymentState.INSTRUCTED,
            PaymentState.PAID,
        ]
