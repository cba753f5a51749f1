"""Undoing what a department was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class ReversalRequested:
    """要求恢复: all departments that were told, with one and the same time stamp."""

    slugs: tuple[str, ...]
    outward: tuple[str, ...]
    reason: str
    type: Literal["reversal.requested"] = "reversal.requested"


@dataclass(frozen=True, slots=True)
class ReversalDelivered:
    """恢复要求送达."""

    slug: str
    reference: str | None
    raw_code: str
    type: Literal["reversal.delivered"] = "reversal.delivered"


@dataclass(frozen=True, slots=True)
class ReversalFailed:
    """恢复要求未达."""

    slug: str
    error: str
    next_attempt_at: datetime | None
    type: Literal["reversal.failed"] = "reversal.failed"


@dataclass(frozen=True, slots=True)
class ReversalRedriven:
    """重新推送恢复要求: an operator drives it again."""

    slug: str
    type: Literal["reversal.redriven"] = "reversal.redriven"


@dataclass(frozen=True, slots=True)
class ReversalAnswered:
    """恢复结果.  ``outcome``: ``accepted``, ``completed`` or ``refused``."""

    slug: str
    outcome: Literal["accepted", "completed", "refused"]
    reason: str = ""
    reference: str | None = None
    raw_code: str = ""
    type: Literal["reversal.answered"] = "reversal.answered"
