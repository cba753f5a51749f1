"""One item of the catalogue: gates, clocks, money, certificates."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from gateway.domain.deadlines import ClockKind, LimitUnit
from gateway.policy.model.base import Code, Condition, Named, RowId, Slug, Strict
from gateway.policy.model.form import Tick


class Requirement(Strict):
    """One gate before an item (前置条件); exactly one kind."""

    source: RowId
    certificate: list[Code] | None = None
    """One of these certificates is there."""
    item: Slug | None = None
    """That item is completed."""
    report: Literal[True] | None = None
    """The report is filed."""
    all_items: Literal[True] | None = None
    """Every other item of the case is final; for what is told to somebody at the end (YN-1001)."""
    when: Condition | None = None
    """The gate stands only when this holds."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(kind is not None for kind in (self.certificate, self.item, self.report, self.all_items)) != 1:
            raise ValueError("a requirement has exactly one of: certificate, item, report, all_items")
        return self


class Clock(Strict):
    """One time limit.  ``limit`` null: promised without a number, or not stated."""

    clock: ClockKind
    """PROCESSING: 办理时限, until the department's act.  PAYOUT: 发放时限, until the money is on the account."""
    limit: int | None = Field(default=None, gt=0)
    """Number of ``unit``; null: no limit stated, and the item is never overdue."""
    unit: LimitUnit = LimitUnit.WORKING_DAYS
    """Unit of ``limit``: WORKING_DAYS by the calendar (the first day is not counted), or elapsed HOURS."""
    start: Literal["PUSH", "APPROVAL"] | None = None
    """Null: the jurisdiction's default (PD-02, PD-04)."""
    source: RowId
    quote: str = ""
    when: Condition | None = None
    """The clock counts unless this is false; null: always."""


class Deduction(Strict):
    """扣回: a negative sum of ``item`` is deducted from the sums of the item that has this rule (WZ-703, PD-10).

    While ``item`` is in the case and has no result, the sums wait for it.
    """

    item: Slug
    """Slug of the item whose negative sum is deducted."""
    kinds: list[Code] | None = None
    """Kinds of sum that are deducted from; null: all of the item's."""
    source: RowId
    waits_source: RowId
    """Row that says the pay-out waits for the result."""


class PayoutRule(Strict):
    """The money of an item.  ``payee`` null: the source does not say whose account; payouts are held (PD-20).

    FAMILY_DESIGNATED: the account the family names.  APPLICANT: an account in the applicant's own name.
    DECEASED_OR_HEIR: the deceased's own account; the applicant's (heir's) only with a reason (``fallback_source``).
    NAMED_PAYEE: the account of the payee the form names, who must be one of ``payee_relations``.
    BY_INSTITUTION: the institution pays the heirs by itself; no account is told.
    """

    kinds: list[Code]
    """Kinds of sum the department may approve, codes of the catalogue."""
    payee: Literal["FAMILY_DESIGNATED", "APPLICANT", "DECEASED_OR_HEIR", "NAMED_PAYEE", "BY_INSTITUTION"] | None
    """Whose account is paid; see above.  Null: NOT STATED, the money is held."""
    source: RowId
    quote: str = ""
    fallback_source: RowId | None = None
    """Row of the reasoned fallback, for DECEASED_OR_HEIR."""
    deduction: Deduction | None = None
    """Null: nothing is deducted from its sums."""

    @model_validator(mode="after")
    def _deducts_from_its_own(self) -> Self:
        strange = set(self.deduction.kinds or []) - set(self.kinds) if self.deduction is not None else set()
        if strange:
            raise ValueError(f"deduction: {', '.join(sorted(strange))} is no kind of this payout")
        return self


class BusinessType(Named):
    """A business type within one item, decided by facts of the deceased."""

    code: str
    source: RowId
    when: Condition
    """Holds: the department is told this type; unknown or false: it is not."""


class Referral(Strict):
    """What follows when a department finds that the kind of death is another one."""

    flow: Literal["OUTSIDE", "INSIDE", "ABNORMAL"]
    """The kind of death it turns into."""
    source: RowId


class ItemDefinition(Named):
    """One item (事项) of the jurisdiction's catalogue."""

    slug: Slug
    sent_as: Slug | None = None
    """Slug under which the department knows it, where one item of the document lies with two departments."""
    other_names: list[str] = []
    """Further names the document uses for it (C-19, X-04)."""
    enabled: bool = True
    """False: in the catalogue, and not offered until it is switched on (X-08)."""
    source: RowId
    clause: str
    quote: str
    basis: str | None = None
    """Legal basis (依据); null: NOT STATED (YN-104)."""
    level: Literal["PROVINCE", "PREFECTURE", "COUNTY", "TOWNSHIP", "VILLAGE"] | None = None
    """Implementing level (实施层级); null: NOT STATED (YN-104, YN-801)."""
    review_points: list[str] | None = None
    """审查要点; null: NOT STATED (YN-404)."""
    department: Slug | None
    """Null: not stated; the item is blocked, never sent to a guess (PD-18)."""
    handler: Literal["SYSTEM", "PLATFORM", "SHARED", "PULL"] = "SYSTEM"
    """SYSTEM: pushed into the department's own system.  PLATFORM: done by a person in the platform.
    SHARED: nobody is pushed; done when its certificate reaches the platform as shared data (WZ-510).
    PULL: the department takes shared data and acts by itself (YY-514); the item enters a case once it is recorded."""
    done_by: list[str] = ["duty-person"]
    """Roles that may complete or refuse it, for PLATFORM items of no department."""
    service: Literal["CASE_CODING", "RESULT_RETURN"] | None = None
    """A service of a higher platform to the case itself (YN-1001): it codes the case, or takes its result."""
    kind: Literal["CERT", "DEREG", "STOP", "CLAIM", "SETTLE", "ENQ", "SERVICE"]
    """CERT issues a certificate.  DEREG cancels a registration.  STOP ends a payment.  CLAIM is applied for.  SETTLE
    closes an account.  ENQ finds out and pays nothing.  SERVICE: anything else."""
    trigger: Literal["AUTO", "TICK", "EVENT"]
    """TICK: only when the applicant chose it.  AUTO and EVENT: whenever it applies."""
    tick: Tick | None = None
    """Its tick box on the form; a TICK item without one is offered under its own name."""
    phase: Literal["CONFIRMATION", "CREMATION", "AFTERCARE"]
    """Group it is shown in; before the report only CONFIRMATION items are judged."""
    applies_when: Condition | None = None
    """Null: every case."""
    condition_name: str | None = None
    """``applies_when`` in words; needed beside it."""
    condition_name_en: str | None = None
    """The same in English."""
    when_undeclared: Literal["VERIFY", "OMIT"] = "VERIFY"
    """What happens when the fact was not declared: the department verifies, or the item is left out."""
    when_not: Literal["NOT_APPLICABLE", "ORIGINAL_PROCEDURE", "REFUSED"] = "NOT_APPLICABLE"
    """What becomes of it when the condition does not hold: it does not apply; it is done by the original procedure
    outside the platform (WZ-104); or, when it was chosen, it is refused (YN-205)."""
    not_condition: str | None = None
    """The condition's contrary in words, where it is what people are told (机关事业单位人员…按照原流程办理)."""
    not_condition_en: str | None = None
    """The same in English."""
    condition_source: RowId | None = None
    """Row of the condition, where it is another than the item's own."""
    needs_identity: bool = True
    """Blocked, not refused, while the deceased is unidentified (PD-21)."""
    requires: list[Requirement] = []
    """Gates before it, all of which must be open; empty: it is pushed at once."""
    clocks: list[Clock] = []
    """Its time limits; one with ``limit: null`` says that the source states no number."""
    payout: PayoutRule | None = None
    """Its money; null: it pays nothing."""
    business_types: list[BusinessType] = []
    """Several may hold at once; each that does is told."""
    issues: list[Code] = []
    """Certificates that completing the item issues; at least one must come with the completion."""
    issues_all: bool = False
    """Every one of them must come with it (WZ-507)."""
    evidence: list[Code] = []
    """Certificates the department may see for this item (HZ-402)."""
    effect: Literal["NEXT_MONTH", "NEXT_YEAR"] | None = None
    """When a stop takes effect; null: at once."""
    completed_by_report: bool = False
    """Done by the report itself, without a person."""
    referral: Referral | None = None
    """Null: the department cannot refer the case to another flow."""
    sends: list[str] = []
    """Form paths sent along with the application."""

    @model_validator(mode="after")
    def _condition_has_a_name(self) -> Self:
        if self.applies_when is not None and not (self.condition_name and self.condition_name_en):
            raise ValueError("applies_when needs condition_name and condition_name_en, to tell people why")
        return self
