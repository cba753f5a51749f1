"""What a department is told of a case: what its item needs, and no more (YN-302)."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.domain.case import Case, Item, submission_key
from gateway.domain.deadlines import ClockKind
from gateway.domain.department import Account, Applicant, Application, Certificate, Death, Deceased
from gateway.domain.form import AccountForm, Form
from gateway.domain.states import ITEM
from gateway.policy import decide
from gateway.policy.model import ItemDefinition, Jurisdiction
from gateway.services.context import Ctx

SUMMARY = "case.summary"
"""Fact a result return sends: every item with its result, in words."""


def content(ctx: Ctx, case: Case, item: Item) -> Application | None:
    """The application of one item as the case stands; None for an item that was never pushed."""
    policy = ctx.policy(case)
    definition = policy.item(item.slug)
    if definition is None or item.pushed_at is None:
        return None
    form = decide.form_of(case)
    clocks = decide.deadlines(policy, ctx.calendar(case), case, item, ctx.now)
    direction = decide.direct(policy, definition, case, 1) if definition.payout else decide.Direction()
    applicant = form.applicant
    return Application(
        key=submission_key(case.number, item.slug),
        case_number=case.number,
        item=definition.sent_as or item.slug,
        item_name=definition.name,
        area=case.area,
        deceased=deceased(case),
        death=Death(
            case.flow,
            case.death.occurred_at,
            case.death.area,
            case.death.place,
            case.death.cause if "death.cause" in definition.sends else None,
        ),
        pushed_at=item.pushed_at,
        applicant=Applicant(applicant.name, applicant.id_number, applicant.phone, applicant.relation, applicant.address)
        if applicant is not None and applicant.name
        else None,
        account=account(direction.account) if direction.account else None,
        certificates=tuple(
            Certificate(found.type, found.number, found.issued_at, found.issuer)
            for found in case.certificates
            if found.type in definition.evidence
        ),
        business_types=item.business_types,
        due_at=next((clock.due_at for clock in clocks if clock.limit.clock is ClockKind.PROCESSING), None),
        details=_details(policy, definition, case, form),
        correction=item.correction,
        correction_answer=item.correction_answer,
        department=definition.department or "",
    )


def deceased(case: Case) -> Deceased:
    return Deceased(
        name=case.deceased.name,
        id_kind=case.deceased.id_kind,
        id_number=case.deceased.id_number,
        sex=case.deceased.sex,
        birth_date=case.deceased.birth_date,
        ethnicity=case.deceased.ethnicity,
        hukou_area=case.deceased.hukou_area,
        hukou_address=case.deceased.hukou_address,
    )


def account(found: AccountForm) -> Account:
    return Account(found.holder or "", found.number or "", found.bank, found.branch)


def _details(policy: Jurisdiction, definition: ItemDefinition, case: Case, form: Form) -> dict[str, str]:
    """Form paths, results of other items (``item.<slug>.<name>``, sent as ``<name>``) and the summary of the case."""
    found: dict[str, str] = {}
    for path in definition.sends:
        head, _, rest = path.partition(".")
        if path == SUMMARY:
            found["summary"] = summary(policy, case)
        elif head == "item":
            slug, _, name = rest.partition(".")
            value = case.items[slug].details.get(name) if slug in case.items else None
            if value is not None:
                found[name] = value
        elif (given := form.value(path)) is not None:
            found[path] = _words(policy, form, path).get(str(given), str(given))
    return found


def _words(policy: Jurisdiction, form: Form, path: str) -> Mapping[str, str]:
    """An option that only this place's form knows goes out in the form's words: its code says nothing to anybody."""
    field = next((field for field in policy.form if field.path == path), None)
    return field.option_names if field is not None and path in form.answers else {}


def summary(policy: Jurisdiction, case: Case) -> str:
    """One line per department's item that is final: name and result; no personal data, no amounts."""
    lines = []
    for definition in policy.items:
        item = case.items.get(definition.slug)
        if item is not None and item.status in ITEM.final and definition.service is None:
            lines.append(f"{definition.name}：{item.status.value}")
    return "\n".join(lines)
