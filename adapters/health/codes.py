"""The death registry's codes: theirs, ours, their wording."""

from __future__ import annotations

from typing import TypeVar

from gateway.domain.department import (
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
)

T = TypeVar("T")

BUSINESS = {"death-cert-normal": "SWZM01"}
"""Item → 业务代码."""

OUTCOMES = {
    "00": (Outcome.RECEIVED, "已登记"),
    "10": (Outcome.ACCEPTED, "核实中"),
    "20": (Outcome.CORRECTION, "退回补充"),
    "30": (Outcome.COMPLETED, "已签发"),
    "35": (Outcome.COMPLETED, "已撤销"),
    "31": (Outcome.REFUSED, "转公安机关"),
    "32": (Outcome.REFUSED, "不予开具"),
    "40": (Outcome.NOT_APPLICABLE, "无此记录"),
}
"""状态 → outcome."""

REFERRALS = {"31": "PUBLIC_SECURITY"}
"""状态 → who takes over: normal death cannot be confirmed, the police are told at once (HZ-504)."""

TAKEN = "AAAAAAA"
ERRORS: dict[str, tuple[type[DepartmentError], str]] = {
    "E1001": (DepartmentRejected, "报文格式错误"),
    "E1002": (DepartmentRejected, "业务代码不存在"),
    "E1003": (DepartmentRejected, "证件号码不能为空"),
    "E1004": (DepartmentRejected, "交易代码不存在"),
    "E1005": (DepartmentRejected, "死亡信息不完整"),
    "E1006": (DepartmentRejected, "单次查询不得超过500笔"),
    "E9999": (DepartmentUnavailable, "系统繁忙"),
}
"""应答码 → error."""

ID_KINDS = {"RESIDENT_ID": "01", "PASSPORT": "03", "RESIDENCE_PERMIT": "06", "OTHER": "99", "UNKNOWN": "99"}
"""Kind of document → 身份证件类别 (WS 364.3 CV02.01.101)."""

SEXES = {"UNKNOWN": "0", "MALE": "1", "FEMALE": "2"}
"""Sex → GB/T 2261.1."""

DEATH_KINDS = {"OUTSIDE": "1", "INSIDE": "2", "ABNORMAL": "9"}
"""Death flow → 死亡类别: 1 院外, 2 院内, 9 非正常."""


def known(table: dict[str, T], code: str, what: str) -> T:
    """Raises ``DepartmentUnintelligible`` for a code of theirs that is not in the table."""
    try:
        return table[code]
    except KeyError:
        raise DepartmentUnintelligible(f"unknown {what}") from None
