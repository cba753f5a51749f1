"""Social assistance's JSON, out and in: Chinese keys, dates ``2025年11月10日``, months ``2025年12月``.

Every answer carries 返回码; an error is one inside HTTP 200.

补正次数 counts corrections (补正说明 says why); a reversal has 操作类型 撤销, 原流水号 and 撤销原因, and ends as
已恢复.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from adapters.kit.json import loads
from adapters.kit.values import CHINA
from gateway.domain.department import (
    Application,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Record,
)

from . import codes

MOMENT = re.compile(r"([12][0-9]{3})年([0-9]{1,2})月([0-9]{1,2})日 ([0-9]{1,2})时([0-9]{1,2})分([0-9]{1,2})秒")
MONTH = re.compile(r"([12][0-9]{3})年(0?[1-9]|1[0-2])月")


class SessionOver(Exception):
    """The department wants a new login."""


def login(user: str, password: str) -> bytes:
    """Body of ``/login``."""
    return _dump({"用户名": user, "口令": password})


def session(body: bytes) -> str:
    """会话号 of a login, fit for a header.  Raises ``DepartmentError``, ``SessionOver``."""
    found = _text(_load(body), "会话号")
    if re.fullmatch(r"[!-~]{1,256}", found) is None:
        raise DepartmentUnintelligible("会话号 is not printable ASCII")
    return found


def registration(application: Application) -> bytes:
    """Body of ``/jiuzhu/shenbao``; unknown values are empty."""
    deceased, applicant, died = application.deceased, application.applicant, application.death.occurred_at
    return _dump(
        {
            "流水号": application.key,
            "联办编号": application.case_number,
            "事项编码": business_code(application.item),
            "行政区划": application.area,
            "姓名": deceased.name or "",
            "身份证号": deceased.id_number or "",
            "户籍地址": deceased.hukou_address or "",
            "死亡日期": _day(died.astimezone(CHINA).date()) if died else "",
            "申请人姓名": applicant.name if applicant else "",
            "申请人电话": (applicant.phone or "") if applicant else "",
            "证照编号": [certificate.number for certificate in application.certificates],
            "补正次数": application.correction,
            "补正说明": application.correction_answer or "",
            "操作类型": codes.UNDO if application.reverses else codes.HANDLE,
            "原流水号": application.reverses or "",
            "撤销原因": application.reversal_reason or "",
        }
    )


def query(keys: Sequence[str]) -> bytes:
    """Body of ``/jiuzhu/chaxun``."""
    return _dump({"流水号": list(keys)})


def receipt(body: bytes) -> Record:
    """The record in the answer to a registration.  Raises ``DepartmentError``, ``SessionOver``."""
    return _record(_field(_load(body), "办理记录"))


def records(body: bytes) -> dict[str, Record]:
    """Records of the answer to a query, by 流水号.  Raises ``DepartmentError``, ``SessionOver``."""
    rows = _field(_load(body), "办理记录")
    if not isinstance(rows, list):
        raise DepartmentUnintelligible("办理记录 is not a list")
    found = [_record(row) for row in rows]
    return {record.key: record for record in found}


def business_code(item: str) -> str:
    """事项编码 of an item slug.  Raises ``DepartmentRejected``."""
    if item not in codes.ITEMS:
        raise DepartmentRejected("social assistance does not handle this item")
    return codes.ITEMS[item]


def _record(row: Any) -> Record:
    status = _text(row, "状态")
    if status not in codes.STATUS:
        raise DepartmentUnintelligible("状态 is not in the table")
    month = _text(row, "停发月份", optional=True)
    return Record(
        key=_text(row, "流水号"),
        outcome=codes.STATUS[status],
        raw_code=status,
        raw_message=status,
        updated_at=_moment(_text(row, "更新时间")),
        reference=_text(row, "受理编号"),
        reason=_text(row, "说明", optional=True) or None,
        missing=tuple(part for part in _text(row, "需补材料", optional=True).split("、") if part),
        details={"effectiveMonth": _month(month)} if month else {},
    )


def _load(body: bytes) -> Mapping[str, Any]:
    """The answer's JSON object, unless its 返回码 is an error."""
    try:
        data = loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DepartmentUnintelligible("answer is not JSON") from error
    code = _text(data, "返回码")
    if code == codes.SESSION_OVER:
        raise SessionOver
    if code == codes.SYSTEM_ERROR:
        raise DepartmentUnavailable("system error of the department (系统繁忙)")
    if code == codes.LOGIN_REFUSED:
        raise DepartmentUnavailable("login refused: the user or the secret of this deployment is wrong")
    if code in codes.REJECTIONS:
        raise DepartmentRejected(f"the department answered {code}")
    if code != codes.SUCCESS:
        raise DepartmentUnintelligible("返回码 is not in the table")
    return data


def _field(row: Any, name: str) -> Any:
    if not isinstance(row, dict) or name not in row:
        raise DepartmentUnintelligible(f"{name} is missing")
    return row[name]


def _text(row: Any, name: str, optional: bool = False) -> str:
    value = _field(row, name)
    if not isinstance(value, str) or re.search("[\0\ud800-\udfff]", value):
        raise DepartmentUnintelligible(f"{name} is not text")
    if not value and not optional:
        raise DepartmentUnintelligible(f"{name} is empty")
    return value


def _day(day: date) -> str:
    return f"{day.year}年{day.month:02d}月{day.day:02d}日"


def _moment(value: str) -> datetime:
    """``2025年11月10日 09时30分15秒``, Asia/Shanghai."""
    found = MOMENT.fullmatch(value)
    try:
        if found:
            year, month, day, hour, minute, second = map(int, found.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=CHINA).astimezone(UTC)
    except ValueError:
        pass
    raise DepartmentUnintelligible("更新时间 is not a time")


def _month(value: str) -> str:
    """``2025年12月`` → ``2025-12``."""
    found = MONTH.fullmatch(value)
    if found is None:
        raise DepartmentUnintelligible("停发月份 is not a month")
    return f"{found[1]}-{int(found[2]):02d}"


def _dump(data: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(data, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise DepartmentRejected("a character of the application does not exist in UTF-8") from None
