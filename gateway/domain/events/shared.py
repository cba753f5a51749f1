"""What departments share of a deceased before, and besides, any case (YY-514, WZ-510)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.domain.form import DeathForm, DeceasedForm


@dataclass(frozen=True, slots=True)
class CertificateShared:
    """共享证照: the first one begins the shared record of the deceased."""

    number: str
    """Of the shared record."""
    jurisdiction: str
    area: str
    deceased: DeceasedForm
    death: DeathForm
    certificate: str
    certificate_number: str
    issued_at: datetime
    issuer: str | None
    department: str
    type: Literal["shared.certificate"] = "shared.certificate"


@dataclass(frozen=True, slots=True)
class StopRecorded:
    """登记停发: a department acted on shared data by itself."""

    slug: str
    department: str
    serial: str
    reference: str | None = None
    effective: str | None = None
    type: Literal["shared.stop"] = "shared.stop"


@dataclass(frozen=True, slots=True)
class LinkedToCase:
    """关联办件."""

    case: str
    type: Literal["shared.linked"] = "shared.linked"


@dataclass(frozen=True, slots=True)
class ShareRevoked:
    """撤销共享: the death was recorded in error; departments that took it have to undo what they did."""

    reason: str
    type: Literal["shared.revoked"] = "shared.revoked"


@dataclass(frozen=True, slots=True)
class ShareRenewed:
    """重新共享: a certificate with another number came after a revocation; the record begins anew."""

    type: Literal["shared.renewed"] = "shared.renewed"
