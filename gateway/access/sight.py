"""What a viewer sees of a case: decided once, before any field is resolved, the same on every path (PD-15).

``see`` gives a copy of the case without what the viewer may not see and with masks where the tables say so
(``roles.yaml``, ``fields.yaml``), or None: something outside the viewer's area, department or family answers exactly as
if it did not exist.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from gateway.access import papers
from gateway.access.fields import GROUPS, Rule
from gateway.access.rights import Fields, Rights, Role, Viewer, in_area
from gateway.domain.case import Case, Item
from gateway.domain.states import ItemStatus
from gateway.policy.model import Jurisdiction


def see(rights: Rights, viewer: Viewer, policy: Jurisdiction, case: Case, lifted: Collection[str] = ()) -> Case | None:
    """The case as this viewer sees it; None when it is not the viewer's to see.

    ``lifted``: kinds of personal data whose masks were lifted with a reason.
    """
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
    cut = Cut(rights, role, sight_of(rights, viewer, lifted))
    return cut.record(cut.items(case, policy, own))


def sight_of(rights: Rights, viewer: Viewer, lifted: Collection[str] = ()) -> Fields:
    """What the viewer sees of each kind of personal data."""
    role = rights.roles[viewer.role]
    full: set[str] = set(lifted)
    if role.cases == "DEPARTMENT" and viewer.department in rights.cause_departments:
        full.add("cause")
    return role.fields.model_copy(update=dict.fromkeys(full, "FULL")) if full else role.fields


def _shown(item: Item) -> bool:
    """A department sees its item once it is pushed, or is to be undone: no open task before its gate opens (AS-14)."""
    return item.reversal is not None or (item.status is not ItemStatus.BLOCKED and item.pushed_at is not None)


@dataclass(frozen=True, slots=True)
class Cut:
    """Cuts the records of a case to what one viewer may see."""

    rights: Rights
    role: Role
    fields: Fields

    def items(self, case: Case, policy: Jurisdiction, own: set[str]) -> Case:
        """Only the items the viewer may see, with what hangs on them."""
        items, payouts, certificates = case.items, case.payouts, case.certificates
        needed: set[str] | None = None
        if self.role.items == "DEPARTMENT":
            items = {slug: item for slug, item in items.items() if slug in own and _shown(item)}
            payouts = {key: payout for key, payout in payouts.items() if payout.item in items}
            needed = {kind for item in policy.items if item.slug in items for kind in (*item.evidence, *item.issues)}
            certificates = [found for found in certificates if found.type in needed]
        alerts = {
            key: alert
            for key, alert in case.alerts.items()
            if (self._allows("staff") or alert.kind not in self.rights.field_rules.staff.alerts)
            and (self.role.items == "ALL" or alert.item in items)
        }
        case = papers.cut(case, policy, self.fields, needed)
        return replace(case, items=items, payouts=payouts, certificates=certificates, alerts=alerts)

    def record(self, record: Any) -> Any:
        """A copy of a record, and of the records in it, without what may not be seen."""
        table = self.rights.field_rules.record
        changes = {}
        for name in record.__dataclass_fields__:
            value = getattr(record, name)
            for rule in table[type(record).__name__].get(name, ()):
                value = self._cut(rule, value)
            changes[name] = self._inside(value)
        return replace(record, **changes)

    def _inside(self, value: Any) -> Any:
        if type(value).__name__ in self.rights.field_rules.record:
            return self.record(value)
        if isinstance(value, dict):
            return {key: self._inside(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._inside(one) for one in value]
        return value

    def _cut(self, rule: Rule, value: Any) -> Any:
        if rule in GROUPS and getattr(self.fields, rule) == "MASKED":
            mask = self.rights.field_rules.rules[rule].mask
            return masked(value, *mask) if mask is not None and isinstance(value, str) else _nothing(value)
        return value if self._allows(rule) else _nothing(value)

    def _allows(self, rule: Rule) -> bool:
        if rule == "whole":
            return self.role.items == "ALL"
        return rule in ("case", "item") or getattr(self.fields, rule) == "FULL"


def _nothing(value: Any) -> Any:
    return type(value)() if isinstance(value, dict | list | tuple) else None


def masked(value: str, head: int, tail: int) -> str:
    """``330502193910109559`` → ``3305**********9559``; short values are masked whole."""
    if len(value) < head + tail + 3:
        return "*" * len(value)
    return value[:head] + "*" * (len(value) - head - tail) + value[-tail:]
