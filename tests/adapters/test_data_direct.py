"""Data-direct hub: the adapter against the running hub: departments, fields, results."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest

from adapters.data_direct import codes
from adapters.kit.registry import manifests
from gateway.domain.department import (
    DepartmentRejected,
    Outcome,
    PaymentState,
)

from .builders import ACCOUNT, APPLICANT, CHINA, DEATH
from .hub import DIRECT, MONEY, NOWHERE, OVERDRAWN, VERTICAL, YANG, Start, asked, finished, held, order, record_of

NODES = {
    "civil-affairs": "民政",
    "public-security": "公安",
    "judicial": "司法",
    "social-security": "人社",
    "housing-fund": "住房公积金",
    "health": "卫生健康",
    "market-regulation": "市场监管",
    "medical-insurance": "医保",
    "financial-regulation": "金融监管（银行）",
    "bank": "金融监管（银行）",
}


# ── one hub, nine departments ───────────────────────────────────────────────────────────────────────────────


def test_the_manifest_declares_every_item_of_the_table() -> None:
    assert set(manifests()["data-direct"].submits) == set(codes.RESOURCES)


@pytest.mark.rule("YN-1003", "YN-1004")
async def test_every_item_reaches_its_department_through_the_one_hub(department: Start) -> None:
    running = department("data-direct")
    adapter = running.adapter()
    reached = set()
    for item, resource in codes.RESOURCES.items():
        wanted = asked(item)
        await adapter.submit(wanted)
        office = held(running, wanted)["business"].partition("·")[0]
        assert codes.NODES[next(code for code, name in NODES.items() if name == office)] == resource.node
        reached.add(office)
    assert reached == set(NODES.values())
    await adapter.close()


@pytest.mark.rule("YN-1003")
@pytest.mark.parametrize(
    ("item", "department_code"),
    [("cremation-cert", "civil-affairs"), ("bank-small-deposit-withdrawal", "bank"), (DIRECT, "medical-insurance")],
)
async def test_the_department_of_the_application_is_the_node(
    department: Start, item: str, department_code: str
) -> None:
    adapter = department("data-direct").adapter()
    assert (await adapter.submit(asked(item, department=department_code))).outcome is Outcome.RECEIVED
    await adapter.close()


async def test_a_department_that_does_not_publish_the_resource_is_rejected_by_the_hub(department: Start) -> None:
    adapter = department("data-direct").adapter()
    with pytest.raises(DepartmentRejected, match="1006"):
        await adapter.submit(asked(DIRECT, department="civil-affairs"))
    await adapter.close()


async def test_what_the_hub_has_no_place_for_is_rejected_before_any_call(department: Start) -> None:
    running = department("data-direct")
    adapter = running.adapter()
    for wanted in (
        asked(department="resettlement"),
        asked("eco-burial-reward"),
        asked(business_types=("pension-claim.retiree",)),
    ):
        with pytest.raises(DepartmentRejected):
            await adapter.submit(wanted)
    assert running.counter.calls() == {}
    await adapter.close()


# ── only that item's fields ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-302")
@pytest.mark.parametrize("item", sorted(codes.RESOURCES))
async def test_an_application_carries_the_sections_of_its_resource_and_no_others(department: Start, item: str) -> None:
    running = department("data-direct")
    adapter = running.adapter()
    wanted = asked(item, details={"applicant.capacity": "HEIR"})
    await adapter.submit(wanted)
    sent = held(running, wanted)["payload"]
    assert set(sent) - set(codes.RESOURCES[item].sections) == {
        *("ywlsh", "bllx", "bjbh", "sxmc", "xzqh", "tssj", "blsx", "bgcs", "szxx", "zzxx", "bdx")
    }
    assert sent["bdx"] == [{"bs": "applicant.capacity", "z": "HEIR"}]
    whole = json.dumps(sent, ensure_ascii=False)
    assert (ACCOUNT.number in whole) == (item in MONEY and item != "bank-small-deposit-withdrawal")
    assert (str(YANG.hukou_address) in whole) == ("hjxx" in sent)
    assert (str(DEATH.cause) in whole) == item.startswith("death-cert")
    assert (str(APPLICANT.phone) in whole) == ("sqrxx" in sent)
    await adapter.close()


async def test_the_hub_takes_nothing_a_resource_does_not_publish(
    department: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = department("data-direct").adapter()
    resource = codes.RESOURCES[VERTICAL]
    monkeypatch.setitem(codes.RESOURCES, VERTICAL, replace(resource, sections=(codes.ACCOUNT,)))
    with pytest.raises(DepartmentRejected, match="1007"):
        await adapter.submit(asked(VERTICAL))
    await adapter.close()


# ── results ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-601", "YN-602", "YN-603")
@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ("death-cert-normal", "DEATH_MEDICAL"),
        ("death-cert-abnormal", "DEATH_ABNORMAL"),
        ("cremation-cert", "CREMATION"),
    ],
)
async def test_a_certificate_comes_with_the_result(department: Start, item: str, kind: str) -> None:
    running = department("data-direct")
    adapter = running.adapter()
    record = await finished(running, adapter, asked(item))
    assert record.outcome is Outcome.COMPLETED
    [certificate] = record.certificates
    assert (certificate.type, bool(certificate.number), bool(certificate.issuer)) == (kind, True, True)
    await adapter.close()


@pytest.mark.rule("YN-606", "YN-611", "YN-702")
async def test_enquiries_answer_information_and_never_money(department: Start) -> None:
    running = department("data-direct")
    adapter = running.adapter()
    will = await finished(running, adapter, asked("will-notarisation-check"))
    equity = await finished(running, adapter, asked("equity-registration-enquiry"))
    assert will.details == {"answer": "有公证遗嘱"}
    companies = "玉溪红塔花卉有限公司（出资比例30%）；昆明滇池茶业有限公司（出资比例12.5%）"
    assert equity.details == {"companies": companies}
    assert (will.payments, equity.payments) == ((), ())
    nobody = await finished(running, adapter, asked("equity-registration-enquiry", deceased=NOWHERE))
    assert nobody.details == {"companies": "未查询到股权登记信息"}
    await adapter.close()


async def test_a_clerk_can_answer_an_enquiry_in_words_of_their_own(department: Start) -> None:
    running = department("data-direct")
    adapter = running.adapter()
    will = asked("will-notarisation-check")
    answered = await finished(running, adapter, will, details={"yzgz": "2011年立有公证遗嘱一份"})
    assert answered.details["answer"] == "2011年立有公证遗嘱一份"
    equity = asked("equity-registration-enquiry")
    answered = await finished(running, adapter, equity, details={"gqdj": "甲公司 51；乙合作社"})
    assert answered.details["companies"] == "甲公司（出资比例51%）；乙合作社"
    await adapter.close()


@pytest.mark.rule("YN-608", "YN-609", "YN-610", "YN-613", "YN-614")
@pytest.mark.parametrize(("item", "kind"), sorted(MONEY.items()))
async def test_a_claim_approves_its_sum(department: Start, item: str, kind: str) -> None:
    running = department("data-direct")
    adapter = running.adapter()
    [payment] = (await finished(running, adapter, asked(item))).payments
    expected = PaymentState.INSTRUCTED if kind == "DEPOSIT" else PaymentState.APPROVED
    assert (payment.kind, payment.state, payment.fen > 0) == (kind, expected, True)
    await adapter.close()


@pytest.mark.rule("YN-607", "YN-612")
@pytest.mark.parametrize("item", ["pension-participation-end", "medical-insurance-participation-end"])
async def test_a_participation_ends_in_the_month_after_the_death(department: Start, item: str) -> None:
    running = department("data-direct")
    adapter = running.adapter()
    assert (await finished(running, adapter, asked(item))).details == {"effectiveMonth": "2025-12"}
    late = replace(DEATH, occurred_at=datetime(2025, 12, 31, 23, 59, tzinfo=CHINA))
    assert (await finished(running, adapter, asked(item, death=late))).details == {"effectiveMonth": "2026-01"}
    await adapter.close()


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("driving-licence-cancellation", "未查询到机动车驾驶证"),
        ("pension-participation-end", "未查询到参保信息"),
        ("survivor-benefit-claim", "未查询到可领取的款项"),
        ("bank-small-deposit-withdrawal", "未查询到可领取的款项"),
    ],
)
async def test_nothing_is_due_where_the_register_says_so(department: Start, item: str, reason: str) -> None:
    running = department("data-direct")
    adapter = running.adapter()
    record = await finished(running, adapter, asked(item, deceased=NOWHERE))
    assert (record.outcome, record.reason, record.payments) == (Outcome.NOT_APPLICABLE, reason, ())
    await adapter.close()


async def test_a_negative_settlement_is_approved_and_never_ordered(department: Start) -> None:
    running = department("data-direct")
    adapter, wanted = running.adapter(), asked(deceased=OVERDRAWN)
    [payment] = (await finished(running, adapter, wanted)).payments
    assert (payment.fen, payment.state) == (-31250, PaymentState.APPROVED)
    with pytest.raises(DepartmentRejected, match="2002"):
        await adapter.instruct(order(wanted, payment, fen=0))
    await adapter.close()


@pytest.mark.rule("YN-1005", "YN-823")
async def test_the_result_of_a_vertically_managed_system_comes_by_back_flow(department: Start) -> None:
    running = department("data-direct")
    adapter, wanted = running.adapter(), asked(VERTICAL)
    receipt = await adapter.submit(wanted)
    assert (receipt.outcome, receipt.raw_code, receipt.reference) == (Outcome.RECEIVED, "00", None)
    running.counter.act(wanted.key, "hold")
    running.counter.act(wanted.key, "accept")
    running.counter.act(wanted.key, "finish")
    record = await record_of(adapter, wanted)
    assert (record.outcome, record.raw_message, record.reference) == (
        Outcome.RECEIVED,
        "已转发（数据回流）",
        None,
    )
    running.counter.act(wanted.key, "flow")
    record = await record_of(adapter, wanted)
    assert (record.outcome, record.raw_message) == (Outcome.COMPLETED, "已办结（数据回流）")
    assert record.reference
    await adapter.close()


async def test_refusals_and_corrections_come_with_their_reasons(department: Start) -> None:
    running = department("data-direct")
    adapter, refused, returned = running.adapter(), asked(), asked("housing-fund-death-withdrawal")
    await adapter.submit(refused)
    await adapter.submit(returned)
    running.counter.act(refused.key, "refuse", reason="账户已冻结")
    running.counter.act(returned.key, "correct", reason="关系不明", missing=["关系证明", "户口簿"])
    found = await adapter.read_many([refused.key, returned.key])
    assert (found[refused.key].outcome, found[refused.key].reason) == (Outcome.REFUSED, "账户已冻结")
    assert (found[returned.key].outcome, found[returned.key].reason) == (Outcome.CORRECTION, "关系不明")
    assert found[returned.key].missing == ("关系证明", "户口簿")
    again = await adapter.submit(replace(returned, correction=1, correction_answer="已补"))
    assert again.outcome is Outcome.RECEIVED
    assert held(running, returned)["payload"]["bgsm"] == "已补"
    await adapter.close()


@pytest.mark.parametrize("item", [DIRECT, VERTICAL])
async def test_a_higher_correction_replaces_the_content_and_a_lower_one_does_not(department: Start, item: str) -> None:
    running = department("data-direct")
    adapter, wanted = running.adapter(), asked(item)
    await adapter.submit(wanted)
    for turn, name in ((2, "杨桂芬"), (1, "杨桂芳")):
        await adapter.submit(replace(wanted, correction=turn, deceased=replace(YANG, name=name)))
        assert held(running, wanted)["payload"]["szxx"]["xm"] == "杨桂芬"
    assert (await record_of(adapter, wanted)).outcome is Outcome.RECEIVED
    await adapter.close()
