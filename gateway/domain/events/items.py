"""One item, or several at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from gateway.domain.case import Applicability
from gateway.domain.messages import Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one item applies, and why."""

    slug: str
    applicability: Applicability
    reason: Reason
    chosen: bool = False
    business_types: tuple[str, ...] = ()
    refused: bool = False
    """A condition of the item itself is not met: refused before anything is sent (YN-205)."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """事项判定: which items the case has.  Items that were judged before are judged again."""

    verdicts: tuple[Verdict, ...]
    type: Literal["items.evaluated"] = "items.evaluated"


@dataclass(frozen=True, slots=True)
class Pushed:
    """推送: all items whose gates opened at this moment, with one and the same time stamp (HZ-513)."""

    slugs: tuple[str, ...]
    outward: tuple[str, ...]
    """Those of them that go into a department's own system; the others are handled in the platform."""
    type: Literal["items.pushed"] = "items.pushed"


@dataclass(frozen=True, slots=True)
class Delivered:
    """送达: the department's system holds the application."""

    slug: str
    reference: str | None
    raw_code: str
    type: Literal["delivery.succeeded"] = "delivery.succeeded"


@dataclass(frozen=True, slots=True)
class DeliveryFailed:
    """推送未达: one attempt failed.  ``next_attempt_at`` None: the last one; an operator has to drive it again."""

    slug: str
    error: str
    next_attempt_at: datetime | None
    type: Literal["delivery.failed"] = "delivery.failed"


@dataclass(frozen=True, slots=True)
class DeliveryRedriven:
    """重新推送: an operator drives it again."""

    slug: str
    type: Literal["delivery.redriven"] = "delivery.redriven"


@dataclass(frozen=True, slots=True)
class DeliveryLost:
    """部门系统无此申请: its system does not know what was delivered to it; it is sent again under the same key."""

    slug: str
    reason: Reason
    reversal: bool = False
    """The reversal of the item was lost, not its application."""
    type: Literal["delivery.lost"] = "delivery.lost"


@dataclass(frozen=True, slots=True)
class Accepted:
    """受理."""

    slug: str
    reference: str | None = None
    raw_code: str = ""
    type: Literal["item.accepted"] = "item.accepted"


@dataclass(frozen=True, slots=True)
class CorrectionRequested:
    """要求补正."""

    slug: str
    reason: str
    missing: tuple[str, ...] = ()
    raw_code: str = ""
    type: Literal["item.correction_requested"] = "item.correction_requested"


@dataclass(frozen=True, slots=True)
class CorrectionAnswered:
    """已补正."""

    slug: str
    answer: str
    outward: bool
    type: Literal["item.correction_answered"] = "item.correction_answered"


@dataclass(frozen=True, slots=True)
class Amended:
    """更正推送: a department is told that what it was told has been corrected."""

    slug: str
    reason: str
    outward: bool
    type: Literal["item.amended"] = "item.amended"


@dataclass(frozen=True, slots=True)
class Completed:
    """办结."""

    slug: str
    reference: str | None = None
    raw_code: str = ""
    effective: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    type: Literal["item.completed"] = "item.completed"


@dataclass(frozen=True, slots=True)
class Found:
    """已由共享数据办理: the item was done before the case knew of it (AS-07), or its certificate was shared already."""

    slug: str
    reference: str | None = None
    done_at: datetime | None = None
    effective: str | None = None
    type: Literal["item.found"] = "item.found"


@dataclass(frozen=True, slots=True)
class ItemRefused:
    """不予办理."""

    slug: str
    reason: str
    reference: str | None = None
    raw_code: str = ""
    type: Literal["item.refused"] = "item.refused"


@dataclass(frozen=True, slots=True)
class RuledOut:
    """不适用: by the department's own data, or because the kind of death changed."""

    slug: str
    reason: Reason
    raw_code: str = ""
    type: Literal["item.ruled_out"] = "item.ruled_out"


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """撤回: the family took its application for one item back."""

    slug: str
    reason: str
    type: Literal["item.withdrawn"] = "item.withdrawn"


@dataclass(frozen=True, slots=True)
class CertificateIssued:
    """出具证照."""

    certificate: str
    number: str
    issued_at: datetime
    issuer: str | None = None
    slug: str | None = None
    type: Literal["certificate.issued"] = "certificate.issued"


@dataclass(frozen=True, slots=True)
class WriteBackRefused:
    """回传未被接受: logged, kept for review, changes nothing (PD-06)."""

    department: str
    slug: str
    serial: str
    reason: Reason
    summary: str
    type: Literal["write_back.refused"] = "write_back.refused"
