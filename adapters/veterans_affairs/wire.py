"""Veterans affairs' JSON, out and in.

Sums are JSON numbers of yuan (``8641.5``), read as decimals and never as floats; an order carries yuan as text
(``"8641.50"``).  Times are milliseconds since the epoch.  An error is ``{"error": "<word>"}`` inside HTTP 200.

``round`` counts corrections (``remark`` says why); a reversal has ``cancels`` with the original's ``serial`` and
``reason``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NoReturn

from adapters.kit.json import loads
from adapters.kit.values import CHINA, yuan
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

YEAR_2100_MS = 4_102_444_800_000
MAX_YUAN = 10**10


def registration(application: Application) -> bytes:
    """Body of ``/yf/apply``; unknown values are null."""
    deceased, applicant, account = application.deceased, application.applicant, application.account
    died = application.death.occurred_at
    return _dump(
        {
            "serial": application.key,
            "round": application.correction,
            "caseNo": application.case_number,
            "bizType": business_type(application.item),
            "areaCode": application.area,
            "subject": {
                "name": deceased.name,
                "idNo": deceased.id_number,
                "birthday": _day(deceased.birth_date),
                "deathDay": _day(died.astimezone(CHINA).date() if died else None),
            },
            "applicant": applicant and {"name": applicant.name, "idNo": applicant.id_number, "mobile": applicant.phone},
            "account": account and {"holder": account.holder, "cardNo": account.number, "bank": account.bank},
            "documents": [{"type": c.type, "no": c.number} for c in application.certificates],
            "remark": application.correction_answer,
            "cancels": application.reverses and {"serial": application.reverses, "reason": application.reversal_reason},
        }
    )


def query(keys: list[str]) -> bytes:
    """Body of ``/yf/query``."""
    return _dump({"serials": keys})


def payment_order(instruction: PaymentInstruction) -> bytes:
    """Body of ``/yf/account``."""
    account = instruction.account
    return _dump(
        {
            "orderSerial": instruction.key,
            "serial": instruction.application_key,
            "grantNo": instruction.serial,
            "amount": yuan(instruction.fen),
            "account": {"holder": account.holder, "cardNo": account.number, "bank": account.bank},
        }
    )


def ticket(body: bytes) -> str:
    """The ticket of an accepted message.  Raises ``DepartmentError``."""
    return _text(_load(body), "ticket")


def records(body: bytes) -> dict[str, Record]:
    """Records of an answer to ``/yf/query``, by serial.  Raises ``DepartmentError``."""
    found = [_record(row) for row in _list(_load(body), "records")]
    return {record.key: record for record in found}


def business_type(item: str) -> str:
    """Business type of an item slug.  Raises ``DepartmentRejected``."""
    if item not in codes.ITEMS:
        raise DepartmentRejected("veterans affairs does not handle this item")
    return codes.ITEMS[item]


def _record(row: Any) -> Record:
    status = _text(row, "status")
    if status not in codes.STATUS:
        raise DepartmentUnintelligible("status of a record is not in the table")
    return Record(
        key=_text(row, "serial"),
        outcome=codes.STATUS[status],
        raw_code=status,
        raw_message=status,
        updated_at=_moment(row),
        reference=_text(row, "acceptNo"),
        reason=_text(row, "reason", optional=True) or None,
        missing=tuple(_string(item) for item in _list(row, "supplement")),
        payments=tuple(_payment(grant) for grant in _list(row, "grants")),
    )


def _payment(row: Any) -> Payment:
    kind, state = _text(row, "type"), _text(row, "state")
    if kind not in codes.GRANTS or state not in codes.GRANT_STATES:
        raise DepartmentUnintelligible("type or state of a grant is not in the table")
    return Payment(
        serial=_text(row, "no"),
        kind=codes.GRANTS[kind],
        fen=_fen(_field(row, "amount")),
        state=codes.GRANT_STATES[state],
        at=_moment(row),
        reason=_text(row, "remark", optional=True) or None,
    )


def _load(body: bytes) -> Mapping[str, Any]:
    """The answer's JSON object, unless it is an error."""
    try:
        data = loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise DepartmentUnintelligible("answer is not JSON") from error
    if not isinstance(data, dict):
        raise DepartmentUnintelligible("answer is not a JSON object")
    error_word = data.get("error")
    if error_word == codes.SYSTEM_ERROR:
        raise DepartmentUnavailable("system error of the department (系统异常)")
    if isinstance(error_word, str) and error_word in codes.REJECTIONS:
        raise DepartmentRejected(f"the department answered {error_word}")
    if error_word is not None:
        raise DepartmentUnintelligible("error word is not in the table")
    return data


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _field(row: Any, name: str) -> Any:
    if not isinstance(row, dict) or name not in row:
        raise DepartmentUnintelligible(f"field {name} is missing")
    return row[name]


def _text(row: Any, name: str, optional: bool = False) -> str:
    value = _string(_field(row, name))
    if not value and not optional:
        raise DepartmentUnintelligible(f"field {name} is empty")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str) or re.search("[\0\ud800-\udfff]", value):
        raise DepartmentUnintelligible("a value is not text")
    return value


def _list(row: Any, name: str) -> list[Any]:
    value = _field(row, name)
    if not isinstance(value, list):
        raise DepartmentUnintelligible(f"field {name} is not a list")
    return value


def _moment(row: Any) -> datetime:
    value = _field(row, "changedAt")
    if type(value) is not int or not 0 < value < YEAR_2100_MS:
        raise DepartmentUnintelligible("a time is not milliseconds since the epoch")
    return datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)


def _fen(value: Any) -> int:
    if type(value) not in (int, Decimal) or not 0 <= value < MAX_YUAN:
        raise DepartmentUnintelligible("an amount is not a sum of money")
    exact = Decimal(value)
    if exact != exact.quantize(Decimal("0.01")):
        raise DepartmentUnintelligible("an amount has more than two places")
    return int(exact * 100)


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _dump(data: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(data, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise DepartmentRejected("a character of the application does not exist in UTF-8") from None
