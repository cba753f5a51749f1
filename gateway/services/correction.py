"""Correction (更正) of what was filed: it reaches only the departments it concerns.

The form is changed field by field, by form path; every rule that held for the first submission holds for the change
(PD-23).  A department is concerned when the application it was sent would now say something else: it gets the same key
again with the new content.  Items that the corrected facts bring in are added, items that they rule out are ended, and
a department that had been told of one is asked to undo it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from typing import Any

from gateway.domain import events as e
from gateway.domain.case import Applicability, Case, DeliveryState, Item
from gateway.domain.department import Application
from gateway.domain.form import CLOSED_WORDS, AccountForm, DeathForm, DeceasedForm, Form, PersonForm
from gateway.domain.identity import IdKind
from gateway.domain.messages import Code, Problem, Reason, Refused, refuse
from gateway.domain.states import ITEM, CaseStatus, ItemStatus
from gateway.policy import decide
from gateway.policy.check import check as check_form
from gateway.policy.model import ItemDefinition
from gateway.services import shared
from gateway.services.case_care import pay_again
from gateway.services.context import CaseWork, Ctx
from gateway.services.joint_submission import clean, person_index
from gateway.services.outgoing import content
from gateway.services.reversal import request
from gateway.services.sharing import mirror
from gateway.store import cases

GROUPS = {
    "deceased": DeceasedForm,
    "death": DeathForm,
    "applicant": PersonForm,
    "payee": PersonForm,
    "account": AccountForm,
}


@dataclass(frozen=True, slots=True)
class Changes:
    """``values``: form path → new value, None clears it; ``situation.<CODE>`` → declared true, false, or None for not
    declared.  ``items``: further items that are chosen now."""

    values: Mapping[str, Any] = field(default_factory=dict)
    items: tuple[str, ...] = ()


def correct(ctx: Ctx, number: str, changes: Changes, reason: str) -> Case:
    """Raises ``Refused``: unknown paths and every problem the change would bring; nothing is written then."""
    work = ctx.case(number)
    before = work.case.form
    if before is None or work.case.status not in (CaseStatus.IN_PROGRESS, CaseStatus.CLOSED):
        raise refuse(Code.ACTION_NOT_POSSIBLE, None, status=work.case.status.value, action="correctCase")
    if not reason.strip():
        raise refuse(Code.FIELD_REQUIRED, "reason", label="更正原因", path="reason")
    after = clean(apply(before, changes), work.policy)
    changed = tuple(sorted(_changed(before, after)))
    if not changed:
        raise refuse(Code.NOTHING_TO_CORRECT)
    _check(work, before, after, changes)
    told = _told(work)
    work.record(e.FormCorrected(after, changed, reason, _family(work, before, after)))
    if "deceased.idNumber" in changed:
        _shared_of_another(work, before, reason)
    _judge_again(work)
    _tell(work, told, reason)
    if any(path.startswith(("account.", "payee.")) for path in changed):
        pay_again(work)
    open_again(work)
    corrected = work.save()
    if "deceased.idNumber" in changed:
        mirror(work, [shared.issued(known) for known in corrected.certificates])
    return corrected


def apply(form: Form, changes: Changes) -> Form:
    """The form with the changes in it.  Raises ``Refused`` for a path no form has."""
    groups: dict[str, dict[str, Any]] = {}
    situations, answers = dict(form.situations), dict(form.answers)
    for path, value in changes.values.items():
        head, _, tail = path.partition(".")
        if head == "situation":
            situations.pop(tail, None)
            situations |= {tail: bool(value)} if value is not None else {}
        elif head in GROUPS:
            name = _snake(tail)
            if name not in {known.name for known in fields(GROUPS[head])}:
                raise _unknown(path)
            groups.setdefault(head, {})[name] = value
        else:
            answers.pop(path, None)
            answers |= {path: str(value)} if value is not None else {}
    parts = {head: _merged(getattr(form, head), GROUPS[head], values) for head, values in groups.items()}
    items = (*form.items, *(slug for slug in changes.items if slug not in form.items))
    return replace(form, **parts, situations=situations, answers=answers, items=items)


def read_value(path: str, text: str | None) -> Any:
    """A value as it travels, as text, for a form path; blank text clears.  Raises ``Refused`` (FIELD_INVALID)."""
    if text is None or not text.strip():
        return None
    head, _, tail = path.partition(".")
    try:
        if head == "situation":
            return {"true": True, "false": False}[text.lower()]
        if path == "death.occurredAt":
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError
            return moment.astimezone(UTC)
        if tail == "birthDate":
            return date.fromisoformat(text)
        if head in GROUPS and text not in CLOSED_WORDS.get(tail, (text,)):
            raise ValueError
        return IdKind(text) if tail == "idKind" else text
    except (ValueError, KeyError, OverflowError) as error:
        words = {"label": path[:60], "path": path[:60], "detail": "格式不正确", "detail_en": "not of its form"}
        raise refuse(Code.FIELD_INVALID, path[:60], **words) from error


def open_again(work: CaseWork) -> None:
    """A closed case that has something to do again is open again; its deceased may not have another open one."""
    if work.case.status is not CaseStatus.CLOSED:
        return
    if all(item.status in ITEM.final for item in work.case.items.values()):
        return
    other = cases.open_case_of(work.ctx.tx, work.case.jurisdiction, work.case.deceased.id_number)
    if other is not None and other != work.case.number:
        raise refuse(Code.CASE_ALREADY_OPEN, None, "PD-07", number=other)
    work.record(e.Reopened())


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────


def _merged(old: Any, kind: type, values: dict[str, Any]) -> Any:
    defaults = {known.name: known.default for known in fields(kind)}
    given = {name: defaults[name] if value is None else value for name, value in values.items()}
    return replace(old, **given) if old is not None else kind(**given)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _unknown(path: str) -> Refused:
    words = {
        "label": path[:60],
        "path": path[:60],
        "detail": "本表没有这一项",
        "detail_en": "the form has no such field",
    }
    return Refused(Problem(Reason(Code.FIELD_INVALID, (), words), path[:60]))


def _changed(before: Form, after: Form) -> set[str]:
    found: set[str] = set()
    for head, kind in GROUPS.items():
        old, new = getattr(before, head), getattr(after, head)
        for known in fields(kind):
            if getattr(old, known.name, None) != getattr(new, known.name, None):
                found.add(f"{head}.{_camel(known.name)}")
    for name, prefix in (("situations", "situation."), ("answers", "")):
        old, new = getattr(before, name), getattr(after, name)
        found |= {f"{prefix}{key}" for key in {*old, *new} if old.get(key) != new.get(key)}
    found |= {f"item.{slug}" for slug in after.items if slug not in before.items}
    return found


def _check(work: CaseWork, before: Form, after: Form, changes: Changes) -> None:
    """Every problem that was not there before, all at once (PD-11, PD-23)."""
    today = work.calendar.local_date(work.ctx.now)

    def problems(form: Form) -> list[Problem]:
        return [p for p in check_form(work.ctx.book, work.policy, form, today) if p.severity == "ERROR"]

    old = {(problem.reason.code, problem.path) for problem in problems(before)}
    touched = set(changes.values)
    fresh = [p for p in problems(after) if (p.reason.code, p.path) not in old or p.path in touched]
    if fresh:
        raise Refused(*fresh)
    number = after.deceased.id_number
    if number != before.deceased.id_number:
        other = cases.open_case_of(work.ctx.tx, work.case.jurisdiction, number)
        if other is not None and other != work.case.number:
            raise refuse(Code.CASE_ALREADY_OPEN, "deceased.idNumber", "PD-07", number=other)


def _family(work: CaseWork, before: Form, after: Form) -> tuple[str, ...] | None:
    """A wrong ID number of the applicant let a stranger in, and kept the applicant out (PD-07, PD-15)."""

    def index(form: Form) -> str | None:
        number = form.applicant.id_number if form.applicant is not None else None
        return person_index(work.ctx, number) if number else None

    old, new = index(before), index(after)
    if old == new:
        return None
    let_in = {asked.subject for asked in work.case.joins.values() if asked.accepted}
    kept = [who for who in work.case.family if who != old or who in let_in or who == work.ctx.actor.subject]
    return tuple(dict.fromkeys([*kept, *([new] if new else [])]))


def _shared_of_another(work: CaseWork, before: Form, reason: str) -> None:
    """What was shared under the wrong ID number is revoked, and stops that were made on it are undone (YY-514)."""
    record = shared.of(work.ctx, work.case.jurisdiction, before.deceased.id_number)
    if record is None or record.case != work.case.number:
        return
    request(work, [slug for slug in record.stops if slug in work.case.items], reason)
    shared.revoke(work.ctx, work.case.jurisdiction, before.deceased.id_number, reason)


def _told(work: CaseWork) -> dict[str, Application]:
    """What each department was told, as long as its system holds it or may hold it."""
    found = {}
    for slug, item in work.case.items.items():
        delivery = item.delivery
        untold = delivery.state is DeliveryState.PENDING and delivery.attempts == 0 and not item.amending
        if delivery.state is DeliveryState.NONE or untold or item.reversal is not None:
            continue
        if work.definition(slug).service == "RESULT_RETURN":
            continue  # told again by itself once everything is final again
        application = content(work.ctx, work.case, item)
        if application is not None:
            found[slug] = application
    return found


def _judge_again(work: CaseWork) -> None:
    case = work.case
    verdicts, ended = [], []
    for verdict in decide.verdicts(work.policy, decide.form_of(case), case.flow):
        item, definition = case.items.get(verdict.slug), work.policy.item(verdict.slug)
        applies = verdict.applicability is not Applicability.DOES_NOT_APPLY
        if item is None:
            verdicts.append(verdict)
        elif item.status is ItemStatus.REFUSED and definition is not None and _asked_again(item, definition):
            verdicts += [verdict] if applies else []
        elif item.status is ItemStatus.BLOCKED or _left_out(item):
            if verdict.applicability is not item.applicability or verdict.business_types != item.business_types:
                verdicts.append(verdict)
        elif not applies and item.status not in ITEM.final:
            ended.append((verdict.slug, verdict.reason))
        elif item.status not in ITEM.final and verdict.business_types != item.business_types:
            verdicts.append(verdict)
    if verdicts:
        work.record(e.Evaluated(tuple(verdicts)))
    for slug, reason in ended:
        work.record(e.RuledOut(slug, reason))
    if ended:
        request(work, [slug for slug, _ in ended], "更正后不再适用")


def _asked_again(item: Item, definition: ItemDefinition) -> bool:
    """Refused before any department was told, by a rule of its own (YN-205) or by the township (WZ-338)."""
    return item.pushed_at is None or definition.department is None


def _left_out(item: Item) -> bool:
    """Not part of the case by its facts alone: no department found so, and none is asked to undo it."""
    found = item.reason.code is Code.DEPARTMENT_FOUND_NOTHING
    return item.status is ItemStatus.NOT_APPLICABLE and item.reversal is None and not found


def _tell(work: CaseWork, told: Mapping[str, Application], reason: str) -> None:
    for slug, before in told.items():
        item = work.case.items[slug]
        now = content(work.ctx, work.case, item)
        if item.reversal is None and now is not None and now != before:
            outward = work.is_outward(work.definition(slug))
            work.record(e.Amended(slug, reason, outward))
            if outward:
                work.deliver(slug)
