"""Provincial platform: the adapter against the running platform, and its messages byte by byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import pytest
from hypothesis import given

from adapters.kit.json import loaded
from adapters.kit.registry import connect, manifests
from adapters.provincial_platform import codes, wire
from gateway.domain.department import (
    Application,
    Department,
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
)

from .builders import ACCOUNT, APPLICANT, DECEASED, application
from .conftest import Running
from .garbled import garbled
from .halves import half_an_answer

Start = Callable[[str], Running]
CODING, RETURN = "case-coding", "case-result-return"
SUMMARY = "7项已办结：死亡人员户口注销、驾驶证注销……"
TERMINALS = ("web", "app", "wechat", "alipay")


def asked(item: str = CODING, case: str = "", **changes: Any) -> Application:
    return application(f"YN-{uuid4()}", item, case_number=case or f"YN{uuid4().int % 10**13}", area="530402", **changes)


def held(running: Running, wanted: Application) -> dict[str, Any]:
    [found] = [row for row in running.counter.applications() if row["key"] == wanted.key]
    return found


async def coded(adapter: Department, wanted: Application) -> str:
    """The code the platform gave this case."""
    await adapter.submit(wanted)
    return (await adapter.read_many([wanted.key]))[wanted.key].details["caseCode"]


# ── against the running platform ────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("YN-1001")
async def test_a_case_is_coded_at_once(department: Start) -> None:
    running = department("provincial-platform")
    adapter, wanted = running.adapter(), asked()
    receipt = await adapter.submit(wanted)
    assert (receipt.outcome, bool(receipt.reference)) == (Outcome.COMPLETED, True)
    record = (await adapter.read_many([wanted.key]))[wanted.key]
    assert (record.outcome, record.reference) == (Outcome.COMPLETED, receipt.reference)
    assert set(record.details) == {"caseCode"}
    await adapter.close()


@pytest.mark.rule("YN-1001")
async def test_a_case_has_one_code_and_two_cases_have_two(department: Start) -> None:
    adapter = department("provincial-platform").adapter()
    first = asked()
    code = await coded(adapter, first)
    assert await coded(adapter, asked(case=first.case_number)) == code
    assert await coded(adapter, asked()) != code
    await adapter.close()


@pytest.mark.rule("YN-1001", "YN-1002")
@pytest.mark.parametrize(
    ("code_name", "summary_name"), [("caseCode", "summary"), ("item.case-coding.caseCode", "case.summary")]
)
async def test_a_result_is_the_same_on_every_terminal(department: Start, code_name: str, summary_name: str) -> None:
    running = department("provincial-platform")
    adapter, coding = running.adapter(), asked()
    code = await coded(adapter, coding)
    result = asked(RETURN, coding.case_number, details={code_name: code, summary_name: SUMMARY})
    assert (await adapter.submit(result)).outcome is Outcome.COMPLETED
    shown = held(running, result)["payload"]["terminals"]
    assert tuple(shown) == TERMINALS
    assert set(shown.values()) == {f"{code} {SUMMARY}"}
    details = (await adapter.read_many([result.key]))[result.key].details
    assert details["terminals"] == "云南政务服务网、“一部手机办事通”APP、微信小程序、支付宝小程序"
    await adapter.close()


async def test_a_corrected_result_replaces_the_one_shown(department: Start) -> None:
    running = department("provincial-platform")
    adapter, coding = running.adapter(), asked()
    code = await coded(adapter, coding)
    result = asked(RETURN, coding.case_number, details={"caseCode": code, "summary": SUMMARY})
    await adapter.submit(result)
    await adapter.submit(replace(result, correction=1, details={"caseCode": code, "summary": "更正"}))
    await adapter.submit(result)
    assert set(held(running, result)["payload"]["terminals"].values()) == {f"{code} 更正"}
    await adapter.close()


@pytest.mark.parametrize("code", ["", "5304022025082000000000"])
async def test_a_result_without_the_cases_own_code_is_sent_back(department: Start, code: str) -> None:
    running = department("provincial-platform")
    adapter, coding = running.adapter(), asked()
    right = await coded(adapter, coding)
    result = asked(RETURN, coding.case_number, details={"caseCode": code, "summary": SUMMARY})
    assert (await adapter.submit(result)).outcome is Outcome.CORRECTION
    record = (await adapter.read_many([result.key]))[result.key]
    assert (bool(record.reason), record.missing) == (True, ("办件编码",))
    again = replace(result, correction=1, details={"caseCode": right, "summary": SUMMARY})
    assert (await adapter.submit(again)).outcome is Outcome.COMPLETED
    await adapter.close()


@pytest.mark.rule("YN-302")
async def test_nothing_of_the_deceased_is_sent(department: Start) -> None:
    running = department("provincial-platform")
    adapter, coding = running.adapter(), asked(account=ACCOUNT)
    result = asked(RETURN, coding.case_number, account=ACCOUNT, details={"caseCode": "1", "summary": SUMMARY})
    for wanted in (coding, result):
        await adapter.submit(wanted)
        sent = json.dumps(held(running, wanted)["payload"], ensure_ascii=False)
        assert not [value for value in (DECEASED.name, DECEASED.id_number, ACCOUNT.number) if str(value) in sent]
        assert (str(APPLICANT.id_number) in sent) == (wanted is coding)
    await adapter.close()


async def test_a_refusal_comes_with_its_reason(department: Start) -> None:
    running = department("provincial-platform")
    adapter, wanted = running.adapter(), asked()
    running.counter.behave(refuse="试点地区以外")
    assert (await adapter.submit(wanted)).outcome is Outcome.REFUSED
    running.counter.behave(refuse="")
    assert (await adapter.read_many([wanted.key]))[wanted.key].reason == "试点地区以外"
    await adapter.close()


@pytest.mark.parametrize("known", [True, False])
async def test_a_reversal_voids_the_code_and_clears_the_terminals(department: Start, known: bool) -> None:
    running = department("provincial-platform")
    adapter, coding = running.adapter(), asked()
    code = await coded(adapter, coding)
    result = asked(RETURN, coding.case_number, details={"caseCode": code, "summary": SUMMARY})
    if known:
        await adapter.submit(result)
    for wanted in (result, coding):
        undoing = replace(wanted, key=f"{wanted.key}.R", reverses=wanted.key, reversal_reason="误报死亡", details={})
        assert (await adapter.submit(undoing)).outcome is Outcome.COMPLETED
        assert (await adapter.read_many([undoing.key]))[undoing.key].details == {}
    if known:
        assert "terminals" not in held(running, result)["payload"]
    assert await coded(adapter, asked(case=coding.case_number)) != code
    await adapter.close()


@pytest.mark.parametrize("credentials", [{"secret": "guessed"}, {}])
async def test_a_wrong_signature_is_rejected(department: Start, credentials: dict[str, str]) -> None:
    running = department("provincial-platform")
    adapter = connect(running.manifest, running.address, credentials)
    with pytest.raises(DepartmentRejected, match="SIGN_INVALID"):
        await adapter.submit(asked())
    assert running.counter.calls() == {}
    await adapter.close()


async def test_an_application_it_does_not_know_is_rejected(department: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = department("provincial-platform").adapter()
    monkeypatch.setattr(codes, "APP_ID", "OTHER")
    with pytest.raises(DepartmentRejected, match="APP_UNKNOWN"):
        await adapter.submit(asked())
    await adapter.close()


async def test_more_than_500_keys_are_two_calls(department: Start) -> None:
    running = department("provincial-platform")
    adapter = running.adapter()
    assert await adapter.read_many([f"YN-{number}" for number in range(501)]) == {}
    assert running.counter.calls() == {"query": 2}
    await adapter.close()


@pytest.mark.parametrize("honest", [True, False])
async def test_half_an_answer_is_no_answer(honest: bool) -> None:
    async with half_an_answer(ANSWER, honest=honest) as address:
        adapter = connect(manifests()["provincial-platform"], address, {"secret": "demo"})
        with pytest.raises(DepartmentUnavailable if honest else DepartmentUnintelligible) as caught:
            await adapter.submit(asked())
        assert str(APPLICANT.id_number) not in str(caught.value)
        await adapter.close()


# ── byte by byte ────────────────────────────────────────────────────────────────────────────────────────────

ROW: dict[str, Any] = {
    "outBizNo": "YN-1",
    "platformNo": "20250820000001",
    "state": "S2",
    "modifyTime": "2025-08-20T17:30:00.250+08:00",
    "remark": "",
    "lackList": [],
    "projectCode": "5304022025082000000017",
    "terminals": ["01", "04"],
}


def answered(said: dict[str, Any] | str, nonce: str = "n-1", **changes: Any) -> bytes:
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    plain = {"success": True, "errorCode": "", "content": text, "sign": wire._sign(nonce + text, "demo")}
    return json.dumps(plain | changes).encode()


ANSWER = answered({"records": [ROW]})


def test_a_record_is_read_field_by_field() -> None:
    [record] = wire.records(wire.opened(ANSWER, "n-1", "demo"))
    assert (record.key, record.reference, record.raw_code) == ("YN-1", "20250820000001", "S2")
    assert record.updated_at == datetime(2025, 8, 20, 9, 30, 0, 250_000, tzinfo=UTC)
    assert record.details == {"caseCode": "5304022025082000000017", "terminals": "云南政务服务网、支付宝小程序"}


def test_the_sign_is_over_all_parameters_in_order() -> None:
    form = {
        name: values[0]
        for name, values in parse_qs(
            wire.call("m", {"名": 1}, "n-1", datetime(2025, 8, 20, tzinfo=UTC), "demo").decode()
        ).items()
    }
    sign = form.pop("sign")
    assert form["timestamp"] == "2025-08-20 08:00:00"
    assert json.loads(form["biz_content"]) == {"名": 1}
    assert sign == wire._sign("".join(name + form[name] for name in sorted(form)), "demo")
    assert sign == sign.upper()


@pytest.mark.parametrize(
    "answer",
    [
        answered({"records": []}, nonce="n-2"),
        answered({"records": []}, sign="0"),
        answered({"records": []}, content='{"records": [1]}'),
        answered({"records": []}, success="true"),
        answered({"records": []}, success=False, errorCode="WEATHER"),
        answered("no json"),
    ],
)
def test_an_answer_that_was_touched_is_unintelligible(answer: bytes) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.opened(answer, "n-1", "demo")


@pytest.mark.parametrize(
    "change",
    [
        {"state": "S9"},
        {"state": 2},
        {"terminals": ["05"]},
        {"modifyTime": "2025-08-20 17:30:00"},
        {"modifyTime": "2025-02-30T17:30:00.250+08:00"},
        {"lackList": "none"},
        {"projectCode": None},
    ],
)
def test_a_wrong_field_is_unintelligible(change: dict[str, Any]) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.records({"records": [ROW | change]})


@pytest.mark.parametrize(
    ("code", "error"), [("PARAM_INVALID", DepartmentRejected), ("SYSTEM_BUSY", DepartmentUnavailable)]
)
def test_their_error_codes_are_ours(code: str, error: type[DepartmentError]) -> None:
    with pytest.raises(error, match=code):
        wire.opened(answered("", success=False, errorCode=code), "n-1", "demo")


def test_a_receipt_for_another_serial_is_unintelligible() -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.receipt({"record": ROW}, "YN-2")


@given(garbled(ANSWER))
def test_nothing_but_department_errors_escapes_from_an_answer(body: bytes) -> None:
    with suppress(DepartmentError):
        wire.opened(body, "n-1", "demo")


@given(garbled(json.dumps({"records": [ROW], "record": ROW}).encode()))
def test_nothing_but_department_errors_escapes_from_content(body: bytes) -> None:
    with suppress(DepartmentError):
        wire.records(loaded(body))
    with suppress(DepartmentError):
        wire.receipt(loaded(body), "YN-1")
