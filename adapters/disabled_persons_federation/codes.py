"""The code tables of the federation's system; a code that is not here is never guessed."""

from __future__ import annotations

from gateway.domain.department import (
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
)

BUSINESS = {
    "disability-subsidy-stop": "BT01",
    "disability-two-subsidies-stop": "BT02",
    "disability-card-cancellation": "ZJ03",
    "disability-treatment-stop": "DY01",
}
"""ywlb 业务类别."""

STATUS: dict[str, tuple[Outcome, str]] = {
    "D": (Outcome.RECEIVED, "待办"),
    "S": (Outcome.ACCEPTED, "受理"),
    "T": (Outcome.CORRECTION, "退回"),
    "B": (Outcome.COMPLETED, "办结"),
    "J": (Outcome.REFUSED, "拒绝"),
    "W": (Outcome.NOT_APPLICABLE, "无登记"),
}
"""办理状态."""

REPLIES: dict[str, tuple[type[DepartmentError] | None, str]] = {
    "0": (None, "成功"),
    "1": (DepartmentRejected, "参数缺失"),
    "2": (DepartmentRejected, "业务类别不存在"),
    "3": (DepartmentRejected, "身份证号缺失"),
    "4": (DepartmentRejected, "编码错误"),
    "5": (DepartmentRejected, "死亡日期缺失"),
    "9": (DepartmentUnavailable, "系统繁忙"),
}
"""代码 of an answer."""

SEXES = {"MALE": "男", "FEMALE": "女"}
"""xb 性别; anything else goes empty."""

RELATIONS = {
    "SPOUSE": "配偶",
    "CHILD": "子女",
    "PARENT": "父母",
    "GRANDCHILD_PATERNAL": "孙子女",
    "GRANDCHILD_MATERNAL": "外孙子女",
    "SIBLING": "兄弟姐妹",
}
"""gx 与残疾人关系; anything else is 其他."""

MATERIALS = {"DEATH_MEDICAL": "swzmbh", "DEATH_ABNORMAL": "swzmbh", "CREMATION": "hhzmbh"}
"""Form field that carries the number of a certificate; there is none for other types."""

HANDLE, UNDO = "1", "2"
"""blfs 办理方式: 办理, 撤销."""


def business(item: str) -> str:
    """Raises ``DepartmentRejected`` for an item this department does not handle."""
    if item not in BUSINESS:
        raise DepartmentRejected("disabled-persons-federation does not handle this item")
    return BUSINESS[item]


def status(code: str) -> tuple[Outcome, str]:
    """Raises ``DepartmentUnintelligible`` for a status that is not in the table."""
    if code not in STATUS:
        raise DepartmentUnintelligible("unknown 办理状态")
    return STATUS[code]


def check(code: str) -> None:
    """Raises what the reply code of a call means; returns when it means success."""
    if code not in REPLIES:
        raise DepartmentUnintelligible("unknown 代码")
    error, wording = REPLIES[code]
    if error is not None:
        raise error(f"{code} {wording}")
