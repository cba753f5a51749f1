"""What all jurisdictions share: words and calendars."""

from __future__ import annotations

from datetime import date
from typing import Literal

from gateway.policy.model.base import Named, Strict


class CatalogueEntry(Named):
    """One word all jurisdictions share."""

    code: str


class Catalogue(Strict):
    """Words shared by all jurisdictions: departments, certificates, relations, kinds of payment, roles."""

    departments: list[CatalogueEntry]
    certificates: list[CatalogueEntry]
    relations: list[CatalogueEntry]
    payments: list[CatalogueEntry]
    roles: list[CatalogueEntry]


class CalendarYear(Strict):
    """One year's notice on days off and make-up days."""

    year: int
    status: Literal["announced"]
    source: str
    days_off: dict[str, list[date]]
    make_up_days: dict[str, list[date]]
