"""What a policy file may say.  Everything a government decides stands in these shapes; nothing of it in code.

``null`` means NOT STATED: the source was searched and is silent.  It is never replaced by a guess.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.domain.deadlines import ClockKind, LimitUnit
from gateway.policy.mistakes import Misplaced, no_circle, unique

Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
RowId = Annotated[str, Field(pattern=r"^[A-Z]{2,}-\d{2,4}$")]
AreaCode = Annotated[str, Field(pattern=r"^(\d{6}|\d{9}|\d{12})$")]


class Strict(BaseModel):
    """Unknown keys and wrong types are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(Strict):
    """A thing with its official Chinese term and its English one."""

    name: str
    name_en: str


class Condition(Strict):
    """A statement about a case: true, false, or unknown when a fact it needs is not known.

    Exactly one of ``all``, ``any``, ``not``, or a ``fact`` with one of ``equals``, ``among``, ``within``, ``known``.
    Facts: ``situation.<code>``, ``death.flow``, ``identity.known``, ``item.<slug>.chosen`` and every form path.
    """

    all: list[Condition] | None = None
    any: list[Condition] | None = None
    not_: Condition | None = Field(default=None, alias="not")
    fact: str | None = None
    equals: str | bool | None = None
    among: list[str] | None = None
    within: list[AreaCode] | None = None
    """Administrative codes: true when the fact lies in the subtree of one of them."""
    known: bool | None = None

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        shapes = [self.all, self.any, self.not_, self.fact]
        if sum(shape is not None for shape in shapes) != 1:
            raise ValueError("a condition has exactly one of: all, any, not, fact")
        tests = [self.equals, self.among, self.within, self.known]
        if self.fact is not None and sum(test is not None for test in tests) != 1:
            raise ValueError("a fact has exactly one of: equals, among, within, known")
        if self.fact is None and any(test is not None for test in tests):
            raise ValueError("equals, among, within and known belong to a fact")
        return self


class Area(Strict):
    """One administrative area of the jurisdiction's tree."""

    code: AreaCode
    name: str
    level: Literal["PROVINCE", "PREFECTURE", "COUNTY", "TOWNSHIP", "VILLAGE"]
    parent: AreaCode | None = None


class Channel(Named):
    """A way in (渠道)."""

    code: Code
    source: RowId


class OpenedBy(Strict):
    """Who may open a case of this flow by issuing a certificate before any report is filed."""

    item: Slug
    source: RowId


class Flow(Named):
    """A kind of death and how its case begins (丧情确认)."""

    code: Literal["OUTSIDE", "INSIDE", "ABNORMAL"]
    source: RowId
    reporters: list[str]
    """Roles that may file the report or application."""
    opened_by: OpenedBy | None = None
    report_after: list[Code] | None = None
    """Certificates of which one must be there before the report is filed; null: none."""
    report_after_source: RowId | None = None


class RefusedFlow(Named):
    """A kind of death the document does not admit; a report of it is refused with the row that says so."""

    code: Literal["OUTSIDE", "INSIDE", "ABNORMAL"]
    source: RowId


class Rule(Strict):
    """One test of eligibility."""

    source: RowId
    also: list[RowId] = []
    """Further rows that say the same."""
    condition: Condition
    name: str
    """What is required, as a Chinese phrase."""
    name_en: str
    fact_label: str
    """Form path whose value is shown as the offending fact."""
    fact_text: str | None = None
    """Form path of its words, shown when the value is the code of an area the jurisdiction does not know."""


class FormGroup(Named):
    """A group of fields on the form."""

    code: Code
    source: RowId


class FormField(Strict):
    """One field.  ``required``: always, never, or under a condition."""

    path: str
    label: str
    label_en: str
    group: Code
    type: Literal[
        "TEXT", "ID_NUMBER", "PHONE", "DATE", "DATE_TIME", "AREA", "OPTION", "BOOLEAN", "ACCOUNT_NUMBER", "POSITION"
    ]
    required: bool = False
    required_when: Condition | None = None
    required_unless: Condition | None = None
    options: list[Code] | None = None
    source: RowId | None = None
    """Row that names the field; null: convention of this deployment, needed to route the items."""


class Situation(Named):
    """A fact about the deceased that decides which items apply (情形)."""

    code: Code
    source: RowId


class SharedAs(Strict):
    """The certificate that a paper is: handed in once, then seen by every department whose evidence it is."""

    certificate: Code
    number: str
    """Form path of its number."""
    issued_on: str
    """Form path of its date."""
    issuer: str | None = None
    """Form path of who issued it."""


class Material(Named):
    """A paper the family hands in."""

    code: Code
    source: RowId
    required_when: Condition | None = None
    upload: bool = False
    """Naming the paper is not enough: its file must be there."""
    shared_as: SharedAs | None = None


class Commitment(Named):
    """A promise the applicant makes (承诺); ``text`` null: the wording is not in the source, nobody is held to it."""

    code: Code
    source: RowId
    text: str | None


class Requirement(Strict):
    """One gate before an item (前置条件); exactly one kind."""

    source: RowId
    certificate: list[Code] | None = None
    """One of these certificates is there."""
    item: Slug | None = None
    """That item is completed."""
    report: Literal[True] | None = None
    """The report is filed."""
    when: Condition | None = None
    """The gate stands only when this holds."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(kind is not None for kind in (self.certificate, self.item, self.report)) != 1:
            raise ValueError("a requirement has exactly one of: certificate, item, report")
        return self


class Clock(Strict):
    """One time limit.  ``limit`` null: promised without a number, or not stated."""

    clock: ClockKind
    limit: int | None = Field(default=None, gt=0)
    unit: LimitUnit = LimitUnit.WORKING_DAYS
    start: Literal["PUSH", "APPROVAL"] | None = None
    """Null: the jurisdiction's default (PD-02, PD-04)."""
    source: RowId
    quote: str = ""
    when: Condition | None = None


class PayoutRule(Strict):
    """The money of an item.  ``payee`` null: the source does not say whose account; payouts are held (PD-20)."""

    kinds: list[Code]
    payee: Literal["FAMILY_DESIGNATED", "APPLICANT", "DECEASED_OR_HEIR", "NAMED_PAYEE", "BY_INSTITUTION"] | None
    source: RowId
    quote: str = ""


class BusinessType(Named):
    """A business type within one item, decided by facts of the deceased."""

    code: str
    source: RowId
    when: Condition


class Referral(Strict):
    """What follows when a department finds that the kind of death is another one."""

    flow: Literal["OUTSIDE", "INSIDE", "ABNORMAL"]
    source: RowId


class ItemDefinition(Named):
    """One item (事项) of the jurisdiction's catalogue."""

    slug: Slug
    source: RowId
    clause: str
    quote: str
    department: Slug | None
    """Null: not stated; the item is blocked, never sent to a guess (PD-18)."""
    handler: Literal["SYSTEM", "PLATFORM"] = "SYSTEM"
    """SYSTEM: pushed into the department's own system.  PLATFORM: done by a person in the platform."""
    kind: Literal["CERT", "DEREG", "STOP", "CLAIM", "SETTLE", "ENQ", "SERVICE"]
    trigger: Literal["AUTO", "TICK", "EVENT"]
    phase: Literal["CONFIRMATION", "CREMATION", "AFTERCARE"]
    applies_when: Condition | None = None
    """Null: every case."""
    condition_name: str | None = None
    condition_name_en: str | None = None
    when_undeclared: Literal["VERIFY", "OMIT"] = "VERIFY"
    """What happens when the fact was not declared: the department verifies, or the item is left out."""
    needs_identity: bool = True
    """Blocked, not refused, while the deceased is unidentified (PD-21)."""
    requires: list[Requirement] = []
    clocks: list[Clock] = []
    payout: PayoutRule | None = None
    business_types: list[BusinessType] = []
    issues: list[Code] = []
    """Certificates that completing the item issues; at least one must come with the completion."""
    evidence: list[Code] = []
    """Certificates the department may see for this item (HZ-402)."""
    effect: Literal["NEXT_MONTH", "NEXT_YEAR"] | None = None
    completed_by_report: bool = False
    referral: Referral | None = None
    sends: list[str] = []
    """Form paths sent along with the application."""

    @model_validator(mode="after")
    def _condition_has_a_name(self) -> Self:
        if self.applies_when is not None and not (self.condition_name and self.condition_name_en):
            raise ValueError("applies_when needs condition_name and condition_name_en, to tell people why")
        return self


class Document(Strict):
    """The document a policy file was taken from."""

    title: str
    issuer: str
    number: str | None
    seed: str


class Jurisdiction(Named):
    """One jurisdiction's rules in one version."""

    code: Annotated[str, Field(pattern=r"^[a-z]{2,}$")]
    version: str
    effective_from: date
    effective_to: date | None = None
    document: Document
    area: AreaCode
    time_zone: str
    case_number: str
    """Format of the case number (PD-17); ``{date}`` = YYYYMMDD, ``{serial}`` = running number of the day."""
    payout_clock_start: Literal["PUSH", "APPROVAL"] = "PUSH"
    effect_base: Literal["DEATH_DATE", "PROCESSED_DATE"] = "DEATH_DATE"
    duty_contact: str
    duty_contact_en: str
    areas: list[Area]
    channels: list[Channel]
    flows: list[Flow]
    refused_flows: list[RefusedFlow] = []
    causes: list[Situation] = []
    """Enumerated causes of abnormal death."""
    eligibility: list[Rule]
    form_groups: list[FormGroup]
    form: list[FormField]
    situations: list[Situation]
    materials: list[Material] = []
    commitments: list[Commitment] = []
    payee_relations: list[Code] | None = None
    items: list[ItemDefinition]

    def item(self, slug: str) -> ItemDefinition | None:
        return next((item for item in self.items if item.slug == slug), None)

    def flow(self, code: str) -> Flow | None:
        return next((flow for flow in self.flows if flow.code == code), None)

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        slugs = [item.slug for item in self.items]
        unique("item", slugs, "items", "slug")
        unique("flow", [flow.code for flow in self.flows], "flows", "code")
        unique("situation", [situation.code for situation in self.situations], "situations", "code")
        unique("form path", [field.path for field in self.form], "form", "path")
        groups = {group.code for group in self.form_groups}
        for at, field in enumerate(self.form):
            if field.group not in groups:
                raise Misplaced(f"form field {field.path}: no group {field.group}", "form", at, "group")
        for at, item in enumerate(self.items):
            if item.referral is not None and self.flow(item.referral.flow) is None:
                what = f"item {item.slug} refers to {item.referral.flow}, which is not a flow here"
                raise Misplaced(what, "items", at, "referral")
            for gate_at, gate in enumerate(item.requires):
                if gate.item is not None and gate.item not in slugs:
                    what = f"item {item.slug} requires {gate.item}, which is not in the catalogue"
                    raise Misplaced(what, "items", at, "requires", gate_at, "item")
        for at, refused in enumerate(self.refused_flows):
            if self.flow(refused.code) is not None:
                raise Misplaced(f"flow {refused.code} is both admitted and refused", "refused_flows", at, "code")
        for at, flow in enumerate(self.flows):
            if flow.opened_by and flow.opened_by.item not in slugs:
                what = f"flow {flow.code} is opened by {flow.opened_by.item}, which is not in the catalogue"
                raise Misplaced(what, "flows", at, "opened_by")
        no_circle({item.slug: [gate.item for gate in item.requires if gate.item] for item in self.items})
        return self


class CatalogueEntry(Named):
    """One word all jurisdictions share."""

    code: str


class Catalogue(Strict):
    """Words shared by all jurisdictions: departments, certificates, relations, kinds of payment, roles."""

    departments: list[CatalogueEntry]
    certificates: list[CatalogueEntry]
    relations: list[CatalogueEntry]
    payments: list[CatalogueEntry]
    roles: list[CatalogueEntry]


class CalendarYear(Strict):
    """One year's notice on days off and make-up days."""

    year: int
    status: Literal["announced"]
    source: str
    days_off: dict[str, list[date]]
    make_up_days: dict[str, list[date]]
