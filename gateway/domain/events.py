"""What can happen to a case.  Each event is one line of its ledger; the present state is their fold.

Events are facts in the past tense and carry everything the fold needs.  Their names and fields are part of what is kept
for ever: add fields with defaults, never rename.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from gateway.domain.case import Applicability
from gateway.domain.form import AccountForm, DeathForm, DeceasedForm, Form
from gateway.domain.messages import Reason


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """立案: by a report, or by a certificate before there is a report (HZ-505, HZ-508)."""

    number: str
    jurisdiction: str
    policy_version: str
    flow: str
    area: str
    channel: str
    opened_by: str
    deceased: DeceasedForm
    death: DeathForm
    type: Literal["case.opened"] = "case.opened"


@dataclass(frozen=True, slots=True)
class Reported:
    """报丧 / 申报: the one form was filed."""

    form: Form
    family: tuple[str, ...]
    type: Literal["case.reported"] = "case.reported"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one item applies, and why."""

    slug: str
    applicability: Applicability
    reason: Reason
    chosen: bool = False
    business_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluated:
    """事项判定: which items the case has.  Items that were judged before are judged again."""

    verdicts: tuple[Verdict, ...]
    type: Literal["items.evaluated"] = "items.evaluated"


@dataclass(frozen=True, slots=True)
class Pushed:
    """推送: all items whose gates opened at this moment, with one and the same time stamp (HZ-513)."""

    slugs: tuple[str, ...]
    outward: tuple[str, ...]
    """Those of them that go into a department's own system; the others are handled in the platform."""
    type: Literal["items.pushed"] = "items.pushed"


@dataclass(frozen=True, slots=True)
class Delivered:
    """送达: the department's system holds the application."""

    slug: str
    reference: str | None
    raw_code: str
    type: Literal["delivery.succeeded"] = "delivery.succeeded"


@dataclass(frozen=True, slots=True)
class DeliveryFailed:
    """推送未达: one attempt failed.  ``next_attempt_at`` None: the last one; an operator has to drive it again."""

    slug: str
    error: str
    next_attempt_at: datetime | None
    type: Literal["delivery.failed"] = "delivery.failed"


@dataclass(frozen=True, slots=True)
class DeliveryRedriven:
    """重新推送: an operator drives it again."""

    slug: str
    type: Literal["delivery.redriven"] = "delivery.redriven"


@dataclass(frozen=True, slots=True)
class Accepted:
    """受理."""

    slug: str
    reference: str | None = None
    raw_code: str = ""
    type: Literal["item.accepted"] = "item.accepted"


@dataclass(frozen=True, slots=True)
class CorrectionRequested:
    """要求补正."""

    slug: str
    reason: str
    missing: tuple[str, ...] = ()
    raw_code: str = ""
    type: Literal["item.correction_requested"] = "item.correction_requested"


@dataclass(frozen=True, slots=True)
class CorrectionAnswered:
    """已补正."""

    slug: str
    answer: str
    outward: bool
    type: Literal["item.correction_answered"] = "item.correction_answered"


@dataclass(frozen=True, slots=True)
class Completed:
    """办结."""

    slug: str
    reference: str | None = None
    raw_code: str = ""
    effective: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    type: Literal["item.completed"] = "item.completed"


@dataclass(frozen=True, slots=True)
class ItemRefused:
    """不予办理."""

    slug: str
    reason: str
    reference: str | None = None
    raw_code: str = ""
    type: Literal["item.refused"] = "item.refused"


@dataclass(frozen=True, slots=True)
class RuledOut:
    """不适用: by the department's own data, or because the kind of death changed."""

    slug: str
    reason: Reason
    raw_code: str = ""
    type: Literal["item.ruled_out"] = "item.ruled_out"


@dataclass(frozen=True, slots=True)
class CertificateIssued:
    """出具证照."""

    certificate: str
    number: str
    issued_at: datetime
    issuer: str | None = None
    slug: str | None = None
    type: Literal["certificate.issued"] = "certificate.issued"


@dataclass(frozen=True, slots=True)
class FlowChanged:
    """死亡情形变更 (HZ-504): normal death could not be confirmed."""

    flow: str
    reason: str
    type: Literal["case.flow_changed"] = "case.flow_changed"


@dataclass(frozen=True, slots=True)
class Identified:
    """身份确认: the identity of an unidentified body became known (PD-21)."""

    deceased: DeceasedForm
    death_at: datetime | None = None
    """Time of death, when it was found out only now."""
    type: Literal["deceased.identified"] = "deceased.identified"


@dataclass(frozen=True, slots=True)
class AccountGiven:
    """提供收款账户: the family gave or replaced the account."""

    account: AccountForm
    type: Literal["account.given"] = "account.given"


@dataclass(frozen=True, slots=True)
class PayoutApproved:
    """核定."""

    payout: str
    slug: str
    serial: str
    kind: str
    fen: int
    type: Literal["payout.approved"] = "payout.approved"


@dataclass(frozen=True, slots=True)
class PayoutHeld:
    """暂缓发放."""

    payout: str
    reason: Reason
    type: Literal["payout.held"] = "payout.held"


@dataclass(frozen=True, slots=True)
class PayoutInstructed:
    """下达: the account to pay was told, or the department reports that it has given the order."""

    payout: str
    account: AccountForm | None
    outward: bool
    type: Literal["payout.instructed"] = "payout.instructed"


@dataclass(frozen=True, slots=True)
class InstructionDelivered:
    """指令送达: the department's system holds the account."""

    payout: str
    raw_code: str
    type: Literal["instruction.succeeded"] = "instruction.succeeded"


@dataclass(frozen=True, slots=True)
class InstructionFailed:
    """指令未达."""

    payout: str
    error: str
    next_attempt_at: datetime | None
    type: Literal["instruction.failed"] = "instruction.failed"


@dataclass(frozen=True, slots=True)
class PayoutPaid:
    """已发放."""

    payout: str
    paid_at: datetime
    type: Literal["payout.paid"] = "payout.paid"


@dataclass(frozen=True, slots=True)
class PayoutReturned:
    """退汇."""

    payout: str
    reason: str
    returned_at: datetime
    type: Literal["payout.returned"] = "payout.returned"


@dataclass(frozen=True, slots=True)
class WriteBackRefused:
    """回传未被接受: logged, kept for review, changes nothing (PD-06)."""

    department: str
    slug: str
    serial: str
    reason: Reason
    summary: str
    type: Literal["write_back.refused"] = "write_back.refused"


@dataclass(frozen=True, slots=True)
class JoinRequested:
    """申请加入: a second relative (PD-07)."""

    request: str
    name: str
    relation: str | None
    phone: str | None
    subject: str
    type: Literal["join.requested"] = "join.requested"


@dataclass(frozen=True, slots=True)
class JoinAnswered:
    """加入申请的答复."""

    request: str
    accepted: bool
    type: Literal["join.answered"] = "join.answered"


@dataclass(frozen=True, slots=True)
class Noted:
    """监督记录: on-site inspection or follow-up call (HZ-901)."""

    kind: str
    text: str
    type: Literal["case.noted"] = "case.noted"


@dataclass(frozen=True, slots=True)
class Closed:
    """办结: every item is final (PD-08)."""

    type: Literal["case.closed"] = "case.closed"


Event = (
    CaseOpened
    | Reported
    | Evaluated
    | Pushed
    | Delivered
    | DeliveryFailed
    | DeliveryRedriven
    | Accepted
    | CorrectionRequested
    | CorrectionAnswered
    | Completed
    | ItemRefused
    | RuledOut
    | CertificateIssued
    | FlowChanged
    | Identified
    | AccountGiven
    | PayoutApproved
    | PayoutHeld
    | PayoutInstructed
    | InstructionDelivered
    | InstructionFailed
    | PayoutPaid
    | PayoutReturned
    | WriteBackRefused
    | JoinRequested
    | JoinAnswered
    | Noted
    | Closed
)
