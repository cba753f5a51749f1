"""What is recorded because time passed (督办).  ``reason`` says it in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.domain.alerts import Cause
from gateway.domain.deadlines import ClockKind
from gateway.domain.messages import Reason


@dataclass(frozen=True, slots=True)
class Reminded:
    """催办: the limit is near, and the department is reminded."""

    slug: str
    clock: ClockKind
    due_at: datetime
    reason: Reason
    type: Literal["supervision.reminded"] = "supervision.reminded"


@dataclass(frozen=True, slots=True)
class Overdue:
    """时限已过: once per clock; that it was late stays recorded."""

    slug: str
    clock: ClockKind
    due_at: datetime
    reason: Reason
    type: Literal["supervision.overdue"] = "supervision.overdue"


@dataclass(frozen=True, slots=True)
class Escalated:
    """升级督办.  ``slug`` None: the case itself; ``since``: when the cause began, of a limit its due time."""

    slug: str | None
    cause: Cause
    since: datetime
    reason: Reason
    clock: ClockKind | None = None
    payout: str | None = None
    type: Literal["supervision.escalated"] = "supervision.escalated"
