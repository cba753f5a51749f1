"""Messages of the hub: an envelope ``{"header": {...}, "data": "<JSON text>"}``, out and in.

The header carries the digest of the data and a signature over the header.  Times are Asia/Shanghai local, amounts
texts in yuan.  Every function that reads raises ``DepartmentUnintelligible`` on anything that is not the hub's
format, and names fields, never their content.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.data_direct import codes
from adapters.kit.json import field, list_of, loaded
from adapters.kit.values import fen, local_text, local_time, yuan
from gateway.domain.department import (
    Account,
    Application,
    Callback,
    Certificate,
    DepartmentUnintelligible,
    Outcome,
    Payment,
    PaymentInstruction,
    Receipt,
    Record,
)

STAMP = "%Y%m%d%H%M%S%f"
TIME = "%Y-%m-%d %H:%M:%S.%f"
PUSH, QUERY, ORDER, BACK_FLOW = "ZD1001", "ZD1002", "ZD1003", "ZD2001"
SIGNED_OUT = ("requestId", "serviceCode", "sourceNode", "targetNode", "resourceCode", "timestamp", "digest")
SIGNED_IN = ("requestId", "serviceCode", "code", "timestamp", "digest")
MONTH = re.compile(r"([0-9]{4})(0[1-9]|1[0-2])")
SHARE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to a node: who is meant, which resource, what is said."""

    service: str
    target: str
    resource: str
    data: dict[str, Any]


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def envelope(letter: Letter, request_id: str, sent_at: datetime, secret: str) -> bytes:
    """The letter, sealed: digest of the data, signature over the header."""
    data = json.dumps(letter.data, ensure_ascii=False)
    header = {
        "requestId": request_id,
        "serviceCode": letter.service,
        "sourceNode": codes.OURS,
        "targetNode": letter.target,
        "resourceCode": letter.resource,
        "timestamp": local_text(sent_at, STAMP)[:17],
        "digest": _digest(data),
    }
    header["signature"] = _signature(header, SIGNED_OUT, secret)
    return json.dumps({"header": header, "data": data}, ensure_ascii=False).encode()


def submission(application: Application, resource: codes.Resource, target: str) -> Letter:
    """ZD1001: one item to its department.  ``ywlsh``, the sender's serial, makes it one application there.

    Only the sections of its resource are sent; a reversal needs no account and no form fields of its item.
    """
    deceased, undone = application.deceased, application.reverses is not None
    data: dict[str, Any] = {
        "ywlsh": application.key,
        "bllx": "2" if undone else "1",
        "bjbh": application.case_number,
        "sxmc": application.item_name,
        "xzqh": application.area,
        "tssj": _time_text(application.pushed_at),
        "bgcs": application.correction,
        "szxx": {
            "xm": deceased.name or "",
            "zjlx": codes.ID_KINDS.get(deceased.id_kind, codes.ID_KINDS["OTHER"]),
            "zjhm": deceased.id_number or "",
            "xb": codes.SEXES.get(deceased.sex, codes.SEXES["UNKNOWN"]),
            "csrq": deceased.birth_date.isoformat() if deceased.birth_date else "",
        },
    }
    if undone:
        data |= {"yywlsh": application.reverses, "cxyy": application.reversal_reason or ""}
    if application.correction_answer:
        data["bgsm"] = application.correction_answer
    if application.due_at is not None:
        data["blsx"] = _time_text(application.due_at)
    if application.certificates:
        data["zzxx"] = [_paper(certificate) for certificate in application.certificates]
    if application.details and not undone:
        data["bdx"] = [{"bs": path, "z": value} for path, value in application.details.items()]
    for section in resource.sections:
        if not (undone and section == codes.ACCOUNT):
            data |= _section(application, section)
    return Letter(PUSH, target, resource.code, data)


def enquiry(keys: Sequence[str]) -> Letter:
    """ZD1002: the newest results of up to 500 applications in the result queue; nothing is taken out of it."""
    return Letter(QUERY, codes.HUB, "", {"ywlshList": list(keys)})


def order(instruction: PaymentInstruction, code: str, target: str) -> Letter:
    """ZD1003: the account a sum is to be paid to."""
    data = {
        "zlbh": instruction.key,
        "ywlsh": instruction.application_key,
        "zjbh": instruction.serial,
        "zjlb": code,
        "je": yuan(instruction.fen),
        "zhxx": _bank(instruction.account),
    }
    return Letter(ORDER, target, "", data)


def acknowledgement(error: str | None) -> bytes:
    """Answer to ZD2001."""
    code, text = (codes.TAKEN, "成功") if error is None else ("1001", error)
    header = {"serviceCode": BACK_FLOW, "code": code, "message": text}
    return json.dumps({"header": header, "data": ""}, ensure_ascii=False).encode()


def _section(application: Application, section: str) -> dict[str, Any]:
    deceased, death = application.deceased, application.death
    given: dict[str, Any] | None = None
    if section == codes.HUKOU:
        given = {
            "mz": deceased.ethnicity or "",
            "hjqh": deceased.hukou_area or "",
            "hjdz": deceased.hukou_address or "",
        }
    elif section == codes.DEATH:
        given = {
            "swlb": codes.DEATH_KINDS.get(death.kind, ""),
            "swsj": _time_text(death.occurred_at) if death.occurred_at else "",
            "swqh": death.area or "",
        }
    elif section == codes.PLACE:
        given = {"swdd": death.place or "", "swyy": death.cause or ""}
    elif section == codes.APPLICANT and (applicant := application.applicant) is not None:
        given = {
            "xm": applicant.name,
            "zjhm": applicant.id_number or "",
            "lxdh": applicant.phone or "",
            "gx": codes.RELATIONS.get(applicant.relation, "99") if applicant.relation else "",
        }
    elif section == codes.ACCOUNT and application.account is not None:
        given = _bank(application.account)
    return {} if given is None else {section: given}


def _paper(certificate: Certificate) -> dict[str, str]:
    kinds = {kind: code for code, kind in codes.CERTIFICATES.items()}
    return {
        "zzlx": kinds.get(certificate.type, "QT99"),
        "zzbh": certificate.number,
        "bfsj": _time_text(certificate.issued_at),
        "bfjg": certificate.issuer or "",
    }


def _bank(account: Account) -> dict[str, str]:
    return {"hm": account.holder, "zh": account.number, "yh": account.bank or "", "wd": account.branch or ""}


def _time_text(moment: datetime) -> str:
    return local_text(moment, TIME)[:23]


def _digest(data: str) -> str:
    return hashlib.sha256(data.encode("utf-8", "surrogatepass")).hexdigest()


def _signature(header: Mapping[str, str], names: Sequence[str], secret: str) -> str:
    signed = "\n".join(header[name] for name in names)
    return hmac.new(secret.encode(), signed.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def opened(answer: bytes, request_id: str, secret: str) -> dict[str, Any]:
    """The data of an answer.  Also raises the error their code stands for."""
    header, data = _parts(answer)
    code = field(header, "code", str)
    if code != codes.TAKEN:
        error, wording = codes.known(codes.ERRORS, code, "code of an answer")
        raise error(f"{code} {wording}")
    _check(header, SIGNED_IN, data, secret)
    if header["requestId"] != request_id:
        raise DepartmentUnintelligible("the answer belongs to another request")
    return loaded(data)


def receipt(data: dict[str, Any], key: str) -> Receipt:
    """Answer to ZD1001."""
    if field(data, "ywlsh", str) != key:
        raise DepartmentUnintelligible("the answer belongs to another application")
    status = field(data, "ztdm", str)
    outcome, wording = codes.known(codes.OUTCOMES, status, "ztdm")
    return Receipt(outcome, field(data, "slbh", str) or None, status, wording)


def records(data: dict[str, Any]) -> list[Record]:
    """Answer to ZD1002."""
    return [_record(row) for row in list_of(data, "jgList", dict)]


def ordered(data: dict[str, Any]) -> Receipt:
    """Answer to ZD1003."""
    state = field(data, "zjzt", str)
    codes.known(codes.SUM_STATES, state, "zjzt")
    return Receipt(Outcome.RECEIVED, field(data, "zjbh", str), state)


def back_flow(message: bytes, secret: str) -> Callback:
    """ZD2001, sent by the hub; ``requestId`` is its own serial."""
    header, data = _parts(message)
    if header.get("serviceCode") != BACK_FLOW:
        raise DepartmentUnintelligible("serviceCode is not ZD2001")
    _check(header, SIGNED_OUT, data, secret)
    return Callback(header["requestId"], tuple(records(loaded(data))))


def _parts(message: bytes) -> tuple[dict[str, Any], str]:
    whole = loaded(message)
    return field(whole, "header", dict), field(whole, "data", str)


def _check(header: dict[str, Any], names: Sequence[str], data: str, secret: str) -> None:
    for name in (*names, "signature"):
        field(header, name, str)
    if header["digest"] != _digest(data):
        raise DepartmentUnintelligible("digest does not fit the data")
    given, wanted = header["signature"].encode("utf-8", "replace"), _signature(header, names, secret).encode()
    if not secret or not hmac.compare_digest(given, wanted):
        raise DepartmentUnintelligible("signature does not fit the header")


def _record(row: dict[str, Any]) -> Record:
    status = field(row, "ztdm", str)
    outcome, wording = codes.known(codes.OUTCOMES, status, "ztdm")
    return Record(
        key=field(row, "ywlsh", str),
        outcome=outcome,
        raw_code=status,
        raw_message=wording + codes.known(codes.ROUTES, field(row, "ly", str), "ly"),
        updated_at=_time(row, "gxsj"),
        reference=field(row, "slbh", str) or None,
        reason=field(row, "yj", str) or None,
        missing=tuple(list_of(row, "bzcl", str)),
        payments=tuple(_payment(item) for item in list_of(row, "zjxx", dict)),
        certificates=tuple(_certificate(item) for item in list_of(row, "zzxx", dict)),
        details=_details(field(row, "jgxx", dict)),
    )


def _certificate(paper: dict[str, Any]) -> Certificate:
    return Certificate(
        type=codes.known(codes.CERTIFICATES, field(paper, "zzlx", str), "zzlx"),
        number=field(paper, "zzbh", str),
        issued_at=_time(paper, "bfsj"),
        issuer=field(paper, "bfjg", str) or None,
    )


def _payment(item: dict[str, Any]) -> Payment:
    kind, _ = codes.known(codes.SUMS, field(item, "zjlb", str), "zjlb")
    amount = fen(field(item, "je", str))
    if amount < 0 and kind != codes.BALANCE:
        raise DepartmentUnintelligible("je is negative")
    return Payment(
        serial=field(item, "zjbh", str),
        kind=kind,
        fen=amount,
        state=codes.known(codes.SUM_STATES, field(item, "zjzt", str), "zjzt"),
        at=_time(item, "gxsj"),
        reason=field(item, "sm", str) or None,
    )


def _details(result: dict[str, Any]) -> dict[str, str]:
    """``answer`` (遗嘱公证核查), ``companies`` (股权登记), ``effectiveMonth``: first month without it, ``2025-12``."""
    details: dict[str, str] = {}
    if "yzgz" in result:
        details["answer"] = field(result, "yzgz", str)
    if "gqdj" in result:
        details["companies"] = "；".join(map(_company, list_of(result, "gqdj", dict))) or "未查询到股权登记信息"
    if "zzny" in result:
        month = MONTH.fullmatch(field(result, "zzny", str))
        if month is None:
            raise DepartmentUnintelligible("zzny is not a month")
        details["effectiveMonth"] = f"{month[1]}-{month[2]}"
    return details


def _company(row: dict[str, Any]) -> str:
    name, share = field(row, "qymc", str), field(row, "czbl", str)
    if share and not SHARE.fullmatch(share):
        raise DepartmentUnintelligible("czbl is not a percentage")
    return f"{name}（出资比例{share}%）" if share else name


def _time(node: dict[str, Any], name: str) -> datetime:
    return local_time(field(node, name, str), TIME)
