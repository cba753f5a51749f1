"""The case (办件) as the fold of its ledger.

``Case`` and what hangs on it are plain state.  They change only in ``gateway.domain.fold``, one event at a time, so the
present state can always be proved from the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.domain.alerts import Alert
from gateway.domain.form import AccountForm, DeathForm, DeceasedForm, Form
from gateway.domain.materials import AttachedMaterial
from gateway.domain.messages import Reason
from gateway.domain.states import CaseStatus, ItemStatus, PayoutStatus, ReversalStatus


class Applicability(StrEnum):
    """是否适用."""

    APPLIES = "APPLIES"
    """适用."""
    DEPARTMENT_VERIFIES = "DEPARTMENT_VERIFIES"
    """由部门核实: the fact was not declared; the department's own data decide."""
    DOES_NOT_APPLY = "DOES_NOT_APPLY"
    """不适用."""


class DeliveryState(StrEnum):
    """推送到达情况: the way of the push into the department's own system."""

    NONE = "NONE"
    """无需推送: not pushed yet, or handled in the platform itself."""
    PENDING = "PENDING"
    """推送中."""
    DELIVERED = "DELIVERED"
    """已送达: the department's system holds it."""
    FAILED = "FAILED"
    """推送失败: every attempt failed; an operator can drive it again."""


@dataclass(slots=True)
class Delivery:
    """The way of one push into the department's system."""

    state: DeliveryState = DeliveryState.NONE
    attempts: int = 0
    last_error: str | None = None
    failing_since: datetime | None = None
    """Since when the department has not answered; None when the last attempt worked."""
    next_attempt_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(slots=True)
class Reversal:
    """Undoing one item in its department (撤销、恢复)."""

    status: ReversalStatus
    reason: str
    since: datetime
    delivery: Delivery = field(default_factory=Delivery)
    reference: str | None = None
    outcome: str | None = None
    """What the department said, in its words."""
    finished_at: datetime | None = None


@dataclass(slots=True)
class Item:
    """One item (事项) of one case with one department."""

    slug: str
    status: ItemStatus
    applicability: Applicability
    reason: Reason
    """Why it is, or is not, part of the case."""
    since: datetime
    """Since when it has its present status."""
    chosen: bool = False
    business_types: tuple[str, ...] = ()
    pushed_at: datetime | None = None
    accepted_at: datetime | None = None
    finished_at: datetime | None = None
    reference: str | None = None
    """The department's own serial number (受理号)."""
    outcome: str | None = None
    """What the department said last, in its words: reason of a refusal, of a correction, of finding nothing."""
    missing: tuple[str, ...] = ()
    correction: int = 0
    correction_answer: str | None = None
    amended_at: datetime | None = None
    amending: bool = False
    """The department is being told that what it was told has been corrected (更正)."""
    found: bool = False
    """Done before the case knew of it: by a department that acted on shared data, or by a shared certificate."""
    reversal: Reversal | None = None
    effective: str | None = None
    """When a stop takes effect: ``YYYY-MM`` (次月) or ``YYYY`` (次年); None = at once."""
    details: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = field(default_factory=Delivery)


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """An electronic certificate (电子证照) shared on the platform."""

    type: str
    number: str
    issued_at: datetime
    recorded_at: datetime
    issuer: str | None = None
    item: str | None = None


@dataclass(slots=True)
class Payout:
    """One sum (款项) a department approved.  Amounts in fen."""

    id: str
    item: str
    serial: str
    kind: str
    fen: int
    status: PayoutStatus
    approved_at: datetime
    deduction: int = 0
    """Part of ``fen`` that went against a negative account (WZ-703); paid is ``fen - deduction``."""
    deduction_of: str | None = None
    """Slug of the item whose negative sum it went against."""
    hold: Reason | None = None
    account: AccountForm | None = None
    instructed_at: datetime | None = None
    paid_at: datetime | None = None
    returned_at: datetime | None = None
    return_reason: str | None = None
    delivery: Delivery = field(default_factory=Delivery)

    @property
    def net(self) -> int:
        """What is to be paid, in fen: never more than what is left after the deduction."""
        return self.fen - self.deduction


@dataclass(frozen=True, slots=True)
class Verification:
    """What a source of shared data said of a person's identity (YN-402).  ``person``: ``deceased`` or ``applicant``;
    ``outcome``: ``MATCH``, ``MISMATCH``, ``NOT_HELD`` or ``UNAVAILABLE``."""

    person: str
    source: str
    outcome: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Rating:
    """好差评 of one case (YN-901).  ``level``: a code of the policy's scale."""

    level: str
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Revocation:
    """Why and when the death was found to be recorded in error."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A second relative asking to join the open case (PD-07)."""

    id: str
    name: str
    relation: str | None
    phone: str | None
    subject: str
    """Pseudonym of the asking person; what access is given to."""
    at: datetime
    accepted: bool | None = None


@dataclass(slots=True)
class Case:
    """One death, one case."""

    number: str
    jurisdiction: str
    policy_version: str
    """Version of the policy it was accepted under; it keeps it to the end (PD-19)."""
    status: CaseStatus
    flow: str
    area: str
    channel: str
    opened_at: datetime
    opened_by: str
    deceased: DeceasedForm
    death: DeathForm
    revision: int = 0
    """Sequence number of the last ledger entry folded in."""
    reported_at: datetime | None = None
    closed_at: datetime | None = None
    form: Form | None = None
    family: tuple[str, ...] = ()
    """Pseudonyms of the persons who may see the case as family."""
    items: dict[str, Item] = field(default_factory=dict)
    certificates: list[IssuedCertificate] = field(default_factory=list)
    payouts: dict[str, Payout] = field(default_factory=dict)
    joins: dict[str, JoinRequest] = field(default_factory=dict)
    verifications: list[Verification] = field(default_factory=list)
    rating: Rating | None = None
    revocation: Revocation | None = None
    alerts: dict[str, Alert] = field(default_factory=dict)
    """督办, by key: what supervision recorded, answered or not."""
    materials: dict[str, AttachedMaterial] = field(default_factory=dict)
    """Files that were handed in, by id, oldest first."""
    first_asked: str | None = None
    """首问责任人: who took the family's matter up first (YN-901); None when the family filed by itself."""

    def certificate(self, *types: str) -> IssuedCertificate | None:
        """The first certificate of one of the types."""
        return next((found for found in self.certificates if found.type in types), None)


def submission_key(number: str, slug: str) -> str:
    """Idempotency key of one item's push: the same however often it is sent (PD-16)."""
    return f"{number}.{slug}"


REVERSAL = ".R"
"""Ends the key, and the slug in it, of a reversal."""


def split_key(key: str) -> tuple[str, str]:
    """Case number and item slug of a submission key."""
    number, _, slug = key.partition(".")
    return number, slug
