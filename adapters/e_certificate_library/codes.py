"""The library's codes: theirs, ours, their wording."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from gateway.domain.department import (
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
)

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

APP_ID = "53YJS"
"""Our application at the library."""
PURPOSE = "SHYJS"
"""用证事由: 个人身后“一件事”."""

MATERIALS = {
    "DZZZ0101": ("APPLICANT_ID_CARD", "DECEASED_ID_CARD"),  # 居民身份证
    "DZZZ0102": ("HOUSEHOLD_BOOKLET",),  # 居民户口簿
}
"""证照类型 → material.  The library does not know who is who in a case: ``APPLICANT_…`` counts in the applicant's
holding only, ``DECEASED_…`` in that of the deceased."""

CERTIFICATES = {
    "DZZZ0301": "DEATH_MEDICAL",  # 居民死亡医学证明（推断）书
    "DZZZ0302": "DEATH_ABNORMAL",  # 非正常死亡证明
    "DZZZ0303": "CREMATION",  # 火化证明
    "DZZZ0304": "DEREGISTRATION",  # 户口注销证明
}
"""证照类型 → kind of certificate."""

TYPES = (*MATERIALS, *CERTIFICATES)
"""What is asked for; the library holds a thousand other types."""

VALID = {"NORMAL": True, "EXPIRED": False, "LOST": False, "REVOKED": False}
"""证照状态 → whether it counts: 有效, 过期, 挂失, 注销."""

SEXES = {"0": "UNKNOWN", "1": "MALE", "2": "FEMALE", "9": "UNKNOWN"}
"""GB/T 2261.1 → sex."""

_PEOPLES = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇 "
    "柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 "
    "塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)
ETHNICITIES = {f"{number:02}": f"{name}族" for number, name in enumerate(_PEOPLES.split(), 1)} | {
    "97": "其他",
    "98": "外国血统中国籍人士",
}
"""GB/T 3304 → name."""

TAKEN = 0
ERRORS: dict[int, tuple[type[DepartmentError], str]] = {
    10001: (DepartmentRejected, "签名错误"),
    10002: (DepartmentRejected, "应用未授权"),
    10003: (DepartmentRejected, "参数错误"),
    10004: (DepartmentRejected, "单次匹配不得超过100人"),
    10005: (DepartmentRejected, "用证事由未登记"),
    50000: (DepartmentUnavailable, "系统异常"),
    50001: (DepartmentUnavailable, "证照库维护中"),
}
"""code → error."""


def known(table: dict[K, T], code: K, what: str) -> T:
    """Raises ``DepartmentUnintelligible`` for a code of theirs that is not in the table."""
    try:
        return table[code]
    except KeyError:
        raise DepartmentUnintelligible(f"unknown {what}") from None
