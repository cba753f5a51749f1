"""Enums of cases as enums of the schema; their descriptions are the docstrings of their members."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from enum import Enum, StrEnum
from functools import cache
from typing import Any, TypeVar

import strawberry

from gateway.domain.alerts import AlertKind
from gateway.domain.case import Applicability, DeliveryState
from gateway.domain.deadlines import ClockKind, DeadlineState, LimitUnit
from gateway.domain.department import Outcome, PaymentState
from gateway.domain.exchange import Direction, MessageKind, MessageState
from gateway.domain.identity import IdKind
from gateway.domain.link import LinkState
from gateway.domain.materials import MaterialStatus
from gateway.domain.messages import TEXTS, Code
from gateway.domain.states import CaseStatus, ItemStatus, PayoutStatus, ReversalStatus
from gateway.services.live_records import Freshness
from gateway.services.write_back import AckOutcome

E = TypeVar("E", bound=type[Enum])


def published(name: str) -> Callable[[E], E]:
    """Publishes an enum under a name, with the docstrings that follow its members as descriptions."""

    def publish(kind: E) -> E:
        _describe(strawberry.enum(kind, name=name, description=inspect.getdoc(kind)), kind)
        return kind

    return publish


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    source = inspect.getsource(sys.modules[module])
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}


def _describe(made: Any, kind: type[Enum]) -> None:
    body = _classes(kind.__module__)[kind.__name__]
    texts: dict[str, str] = {}
    last = ""
    for node in body.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            last = node.targets[0].id
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and last:
            texts[last] = " ".join(str(node.value.value).split())
    for value in made.__strawberry_definition__.values:
        value.description = texts.get(value.name)


published("AlertKind")(AlertKind)
published("Applicability")(Applicability)
published("MessageDirection")(Direction)
published("MessageKind")(MessageKind)
published("MessageState")(MessageState)
published("DeliveryState")(DeliveryState)
published("LinkState")(LinkState)
published("MaterialStatus")(MaterialStatus)
published("ClockKind")(ClockKind)
published("DeadlineState")(DeadlineState)
published("LimitUnit")(LimitUnit)
published("DepartmentOutcome")(Outcome)
published("PaymentState")(PaymentState)
published("IdKind")(IdKind)
published("Code")(Code)
for _value in Code.__strawberry_definition__.values:  # type: ignore[attr-defined]
    _value.description = TEXTS[_value.value][0]
published("CaseStatus")(CaseStatus)
published("ItemStatus")(ItemStatus)
published("PayoutStatus")(PayoutStatus)
published("ReversalStatus")(ReversalStatus)
published("Freshness")(Freshness)
published("AcknowledgementOutcome")(AckOutcome)


@published("DeathFlow")
class Flow(StrEnum):
    """死亡情形: how the death happened; decides who opens the case and which certificate is issued (HZ §6.2)."""

    OUTSIDE = "OUTSIDE"
    """医疗机构外正常死亡: at home, in a care home or elsewhere, not in medical care."""
    INSIDE = "INSIDE"
    """医疗机构内或赴医途中正常死亡."""
    ABNORMAL = "ABNORMAL"
    """非正常死亡: by an external cause; unidentified bodies included."""


@published("Sex")
class Sex(StrEnum):
    """性别."""

    MALE = "MALE"
    """男."""
    FEMALE = "FEMALE"
    """女."""
    UNKNOWN = "UNKNOWN"
    """不明."""


@published("Relation")
class Relation(StrEnum):
    """与逝者关系."""

    SPOUSE = "SPOUSE"
    """配偶."""
    CHILD = "CHILD"
    """子女."""
    PARENT = "PARENT"
    """父母."""
    GRANDCHILD_PATERNAL = "GRANDCHILD_PATERNAL"
    """孙子女."""
    GRANDCHILD_MATERNAL = "GRANDCHILD_MATERNAL"
    """外孙子女."""
    SIBLING = "SIBLING"
    """兄弟姐妹."""
    OTHER = "OTHER"
    """其他."""


@published("Capacity")
class Capacity(StrEnum):
    """法律身份 (YY-205)."""

    HEIR = "HEIR"
    """继承人."""
    LEGATEE = "LEGATEE"
    """受遗赠人."""


@published("AccountKind")
class AccountKind(StrEnum):
    """账户归属 (C-14)."""

    DESIGNATED = "DESIGNATED"
    """家属指定账户."""
    DECEASED = "DECEASED"
    """逝者本人账户."""
    APPLICANT_HEIR = "APPLICANT_HEIR"
    """申请人（继承人）账户, needs a reason (YY-320)."""
    PAYEE = "PAYEE"
    """领取人账户."""


@published("Phase")
class Phase(StrEnum):
    """办理阶段 (HZ-501)."""

    CONFIRMATION = "CONFIRMATION"
    """丧情确认."""
    CREMATION = "CREMATION"
    """遗体火化."""
    AFTERCARE = "AFTERCARE"
    """善后手续."""


@published("Language")
class Language(StrEnum):
    """语言: language of a text."""

    ZH = "ZH"
    """中文."""
    EN = "EN"
    """English."""


@published("ArchiveRecordKind")
class ArchiveRecordKind(StrEnum):
    """归档记录种类 (HZ-904)."""

    REPORT = "REPORT"
    """报丧信息（登记表）."""
    CERTIFICATE = "CERTIFICATE"
    """证照."""
    RESULT = "RESULT"
    """办理结果."""


@published("LiveRecordFault")
class LiveRecordFault(StrEnum):
    """部门记录为何不是实时."""

    UNAVAILABLE = "UNAVAILABLE"
    """部门系统没有及时响应."""
    UNINTELLIGIBLE = "UNINTELLIGIBLE"
    """部门系统的应答无法识别."""


@published("ReversalAnswer")
class ReversalAnswer(StrEnum):
    """部门对恢复要求的答复."""

    ACCEPTED = "ACCEPTED"
    """已受理."""
    UNDONE = "UNDONE"
    """已恢复."""
    REFUSED = "REFUSED"
    """不予恢复, with the reason."""


@published("VerificationOutcome")
class VerificationOutcome(StrEnum):
    """身份核验结果 (YN-402)."""

    MATCH = "MATCH"
    """一致."""
    MISMATCH = "MISMATCH"
    """不一致."""
    NOT_HELD = "NOT_HELD"
    """来源没有此人."""
    UNAVAILABLE = "UNAVAILABLE"
    """来源暂不可用; verified as soon as it answers."""


@published("SupervisionKind")
class SupervisionKind(StrEnum):
    """监督方式 (HZ-901)."""

    INSPECTION = "INSPECTION"
    """现场巡查."""
    FOLLOW_UP_CALL = "FOLLOW_UP_CALL"
    """事后回访."""
