"""Foreign values to ours and back: yuan texts, local times."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from gateway.domain.department import DepartmentUnintelligible

CHINA = ZoneInfo("Asia/Shanghai")
_YUAN = re.compile(r"-?[0-9]{1,3}(,[0-9]{3}){0,4}(\.[0-9]{1,2})?|-?[0-9]{1,15}(\.[0-9]{1,2})?", re.ASCII)


def fen(yuan: str) -> int:
    """``"4800.00"`` (yuan, comma groups allowed) → 480000 fen.  Raises ``DepartmentUnintelligible``."""
    plain = yuan.strip()
    if not _YUAN.fullmatch(plain):
        raise DepartmentUnintelligible("an amount is not a sum of money with two places")
    return int(Decimal(plain.replace(",", "")) * 100)


def yuan(amount: int) -> str:
    """480000 fen → ``"4800.00"``."""
    return f"{Decimal(amount) / 100:.2f}"


def local_time(value: str, pattern: str) -> datetime:
    """A department's local time text (Asia/Shanghai) as UTC.  Raises ``DepartmentUnintelligible``."""
    try:
        return datetime.strptime(value.strip(), pattern).replace(tzinfo=CHINA).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise DepartmentUnintelligible(f"a time is not of the form {pattern}") from error


def local_text(moment: datetime, pattern: str) -> str:
    """An aware time as a department's local time text (Asia/Shanghai)."""
    return moment.astimezone(CHINA).strftime(pattern)
