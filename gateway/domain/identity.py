"""ID numbers: checked by check digit and date only, because the old and the unidentified die too.

GB 11643-1999 resident identity numbers (18 digits, ISO 7064 MOD 11-2), their 15-digit predecessors, residence
permits for Hong Kong, Macao and Taiwan residents (81/82/83…), foreigners' permanent residence cards, passports,
and no number at all.  The region is never a reason to refuse: codes abolished decades ago are still on valid cards.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


class IdKind(StrEnum):
    """证件类型."""

    RESIDENT_ID = "RESIDENT_ID"
    """居民身份证, 18 or 15 digits."""
    RESIDENCE_PERMIT = "RESIDENCE_PERMIT"
    """港澳台居民居住证 (81/82/83 …), same check digit as a resident ID."""
    PASSPORT = "PASSPORT"
    """护照."""
    OTHER = "OTHER"
    """其他证件."""
    UNKNOWN = "UNKNOWN"
    """身份不明: no document, an unidentified body (HZ-104)."""


@dataclass(frozen=True, slots=True)
class IdCheck:
    """``fault``: None, or ``LENGTH`` | ``CHARACTERS`` | ``BIRTH_DATE`` | ``CHECK_DIGIT``."""

    number: str
    fault: str | None = None
    birth_date: date | None = None
    sex: str = "UNKNOWN"


def normalise(number: str) -> str:
    """Full-width digits to ASCII, spaces out, ``x`` to ``X``."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", number)).upper()


def same_name(one: str, other: str) -> bool:
    """Whether two written names are one: width, spaces, capitals and the kind of middle dot do not count."""
    first, second = (re.sub("[·•‧・∙⋅.]", "·", normalise(name)) for name in (one, other))
    return first == second


def check(kind: IdKind, number: str, today: date) -> IdCheck:
    """What can be said of an ID number without asking anybody."""
    number = normalise(number)
    if kind in (IdKind.PASSPORT, IdKind.OTHER):
        return IdCheck(number, None if re.fullmatch(r"[A-Z0-9()\-]{5,30}", number) else "CHARACTERS")
    if kind is IdKind.UNKNOWN:
        return IdCheck(number)
    if len(number) == 15 and kind is IdKind.RESIDENT_ID:
        if not re.fullmatch(r"[0-9]{15}", number):
            return IdCheck(number, "CHARACTERS")
        return _dated(number, f"19{number[6:12]}", int(number[14]), today)
    if len(number) != 18:
        return IdCheck(number, "LENGTH")
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return IdCheck(number, "CHARACTERS")
    if check_digit(number[:17]) != number[17]:
        return IdCheck(number, "CHECK_DIGIT")
    return _dated(number, number[6:14], int(number[16]), today)


def check_digit(first_17: str) -> str:
    """ISO 7064 MOD 11-2 check character of the first 17 digits."""
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]


def canonical(number: str) -> str:
    """The 18-digit form of a 15-digit number, so that one person is one person; others as ``normalise``."""
    number = normalise(number)
    if len(number) != 15 or not number.isdigit():
        return number
    longer = f"{number[:6]}19{number[6:]}"
    return longer + check_digit(longer)


def _dated(number: str, born: str, order: int, today: date) -> IdCheck:
    try:
        birth_date = date(int(born[:4]), int(born[4:6]), int(born[6:8]))
    except ValueError:
        return IdCheck(number, "BIRTH_DATE")
    if not date(1850, 1, 1) <= birth_date <= today:
        return IdCheck(number, "BIRTH_DATE")
    return IdCheck(number, None, birth_date, "MALE" if order % 2 else "FEMALE")
