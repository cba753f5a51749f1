"""Veterans affairs' own words beside ours.  A word that is not here is refused, never guessed."""

from __future__ import annotations

from gateway.domain.department import Outcome, PaymentState

ITEMS = {
    "veteran-funeral-grant": "YF01",  # 重点优抚对象丧葬补助
    "veteran-pension-stop": "YF02",  # 停发抚恤
    "veteran-preferential-death-claim": "YF03",  # 优抚对象死亡一次性申领
    "veteran-preferential-stop": "YF04",  # 优抚待遇终止
    "special-group-treatment": "YF05",  # 特殊人群待遇处理
}
"""Item slug → business type (``bizType``)."""

STATUS = {
    "待核": Outcome.RECEIVED,
    "已受理": Outcome.ACCEPTED,
    "退回补正": Outcome.CORRECTION,
    "已办结": Outcome.COMPLETED,
    "已发放": Outcome.COMPLETED,  # 办结, and every sum is on its account
    "不予办理": Outcome.REFUSED,
    "非优抚对象": Outcome.NOT_APPLICABLE,
}
"""Status word of a record → outcome; the code is its own wording."""

GRANTS = {"丧葬补助费": "VETERAN_FUNERAL_GRANT"}
"""Type of a grant → payment kind."""

GRANT_STATES = {
    "待发放": PaymentState.APPROVED,
    "已报盘": PaymentState.INSTRUCTED,
    "已发放": PaymentState.PAID,
    "退汇": PaymentState.RETURNED,
}
"""State word of a grant → payment state."""

ACCEPTED = "202"
"""Our raw code for a ticket: the department gives no status with it."""
SYSTEM_ERROR = "系统异常"
REJECTIONS = frozenset({"参数缺失", "业务类型不存在", "报文格式错误", "无此款项", "金额超过核定"})
"""Errors of messages it will never take: field missing, no such business, malformed, no such sum, too much."""
