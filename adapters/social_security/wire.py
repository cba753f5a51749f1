"""callBusiness messages: a SOAP envelope whose one string argument is an XML document in CDATA, UTF-8 both.

Inside: ``head`` with the business number, ``body`` with fields named after the 金保工程 data items (aac002 公民身份
号码, aac003 姓名 …).  Dates ``yyyy-MM-dd``; times ``yyyy-MM-dd HH:mm:ss`` local, theirs with milliseconds; amounts
in yuan ``4800.00``.

``bzcs`` counts corrections (``aae013`` says why); a reversal has ``czlx`` 2, the original's ``ywblsh`` and ``cxyy``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from lxml import etree

from adapters.kit.values import fen, local_text, local_time, yuan
from adapters.kit.xml import parse, text
from gateway.domain.department import (
    Application,
    Callback,
    Certificate,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    Payment,
    PaymentInstruction,
    Receipt,
    Record,
)

from . import codes

CONTENT_TYPE = "text/xml; charset=utf-8"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = "http://webservice.siis.mohrss.gov.cn/"
SECOND = "%Y-%m-%d %H:%M:%S"

Fields = Sequence[tuple[str, "str | Fields | None"]]


def application(sent: Application, token: str) -> bytes:
    """The call that files one business.  The account is not sent: they pay on business 990201 only."""
    deceased, death, applicant = sent.deceased, sent.death, sent.applicant
    fields: list[tuple[str, str | Fields | None]] = [
        ("wblsh", sent.key),
        ("gldh", sent.case_number),
        ("aab301", sent.area),
        ("aac002", deceased.id_number),
        ("aac003", deceased.name),
        ("aac004", codes.SEXES.get(deceased.sex, "9")),
        ("aac005", deceased.ethnicity),
        ("aac006", deceased.birth_date.isoformat() if deceased.birth_date else None),
        ("aac010", deceased.hukou_address),
        ("swrq", local_text(death.occurred_at, "%Y-%m-%d") if death.occurred_at else None),
        ("swyy", death.cause),
        ("aae036", local_text(sent.pushed_at, SECOND)),
        ("bzcs", str(sent.correction)),
        ("aae013", sent.correction_answer),
        ("czlx", codes.UNDO if sent.reverses else codes.HANDLE),
        ("ywblsh", sent.reverses),
        ("cxyy", sent.reversal_reason),
        ("ywlxlist", [("row", [("ywlx", codes.business_type(name))]) for name in sent.business_types]),
        ("cllist", [("row", _material(certificate)) for certificate in sent.certificates]),
    ]
    if applicant is not None:
        fields += [
            ("aae004", applicant.name),
            ("sqrzjhm", applicant.id_number),
            ("aae005", applicant.phone),
            ("aae006", applicant.address),
            ("aae144", applicant.relation and codes.RELATIONS.get(applicant.relation, "99")),
        ]
    return _call("callBusiness", codes.business(sent.item), fields, token)


def query(keys: Sequence[str], token: str) -> bytes:
    """Business 990101 for many serials at once."""
    rows: Fields = [("row", [("wblsh", key)]) for key in keys]
    return _call("callBusiness", codes.QUERY, [("cxlist", rows)], token)


def instruction(sent: PaymentInstruction, token: str) -> bytes:
    """Business 990201 账户指令: which account a sum goes to; ``sfje`` is the net amount (WZ-703)."""
    fields: Fields = [
        ("zllsh", sent.key),
        ("wblsh", sent.application_key),
        ("dyxh", sent.serial),
        ("aaa036", codes.sum_code(sent.kind)),
        ("sfje", yuan(sent.fen)),
        ("aae009", sent.account.holder),
        ("aae010", sent.account.number),
        ("aae008", sent.account.bank),
        ("khwd", sent.account.branch),
    ]
    return _call("callBusiness", codes.INSTRUCT, fields, token)


def receipt(body: bytes) -> Receipt:
    """The answer to a filed business.  Raises ``DepartmentError``."""
    answer = _answer(body)
    code = text(answer, "aae016")
    outcome, wording = codes.status(code)
    return Receipt(outcome, _needed(answer, "slh"), code, wording)


def instruction_receipt(body: bytes) -> Receipt:
    """The answer to 990201: the order is in their books; ``raw_code`` is the sum's aae117.

    Raises ``DepartmentError``.
    """
    answer = _answer(body)
    code = text(answer, "aae117")
    _, wording = codes.payment_state(code)
    return Receipt(Outcome.ACCEPTED, _needed(answer, "dyxh"), code, wording)


def records(body: bytes) -> dict[str, Record]:
    """The answer to 990101, by key; serials it does not know are absent.  Raises ``DepartmentError``."""
    listing = _answer(body).find("jglist")
    if listing is None:
        raise DepartmentUnintelligible("answer lacks jglist")
    found = (_record(row) for row in listing.findall("row"))
    return {record.key: record for record in found}


def notification(body: bytes) -> Callback:
    """A ``notifyBusiness`` call.  Raises ``DepartmentUnintelligible``."""
    document = _document(parse(body), "notifyBusiness/inputXml")
    if text(document, "head/ywbh") != codes.NOTIFY:
        raise DepartmentUnintelligible("message is not business 990301")
    rows = document.findall("body/jglist/row")
    return Callback(_needed(document, "head/xxlsh"), tuple(_record(row) for row in rows))


def acknowledgement(error: str | None) -> bytes:
    """Our answer to ``notifyBusiness``: appcode 1, or -1 with the reason; what XML cannot carry becomes spaces."""
    wording = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", " ", error or "成功")
    head: Fields = [("appcode", "-1" if error is not None else "1"), ("errormsg", wording)]
    return _envelope("notifyBusinessResponse", "return", _inner("output", [("head", head), ("body", None)]))


def _material(certificate: Certificate) -> Fields:
    return [
        ("cllx", codes.MATERIALS.get(certificate.type, "Z9")),
        ("clbh", certificate.number),
        ("qfsj", local_text(certificate.issued_at, SECOND)),
        ("qfjg", certificate.issuer),
    ]


def _call(operation: str, business: str, fields: Fields, token: str) -> bytes:
    head: Fields = [("ywbh", business), ("jrm", token)]
    try:
        return _envelope(operation, "inputXml", _inner("input", [("head", head), ("body", fields)]))
    except ValueError as error:
        raise DepartmentRejected("a field holds a character XML cannot carry") from error


def _inner(name: str, fields: Fields) -> str:
    root = etree.Element(name)
    _fill(root, fields)
    return '<?xml version="1.0" encoding="UTF-8"?>' + etree.tostring(root, encoding="unicode")


def _envelope(operation: str, argument: str, document: str) -> bytes:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soapenv": SOAP, "web": SERVICE})
    call = etree.SubElement(etree.SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{SERVICE}}}{operation}")
    # lxml assigns CDATA to .text; its stubs know only str.
    etree.SubElement(call, argument).text = cast(str, etree.CDATA(document))
    return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)


def _fill(parent: etree._Element, fields: Fields) -> None:
    for name, value in fields:
        node = etree.SubElement(parent, name)
        if isinstance(value, str):
            node.text = value
        elif value is not None:
            _fill(node, value)


def _document(envelope: etree._Element, argument: str) -> etree._Element:
    """The XML document inside the string argument."""
    operation, name = argument.split("/")
    inner = text(envelope, f"{{{SOAP}}}Body/{{{SERVICE}}}{operation}/{name}")
    if not inner:
        raise DepartmentUnintelligible(f"message is not {operation}")
    return parse(inner.encode())


def _answer(body: bytes) -> etree._Element:
    """The ``body`` of an answer with appcode 1.  Raises what another appcode, or a SOAP fault, means."""
    envelope = parse(body)
    fault = text(envelope, f"{{{SOAP}}}Body/{{{SOAP}}}Fault/faultcode").rpartition(":")[2]
    if fault:
        raise (DepartmentUnavailable if fault == "Server" else DepartmentRejected)("SOAP fault")
    document = _document(envelope, "callBusinessResponse/return")
    codes.check(text(document, "head/appcode"))
    found = document.find("body")
    if found is None:
        raise DepartmentUnintelligible("answer lacks body")
    return found


def _needed(node: etree._Element, name: str) -> str:
    value = text(node, name)
    if not value:
        raise DepartmentUnintelligible(f"{name} is missing")
    return value


def _record(row: etree._Element) -> Record:
    code = _needed(row, "aae016")
    outcome, wording = codes.status(code)
    return Record(
        key=_needed(row, "wblsh"),
        outcome=outcome,
        raw_code=code,
        updated_at=_moment(_needed(row, "gxsj")),
        reference=_needed(row, "slh"),
        raw_message=wording,
        reason=text(row, "aae013") or None,
        missing=tuple(node.text.strip() for node in row.findall("bqlist/row/clmc") if node.text),
        payments=tuple(_payment(node) for node in row.findall("dylist/row")),
    )


def _payment(row: etree._Element) -> Payment:
    state, _ = codes.payment_state(_needed(row, "aae117"))
    return Payment(
        serial=_needed(row, "dyxh"),
        kind=codes.sum_kind(_needed(row, "aaa036")),
        fen=_amount(_needed(row, "aae019")),
        state=state,
        at=_moment(_needed(row, "ztsj")),
        reason=text(row, "thyy") or None,
    )


def _amount(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}\.[0-9]{2}", value):
        raise DepartmentUnintelligible("an amount is not of the form 4800.00")
    return fen(value)


def _moment(value: str) -> datetime:
    if not re.fullmatch(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8}\.[0-9]{3}", value):
        raise DepartmentUnintelligible("a time is not of the form yyyy-MM-dd HH:mm:ss.SSS")
    return local_time(value, f"{SECOND}.%f")
