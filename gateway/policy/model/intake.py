"""Where, for whom and how a case begins, and what surrounds it."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from gateway.domain.deadlines import LimitUnit
from gateway.policy.model.base import AreaCode, Code, Condition, Named, RowId, Slug, Strict


class Area(Strict):
    """One administrative area of the jurisdiction's tree."""

    code: AreaCode
    name: str
    level: Literal["PROVINCE", "PREFECTURE", "COUNTY", "TOWNSHIP", "VILLAGE"]
    """Level of administration."""
    parent: AreaCode | None = None
    """Code of the area it lies in; null: none here, the top of the tree."""


class Channel(Named):
    """A way in (渠道)."""

    code: Code
    source: RowId
    qr: RowId | None = None
    """Row that says a QR code leads into it (HZ-1005); null: none does."""


class OpenedBy(Strict):
    """Who may open a case of this flow by issuing a certificate before any report is filed."""

    item: Slug
    """Slug of the item whose certificate opens the case."""
    source: RowId


class Flow(Named):
    """A kind of death and how its case begins (丧情确认)."""

    code: Literal["OUTSIDE", "INSIDE", "ABNORMAL"]
    source: RowId
    reporters: list[str]
    """Roles that may file the report or application."""
    opened_by: OpenedBy | None = None
    """Null: only a report opens a case."""
    report_after: list[Code] | None = None
    """Certificates of which one must be there before the report is filed; null: none."""
    report_after_source: RowId | None = None
    """Row of ``report_after``."""


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
    """What must hold; only ``false`` refuses."""
    name: str
    """What is required, as a Chinese phrase."""
    name_en: str
    """The same in English."""
    fact_label: str
    """Form path whose value is shown as the offending fact."""
    fact_text: str | None = None
    """Form path of its words, shown when the value is the code of an area the jurisdiction does not know."""


class Rollout(Strict):
    """Where the service is on, and since when (YY-106, YN-105)."""

    area: AreaCode
    """Area with all below it."""
    since: date
    """First day of the service there."""
    source: RowId


class Step(Strict):
    """One step of the service guide (办事指南), in order: who does what."""

    name: str
    name_en: str
    actor: str
    """Who does it."""
    source: RowId
    flow: Literal["OUTSIDE", "INSIDE", "ABNORMAL"] | None = None
    """Null: in every flow."""


class Delivery(Named):
    """How results reach the family (C-32)."""

    code: Code
    source: RowId


class RatingLevel(Named):
    """One level of the rating scale (好差评); the scale is data (PD-17)."""

    code: Code


class RatingRule(Strict):
    """好差评 (YN-901): the scale, best first."""

    levels: list[RatingLevel] = Field(min_length=2)
    """Best first."""
    source: RowId


class Withdrawal(Strict):
    """撤回: which items the family may take back, and until when.  No file has it until its owner sets it (S-04)."""

    items: Literal["CHOSEN", "ALL"]
    """CHOSEN: those the family chose; ALL: every item."""
    until: Literal["ACCEPTED", "FINAL"]
    """The last moment: before the department has accepted it, or before it is final."""
    source: RowId


class Period(Strict):
    """How long before, or after, something."""

    amount: int | None = Field(gt=0)
    """Number of ``unit``; null: nothing is recorded by it."""
    unit: LimitUnit
    """WORKING_DAYS by the calendar, or elapsed HOURS."""


class Supervision(Strict):
    """催办、督办: when people are told.  A limit that has passed is recorded without any of these, and so is what only
    a person can end: a push given up, money held or returned.  No document states a number; its owner sets it."""

    remind_before: Period
    """催办: how much of a limit is left when the department is reminded of it."""
    escalate_after: Period
    """升级督办: how long after a limit has passed it is put before the supervisor."""
    follow_up_after: Period
    """How long the report, a correction asked of the family, or something nobody is at work on is waited for, before
    those who look after the case are told."""
    source: RowId


class Via(Strict):
    """One integration hub that reaches all departments' systems, instead of one link each (YN-1003, YN-1005)."""

    hub: Slug
    """Code of the hub's adapter."""
    source: RowId


class SharedSource(Strict):
    """A platform of shared data (adapters of kind ``source``) and what it is used for."""

    source: Slug
    """Code of the adapter."""
    uses: list[Literal["PREFILL", "VERIFY", "MATERIALS", "CERTIFICATES"]]
    """PREFILL fills the form.  VERIFY compares names.  MATERIALS: papers it holds need not be handed in.  CERTIFICATES
    are fetched."""
    certificates: list[Code] = []
    """Kinds of certificate it is asked for, again and again while a case waits for one of them."""
    row: RowId
    """Row of the requirements that says so."""
