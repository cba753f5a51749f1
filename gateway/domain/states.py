"""The four state machines, each one table: whatever is not in the table cannot happen.

The code that folds the ledger, the drawn graphs in ``docs/states.md`` and the property tests read these same tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)


class IllegalTransition(Exception):
    """``event`` cannot happen in ``status``."""

    def __init__(self, machine: str, status: str, event: str) -> None:
        super().__init__(f"{machine}: {event} cannot happen in state {status}")
        self.machine, self.status, self.event = machine, status, event


@dataclass(frozen=True, slots=True)
class Machine(Generic[S]):
    """``edges``: (state, event) → next state.  ``final``: states in which nothing more is expected."""

    name: str
    initial: S
    edges: Mapping[tuple[S, str], S]
    final: frozenset[S]

    def next(self, status: S, event: str) -> S:
        """Raises ``IllegalTransition``."""
        try:
            return self.edges[status, event]
        except KeyError:
            raise IllegalTransition(self.name, status, event) from None

    def allows(self, status: S, event: str) -> bool:
        return (status, event) in self.edges


class CaseStatus(StrEnum):
    """办件状态."""

    AWAITING_REPORT = "AWAITING_REPORT"
    """待报丧: opened by a certificate; the bereavement report has not been filed (HZ-505, HZ-508)."""
    IN_PROGRESS = "IN_PROGRESS"
    """办理中."""
    CLOSED = "CLOSED"
    """已办结: every item is completed, refused or not applicable (PD-08)."""
    REVOKING = "REVOKING"
    """撤销中: the death was recorded in error; every department that was told is being told so."""
    REVOKED = "REVOKED"
    """已撤销: every department that was told has answered the reversal."""


class ItemStatus(StrEnum):
    """事项状态 (PD-08, with acceptance and correction)."""

    BLOCKED = "BLOCKED"
    """等待前置条件: a gate is closed; ``waitsFor`` names it."""
    DISPATCHED = "DISPATCHED"
    """已推送: pushed to the department; its clock runs."""
    ACCEPTED = "ACCEPTED"
    """已受理: taken up by the department."""
    CORRECTION_REQUIRED = "CORRECTION_REQUIRED"
    """待补正: the department asks for something."""
    COMPLETED = "COMPLETED"
    """已办结."""
    REFUSED = "REFUSED"
    """不予办理."""
    NOT_APPLICABLE = "NOT_APPLICABLE"
    """不适用."""
    WITHDRAWN = "WITHDRAWN"
    """已撤回: the family took its application for this item back, where the rules allow it."""


class ReversalStatus(StrEnum):
    """撤销（恢复）状态: undoing one item, because the death was recorded in error or the item was withdrawn."""

    REQUESTED = "REQUESTED"
    """已提出: the department has to undo it."""
    ACCEPTED = "ACCEPTED"
    """已受理: the department is at work on it."""
    COMPLETED = "COMPLETED"
    """已恢复: undone in the department's own system."""
    REFUSED = "REFUSED"
    """不予恢复: the department cannot undo it; its reason says why, and a person has to look at it."""


class PayoutStatus(StrEnum):
    """发放状态."""

    APPROVED = "APPROVED"
    """已核定: the department has decided the amount."""
    HELD = "HELD"
    """暂缓发放: no account may be told; ``holdReason`` says why (PD-20)."""
    INSTRUCTED = "INSTRUCTED"
    """已下达: the department has the account."""
    PAID = "PAID"
    """已发放: on the account."""
    RETURNED = "RETURNED"
    """已退汇: the bank sent it back."""
    OFFSET = "OFFSET"
    """已抵扣: all of it went against a negative account; nothing is left to pay (WZ-703)."""
    CANCELLED = "CANCELLED"
    """已取消: the item was withdrawn or the death was recorded in error before anything was paid."""


_I = ItemStatus
_OPEN = (_I.DISPATCHED, _I.ACCEPTED, _I.CORRECTION_REQUIRED)

CASE: Machine[CaseStatus] = Machine(
    name="Case",
    initial=CaseStatus.AWAITING_REPORT,
    edges={
        (CaseStatus.AWAITING_REPORT, "reported"): CaseStatus.IN_PROGRESS,
        (CaseStatus.IN_PROGRESS, "closed"): CaseStatus.CLOSED,
        (CaseStatus.CLOSED, "reopened"): CaseStatus.IN_PROGRESS,
        (CaseStatus.AWAITING_REPORT, "revoked"): CaseStatus.REVOKING,
        (CaseStatus.IN_PROGRESS, "revoked"): CaseStatus.REVOKING,
        (CaseStatus.CLOSED, "revoked"): CaseStatus.REVOKING,
        (CaseStatus.REVOKING, "revocation_finished"): CaseStatus.REVOKED,
    },
    final=frozenset({CaseStatus.CLOSED, CaseStatus.REVOKED}),
)

ITEM: Machine[ItemStatus] = Machine(
    name="DepartmentItem",
    initial=_I.BLOCKED,
    edges={
        (_I.BLOCKED, "pushed"): _I.DISPATCHED,
        (_I.BLOCKED, "found"): _I.COMPLETED,
        (_I.BLOCKED, "ruled_out"): _I.NOT_APPLICABLE,
        (_I.NOT_APPLICABLE, "ruled_in"): _I.BLOCKED,
        (_I.REFUSED, "ruled_in"): _I.BLOCKED,
        (_I.DISPATCHED, "accepted"): _I.ACCEPTED,
        (_I.CORRECTION_REQUIRED, "accepted"): _I.ACCEPTED,
        (_I.DISPATCHED, "correction_requested"): _I.CORRECTION_REQUIRED,
        (_I.ACCEPTED, "correction_requested"): _I.CORRECTION_REQUIRED,
        (_I.CORRECTION_REQUIRED, "correction_answered"): _I.DISPATCHED,
        **{(state, "completed"): _I.COMPLETED for state in _OPEN},
        **{(state, "refused"): _I.REFUSED for state in _OPEN},
        **{(state, "ruled_out"): _I.NOT_APPLICABLE for state in _OPEN},
        **{(state, "withdrawn"): _I.WITHDRAWN for state in (_I.BLOCKED, *_OPEN)},
    },
    final=frozenset({_I.COMPLETED, _I.REFUSED, _I.NOT_APPLICABLE, _I.WITHDRAWN}),
)

_P = PayoutStatus

PAYOUT: Machine[PayoutStatus] = Machine(
    name="Payout",
    initial=_P.APPROVED,
    edges={
        (_P.APPROVED, "held"): _P.HELD,
        (_P.HELD, "held"): _P.HELD,
        (_P.APPROVED, "instructed"): _P.INSTRUCTED,
        (_P.HELD, "instructed"): _P.INSTRUCTED,
        (_P.RETURNED, "instructed"): _P.INSTRUCTED,
        (_P.APPROVED, "paid"): _P.PAID,
        (_P.HELD, "paid"): _P.PAID,
        (_P.INSTRUCTED, "paid"): _P.PAID,
        (_P.RETURNED, "paid"): _P.PAID,
        (_P.INSTRUCTED, "returned"): _P.RETURNED,
        (_P.PAID, "returned"): _P.RETURNED,
        **{(state, "offset"): _P.OFFSET for state in (_P.APPROVED, _P.HELD)},
        **{(state, "cancelled"): _P.CANCELLED for state in (_P.APPROVED, _P.HELD, _P.INSTRUCTED, _P.RETURNED)},
    },
    final=frozenset({_P.PAID, _P.OFFSET, _P.CANCELLED}),
)

_R = ReversalStatus

REVERSAL: Machine[ReversalStatus] = Machine(
    name="Reversal",
    initial=_R.REQUESTED,
    edges={
        (_R.REQUESTED, "accepted"): _R.ACCEPTED,
        **{(state, "completed"): _R.COMPLETED for state in (_R.REQUESTED, _R.ACCEPTED, _R.REFUSED)},
        **{(state, "refused"): _R.REFUSED for state in (_R.REQUESTED, _R.ACCEPTED)},
    },
    final=frozenset({_R.COMPLETED, _R.REFUSED}),
)


def mermaid(machine: Machine[S]) -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {machine.initial.value}"]
    lines += [f"    {source.value} --> {target.value}: {event}" for (source, event), target in machine.edges.items()]
    lines += [f"    {state.value} --> [*]" for state in sorted(machine.final)]
    return "\n".join(lines)
