"""人社/社保: callBusiness messages, outgoing and recorded ones."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from lxml import etree

from adapters.social_security import codes, wire
from gateway.domain.department import (
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    Payment,
    PaymentState,
)

from .builders import ACCOUNT, application
from .damaged import damaged

CLAIM = "pension-funeral-bereavement-claim"


def soap(operation: str, argument: str, document: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{wire.SOAP}" xmlns:ns2="{wire.SERVICE}">'
        f'<soap:Body><ns2:{operation}><{argument}><![CDATA[<?xml version="1.0" encoding="UTF-8"?>{document}]]>'
        f"</{argument}></ns2:{operation}></soap:Body></soap:Envelope>"
    ).encode()


def answer(body: str, appcode: str = "1") -> bytes:
    return soap(
        "callBusinessResponse",
        "return",
        f"<output><head><appcode>{appcode}</appcode><errormsg/></head><body>{body}</body></output>",
    )


LIST = (
    "<jglist><row><wblsh>HZ-1.1</wblsh><ywbh>110301</ywbh><slh>20251110000001</slh><aae016>2</aae016><aae013/>"
    "<gxsj>2025-11-10 09:30:00.123</gxsj><bqlist/><dylist><row><dyxh>20251110000001-1</dyxh><aaa036>301</aaa036>"
    "<aae019>4800.00</aae019><sfje/><aae117>3</aae117><ztsj>2025-11-10 09:30:00.100</ztsj><thyy>户名不符</thyy>"
    "</row></dylist></row></jglist>"
)
NOTIFICATION = soap(
    "notifyBusiness",
    "inputXml",
    f"<input><head><ywbh>990301</ywbh><xxlsh>ss-1</xxlsh></head><body>{LIST}</body></input>",
)
LISTING = answer(LIST)
RECEIPT = answer("<slh>20251110000001</slh><aae016>0</aae016>")
ORDERED = answer("<dyxh>20251110000001-1</dyxh><aae117>1</aae117>")


def test_the_argument_is_one_document_in_cdata() -> None:
    body = wire.application(application("k", CLAIM, correction_answer="见附件<1>&]]>完"), "demo")
    assert b'<inputXml><![CDATA[<?xml version="1.0" encoding="UTF-8"?><input><head><ywbh>110301</ywbh>' in body
    argument = etree.fromstring(body).findtext(f".//{{{wire.SERVICE}}}callBusiness/inputXml") or ""
    assert etree.fromstring(argument.encode()).findtext("body/aae013") == "见附件<1>&]]>完"


def test_the_account_goes_with_the_order_only() -> None:
    assert ACCOUNT.number.encode() not in wire.application(application("k", CLAIM, account=ACCOUNT), "")


def test_a_recorded_notification() -> None:
    callback = wire.notification(NOTIFICATION)
    record = callback.records[0]
    assert (callback.serial, record.key, record.outcome) == ("ss-1", "HZ-1.1", Outcome.COMPLETED)
    assert record.updated_at == datetime(2025, 11, 10, 1, 30, 0, 123000, tzinfo=UTC)
    assert record.payments == (
        Payment(
            "20251110000001-1",
            "FUNERAL_GRANT",
            480000,
            PaymentState.RETURNED,
            datetime(2025, 11, 10, 1, 30, 0, 100000, tzinfo=UTC),
            "户名不符",
        ),
    )


@pytest.mark.parametrize("error, code", [(None, "1"), ("无此业务\x00", "-1")])
def test_our_answer_is_theirs_in_form(error: str | None, code: str) -> None:
    argument = etree.fromstring(wire.acknowledgement(error)).findtext(
        f".//{{{wire.SERVICE}}}notifyBusinessResponse/return"
    )
    assert etree.fromstring((argument or "").encode()).findtext("head/appcode") == code


def test_a_character_xml_cannot_carry_is_rejected() -> None:
    with pytest.raises(DepartmentRejected):
        wire.application(application("k", CLAIM, correction_answer="\x00"), "")


@pytest.mark.parametrize(
    "before, after",
    [
        (b"<aae016>2<", b"<aae016>9<"),
        (b"<aaa036>301<", b"<aaa036>399<"),
        (b"<aae117>3<", b"<aae117>x<"),
        (b"<aae019>4800.00<", b"<aae019>4800<"),
        (b"<aae019>4800.00<", b"<aae019>Infinity<"),
        (b"<aae019>4800.00<", b"<aae019>1E+999999<"),
        (b"09:30:00.123", b"09:30:61.123"),
        (b"<gxsj>2025-11-10 ", b"<gxsj>"),
        (b"<xxlsh>ss-1</xxlsh>", b""),
        (b"990301", b"990101"),
        (b"notifyBusiness", b"callBusiness"),
        (b"</input>", b""),
    ],
)
def test_what_is_not_in_the_tables_is_unintelligible(before: bytes, after: bytes) -> None:
    assert before in NOTIFICATION
    with pytest.raises(DepartmentUnintelligible):
        wire.notification(NOTIFICATION.replace(before, after))


@pytest.mark.parametrize(
    "code, error",
    [*((code, error) for code, (error, _) in codes.REPLIES.items() if error), ("-999", DepartmentUnintelligible)],
)
def test_reply_codes(code: str, error: type[DepartmentError]) -> None:
    with pytest.raises(error):
        wire.receipt(answer("", code))


@pytest.mark.parametrize(
    "fault, error",
    [("soap:Server", DepartmentUnavailable), ("soap:Client", DepartmentRejected), ("", DepartmentUnintelligible)],
)
def test_soap_faults(fault: str, error: type[DepartmentError]) -> None:
    inner = f"<s:Body><s:Fault><faultcode>{fault}</faultcode></s:Fault></s:Body>"
    with pytest.raises(error):
        wire.receipt(f'<s:Envelope xmlns:s="{wire.SOAP}">{inner}</s:Envelope>'.encode())


@settings(deadline=None)
@given(damaged(RECEIPT), damaged(ORDERED), damaged(LISTING), damaged(NOTIFICATION))
def test_nothing_but_department_errors_escapes(
    receipt: bytes, ordered: bytes, listing: bytes, notification: bytes
) -> None:
    for parse, body, expected in (
        (wire.receipt, receipt, DepartmentError),
        (wire.instruction_receipt, ordered, DepartmentError),
        (wire.records, listing, DepartmentError),
        (wire.notification, notification, DepartmentUnintelligible),
    ):
        with suppress(expected):
            parse(body)
