"""The hub's codes: theirs, ours, their wording."""

from __future__ import annotations

from dataclasses import dataclass
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

OURS = "53YJS01"
"""Our own node: the thematic module 个人身后“一件事”."""
HUB = "53ZD00"
"""The hub itself, for what is asked of no single department."""

CIVIL, POLICE, JUSTICE, LABOUR, FUND = "53MZ01", "53GA01", "53SF01", "53RS01", "53GJJ1"
HEALTH, MARKET, MEDICAL, FINANCE = "53WJ01", "53SC01", "53YB01", "53JR01"
NODES = {
    "civil-affairs": CIVIL,
    "public-security": POLICE,
    "judicial": JUSTICE,
    "social-security": LABOUR,
    "housing-fund": FUND,
    "health": HEALTH,
    "market-regulation": MARKET,
    "medical-insurance": MEDICAL,
    "financial-regulation": FINANCE,
    "bank": FINANCE,  # guided by 金融监管, and reached through its node
}
"""Department → 部门节点 (YN-1004)."""

HUKOU, DEATH, PLACE, APPLICANT, ACCOUNT = "hjxx", "swxx", "swxq", "sqrxx", "zhxx"


@dataclass(frozen=True, slots=True)
class Resource:
    """One published resource (资源目录)."""

    code: str
    node: str
    """Who publishes it."""
    sections: tuple[str, ...]
    """What it takes besides 逝者基本信息, 证照 and 个性表单项, which every one takes (YN-302)."""


RESOURCES = {
    "death-cert-normal": Resource("ZY530101", HEALTH, (HUKOU, DEATH, PLACE, APPLICANT)),
    "death-cert-abnormal": Resource("ZY530102", POLICE, (HUKOU, DEATH, PLACE, APPLICANT)),
    "cremation-cert": Resource("ZY530201", CIVIL, (DEATH, APPLICANT)),
    "hukou-deregistration": Resource("ZY530301", POLICE, (HUKOU, DEATH, APPLICANT)),
    "driving-licence-cancellation": Resource("ZY530302", POLICE, (DEATH,)),
    "will-notarisation-check": Resource("ZY530401", JUSTICE, (DEATH, APPLICANT)),
    "pension-participation-end": Resource("ZY530501", LABOUR, (DEATH,)),
    "pension-basic-account-lumpsum-claim": Resource("ZY530502", LABOUR, (DEATH, APPLICANT, ACCOUNT)),
    "survivor-benefit-claim": Resource("ZY530503", LABOUR, (DEATH, APPLICANT, ACCOUNT)),
    "housing-fund-death-withdrawal": Resource("ZY530601", FUND, (DEATH, APPLICANT, ACCOUNT)),
    "equity-registration-enquiry": Resource("ZY530701", MARKET, (APPLICANT,)),
    "medical-insurance-participation-end": Resource("ZY530801", MEDICAL, (DEATH,)),
    "medical-account-settlement": Resource("ZY530802", MEDICAL, (DEATH, APPLICANT, ACCOUNT)),
    "bank-small-deposit-withdrawal": Resource("ZY530901", FINANCE, (DEATH, APPLICANT)),
}
"""Item → 资源."""

OUTCOMES = {
    "00": (Outcome.RECEIVED, "已转发"),  # to a vertically managed system, of which nothing is known yet
    "10": (Outcome.RECEIVED, "已接件"),
    "20": (Outcome.ACCEPTED, "已受理"),
    "30": (Outcome.CORRECTION, "待补正"),
    "90": (Outcome.COMPLETED, "已办结"),
    "91": (Outcome.REFUSED, "不予办理"),
    "92": (Outcome.NOT_APPLICABLE, "无登记信息"),
}
"""办件状态 → outcome."""

ROUTES = {"1": "", "2": "（数据回流）"}
"""结果来源 → what is added to the wording: straight from the department, or by back-flow (YN-1005)."""

BALANCE, DEPOSIT = "MEDICAL_ACCOUNT_BALANCE", "DEPOSIT"
SUMS = {
    "GRZH": ("ACCOUNT_LUMP_SUM", LABOUR),
    "YSDY": ("SURVIVOR_BENEFIT", LABOUR),
    "GJJ": ("HOUSING_FUND_BALANCE", FUND),
    "YBZH": (BALANCE, MEDICAL),
    "XECK": (DEPOSIT, FINANCE),
}
"""资金类别 → kind of payment, and the node that pays it."""

SUM_STATES = {
    "1": PaymentState.APPROVED,
    "2": PaymentState.INSTRUCTED,
    "3": PaymentState.PAID,
    "4": PaymentState.RETURNED,
}
"""资金状态 → state of payment."""

CERTIFICATES = {"SW01": "DEATH_MEDICAL", "SW02": "DEATH_ABNORMAL", "BZ01": "CREMATION", "HK01": "DEREGISTRATION"}
"""证照类型 → kind of certificate."""

TAKEN = "0000"
ERRORS: dict[str, tuple[type[DepartmentError], str]] = {
    "1001": (DepartmentRejected, "报文格式错误"),
    "1002": (DepartmentRejected, "摘要不一致"),
    "1003": (DepartmentRejected, "签名校验失败"),
    "1004": (DepartmentRejected, "目标节点不存在"),
    "1005": (DepartmentRejected, "服务编码或资源编码不存在"),
    "1006": (DepartmentRejected, "目标节点未发布该资源"),
    "1007": (DepartmentRejected, "数据项超出资源目录"),
    "1008": (DepartmentRejected, "逝者证件号码不能为空"),
    "1009": (DepartmentRejected, "单次查询不得超过500笔"),
    "2001": (DepartmentRejected, "资金记录不存在"),
    "2002": (DepartmentRejected, "金额不符或不可支付"),
    "9001": (DepartmentUnavailable, "目标节点无应答"),
    "9999": (DepartmentUnavailable, "系统繁忙"),
}
"""应答码 → error."""

ID_KINDS = {"RESIDENT_ID": "111", "RESIDENCE_PERMIT": "116", "PASSPORT": "414", "OTHER": "990", "UNKNOWN": "990"}
"""Kind of document → 证件类型."""

SEXES = {"UNKNOWN": "0", "MALE": "1", "FEMALE": "2"}
"""Sex → GB/T 2261.1."""

DEATH_KINDS = {"OUTSIDE": "1", "INSIDE": "2", "ABNORMAL": "3"}
"""Death flow → 死亡类别."""

RELATIONS = {
    "SPOUSE": "01",
    "CHILD": "02",
    "PARENT": "03",
    "GRANDCHILD_PATERNAL": "04",
    "GRANDCHILD_MATERNAL": "05",
    "SIBLING": "06",
}
"""Relation → 与逝者关系; every other is 99."""


def known(table: dict[str, T], code: str, what: str) -> T:
    """Raises ``DepartmentUnintelligible`` for a code of theirs that is not in the table."""
    try:
        return table[code]
    except KeyError:
        raise DepartmentUnintelligible(f"unknown {what}") from None
