"""Which items a case has, and why."""

from __future__ import annotations

from gateway.domain.case import Applicability
from gateway.domain.events import Verdict
from gateway.domain.form import Form
from gateway.domain.messages import Code, Reason
from gateway.policy.book import Facts, holds
from gateway.policy.decide.facts import facts_of
from gateway.policy.model import ItemDefinition, Jurisdiction


def verdicts(policy: Jurisdiction, form: Form, flow: str, reported: bool = True) -> tuple[Verdict, ...]:
    """Whether each item of the catalogue applies, and why.  Before the report only the confirmation is judged.

    Items that departments do by themselves on shared data are not judged: they enter a case once they are recorded.
    """
    facts = facts_of(form, flow, policy)
    definitions = [
        item
        for item in policy.items
        if item.enabled and item.handler != "PULL" and (reported or item.phase == "CONFIRMATION")
    ]
    judged = (_verdict(item, facts, item.slug in form.items) for item in definitions)
    return tuple(verdict for verdict in judged if verdict is not None)


def _verdict(item: ItemDefinition, facts: Facts, chosen: bool) -> Verdict | None:
    if item.trigger == "TICK" and not chosen:
        return None
    applies = holds(item.applies_when, facts)
    words = {"condition": item.condition_name or "", "condition_en": item.condition_name_en or ""}
    ids = (item.source, item.condition_source) if item.condition_source else (item.source,)
    business = tuple(kind.code for kind in item.business_types if holds(kind.when, facts))
    if applies is False:
        refused = item.when_not == "REFUSED"
        code = {
            "NOT_APPLICABLE": Code.DOES_NOT_APPLY,
            "ORIGINAL_PROCEDURE": Code.ORIGINAL_PROCEDURE,
            "REFUSED": Code.CONDITION_NOT_MET,
        }[item.when_not]
        if code is Code.ORIGINAL_PROCEDURE:
            words = {"condition": item.not_condition or words["condition"]}
            words["condition_en"] = item.not_condition_en or item.condition_name_en or ""
        return Verdict(item.slug, Applicability.DOES_NOT_APPLY, Reason(code, ids, words), chosen, refused=refused)
    if applies is None and item.when_undeclared == "OMIT":
        reason = Reason(Code.NOT_DECLARED, ids, words)
        return Verdict(item.slug, Applicability.DOES_NOT_APPLY, reason, chosen)
    if applies is None:
        reason = Reason(Code.DEPARTMENT_VERIFIES, ids, words)
        return Verdict(item.slug, Applicability.DEPARTMENT_VERIFIES, reason, chosen, business)
    if chosen:
        reason = Reason(Code.CHOSEN, ids)
    elif item.applies_when is None:
        reason = Reason(Code.APPLIES_TO_ALL, ids)
    else:
        reason = Reason(Code.APPLIES_BY_FACT, ids, words)
    return Verdict(item.slug, Applicability.APPLIES, reason, chosen, business)
