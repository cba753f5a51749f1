"""The code tables of callBusiness; a code that is not here is never guessed."""

from __future__ import annotations

from gateway.domain.department import (
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    PaymentState,
)

BUSINESS = {
    "pension-funeral-bereavement-claim": "110301",
    "pension-enterprise-funeral-bereavement-claim": "110302",
    "pension-enterprise-retired-death-claim": "110303",
    "pension-enterprise-inservice-death-claim": "110304",
    "pension-basic-account-lumpsum-claim": "110305",
    "survivor-benefit-claim": "110306",
    "retirement-pension-stop": "110401",
    "pension-participation-end": "110402",
    "pension-account-credit-stop": "110403",
    "social-insurance-contribution-stop": "110404",
    "social-insurance-treatment": "110405",
    "pension-civil-account-lumpsum-claim": "120301",
    "pension-civil-inservice-participation-end": "120401",
    "pension-civil-retired-payment-stop": "120402",
    "pension-resident-funeral-claim": "150301",
    "pension-resident-account-claim": "150302",
}
"""ywbh 业务编号; 11 employees, 12 government and public institutions, 15 residents."""

QUERY = "990101"
INSTRUCT = "990201"
NOTIFY = "990301"

BUSINESS_TYPES = {
    "pension-claim.employee-before-retirement-age": "1101",
    "pension-claim.retiree": "1102",
    "pension-claim.resident": "1501",
    "pension-claim.unemployment-recipient": "2101",
}
"""ywlx 业务类型 within a claim (HZ-610 to HZ-613)."""

STATUS: dict[str, tuple[Outcome, str]] = {
    "0": (Outcome.RECEIVED, "已接收"),
    "1": (Outcome.ACCEPTED, "已受理"),
    "2": (Outcome.COMPLETED, "复核通过"),
    "3": (Outcome.CORRECTION, "退回补正"),
    "4": (Outcome.REFUSED, "审核不通过"),
    "5": (Outcome.NOT_APPLICABLE, "无待遇"),
}
"""aae016 审核状态."""

SUM_KINDS = {
    "301": "FUNERAL_GRANT",
    "302": "BEREAVEMENT_PAYMENT",
    "303": "ACCOUNT_LUMP_SUM",
    "304": "SURVIVOR_BENEFIT",
}
"""aaa036 待遇项目."""

PAYMENT_STATES: dict[str, tuple[PaymentState, str]] = {
    "0": (PaymentState.APPROVED, "已核定"),
    "1": (PaymentState.INSTRUCTED, "已报盘"),
    "2": (PaymentState.PAID, "已发放"),
    "3": (PaymentState.RETURNED, "发放失败"),
}
"""aae117 发放状态."""

REPLIES: dict[str, tuple[type[DepartmentError] | None, str]] = {
    "1": (None, "成功"),
    "-1": (DepartmentUnavailable, "系统异常"),
    "-2": (DepartmentUnavailable, "系统结账中"),
    "-101": (DepartmentRejected, "业务编号不存在"),
    "-102": (DepartmentRejected, "报文解析失败"),
    "-201": (DepartmentRejected, "缺少必填参数"),
    "-202": (DepartmentRejected, "缺少公民身份号码"),
    "-203": (DepartmentRejected, "业务类型不存在"),
    "-301": (DepartmentRejected, "待遇核定记录不存在"),
    "-302": (DepartmentRejected, "该笔待遇已报盘"),
    "-303": (DepartmentRejected, "实发金额与核定金额不符"),
}
"""appcode 返回码."""

SEXES = {"MALE": "1", "FEMALE": "2", "UNKNOWN": "9"}
"""aac004 性别."""

RELATIONS = {
    "SPOUSE": "01",
    "CHILD": "02",
    "GRANDCHILD_PATERNAL": "03",
    "GRANDCHILD_MATERNAL": "04",
    "PARENT": "05",
    "SIBLING": "07",
}
"""aae144 与死亡人员关系; anything else is 99 其他."""

MATERIALS = {"DEATH_MEDICAL": "A1", "DEATH_ABNORMAL": "A2", "CREMATION": "A3", "DEREGISTRATION": "A4"}
"""cllx 材料类型 of certificates sent along; anything else is Z9 其他."""

HANDLE, UNDO = "1", "2"
"""czlx 操作类型: 办理, 撤销."""


def business(item: str) -> str:
    """Raises ``DepartmentRejected`` for an item this department does not handle."""
    if item not in BUSINESS:
        raise DepartmentRejected("social-security does not handle this item")
    return BUSINESS[item]


def business_type(name: str) -> str:
    """Raises ``DepartmentRejected`` for a business type the department has no code for."""
    if name not in BUSINESS_TYPES:
        raise DepartmentRejected("social-security has no code for this business type")
    return BUSINESS_TYPES[name]


def sum_code(kind: str) -> str:
    """Raises ``DepartmentRejected`` for a kind of payment the department does not make."""
    for code, ours in SUM_KINDS.items():
        if ours == kind:
            return code
    raise DepartmentRejected("social-security makes no payment of this kind")


def status(code: str) -> tuple[Outcome, str]:
    """Raises ``DepartmentUnintelligible`` for a status that is not in the table."""
    if code not in STATUS:
        raise DepartmentUnintelligible("unknown aae016 status")
    return STATUS[code]


def sum_kind(code: str) -> str:
    """Raises ``DepartmentUnintelligible`` for a kind of sum that is not in the table."""
    if code not in SUM_KINDS:
        raise DepartmentUnintelligible("unknown aaa036 kind of sum")
    return SUM_KINDS[code]


def payment_state(code: str) -> tuple[PaymentState, str]:
    """Raises ``DepartmentUnintelligible`` for a payment state that is not in the table."""
    if code not in PAYMENT_STATES:
        raise DepartmentUnintelligible("unknown aae117 payment state")
    return PAYMENT_STATES[code]


def check(code: str) -> None:
    """Raises what the reply code of a call means; returns when it means success."""
    if code not in REPLIES:
        raise DepartmentUnintelligible("unknown appcode")
    error, wording = REPLIES[code]
    if error is not None:
        raise error(f"{code} {wording}")
