"""What a look over the records can find (体检): stable codes with their texts, and what is to be done about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class FindingCode(StrEnum):
    """检查发现.  A code is never renamed or reused; docs/doctor.md says what to do about each."""

    NOT_EXAMINED = "NOT_EXAMINED"
    """无法检查."""
    LEDGER_BROKEN = "LEDGER_BROKEN"
    """台账断链."""
    STATE_DIFFERS = "STATE_DIFFERS"
    """现状与台账不符."""
    ROWS_DIFFER = "ROWS_DIFFER"
    """检索表与办件不符."""
    TWO_OPEN_CASES = "TWO_OPEN_CASES"
    """同一逝者两个在办办件."""
    SHARED_LINK_MISSING = "SHARED_LINK_MISSING"
    """共享记录未关联办件."""
    NOT_SETTLED = "NOT_SETTLED"
    """应发生而未发生."""
    PUSH_GIVEN_UP = "PUSH_GIVEN_UP"
    """推送已放弃."""
    WORK_MISSING = "WORK_MISSING"
    """待推送而无任务."""
    WORK_WITHOUT_PURPOSE = "WORK_WITHOUT_PURPOSE"
    """任务已无对象."""
    EXECUTOR_GONE = "EXECUTOR_GONE"
    """执行进程已消失."""
    NOT_KNOWN_THERE = "NOT_KNOWN_THERE"
    """部门系统无此申请."""
    RESULT_NOT_TAKEN = "RESULT_NOT_TAKEN"
    """部门结果未收到."""
    DEPARTMENT_BEHIND = "DEPARTMENT_BEHIND"
    """部门记录落后."""
    DEPARTMENT_CONTRADICTS = "DEPARTMENT_CONTRADICTS"
    """部门记录与办件矛盾."""
    MONEY_DIFFERS = "MONEY_DIFFERS"
    """款项不一致."""
    FILE_MISSING = "FILE_MISSING"
    """材料文件缺失."""


class Standing(StrEnum):
    """处置情况."""

    HEALED = "HEALED"
    """已修复."""
    HEALABLE = "HEALABLE"
    """可自动修复."""
    WAITING = "WAITING"
    """待复核: it may be a moment between two systems; it counts when it is seen again."""
    PERSON = "PERSON"
    """需人工处理."""


TEXTS: dict[FindingCode, tuple[str, str]] = {
    FindingCode.NOT_EXAMINED: ("无法检查：{detail}。", "It could not be examined: {detail}."),
    FindingCode.LEDGER_BROKEN: ("台账不完整：{detail}。", "The ledger is not sound: {detail}."),
    FindingCode.STATE_DIFFERS: (
        "现状与台账推得的不一致：{detail}。",
        "The present state is not what the ledger says: {detail}.",
    ),
    FindingCode.ROWS_DIFFER: (
        "检索用的数据与办件不一致：{detail}。",
        "Rows the case is found by differ from the case: {detail}.",
    ),
    FindingCode.TWO_OPEN_CASES: (
        "同一逝者另有在办办件{detail}。",
        "The same deceased has another open case, {detail}.",
    ),
    FindingCode.SHARED_LINK_MISSING: (
        "共享记录未关联在办办件{detail}。",
        "The shared record is not linked to the open case {detail}.",
    ),
    FindingCode.NOT_SETTLED: (
        "条件已满足而后续步骤未发生：{detail}。",
        "What follows from the case has not happened: {detail}.",
    ),
    FindingCode.PUSH_GIVEN_UP: (
        "多次推送均未到达，已停止：{detail}。",
        "Every attempt failed and nothing is tried any more: {detail}.",
    ),
    FindingCode.WORK_MISSING: (
        "等待推送，但任务队列中没有对应任务（{detail}）。",
        "It waits to be sent, and the engine holds no live work for it ({detail}).",
    ),
    FindingCode.WORK_WITHOUT_PURPOSE: (
        "任务队列中有{detail}个任务已无需执行。",
        "The engine holds {detail} pieces of work for which there is nothing to do any more.",
    ),
    FindingCode.EXECUTOR_GONE: (
        "已消失的进程仍占有{detail}个任务。",
        "A process that is gone still holds {detail} pieces of work.",
    ),
    FindingCode.NOT_KNOWN_THERE: (
        "{detail}的系统没有这份已送达的申请。",
        "The system of {detail} does not know the application that was delivered to it.",
    ),
    FindingCode.RESULT_NOT_TAKEN: (
        "{detail}的系统已有结果，本平台尚未收到。",
        "The system of {detail} has a result that was not taken yet.",
    ),
    FindingCode.DEPARTMENT_BEHIND: (
        "{detail}，而本平台已记录其办理结果。",
        "{detail}; its result is recorded here.",
    ),
    FindingCode.DEPARTMENT_CONTRADICTS: (
        "部门系统的记录未被接受：{detail}。",
        "What the department's system holds was not taken: {detail}.",
    ),
    FindingCode.MONEY_DIFFERS: (
        "款项与部门账目不一致：{detail}。",
        "A sum differs from the department's books: {detail}.",
    ),
    FindingCode.FILE_MISSING: (
        "材料文件不完整，无法下载：{detail}份。",
        "Files of papers are not whole and cannot be downloaded: {detail}.",
    ),
}


def meaning(code: FindingCode) -> tuple[str, str]:
    """What a code says, without the facts of one finding: Chinese, English."""
    zh, en = TEXTS[code]
    return zh.format(detail="…"), en.format(detail="…")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.  Holds nothing personal."""

    code: FindingCode
    number: str
    """Number of the case or the shared record; empty for what is nobody's."""
    place: str = ""
    """Item slug (with ``.R`` for its reversal), payout, or name of an executor; empty for the whole case."""
    standing: Standing = Standing.HEALABLE
    facts: Mapping[str, str] = field(default_factory=dict)
    """``detail``, and ``detail_en`` where it is words."""

    def zh(self) -> str:
        return TEXTS[self.code][0].format(detail=self.facts.get("detail", ""))

    def en(self) -> str:
        return TEXTS[self.code][1].format(detail=self.facts.get("detail_en") or self.facts.get("detail", ""))


@dataclass(frozen=True, slots=True)
class Known:
    """A finding as it is kept between two looks."""

    finding: Finding
    first_seen: datetime
    last_seen: datetime
    times: int
    """How often it was healed."""
