"""Who may do what: the table of ``roles.yaml``, read once, asked everywhere.

A viewer is a role in an area, for specialists and machines bound to a department, for families bound to a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gateway import plain_yaml
from gateway.access import fields
from gateway.access.fields import FieldRules, Group
from gateway.domain.messages import Code, Refused, refuse
from gateway.policy.book import inside

FILE = Path(__file__).with_name("roles.yaml")
Sight = Literal["FULL", "MASKED", "HIDDEN"]
MACHINE = "department-system"
"""The role of department systems: machines."""
EVERYWHERE = "000000"
"""The area that holds every other."""


class Fields(BaseModel):
    """Sight per kind of personal data."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    identity: Sight
    phone: Sight
    address: Sight
    account: Sight
    cause: Sight
    materials: Sight
    """Files that were handed in.  FULL: may be opened.  MASKED: that they are there is seen, and no more."""
    staff: Sight


class Role(BaseModel):
    """One role of the table."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    department: str | None = None
    """Department whose items this role may complete as a person, besides its ``may`` list."""
    cases: Literal["AREA", "DEPARTMENT", "FAMILY", "NONE"]
    items: Literal["ALL", "DEPARTMENT", "NONE"]
    fields: Fields
    messages: bool = False
    """Whether it sees which messages went to and came from departments; never their content."""
    on_reason: tuple[Group, ...] = ()
    """Kinds of personal data it may unmask by stating a reason."""
    purpose: str | None = None
    """Its standing reason to look into cases; None: its looks are no entries of the timeline."""
    origin: Literal["PLAIN", "KEYED"] = "PLAIN"
    """How the network address stands in the access record."""
    introspection: bool = False
    """Whether it may ask about the schema itself where that is not open to everybody."""
    budget_per_min: int
    """Cost it may ask for in a minute (``docs/limits.md``), where budgets are on."""
    may: list[str]


class RevealReason(BaseModel):
    """What personal data may be unmasked for.  ``note``: some words have to be added."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    code: str
    name: str
    name_en: str
    note: bool = False


class Rights(BaseModel):
    """The whole table."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    contact: str
    contact_en: str
    staff_contact: str
    """For who comes by an office: staff, and the people behind a machine."""
    staff_contact_en: str
    budget_per_min: int
    """As of a role, for an address that brings no token."""
    everyone: list[str]
    reveal_minutes: int
    reasons: list[RevealReason]
    roles: dict[str, Role]
    cause_departments: list[str]

    @cached_property
    def field_rules(self) -> FieldRules:
        """Which field is of which kind."""
        return fields.load()


def load(path: Path = FILE) -> Rights:
    """Raises ``pydantic.ValidationError`` for a table that is not one."""
    return Rights.model_validate(plain_yaml.read(path.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking, as the token says."""

    role: str
    area: str
    """Administrative code; the viewer sees its subtree."""
    name: str
    subject: str
    """Pseudonym of the person or machine."""
    department: str | None = None


def allow(rights: Rights, viewer: Viewer | None, operation: str) -> Viewer:
    """Raises ``Refused`` naming the missing right and whom to turn to; says nothing about any record."""
    if viewer is None or viewer.role not in rights.roles:
        raise deny(rights)
    if operation in rights.everyone or operation in rights.roles[viewer.role].may:
        return viewer
    raise forbid(rights, viewer, operation, "HZ-816")


def allow_schema(rights: Rights, viewer: Viewer | None, operation: str) -> Viewer:
    """Raises ``Refused`` unless the viewer's role may ask about the schema itself."""
    if viewer is None or viewer.role not in rights.roles:
        raise deny(rights)
    if rights.roles[viewer.role].introspection:
        return viewer
    raise forbid(rights, viewer, operation, "HZ-816")


def deny(rights: Rights, detail: str = "请求没有携带令牌", detail_en: str = "the request carries no token") -> Refused:
    """Nobody is known to ask; whom to turn to.  The details say nothing of any record, and repeat no value."""
    contact = {"contact": rights.contact, "contact_en": rights.contact_en}
    return refuse(Code.UNAUTHENTICATED, None, "HZ-816", detail=detail, detail_en=detail_en, **contact)


def forbid(rights: Rights, viewer: Viewer, right: str, *ids: str) -> Refused:
    """The asker is known, and lacks ``right``."""
    role = rights.roles.get(viewer.role)
    public = role is None or role.cases == "FAMILY"
    contact = rights.contact if public else rights.staff_contact
    contact_en = rights.contact_en if public else rights.staff_contact_en
    return refuse(Code.FORBIDDEN, None, *ids, right=right, contact=contact, contact_en=contact_en)


def sees_whole_cases(rights: Rights, viewer: Viewer) -> bool:
    """Whether a case this viewer sees has all its items; a department sees its own."""
    return rights.roles[viewer.role].items == "ALL"


def sees_staff_matters(rights: Rights, viewer: Viewer) -> bool:
    """Whether this viewer sees what concerns the staff only."""
    return rights.roles[viewer.role].fields.staff == "FULL"


def sees_messages(rights: Rights, viewer: Viewer) -> bool:
    """Whether this viewer sees which messages went to and came from the departments' systems."""
    return rights.roles[viewer.role].messages


def prefixes(viewer: Viewer) -> tuple[str, ...] | None:
    """Code prefixes of the viewer's area; None = everywhere."""
    if viewer.area == EVERYWHERE:
        return None
    area = viewer.area
    if len(area) == 6:
        return (area[:2] if area.endswith("0000") else area[:4] if area.endswith("00") else area,)
    return (area[:9] if area.endswith("000") else area,)


def in_area(viewer: Viewer, code: str) -> bool:
    return viewer.area == EVERYWHERE or inside(code, viewer.area)


__all__ = [
    "EVERYWHERE",
    "MACHINE",
    "Fields",
    "Refused",
    "Rights",
    "Role",
    "Viewer",
    "allow",
    "allow_schema",
    "deny",
    "forbid",
    "in_area",
    "load",
    "prefixes",
    "sees_messages",
    "sees_staff_matters",
    "sees_whole_cases",
]
