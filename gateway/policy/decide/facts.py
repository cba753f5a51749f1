"""Facts of a case under a policy: what conditions are decided on."""

from __future__ import annotations

from typing import Any

from gateway.domain.case import Case
from gateway.domain.form import Form
from gateway.policy.book import Facts
from gateway.policy.model import ItemDefinition, Jurisdiction

_BOOLEANS = {"true": True, "false": False}


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
        if head == "shared":
            return rest in form.shared
        if head == "item":
            return rest.removesuffix(".chosen") in form.items
        found = form.value(name)
        return _BOOLEANS.get(found, found) if isinstance(found, str) and name in policy.boolean_paths else found

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


def handling_area(policy: Jurisdiction, form: Form) -> str:
    """The area that handles the case: as given, else where the death or the registration lies, else all of it."""
    known = {area.code for area in policy.areas}
    for candidate in (form.area, form.death.area, form.deceased.hukou_area):
        if candidate and candidate[:6] in known:
            return candidate
    return policy.area


def reached_through(policy: Jurisdiction, item: ItemDefinition) -> str:
    """Code of the system that an item is pushed into: its department's, or the hub that reaches all of them.

    A service to the case itself is no department's item and goes to its platform directly (YN-1001, YN-1003).
    """
    if policy.via is not None and item.service is None and item.department is not None:
        return policy.via.hub
    return item.department or ""
