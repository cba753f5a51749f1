"""CSV out and in: GB18030, CRLF, every field quoted, a Chinese header line; local time ``YYYY-MM-DD HH:MM:SS``.

A correction is a further file with a higher 补正次数 (补正说明 says why); a reversal has 操作类型 撤销, 原流水号 and
撤销原因, needs no 死亡日期, and ends as 已恢复.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection

from adapters.kit.values import local_text, local_time
from gateway.domain.department import (
    Application,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    Record,
)

from . import codes

ENCODING = "gb18030"
TIME = "%Y-%m-%d %H:%M:%S"
RESULT = ("流水号", "受理编号", "业务类别", "办理状态", "办理意见", "需补正材料", "核减年度", "更新时间")
TOTAL = "合计"
YEAR = re.compile(r"[1-9]\d{3}", re.ASCII)


def name(application: Application) -> str:
    """File name of a report: one per key and correction round, so that repeating it replaces the same file."""
    return f"{application.key}_{application.correction}.csv"


def report(application: Application) -> bytes:
    """A report of one record.  Raises ``DepartmentRejected`` for an item or a text the office cannot take."""
    if application.item not in codes.BUSINESS:
        raise DepartmentRejected(f"resettlement does not take {application.item!r}")
    deceased, died, applicant = application.deceased, application.death.occurred_at, application.applicant
    numbers = {certificate.type: certificate.number for certificate in application.certificates}
    fields = {
        "流水号": application.key,
        "业务类别": codes.BUSINESS[application.item],
        "姓名": deceased.name,
        "身份证号码": deceased.id_number,
        "性别": codes.SEX.get(deceased.sex, codes.SEX["UNKNOWN"]),
        "户籍地区划": deceased.hukou_area,
        "户籍地址": deceased.hukou_address,
        "死亡日期": local_text(died, "%Y-%m-%d") if died else None,
        "死亡证明编号": next((numbers[kind] for kind in codes.DEATH_CERTIFICATES if kind in numbers), None),
        "火化证明编号": numbers.get("CREMATION"),
        "申请人": applicant.name if applicant else None,
        "联系电话": applicant.phone if applicant else None,
        "报送时间": local_text(application.pushed_at, TIME),
        "补正次数": str(application.correction),
        "补正说明": application.correction_answer,
        "操作类型": codes.UNDO if application.reverses else codes.HANDLE,
        "原流水号": application.reverses,
        "撤销原因": application.reversal_reason,
    }
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([fields.keys(), [value or "" for value in fields.values()]])
    try:
        return out.getvalue().encode(ENCODING)
    except UnicodeEncodeError:
        raise DepartmentRejected("a text cannot be written in GB18030") from None


def stored(answer: bytes, size: int) -> None:
    """Reads the front machine's answer to a drop of ``size`` bytes: ``OK|<bytes>`` or ``ERR|<code>|<text>``."""
    match answer.decode(ENCODING, "replace").strip().split("|"):
        case ["OK", count] if count == str(size):
            return
        case ["ERR", codes.BUSY, *_]:
            raise DepartmentUnavailable(f"resettlement reports a system error ({codes.BUSY})")
        case ["ERR", code, *_] if code in codes.REFUSALS:
            raise DepartmentRejected(f"resettlement does not store the report ({code})")
    raise DepartmentUnintelligible("not the front machine's answer to a dropped file")


def records(body: bytes, wanted: Collection[str]) -> dict[str, Record]:
    """Those of the ``wanted`` keys that the result file has.  Raises ``DepartmentUnintelligible``."""
    try:
        lines = list(csv.reader(io.StringIO(body.decode(ENCODING), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DepartmentUnintelligible("the result file is not CSV in GB18030") from error
    if len(lines) < 2 or tuple(lines[0]) != RESULT:
        raise DepartmentUnintelligible("the result file has another header line")
    if lines[-1] != [TOTAL, str(len(lines) - 2)]:
        raise DepartmentUnintelligible("the result file is not complete")
    if any(len(line) != len(RESULT) for line in lines[1:-1]):
        raise DepartmentUnintelligible("a line of the result file has too few or too many fields")
    return {line[0]: _record(dict(zip(RESULT, line, strict=True))) for line in lines[1:-1] if line[0] in wanted}


def _record(row: dict[str, str]) -> Record:
    status, year = row["办理状态"], row["核减年度"]
    if status not in codes.STATUS:
        raise DepartmentUnintelligible("办理状态 is not in the table of states")
    if year and not YEAR.fullmatch(year):
        raise DepartmentUnintelligible("核减年度 is not a year")
    outcome = codes.STATUS[status]
    return Record(
        key=row["流水号"],
        outcome=outcome,
        raw_code=status,
        updated_at=local_time(row["更新时间"], TIME),
        reference=row["受理编号"] or None,
        reason=row["办理意见"] or None,
        missing=tuple(part for part in row["需补正材料"].split("、") if part),
        details={"effectiveYear": year} if year and outcome is Outcome.COMPLETED else {},
    )
