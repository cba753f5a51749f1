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
from typing import Any, TypeVar

from cryptography.hazmat.primitives import hashes, hmac

from adapters.e_certificate_library import codes
from adapters.kit.json import loads
from gateway.domain.department import Certificate, DepartmentUnintelligible, Holding

MOMENT = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+08:00")
T = TypeVar("T")


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
    body = _loaded(answer)
    code = _field(body, "code", int)
    if code != codes.TAKEN:
        error, wording = codes.known(codes.ERRORS, code, "code of an answer")
        raise error(f"{code} {wording}")
    data = _field(body, "data", dict)
    holders = _list(data, "holders", dict)
    if _field(data, "count", int) != len(holders):
        raise DepartmentUnintelligible("count is not the number of holders")
    found = [_holding(holder) for holder in holders]
    return {holding.id_number: holding for holding in found}


def _holding(holder: dict[str, Any]) -> Holding:
    basic = _field(holder, "basic", dict)
    papers = [paper for paper in _list(holder, "licenses", dict) if _counts(paper)]
    types, nation = {paper["typeCode"] for paper in papers}, _field(basic, "nationCode", str)
    return Holding(
        id_number=_field(holder, "holderCode", str).upper(),
        name=_field(basic, "name", str) or None,
        sex=codes.known(codes.SEXES, _field(basic, "genderCode", str), "genderCode"),
        birth_date=_day(basic, "birthDate"),
        ethnicity=codes.known(codes.ETHNICITIES, nation, "nationCode") if nation else None,
        hukou_area=_field(basic, "domicileCode", str) or None,
        hukou_address=_field(basic, "domicileAddress", str) or None,
        died_at=_first(papers, "deathTime", _moment),
        death_area=_first(papers, "deathArea", _text),
        cremation_area=_first(papers, "cremationArea", _text),
        certificates=tuple(_certificate(paper) for paper in papers if paper["typeCode"] in codes.CERTIFICATES),
        materials=tuple(code for kind, given in codes.MATERIALS.items() if kind in types for code in given),
    )


def _counts(paper: dict[str, Any]) -> bool:
    if _field(paper, "typeCode", str) not in codes.TYPES:
        raise DepartmentUnintelligible("unknown typeCode: a type that was not asked for")
    return codes.known(codes.VALID, _field(paper, "status", str), "status of a paper")


def _certificate(paper: dict[str, Any]) -> Certificate:
    return Certificate(
        type=codes.CERTIFICATES[paper["typeCode"]],
        number=_text(paper, "licenseNo"),
        issued_at=_moment(paper, "issueTime"),
        issuer=_field(paper, "issuer", str) or None,
    )


def _first(papers: Sequence[dict[str, Any]], name: str, read: Any) -> Any:
    """The field on the face (照面) of the first paper that has it."""
    faces = (_field(paper, "surface", dict) for paper in papers)
    return next((read(face, name) for face in faces if name in face), None)


def _loaded(answer: bytes) -> dict[str, Any]:
    try:
        whole = loads(answer)
    except (ValueError, RecursionError) as error:
        raise DepartmentUnintelligible("not JSON") from error
    if not isinstance(whole, dict):
        raise DepartmentUnintelligible("not a JSON object")
    return whole


def _day(node: dict[str, Any], name: str) -> date | None:
    value = _field(node, name, str)
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise DepartmentUnintelligible(f"{name} is not a date") from None


def _moment(node: dict[str, Any], name: str) -> datetime:
    value = _field(node, name, str)
    try:
        if MOMENT.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        pass
    raise DepartmentUnintelligible(f"{name} is not a time")


def _text(node: dict[str, Any], name: str) -> str:
    value = _field(node, name, str)
    if not value:
        raise DepartmentUnintelligible(f"{name} is empty")
    return value


def _list(node: dict[str, Any], name: str, kind: type[T]) -> list[T]:
    values = _field(node, name, list)
    if not all(type(value) is kind for value in values):
        raise DepartmentUnintelligible(f"{name} is not a list of {kind.__name__}")
    return values


def _field(node: dict[str, Any], name: str, kind: type[T]) -> T:
    """The field, of exactly that JSON kind."""
    value = node.get(name)
    if type(value) is not kind:
        raise DepartmentUnintelligible(f"{name} is missing or not a {kind.__name__}")
    return value
