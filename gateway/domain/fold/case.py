"""The case as a whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.domain import events as e
from gateway.domain.case import Case, JoinRequest, Rating, Revocation, Verification
from gateway.domain.states import CASE


def reported(case: Case, event: e.Reported, at: datetime) -> None:
    case.status = CASE.next(case.status, "reported")
    case.form, case.reported_at, case.family = event.form, at, event.family
    case.channel = event.form.channel
    case.death = event.form.death
    if event.form.deceased.identified or not case.deceased.identified:
        case.deceased = event.form.deceased


def flow_changed(case: Case, event: e.FlowChanged, at: datetime) -> None:
    case.flow = event.flow
    if case.form is not None:
        case.form = replace(case.form, flow=event.flow)


def identified(case: Case, event: e.Identified, at: datetime) -> None:
    case.deceased = event.deceased
    if event.death_at is not None:
        case.death = replace(case.death, occurred_at=event.death_at)
    if case.form is not None:
        case.form = replace(case.form, deceased=event.deceased, death=case.death)


def account_given(case: Case, event: e.AccountGiven, at: datetime) -> None:
    if case.form is not None:
        case.form = replace(case.form, account=event.account)


def join_requested(case: Case, event: e.JoinRequested, at: datetime) -> None:
    case.joins[event.request] = JoinRequest(event.request, event.name, event.relation, event.phone, event.subject, at)


def join_answered(case: Case, event: e.JoinAnswered, at: datetime) -> None:
    asked = case.joins[event.request]
    case.joins[event.request] = replace(asked, accepted=event.accepted)
    if event.accepted:
        case.family = (*case.family, asked.subject)


def closed(case: Case, event: e.Closed, at: datetime) -> None:
    case.status = CASE.next(case.status, "closed")
    case.closed_at = at


def nothing(case: Case, event: Any, at: datetime) -> None:
    """Kept in the ledger; the state does not change."""


def corrected(case: Case, event: e.FormCorrected, at: datetime) -> None:
    case.form = event.form
    case.deceased, case.death = event.form.deceased, event.form.death
    case.family = case.family if event.family is None else event.family


def verified(case: Case, event: e.IdentityVerified, at: datetime) -> None:
    case.verifications.append(Verification(event.person, event.source, event.outcome, at))


def rated(case: Case, event: e.Rated, at: datetime) -> None:
    case.rating = Rating(event.level, event.comment, at)


def revoked(case: Case, event: e.Revoked, at: datetime) -> None:
    case.status = CASE.next(case.status, "revoked")
    case.revocation = Revocation(event.reason, at)
    case.closed_at = None


def revocation_finished(case: Case, event: e.RevocationFinished, at: datetime) -> None:
    case.status = CASE.next(case.status, "revocation_finished")
    case.closed_at = at


def reopened(case: Case, event: e.Reopened, at: datetime) -> None:
    case.status = CASE.next(case.status, "reopened")
    case.closed_at = None
