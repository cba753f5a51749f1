"""The bank's own codes beside ours.  A code that is not here is refused, never guessed."""

from __future__ import annotations

from gateway.domain.department import Outcome, PaymentState

ITEMS = {
    "bank-asset-disposal": "ESTD",  # 逝者金融资产处置
    "bank-small-deposit-withdrawal": "ESTS",  # 已故存款人小额存款提取
}
"""Item slug → business type (``BizTp``)."""

STATUS = {
    "RCVD": (Outcome.RECEIVED, "已接收"),
    "ACCP": (Outcome.ACCEPTED, "已受理"),
    "PDNG": (Outcome.CORRECTION, "待补正"),
    "ACSC": (Outcome.COMPLETED, "已处置"),
    "CNCL": (Outcome.COMPLETED, "已撤销"),
    "RJCT": (Outcome.REFUSED, "拒绝受理"),
    "NOAC": (Outcome.NOT_APPLICABLE, "本行无账户"),
}
"""Transaction status (``TxSts``) → outcome and their wording."""

SUMS = {"DEPO": "DEPOSIT"}
"""Type of a payment (``Tp``) → payment kind."""

SUM_STATUS = {
    "CALC": PaymentState.APPROVED,  # principal and interest are fixed
    "SENT": PaymentState.INSTRUCTED,
    "STLD": PaymentState.PAID,
    "RTND": PaymentState.RETURNED,
}
"""Status of a payment (``Sts``) → payment state."""

DOCUMENTS = {
    "DEATH_MEDICAL": "DTHM",
    "DEATH_ABNORMAL": "DTHA",
    "CREMATION": "CREM",
    "DEREGISTRATION": "DREG",
    "HEIR_QUALIFICATION": "HEIR",
}
"""Certificate type → document type (``Doc/Tp``); every other is ``OTHR``."""

PUT = "PUT"
"""Our raw code for a message put on the queue: the bank gives no status with it."""
SYSTEM_ERROR = "MQ500"
REJECTIONS = {
    "MQ400": "malformed frame",
    "MQ404": "no such queue or operation",
    "MQ422": "the message is not of its schema",
    "MQ423": "unknown business type",
}
"""Errors of frames and messages the queue front will never take."""
