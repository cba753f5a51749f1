"""Shared data (信息共享): departments put certificates on the platform and take them from it, with or without a case.

A certificate shared while a case is open goes into the case; before that it begins the shared record of the deceased.
Departments take shared records (调取) and stop benefits by themselves; what they record is linked into the case that is
opened later (YY-514, WZ-405).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from gateway.domain import events as e
from gateway.domain.case import Applicability, Case, IssuedCertificate
from gateway.domain.department import Certificate
from gateway.domain.form import DeathForm, DeceasedForm, Form
from gateway.domain.identity import normalise
from gateway.domain.messages import Code, Problem, Reason, Refused, refuse
from gateway.domain.shared import SharedRecord
from gateway.policy import decide
from gateway.policy.book import PolicyBook
from gateway.policy.check import check as check_form
from gateway.policy.model import ItemDefinition, Jurisdiction
from gateway.services.context import CaseWork, Ctx
from gateway.services.sharing import SharedWork, put
from gateway.store import cases
from gateway.store import shared as store


@dataclass(frozen=True, slots=True)
class Shared:
    """``changed`` False: it was there already.  ``case``: the open case it went into."""

    record: SharedRecord
    changed: bool
    case: Case | None = None


def of(ctx: Ctx, jurisdiction: str, id_number: str | None) -> SharedRecord | None:
    """The shared record of a deceased; None when there is none, or when it was revoked."""
    found = store.of(ctx.tx, jurisdiction, normalise(id_number)) if id_number else None
    return found if found is not None and found.revocation is None else None


# ── departments put in ──────────────────────────────────────────────────────────────────────────────────


def share(
    ctx: Ctx, department: str, jurisdiction: str, deceased: DeceasedForm, death: DeathForm, certificate: Certificate
) -> Shared:
    """A department shares a certificate it issued.  The same certificate again changes nothing.

    Raises ``Refused``: unknown jurisdiction, a certificate this department does not issue here (NOT_ISSUER), a faulty
    or missing ID number, another number for a certificate that is there (CONFLICT, PD-06), the certificate of a death
    that was recorded in error (CASE_REVOKED); one with another number begins the record anew.
    """
    policy = _policy(ctx, jurisdiction)
    if not any(item.department == department and certificate.type in item.issues for item in policy.items):
        words = {"certificate": ctx.book.word("certificates", certificate.type).name}
        words |= {"department": ctx.book.word("departments", department).name}
        raise refuse(Code.NOT_ISSUER, "certificate.type", "PD-06", **words)
    deceased = _checked(ctx, policy, deceased, death)
    work = SharedWork(ctx, store.of(ctx.tx, policy.code, deceased.id_number))
    if work.record is not None and work.record.revocation is not None:
        if any(known.number == certificate.number for known in work.record.certificates):
            raise refuse(Code.CASE_REVOKED, "deceased.idNumber")
        work.add(e.ShareRenewed())
    put(work, policy, deceased, death, certificate, department)
    return Shared(work.save(), bool(work.recorded), _into_case(ctx, policy, deceased, certificate))


def record_stop(
    ctx: Ctx,
    department: str,
    jurisdiction: str,
    id_number: str,
    slug: str,
    serial: str,
    reference: str | None = None,
    areas: tuple[str, ...] | None = None,
) -> Shared:
    """A department records a stop of its own (YY-514).  No application, form or payment comes of it.

    ``areas``: code prefixes of the viewer's areas; None = everywhere.
    Raises ``Refused``: an item that is not this department's to record (NOT_OWNER), no certificate to act on
    (NOTHING_SHARED), a stop that was recorded with another reference (CONFLICT).
    """
    policy = _policy(ctx, jurisdiction)
    definition = policy.item(slug)
    if definition is None:
        raise refuse(Code.ITEM_UNKNOWN, "item", value=slug, options="、".join(_pulled(policy, department)))
    if definition.handler != "PULL" or definition.department != department:
        words = {"item": definition.name, "department": ctx.book.word("departments", department).name}
        raise refuse(Code.NOT_OWNER, "item", "PD-06", **words)
    work = SharedWork(ctx, _inside(ctx, policy, id_number, areas))
    _may_act(ctx, definition, work.record)
    assert work.record is not None
    known = work.record.stops.get(slug)
    if known is not None and (known.reference or "") != (reference or ""):
        facts = {"detail": "该项停发已登记，受理号不同", "detail_en": "the stop is recorded with another reference"}
        raise refuse(Code.CONFLICT, "reference", "PD-06", **facts)
    if known is None:
        calendar = ctx.book.calendars[policy.code]
        at = work.record.death.occurred_at
        effective = decide.effective_from(policy, calendar, definition, at, ctx.now)
        work.add(e.StopRecorded(slug, department, serial, reference, effective))
    return Shared(work.save(), bool(work.recorded), _stop_into_case(ctx, policy, work.record))


# ── departments take out ────────────────────────────────────────────────────────────────────────────────


def find(
    ctx: Ctx,
    department: str,
    jurisdiction: str,
    areas: tuple[str, ...] | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[tuple[datetime, SharedRecord]]:
    """What a department may take (调取): identity, the certificates its items act on, and its own stops; oldest change
    first, so that a department that asks again from the last one misses nothing.  Revoked records are told as such."""
    policy = _policy(ctx, jurisdiction)
    rows = store.since(ctx.tx, policy.code, areas, after, limit)
    return [(at, seen) for at, record in rows if (seen := cut(ctx.book, department, record)) is not None]


def cut(book: PolicyBook, department: str, record: SharedRecord) -> SharedRecord | None:
    """The record as a department may see it; None when nothing of it is for this department."""
    versions = [policy for policy in book.jurisdictions if policy.code == record.jurisdiction]
    mine = [item for policy in versions for item in policy.items if item.department == department]
    needed = {kind for item in mine for kind in (*item.evidence, *item.issues)}
    needed |= {kind for item in mine for gate in item.requires for kind in gate.certificate or []}
    certificates = [certificate for certificate in record.certificates if certificate.type in needed]
    if not certificates:
        return None
    stops = {slug: stop for slug, stop in record.stops.items() if stop.department == department}
    return replace(record, certificates=certificates, stops=stops, case=None)


# ── a case takes over ───────────────────────────────────────────────────────────────────────────────────


def link_certificates(work: CaseWork) -> None:
    """What was shared before the case is found and linked, not asked for again (WZ-405)."""
    sharing = SharedWork(work.ctx, of(work.ctx, work.case.jurisdiction, work.case.deceased.id_number))
    if sharing.record is None:
        return
    for certificate in sharing.record.certificates:
        if work.case.certificate(certificate.type) is None:
            work.record(issued(certificate))
    if sharing.record.case != work.case.number:
        sharing.add(e.LinkedToCase(work.case.number))
        sharing.save()


def link_stops(work: CaseWork) -> None:
    """Stops that departments recorded before the case show in it, done; nothing is pushed again (AS-07)."""
    record = of(work.ctx, work.case.jurisdiction, work.case.deceased.id_number)
    if record is not None:
        _stops(work, record)


def _stops(work: CaseWork, record: SharedRecord) -> None:
    fresh = [stop for slug, stop in record.stops.items() if slug not in work.case.items and work.policy.item(slug)]
    if not fresh:
        return
    verdicts = []
    for stop in fresh:
        definition = work.policy.item(stop.slug)
        assert definition is not None
        reason = Reason(Code.RECORDED_BY_DEPARTMENT, (definition.source,))
        verdicts.append(e.Verdict(stop.slug, Applicability.APPLIES, reason))
    work.record(e.Evaluated(tuple(verdicts)))
    for stop in fresh:
        work.record(e.Found(stop.slug, stop.reference, stop.at, stop.effective))


def revoke_record(ctx: Ctx, areas: tuple[str, ...] | None, jurisdiction: str, id_number: str, reason: str) -> Shared:
    """Revokes what is shared of somebody for whom nobody applied.  The same again changes nothing.

    ``areas``: code prefixes of the viewer's areas; None = everywhere.
    Raises ``Refused``: nothing is shared in these areas (NOTHING_SHARED), a case took it over (ACTION_NOT_POSSIBLE).
    """
    policy = _policy(ctx, jurisdiction)
    record = _inside(ctx, policy, id_number, areas)
    if record is None:
        raise refuse(Code.NOTHING_SHARED, "idNumber", certificate="共享信息")
    if record.revocation is not None:
        return Shared(record, changed=False)
    if record.case is not None:
        raise refuse(Code.ACTION_NOT_POSSIBLE, "idNumber", status=f"已有办件{record.case}", action="revokeSharedRecord")
    if not reason.strip():
        raise refuse(Code.FIELD_REQUIRED, "reason", label="撤销原因", path="reason")
    revoked = revoke(ctx, policy.code, record.deceased.id_number, reason)
    assert revoked is not None
    return Shared(revoked, changed=True)


def revoke(ctx: Ctx, jurisdiction: str, id_number: str | None, reason: str) -> SharedRecord | None:
    """The death was recorded in error: nobody may act on the record any more; departments that take it see so."""
    work = SharedWork(ctx, of(ctx, jurisdiction, id_number))
    if work.record is None:
        return None
    work.add(e.ShareRevoked(reason))
    return work.save()


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────


def _inside(ctx: Ctx, policy: Jurisdiction, id_number: str, areas: tuple[str, ...] | None) -> SharedRecord | None:
    """The record of a deceased, if it lies in these areas (code prefixes; None = everywhere)."""
    found = store.of(ctx.tx, policy.code, normalise(id_number))
    return found if found is not None and (areas is None or found.area.startswith(areas)) else None


def _policy(ctx: Ctx, jurisdiction: str) -> Jurisdiction:
    policy = ctx.in_force(jurisdiction)
    if policy is None:
        raise refuse(Code.JURISDICTION_UNKNOWN, "jurisdiction", value=jurisdiction)
    return policy


def _pulled(policy: Jurisdiction, department: str) -> list[str]:
    return [item.slug for item in policy.items if item.handler == "PULL" and item.department == department]


def _checked(ctx: Ctx, policy: Jurisdiction, deceased: DeceasedForm, death: DeathForm) -> DeceasedForm:
    """The deceased with a clean ID number.  Raises ``Refused`` for one that is missing or wrong."""
    if not deceased.id_number:
        words = {"label": "逝者证件号码", "path": "deceased.idNumber"}
        raise Refused(Problem(Reason(Code.FIELD_REQUIRED, (), words), "deceased.idNumber"))
    deceased = replace(deceased, id_number=normalise(deceased.id_number))
    form = Form(policy.code, policy.flows[0].code, policy.channels[0].code, None, deceased, death)
    today = ctx.book.calendars[policy.code].local_date(ctx.now)
    wrong = (Code.ID_NUMBER_INVALID, Code.FIELD_INVALID, Code.AREA_UNKNOWN)
    problems = [
        problem
        for problem in check_form(ctx.book, policy, form, today)
        if (problem.path or "").startswith(("deceased.", "death.")) and problem.reason.code in wrong
    ]
    if problems:
        raise Refused(*problems)
    return deceased


def _may_act(ctx: Ctx, definition: ItemDefinition, record: SharedRecord | None) -> None:
    if record is not None and record.revocation is not None:
        raise refuse(Code.CASE_REVOKED, "deceased.idNumber")
    for gate in definition.requires:
        if gate.certificate and (record is None or record.certificate(*gate.certificate) is None):
            names = "、".join(ctx.book.word("certificates", kind).name for kind in gate.certificate)
            raise refuse(Code.NOTHING_SHARED, "deceased.idNumber", gate.source, certificate=names)
    if record is None:
        raise refuse(Code.NOTHING_SHARED, "deceased.idNumber", definition.source, certificate="共享信息")


def issued(certificate: IssuedCertificate) -> e.CertificateIssued:
    return e.CertificateIssued(certificate.type, certificate.number, certificate.issued_at, certificate.issuer)


def _into_case(ctx: Ctx, policy: Jurisdiction, deceased: DeceasedForm, certificate: Certificate) -> Case | None:
    number = cases.open_case_of(ctx.tx, policy.code, deceased.id_number)
    if number is None:
        return None
    work = ctx.case(number)
    present = work.case.certificate(certificate.type)
    if present is None:
        work.record(
            e.CertificateIssued(certificate.type, certificate.number, certificate.issued_at, certificate.issuer)
        )
    elif present.number != certificate.number:
        facts = {"detail": "已有另一编号的证照", "detail_en": "a certificate with another number is recorded"}
        raise refuse(Code.CONFLICT, "certificate.number", "PD-06", **facts)
    return work.save()


def _stop_into_case(ctx: Ctx, policy: Jurisdiction, record: SharedRecord) -> Case | None:
    number = cases.open_case_of(ctx.tx, policy.code, record.deceased.id_number)
    if number is None:
        return None
    work = ctx.case(number)
    if work.case.reported_at is not None:
        _stops(work, record)
    return work.save()
