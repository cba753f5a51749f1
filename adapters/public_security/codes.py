"""The code tables of the public-security interface; a code that is not here is never guessed."""

from __future__ import annotations

from gateway.domain.department import (
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
)

BUSINESS = {
    "hukou-deregistration": "0101",
    "death-cert-abnormal": "0102",
    "driving-licence-cancellation": "0203",
}
"""YWDM 业务代码."""

STATUS: dict[str, tuple[Outcome, str]] = {
    "01": (Outcome.RECEIVED, "已登记"),
    "02": (Outcome.ACCEPTED, "已受理"),
    "03": (Outcome.CORRECTION, "退回补正"),
    "04": (Outcome.COMPLETED, "已办结"),
    "05": (Outcome.REFUSED, "不予办理"),
    "09": (Outcome.NOT_APPLICABLE, "查无登记"),
}
"""SLZT 受理状态."""

CERTIFICATES = {
    "11": "DEREGISTRATION",
    "12": "DEATH_ABNORMAL",
}
"""ZZLX 证照类型 of the certificates it issues."""

REPLIES: dict[str, tuple[type[DepartmentError] | None, str]] = {
    "00": (None, "成功"),
    "11": (DepartmentRejected, "缺少必填项"),
    "12": (DepartmentRejected, "业务代码不存在"),
    "13": (DepartmentRejected, "报文格式错误"),
    "21": (DepartmentRejected, "未提供公民身份号码，不能办理"),
    "98": (DepartmentUnavailable, "系统维护"),
    "99": (DepartmentUnavailable, "系统异常"),
}
"""FHM 返回码 of a call."""

ID_KINDS = {"RESIDENT_ID": "111", "RESIDENCE_PERMIT": "570", "PASSPORT": "414", "OTHER": "990", "UNKNOWN": "999"}
"""ZJZL 证件种类."""

SEXES = {"MALE": "1", "FEMALE": "2", "UNKNOWN": "9"}
"""XB 性别."""

DEATH_KINDS = {"OUTSIDE": "1", "INSIDE": "2", "ABNORMAL": "3"}
"""SWLX 死亡类型; anything else is 9 其他."""

RELATIONS = {
    "SPOUSE": "10",
    "CHILD": "20",
    "GRANDCHILD_PATERNAL": "41",
    "GRANDCHILD_MATERNAL": "42",
    "PARENT": "50",
    "SIBLING": "70",
}
"""YSWZGX 与死亡人员关系; anything else is 97 其他."""

MATERIALS = {"DEATH_MEDICAL": "01", "DEATH_ABNORMAL": "02", "CREMATION": "03"}
"""CLLX 材料类型 of certificates sent along; anything else is 99 其他."""

HANDLE, UNDO = "1", "2"
"""CZLX 操作类型: 办理, 撤销."""


def business(item: str) -> str:
    """Raises ``DepartmentRejected`` for an item this department does not handle."""
    if item not in BUSINESS:
        raise DepartmentRejected("public-security does not handle this item")
    return BUSINESS[item]


def status(code: str) -> tuple[Outcome, str]:
    """Raises ``DepartmentUnintelligible`` for a status that is not in the table."""
    if code not in STATUS:
        raise DepartmentUnintelligible("unknown SLZT status")
    return STATUS[code]


def certificate(code: str) -> str:
    """Raises ``DepartmentUnintelligible`` for a certificate type that is not in the table."""
    if code not in CERTIFICATES:
        raise DepartmentUnintelligible("unknown ZZLX certificate type")
    return CERTIFICATES[code]


def check(code: str) -> None:
    """Raises what the reply code of a call means; returns when it means success."""
    if code not in REPLIES:
        raise DepartmentUnintelligible("unknown FHM reply code")
    error, wording = REPLIES[code]
    if error is not None:
        raise error(f"{code} {wording}")
