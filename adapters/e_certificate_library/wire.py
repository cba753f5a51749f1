"""Messages of the library: a signed JSON question about holders, a JSON answer.

Every function that reads raises ``DepartmentUnintelligible`` on anything that is not the library's format, and names
fields, never their content.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, hmac

from adapters.e_certificate_library import codes
from adapters.kit.json import field, list_of, loaded
from gateway.domain.department import Certificate, DepartmentUnintelligible, Holding

MOMENT = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+08:00")


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def question(id_numbers: Sequence[str]) -> bytes:
    """Up to 100 holders, by ID number, and the types of paper that matter here."""
    asked = {"purpose": codes.PURPOSE, "holderCodes": list(id_numbers), "licenseTypes": list(codes.TYPES)}
    return json.dumps(asked, ensure_ascii=False).encode("utf-8", "replace")


def headers(body: bytes, nonce: str, asked_at: datetime, secret: str) -> dict[str, str]:
    """``X-Sign`` is the HMAC-SM3, in Base64, of application, time, nonce and body."""
    stamp = str(int(asked_at.timestamp() * 1000))
    signer = hmac.HMAC(secret.encode(), hashes.SM3())
    signer.update(f"{codes.APP_ID}\n{stamp}\n{nonce}\n".encode() + body)
    sign = base64.b64encode(signer.finalize()).decode()
    return {"X-App-Id": codes.APP_ID, "X-Timestamp": stamp, "X-Nonce": nonce, "X-Sign": sign}


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def holdings(answer: bytes) -> dict[str, Holding]:
    """Holders the library knows, by ID number.  Also raises the error their code stands for."""
    body = loaded(answer)
    code = field(body, "code", int)
    if code != codes.TAKEN:
        error, wording = codes.known(codes.ERRORS, code, "code of an answer")
        raise error(f"{code} {wording}")
    data = field(body, "data", dict)
    holders = list_of(data, "holders", dict)
    if field(data, "count", int) != len(holders):
        raise DepartmentUnintelligible("count is not the number of holders")
    found = [_holding(holder) for holder in holders]
    return {holding.id_number: holding for holding in found}


def _holding(holder: dict[str, Any]) -> Holding:
    basic = field(holder, "basic", dict)
    papers = [paper for paper in list_of(holder, "licenses", dict) if _counts(paper)]
    types, nation = {paper["typeCode"] for paper in papers}, field(basic, "nationCode", str)
    return Holding(
        id_number=field(holder, "holderCode", str).upper(),
        name=field(basic, "name", str) or None,
        sex=codes.known(codes.SEXES, field(basic, "genderCode", str), "genderCode"),
        birth_date=_day(basic, "birthDate"),
        ethnicity=codes.known(codes.ETHNICITIES, nation, "nationCode") if nation else None,
        hukou_area=field(basic, "domicileCode", str) or None,
        hukou_address=field(basic, "domicileAddress", str) or None,
        died_at=_first(papers, "deathTime", _moment),
        death_area=_first(papers, "deathArea", _text),
        cremation_area=_first(papers, "cremationArea", _text),
        certificates=tuple(_certificate(paper) for paper in papers if paper["typeCode"] in codes.CERTIFICATES),
        materials=tuple(code for kind, given in codes.MATERIALS.items() if kind in types for code in given),
    )


def _counts(paper: dict[str, Any]) -> bool:
    if field(paper, "typeCode", str) not in codes.TYPES:
        raise DepartmentUnintelligible("unknown typeCode: a type that was not asked for")
    return codes.known(codes.VALID, field(paper, "status", str), "status of a paper")


def _certificate(paper: dict[str, Any]) -> Certificate:
    return Certificate(
        type=codes.CERTIFICATES[paper["typeCode"]],
        number=_text(paper, "licenseNo"),
        issued_at=_moment(paper, "issueTime"),
        issuer=field(paper, "issuer", str) or None,
    )


def _first(papers: Sequence[dict[str, Any]], name: str, read: Any) -> Any:
    """The field on the face (照面) of the first paper that has it."""
    faces = (field(paper, "surface", dict) for paper in papers)
    return next((read(face, name) for face in faces if name in face), None)


def _day(node: dict[str, Any], name: str) -> date | None:
    value = field(node, name, str)
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise DepartmentUnintelligible(f"{name} is not a date") from None


def _moment(node: dict[str, Any], name: str) -> datetime:
    value = field(node, name, str)
    try:
        if MOMENT.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        pass
    raise DepartmentUnintelligible(f"{name} is not a time")


def _text(node: dict[str, Any], name: str) -> str:
    value = field(node, name, str)
    if not value:
        raise DepartmentUnintelligible(f"{name} is empty")
    return value
