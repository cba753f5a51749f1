"""The provincial platform's codes: theirs, ours, their wording."""

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

CODING, RETURN = "project.code.apply", "project.result.return"
METHODS = {"case-coding": CODING, "case-result-return": RETURN}
"""Item → 接口方法."""
LIST = "project.record.list"
APP_ID = "53YJS"
"""Our application on the platform: the thematic module."""

OUTCOMES = {
    "S0": (Outcome.RECEIVED, "已接收"),
    "S1": (Outcome.ACCEPTED, "处理中"),
    "S2": (Outcome.COMPLETED, "已完成"),
    "S3": (Outcome.CORRECTION, "已退回"),
    "S4": (Outcome.REFUSED, "不予受理"),
    "S5": (Outcome.NOT_APPLICABLE, "无需办理"),
}
"""state → outcome."""

TERMINALS = {
    "01": "云南政务服务网",
    "02": "“一部手机办事通”APP",
    "03": "微信小程序",
    "04": "支付宝小程序",
}
"""终端 → its name (YN-201)."""

ERRORS: dict[str, tuple[type[DepartmentError], str]] = {
    "SIGN_INVALID": (DepartmentRejected, "签名无效"),
    "APP_UNKNOWN": (DepartmentRejected, "应用未注册"),
    "METHOD_UNKNOWN": (DepartmentRejected, "接口不存在"),
    "PARAM_INVALID": (DepartmentRejected, "参数错误"),
    "LIST_TOO_LONG": (DepartmentRejected, "单次查询不得超过500笔"),
    "SYSTEM_BUSY": (DepartmentUnavailable, "系统繁忙"),
}
"""errorCode → error."""


def known(table: dict[str, T], code: str, what: str) -> T:
    """Raises ``DepartmentUnintelligible`` for a code of theirs that is not in the table."""
    try:
        return table[code]
    except KeyError:
        raise DepartmentUnintelligible(f"unknown {what}") from None
