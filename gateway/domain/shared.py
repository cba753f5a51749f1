"""The shared record (共享信息) of one deceased: what departments put on the platform before, and besides, any case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from gateway.domain import events as e
from gateway.domain.case import IssuedCertificate, Revocation
from gateway.domain.form import DeathForm, DeceasedForm


@dataclass(frozen=True, slots=True)
class RecordedStop:
    """A stop a department recorded by itself (YY-514)."""

    slug: str
    department: str
    serial: str
    at: datetime
    reference: str | None = None
    effective: str | None = None


@dataclass(slots=True)
class SharedRecord:
    """Fold of its own ledger."""

    number: str
    jurisdiction: str
    area: str
    deceased: DeceasedForm
    death: DeathForm
    revision: int = 0
    certificates: list[IssuedCertificate] = field(default_factory=list)
    stops: dict[str, RecordedStop] = field(default_factory=dict)
    case: str | None = None
    """Number of the case it is linked to."""
    revocation: Revocation | None = None

    def certificate(self, *types: str) -> IssuedCertificate | None:
        return next((found for found in self.certificates if found.type in types), None)


def fold(entries: Iterable[tuple[datetime, e.Event]]) -> SharedRecord:
    """The record after all its entries; the first must be ``CertificateShared``."""
    record: SharedRecord | None = None
    for at, event in entries:
        record = apply(record, event, at)
    if record is None:
        raise ValueError("a ledger without entries is no shared record")
    return record


def apply(record: SharedRecord | None, event: e.Event, at: datetime) -> SharedRecord:
    if record is None:
        if not isinstance(event, e.CertificateShared):
            raise ValueError("a shared record begins with a certificate")
        record = SharedRecord(event.number, event.jurisdiction, event.area, event.deceased, event.death)
    if isinstance(event, e.CertificateShared):
        shared = IssuedCertificate(event.certificate, event.certificate_number, event.issued_at, at, event.issuer)
        record.certificates.append(shared)
    elif isinstance(event, e.StopRecorded):
        record.stops[event.slug] = RecordedStop(
            event.slug, event.department, event.serial, at, event.reference, event.effective
        )
    elif isinstance(event, e.LinkedToCase):
        record.case = event.case
    elif isinstance(event, e.ShareRevoked):
        record.revocation = Revocation(event.reason, at)
    elif isinstance(event, e.ShareRenewed):
        record.certificates, record.stops, record.case, record.revocation = [], {}, None, None
    else:
        raise ValueError(f"{event.type} is no event of a shared record")
    record.revision += 1
    return record
