"""Medical insurance: the platform's messages byte by byte."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.medical_insurance import wire
from gateway.domain.department import (
    DepartmentError,
    DepartmentUnintelligible,
    Payment,
    PaymentInstruction,
    PaymentState,
)

from .builders import ACCOUNT, application
from .garbled import garbled

NOTIFICATION = """{"infno":"9101","msgid":"m-7","input":{"matns":[{"matn_sn":"HZ-20251107-0001.1",
"acp_no":"2025111001","matn_type":"QS01","matn_stas":"3","updt_time":1762740000123,"memo":"","mtrl":["清单"],"pays":[{"pay_sn":"2025111001-1",
"pay_type":"GRZH","pay_amt":-312.50,"pay_stas":"10","opt_time":1762740000000,"memo":""}],
"insutype":"310","end_ym":"202512"}]}}""".encode()
OUTPUTS = [
    b'{"infcode":0,"err_msg":"","output":{"matn_sn":"HZ-1","acp_no":"2025111001","matn_stas":"0"}}',
    b'{"infcode":0,"err_msg":"","output":{"pay_sn":"2025111001-1","pay_stas":"20"}}',
    b'{"infcode":-5,"err_msg":"no","output":{}}',
]


def test_a_notification_is_read_field_by_field() -> None:
    callback = wire.notification(NOTIFICATION)
    assert callback.serial == "m-7"
    [record] = callback.records
    at = datetime(2025, 11, 10, 2, 0, tzinfo=UTC)
    assert record.updated_at == at + timedelta(milliseconds=123)
    assert record.details == {"insuranceType": "EMPLOYEE", "effectiveMonth": "2025-12"}
    assert record.payments == (Payment("2025111001-1", "MEDICAL_ACCOUNT_BALANCE", -31250, PaymentState.APPROVED, at),)


@pytest.mark.parametrize(
    ("number", "fen"),
    [(b"0.07", 7), (b"1203.45", 120345), (b"1203", 120300), (b"9999999999999.99", 999999999999999), (b"-0.01", -1)],
)
def test_amounts_are_decimal_numbers(number: bytes, fen: int) -> None:
    [record] = wire.notification(NOTIFICATION.replace(b"-312.50", number)).records
    assert record.payments[0].fen == fen


@given(st.integers(-(10**14), 10**14))
def test_every_amount_comes_in_to_the_fen(fen: int) -> None:
    sign, (yuan, rest) = "-" if fen < 0 else "", divmod(abs(fen), 100)
    number = f"{sign}{yuan}.{rest:02}".encode()
    [record] = wire.notification(NOTIFICATION.replace(b"-312.50", number)).records
    assert record.payments[0].fen == fen


@given(st.integers(0, 10**14))
def test_every_amount_goes_out_to_the_fen(fen: int) -> None:
    instruction = PaymentInstruction("K-1", "K", "S", "MEDICAL_ACCOUNT_BALANCE", fen, ACCOUNT)
    body = json.loads(wire.order(instruction), parse_float=lambda text: text, parse_int=lambda text: text)
    yuan, _, rest = body["input"]["payord"]["pay_amt"].partition(".")
    assert int(yuan) * 100 + int(rest.ljust(2, "0")) == fen


def test_a_submission_has_their_names_codes_and_times() -> None:
    message = json.loads(wire.submission(application(item="medical-account-settlement", account=ACCOUNT)))
    assert message["infno"] == "2505"
    given_ = message["input"]
    assert (given_["matn"]["matn_type"], given_["matn"]["rpt_time"]) == ("QS01", 1762736400000)
    assert (given_["psninfo"]["psn_cert_type"], given_["psninfo"]["gend"]) == ("01", "1")
    assert given_["acctinfo"]["bank_name"] == "中国农业银行湖州吴兴支行"


def test_the_signature_is_the_hmac_of_the_body() -> None:
    assert wire.signature(b"{}", "demo") == hmac.new(b"demo", b"{}", hashlib.sha256).hexdigest()


def test_acknowledgements_carry_their_own_codes() -> None:
    assert json.loads(wire.acknowledgement(None))["infcode"] == 0
    assert json.loads(wire.acknowledgement("重复"))["err_msg"] == "重复"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"matn_stas":"3"', b'"matn_stas":"9"'),
        (b'"matn_stas":"3"', b'"matn_stas":3'),
        (b'"pay_type":"GRZH"', b'"pay_type":"XXXX"'),
        (b'"pay_type":"GRZH"', b'"pay_type":"YLFY"'),
        (b'"pay_stas":"10"', b'"pay_stas":"11"'),
        (b"-312.50", b"-312.505"),
        (b"-312.50", b'"-312.50"'),
        (b"-312.50", b"Infinity"),
        (b"-312.50", b"1e9"),
        (b"-312.50", b"1e99999999999999999999"),
        (b"-312.50", b"true"),
        (b"1762740000123", b"1762740000.123"),
        (b"1762740000123", b"9" * 30),
        (b'"310"', b'"999"'),
        (b'"202512"', b'"202513"'),
        (b"9101", b"9102"),
    ],
)
def test_a_wrong_field_is_unintelligible(before: bytes, after: bytes) -> None:
    assert before in NOTIFICATION
    with pytest.raises(DepartmentUnintelligible):
        wire.notification(NOTIFICATION.replace(before, after))


def test_an_unknown_infcode_is_unintelligible() -> None:
    with pytest.raises(DepartmentUnintelligible):
        wire.receipt(b'{"infcode":-77,"output":{}}')


@given(garbled(NOTIFICATION) | garbled(OUTPUTS[0]) | garbled(OUTPUTS[1]) | garbled(OUTPUTS[2]))
def test_nothing_but_department_errors_escapes(body: bytes) -> None:
    readers: list[Callable[[bytes], object]] = [wire.receipt, wire.ordered, wire.notification]
    for read in readers:
        with suppress(DepartmentError):
            read(body)


RECORDS = json.dumps({"infcode": 0, "output": json.loads(NOTIFICATION)["input"]}).encode()


@given(garbled(RECORDS))
def test_nothing_but_department_errors_escapes_from_records(body: bytes) -> None:
    with suppress(DepartmentError):
        wire.records(body)
