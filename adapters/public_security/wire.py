"""swywService messages: SOAP 1.1 envelopes, XML declared and encoded GB18030, names without a namespace inside
the operation.  Dates ``yyyyMMdd``, times ``yyyyMMddHHmmss``, last change ``GXSJ`` with milliseconds, all local.

BZCS counts corrections (BZSM says why); a reversal has CZLX 2, the original's YWBLSH and CXYY.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from lxml import etree

from adapters.kit.values import local_text, local_time
from adapters.kit.xml import parse, text
from gateway.domain.department import (
    Application,
    Callback,
    Certificate,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Receipt,
    Record,
)

from . import codes

CONTENT_TYPE = "text/xml; charset=GB18030"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = "http://www.mps.gov.cn/swyw/service"
SECOND = "%Y%m%d%H%M%S"

Fields = Sequence[tuple[str, "str | Fields | None"]]


def application(sent: Application, token: str) -> bytes:
    """The ``sbYw`` call.  An unidentified body goes without XM and number, WMSBZ 1 (HZ-104)."""
    deceased, death, applicant = sent.deceased, sent.death, sent.applicant
    resident = deceased.id_kind == "RESIDENT_ID"
    fields: list[tuple[str, str | Fields | None]] = [
        ("WBLSH", sent.key),
        ("YWDM", codes.business(sent.item)),
        ("GLBH", sent.case_number),
        ("XZQH", sent.area),
        ("SSPCS", sent.details.get("deceased.policeStation")),
        ("XM", deceased.name),
        ("WMSBZ", "0" if deceased.name else "1"),
        ("XB", codes.SEXES.get(deceased.sex, "9")),
        ("MZ", deceased.ethnicity),
        ("CSRQ", deceased.birth_date.strftime("%Y%m%d") if deceased.birth_date else None),
        ("ZJZL", codes.ID_KINDS.get(deceased.id_kind, "990")),
        ("GMSFHM", deceased.id_number if resident else None),
        ("ZJHM", None if resident else deceased.id_number),
        ("HKSZD", deceased.hukou_area),
        ("HKDZ", deceased.hukou_address),
        ("SWRQ", local_text(death.occurred_at, "%Y%m%d") if death.occurred_at else None),
        ("SWSJ", local_text(death.occurred_at, SECOND) if death.occurred_at else None),
        ("SWLX", codes.DEATH_KINDS.get(death.kind, "9")),
        ("SWDXZQH", death.area),
        ("SWDD", death.place),
        ("SWYY", death.cause),
        ("SBSJ", local_text(sent.pushed_at, SECOND)),
        ("BZCS", str(sent.correction)),
        ("BZSM", sent.correction_answer),
        ("CZLX", codes.UNDO if sent.reverses else codes.HANDLE),
        ("YWBLSH", sent.reverses),
        ("CXYY", sent.reversal_reason),
    ]
    if applicant is not None:
        fields += [
            ("SQRXM", applicant.name),
            ("SQRGMSFHM", applicant.id_number),
            ("SQRLXDH", applicant.phone),
            ("SQRDZ", applicant.address),
            ("YSWZGX", applicant.relation and codes.RELATIONS.get(applicant.relation, "97")),
        ]
    fields.append(("CLLB", [("CL", _material(certificate)) for certificate in sent.certificates]))
    return _envelope("sbYw", fields, token)


def query(keys: Sequence[str], token: str) -> bytes:
    """The ``cxYw`` call for many serials at once."""
    return _envelope("cxYw", [("CXTJ", [("WBLSH", key) for key in keys])], token)


def receipt(body: bytes) -> Receipt:
    """The answer to ``sbYw``.  Raises ``DepartmentError``."""
    answer = _answer(body, "sbYwResponse")
    outcome, wording = codes.status(text(answer, "SLZT"))
    return Receipt(outcome, _needed(answer, "SLBH"), text(answer, "SLZT"), wording)


def records(body: bytes) -> dict[str, Record]:
    """The answer to ``cxYw``, by key; serials it does not know are absent.  Raises ``DepartmentError``."""
    listing = _answer(body, "cxYwResponse").find("YWLB")
    if listing is None:
        raise DepartmentUnintelligible("answer lacks YWLB")
    found = (_record(entry) for entry in listing.findall("YW"))
    return {record.key: record for record in found}


def notification(body: bytes) -> Callback:
    """A ``jgTz`` notification.  Raises ``DepartmentUnintelligible``."""
    call = parse(body).find(f"{{{SOAP}}}Body/{{{SERVICE}}}jgTz")
    if call is None:
        raise DepartmentUnintelligible("message is not a jgTz notification")
    return Callback(_needed(call, "XXBH"), tuple(_record(entry) for entry in call.findall("YW")))


def acknowledgement(error: str | None) -> bytes:
    """Our answer to ``jgTz``: FHM 00, or 90 with the reason; characters XML cannot carry become spaces."""
    wording = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", " ", error or "成功")
    return _envelope("jgTzResponse", [("FHM", "90" if error is not None else "00"), ("FHXX", wording)])


def _material(certificate: Certificate) -> Fields:
    return [
        ("CLLX", codes.MATERIALS.get(certificate.type, "99")),
        ("CLBH", certificate.number),
        ("QFSJ", local_text(certificate.issued_at, SECOND)),
        ("QFJG", certificate.issuer),
    ]


def _envelope(operation: str, fields: Fields, token: str | None = None) -> bytes:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soapenv": SOAP, "sw": SERVICE})
    try:
        if token:
            header = etree.SubElement(envelope, f"{{{SOAP}}}Header")
            etree.SubElement(header, f"{{{SERVICE}}}JKXLH").text = token
        body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
        _fill(etree.SubElement(body, f"{{{SERVICE}}}{operation}"), fields)
        return cast(bytes, etree.tostring(envelope, encoding="GB18030", xml_declaration=True))
    except ValueError as error:
        raise DepartmentRejected("a field holds a character XML cannot carry") from error


def _fill(parent: etree._Element, fields: Fields) -> None:
    for name, value in fields:
        node = etree.SubElement(parent, name)
        if isinstance(value, str):
            node.text = value
        elif value is not None:
            _fill(node, value)


def _answer(body: bytes, name: str) -> etree._Element:
    envelope = parse(body)
    answer = envelope.find(f"{{{SOAP}}}Body/{{{SERVICE}}}{name}")
    if answer is None:
        fault = text(envelope, f"{{{SOAP}}}Body/{{{SOAP}}}Fault/faultcode").rpartition(":")[2]
        if fault == "Server":
            raise DepartmentUnavailable("SOAP fault Server")
        if fault:
            raise DepartmentRejected("SOAP fault other than Server")
        raise DepartmentUnintelligible(f"answer is not {name}")
    codes.check(text(answer, "FHM"))
    return answer


def _needed(node: etree._Element, name: str) -> str:
    value = text(node, name)
    if not value:
        raise DepartmentUnintelligible(f"{name} is missing")
    return value


def _record(entry: etree._Element) -> Record:
    code = _needed(entry, "SLZT")
    outcome, wording = codes.status(code)
    return Record(
        key=_needed(entry, "WBLSH"),
        outcome=outcome,
        raw_code=code,
        updated_at=_moment(_needed(entry, "GXSJ")),
        reference=_needed(entry, "SLBH"),
        raw_message=wording,
        reason=text(entry, "YYSM") or None,
        missing=tuple(node.text.strip() for node in entry.findall("BZCL/CLMC") if node.text),
        certificates=tuple(
            Certificate(
                type=codes.certificate(text(node, "ZZLX")),
                number=_needed(node, "ZZBH"),
                issued_at=_moment(_needed(node, "QFSJ")),
                issuer=text(node, "QFJG") or None,
            )
            for node in entry.findall("DZZZ")
        ),
    )


def _moment(value: str) -> datetime:
    """``yyyyMMddHHmmss`` with or without three digits of milliseconds."""
    if not re.fullmatch(r"(19|20)[0-9]{12}([0-9]{3})?", value):
        raise DepartmentUnintelligible("a time is not of the form yyyyMMddHHmmss[SSS]")
    return local_time(value[:14], SECOND) + timedelta(milliseconds=int(value[14:] or 0))
