"""The funeral information system's codes: theirs, ours, their wording."""

from __future__ import annotations

from typing import TypeVar

from gateway.domain.department import (
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    PaymentState,
)

T = TypeVar("T")

BUSINESS = {
    "funeral-service": 2101,
    "cremation-cert": 2102,
    "cremation-record": 2103,
    "pickup-notice": 2104,
    "eco-burial-reward": 2201,
    "funeral-fee-relief": 2202,
    "special-group-treatment": 2301,
}
"""Item → ``biz_type``."""

OUTCOMES = {
    10: (Outcome.RECEIVED, "已登记"),
    20: (Outcome.ACCEPTED, "已受理"),
    21: (Outcome.CORRECTION, "待补正"),
    30: (Outcome.COMPLETED, "已办结"),
    40: (Outcome.REFUSED, "不予办理"),
    41: (Outcome.NOT_APPLICABLE, "未登记"),
}
"""``status`` → outcome."""

GRANTS = {71: "ECO_BURIAL_REWARD"}
"""``grant_type`` → kind of payment."""

GRANT_STATES = {
    1: PaymentState.APPROVED,
    2: PaymentState.INSTRUCTED,
    3: PaymentState.PAID,
    4: PaymentState.RETURNED,
}
"""``pay_status`` → state of payment."""

TAKEN = 0
ERRORS: dict[int, tuple[type[DepartmentError], str]] = {
    40001: (DepartmentRejected, "参数错误"),
    40002: (DepartmentRejected, "业务类型不存在"),
    40003: (DepartmentRejected, "逝者证件号码必填"),
    40004: (DepartmentRejected, "单次查询超过500条"),
    40401: (DepartmentRejected, "奖补记录不存在"),
    40901: (DepartmentRejected, "奖补金额不符或不可支付"),
    50000: (DepartmentUnavailable, "系统异常"),
}
"""``code`` of an answer → error."""

ID_KINDS = {"RESIDENT_ID": 1, "PASSPORT": 2, "RESIDENCE_PERMIT": 3, "OTHER": 8, "UNKNOWN": 9}
"""Kind of document → ``id_type``."""

SEXES = {"MALE": 1, "FEMALE": 2, "UNKNOWN": 9}
"""Sex → ``gender``."""

DEATH_KINDS = {"OUTSIDE": 1, "INSIDE": 2, "ABNORMAL": 3}
"""Death flow → ``category``."""

CERTIFICATES = {"DEATH_MEDICAL": 11, "DEATH_ABNORMAL": 12, "CREMATION": 21}
"""Certificate → ``cert_type``; others are of no use to the funeral system and not sent."""

FORM = {
    "funeral.bookingTime": "pickup_time",
    "body.pickupDate": "pickup_time",
    "funeral.pickupAddress": "pickup_address",
    "body.pickupAddress": "pickup_address",
    "body.funeralHome": "funeral_home",
    "funeral.processionRoute": "procession_route",
    "ashes.placement": "ashes_intent",
    "ashes.placementIntent": "ashes_intent",
    "ashes.placeName": "ashes_place",
}
"""Form path → field of ``service`` (WZ-322…327, HZ-301)."""

RESULT_TIMES = {"booked_at": "bookedAt", "collected_at": "collectedAt", "cremated_at": "crematedAt"}
"""Times in ``result`` → detail; theirs have no zone, ours have the offset."""

RESULT_TEXTS = {
    "funeral_home": "funeralHome",
    "vehicle_no": "vehicle",
    "relief_items": "reliefItems",
    "stopped_from": "effectiveFrom",
}
"""Texts in ``result`` → detail."""


def known(table: dict[int, T], code: int, what: str) -> T:
    """Raises ``DepartmentUnintelligible`` for a code of theirs that is not in the table."""
    try:
        return table[code]
    except KeyError:
        raise DepartmentUnintelligible(f"unknown {what}") from None
