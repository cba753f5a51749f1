"""Joint submission (联办申请 / 报丧): one form, one case, every item judged.

The same form from the same person twice gives the same case, and drives the pushes that were given up meanwhile.  A
second person applying for the same deceased gets the number of the open case and nothing else (PD-07).  An ineligible
or faulty form is refused with every reason at once and nothing is sent to any department (PD-11).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import insert, select, update

from gateway.domain import events as e
from gateway.domain.case import Case, Delivery, DeliveryState
from gateway.domain.evidence import Looks
from gateway.domain.form import Form
from gateway.domain.identity import canonical, normalise
from gateway.domain.messages import Code, Problem, Reason, Refused, refuse
from gateway.domain.states import CaseStatus
from gateway.policy import decide
from gateway.policy.check import check as check_form
from gateway.policy.check import refused_flow
from gateway.policy.model import Flow, Jurisdiction
from gateway.services import dispatch, evidence, materials, shared
from gateway.services.context import CaseWork, Ctx
from gateway.store import cases
from gateway.store.tables import submissions

MAX_KEY = 128
"""Characters of a submission key."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a form would lead to.  ``problems`` empty: it would be accepted."""

    policy: Jurisdiction
    form: Form
    problems: tuple[Problem, ...]
    verdicts: tuple[e.Verdict, ...]
    opened: Case | None
    """The case a certificate opened for this deceased, to which the report belongs."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """``created`` False: the same submission was here before; ``driven``: items whose push is tried again for it."""

    case: Case
    created: bool
    driven: tuple[str, ...] = ()


def check(ctx: Ctx, form: Form, case_number: str | None = None, looks: Looks = ()) -> Checked:
    """The answer ``submit`` would give, without creating anything.

    ``looks``: what sources of shared data hold of the persons of the form.
    """
    policy = ctx.in_force(form.jurisdiction)
    if policy is None:
        raise refuse(Code.JURISDICTION_UNKNOWN, "jurisdiction", value=form.jurisdiction)
    form = clean(form, policy)
    form, faulty = materials.resolved(ctx, policy, form)
    opened = _opened(ctx, policy, form, case_number)
    form = replace(form, shared=_held(ctx, policy, form, opened, looks))
    problems = check_form(ctx.book, policy, form, ctx.book.calendars[policy.code].local_date(ctx.now), looks)
    problems += faulty
    flow = policy.flow(form.flow)
    if flow is None and refused_flow(policy, form.flow) is None:
        words = {"label": "死亡情形", "path": "flow", "value": form.flow}
        words["options"] = "、".join(flow.code for flow in policy.flows)
        problems.append(Problem(Reason(Code.OPTION_UNKNOWN, (), words), "flow"))
    elif flow is not None:
        problems += _order(ctx, policy, flow, opened)
    return Checked(policy, form, tuple(problems), decide.verdicts(policy, form, form.flow), opened)


def submit(
    ctx: Ctx, form: Form, key: str | None = None, case_number: str | None = None, looks: Looks = ()
) -> Submitted:
    """Files the form.  Raises ``Refused`` with every problem; nothing is written then."""
    content = _content(form, case_number)
    submitters = ctx.tx.seal.indexes("submitter", ctx.actor.subject or ctx.actor.name)
    submission = _Submission(submitters, _key(key) or f"content:{content}", content)
    known = _known(ctx, submission)
    if known is not None and (again := _standing(ctx, known)) is not None:
        return _repeated(ctx, again)
    checked = check(ctx, form, case_number, looks)
    number = cases.open_case_of(ctx.tx, checked.policy.code, checked.form.deceased.id_number)
    if number is not None and (checked.opened is None or checked.opened.number != number):
        if _made(ctx, submission, number):
            _remember(ctx, submission, number, known is None)
            return _repeated(ctx, number)
        raise refuse(Code.CASE_ALREADY_OPEN, "deceased.idNumber", "PD-07", number=number)
    errors = [problem for problem in checked.problems if problem.severity == "ERROR"]
    if errors:
        raise Refused(*errors)
    work = _start(ctx, checked)
    work.record(e.Reported(checked.form, _family(ctx, checked.form)))
    materials.tie_all(work, checked.form.materials)
    shared.link_certificates(work)
    evidence.record(work, looks)
    for paper in decide.shared_papers(work.policy, ctx.calendar(work.case), checked.form):
        if work.case.certificate(paper.certificate) is None:
            work.record(paper)
    work.record(e.Evaluated(_fresh(work.case, checked.verdicts)))
    shared.link_stops(work)
    case = work.save()
    _remember(ctx, submission, case.number, known is None)
    return Submitted(case, created=True)


def new_number(ctx: Ctx, policy: Jurisdiction) -> str:
    """The next case number of the day, in the policy's format (PD-17)."""
    on = ctx.book.calendars[policy.code].local_date(ctx.now)
    serial = cases.next_serial(ctx.tx, serial_scope(policy.code, on))
    return policy.case_number.format(date=f"{on:%Y%m%d}", serial=serial)


def serial_scope(jurisdiction: str, on: date) -> str:
    """Case numbers are counted per jurisdiction and day."""
    return f"case:{jurisdiction}:{on:%Y%m%d}"


def _start(ctx: Ctx, checked: Checked) -> CaseWork:
    if checked.opened is not None:
        return ctx.case(checked.opened.number)
    form, policy = checked.form, checked.policy
    return CaseWork.open(
        ctx,
        e.CaseOpened(
            number=new_number(ctx, policy),
            jurisdiction=policy.code,
            policy_version=policy.version,
            flow=form.flow,
            area=decide.handling_area(policy, form),
            channel=form.channel,
            opened_by=ctx.actor.role,
            deceased=form.deceased,
            death=form.death,
            first_asked=ctx.actor.name if ctx.actor.role != "family" else None,
        ),
    )


def _held(ctx: Ctx, policy: Jurisdiction, form: Form, opened: Case | None, looks: Looks) -> tuple[str, ...]:
    """Kinds of certificate of the deceased that are on the platform already."""
    held = {found.type for found in opened.certificates} if opened is not None else set()
    known = shared.of(ctx, policy.code, form.deceased.id_number)
    held |= {found.type for found in known.certificates} if known is not None else set()
    for look in looks:
        holding = look.of(form.deceased.id_number)
        held |= {found.type for found in holding.certificates} if holding is not None else set()
    return tuple(sorted(held))


def _fresh(case: Case, verdicts: Sequence[e.Verdict]) -> tuple[e.Verdict, ...]:
    """Verdicts on items that are not judged yet; what a department has already done stays."""
    return tuple(verdict for verdict in verdicts if verdict.slug not in case.items)


def _order(ctx: Ctx, policy: Jurisdiction, flow: Flow, opened: Case | None) -> list[Problem]:
    """Who may file, and what must be there before (C-09, C-10)."""
    problems = []
    if ctx.actor.role not in flow.reporters:
        words = {"flow": flow.name, "options": "、".join(ctx.book.word("roles", r).name for r in flow.reporters)}
        problems.append(Problem(Reason(Code.OPENER_NOT_ALLOWED, (flow.source,), words)))
    if flow.report_after and (opened is None or opened.certificate(*flow.report_after) is None):
        issuer = policy.item(flow.opened_by.item) if flow.opened_by else None
        words = {
            "certificate": "、".join(ctx.book.word("certificates", kind).name for kind in flow.report_after),
            "department": ctx.book.word("departments", issuer.department).name if issuer and issuer.department else "",
        }
        ids = (flow.report_after_source,) if flow.report_after_source else ()
        problems.append(Problem(Reason(Code.CERTIFICATE_REQUIRED_FIRST, ids, words), "flow"))
    return problems


def _opened(ctx: Ctx, policy: Jurisdiction, form: Form, number: str | None) -> Case | None:
    """The case that a certificate opened and that still waits for its report.

    A number alone opens nothing (PD-07): the form has to name the deceased of the case.  Only of a body nobody has
    identified staff may say that the report belongs to it.
    """
    number = number or cases.open_case_of(ctx.tx, policy.code, form.deceased.id_number)
    found = cases.get(ctx.tx, number) if number else None
    if found is None or found.status is not CaseStatus.AWAITING_REPORT or found.jurisdiction != policy.code:
        return None
    known, given = found.deceased.id_number, form.deceased.id_number
    same_person = known == given if known is not None else ctx.actor.role != "family"
    return found if found.flow == form.flow and same_person else None


@dataclass(frozen=True, slots=True)
class _Submission:
    """``submitters``: blind indexes of who files, one per index key; ``content``: digest of what."""

    submitters: tuple[str, ...]
    key: str
    content: str


def _key(key: str | None) -> str | None:
    if key and (len(key) > MAX_KEY or not key.isprintable()):
        words = {"detail": f"应为1至{MAX_KEY}个可见字符", "detail_en": f"1 to {MAX_KEY} printable characters"}
        raise refuse(Code.FIELD_INVALID, "submissionKey", "PD-07", label="提交标识", path="submissionKey", **words)
    return key


def _known(ctx: Ctx, submission: _Submission) -> str | None:
    """Number of the case this key made.  Raises ``Refused`` where it made one of other content."""
    c = submissions.c
    statement = select(submissions).where(c.submitter.in_(submission.submitters), c.key == submission.key)
    row = ctx.tx.connection.execute(statement.with_for_update()).first()
    if row is not None and row.content != submission.content:
        raise refuse(Code.SUBMISSION_KEY_REUSED, "submissionKey")
    return str(row.number) if row is not None else None


def _standing(ctx: Ctx, number: str) -> str | None:
    """The number, unless the case was revoked: then the form may be filed anew."""
    found = cases.get(ctx.tx, number)
    return number if found is not None and found.revocation is None else None


def _made(ctx: Ctx, submission: _Submission, number: str) -> bool:
    """Whether this submitter made the case with the same form, under whatever key."""
    c = submissions.c
    same = (c.submitter.in_(submission.submitters), c.content == submission.content, c.number == number)
    return ctx.tx.connection.execute(select(c.key).where(*same)).first() is not None


def _remember(ctx: Ctx, submission: _Submission, number: str, first: bool) -> None:
    """Ties the key to the case.  Of two first uses at once the later one fails here, and is run again."""
    if first:
        for submitter in sorted(submission.submitters):
            row = {"submitter": submitter, "key": submission.key, "content": submission.content, "number": number}
            ctx.tx.connection.execute(insert(submissions).values(**row))
        return
    c = submissions.c
    statement = update(submissions).where(c.submitter.in_(submission.submitters), c.key == submission.key)
    ctx.tx.connection.execute(statement.values(number=number))


def _repeated(ctx: Ctx, number: str) -> Submitted:
    """What was given up is driven again: "it was here before" must not hide that a department never got it.

    A push that is still being tried keeps its pauses: filing again is no way to press a department that is down.
    """
    case = ctx.case(number).case
    pushes = [slug for slug, item in case.items.items() if _failed(item.delivery) and not dispatch.is_over(item)]
    orders = [payout for payout in case.payouts.values() if _failed(payout.delivery)]
    for slug in pushes:
        dispatch.redrive(ctx, number, slug)
    told = [payout.item for payout in orders if dispatch.redrive_instruction(ctx, number, payout.id)]
    return Submitted(ctx.case(number).case, created=False, driven=tuple(dict.fromkeys([*pushes, *told])))


def _failed(way: Delivery) -> bool:
    return way.state is DeliveryState.FAILED


def _family(ctx: Ctx, form: Form) -> tuple[str, ...]:
    """Pseudonyms of those who may see the case as family: the applicant, and who submitted as family."""
    subjects = []
    if form.applicant is not None and form.applicant.id_number:
        subjects.append(person_index(ctx, form.applicant.id_number))
    if ctx.actor.role == "family" and ctx.actor.subject:
        subjects.append(ctx.actor.subject)
    return tuple(dict.fromkeys(subjects))


def person_index(ctx: Ctx, id_number: str) -> str:
    """Pseudonym of a living person: what family access is given to."""
    return ctx.tx.seal.pseudonym("person", canonical(id_number))


def clean(form: Form, policy: Jurisdiction) -> Form:
    """ID numbers and accounts as they are compared: half-width, without spaces, X in capitals.

    An account of which nobody said whose it is, is of the kind the payee rules of the place mean.
    """
    changes: dict[str, Any] = {}
    for group in ("deceased", "applicant", "payee"):
        person = getattr(form, group)
        if person is not None and person.id_number:
            changes[group] = replace(person, id_number=normalise(person.id_number))
    if form.account is not None:
        account = form.account
        if account.number:
            account = replace(account, number=normalise(account.number))
        changes["account"] = replace(account, kind=account.kind or decide.usual_kind(policy) or "DESIGNATED")
    return replace(form, **changes)


ADDED_LATER = ("upload",)
"""Fields of the form an earlier release did not know: a form without them has to keep its digest."""


def _content(form: Form, case_number: str | None) -> str:
    told = asdict(form, dict_factory=lambda pairs: {k: v for k, v in pairs if v is not None or k not in ADDED_LATER})
    plain = json.dumps([told, case_number], default=str, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()
