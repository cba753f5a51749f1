"""The housing fund's messages, out and in.

A message is an 8-digit decimal length of the body in bytes, then the body: a fixed-width ASCII header, then
lines of GBK text separated by ``\\n``; a line is ``KEY=value`` fields separated by ``|``.  The header counts the
lines (TS).  GBK has trail bytes equal to ``|``, so the body is decoded before it is split.  Amounts are fen,
15 digits with leading zeros; times are local, yyyymmddHHMMSS.

BJCS counts corrections (BJSM says why); a reversal has CZLX 2, the original's YWBLSH and CXYY.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.kit.values import local_text, local_time
from gateway.domain.department import (
    Application,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Payment,
    PaymentInstruction,
    Record,
)

from . import codes

SUBMIT, QUERY, INSTRUCT = "6101", "6102", "6103"
HEADER = (("JYM", 4), ("FSF", 8), ("LSH", 20), ("RQ", 8), ("SJ", 6), ("FHM", 6), ("TS", 6))
"""Transaction code, sender, message serial, date, time, return code, number of lines; widths in bytes."""
HEADER_BYTES = sum(width for _, width in HEADER)
MAX_BYTES = 8 * 1024 * 1024

Line = dict[str, str]


def frame(transaction: str, sender: str, serial: str, now: datetime, lines: Sequence[Mapping[str, str]]) -> bytes:
    """One request.  Raises ``DepartmentRejected`` when a character does not exist in GBK."""
    head = {
        "JYM": transaction,
        "FSF": sender,
        "LSH": serial,
        "RQ": local_text(now, "%Y%m%d"),
        "SJ": local_text(now, "%H%M%S"),
        "FHM": codes.SUCCESS,
        "TS": f"{len(lines):06d}",
    }
    text = "".join(head[name].ljust(width) for name, width in HEADER) + "\n".join(
        "|".join(f"{name}={_plain(value)}" for name, value in line.items()) for line in lines
    )
    try:
        body = text.encode("gbk")
    except UnicodeEncodeError:
        raise DepartmentRejected("a character of the application does not exist in GBK") from None
    return f"{len(body):08d}".encode("ascii") + body


def length(prefix: bytes) -> int:
    """Length of the body that follows, in bytes.  Raises ``DepartmentUnintelligible``."""
    if re.fullmatch(rb"[0-9]{8}", prefix) is None or not HEADER_BYTES <= int(prefix) <= MAX_BYTES:
        raise DepartmentUnintelligible("answer has no length prefix")
    return int(prefix)


def read(body: bytes, transaction: str, serial: str) -> list[Line]:
    """Lines of the answer to message ``serial``.

    Raises ``DepartmentUnavailable`` on its system error, ``DepartmentRejected`` on its other return codes,
    ``DepartmentUnintelligible`` on anything else that is not an answer to this message.
    """
    head: dict[str, str] = {}
    at = 0
    try:
        for name, width in HEADER:
            head[name] = body[at : at + width].decode("ascii").rstrip()
            at += width
        text = body[at:].decode("gbk")
    except UnicodeDecodeError as error:
        raise DepartmentUnintelligible("answer is not GBK") from error
    if "\0" in text:
        raise DepartmentUnintelligible("answer is not text")
    if head["JYM"] != transaction or head["LSH"] != serial:
        raise DepartmentUnintelligible("answer belongs to another message")
    if head["FHM"] == codes.SYSTEM_ERROR:
        raise DepartmentUnavailable("system error of the department (999999)")
    if head["FHM"] in codes.REJECTIONS:
        raise DepartmentRejected(f"{head['FHM']}: {codes.REJECTIONS[head['FHM']]}")
    if head["FHM"] != codes.SUCCESS:
        raise DepartmentUnintelligible("return code is not in the table")
    rows = text.split("\n") if text else []
    if head["TS"] != f"{len(rows):06d}":
        raise DepartmentUnintelligible("number of lines differs from the header")
    return [_line(row) for row in rows]


def registration(application: Application) -> Line:
    """The line that reports a death for one business.  Unknown values are empty."""
    deceased, applicant, account = application.deceased, application.applicant, application.account
    died = application.death.occurred_at
    return {
        "WBLSH": application.key,
        "LBBH": application.case_number,
        "YWDM": business_code(application.item),
        "XM": deceased.name or "",
        "ZJLX": codes.ID_KINDS.get(deceased.id_kind, "99"),
        "ZJHM": deceased.id_number or "",
        "SWSJ": local_text(died, "%Y%m%d%H%M%S") if died else "",
        "SQRXM": applicant.name if applicant else "",
        "SQRZJHM": (applicant.id_number or "") if applicant else "",
        "SQRDH": (applicant.phone or "") if applicant else "",
        "ZZBH": ";".join(certificate.number for certificate in application.certificates),
        "SKHM": account.holder if account else "",
        "SKZH": account.number if account else "",
        "SKYH": _bank(account.bank, account.branch) if account else "",
        "BJCS": str(application.correction),
        "BJSM": _writable(application.correction_answer),
        "CZLX": codes.UNDO if application.reverses else codes.HANDLE,
        "YWBLSH": application.reverses or "",
        "CXYY": _writable(application.reversal_reason),
    }


def payment_order(instruction: PaymentInstruction) -> Line:
    """The line that names the account a sum is to be paid to."""
    account = instruction.account
    return {
        "WBLSH": instruction.application_key,
        "ZFLSH": instruction.key,
        "KXXH": instruction.serial,
        "JE": f"{instruction.fen:015d}",
        "SKHM": account.holder,
        "SKZH": account.number,
        "SKYH": _bank(account.bank, account.branch),
    }


def records(lines: Sequence[Line]) -> dict[str, Record]:
    """Applications (SQ lines) with their sums (KX lines), by external key.  Raises ``DepartmentUnintelligible``."""
    sums: dict[str, list[Payment]] = {_need(line, "WBLSH"): [] for line in lines if line.get("LX") == "SQ"}
    for line in lines:
        if line.get("LX") == "KX" and line.get("WBLSH") in sums:
            sums[line["WBLSH"]].append(_payment(line))
        elif line.get("LX") != "SQ":
            raise DepartmentUnintelligible("a line is neither an application nor a sum of one")
    return {line["WBLSH"]: _record(line, sums[line["WBLSH"]]) for line in lines if line["LX"] == "SQ"}


def business_code(item: str) -> str:
    """Business code of an item slug.  Raises ``DepartmentRejected``."""
    if item not in codes.ITEMS:
        raise DepartmentRejected("the housing fund does not handle this item")
    return codes.ITEMS[item]


def _record(line: Line, sums: Sequence[Payment]) -> Record:
    status = _need(line, "ZT")
    if status not in codes.STATUS:
        raise DepartmentUnintelligible("status of an application is not in the table")
    outcome, wording = codes.STATUS[status]
    return Record(
        key=line["WBLSH"],
        outcome=outcome,
        raw_code=status,
        raw_message=wording,
        updated_at=_moment(_need(line, "GXSJ")),
        reference=_need(line, "SLH"),
        reason=line.get("YY") or None,
        missing=tuple(part for part in line.get("BJCL", "").split(";") if part),
        payments=tuple(sums),
        details={ours: _day(line[theirs]) for theirs, ours in codes.DETAILS.items() if line.get(theirs)},
    )


def _payment(line: Line) -> Payment:
    kind, status, amount = _need(line, "KXLX"), _need(line, "ZT"), _need(line, "JE")
    if kind not in codes.SUMS or status not in codes.SUM_STATUS:
        raise DepartmentUnintelligible("kind or status of a sum is not in the table")
    if re.fullmatch(r"[0-9]{15}", amount) is None:
        raise DepartmentUnintelligible("an amount is not 15 digits")
    return Payment(
        serial=_need(line, "KXXH"),
        kind=codes.SUMS[kind],
        fen=int(amount),
        state=codes.SUM_STATUS[status],
        at=_moment(_need(line, "GXSJ")),
        reason=line.get("YY") or None,
    )


def _line(row: str) -> Line:
    fields = [part.partition("=") for part in row.split("|")]
    if not all(name and sign for name, sign, _ in fields):
        raise DepartmentUnintelligible("a line is not KEY=value fields")
    return {name: value for name, _, value in fields}


def _need(line: Line, name: str) -> str:
    if not line.get(name):
        raise DepartmentUnintelligible(f"field {name} is missing")
    return line[name]


def _moment(value: str) -> datetime:
    if re.fullmatch(r"[12][0-9]{13}", value) is None:
        raise DepartmentUnintelligible("a time is not yyyymmddHHMMSS")
    return local_time(value, "%Y%m%d%H%M%S")


def _day(value: str) -> str:
    _moment(f"{value}000000")
    return f"{value[:4]}-{value[4:6]}-{value[6:]}"


def _plain(value: str) -> str:
    """The separators of the format cannot be part of a value: they become full width or blank."""
    return value.replace("|", "｜").replace("\r", " ").replace("\n", " ")


def _writable(said: str | None) -> str:
    """What somebody wrote freely: a character GBK lacks is no reason not to tell the department."""
    return (said or "").encode("gbk", "replace").decode("gbk")


def _bank(bank: str | None, branch: str | None) -> str:
    return f"{bank or ''}{branch or ''}"
