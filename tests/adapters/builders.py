"""Applications for the adapter tests: 沈福根, who died outside hospital on 2025-11-07, and his daughter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.department import Account, Applicant, Application, Certificate, Death, Deceased

CHINA = ZoneInfo("Asia/Shanghai")

DECEASED = Deceased(
    name="沈福根",
    id_kind="RESIDENT_ID",
    id_number="330502193910109559",
    sex="MALE",
    birth_date=date(1939, 10, 10),
    ethnicity="汉族",
    hukou_area="330502",
    hukou_address="浙江省湖州市吴兴区月河街道红丰新村12幢301室",
)
DEATH = Death(
    kind="OUTSIDE",
    occurred_at=datetime(2025, 11, 7, 4, 30, tzinfo=CHINA),
    area="330502",
    place="家中",
    cause="冠状动脉粥样硬化性心脏病",
)
APPLICANT = Applicant(
    name="沈丽娟",
    id_number="330502196607189625",
    phone="13905720001",
    relation="CHILD",
    address="浙江省湖州市吴兴区月河街道红丰新村12幢301室",
)
ACCOUNT = Account(holder="沈丽娟", number="6228480000000000017", bank="中国农业银行", branch="湖州吴兴支行")
CERTIFICATES = (
    Certificate(
        "DEATH_MEDICAL", "3305022025000117", datetime(2025, 11, 7, 9, 0, tzinfo=CHINA), "月河街道社区卫生服务中心"
    ),
    Certificate("CREMATION", "HZHH20251109003", datetime(2025, 11, 9, 10, 20, tzinfo=CHINA), "湖州市殡仪馆"),
)


def application(key: str = "HZ-20251107-0001.1", item: str = "hukou-deregistration", **changes: Any) -> Application:
    """An application for ``item``; ``changes`` replace whole fields of ``Application``.

    No account: give ``account=ACCOUNT`` where a test wants one.
    """
    made = Application(
        key=key,
        case_number="HZ20251107000001",
        item=item,
        item_name="身后一件事事项",
        area="330502",
        deceased=DECEASED,
        death=DEATH,
        pushed_at=datetime(2025, 11, 10, 9, 0, tzinfo=CHINA),
        applicant=APPLICANT,
        certificates=CERTIFICATES,
        due_at=datetime(2025, 11, 13, 17, 0, tzinfo=CHINA),
    )
    return replace(made, **changes)
