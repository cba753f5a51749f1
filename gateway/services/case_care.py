"""What people do to an open case besides filing it: join, identify, give an account, correct, attach evidence.

All of these are for the family and for those who look after the case; departments use ``write_back``.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime

from gateway.domain import events as e
from gateway.domain.case import Case, DeliveryState, Item
from gateway.domain.department import Certificate
from gateway.domain.form import AccountForm, DeceasedForm, PersonForm
from gateway.domain.identity import IdKind, normalise
from gateway.domain.messages import Code, Problem, Reason, Refused, refuse
from gateway.domain.states import ITEM, ItemStatus, PayoutStatus
from gateway.policy import decide
from gateway.policy.check import check as check_form
from gateway.services.context import CaseWork, Ctx
from gateway.services.joint_submission import clean
from gateway.store import cases


def ask_to_join(ctx: Ctx, number: str, person: PersonForm) -> str:
    """A second relative asks to join; nothing of the case is told (PD-07).  Returns the request's id."""
    if not person.name:
        words = {"label": "姓名", "path": "applicant.name"}
        raise Refused(Problem(Reason(Code.FIELD_REQUIRED, ("PD-07",), words), "applicant.name"))
    work = ctx.case(number)
    if ctx.actor.subject in work.case.family:
        raise refuse(Code.ACTION_NOT_POSSIBLE, None, "PD-07", status="FAMILY", action="join")
    if work.case.revocation is not None:  # that somebody is alive is not told for a number
        raise refuse(Code.CASE_NOT_FOUND, "caseNumber", number=number)
    waiting = (asked for asked in work.case.joins.values() if asked.subject == ctx.actor.subject)
    for asked in waiting:
        if asked.accepted is None:
            return asked.id
    request = secrets.token_hex(8)
    work.record(e.JoinRequested(request, person.name, person.relation, person.phone, ctx.actor.subject))
    work.save()
    return request


def answer_join(ctx: Ctx, number: str, request: str, accepted: bool) -> Case:
    """Those who look after the case let a relative in, or not."""
    work = ctx.case(number)
    work.must_stand()
    asked = work.case.joins.get(request)
    if asked is None or asked.accepted is not None:
        raise refuse(Code.ACTION_NOT_POSSIBLE, "request", "PD-07", status="ANSWERED", action="answerJoin")
    work.record(e.JoinAnswered(request, accepted))
    return work.save()


def identify(ctx: Ctx, number: str, deceased: DeceasedForm, death_at: datetime | None = None) -> Case:
    """The identity of an unidentified body became known: what waited for it is released (PD-21, PD-23).

    ``death_at``: time of death, where the form asks for it once the identity is known and it was not given before.
    """
    work = ctx.case(number)
    work.must_stand()
    if work.case.deceased.identified:
        raise refuse(Code.IDENTITY_ALREADY_KNOWN, None, "PD-21")
    form = clean(replace(decide.form_of(work.case), deceased=deceased), work.policy)
    if death_at is not None:
        form = replace(form, death=replace(form.death, occurred_at=death_at))
    today = ctx.calendar(work.case).local_date(ctx.now)
    problems = [
        problem
        for problem in check_form(ctx.book, work.policy, form, today)
        if (problem.path or "").startswith(("deceased.", "death."))
    ]
    if not deceased.name or not deceased.id_number or deceased.id_kind is IdKind.UNKNOWN:
        words = {"label": "逝者姓名及证件号码", "path": "deceased"}
        problems.append(Problem(Reason(Code.FIELD_REQUIRED, ("PD-21",), words), "deceased"))
    if problems:
        raise Refused(*problems)
    other = cases.open_case_of(ctx.tx, work.case.jurisdiction, form.deceased.id_number)
    if other is not None:
        raise refuse(Code.CASE_ALREADY_OPEN, "deceased.idNumber", "PD-07", number=other)
    work.record(e.Identified(form.deceased, death_at))
    return work.save()


def give_account(ctx: Ctx, number: str, account: AccountForm) -> Case:
    """The family gives the account; what was held for want of it is directed there (HZ-701, PD-23).

    A sum that the bank returned is directed to the new account as well.
    """
    work = ctx.case(number)
    work.must_stand()
    given = replace(decide.form_of(work.case), account=replace(account, number=normalise(account.number or "")))
    form = clean(given, work.policy)
    problems = [
        problem
        for problem in check_form(ctx.book, work.policy, form, ctx.calendar(work.case).local_date(ctx.now))
        if (problem.path or "").startswith(("account.", "payee.")) and problem.severity == "ERROR"
    ]
    if not form.account or not form.account.number:
        words = {"label": "账号", "path": "account.number"}
        problems.append(Problem(Reason(Code.FIELD_REQUIRED, (), words), "account.number"))
    if problems:
        raise Refused(*problems)
    if work.case.form is None or form.account is None:
        raise refuse(Code.ACTION_NOT_POSSIBLE, None, status=work.case.status.value, action="giveAccount")
    work.record(e.AccountGiven(form.account))
    pay_again(work)
    return work.save()


def pay_again(work: CaseWork) -> None:
    for payout in list(work.case.payouts.values()):
        if payout.status is PayoutStatus.RETURNED:
            work.direct(payout)


def answer_correction(ctx: Ctx, number: str, slug: str, answer: str) -> Case:
    """The family has corrected what a department asked for (补正); the item goes to the department again."""
    work = ctx.case(number)
    work.must_stand()
    definition = work.definition(slug)
    item = work.case.items[slug]
    if item.status is not ItemStatus.CORRECTION_REQUIRED:
        raise refuse(Code.ACTION_NOT_POSSIBLE, "item", status=item.status.value, action="answerCorrection")
    outward = item.delivery.state is not DeliveryState.NONE and work.is_outward(definition)
    work.record(e.CorrectionAnswered(slug, answer, outward))
    if outward:
        work.deliver(slug)
    return work.save()


def attach_evidence(ctx: Ctx, number: str, certificate: Certificate) -> Case:
    """A certificate that no item issues, but a gate waits for (HZ-705) or a department takes as evidence (X-02)."""
    work = ctx.case(number)
    work.must_stand()
    useful = {kind for item in work.policy.items for gate in item.requires for kind in gate.certificate or []}
    useful |= {kind for item in work.policy.items for kind in item.evidence}
    issued = {kind for item in work.policy.items for kind in item.issues}
    if certificate.type not in useful - issued:
        options = "、".join(sorted(useful - issued))
        raise refuse(
            Code.OPTION_UNKNOWN,
            "certificate.type",
            label="证照种类",
            path="certificate.type",
            value=certificate.type,
            options=options,
        )
    present = work.case.certificate(certificate.type)
    if present is not None and present.number == certificate.number:
        return work.case
    if present is not None:
        facts = {"detail": "已有另一编号的证照", "detail_en": "a certificate with another number is recorded"}
        raise refuse(Code.CONFLICT, "certificate.number", "PD-06", **facts)
    work.record(e.CertificateIssued(certificate.type, certificate.number, certificate.issued_at, certificate.issuer))
    return work.save()


def complete_in_platform(ctx: Ctx, number: str, slug: str, details: dict[str, str]) -> Case:
    """An item that is done in the platform itself and belongs to no department (HZ-606, WZ-338)."""
    work = ctx.case(number)
    work.must_stand()
    item = _in_platform(work, slug)
    if item.status is ItemStatus.COMPLETED:
        return work.case
    if item.status is ItemStatus.BLOCKED and _nobodys(work, slug):
        work.record(e.Found(slug))
        return work.save()
    _open(work, slug, "completed")
    work.record(e.Completed(slug, details=details))
    return work.save()


def refuse_in_platform(ctx: Ctx, number: str, slug: str, reason: str) -> Case:
    """The township does not approve (WZ-338), or another item of the platform is refused; what waits for it stays."""
    work = ctx.case(number)
    work.must_stand()
    item = _in_platform(work, slug)
    if item.status is ItemStatus.REFUSED:
        return work.case
    if item.status is ItemStatus.BLOCKED and _nobodys(work, slug):
        ids = (work.definition(slug).source, "PD-18")
        work.record(e.RuledOut(slug, Reason(Code.DECIDED_BY_HAND, ids, {"detail": reason})))
        return work.save()
    _open(work, slug, "refused")
    work.record(e.ItemRefused(slug, reason))
    return work.save()


def _in_platform(work: CaseWork, slug: str) -> Item:
    definition = work.definition(slug)
    mine = definition.department is None and definition.handler in ("PLATFORM", "SYSTEM")
    if not mine or work.ctx.actor.role not in definition.done_by:
        words = {"item": definition.name, "department": work.ctx.book.word("roles", work.ctx.actor.role).name}
        raise refuse(Code.NOT_OWNER, "item", "PD-06", **words)
    return work.case.items[slug]


def _nobodys(work: CaseWork, slug: str) -> bool:
    """It waits for nothing but a department that the policy does not name: a person decides (X-19, PD-18)."""
    closed = decide.gates(work.ctx.book, work.policy, work.case, work.definition(slug))
    return {gate.reason.code for gate in closed} == {Code.DEPARTMENT_NOT_CONFIGURED}


def _open(work: CaseWork, slug: str, event: str) -> None:
    item = work.case.items[slug]
    if not ITEM.allows(item.status, event):
        raise refuse(Code.ACTION_NOT_POSSIBLE, "item", status=item.status.value, action=event)


def rate(ctx: Ctx, number: str, level: str, comment: str = "") -> Case:
    """好差评 of a case whose departments are all done (YN-901); a later rating replaces an earlier one."""
    work = ctx.case(number)
    rule = work.policy.rating
    if rule is None:
        raise refuse(Code.RATING_NOT_OFFERED, None, "YN-901")
    if level not in {known.code for known in rule.levels}:
        words = {"label": "评价等级", "path": "level", "value": level[:40]}
        raise refuse(Code.OPTION_UNKNOWN, "level", rule.source, options="、".join(k.code for k in rule.levels), **words)
    departments = [item for slug, item in work.case.items.items() if work.definition(slug).service is None]
    done = work.case.reported_at is not None and all(item.status in ITEM.final for item in departments)
    if not done or work.case.revocation is not None:
        raise refuse(Code.ACTION_NOT_POSSIBLE, None, rule.source, status=work.case.status.value, action="rateCase")
    work.record(e.Rated(level, comment))
    return work.save()


def note(ctx: Ctx, number: str, kind: str, text: str) -> Case:
    """Records an on-site inspection or a follow-up call (HZ-901)."""
    work = ctx.case(number)
    work.record(e.Noted(kind, text))
    return work.save()
