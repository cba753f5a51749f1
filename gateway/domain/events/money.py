"""Sums of money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.domain.form import AccountForm
from gateway.domain.messages import Reason


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
class PayoutDeducted:
    """扣回: part of a sum goes against the negative account of another item (WZ-703); replaces an earlier one."""

    payout: str
    fen: int
    item: str
    type: Literal["payout.deducted"] = "payout.deducted"


@dataclass(frozen=True, slots=True)
class PayoutOffset:
    """抵扣完毕: nothing is left to pay."""

    payout: str
    type: Literal["payout.offset"] = "payout.offset"


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
class InstructionRedriven:
    """人工重新发送支付指令."""

    payout: str
    type: Literal["instruction.redriven"] = "instruction.redriven"


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
class PayoutCancelled:
    """取消发放."""

    payout: str
    type: Literal["payout.cancelled"] = "payout.cancelled"
