"""Files of materials."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.domain import events as e
from gateway.domain.case import Case
from gateway.domain.materials import AttachedMaterial


def attached(case: Case, event: e.MaterialAttached, at: datetime) -> None:
    case.materials[event.material] = AttachedMaterial(
        id=event.material,
        kind=event.kind,
        upload=event.upload,
        sha256=event.sha256,
        size=event.size,
        content_type=event.content_type,
        status=event.status,
        at=at,
    )


def scanned(case: Case, event: e.MaterialScanned, at: datetime) -> None:
    case.materials[event.material] = replace(case.materials[event.material], status=event.status)
