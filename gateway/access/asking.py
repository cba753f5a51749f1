"""What a request asks of cases: for the access record, and for the entry the family reads."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.access.fields import GROUPS, Group
from gateway.access.rights import Rights, Viewer
from gateway.access.sight import sight_of
from gateway.services.looking import Looking


@dataclass(frozen=True, slots=True)
class Asking:
    """``operation``: root fields of the operation, or the document that is printed; ``fields``: kinds of personal data
    it asks for; ``origin``: the client's network address."""

    operation: str
    fields: frozenset[Group] = frozenset()
    origin: str | None = None


NOTHING = Asking("-")


def looking_of(rights: Rights, viewer: Viewer, asking: Asking) -> Looking | None:
    """What the family is to read of it, if this day has no such entry yet.

    None for roles whose table gives no standing reason, and where no personal data the role sees were asked for.  The
    entry names all kinds the role sees: later looks of the day may ask for others.
    """
    purpose, sight = rights.roles[viewer.role].purpose, sight_of(rights, viewer)
    if purpose is None or all(getattr(sight, group) == "HIDDEN" for group in asking.fields):
        return None
    whole = tuple(group for group in GROUPS if getattr(sight, group) == "FULL")
    rules = rights.field_rules.rules  # without a mask, what is MASKED is not seen
    masked = tuple(group for group in GROUPS if getattr(sight, group) == "MASKED" and rules[group].mask is not None)
    return Looking(whole, masked, purpose, asking.origin)
