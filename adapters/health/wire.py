"""Messages of the death registry: ``{"head": {...}, "body": {...}}``, out and in.

Times are Asia/Shanghai local, ``YYYYMMDDHHMMSS``, to the second.  Every function that reads raises
``DepartmentUnintelligible`` on anything that is not the registry's format, and names fields, never their content.

``bcCs`` counts corrections (``bcSm`` says why); a reversal has ``cxInfo`` with the original's ``yWbLsh`` and
``cxYy``, and ends as ``35`` 已撤销.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from adapters.health import codes
from adapters.kit.json import field, loaded
from adapters.kit.values import local_text, local_time
from gateway.domain.department import (
    Application,
    Callback,
    Certificate,
    DepartmentUnintelligible,
    Receipt,
    Record,
)

TIME = "%Y%m%d%H%M%S"
DATE = "%Y%m%d"


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def submission(application: Application) -> bytes:
    """SW1001: asks for a certificate.  ``wbLsh``, the sender's serial, makes it one application there."""
    deceased, death, applicant = application.deceased, application.death, application.applicant
    body: dict[str, Any] = {
        "wbLsh": application.key,
        "ywDm": codes.BUSINESS[application.item],
        "ajBh": application.case_number,
        "xzQh": application.area,
        "sqSj": local_text(application.pushed_at, TIME),
        "bcCs": application.correction,
        "bcSm": application.correction_answer or "",
        "szInfo": {
            "xm": deceased.name or "",
            "zjLx": codes.ID_KINDS.get(deceased.id_kind, codes.ID_KINDS["OTHER"]),
            "zjHm": deceased.id_number or "",
            "xbDm": codes.SEXES.get(deceased.sex, codes.SEXES["UNKNOWN"]),
            "csRq": deceased.birth_date.strftime(DATE) if deceased.birth_date else "",
            "mz": deceased.ethnicity or "",
            "hjQh": deceased.hukou_area or "",
            "hjDz": deceased.hukou_address or "",
        },
        "swInfo": {
            "swLb": codes.DEATH_KINDS.get(death.kind, ""),
            "swSj": local_text(death.occurred_at, TIME) if death.occurred_at else "",
            "swQh": death.area or "",
            "swDd": death.place or "",
            "swYy": death.cause or "",
        },
    }
    if applicant is not None:
        body["sqrInfo"] = {
            "xm": applicant.name,
            "zjHm": applicant.id_number or "",
            "lxDh": applicant.phone or "",
            "ysZgx": applicant.relation or "",
        }
    if application.reverses is not None:
        body["cxInfo"] = {"yWbLsh": application.reverses, "cxYy": application.reversal_reason or ""}
    return _message("SW1001", application.key, local_text(application.pushed_at, TIME), body)


def enquiry(keys: Sequence[str], asked_at: datetime) -> bytes:
    """SW1002: asks for the records of up to 500 applications."""
    text = local_text(asked_at, TIME)
    return _message("SW1002", f"CX{text}", text, {"wbLshList": list(keys)})


def acknowledgement(error: str | None) -> bytes:
    """Answer to SW2001."""
    head = {"jyCode": "SW2001", "rspCode": codes.TAKEN, "rspMsg": "接收成功"}
    if error is not None:
        head |= {"rspCode": "E1001", "rspMsg": error}
    return json.dumps({"head": head, "body": {}}, ensure_ascii=False).encode()


def _message(trade: str, serial: str, sent_at: str, body: dict[str, Any]) -> bytes:
    head = {"jyCode": trade, "jyLsh": serial, "fsSj": sent_at}
    return json.dumps({"head": head, "body": body}, ensure_ascii=False).encode()


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def receipt(answer: bytes) -> Receipt:
    """Reply to SW1001.  Also raises the error their reply code stands for."""
    body = _replied(answer)
    status = field(body, "zt", str)
    outcome, wording = codes.known(codes.OUTCOMES, status, "zt")
    return Receipt(outcome, field(body, "slh", str), status, wording)


def records(answer: bytes) -> list[Record]:
    """Reply to SW1002.  Also raises the error their reply code stands for."""
    return _records(_replied(answer))


def notification(message: bytes) -> Callback:
    """SW2001, sent by the registry; ``jyLsh`` is its own serial."""
    head, body = _parts(message)
    if head.get("jyCode") != "SW2001":
        raise DepartmentUnintelligible("jyCode is not SW2001")
    return Callback(field(head, "jyLsh", str), tuple(_records(body)))


def _replied(answer: bytes) -> dict[str, Any]:
    head, body = _parts(answer)
    code = field(head, "rspCode", str)
    if code != codes.TAKEN:
        error, wording = codes.known(codes.ERRORS, code, "rspCode")
        raise error(f"{code} {wording}")
    return body


def _parts(message: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    whole = loaded(message)
    return field(whole, "head", dict), field(whole, "body", dict)


def _records(body: dict[str, Any]) -> list[Record]:
    rows = field(body, "jlList", list)
    if not all(isinstance(row, dict) for row in rows):
        raise DepartmentUnintelligible("jlList is not a list of records")
    return [_record(row) for row in rows]


def _record(row: dict[str, Any]) -> Record:
    status = field(row, "zt", str)
    outcome, wording = codes.known(codes.OUTCOMES, status, "zt")
    missing = row.get("bcCl") or []
    if not isinstance(missing, list) or not all(isinstance(item, str) for item in missing):
        raise DepartmentUnintelligible("bcCl is not a list of texts")
    signed = field(row, "zmInfo", dict) if "zmInfo" in row else None
    return Record(
        key=field(row, "wbLsh", str),
        outcome=outcome,
        raw_code=status,
        raw_message=wording,
        updated_at=_time(row, "gxSj"),
        reference=field(row, "slh", str),
        reason=field(row, "shYj", str, "") or None,
        missing=tuple(missing),
        certificates=(_certificate(signed),) if signed else (),
        details={"referral": codes.REFERRALS[status]} if status in codes.REFERRALS else {},
    )


def _certificate(signed: dict[str, Any]) -> Certificate:
    """居民死亡医学证明（推断）书.  The cause of death (``gbSy``) stays with the registry."""
    return Certificate(
        type="DEATH_MEDICAL",
        number=field(signed, "zmBh", str),
        issued_at=_time(signed, "qfSj"),
        issuer=field(signed, "qfJg", str),
    )


def _time(node: dict[str, Any], name: str) -> datetime:
    return local_time(field(node, name, str), TIME)
