"""The medical-insurance platform's codes: theirs, ours, their wording."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from gateway.domain.department import (
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    PaymentState,
)

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

BUSINESS = {
    "medical-account-settlement": "QS01",
    "medical-reimbursement": "BX01",
    "medical-account-credit-stop": "TZ01",
    "special-disease-outpatient-stop": "TZ02",
    "special-drug-stop": "TZ03",
    "medical-benefit-stop": "TZ04",
    "medical-insurance-participation-end": "ZX01",
    "medical-maternity-participation-end": "ZX02",
    "medical-benefit-and-participation-end": "ZX03",
}
"""Item → ``matn_type``."""

OUTCOMES = {
    "0": (Outcome.RECEIVED, "登记"),
    "1": (Outcome.ACCEPTED, "受理"),
    "2": (Outcome.CORRECTION, "退回补正"),
    "3": (Outcome.COMPLETED, "办结"),
    "4": (Outcome.REFUSED, "不予办理"),
    "5": (Outcome.NOT_APPLICABLE, "无此待遇"),
}
"""``matn_stas`` → outcome."""

BALANCE = "MEDICAL_ACCOUNT_BALANCE"
SUMS = {"GRZH": BALANCE, "YLFY": "MEDICAL_REIMBURSEMENT"}
"""``pay_type`` → kind of payment."""

SUM_STATES = {
    "10": PaymentState.APPROVED,
    "20": PaymentState.INSTRUCTED,
    "30": PaymentState.PAID,
    "40": PaymentState.RETURNED,
}
"""``pay_stas`` → state of payment."""

TAKEN = 0
ERRORS: dict[int, tuple[type[DepartmentError], str]] = {
    -1: (DepartmentUnavailable, "系统处理异常"),
    -2: (DepartmentRejected, "事项类型编码有误"),
    -3: (DepartmentRejected, "证件号码不能为空"),
    -4: (DepartmentRejected, "报文解析失败"),
    -5: (DepartmentRejected, "签名验证失败"),
    -6: (DepartmentRejected, "交易编号不存在"),
    -7: (DepartmentRejected, "支付流水不存在"),
    -8: (DepartmentRejected, "金额不符或不可支付"),
    -9: (DepartmentRejected, "查询笔数超过500"),
}
"""``infcode`` → error."""

ID_KINDS = {"RESIDENT_ID": "01", "PASSPORT": "03", "RESIDENCE_PERMIT": "07", "OTHER": "99", "UNKNOWN": "99"}
"""Kind of document → ``psn_cert_type``."""

SEXES = {"MALE": "1", "FEMALE": "2", "UNKNOWN": "9"}
"""Sex → ``gend``."""

INSURANCES = {"310": "EMPLOYEE", "390": "RESIDENT"}
"""``insutype`` → detail ``insuranceType``: 310 职工, 390 城乡居民."""

HANDLE, UNDO = "1", "2"
"""oprt_type 操作类型: 办理, 撤销."""


def known(table: dict[K, T], code: K, what: str) -> T:
    """Raises ``DepartmentUnintelligible`` for a code of theirs that is not in the table."""
    try:
        return table[code]
    except KeyError:
        raise DepartmentUnintelligible(f"unknown {what}") from None
