"""What can happen to a case.  Each event is one line of its ledger; the present state is their fold.

Events are facts in the past tense and carry everything the fold needs.  Their names and fields are part of what is kept
for ever: add fields with defaults, never rename.
"""

from __future__ import annotations

from gateway.domain.events.access import Looked, Revealed
from gateway.domain.events.case import (
    AccountGiven,
    CaseOpened,
    Closed,
    FlowChanged,
    FormCorrected,
    Identified,
    IdentityVerified,
    JoinAnswered,
    JoinRequested,
    Noted,
    Rated,
    Reopened,
    Reported,
    RevocationFinished,
    Revoked,
)
from gateway.domain.events.items import (
    Accepted,
    Amended,
    CertificateIssued,
    Completed,
    CorrectionAnswered,
    CorrectionRequested,
    Delivered,
    DeliveryFailed,
    DeliveryLost,
    DeliveryRedriven,
    Evaluated,
    Found,
    ItemRefused,
    Pushed,
    RuledOut,
    Verdict,
    Withdrawn,
    WriteBackRefused,
)
from gateway.domain.events.materials import MaterialAttached, MaterialScanned
from gateway.domain.events.money import (
    InstructionDelivered,
    InstructionFailed,
    InstructionRedriven,
    PayoutApproved,
    PayoutCancelled,
    PayoutDeducted,
    PayoutHeld,
    PayoutInstructed,
    PayoutOffset,
    PayoutPaid,
    PayoutReturned,
)
from gateway.domain.events.reversals import (
    ReversalAnswered,
    ReversalDelivered,
    ReversalFailed,
    ReversalRedriven,
    ReversalRequested,
)
from gateway.domain.events.shared import CertificateShared, LinkedToCase, ShareRenewed, ShareRevoked, StopRecorded
from gateway.domain.events.supervision import Escalated, Overdue, Reminded

Event = (
    CaseOpened
    | Reported
    | Evaluated
    | Pushed
    | Delivered
    | DeliveryFailed
    | DeliveryRedriven
    | DeliveryLost
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
    | InstructionRedriven
    | PayoutPaid
    | PayoutReturned
    | WriteBackRefused
    | JoinRequested
    | JoinAnswered
    | Noted
    | Found
    | FormCorrected
    | Amended
    | Withdrawn
    | Revoked
    | ReversalRequested
    | ReversalDelivered
    | ReversalFailed
    | ReversalRedriven
    | ReversalAnswered
    | RevocationFinished
    | PayoutDeducted
    | PayoutOffset
    | PayoutCancelled
    | IdentityVerified
    | Rated
    | Reopened
    | Closed
    | Reminded
    | Overdue
    | Escalated
    | MaterialAttached
    | MaterialScanned
    | CertificateShared
    | StopRecorded
    | LinkedToCase
    | ShareRevoked
    | ShareRenewed
    | Looked
    | Revealed
)

__all__ = [
    "Accepted",
    "AccountGiven",
    "Amended",
    "CaseOpened",
    "CertificateIssued",
    "CertificateShared",
    "Closed",
    "Completed",
    "CorrectionAnswered",
    "CorrectionRequested",
    "Delivered",
    "DeliveryFailed",
    "DeliveryLost",
    "DeliveryRedriven",
    "Escalated",
    "Evaluated",
    "Event",
    "FlowChanged",
    "FormCorrected",
    "Found",
    "Identified",
    "IdentityVerified",
    "InstructionDelivered",
    "InstructionFailed",
    "InstructionRedriven",
    "ItemRefused",
    "JoinAnswered",
    "JoinRequested",
    "LinkedToCase",
    "Looked",
    "MaterialAttached",
    "MaterialScanned",
    "Noted",
    "Overdue",
    "PayoutApproved",
    "PayoutCancelled",
    "PayoutDeducted",
    "PayoutHeld",
    "PayoutInstructed",
    "PayoutOffset",
    "PayoutPaid",
    "PayoutReturned",
    "Pushed",
    "Rated",
    "Reminded",
    "Reopened",
    "Reported",
    "Revealed",
    "ReversalAnswered",
    "ReversalDelivered",
    "ReversalFailed",
    "ReversalRedriven",
    "ReversalRequested",
    "RevocationFinished",
    "Revoked",
    "RuledOut",
    "ShareRenewed",
    "ShareRevoked",
    "StopRecorded",
    "Verdict",
    "Withdrawn",
    "WriteBackRefused",
]
