"""The department's codes (业务类型, 状态, 性别) and ours.  One table each; anything else is unintelligible."""

from __future__ import annotations

from gateway.domain.department import Outcome

BUSINESS = {
    "elderly-service-subsidy-stop": "01",
    "old-age-allowance-stop": "02",
    "purchased-elderly-service-stop": "03",
    "elderly-service-stop": "04",
}
"""Item slug → YWLX (业务类型)."""

STATUS = {
    "00": Outcome.RECEIVED,  # 待受理
    "10": Outcome.ACCEPTED,  # 已受理
    "20": Outcome.CORRECTION,  # 退回补正
    "30": Outcome.COMPLETED,  # 已办结
    "40": Outcome.REFUSED,  # 不予办理
    "50": Outcome.NOT_APPLICABLE,  # 查无待遇
}
"""ZT (状态) → outcome."""

SYSTEM_ERROR = "99"
"""ZT of a row whose batch run broke off (系统错误); it says nothing of the application."""

WAITING = "0"
"""CLBZ (处理标志) of a row the batch has not taken in yet (未接收)."""

SEX = {"MALE": "1", "FEMALE": "2", "UNKNOWN": "9"}
"""Ours → XB, GB/T 2261.1."""

DEATH_CERTIFICATES = ("DEATH_MEDICAL", "DEATH_ABNORMAL")
"""Certificate types written to SWZMBH (死亡证明编号); ``CREMATION`` goes to HHZMBH (火化证明编号)."""

HANDLE, UNDO = "1", "2"
"""CZLX 操作类型: 办理, 撤销."""
