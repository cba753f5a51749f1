"""Rows out and rows in.  Every column is text; local time (Asia/Shanghai) is ``YYYYMMDDHH24MISS``.

A correction is a further row with a higher BZCS (BZSM says why); a reversal is a row with CZLX 2, the original's JLBH
in YJLBH and CXYY, and needs no SWRQ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from adapters.kit.values import local_text, local_time
from gateway.domain.department import (
    Application,
    DepartmentRejected,
    DepartmentUnintelligible,
    Outcome,
    Record,
)

from . import codes

TIME = "%Y%m%d%H%M%S"
MONTH = re.compile(r"\d{4}(0[1-9]|1[0-2])", re.ASCII)


def row(application: Application) -> dict[str, str | None]:
    """The row of T_SWRY_IN for an application.  Raises ``DepartmentRejected`` for an item it does not take."""
    if application.item not in codes.BUSINESS:
        raise DepartmentRejected(f"elderly-care does not take {application.item!r}")
    deceased, died, applicant = application.deceased, application.death.occurred_at, application.applicant
    numbers = {certificate.type: certificate.number for certificate in application.certificates}
    return {
        "JLBH": application.key,
        "BZCS": str(application.correction),
        "YWLX": codes.BUSINESS[application.item],
        "AJBH": application.case_number,
        "XM": deceased.name,
        "ZJHM": deceased.id_number,
        "XB": codes.SEX.get(deceased.sex, codes.SEX["UNKNOWN"]),
        "HJQH": deceased.hukou_area,
        "HJDZ": deceased.hukou_address,
        "SWRQ": local_text(died, "%Y%m%d") if died else None,
        "SWZMBH": next((numbers[kind] for kind in codes.DEATH_CERTIFICATES if kind in numbers), None),
        "HHZMBH": numbers.get("CREMATION"),
        "SQRXM": applicant.name if applicant else None,
        "SQRDH": applicant.phone if applicant else None,
        "BZSM": application.correction_answer,
        "CZLX": codes.UNDO if application.reverses else codes.HANDLE,
        "YJLBH": application.reverses,
        "CXYY": application.reversal_reason,
        "TSSJ": local_text(application.pushed_at, TIME),
        "CLBZ": codes.WAITING,
    }


def is_error(found: Mapping[str, object]) -> bool:
    """Whether a row of V_BLJG is in system error (99)."""
    return _text(found, "ZT") == codes.SYSTEM_ERROR


def record(found: Mapping[str, object]) -> Record:
    """A row of V_BLJG.  Raises ``DepartmentUnintelligible``."""
    status = _text(found, "ZT")
    if status not in codes.STATUS:
        raise DepartmentUnintelligible("V_BLJG.ZT is not in the table of status codes")
    outcome, note = codes.STATUS[status], _text(found, "BLYJ")
    return Record(
        key=_text(found, "JLBH"),
        outcome=outcome,
        raw_code=status,
        raw_message=_text(found, "ZTMC"),
        updated_at=_time(found, "GXSJ"),
        reference=_text(found, "SLH") or None,
        reason=note or None,
        missing=tuple(part for part in _text(found, "BZCL").split("|") if part),
        details=_effect(_text(found, "TFNY")) if outcome is Outcome.COMPLETED else {},
    )


def heartbeat_age(value: object, now: datetime) -> float:
    """Seconds since the batch last ran, by V_XTZT.ZHYXSJ.  Raises ``DepartmentUnintelligible``."""
    return (now - _time({"ZHYXSJ": value}, "ZHYXSJ")).total_seconds()


def _effect(month: str) -> dict[str, str]:
    """TFNY (停发年月) ``202512`` → ``effectiveMonth`` ``2025-12``."""
    if not month:
        return {}
    if not MONTH.fullmatch(month):
        raise DepartmentUnintelligible("V_BLJG.TFNY is not a month YYYYMM")
    return {"effectiveMonth": f"{month[:4]}-{month[4:]}"}


def _time(found: Mapping[str, object], name: str) -> datetime:
    return local_time(_text(found, name), TIME)


def _text(found: Mapping[str, object], name: str) -> str:
    value = found.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DepartmentUnintelligible(f"{name} is not text")
    return value.strip()
