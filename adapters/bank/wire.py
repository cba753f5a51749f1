"""The bank's frames and messages, out and in.

A frame is one line of JSON ended by ``\\n``; a message is an XML document inside it.  Amounts are yuan with two
places and a currency, times ISO 8601 with the offset ``+08:00``.

``Rnd`` counts corrections (``AddtlInf`` says why); a reversal has ``Rvsl`` with the original's ``OrgnlEndToEndId``
and ``Rsn``, and ends as ``CNCL``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from adapters.kit import xml
from adapters.kit.json import loads
from adapters.kit.values import CHINA, fen, local_text
from gateway.domain.department import (
    Application,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Payment,
    Record,
)

from . import codes

NAMESPACE = "urn:bank:estate:1.2"
MOMENT = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?\+08:00")
AMOUNT = re.compile(r"[0-9]{1,12}\.[0-9]{2}")


def put(application: Application) -> bytes:
    """Frame that puts the application on the request queue."""
    return _frame({"op": "put", "queue": "REQ", "corrId": application.key, "body": request(application)})


def query(keys: Sequence[str]) -> bytes:
    """Frame that reads the newest response of each key and leaves it on the queue."""
    return _frame({"op": "query", "queue": "RSP", "corrIds": list(keys)})


def request(application: Application) -> str:
    """The XML message; an unknown value is an empty element.  Raises ``DepartmentRejected``."""
    deceased, applicant, account = application.deceased, application.applicant, application.account
    died = application.death.occurred_at
    document = etree.Element(f"{{{NAMESPACE}}}Document", nsmap={"est": NAMESPACE})
    head = _add(document, "EstateReq")
    try:
        _add(head, "EndToEndId", application.key)
        _add(head, "CreDtTm", application.pushed_at.astimezone(CHINA).isoformat(timespec="seconds"))
        _add(head, "BizTp", business_type(application.item))
        _add(head, "Rnd", str(application.correction))
        person = _add(head, "Dcsd")
        _add(person, "Nm", deceased.name)
        _add(person, "IdNb", deceased.id_number)
        _add(person, "DthDt", local_text(died, "%Y-%m-%d") if died else None)
        if applicant:
            heir = _add(head, "Rqstr")
            _add(heir, "Nm", applicant.name)
            _add(heir, "IdNb", applicant.id_number)
            _add(heir, "PhneNb", applicant.phone)
        if account:
            target = _add(head, "CdtrAcct")
            _add(target, "Nm", account.holder)
            _add(target, "Id", account.number)
            _add(target, "Bk", account.bank)
        for certificate in application.certificates:
            paper = _add(head, "Doc")
            _add(paper, "Tp", codes.DOCUMENTS.get(certificate.type, "OTHR"))
            _add(paper, "Nb", certificate.number)
        _add(head, "AddtlInf", application.correction_answer)
        if application.reverses is not None:
            reversal = _add(head, "Rvsl")
            _add(reversal, "OrgnlEndToEndId", application.reverses)
            _add(reversal, "Rsn", application.reversal_reason)
    except ValueError:
        raise DepartmentRejected("a character of the application does not exist in XML") from None
    return etree.tostring(document, encoding="unicode")


def business_type(item: str) -> str:
    """Business type of an item slug.  Raises ``DepartmentRejected``."""
    if item not in codes.ITEMS:
        raise DepartmentRejected("the bank does not handle this item")
    return codes.ITEMS[item]


def message_id(line: bytes) -> str:
    """Number the queue gave the message put.  Raises ``DepartmentError``."""
    return _text(_load(line), "msgId")


def records(line: bytes) -> dict[str, Record]:
    """Records in the answer to a query, by key.  Raises ``DepartmentError``."""
    messages = _load(line).get("msgs")
    if not isinstance(messages, list):
        raise DepartmentUnintelligible("msgs is not a list")
    return {_text(message, "corrId"): _record(message) for message in messages}


def _record(message: Any) -> Record:
    document = xml.parse(_text(message, "body").encode("utf-8"))
    report = document.find("{*}EstateStsRpt")
    if report is None:
        raise DepartmentUnintelligible("message is not a status report")
    key, status = _need(report, "OrgnlEndToEndId"), _need(report, "TxSts")
    if key != message["corrId"]:
        raise DepartmentUnintelligible("status report belongs to another message")
    if status not in codes.STATUS:
        raise DepartmentUnintelligible("TxSts is not in the table")
    outcome, wording = codes.STATUS[status]
    return Record(
        key=key,
        outcome=outcome,
        raw_code=status,
        raw_message=wording,
        updated_at=_moment(report),
        reference=_need(report, "TxRef"),
        reason=xml.text(report, "{*}StsRsnInf/{*}AddtlInf") or None,
        missing=tuple((node.text or "").strip() for node in report.findall("{*}MssngDoc")),
        payments=tuple(_payment(node) for node in report.findall("{*}Pmt")),
    )


def _payment(node: etree._Element) -> Payment:
    kind, status, amount = _need(node, "Tp"), _need(node, "Sts"), _need(node, "Amt")
    if kind not in codes.SUMS or status not in codes.SUM_STATUS:
        raise DepartmentUnintelligible("Tp or Sts of a payment is not in the table")
    currency = node.find("{*}Amt")
    if currency is None or currency.get("Ccy") != "CNY" or AMOUNT.fullmatch(amount) is None:
        raise DepartmentUnintelligible("an amount is not yuan with two places")
    return Payment(
        serial=_need(node, "PmtId"),
        kind=codes.SUMS[kind],
        fen=fen(amount),
        state=codes.SUM_STATUS[status],
        at=_moment(node),
        reason=xml.text(node, "{*}AddtlInf") or None,
    )


def _load(line: bytes) -> Mapping[str, Any]:
    """The answer frame, unless it is an error."""
    try:
        data = loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DepartmentUnintelligible("answer is not a JSON frame") from error
    if not isinstance(data, dict):
        raise DepartmentUnintelligible("answer is not a JSON object")
    if data.get("ok") is True:
        return data
    code = data.get("err")
    if code == codes.SYSTEM_ERROR:
        raise DepartmentUnavailable("system error of the department (MQ500)")
    if isinstance(code, str) and code in codes.REJECTIONS:
        raise DepartmentRejected(f"{code}: {codes.REJECTIONS[code]}")
    raise DepartmentUnintelligible("error of the queue is not in the table")


def _text(row: Any, name: str) -> str:
    value = row.get(name) if isinstance(row, dict) else None
    if not isinstance(value, str) or not value or re.search("[\0\ud800-\udfff]", value):
        raise DepartmentUnintelligible(f"{name} is missing or not text")
    return value


def _need(node: etree._Element, name: str) -> str:
    value = xml.text(node, f"{{*}}{name}")
    if not value:
        raise DepartmentUnintelligible(f"{name} is missing")
    return value


def _moment(node: etree._Element) -> datetime:
    value = _need(node, "ChngDtTm")
    try:
        if MOMENT.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        pass
    raise DepartmentUnintelligible("ChngDtTm is not a time")


def _add(parent: etree._Element, name: str, value: str | None = None) -> etree._Element:
    node = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    node.text = value
    return node


def _frame(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data).encode("ascii") + b"\n"
