"""What a viewer sees of a case: decided once, before any field is resolved, the same on every path (PD-15).

``see`` gives a copy of the case without what the viewer may not see and with masks where the table says so, or
None: something outside the viewer's area, department or family answers exactly as if it did not exist.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.access import papers
from gateway.access.rights import Fields, Rights, Role, Viewer, in_area
from gateway.domain.alerts import AlertKind
from gateway.domain.case import Case, Item, JoinRequest, Payout
from gateway.domain.form import AccountForm, DeathForm, DeceasedForm, Form, PersonForm
from gateway.domain.states import ItemStatus
from gateway.policy.model import Jurisdiction


def see(rights: Rights, viewer: Viewer, policy: Jurisdiction, case: Case) -> Case | None:
    """The case as this viewer sees it; None when it is not the viewer's to see."""
    role = rights.roles[viewer.role]
    if role.cases == "NONE":
        return None
    if role.cases == "FAMILY":
        if viewer.subject not in case.family:
            return None
    elif not in_area(viewer, case.area):
        return None
    own = {item.slug for item in policy.items if item.department == viewer.department}
    if role.cases == "DEPARTMENT" and not any(_shown(case.items[slug]) for slug in own if slug in case.items):
        return None
    fields = role.fields
    if viewer.department in rights.cause_departments:
        fields = fields.model_copy(update={"cause": "FULL"})
    return _cut(case, policy, role, fields, own)


def _shown(item: Item) -> bool:
    """A department sees its item once it is pushed, or is to be undone: no open task before its gate opens (AS-14)."""
    return item.reversal is not None or (item.status is not ItemStatus.BLOCKED and item.pushed_at is not None)


def _cut(case: Case, policy: Jurisdiction, role: Role, fields: Fields, own: set[str]) -> Case:
    items, payouts, certificates = case.items, case.payouts, case.certificates
    joins = case.joins
    needed: set[str] | None = None
    if role.items == "DEPARTMENT":
        items = {slug: item for slug, item in items.items() if slug in own and _shown(item)}
        payouts = {key: payout for key, payout in payouts.items() if payout.item in items}
        needed = {kind for item in policy.items if item.slug in items for kind in (*item.evidence, *item.issues)}
        certificates = [found for found in certificates if found.type in needed]
        joins = {}
        case = replace(case, verifications=[], rating=None, first_asked=None)
    case = papers.cut(case, policy, fields, needed)
    return replace(
        case,
        alerts={
            key: alert
            for key, alert in case.alerts.items()
            if (fields.staff == "FULL" or alert.kind is not AlertKind.ESCALATED)
            and (role.items == "ALL" or alert.item in items)
        },
        items=items,
        certificates=certificates,
        payouts={key: _payout(payout, fields) for key, payout in payouts.items()},
        deceased=_deceased(case.deceased, fields),
        death=_death(case.death, fields),
        form=_form(case.form, fields, role) if case.form is not None else None,
        joins={key: _join(request, fields) for key, request in joins.items()} if fields.staff == "FULL" else {},
    )


def _form(form: Form, fields: Fields, role: Role) -> Form:
    everything = role.items == "ALL"
    return replace(
        form,
        deceased=_deceased(form.deceased, fields),
        death=_death(form.death, fields),
        applicant=_person(form.applicant, fields) if form.applicant else None,
        payee=_person(form.payee, fields) if form.payee and everything else None,
        account=_account(form.account, fields) if form.account and everything else None,
        situations=form.situations if everything else {},
        answers=form.answers if everything and fields.address == "FULL" else {},
    )


def _deceased(deceased: DeceasedForm, fields: Fields) -> DeceasedForm:
    return replace(
        deceased,
        id_number=_id(deceased.id_number, fields.identity),
        birth_date=deceased.birth_date if fields.identity == "FULL" else None,
        hukou_address=deceased.hukou_address if fields.address == "FULL" else None,
    )


def _death(death: DeathForm, fields: Fields) -> DeathForm:
    place = death.place if fields.address == "FULL" else None
    if fields.cause == "FULL":
        return replace(death, place=place)
    return replace(death, place=place, cause=None, cause_kind=None)


def _person(person: PersonForm, fields: Fields) -> PersonForm:
    return replace(
        person,
        id_number=_id(person.id_number, fields.identity),
        phone=_tail(person.phone, fields.phone, 3, 4),
        address=person.address if fields.address == "FULL" else None,
    )


def _account(account: AccountForm, fields: Fields) -> AccountForm:
    return replace(account, number=_tail(account.number, fields.account, 4, 4))


def _payout(payout: Payout, fields: Fields) -> Payout:
    return replace(payout, account=_account(payout.account, fields)) if payout.account else payout


def _join(request: JoinRequest, fields: Fields) -> JoinRequest:
    return replace(request, phone=_tail(request.phone, fields.phone, 3, 4))


def _id(number: str | None, sight: str) -> str | None:
    return _tail(number, sight, 4, 4)


def _tail(value: str | None, sight: str, head: int, tail: int) -> str | None:
    """``330502193910109559`` → ``3305**********9559``; short values are masked whole."""
    if value is None or sight == "HIDDEN":
        return None
    if sight == "FULL":
        return value
    if len(value) < head + tail + 3:
        return "*" * len(value)
    return value[:head] + "*" * (len(value) - head - tail) + value[-tail:]
