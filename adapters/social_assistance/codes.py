"""Social assistance's own words beside ours.  A word that is not here is refused, never guessed."""

from __future__ import annotations

from gateway.domain.department import Outcome

ITEMS = {
    "social-assistance-cancellation": "SJ01",  # 社会救助待遇注销
    "dibao-tekun-stop": "SJ02",  # 低保（特困）待遇终止
    "dibao-stop": "SJ03",  # 低保停发
    "tekun-stop": "SJ04",  # 特困供养停发
}
"""Item slug → 事项编码."""

STATUS = {
    "已登记": Outcome.RECEIVED,
    "核实中": Outcome.ACCEPTED,
    "退回补正": Outcome.CORRECTION,
    "已停发": Outcome.COMPLETED,
    "已恢复": Outcome.COMPLETED,
    "不予停发": Outcome.REFUSED,
    "未享受待遇": Outcome.NOT_APPLICABLE,
}
"""状态 → outcome; the code is its own wording."""

SUCCESS = "成功"
SESSION_OVER = "会话失效"
LOGIN_REFUSED = "用户名或口令错误"
SYSTEM_ERROR = "系统繁忙"
REJECTIONS = frozenset({"缺少必填项", "无此事项", "报文有误"})
"""返回码 of messages it will never take: field missing, no such business, malformed."""

HANDLE, UNDO = "办理", "撤销"
"""操作类型."""
