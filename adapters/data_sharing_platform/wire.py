"""Messages of the sharing platform: SOAP out and in, one row per entry of a resource.

Times are Asia/Shanghai local; the two resources write them differently.  Every function that reads raises
``DepartmentUnintelligible`` on anything that is not the platform's format, and names fields, never their content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from lxml import etree

from adapters.data_sharing_platform import codes
from adapters.kit import xml
from adapters.kit.values import local_text, local_time
from gateway.domain.department import Certificate, DepartmentUnintelligible, Holding

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = "http://dsp.wenzhou.gov.cn/resource"
DEATH_TIME, CREMATION_TIME, STAMP = "%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S", "%Y%m%d%H%M%S"


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def token_request(asked_at: datetime, secret: str) -> bytes:
    """``getToken``: signed with the application's secret."""
    stamp = local_text(asked_at, STAMP)
    sign = hashlib.sha256(f"{codes.APP_KEY}{stamp}{secret}".encode()).hexdigest()
    return _envelope("getToken", [("appKey", codes.APP_KEY), ("timestamp", stamp), ("sign", sign)], None)


def query(id_numbers: Sequence[str], token: str) -> bytes:
    """``query``: both resources of up to 200 persons in one call."""
    fields = [("resource", codes.DEATHS), ("resource", codes.CREMATIONS)]
    return _envelope("query", [*fields, *(("SFZHM", number) for number in id_numbers)], token)


def _envelope(operation: str, fields: Sequence[tuple[str, str]], token: str | None) -> bytes:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "dsp": SERVICE})
    if token is not None:
        etree.SubElement(etree.SubElement(envelope, f"{{{SOAP}}}Header"), f"{{{SERVICE}}}token").text = token
    call = etree.SubElement(etree.SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{SERVICE}}}{operation}")
    for name, value in fields:
        etree.SubElement(call, name).text = value
    return bytes(etree.tostring(envelope, encoding="UTF-8", xml_declaration=True))


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def token(answer: bytes) -> str:
    """Answer to ``getToken``.  Also raises the error their code stands for."""
    return _need(_answered(answer, "getTokenResponse"), "token")


def stale(answer: bytes) -> bool:
    """Whether the platform does not know our token any more."""
    return xml.text(_response(answer, "queryResponse"), "code") == codes.STALE


def holdings(answer: bytes) -> dict[str, Holding]:
    """Answer to ``query``, by ID number.  Also raises the error their code stands for."""
    response = _answered(answer, "queryResponse")
    deaths, cremations = _rows(response, codes.DEATHS), _rows(response, codes.CREMATIONS)
    return {number: _holding(number, deaths, cremations) for number in {**deaths, **cremations}}


Rows = Mapping[str, list[etree._Element]]


def _holding(number: str, deaths: Rows, cremations: Rows) -> Holding:
    """The newest entry of each resource describes the person; every certificate that stands is named."""
    died = sorted(deaths.get(number, []), key=lambda row: xml.text(row, "QFSJ"))
    burnt = sorted(cremations.get(number, []), key=lambda row: xml.text(row, "HHSJ"))
    certificates = [_death_certificate(row) for row in died] + [_cremation(row) for row in burnt]
    last = died[-1] if died else burnt[-1]
    return Holding(
        id_number=number,
        name=xml.text(last, "XM") or None,
        sex=codes.known(codes.SEXES, _need(last, "XBDM"), "XBDM") if died else None,
        birth_date=_day(last, "CSRQ") if died else None,
        hukou_area=(xml.text(last, "HJQH") or None) if died else None,
        died_at=_moment(last, "SWSJ", DEATH_TIME) if died else None,
        death_area=(xml.text(last, "SWQH") or None) if died else None,
        cremation_area=_need(burnt[-1], "BYGQH") if burnt else None,
        certificates=tuple(certificates),
    )


def _death_certificate(row: etree._Element) -> Certificate:
    return Certificate(
        type=codes.known(codes.CERTIFICATES, _need(row, "ZMLX"), "ZMLX"),
        number=_need(row, "ZMBH"),
        issued_at=_moment(row, "QFSJ", DEATH_TIME),
        issuer=xml.text(row, "QFJG") or None,
    )


def _cremation(row: etree._Element) -> Certificate:
    """火化证明, issued when the funeral home entered the cremation."""
    return Certificate("CREMATION", _need(row, "HHZBH"), _moment(row, "HHSJ", CREMATION_TIME), _need(row, "BYGMC"))


def _rows(response: etree._Element, resource: str) -> dict[str, list[etree._Element]]:
    """Rows that stand, by person; all that the platform counted, or it is half an answer."""
    sets = [node for node in response.findall("dataset") if node.get("resource") == resource]
    if len(sets) != 1:
        raise DepartmentUnintelligible("a resource that was asked for is missing, or there twice")
    rows = sets[0].findall("row")
    if sets[0].get("total") != str(len(rows)):
        raise DepartmentUnintelligible("total is not the number of rows")
    found: dict[str, list[etree._Element]] = {}
    for row in rows:
        if codes.known(codes.VALID, _need(row, "SJZT"), "SJZT"):
            found.setdefault(_need(row, "SFZHM").upper(), []).append(row)
    return found


def _answered(answer: bytes, operation: str) -> etree._Element:
    response = _response(answer, operation)
    code = _need(response, "code")
    if code != codes.TAKEN:
        error, wording = codes.known(codes.ERRORS, code, "code")
        raise error(f"{code} {wording}")
    return response


def _response(answer: bytes, operation: str) -> etree._Element:
    found = xml.parse(answer).find(f"{{{SOAP}}}Body/{{{SERVICE}}}{operation}")
    if found is None:
        raise DepartmentUnintelligible(f"not a {operation}")
    return found


def _day(row: etree._Element, name: str) -> date | None:
    value = xml.text(row, name)
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise DepartmentUnintelligible(f"{name} is not a date") from None


def _moment(row: etree._Element, name: str, pattern: str) -> datetime:
    return local_time(_need(row, name), pattern)


def _need(node: etree._Element, name: str) -> str:
    value = xml.text(node, name)
    if not value:
        raise DepartmentUnintelligible(f"{name} is missing")
    return value
