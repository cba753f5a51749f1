"""What an item waits for, and which certificates a case starts with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from gateway.domain.calendar import Calendar
from gateway.domain.case import Case
from gateway.domain.events import CertificateIssued
from gateway.domain.form import Form
from gateway.domain.messages import Code, Reason
from gateway.domain.states import ITEM, ItemStatus
from gateway.policy.book import PolicyBook, holds
from gateway.policy.decide.facts import facts_of, form_of
from gateway.policy.model import ItemDefinition, Jurisdiction, Requirement, SharedAs


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing a blocked item waits for."""

    reason: Reason
    refers_to: str | None = None
    """Item slug or certificate type."""


def gates(book: PolicyBook, policy: Jurisdiction, case: Case, item: ItemDefinition) -> list[Gate]:
    """Closed gates before an item; none left means that it is to be pushed."""
    facts = facts_of(form_of(case), case.flow, policy)
    closed = []
    if item.department is None and item.handler == "SYSTEM":
        closed.append(Gate(Reason(Code.DEPARTMENT_NOT_CONFIGURED, (item.source,))))
    if item.needs_identity and not case.deceased.identified:
        closed.append(Gate(Reason(Code.WAITS_FOR_IDENTITY, (item.source,))))
    for requirement in item.requires:
        if holds(requirement.when, facts) is not False:
            gate = _gate(book, policy, case, item, requirement)
            if gate is not None:
                closed.append(gate)
    return closed


def _gate(
    book: PolicyBook, policy: Jurisdiction, case: Case, item: ItemDefinition, requirement: Requirement
) -> Gate | None:
    ids = (requirement.source,)
    if requirement.report:
        return None if case.reported_at is not None else Gate(Reason(Code.WAITS_FOR_REPORT, ids))
    if requirement.all_items:
        others = (found for slug, found in case.items.items() if slug != item.slug)
        done = case.reported_at is not None and all(found.status in ITEM.final for found in others)
        return None if done else Gate(Reason(Code.WAITS_FOR_ALL_ITEMS, ids))
    if requirement.certificate is not None:
        if case.certificate(*requirement.certificate) is not None:
            return None
        expected = [kind for kind in requirement.certificate if _expected(policy, case, kind)]
        names = "、".join(book.word("certificates", kind).name for kind in expected or requirement.certificate)
        return Gate(Reason(Code.WAITS_FOR_CERTIFICATE, ids, {"certificate": names}), requirement.certificate[0])
    slug = requirement.item or ""
    before, definition = case.items.get(slug), policy.item(slug)
    name = definition.name if definition else slug
    if before is None or before.status is ItemStatus.COMPLETED:
        return None
    # A department that found nothing issued nothing: what its certificate would have opened stays closed.
    found_nothing = before.reason.code is Code.DEPARTMENT_FOUND_NOTHING
    if before.status is ItemStatus.NOT_APPLICABLE and not (found_nothing and definition and definition.issues):
        return None
    if before.status is ItemStatus.WITHDRAWN:
        return None
    if before.status in ITEM.final:
        facts = {"item": name, "status": before.status.value}
        return Gate(Reason(Code.WAITS_FOR_REFUSED_ITEM, ids, facts), slug)
    return Gate(Reason(Code.WAITS_FOR_ITEM, ids, {"item": name}), slug)


def _expected(policy: Jurisdiction, case: Case, certificate: str) -> bool:
    """Whether an item of this case can still issue the certificate."""
    return any(
        certificate in item.issues and item.slug in case.items and case.items[item.slug].status not in ITEM.final
        for item in policy.items
    )


def certified(case: Case, item: ItemDefinition) -> bool:
    """Whether the certificates that are the act of an item are there, wherever they came from (WZ-405, WZ-507)."""
    there = [case.certificate(kind) is not None for kind in item.issues]
    return item.kind == "CERT" and bool(there) and (all(there) if item.issues_all else any(there))


def awaited_certificates(policy: Jurisdiction, case: Case) -> set[str]:
    """Kinds of certificate that an item of the case waits for, or would issue, and that are not there."""
    facts = facts_of(form_of(case), case.flow, policy)
    awaited: set[str] = set()
    for definition in policy.items:
        item = case.items.get(definition.slug)
        if item is None or item.status in ITEM.final:
            continue
        awaited |= set(definition.issues)
        for gate in definition.requires:
            closed = gate.certificate is not None and case.certificate(*gate.certificate) is None
            if closed and holds(gate.when, facts) is not False:
                awaited |= set(gate.certificate or [])
    return {kind for kind in awaited if case.certificate(kind) is None}


def shared_papers(policy: Jurisdiction, calendar: Calendar, form: Form) -> list[CertificateIssued]:
    """Papers of the family, and certificates the form gives by number, as departments will see them (WS-404, WZ-404).

    A paper bears a date, not a time: it counts from the beginning of that day.
    """
    found = []
    for paper in _papers(policy, form):
        number, on = form.value(paper.number), form.value(paper.issued_on)
        if number is not None and on is not None:
            day = on if isinstance(on, date) else date.fromisoformat(str(on)[:10])
            issuer = form.value(paper.issuer) if paper.issuer else None
            issued_at = on if isinstance(on, datetime) else datetime.combine(day, time(), calendar.zone)
            found.append(CertificateIssued(paper.certificate, str(number), issued_at, issuer))
    return found


def _papers(policy: Jurisdiction, form: Form) -> Iterator[SharedAs]:
    given = {paper.type for paper in form.materials}
    for material in policy.materials:
        if material.shared_as is not None and material.code in given:
            yield material.shared_as
    facts = facts_of(form, form.flow, policy)
    for paper in policy.certificates_on_form:
        if holds(paper.when, facts) is True:
            yield paper
