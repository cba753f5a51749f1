"""Messages of the medical-insurance platform, out and in.

Amounts are JSON numbers in yuan with at most two decimals and are read as ``Decimal``; times are integer
milliseconds since the epoch.  Every function that reads raises ``DepartmentUnintelligible`` on anything that is
not the platform's format, and names fields, never their content.

``rpt_cnt`` counts corrections (``memo`` says why); a reversal has ``oprt_type`` 2, the original's ``init_matn_sn`` and
``undo_rea``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.kit.json import field, list_of, loaded
from adapters.kit.values import fen, yuan
from adapters.medical_insurance import codes
from gateway.domain.department import (
    Application,
    Callback,
    DepartmentUnintelligible,
    Outcome,
    Payment,
    PaymentInstruction,
    Receipt,
    Record,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AMOUNT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,2})?")
MONTH = re.compile(r"([0-9]{4})(0[1-9]|1[0-2])")


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def signature(body: bytes, secret: str) -> str:
    """HMAC-SHA256 of the body, in hex, for the header ``X-Sign``."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def submission(application: Application) -> bytes:
    """2505: reports one matter.  ``matn_sn``, the sender's serial, makes it one matter there."""
    deceased, death, applicant = application.deceased, application.death, application.applicant
    given: dict[str, Any] = {
        "matn": {
            "matn_sn": application.key,
            "matn_type": codes.BUSINESS[application.item],
            "case_no": application.case_number,
            "admdvs": application.area,
            "rpt_time": _millis(application.pushed_at),
            "rpt_cnt": application.correction,
            "memo": application.correction_answer or "",
            "oprt_type": codes.UNDO if application.reverses else codes.HANDLE,
            "init_matn_sn": application.reverses or "",
            "undo_rea": application.reversal_reason or "",
        },
        "psninfo": {
            "psn_cert_type": codes.ID_KINDS.get(deceased.id_kind, codes.ID_KINDS["OTHER"]),
            "certno": deceased.id_number or "",
            "psn_name": deceased.name or "",
            "gend": codes.SEXES.get(deceased.sex, codes.SEXES["UNKNOWN"]),
            "brdy": deceased.birth_date.isoformat() if deceased.birth_date else "",
            "dth_time": _millis(death.occurred_at) if death.occurred_at else None,
            "dth_certs": [
                {"cert_type": certificate.type, "cert_no": certificate.number}
                for certificate in application.certificates
            ],
        },
    }
    if applicant is not None:
        given["agnter"] = {
            "agnter_name": applicant.name,
            "agnter_certno": applicant.id_number or "",
            "agnter_tel": applicant.phone or "",
            "agnter_rlts": applicant.relation or "",
        }
    if application.account is not None:
        given["acctinfo"] = {
            "acct_name": application.account.holder,
            "acct_no": application.account.number,
            "bank_name": _bank(application.account.bank, application.account.branch),
        }
    return _message("2505", application.key, given)


def enquiry(keys: Sequence[str], asked_at: datetime) -> bytes:
    """5205: asks for the records of up to 500 matters."""
    return _message("5205", str(_millis(asked_at)), {"matn_sns": list(keys)})


def order(instruction: PaymentInstruction) -> bytes:
    """2506: the account a sum is to be paid to.

    ``pay_amt`` goes through a float, which prints its shortest text: exact for every sum below 10^13 yuan.
    """
    account = instruction.account
    given = {
        "ord_sn": instruction.key,
        "matn_sn": instruction.application_key,
        "pay_sn": instruction.serial,
        "pay_amt": float(yuan(instruction.fen)),
        "acct_name": account.holder,
        "acct_no": account.number,
        "bank_name": _bank(account.bank, account.branch),
    }
    return _message("2506", instruction.key, {"payord": given})


def acknowledgement(error: str | None) -> bytes:
    """Answer to 9101."""
    code, text = (codes.TAKEN, "") if error is None else (-4, error)
    return json.dumps({"infcode": code, "err_msg": text, "output": {}}, ensure_ascii=False).encode()


def _message(number: str, serial: str, given: dict[str, Any]) -> bytes:
    return json.dumps({"infno": number, "msgid": serial, "input": given}, ensure_ascii=False).encode()


def _millis(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _bank(bank: str | None, branch: str | None) -> str:
    return f"{bank or ''}{branch or ''}"


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def receipt(answer: bytes) -> Receipt:
    """Answer to 2505.  Also raises the error their ``infcode`` stands for."""
    output = _answered(answer)
    status = field(output, "matn_stas", str)
    outcome, wording = codes.known(codes.OUTCOMES, status, "matn_stas")
    return Receipt(outcome, field(output, "acp_no", str), status, wording)


def records(answer: bytes) -> list[Record]:
    """Answer to 5205.  Also raises the error their ``infcode`` stands for."""
    return [_record(row) for row in list_of(_answered(answer), "matns", dict)]


def ordered(answer: bytes) -> Receipt:
    """Answer to 2506.  Also raises the error their ``infcode`` stands for."""
    output = _answered(answer)
    state = field(output, "pay_stas", str)
    codes.known(codes.SUM_STATES, state, "pay_stas")
    return Receipt(Outcome.RECEIVED, field(output, "pay_sn", str), state)


def notification(message: bytes) -> Callback:
    """9101, sent by the platform; ``msgid`` is its own serial."""
    body = loaded(message, parse_float=Decimal)
    if body.get("infno") != "9101":
        raise DepartmentUnintelligible("infno is not 9101")
    rows = list_of(field(body, "input", dict), "matns", dict)
    return Callback(field(body, "msgid", str), tuple(_record(row) for row in rows))


def _answered(answer: bytes) -> dict[str, Any]:
    body = loaded(answer, parse_float=Decimal)
    code = field(body, "infcode", int)
    if code != codes.TAKEN:
        error, wording = codes.known(codes.ERRORS, code, "infcode")
        raise error(f"{code} {wording}")
    return field(body, "output", dict)


def _record(row: dict[str, Any]) -> Record:
    status = field(row, "matn_stas", str)
    outcome, wording = codes.known(codes.OUTCOMES, status, "matn_stas")
    return Record(
        key=field(row, "matn_sn", str),
        outcome=outcome,
        raw_code=status,
        raw_message=wording,
        updated_at=_time(row, "updt_time"),
        reference=field(row, "acp_no", str),
        reason=field(row, "memo", str) or None,
        missing=tuple(list_of(row, "mtrl", str)),
        payments=tuple(_payment(pay) for pay in list_of(row, "pays", dict)),
        details=_details(row),
    )


def _details(row: dict[str, Any]) -> dict[str, str]:
    """``insuranceType``; ``effectiveMonth``, ``2025-12``: the first month without the benefit."""
    details: dict[str, str] = {}
    if "insutype" in row:
        kind = field(row, "insutype", str)
        details["insuranceType"] = codes.known(codes.INSURANCES, kind, "insutype")
    if "end_ym" in row:
        month = MONTH.fullmatch(field(row, "end_ym", str))
        if month is None:
            raise DepartmentUnintelligible("end_ym is not a month")
        details["effectiveMonth"] = f"{month[1]}-{month[2]}"
    return details


def _payment(pay: dict[str, Any]) -> Payment:
    kind = codes.known(codes.SUMS, field(pay, "pay_type", str), "pay_type")
    amount = _amount(pay, "pay_amt")
    if amount < 0 and kind != codes.BALANCE:
        raise DepartmentUnintelligible("pay_amt is negative")
    return Payment(
        serial=field(pay, "pay_sn", str),
        kind=kind,
        fen=amount,
        state=codes.known(codes.SUM_STATES, field(pay, "pay_stas", str), "pay_stas"),
        at=_time(pay, "opt_time"),
        reason=field(pay, "memo", str) or None,
    )


def _amount(node: dict[str, Any], name: str) -> int:
    """Fen; negative where the account settled negative (WZ-344)."""
    value = node.get(name)
    if type(value) not in (int, Decimal) or not AMOUNT.fullmatch(text := str(value)):
        raise DepartmentUnintelligible(f"{name} is not an amount")
    return fen(text)


def _time(node: dict[str, Any], name: str) -> datetime:
    try:
        return EPOCH + timedelta(milliseconds=field(node, name, int))
    except OverflowError as error:
        raise DepartmentUnintelligible(f"{name} is outside the calendar") from error
