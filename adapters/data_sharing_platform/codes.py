"""The sharing platform's codes: theirs, ours, their wording."""

from __future__ import annotations

from typing import TypeVar

from gateway.domain.department import (
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
)

T = TypeVar("T")

APP_KEY = "ZRYJS"
"""Our application on the platform."""
DEATHS, CREMATIONS = "R3303-SWXX", "R3303-HHXX"
"""数据资源: 死亡信息, 火化信息."""

CERTIFICATES = {"1": "DEATH_MEDICAL", "2": "DEATH_ABNORMAL"}
"""ZMLX 证明类型 → kind of certificate."""

VALID = {"1": True, "0": False}
"""SJZT 数据状态 → whether the row stands: 1 有效, 0 作废."""

SEXES = {"0": "UNKNOWN", "1": "MALE", "2": "FEMALE", "9": "UNKNOWN"}
"""XBDM, GB/T 2261.1 → sex."""

TAKEN, STALE = "200", "401"
ERRORS: dict[str, tuple[type[DepartmentError], str]] = {
    "400": (DepartmentRejected, "请求格式错误"),
    STALE: (DepartmentUnavailable, "令牌失效"),
    "403": (DepartmentRejected, "未授权使用该资源"),
    "404": (DepartmentRejected, "资源不存在"),
    "411": (DepartmentRejected, "应用签名错误"),
    "413": (DepartmentRejected, "单次查询不得超过200人"),
    "429": (DepartmentUnavailable, "超出调用频次"),
    "500": (DepartmentUnavailable, "系统异常"),
}
"""code → error."""


def known(table: dict[str, T], code: str, what: str) -> T:
    """Raises ``DepartmentUnintelligible`` for a code of theirs that is not in the table."""
    try:
        return table[code]
    except KeyError:
        raise DepartmentUnintelligible(f"unknown {what}") from None
