"""Data-direct hub: its messages byte by byte."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.data_direct import codes, wire
from adapters.kit.json import loaded
from gateway.domain.department import (
    Certificate,
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    Payment,
    PaymentInstruction,
    PaymentState,
)

from .builders import ACCOUNT, application
from .garbled import garbled

SECRET = "demo"
ROW: dict[str, Any] = {
    "ywlsh": "YN-20250820-0001.1",
    "slbh": "2025082000001",
    "zybm": "ZY530601",
    "ztdm": "90",
    "gxsj": "2025-08-20 17:30:00.250",
    "ly": "2",
    "yj": "",
    "bzcl": ["关系证明"],
    "zzxx": [{"zzlx": "BZ01", "zzbh": "HHZM1", "bfsj": "2025-08-20 17:00:00.000", "bfjg": "殡仪馆"}],
    "zjxx": [{"zjbh": "1", "zjlb": "GJJ", "je": "53120.08", "zjzt": "1", "gxsj": "2025-08-20 17:30:00.000", "sm": ""}],
    "jgxx": {"yzgz": "有公证遗嘱", "gqdj": [{"qymc": "甲公司", "czbl": "30"}], "zzny": "202509"},
}


def sealed(data: dict[str, Any] | str, names: tuple[str, ...], **changes: Any) -> bytes:
    """A message of the hub's, signed by hand."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    header: dict[str, Any] = {
        "requestId": "r-7",
        "serviceCode": "ZD2001",
        "sourceNode": "53GJJ1",
        "targetNode": "53YJS01",
        "resourceCode": "ZY530601",
        "code": "0000",
        "timestamp": "20250820173000250",
        "digest": hashlib.sha256(text.encode()).hexdigest(),
    }
    signed = "\n".join(header[name] for name in names)
    header["signature"] = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()
    return json.dumps({"header": header | changes, "data": text}, ensure_ascii=False).encode()


def sent(data: dict[str, Any] | str, **changes: Any) -> bytes:
    return sealed(data, wire.SIGNED_OUT, **changes)


def answered(data: dict[str, Any] | str, **changes: Any) -> bytes:
    return sealed(data, wire.SIGNED_IN, **changes)


MESSAGE = sent({"jgList": [ROW]})


@pytest.mark.rule("YN-1005")
def test_a_back_flow_is_read_field_by_field() -> None:
    callback = wire.back_flow(MESSAGE, SECRET)
    assert callback.serial == "r-7"
    [record] = callback.records
    assert record.updated_at == datetime(2025, 8, 20, 9, 30, 0, 250_000, tzinfo=UTC)
    assert (record.outcome, record.raw_code, record.raw_message) == (Outcome.COMPLETED, "90", "已办结（数据回流）")
    assert (record.reference, record.reason, record.missing) == ("2025082000001", None, ("关系证明",))
    at = datetime(2025, 8, 20, 9, 30, tzinfo=UTC)
    assert record.payments == (Payment("1", "HOUSING_FUND_BALANCE", 5312008, PaymentState.APPROVED, at),)
    paper = Certificate("CREMATION", "HHZM1", datetime(2025, 8, 20, 9, 0, tzinfo=UTC), "殡仪馆")
    assert record.certificates == (paper,)
    assert record.details == {
        "answer": "有公证遗嘱",
        "companies": "甲公司（出资比例30%）",
        "effectiveMonth": "2025-09",
    }


def test_a_message_is_sealed_and_signed() -> None:
    letter = wire.submission(application(), codes.RESOURCES["hukou-deregistration"], "53GA01")
    message = json.loads(wire.envelope(letter, "r-1", datetime(2025, 8, 20, 9, 30, tzinfo=UTC), SECRET))
    header, data = message["header"], message["data"]
    assert (header["sourceNode"], header["targetNode"], header["resourceCode"]) == ("53YJS01", "53GA01", "ZY530301")
    assert header["timestamp"] == "20250820173000000"
    assert header["digest"] == hashlib.sha256(data.encode()).hexdigest()
    signed = "\n".join(header[name] for name in wire.SIGNED_OUT)
    assert header["signature"] == hmac.new(b"demo", signed.encode(), hashlib.sha256).hexdigest()
    said = json.loads(data)
    assert (said["ywlsh"], said["tssj"], said["szxx"]["xb"]) == (
        "HZ-20251107-0001.1",
        "2025-11-10 09:00:00.000",
        "1",
    )
    assert said["zzxx"][0] | {"bfjg": ""} == {
        "zzlx": "SW01",
        "zzbh": "3305022025000117",
        "bfsj": "2025-11-07 09:00:00.000",
        "bfjg": "",
    }
    assert said["sqrxx"]["gx"] == "02"


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "0" * 64},
        {"signature": "0" * 64},
        {"signature": "签名"},
        {"timestamp": "20250820173000251"},
        {"sourceNode": "53YB01"},
        {"serviceCode": "ZD1001"},
        {"requestId": 7},
    ],
)
def test_a_message_that_was_touched_is_unintelligible(change: dict[str, Any]) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.back_flow(sent({"jgList": [ROW]}, **change), SECRET)


@pytest.mark.parametrize("secret", ["guessed", ""])
def test_a_message_signed_with_another_secret_is_unintelligible(secret: str) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.back_flow(MESSAGE, secret)


def test_an_answer_to_another_request_is_unintelligible() -> None:
    assert wire.opened(answered({"jgList": []}), "r-7", SECRET) == {"jgList": []}
    with pytest.raises(DepartmentUnintelligible):
        wire.opened(answered({"jgList": []}), "r-8", SECRET)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("1003", DepartmentRejected),
        ("9001", DepartmentUnavailable),
        ("9999", DepartmentUnavailable),
        ("0042", DepartmentUnintelligible),
    ],
)
def test_their_error_codes_are_ours(code: str, error: type[DepartmentError]) -> None:
    with pytest.raises(error):
        wire.opened(answered("", code=code), "r-7", SECRET)


@pytest.mark.parametrize(
    "change",
    [
        {"ztdm": "99"},
        {"ztdm": 90},
        {"ly": "3"},
        {"gxsj": "20250820173000"},
        {"bzcl": "关系证明"},
        {"zzxx": [ROW["zzxx"][0] | {"zzlx": "XX01"}]},
        {"zjxx": [ROW["zjxx"][0] | {"zjlb": "XXXX"}]},
        {"zjxx": [ROW["zjxx"][0] | {"zjzt": "9"}]},
        {"zjxx": [ROW["zjxx"][0] | {"je": "-1.00"}]},
        {"zjxx": [ROW["zjxx"][0] | {"je": "1.005"}]},
        {"zjxx": [ROW["zjxx"][0] | {"je": 1}]},
        {"jgxx": {"zzny": "202513"}},
        {"jgxx": {"gqdj": [{"qymc": "甲公司", "czbl": "most"}]}},
        {"jgxx": []},
    ],
)
def test_a_wrong_field_is_unintelligible(change: dict[str, Any]) -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.back_flow(sent({"jgList": [ROW | change]}), SECRET)


@given(st.integers(0, 10**14))
def test_every_amount_goes_out_to_the_fen(fen: int) -> None:
    letter = wire.order(PaymentInstruction("K-1", "K", "S", "SURVIVOR_BENEFIT", fen, ACCOUNT), "YSDY", "53RS01")
    yuan, _, rest = letter.data["je"].partition(".")
    assert int(yuan) * 100 + int(rest.ljust(2, "0")) == fen


def test_a_receipt_for_another_application_is_unintelligible() -> None:
    data = {"ywlsh": "YN-2", "slbh": "1", "ztdm": "10"}
    assert wire.receipt(data, "YN-2").reference == "1"
    with pytest.raises(DepartmentUnintelligible):
        wire.receipt(data, "YN-1")


def test_acknowledgements_carry_their_own_codes() -> None:
    assert json.loads(wire.acknowledgement(None))["header"]["code"] == "0000"
    assert json.loads(wire.acknowledgement("重复"))["header"]["message"] == "重复"


@given(garbled(MESSAGE))
def test_nothing_but_department_errors_escapes_from_a_message(body: bytes) -> None:
    with suppress(DepartmentError):
        wire.back_flow(body, SECRET)
    with suppress(DepartmentError):
        wire.opened(body, "r-7", SECRET)


@given(
    garbled(json.dumps({"jgList": [ROW], "ywlsh": "Y", "slbh": "1", "ztdm": "10", "zjbh": "1", "zjzt": "1"}).encode())
)
def test_nothing_but_department_errors_escapes_from_data_that_is_signed(data: bytes) -> None:
    readers: list[Callable[[dict[str, Any]], object]] = [
        lambda found: wire.receipt(found, "Y"),
        wire.records,
        wire.ordered,
    ]
    for read in readers:
        with suppress(DepartmentError):
            read(loaded(data))
