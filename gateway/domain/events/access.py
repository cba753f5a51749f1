"""Who looked.  ``Looked`` and ``Revealed`` are entries of the case's own ledger, which the family reads; ``Seen`` and
``Denied`` are entries of the access record, in which every look and every refused attempt stands (PD-15).

``fields``: kinds of personal data (``identity``, ``phone``, ``address``, ``account``, ``cause``); ``origin``: network
address, or ``#`` and a keyed hash of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Fields = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """查看个人信息: staff looked into the case; once per person and day.  ``masked``: kinds that were not shown whole;
    ``reason``: for what this role looks into cases."""

    fields: Fields
    masked: Fields
    reason: str
    origin: str | None = None
    type: Literal["access.looked"] = "access.looked"


@dataclass(frozen=True, slots=True)
class Revealed:
    """查看完整个人信息: masks were lifted until a time, for a reason (``code`` of the table, ``reason`` in words)."""

    fields: Fields
    code: str
    reason: str
    until: datetime
    origin: str | None = None
    type: Literal["access.revealed"] = "access.revealed"


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody was shown of a case, or of shared data.  ``operation``: of the schema, or a printed document;
    ``reason``: the standing one of the role, or the one masks were lifted for; ``about``: keyed hashes of the ID
    numbers that were asked for, where no number of a case tells whose data it is."""

    operation: str
    fields: Fields
    reason: str | None = None
    origin: str | None = None
    times: int = 1
    about: tuple[str, ...] = ()
    type: Literal["access.seen"] = "access.seen"


@dataclass(frozen=True, slots=True)
class Denied:
    """What somebody known was not let do, or asked for and is not theirs.  ``asked``: the number they gave."""

    operation: str
    code: str
    asked: str | None = None
    origin: str | None = None
    times: int = 1
    type: Literal["access.denied"] = "access.denied"


AccessEvent = Seen | Denied
