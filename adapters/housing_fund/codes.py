"""The housing fund's own codes beside ours.  A code that is not here is refused, never guessed."""

from __future__ import annotations

from gateway.domain.department import Outcome, PaymentState

ITEMS = {
    "housing-fund-death-withdrawal": "0412",  # 职工死亡或宣告死亡提取
    "housing-fund-account-seal": "0421",  # 个人账户封存
}
"""Item slug → business code (YWDM)."""

STATUS = {
    "00": (Outcome.RECEIVED, "已登记"),
    "10": (Outcome.ACCEPTED, "已受理"),
    "20": (Outcome.CORRECTION, "退回补件"),
    "30": (Outcome.COMPLETED, "已办结"),
    "40": (Outcome.REFUSED, "不予办理"),
    "90": (Outcome.NOT_APPLICABLE, "查无账户"),
}
"""Status of an application (ZT) → outcome and their wording."""

SUMS = {"0201": "HOUSING_FUND_BALANCE"}
"""Kind of sum (KXLX) → payment kind.  0201: 账户本息余额."""

SUM_STATUS = {
    "1": PaymentState.APPROVED,  # 已核定
    "2": PaymentState.INSTRUCTED,  # 已报盘
    "3": PaymentState.PAID,  # 已到账
    "4": PaymentState.RETURNED,  # 退票
}
"""Status of a sum (ZT of a KX line) → payment state."""

ID_KINDS = {"RESIDENT_ID": "01", "PASSPORT": "03", "RESIDENCE_PERMIT": "08", "OTHER": "99", "UNKNOWN": "99"}
"""Kind of identity document → ZJLX."""

DETAILS = {"XHRQ": "closedOn", "FCRQ": "sealedOn"}
"""Dates of account closing (销户) and sealing (封存), yyyymmdd → our detail, ``YYYY-MM-DD``."""

SUCCESS = "000000"
SYSTEM_ERROR = "999999"
REJECTIONS = {
    "100001": "a required field is missing",
    "100002": "unknown business code",
    "100003": "unknown transaction code",
    "100004": "malformed message",
    "200001": "no such sum",
    "200002": "more than the approved sum",
}
"""Return codes (FHM) of messages it will never take."""

HANDLE, UNDO = "1", "2"
"""CZLX 操作类型: 办理, 撤销."""
