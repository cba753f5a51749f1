"""What the rules say of one case: which items apply, what each waits for, when it is due, whose account is paid.

Pure functions of policy and case; nothing is read or written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from gateway.domain.calendar import Calendar
from gateway.domain.case import Applicability, Case, Item, Payout
from gateway.domain.deadlines import ClockKind, Deadline, DeadlineState, Limit, compute
from gateway.domain.events import CertificateIssued, Verdict
from gateway.domain.form import AccountForm, Form
from gateway.domain.identity import same_name
from gateway.domain.messages import Code, Reason
from gateway.domain.states import ITEM, ItemStatus
from gateway.policy.book import Facts, PolicyBook, holds
from gateway.policy.model import ItemDefinition, Jurisdiction, Requirement


def facts_of(form: Form, flow: str, policy: Jurisdiction) -> Facts:
    """Facts of a form under a policy; see ``model.Condition`` for their names."""

    def value(name: str) -> Any:
        if name == "death.flow":
            return flow
        if name == "identity.known":
            return form.deceased.identified
        head, _, rest = name.partition(".")
        if head == "situation":
            return form.situations.get(rest)
        if head == "item":
            return rest.removesuffix(".chosen") in form.items
        return form.value(name)

    return value


def form_of(case: Case) -> Form:
    """The form of a case, or what a certificate alone tells before there is one."""
    if case.form is not None:
        return case.form
    return Form(
        jurisdiction=case.jurisdiction,
        flow=case.flow,
        channel=case.channel,
        area=case.area,
        deceased=case.deceased,
        death=case.death,
    )


# ── which items ─────────────────────────────────────────────────────────────────────────────────────────


def verdicts(policy: Jurisdiction, form: Form, flow: str, reported: bool = True) -> tuple[Verdict, ...]:
    """Whether each item of the catalogue applies, and why.  Before the report only the confirmation is judged."""
    facts = facts_of(form, flow, policy)
    definitions = [item for item in policy.items if reported or item.phase == "CONFIRMATION"]
    judged = (_verdict(item, facts, item.slug in form.items) for item in definitions)
    return tuple(verdict for verdict in judged if verdict is not None)


def _verdict(item: ItemDefinition, facts: Facts, chosen: bool) -> Verdict | None:
    if item.trigger == "TICK" and not chosen:
        return None
    applies = holds(item.applies_when, facts)
    words = {"condition": item.condition_name or "", "condition_en": item.condition_name_en or ""}
    business = tuple(kind.code for kind in item.business_types if holds(kind.when, facts))
    if applies is False:
        reason = Reason(Code.DOES_NOT_APPLY, (item.source,), words)
        return Verdict(item.slug, Applicability.DOES_NOT_APPLY, reason, chosen)
    if applies is None and item.when_undeclared == "OMIT":
        reason = Reason(Code.NOT_DECLARED, (item.source,), words)
        return Verdict(item.slug, Applicability.DOES_NOT_APPLY, reason, chosen)
    if applies is None:
        reason = Reason(Code.DEPARTMENT_VERIFIES, (item.source,), words)
        return Verdict(item.slug, Applicability.DEPARTMENT_VERIFIES, reason, chosen, business)
    if chosen:
        reason = Reason(Code.CHOSEN, (item.source,))
    elif item.applies_when is None:
        reason = Reason(Code.APPLIES_TO_ALL, (item.source,))
    else:
        reason = Reason(Code.APPLIES_BY_FACT, (item.source,), words)
    return Verdict(item.slug, Applicability.APPLIES, reason, chosen, business)


# ── what an item waits for ──────────────────────────────────────────────────────────────────────────────


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
            gate = _gate(book, policy, case, requirement)
            if gate is not None:
                closed.append(gate)
    return closed


def _gate(book: PolicyBook, policy: Jurisdiction, case: Case, requirement: Requirement) -> Gate | None:
    ids = (requirement.source,)
    if requirement.report:
        return None if case.reported_at is not None else Gate(Reason(Code.WAITS_FOR_REPORT, ids))
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


def shared_papers(policy: Jurisdiction, calendar: Calendar, form: Form) -> list[CertificateIssued]:
    """Papers of the family that are certificates, as departments will see them (WS-404).

    A paper bears a date, not a time: it counts from the beginning of that day.
    """
    given = {paper.type for paper in form.materials}
    found = []
    for material in policy.materials:
        paper = material.shared_as
        if paper is None or material.code not in given:
            continue
        number, on = form.value(paper.number), form.value(paper.issued_on)
        if number is not None and on is not None:
            day = on if isinstance(on, date) else date.fromisoformat(str(on))
            issuer = form.value(paper.issuer) if paper.issuer else None
            issued_at = datetime.combine(day, time(), calendar.zone)
            found.append(CertificateIssued(paper.certificate, str(number), issued_at, issuer))
    return found


# ── when it is due ──────────────────────────────────────────────────────────────────────────────────────


def deadlines(policy: Jurisdiction, calendar: Calendar, case: Case, item: Item, now: datetime) -> list[Deadline]:
    """Every clock of an item as of ``now``; one without a number for an item whose source states none."""
    definition = policy.item(item.slug)
    if definition is None:
        return []
    facts = facts_of(form_of(case), case.flow, policy)
    payouts = [payout for payout in case.payouts.values() if payout.item == item.slug]
    found = []
    for clock in definition.clocks:
        ruled_out = item.status is ItemStatus.NOT_APPLICABLE and item.pushed_at is not None
        if holds(clock.when, facts) is False and not ruled_out:
            continue  # a clock that ran before the kind of death changed is shown as closed (PD-03)
        start = clock.start or (policy.payout_clock_start if clock.clock is ClockKind.PAYOUT else "PUSH")
        limit = Limit(clock.clock, clock.limit, clock.unit, start, clock.source, clock.quote)
        started = item.pushed_at if start == "PUSH" else _approved_at(payouts)
        ended = item.finished_at if clock.clock is ClockKind.PROCESSING else _paid_at(payouts)
        to_pay = any(payout.fen > 0 for payout in payouts)
        nothing_to_pay = clock.clock is ClockKind.PAYOUT and item.status is ItemStatus.COMPLETED and not to_pay
        closed = item.status in (ItemStatus.REFUSED, ItemStatus.NOT_APPLICABLE) or nothing_to_pay
        if clock.clock is ClockKind.PROCESSING and item.status is ItemStatus.NOT_APPLICABLE:
            ended = None
        found.append(compute(limit, calendar, started_at=started, ended_at=ended, closed=closed, now=now))
    return found


def next_due(deadlines_of_item: Sequence[Deadline]) -> tuple[datetime | None, bool]:
    """(earliest due time still open, whether a clock runs into an unpublished year)."""
    live = (DeadlineState.RUNNING, DeadlineState.OVERDUE)
    due = [found.due_at for found in deadlines_of_item if found.state in live and found.due_at is not None]
    missing = any(found.state is DeadlineState.CALENDAR_MISSING for found in deadlines_of_item)
    return min(due, default=None), missing


def _approved_at(payouts: Sequence[Payout]) -> datetime | None:
    return min((payout.approved_at for payout in payouts), default=None)


def _paid_at(payouts: Sequence[Payout]) -> datetime | None:
    """When the last sum was paid; None while one is not."""
    paid = [payout.paid_at for payout in payouts if payout.fen > 0]
    return max((at for at in paid if at is not None), default=None) if paid and None not in paid else None


def effective(policy: Jurisdiction, calendar: Calendar, case: Case, item: ItemDefinition, now: datetime) -> str | None:
    """When a stop takes effect (PD-05): ``YYYY-MM`` for the next month, ``YYYY`` for the next year."""
    if item.effect is None:
        return None
    base = case.death.occurred_at if policy.effect_base == "DEATH_DATE" else now
    if base is None:
        return None
    on: date = calendar.local_date(base)
    if item.effect == "NEXT_YEAR":
        return f"{on.year + 1:04d}"
    following = date(on.year + on.month // 12, on.month % 12 + 1, 1)
    return f"{following:%Y-%m}"


# ── whose account ───────────────────────────────────────────────────────────────────────────────────────


HELD_BY_APPLICANT = {"expected": "申请人本人", "expected_en": "the applicant"}


@dataclass(frozen=True, slots=True)
class Direction:
    """Where a sum goes: an account to tell, a reason to hold it, or neither (the institution pays by itself)."""

    account: AccountForm | None = None
    hold: Reason | None = None


def direct(item: ItemDefinition, case: Case, fen: int) -> Direction:
    """Applies the payee rule of an item to one sum (C-14, PD-20)."""
    rule = item.payout
    if rule is None or rule.payee is None:
        ids = (rule.source,) if rule else (item.source,)
        return Direction(hold=Reason(Code.PAYEE_RULE_NOT_CONFIGURED, (*ids, "PD-20")))
    if fen <= 0:
        return Direction(hold=Reason(Code.NEGATIVE_BALANCE, (rule.source,)))
    if rule.payee == "BY_INSTITUTION":
        return Direction()
    account = case.form.account if case.form is not None else None
    if account is None or not account.number:
        return Direction(hold=Reason(Code.ACCOUNT_NOT_GIVEN, (rule.source,)))
    if rule.payee == "APPLICANT" and not _held_by_applicant(case, account):
        return Direction(hold=Reason(Code.ACCOUNT_HOLDER_MISMATCH, (rule.source,), HELD_BY_APPLICANT))
    return Direction(account=account)


def _held_by_applicant(case: Case, account: AccountForm) -> bool:
    applicant = case.form.applicant if case.form is not None else None
    if applicant is None or not applicant.name or not account.holder:
        return False
    return same_name(applicant.name, account.holder)
