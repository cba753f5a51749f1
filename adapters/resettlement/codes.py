"""The office's codes and words (业务类别, 办理状态, 性别) and ours.  One table each; others are unintelligible."""

from __future__ import annotations

from gateway.domain.department import Outcome

BUSINESS = {
    "resettlement-registration": "YM-DJ",
    "resettlement-reduction": "YM-HJ",
}
"""Item slug → 业务类别."""

STATUS = {
    "已接收": Outcome.RECEIVED,
    "审核中": Outcome.ACCEPTED,
    "退回补正": Outcome.CORRECTION,
    "已登记备案": Outcome.COMPLETED,
    "已列入核减": Outcome.COMPLETED,
    "已恢复": Outcome.COMPLETED,
    "不予办理": Outcome.REFUSED,
    "非扶持人口": Outcome.NOT_APPLICABLE,
}
"""办理状态 → outcome."""

BUSY = "E99"
"""The front machine's own system error (系统忙)."""

REFUSALS = ("E01", "E02", "E03", "E04")
"""The front machine does not store the file: format, business, a required field, the file's name."""

SEX = {"MALE": "男", "FEMALE": "女", "UNKNOWN": "未说明"}
"""Ours → 性别."""

DEATH_CERTIFICATES = ("DEATH_MEDICAL", "DEATH_ABNORMAL")
"""Certificate types written to 死亡证明编号; ``CREMATION`` goes to 火化证明编号."""

HANDLE, UNDO = "办理", "撤销"
"""操作类型."""
