"""Custom scalars, each with its specification."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

Yuan = NewType("Yuan", Decimal)
"""Yuan in and out of the schema; fen everywhere inside."""
AreaCode = NewType("AreaCode", str)
Slug = NewType("Slug", str)
RequirementId = NewType("RequirementId", str)
Time = NewType("Time", datetime)
Condition = NewType("Condition", dict)

_YUAN = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,2})?", re.ASCII)


def yuan(fen: int) -> Yuan:
    """480000 fen → 4800.00."""
    return Yuan(Decimal(fen) / 100)


def fen(amount: Decimal) -> int:
    """4800.00 → 480000 fen."""
    return int(amount * 100)


def _yuan_out(value: Any) -> str:
    return f"{Decimal(value):.2f}"


def _yuan_in(value: Any) -> Yuan:
    # Python's own reading of a number is too generous: full-width digits, "1_000", "4.8E3".
    text = repr(value) if isinstance(value, float) else str(value)
    if not _YUAN.fullmatch(text):
        raise ValueError("an amount is a decimal number of yuan with at most two places")
    return Yuan(Decimal(text))


def _time_in(value: Any) -> Time:
    try:
        moment = datetime.fromisoformat(str(value))
        if moment.tzinfo is not None:
            return Time(moment.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise ValueError("a time is RFC 3339, e.g. 2025-11-07T22:10:00+08:00") from error
    raise ValueError("a time needs its offset, e.g. +08:00")


def _time_out(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


SCALARS: dict[object, ScalarDefinition] = {
    Yuan: strawberry.scalar(
        name="Yuan",
        description='人民币金额（元）: an amount in yuan as a decimal string with two places, e.g. "4800.00".',
        serialize=_yuan_out,
        parse_value=_yuan_in,
    ),
    Time: strawberry.scalar(
        name="DateTime",
        description='时间: RFC 3339 with offset; answers are in UTC, e.g. "2025-11-07T14:10:00Z".',
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=_time_out,
        parse_value=_time_in,
    ),
    AreaCode: strawberry.scalar(
        name="AreaCode",
        description="行政区划代码: GB/T 2260, 6 digits, or 9 or 12 digits down to township and village.",
        specified_by_url="https://openstd.samr.gov.cn/bzgk/gb/newGbInfo?hcno=C9C488FD717AFDCD52157F41C3302C6D",
        serialize=str,
        parse_value=_text,
    ),
    Slug: strawberry.scalar(
        name="Slug",
        description="代号: lower-case name of an item or a department, the same in every jurisdiction, "
        'e.g. "hukou-deregistration".',
        serialize=str,
        parse_value=_text,
    ),
    Condition: strawberry.scalar(
        name="Condition",
        description="""条件: a statement about the form as JSON, true, false, or unknown while a fact it needs is empty.

Exactly one of `{"all": [Condition…]}`, `{"any": [Condition…]}`, `{"not": Condition}`, or a `fact` with one of
`equals` (text, or true and false), `among` (a list), `within` (area codes: the fact lies in one of them) and `known`
(true: it is filled in).  A fact is a field path, `situation.<code>`, `death.flow`, `identity.known`,
`item.<slug>.chosen`, or `shared.<certificate>` (the platform holds one already).
E.g. `{"all": [{"fact": "death.flow", "equals": "ABNORMAL"}, {"fact": "account.number", "known": true}]}`.""",
        serialize=dict,
        parse_value=dict,
    ),
    RequirementId: strawberry.scalar(
        name="RequirementId",
        description='规则编号: row of the requirements matrix a rule rests on, e.g. "HZ-607"; '
        "PD-… are conventions of this project.",
        serialize=str,
        parse_value=_text,
    ),
}
