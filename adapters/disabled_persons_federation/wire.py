"""Messages of the federation's system: forms percent-encoded in GBK, answers in XML declared and encoded GBK.

What GBK lacks (rare characters in names) goes as ``&#19886;``, as browsers do it in a GBK form.  Dates
``yyyy/MM/dd``, times ``yyyy-MM-dd HH:mm:ss`` local, months ``yyyyMM``.

``bzcs`` counts corrections (``bzsm`` says why); a reversal has ``blfs`` 2, the original's ``ywbls`` and ``cxyy``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode

from lxml import etree

from adapters.kit.values import local_text, local_time
from adapters.kit.xml import parse, text
from gateway.domain.department import Application, DepartmentUnintelligible, Receipt, Record

from . import codes

CONTENT_TYPE = "application/x-www-form-urlencoded; charset=GBK"
SECOND = "%Y-%m-%d %H:%M:%S"


def application(sent: Application, token: str) -> bytes:
    """The form of ``ywsb.do``: one business."""
    deceased, death, applicant = sent.deceased, sent.death, sent.applicant
    fields = {
        "jrm": token,
        "wbls": sent.key,
        "ywlb": codes.business(sent.item),
        "glbh": sent.case_number,
        "qhdm": sent.area,
        "xm": deceased.name,
        "xb": codes.SEXES.get(deceased.sex),
        "sfzh": deceased.id_number,
        "hjdz": deceased.hukou_address,
        "swrq": local_text(death.occurred_at, "%Y/%m/%d") if death.occurred_at else None,
        "sbsj": local_text(sent.pushed_at, SECOND),
        "bzcs": str(sent.correction),
        "bzsm": sent.correction_answer,
        "blfs": codes.UNDO if sent.reverses else codes.HANDLE,
        "ywbls": sent.reverses,
        "cxyy": sent.reversal_reason,
    }
    if applicant is not None:
        relation = applicant.relation and codes.RELATIONS.get(applicant.relation, "其他")
        fields |= {"sqr": applicant.name, "lxdh": applicant.phone, "gx": relation}
    for certificate in sent.certificates:
        if certificate.type in codes.MATERIALS:
            fields[codes.MATERIALS[certificate.type]] = certificate.number
    return _form(fields)


def query(keys: Sequence[str], token: str) -> bytes:
    """The form of ``ywcx.do``: many serials, with commas between them."""
    return _form({"jrm": token, "wbls": ",".join(keys)})


def receipt(body: bytes) -> Receipt:
    """The answer to ``ywsb.do``.  Raises ``DepartmentError``."""
    answer = _answer(body)
    code = text(answer, "办理状态")
    outcome, wording = codes.status(code)
    return Receipt(outcome, _needed(answer, "受理单号"), code, wording)


def records(body: bytes) -> dict[str, Record]:
    """The answer to ``ywcx.do``, by key; serials it does not know are absent.  Raises ``DepartmentError``."""
    listing = _answer(body).find("记录集")
    if listing is None:
        raise DepartmentUnintelligible("answer lacks 记录集")
    found = (_record(entry) for entry in listing.findall("记录"))
    return {record.key: record for record in found}


def _form(fields: dict[str, str | None]) -> bytes:
    filled = {name: value for name, value in fields.items() if value}
    return urlencode(filled, encoding="gbk", errors="xmlcharrefreplace").encode("ascii")


def _answer(body: bytes) -> etree._Element:
    root = parse(body)
    if root.tag != "应答":
        raise DepartmentUnintelligible("answer is not 应答")
    codes.check(text(root, "代码"))
    return root


def _needed(node: etree._Element, name: str) -> str:
    value = text(node, name)
    if not value:
        raise DepartmentUnintelligible(f"{name} is missing")
    return value


def _record(entry: etree._Element) -> Record:
    code = _needed(entry, "办理状态")
    outcome, wording = codes.status(code)
    month = text(entry, "停发月份")
    return Record(
        key=_needed(entry, "外部流水"),
        outcome=outcome,
        raw_code=code,
        updated_at=_moment(_needed(entry, "更新时间")),
        reference=_needed(entry, "受理单号"),
        raw_message=wording,
        reason=text(entry, "说明") or None,
        missing=tuple(node.text.strip() for node in entry.findall("缺少材料/材料") if node.text),
        details={"effectiveMonth": _month(month)} if month else {},
    )


def _month(value: str) -> str:
    """``202512`` → ``2025-12``: the first month without payment (HZ-624)."""
    if not re.fullmatch(r"20[0-9]{2}(0[1-9]|1[0-2])", value):
        raise DepartmentUnintelligible("停发月份 is not of the form yyyyMM")
    return f"{value[:4]}-{value[4:]}"


def _moment(value: str) -> datetime:
    if not re.fullmatch(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8}", value):
        raise DepartmentUnintelligible("a time is not of the form yyyy-MM-dd HH:mm:ss")
    return local_time(value, SECOND)
