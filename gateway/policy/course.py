"""The course of a case when everybody does what is asked: what comes first, what follows, what never comes.

No department is asked and nothing is written: a case is folded in memory from the events the gateway would record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.domain import events as e
from gateway.domain.case import Case
from gateway.domain.fold import apply, fold
from gateway.domain.form import Form
from gateway.domain.states import ItemStatus
from gateway.policy import decide
from gateway.policy.book import PolicyBook, holds
from gateway.policy.model import ItemDefinition, Jurisdiction

OUTSIDE = "outside"
"""Number of a certificate that no item of the case issued."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What begins at one moment.  ``outside``: certificates that had to come from elsewhere first."""

    items: tuple[str, ...]
    outside: tuple[str, ...] = ()


def filed(book: PolicyBook, policy: Jurisdiction, form: Form, now: datetime) -> Case:
    """The case as it stands when the form has just been filed."""
    calendar = book.calendars[policy.code]
    papers = {paper.certificate: paper for paper in decide.shared_papers(policy, calendar, form)}
    held = {kind: e.CertificateIssued(kind, OUTSIDE, now) for kind in form.shared}
    opened = e.CaseOpened(
        number="-",
        jurisdiction=policy.code,
        policy_version=policy.version,
        flow=form.flow,
        area=decide.handling_area(policy, form),
        channel=form.channel,
        opened_by="-",
        deceased=form.deceased,
        death=form.death,
    )
    judged = e.Evaluated(decide.verdicts(policy, form, form.flow))
    recorded: list[e.Event] = [opened, e.Reported(form, ()), *(papers | held).values(), judged]
    return fold((now, event) for event in recorded)


def run(book: PolicyBook, policy: Jurisdiction, case: Case, now: datetime) -> list[Turn]:
    """Turns in order; ``case`` is taken to its end.  What is not final then waits for ever."""
    turns: list[Turn] = []
    outside: tuple[str, ...] = ()
    while True:
        found = _find(policy, case, now)
        ready = [item for item in policy.items if _blocked(case, item) and not decide.gates(book, policy, case, item)]
        if not found and not ready:
            outside = _awaited(policy, case)
            if not outside:
                return turns
            for kind in outside:
                apply(case, e.CertificateIssued(kind, OUTSIDE, now), now)
            continue
        _do(case, ready, now)
        turns.append(Turn((*found, *(item.slug for item in ready)), outside))
        outside = ()


def _blocked(case: Case, item: ItemDefinition) -> bool:
    return item.slug in case.items and case.items[item.slug].status is ItemStatus.BLOCKED


def _find(policy: Jurisdiction, case: Case, now: datetime) -> tuple[str, ...]:
    """Items whose certificate is there already: nobody is asked to issue it again."""
    found = [item.slug for item in policy.items if _blocked(case, item) and decide.certified(case, item)]
    for slug in found:
        apply(case, e.Found(slug), now)
    return tuple(found)


def _do(case: Case, ready: Sequence[ItemDefinition], now: datetime) -> None:
    """Everything that is ready begins at once; then each is completed, with the certificates it issues."""
    if ready:
        apply(case, e.Pushed(tuple(item.slug for item in ready), ()), now)
    for item in ready:
        apply(case, e.Completed(item.slug), now)
        for kind in item.issues:
            if case.certificate(kind) is None:
                apply(case, e.CertificateIssued(kind, item.slug, now, slug=item.slug), now)


def _awaited(policy: Jurisdiction, case: Case) -> tuple[str, ...]:
    """For each gate that nobody in the case can open: the certificate it names first."""
    facts = decide.facts_of(decide.form_of(case), case.flow, policy)
    wanted = [
        gate.certificate[0]
        for item in policy.items
        if _blocked(case, item)
        for gate in item.requires
        if gate.certificate and case.certificate(*gate.certificate) is None and holds(gate.when, facts) is not False
    ]
    coming = {kind for item in policy.items if _blocked(case, item) for kind in item.issues}
    lone = [kind for kind in wanted if kind not in coming]
    return tuple(dict.fromkeys(lone or wanted))
