"""Resources of the funeral information system, out and in.

Times are Asia/Shanghai local without zone, ``2025-11-09T10:20:00``; money is a text in yuan with two places.
Every function that reads raises ``DepartmentUnintelligible`` on anything that is not the system's format, and
names fields, never their content.

``resubmit_count`` counts corrections (``resubmit_note`` says why); a reversal has ``revocation`` with the original's
``origin_no`` and ``reason``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from adapters.civil_affairs import codes
from adapters.kit.json import field, list_of, loaded, optional
from adapters.kit.values import CHINA, fen, local_text, local_time, yuan
from gateway.domain.department import (
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

TIME = "%Y-%m-%dT%H:%M:%S"
AMOUNT = re.compile(r"[0-9]{1,13}\.[0-9]{2}")


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def submission(application: Application) -> bytes:
    """PUT of one application; its key is in the address.  A body without identity (HZ-104) is ``unidentified``."""
    deceased, death, applicant = application.deceased, application.death, application.applicant
    body: dict[str, Any] = {
        "biz_type": codes.BUSINESS[application.item],
        "case_no": application.case_number,
        "area_code": application.area,
        "submitted_at": local_text(application.pushed_at, TIME),
        "resubmit_count": application.correction,
        "resubmit_note": application.correction_answer,
        "decedent": {
            "unidentified": deceased.id_kind == "UNKNOWN",
            "name": deceased.name,
            "id_type": codes.ID_KINDS.get(deceased.id_kind, codes.ID_KINDS["OTHER"]),
            "id_no": deceased.id_number,
            "gender": codes.SEXES.get(deceased.sex, codes.SEXES["UNKNOWN"]),
            "birth_date": deceased.birth_date.isoformat() if deceased.birth_date else None,
            "ethnic_group": deceased.ethnicity,
            "register_area": deceased.hukou_area,
            "register_address": deceased.hukou_address,
        },
        "death": {
            "category": codes.DEATH_KINDS.get(death.kind),
            "died_at": local_text(death.occurred_at, TIME) if death.occurred_at else None,
            "area_code": death.area,
            "place": death.place,
            "cause": death.cause,
        },
        "certificates": [
            {
                "cert_type": codes.CERTIFICATES[certificate.type],
                "cert_no": certificate.number,
                "issued_at": local_text(certificate.issued_at, TIME),
                "issuer": certificate.issuer,
            }
            for certificate in application.certificates
            if certificate.type in codes.CERTIFICATES
        ],
        "service": _service(application),
    }
    if applicant is not None:
        body["contact"] = {
            "name": applicant.name,
            "id_no": applicant.id_number,
            "phone": applicant.phone,
            "relation": applicant.relation,
            "address": applicant.address,
        }
    if application.reverses is not None:
        body["revocation"] = {"origin_no": application.reverses, "reason": application.reversal_reason}
    return _written(body)


def search(keys: Sequence[str]) -> bytes:
    """POST that asks for the records of up to 500 applications."""
    return _written({"external_nos": list(keys)})


def account(instruction: PaymentInstruction) -> bytes:
    """PUT of the account a reward is to be paid to."""
    return _written(
        {
            "order_no": instruction.key,
            "amount": yuan(instruction.fen),
            "holder": instruction.account.holder,
            "account_no": instruction.account.number,
            "bank": instruction.account.bank or "",
            "branch": instruction.account.branch or "",
        }
    )


def acknowledgement(error: str | None) -> bytes:
    """Answer to an event."""
    return _written({"code": 0, "message": "ok"} if error is None else {"code": 40001, "message": error})


def _service(application: Application) -> dict[str, str]:
    wanted = {codes.FORM[path]: value for path, value in application.details.items() if path in codes.FORM}
    if "pickup_time" in wanted:
        wanted["pickup_time"] = _without_zone(wanted["pickup_time"])
    return wanted


def _without_zone(moment: str) -> str:
    """An ISO time or date of the form in the system's local time; what is neither goes as it is."""
    try:
        parsed = datetime.fromisoformat(moment)
        return local_text(parsed if parsed.tzinfo else parsed.replace(tzinfo=CHINA), TIME)
    except (ValueError, OverflowError):
        return moment


def _written(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def receipt(answer: bytes) -> Receipt:
    """Answer to the PUT of an application.  Also raises the error their code stands for."""
    data = _answered(answer)
    status = field(data, "status", int)
    outcome, wording = codes.known(codes.OUTCOMES, status, "status")
    return Receipt(outcome, field(data, "accept_no", str), str(status), wording)


def records(answer: bytes) -> list[Record]:
    """Answer to a search.  Also raises the error their code stands for."""
    return [_record(item) for item in list_of(_answered(answer), "items", dict)]


def instructed(answer: bytes) -> Receipt:
    """Answer to the PUT of an account.  Also raises the error their code stands for."""
    grant = _answered(answer)
    state = field(grant, "pay_status", int)
    codes.known(codes.GRANT_STATES, state, "pay_status")
    return Receipt(Outcome.RECEIVED, field(grant, "grant_no", str), str(state))


def event(message: bytes) -> Callback:
    """``application.changed``, sent by the system."""
    body = loaded(message)
    if body.get("event_type") != "application.changed":
        raise DepartmentUnintelligible("event_type is not application.changed")
    return Callback(field(body, "event_id", str), (_record(field(body, "data", dict)),))


def _answered(answer: bytes) -> dict[str, Any]:
    body = loaded(answer)
    code = field(body, "code", int)
    if code != codes.TAKEN:
        error, wording = codes.known(codes.ERRORS, code, "code")
        raise error(f"{code} {wording}")
    return field(body, "data", dict)


def _record(item: dict[str, Any]) -> Record:
    status = field(item, "status", int)
    outcome, wording = codes.known(codes.OUTCOMES, status, "status")
    certificate, result = item.get("certificate"), field(item, "result", dict)
    times = {ours: _time(result, name) for name, ours in codes.RESULT_TIMES.items() if name in result}
    texts = {ours: field(result, name, str) for name, ours in codes.RESULT_TEXTS.items() if name in result}
    return Record(
        key=field(item, "external_no", str),
        outcome=outcome,
        raw_code=str(status),
        raw_message=wording,
        updated_at=_time(item, "updated_at"),
        reference=field(item, "accept_no", str),
        reason=optional(item, "opinion"),
        missing=tuple(list_of(item, "materials_required", str)),
        payments=tuple(_payment(grant) for grant in list_of(item, "grants", dict)),
        certificates=() if certificate is None else (_certificate(field(item, "certificate", dict)),),
        details={name: moment.astimezone(CHINA).isoformat() for name, moment in times.items()} | texts,
    )


def _certificate(certificate: dict[str, Any]) -> Certificate:
    """火化证明."""
    return Certificate(
        type="CREMATION",
        number=field(certificate, "cert_no", str),
        issued_at=_time(certificate, "issued_at"),
        issuer=field(certificate, "issuer", str),
    )


def _payment(grant: dict[str, Any]) -> Payment:
    amount = field(grant, "amount", str)
    if not AMOUNT.fullmatch(amount):
        raise DepartmentUnintelligible("amount is not a sum of money with two places")
    return Payment(
        serial=field(grant, "grant_no", str),
        kind=codes.known(codes.GRANTS, field(grant, "grant_type", int), "grant_type"),
        fen=fen(amount),
        state=codes.known(codes.GRANT_STATES, field(grant, "pay_status", int), "pay_status"),
        at=_time(grant, "changed_at"),
        reason=optional(grant, "fail_reason"),
    )


def _time(node: dict[str, Any], name: str) -> datetime:
    return local_time(field(node, name, str), TIME)
