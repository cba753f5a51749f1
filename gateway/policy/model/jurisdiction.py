"""One jurisdiction's rules in one version: one file."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway.policy.mistakes import Misplaced, no_circle, unique
from gateway.policy.model.base import AreaCode, Code, Named, RowId, Strict
from gateway.policy.model.form import CertificateOnForm, Commitment, FormField, FormGroup, Material, Notice, Situation
from gateway.policy.model.intake import (
    Area,
    Channel,
    Delivery,
    Flow,
    RatingRule,
    RefusedFlow,
    Rollout,
    Rule,
    SharedSource,
    Step,
    Supervision,
    Via,
    Withdrawal,
)
from gateway.policy.model.item import ItemDefinition


class Document(Strict):
    """The document a policy file was taken from."""

    title: str
    """Its title, in full."""
    issuer: str
    """Who issued it."""
    number: str | None
    """Its number (文号); null: NOT STATED."""
    seed: str
    """File of the collected source texts."""


class Jurisdiction(Named):
    """One jurisdiction's rules in one version."""

    code: Annotated[str, Field(pattern=r"^[a-z]{2,}$")]
    """Short name in lower case; its own for ever."""
    version: str
    """Name of this version of the rules; an open case keeps the one it was accepted under (PD-19)."""
    effective_from: date
    """First day on which new cases come under it."""
    effective_to: date | None = None
    """Last such day; null: no end."""
    document: Document
    """Where the rules come from."""
    area: AreaCode
    """Administrative code of the whole jurisdiction."""
    time_zone: str
    """In which a day begins and ends, e.g. ``Asia/Shanghai``."""
    case_number: str
    """Format of the case number (PD-17); ``{date}`` = YYYYMMDD, ``{serial}`` = running number of the day."""
    payout_clock_start: Literal["PUSH", "APPROVAL"] = "PUSH"
    """When PAYOUT clocks start that do not say: with the push, or with the approval of the money (PD-04)."""
    effect_base: Literal["DEATH_DATE", "PROCESSED_DATE"] = "DEATH_DATE"
    """What next month and next year are counted from (PD-05)."""
    duty_contact: str
    """Whom people are sent to when something is unclear."""
    duty_contact_en: str
    """The same in English."""
    areas: list[Area]
    """The tree of its areas, as far down as cases are handled."""
    channels: list[Channel]
    """Ways in; any other is refused."""
    flows: list[Flow]
    """Kinds of death it admits."""
    refused_flows: list[RefusedFlow] = []
    """Kinds of death it names and does not admit."""
    causes: list[Situation] = []
    """Enumerated causes of abnormal death."""
    rollout: list[Rollout] = []
    """Empty: everywhere in the jurisdiction since ``effective_from``."""
    eligibility: list[Rule]
    """All must hold; one that is unknown refuses nobody.  Empty: everybody is admitted."""
    form_groups: list[FormGroup]
    """Groups of fields, in the order of the form."""
    form: list[FormField]
    """Fields, in the order of the form."""
    situations: list[Situation]
    """Facts about the deceased that are declared: true, false, or left out = unknown."""
    materials: list[Material] = []
    """Papers; empty: NOT STATED, and nothing is asked for."""
    certificates_on_form: list[CertificateOnForm] = []
    """Certificates given by number."""
    commitments: list[Commitment] = []
    """Promises, with their text."""
    notices: list[Notice] = []
    """Words the form or the guide shows."""
    steps: list[Step] = []
    """The service guide, in order."""
    delivery: list[Delivery] = []
    """Ways results reach the family."""
    rating: RatingRule | None = None
    """Null: NOT STATED, and no rating is offered."""
    supervision: Supervision | None = None
    """Null: nobody is told because of time alone, but of a limit that has passed."""
    withdrawal: Withdrawal | None = None
    """Null: NOT STATED, and no item can be taken back."""
    via: Via | None = None
    """Null: every department is reached through its own adapter."""
    shared_sources: list[SharedSource] = []
    """Platforms of shared data that are asked."""
    payee_relations: list[Code] | None = None
    """Relations a NAMED_PAYEE may have to the deceased; null: any (C-15, PD-09)."""
    payee_relations_source: RowId | None = None
    """Row of ``payee_relations``."""
    items: list[ItemDefinition]
    """The catalogue of items (事项)."""

    @cached_property
    def boolean_paths(self) -> frozenset[str]:
        """Form paths of yes/no fields: their answers travel as text."""
        return frozenset(field.path for field in self.form if field.type == "BOOLEAN")

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
            rule = item.payout.deduction if item.payout is not None else None
            if rule is not None and rule.item not in slugs:
                what = f"item {item.slug} deducts from {rule.item}, which is not in the catalogue"
                raise Misplaced(what, "items", at, "payout", "deduction", "item")
        for at, notice in enumerate(self.notices):
            if notice.at is not None and notice.at not in groups:
                raise Misplaced(f"notice {notice.code}: no group {notice.at}", "notices", at, "at")
        unique("service", [item.service for item in self.items if item.service], "items", "service")
        for at, refused in enumerate(self.refused_flows):
            if self.flow(refused.code) is not None:
                raise Misplaced(f"flow {refused.code} is both admitted and refused", "refused_flows", at, "code")
        for at, flow in enumerate(self.flows):
            if flow.opened_by and flow.opened_by.item not in slugs:
                what = f"flow {flow.code} is opened by {flow.opened_by.item}, which is not in the catalogue"
                raise Misplaced(what, "flows", at, "opened_by")
        no_circle({item.slug: [gate.item for gate in item.requires if gate.item] for item in self.items})
        return self
