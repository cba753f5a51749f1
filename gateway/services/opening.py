"""A certificate opens a case before there is a report (HZ-505 health, HZ-508 police)."""

from __future__ import annotations

from sqlalchemy import select

from gateway.domain import events as e
from gateway.domain.case import Case
from gateway.domain.department import Certificate, Outcome
from gateway.domain.form import DeathForm, DeceasedForm, Form
from gateway.domain.identity import canonical
from gateway.domain.messages import Code, Problem, Reason, Refused, refuse
from gateway.domain.states import CaseStatus
from gateway.policy import decide
from gateway.policy.check import check as check_form
from gateway.policy.check import refused_flow
from gateway.services.context import CaseWork, Ctx
from gateway.services.joint_submission import clean, new_number
from gateway.services.write_back import Ack, Report, take
from gateway.store import cases
from gateway.store.tables import write_backs

LATEST = 50
"""Cases opened under one serial that are looked through: a message comes again soon."""


def open_by_certificate(
    ctx: Ctx,
    department: str,
    jurisdiction: str,
    flow_code: str,
    deceased: DeceasedForm,
    death: DeathForm,
    certificate: Certificate,
    serial: str,
) -> Ack:
    """Opens the case and completes the certificate's item; the bereavement report is then awaited.

    The same message again gets the same case.  Raises ``Refused`` for a flow that no certificate opens, a department
    that does not issue it, or a deceased who is not eligible (PD-11).
    """
    policy = ctx.in_force(jurisdiction)
    if policy is None:
        raise refuse(Code.JURISDICTION_UNKNOWN, "jurisdiction", value=jurisdiction)
    not_admitted = refused_flow(policy, flow_code)
    if not_admitted is not None:
        raise Refused(not_admitted)
    flow = policy.flow(flow_code)
    definition = policy.item(flow.opened_by.item) if flow is not None and flow.opened_by is not None else None
    if flow is None or definition is None or definition.department != department:
        options = "、".join(ctx.book.word("roles", r).name for r in flow.reporters) if flow else ""
        raise refuse(
            Code.OPENER_NOT_ALLOWED,
            "flow",
            *([flow.source] if flow else []),
            flow=flow.name if flow else flow_code,
            options=options,
        )
    form = clean(Form(policy.code, flow.code, policy.channels[0].code, None, deceased, death), policy)
    report = Report(Outcome.COMPLETED, certificates=(certificate,))
    number = cases.open_case_of(ctx.tx, policy.code, form.deceased.id_number) or _by_certificate(
        ctx, definition.slug, serial, form.deceased.id_number
    )
    if number is not None:
        return _again(ctx, department, number, definition.slug, serial, report)
    # What a report must fill in may still be missing here; what is given must be right.
    problems = [
        problem
        for problem in check_form(ctx.book, policy, form, ctx.book.calendars[policy.code].local_date(ctx.now))
        if (problem.path or "").startswith(("deceased.", "death.")) and problem.reason.code != Code.FIELD_REQUIRED
    ]
    if not form.deceased.identified and form.deceased.id_kind != "UNKNOWN":
        words = {"label": "逝者姓名及证件号码", "path": "deceased"}
        problems.append(Problem(Reason(Code.FIELD_REQUIRED, (flow.source,), words), "deceased.idNumber"))
    if problems:
        raise Refused(*problems)
    work = CaseWork.open(
        ctx,
        e.CaseOpened(
            number=new_number(ctx, policy),
            jurisdiction=policy.code,
            policy_version=policy.version,
            flow=flow.code,
            area=decide.handling_area(policy, form),
            channel=form.channel,
            opened_by=ctx.actor.role,
            deceased=form.deceased,
            death=form.death,
        ),
    )
    work.record(e.Evaluated(decide.verdicts(policy, form, flow.code, reported=False)))
    # The certificate exists already: its item is done in the platform, not pushed to the department that issued it.
    ready = tuple(
        slug
        for slug, item in work.case.items.items()
        if item.finished_at is None
        and (found := policy.item(slug)) is not None
        and not decide.gates(ctx.book, policy, work.case, found)
    )
    work.record(e.Pushed(ready, ()))
    case = work.save()
    return take(ctx, department, case.number, definition.slug, serial, report)


def _by_certificate(ctx: Ctx, slug: str, serial: str, id_number: str | None) -> str | None:
    """An unidentified body has no number to be found by: the message's own serial finds its case again.

    Hospitals and counties of one department count by themselves: a serial that is known of somebody else is another
    message.
    """
    c = write_backs.c
    statement = select(c.number).where(c.department == ctx.actor.department, c.slug == slug, c.serial == serial)
    latest = list(ctx.tx.connection.execute(statement.order_by(c.at.desc()).limit(LATEST)).scalars())
    known = {number: case.deceased.id_number for number, case in cases.load(ctx.tx, latest).items()}

    def same(other: str | None) -> bool:
        return id_number is None or other is None or canonical(id_number) == canonical(other)

    return next((number for number in latest if number in known and same(known[number])), None)


def _again(ctx: Ctx, department: str, number: str, slug: str, serial: str, report: Report) -> Ack:
    found: Case | None = cases.get(ctx.tx, number)
    if found is not None and slug in found.items:
        return take(ctx, department, number, slug, serial, report)
    if found is not None and found.status is CaseStatus.IN_PROGRESS:
        raise refuse(Code.CASE_ALREADY_OPEN, "deceased.idNumber", "PD-07", number=number)
    raise refuse(Code.CASE_NOT_FOUND, "deceased.idNumber", number=number)
