"""All policies at hand: the right version for a date, shared words, calendars, and conditions decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from gateway.domain.calendar import Calendar
from gateway.policy.model import Catalogue, CatalogueEntry, Condition, Jurisdiction

Facts = Callable[[str], Any]
"""Value of a fact by its name; None = not known."""


@dataclass(frozen=True)
class PolicyBook:
    """Every jurisdiction in every version."""

    jurisdictions: tuple[Jurisdiction, ...]
    catalogue: Catalogue
    calendars: Mapping[str, Calendar]
    _words: dict[tuple[str, str], CatalogueEntry] = field(default_factory=dict, repr=False)

    @cached_property
    def _by_version(self) -> dict[tuple[str, str], Jurisdiction]:
        return {(jurisdiction.code, jurisdiction.version): jurisdiction for jurisdiction in self.jurisdictions}

    def in_force(self, code: str, on: date) -> Jurisdiction | None:
        """The version in force on a date; the one with the latest start wins."""
        candidates = [
            jurisdiction
            for jurisdiction in self.jurisdictions
            if jurisdiction.code == code
            and jurisdiction.effective_from <= on
            and (jurisdiction.effective_to is None or on <= jurisdiction.effective_to)
        ]
        return max(candidates, key=lambda jurisdiction: jurisdiction.effective_from, default=None)

    def version(self, code: str, version: str) -> Jurisdiction:
        """The version a case was accepted under (PD-19)."""
        return self._by_version[code, version]

    def current(self, on: date) -> list[Jurisdiction]:
        """One per jurisdiction, those in force on a date."""
        codes = sorted({jurisdiction.code for jurisdiction in self.jurisdictions})
        return [found for code in codes if (found := self.in_force(code, on)) is not None]

    def word(self, kind: str, code: str) -> CatalogueEntry:
        """Name of a shared code; an unknown one names itself.  ``kind``: a group of the catalogue."""
        if not self._words:
            for group in ("departments", "certificates", "relations", "payments", "roles"):
                self._words.update({(group, entry.code): entry for entry in getattr(self.catalogue, group)})
        return self._words.get((kind, code)) or CatalogueEntry(code=code, name=code, name_en=code)


def holds(condition: Condition | None, facts: Facts) -> bool | None:
    """True, false, or None when a fact it needs is not known.  No condition holds always."""
    if condition is None:
        return True
    if condition.all is not None:
        parts = [holds(part, facts) for part in condition.all]
        return False if False in parts else None if None in parts else True
    if condition.any is not None:
        parts = [holds(part, facts) for part in condition.any]
        return True if True in parts else None if None in parts else False
    if condition.not_ is not None:
        inner = holds(condition.not_, facts)
        return None if inner is None else not inner
    value = facts(condition.fact or "")
    if condition.known is not None:
        return (value is not None) is condition.known
    if value is None:
        return None
    if condition.within is not None:
        return any(inside(str(value), area) for area in condition.within)
    if condition.among is not None:
        return value in condition.among
    return bool(value == condition.equals)


@dataclass(frozen=True, slots=True)
class Trace:
    """A condition decided part by part.  ``given``: the value of the fact, None = not known."""

    condition: Condition
    value: bool | None
    given: Any = None
    parts: tuple[Trace, ...] = ()


def trace(condition: Condition | None, facts: Facts) -> Trace | None:
    """As ``holds``, with the value of every part; for people who ask why.  None: there is no condition."""
    if condition is None:
        return None
    inner = condition.all or condition.any or ([condition.not_] if condition.not_ is not None else [])
    parts = tuple(found for part in inner if (found := trace(part, facts)) is not None)
    given = facts(condition.fact) if condition.fact is not None else None
    return Trace(condition, holds(condition, facts), given, parts)


def inside(code: str, area: str) -> bool:
    """Whether an administrative code lies in the subtree of an area: 330502 in 330500, 330502001 in 330502."""
    stem = area
    for length, zeros in ((9, "000"), (6, "000"), (4, "00"), (2, "00")):
        if stem == stem[:length] + zeros:
            stem = stem[:length]
    return code.startswith(stem)
