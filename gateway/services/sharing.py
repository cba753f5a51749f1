"""The shared record while a use case works on it, and what of a case is shared by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.domain import events as e
from gateway.domain.department import Certificate
from gateway.domain.form import DeathForm, DeceasedForm, Form
from gateway.domain.messages import Code, refuse
from gateway.domain.shared import SharedRecord, apply
from gateway.policy import decide
from gateway.policy.model import Jurisdiction
from gateway.store import cases
from gateway.store import shared as store

if TYPE_CHECKING:
    from gateway.services.context import CaseWork, Ctx


@dataclass(slots=True)
class SharedWork:
    """A shared record while a use case works on it."""

    ctx: Ctx
    record: SharedRecord | None
    recorded: list[tuple[datetime, e.Event]] = field(default_factory=list)

    def add(self, event: e.Event) -> None:
        self.record = apply(self.record, event, self.ctx.now)
        self.recorded.append((self.ctx.now, event))

    def save(self) -> SharedRecord:
        assert self.record is not None
        if self.recorded:
            store.append(self.ctx.tx, self.record, self.recorded, self.ctx.actor)
        return self.record


def put(
    work: SharedWork,
    policy: Jurisdiction,
    deceased: DeceasedForm,
    death: DeathForm,
    certificate: Certificate,
    department: str,
) -> None:
    present = work.record.certificate(certificate.type) if work.record is not None else None
    if present is not None:
        if present.number == certificate.number:
            return
        facts = {"detail": "已有另一编号的证照", "detail_en": "a certificate with another number is recorded"}
        raise refuse(Code.CONFLICT, "certificate.number", "PD-06", **facts)
    number = work.record.number if work.record is not None else new_number(work.ctx, policy)
    form = Form(policy.code, policy.flows[0].code, policy.channels[0].code, None, deceased, death)
    work.add(
        e.CertificateShared(
            number,
            policy.code,
            decide.handling_area(policy, form),
            deceased,
            death,
            certificate.type,
            certificate.number,
            certificate.issued_at,
            certificate.issuer,
            department,
        )
    )


def new_number(ctx: Ctx, policy: Jurisdiction) -> str:
    return f"{policy.code}-shared-{cases.next_serial(ctx.tx, serial_scope(policy.code)):08d}"


def serial_scope(jurisdiction: str) -> str:
    return f"shared:{jurisdiction}"


def mirror(work: CaseWork, recorded: Sequence[e.Event]) -> None:
    """Certificates that came into a case are shared with the departments that act by themselves (YY-825)."""
    policy, case = work.policy, work.case
    if not case.deceased.identified or not any(item.handler == "PULL" for item in policy.items):
        return
    issued = [event for event in recorded if isinstance(event, e.CertificateIssued)]
    if not issued:
        return
    sharing = SharedWork(work.ctx, store.of(work.ctx.tx, policy.code, case.deceased.id_number))
    if sharing.record is not None and sharing.record.revocation is not None:
        sharing.add(e.ShareRenewed())
    for event in issued:
        certificate = Certificate(event.certificate, event.number, event.issued_at, event.issuer)
        if sharing.record is None or sharing.record.certificate(event.certificate) is None:
            put(sharing, policy, case.deceased, case.death, certificate, work.ctx.actor.department or "")
    if sharing.record is not None:
        if sharing.record.case != case.number:
            sharing.add(e.LinkedToCase(case.number))
        sharing.save()
