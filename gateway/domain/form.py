"""The one form (登记表 / 报丧信息): everything a family or an assistant hands in, once.

Fields every jurisdiction has are typed; what only some ask for travels in ``answers`` by form path
(``funeral.pickupAddress``).  Which of them must be filled in is policy data, not code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from gateway.domain.identity import IdKind


@dataclass(frozen=True, slots=True)
class DeceasedForm:
    """逝者.  All may be missing for an unidentified body (HZ-104)."""

    name: str | None = None
    id_kind: IdKind = IdKind.RESIDENT_ID
    id_number: str | None = None
    sex: str = "UNKNOWN"
    birth_date: date | None = None
    ethnicity: str | None = None
    hukou_area: str | None = None
    hukou_address: str | None = None
    police_station: str | None = None
    """派出所 of the household registration (YY-304)."""

    @property
    def identified(self) -> bool:
        return bool(self.name and self.id_number) and self.id_kind is not IdKind.UNKNOWN


@dataclass(frozen=True, slots=True)
class DeathForm:
    """亡故信息.  ``area``: administrative code of the place of death."""

    occurred_at: datetime | None = None
    area: str | None = None
    place: str | None = None
    cause: str | None = None
    cause_kind: str | None = None
    """Code of an enumerated cause of the policy (HZ-103), e.g. ``WORK_INJURY``."""


@dataclass(frozen=True, slots=True)
class PersonForm:
    """申请人 or 领取人."""

    name: str | None = None
    id_kind: IdKind = IdKind.RESIDENT_ID
    id_number: str | None = None
    phone: str | None = None
    relation: str | None = None
    address: str | None = None
    sex: str | None = None
    capacity: str | None = None
    """Legal capacity: ``HEIR`` | ``LEGATEE`` (YY-205), None when not declared."""


@dataclass(frozen=True, slots=True)
class AccountForm:
    """收款账户.  ``kind``: ``DECEASED`` | ``APPLICANT_HEIR`` | ``DESIGNATED`` | ``PAYEE``; None: as the rules of the
    place mean it."""

    kind: str | None = None
    holder: str | None = None
    number: str | None = None
    bank: str | None = None
    branch: str | None = None
    fallback_reason: str | None = None


@dataclass(frozen=True, slots=True)
class MaterialForm:
    """材料: one paper handed in.  ``type`` is a code of the policy's material list; ``file``: digest of its file, where
    it lies elsewhere; ``upload``: the file, as it was uploaded here."""

    type: str
    name: str | None = None
    file: str | None = None
    upload: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """One submission.  ``situations``: code → declared true or false; a code that is absent was not declared."""

    jurisdiction: str
    flow: str
    channel: str
    area: str | None
    deceased: DeceasedForm = field(default_factory=DeceasedForm)
    death: DeathForm = field(default_factory=DeathForm)
    applicant: PersonForm | None = None
    payee: PersonForm | None = None
    account: AccountForm | None = None
    situations: Mapping[str, bool] = field(default_factory=dict)
    items: tuple[str, ...] = ()
    materials: tuple[MaterialForm, ...] = ()
    commitments: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    shared: tuple[str, ...] = ()
    """Kinds of certificate the platform held already when the form came in: nobody is asked for them (WZ-405)."""

    def value(self, path: str) -> Any:
        """The value at a form path such as ``deceased.idNumber``; None when it is empty or absent."""
        head, _, tail = path.partition(".")
        group = getattr(self, _snake(head), None) if head in _GROUPS else None
        if head in _GROUPS:
            found = getattr(group, _snake(tail), None) if tail else group
        elif not tail and hasattr(self, _snake(head)):
            found = getattr(self, _snake(head))
        else:
            found = self.answers.get(path)
        empty = found == () or (isinstance(found, str) and not found.strip())
        return None if empty else found


CLOSED_WORDS = {
    "sex": ("MALE", "FEMALE", "UNKNOWN"),
    "capacity": ("HEIR", "LEGATEE"),
    "relation": (
        "SPOUSE",
        "CHILD",
        "PARENT",
        "GRANDCHILD_PATERNAL",
        "GRANDCHILD_MATERNAL",
        "SIBLING",
        "OTHER",
    ),
    "kind": ("DESIGNATED", "DECEASED", "APPLICANT_HEIR", "PAYEE"),
}
"""Fields of persons and accounts → the words they may hold, on every form."""

_GROUPS = ("deceased", "death", "applicant", "payee", "account")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
