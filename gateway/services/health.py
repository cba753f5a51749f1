"""What the repair sweep found, told by code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.services.context import Ctx
from gateway.store import findings
from gateway.store.findings import Count

CASES = "cases"
"""The part of the sweep that goes over every case."""


@dataclass(frozen=True, slots=True)
class Health:
    began_at: datetime | None
    finished_at: datetime | None
    """When the sweep last came to the end of all cases."""
    findings: list[Count]


def health(ctx: Ctx) -> Health:
    found = findings.position(ctx.tx, CASES)
    counts = findings.counts(ctx.tx)
    return Health(found.began_at if found else None, found.finished_at if found else None, counts)
