"""Messages of the provincial platform: a signed form out, signed JSON in.

``sign`` is SHA-256, in capitals, over secret + parameters sorted by name + secret; the answer's is over secret +
nonce + content + secret.  Every function that reads raises ``DepartmentUnintelligible`` on anything that is not the
platform's format, and names fields, never their content.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from adapters.kit.json import field, list_of, loaded
from adapters.kit.values import CHINA, local_text
from adapters.provincial_platform import codes
from gateway.domain.department import Application, DepartmentUnintelligible, Receipt, Record

MOMENT = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}\+08:00")


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def call(method: str, content: dict[str, Any], nonce: str, sent_at: datetime, secret: str) -> bytes:
    """The form of one call."""
    form = {
        "app_id": codes.APP_ID,
        "method": method,
        "nonce": nonce,
        "timestamp": local_text(sent_at, "%Y-%m-%d %H:%M:%S"),
        "version": "1.0",
        "biz_content": json.dumps(content, ensure_ascii=False),
    }
    sign = _sign("".join(name + form[name] for name in sorted(form)), secret)
    return urlencode({**form, "sign": sign}, errors="replace").encode("ascii")


def submission(application: Application) -> dict[str, Any]:
    """Coding: the case and who applied.  Return: the code and the summary.  Nothing of the deceased is sent.

    ``outBizNo``, the sender's serial, makes it one record there.
    """
    content: dict[str, Any] = {
        "outBizNo": application.key,
        "outProjectNo": application.case_number,
        "regionCode": application.area,
        "applyTime": _time_text(application.pushed_at),
        "revision": application.correction,
    }
    if application.reverses is not None:
        return {**content, "cancelOf": application.reverses, "cancelReason": application.reversal_reason or ""}
    if codes.METHODS[application.item] == codes.RETURN:
        return {**content, "projectCode": _given(application, "caseCode"), "summary": _given(application, "summary")}
    if application.applicant is not None:
        content["applicant"] = {
            "name": application.applicant.name,
            "certNo": application.applicant.id_number or "",
            "mobile": application.applicant.phone or "",
        }
    return content


def enquiry(keys: Sequence[str]) -> dict[str, Any]:
    """Asks for the records of up to 500 serials."""
    return {"outBizNos": list(keys)}


def _given(application: Application, name: str) -> str:
    """A detail by the last part of its path: ``caseCode`` as well as ``item.case-coding.caseCode``."""
    return next((value for path, value in application.details.items() if path.rpartition(".")[2] == name), "")


def _time_text(moment: datetime) -> str:
    return moment.astimezone(CHINA).isoformat(timespec="milliseconds")


def _sign(text: str, secret: str) -> str:
    return hashlib.sha256(f"{secret}{text}{secret}".encode("utf-8", "replace")).hexdigest().upper()


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def opened(answer: bytes, nonce: str, secret: str) -> dict[str, Any]:
    """The content of an answer.  Also raises the error their ``errorCode`` stands for."""
    body = loaded(answer)
    if not field(body, "success", bool):
        code = field(body, "errorCode", str)
        error, wording = codes.known(codes.ERRORS, code, "errorCode")
        raise error(f"{code} {wording}")
    content, sign = field(body, "content", str), field(body, "sign", str)
    if not hmac.compare_digest(sign.encode("utf-8", "replace"), _sign(nonce + content, secret).encode()):
        raise DepartmentUnintelligible("sign does not fit the content")
    return loaded(content)


def receipt(content: dict[str, Any], key: str) -> Receipt:
    """Answer to a coding or a return: its record as it stands."""
    found = _record(field(content, "record", dict))
    if found.key != key:
        raise DepartmentUnintelligible("the answer belongs to another serial")
    return Receipt(found.outcome, found.reference, found.raw_code, found.raw_message)


def records(content: dict[str, Any]) -> list[Record]:
    """Answer to an enquiry."""
    return [_record(row) for row in list_of(content, "records", dict)]


def _record(row: dict[str, Any]) -> Record:
    state = field(row, "state", str)
    outcome, wording = codes.known(codes.OUTCOMES, state, "state")
    return Record(
        key=field(row, "outBizNo", str),
        outcome=outcome,
        raw_code=state,
        raw_message=wording,
        updated_at=_moment(row, "modifyTime"),
        reference=field(row, "platformNo", str),
        reason=field(row, "remark", str) or None,
        missing=tuple(list_of(row, "lackList", str)),
        details=_details(row),
    )


def _details(row: dict[str, Any]) -> dict[str, str]:
    """``caseCode``; ``terminals``: where the result is obtainable, by name."""
    details: dict[str, str] = {}
    if code := field(row, "projectCode", str):
        details["caseCode"] = code
    if terminals := list_of(row, "terminals", str):
        details["terminals"] = "、".join(codes.known(codes.TERMINALS, each, "terminal") for each in terminals)
    return details


def _moment(node: dict[str, Any], name: str) -> datetime:
    value = field(node, name, str)
    try:
        if MOMENT.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        pass
    raise DepartmentUnintelligible(f"{name} is not a time")
