"""The claims service's codes: theirs, ours, their wording."""

from __future__ import annotations

from typing import TypeVar

from gateway.domain.department import DepartmentUnintelligible, Outcome, PaymentState

T = TypeVar("T")

BUSINESS = {"insurer-asset-disposal": "DEATH_ASSET_DISPOSAL"}
"""Item → ``claimType``."""

OUTCOMES = {
    "SUBMITTED": (Outcome.RECEIVED, "已报案"),
    "UNDER_REVIEW": (Outcome.ACCEPTED, "理赔审核中"),
    "INFO_REQUIRED": (Outcome.CORRECTION, "需补充资料"),
    "SETTLED": (Outcome.COMPLETED, "已结案"),
    "VOIDED": (Outcome.COMPLETED, "已撤案"),
    "DECLINED": (Outcome.REFUSED, "拒赔"),
    "NO_POLICY": (Outcome.NOT_APPLICABLE, "无有效保单"),
}
"""``status`` of a claim → outcome."""

BENEFITS = {
    "DEATH_BENEFIT": "INSURANCE_BENEFIT",
    "CASH_VALUE": "INSURANCE_BENEFIT",
    "UNCLAIMED_DIVIDEND": "INSURANCE_BENEFIT",
}
"""``type`` of a benefit → kind of payment."""

BENEFIT_STATES = {
    "DECIDED": PaymentState.APPROVED,
    "PAYMENT_ORDERED": PaymentState.INSTRUCTED,
    "PAID": PaymentState.PAID,
    "BOUNCED": PaymentState.RETURNED,
}
"""``status`` of a benefit → state of payment."""


def known(table: dict[str, T], code: str, what: str) -> T:
    """Raises ``DepartmentUnintelligible`` for a code of theirs that is not in the table."""
    try:
        return table[code]
    except KeyError:
        raise DepartmentUnintelligible(f"unknown {what}") from None
