"""Messages of the claims service, out and in.

Money is ``{"value": "50000.00", "currency": "CNY"}``; times are ISO 8601 with offset.  Every function that reads
raises ``DepartmentUnintelligible`` on anything that is not the service's format, and names fields, never their
content.

``revision`` counts corrections (``revisionNote`` says why); a reversal has ``voids`` with the original's
``externalRef`` and ``reason``, and ends as ``VOIDED``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from adapters.insurer import codes
from adapters.kit.json import field, list_of, loaded, optional
from adapters.kit.values import fen
from gateway.domain.department import Application, DepartmentUnintelligible, Payment, Receipt, Record

AMOUNT = re.compile(r"[0-9]{1,13}\.[0-9]{2}")
TOKEN = re.compile(r"[!-~]{1,4096}")
"""Visible ASCII: what may stand in a header."""


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def client(user: str, secret: str) -> bytes:
    """Form that asks for a token."""
    form = {"grant_type": "client_credentials", "client_id": user, "client_secret": secret}
    return urlencode(form).encode()


def claim(application: Application) -> bytes:
    """POST of one claim.  ``externalRef``, the sender's number, makes it one claim there."""
    deceased, death, applicant = application.deceased, application.death, application.applicant
    body: dict[str, Any] = {
        "externalRef": application.key,
        "claimType": codes.BUSINESS[application.item],
        "caseNumber": application.case_number,
        "regionCode": application.area,
        "submittedAt": _iso(application.pushed_at),
        "revision": application.correction,
        "revisionNote": application.correction_answer,
        "insured": {
            "name": deceased.name,
            "idType": deceased.id_kind,
            "idNumber": deceased.id_number,
            "gender": deceased.sex,
            "birthDate": deceased.birth_date.isoformat() if deceased.birth_date else None,
        },
        "event": {
            "occurredAt": _iso(death.occurred_at) if death.occurred_at else None,
            "accidental": death.kind == "ABNORMAL",
            "place": death.place,
            "cause": death.cause,
        },
        "documents": [
            {"type": document.type, "number": document.number, "issuedAt": _iso(document.issued_at)}
            for document in application.certificates
        ],
    }
    if applicant is not None:
        body["claimant"] = {
            "name": applicant.name,
            "idNumber": applicant.id_number,
            "phone": applicant.phone,
            "relationship": applicant.relation,
        }
    if application.account is not None:
        body["payee"] = {
            "accountName": application.account.holder,
            "accountNumber": application.account.number,
            "bankName": application.account.bank,
            "branchName": application.account.branch,
        }
    if application.reverses is not None:
        body["voids"] = {"externalRef": application.reverses, "reason": application.reversal_reason}
    return json.dumps(body, ensure_ascii=False).encode()


def batch(keys: Sequence[str]) -> bytes:
    """POST that asks for up to 500 claims."""
    return json.dumps({"externalRefs": list(keys)}).encode()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def token(answer: bytes) -> str:
    """The bearer token."""
    made = field(loaded(answer), "access_token", str)
    if not TOKEN.fullmatch(made):
        raise DepartmentUnintelligible("access_token is not a token")
    return made


def receipt(answer: bytes) -> Receipt:
    """Answer to the POST of a claim."""
    made = loaded(answer)
    status = field(made, "status", str)
    outcome, wording = codes.known(codes.OUTCOMES, status, "status")
    return Receipt(outcome, field(made, "claimNumber", str), status, wording)


def records(answer: bytes) -> list[Record]:
    """Answer to a batch."""
    return [_record(item) for item in list_of(loaded(answer), "claims", dict)]


def _record(item: dict[str, Any]) -> Record:
    """``answer``, in the details: the policies the insurer found."""
    status, findings = field(item, "status", str), optional(item, "findings")
    outcome, wording = codes.known(codes.OUTCOMES, status, "status")
    return Record(
        key=field(item, "externalRef", str),
        outcome=outcome,
        raw_code=status,
        raw_message=wording,
        updated_at=_time(item, "updatedAt"),
        reference=field(item, "claimNumber", str),
        reason=optional(item, "statusReason"),
        missing=tuple(list_of(item, "requiredDocuments", str)),
        payments=tuple(_payment(benefit) for benefit in list_of(item, "benefits", dict)),
        details={"answer": findings} if findings else {},
    )


def _payment(benefit: dict[str, Any]) -> Payment:
    amount = field(benefit, "amount", dict)
    value = field(amount, "value", str)
    if amount.get("currency") != "CNY" or not AMOUNT.fullmatch(value):
        raise DepartmentUnintelligible("amount is not a sum in CNY with two places")
    return Payment(
        serial=field(benefit, "benefitId", str),
        kind=codes.known(codes.BENEFITS, field(benefit, "type", str), "type of benefit"),
        fen=fen(value),
        state=codes.known(codes.BENEFIT_STATES, field(benefit, "status", str), "status of benefit"),
        at=_time(benefit, "changedAt"),
        reason=optional(benefit, "bounceReason"),
    )


def _time(node: dict[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(field(node, name, str))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise DepartmentUnintelligible(f"{name} is not a time with offset")
