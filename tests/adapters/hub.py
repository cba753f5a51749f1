"""What the tests of the data-direct hub share: persons, applications, the department's turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

from gateway.domain.department import (
    Application,
    Deceased,
    Department,
    Outcome,
    Payment,
    PaymentInstruction,
    Record,
)

from .builders import ACCOUNT, application
from .conftest import Running
from .waiting import eventually

Start = Callable[[str], Running]
YANG = Deceased("杨桂芳", "RESIDENT_ID", "530402195509099420", "FEMALE", date(1955, 9, 9), "汉族", "530402", "玉溪市")
NOWHERE = replace(YANG, name="李春华", id_number="530102194803122010")
OVERDRAWN = replace(YANG, name="普玉林", id_number="532525193905073057")
DIRECT, VERTICAL = "medical-account-settlement", "driving-licence-cancellation"
MONEY = {
    "pension-basic-account-lumpsum-claim": "ACCOUNT_LUMP_SUM",
    "survivor-benefit-claim": "SURVIVOR_BENEFIT",
    "housing-fund-death-withdrawal": "HOUSING_FUND_BALANCE",
    "medical-account-settlement": "MEDICAL_ACCOUNT_BALANCE",
    "bank-small-deposit-withdrawal": "DEPOSIT",
}


def asked(item: str = DIRECT, **changes: Any) -> Application:
    given = {"deceased": YANG, "area": "530402", "account": ACCOUNT, **changes}
    return application(f"YN-{uuid4()}", item, **given)


async def record_of(adapter: Department, wanted: Application) -> Record:
    return (await adapter.read_many([wanted.key]))[wanted.key]


async def finished(running: Running, adapter: Department, wanted: Application, **options: Any) -> Record:
    """The record once the department has finished, and, where it is vertically managed, once that flowed back."""
    await adapter.submit(wanted)
    running.counter.act(wanted.key, "finish", **options)

    async def probe() -> Record | None:
        found = await record_of(adapter, wanted)
        return found if found.outcome is not Outcome.RECEIVED else None

    return await eventually(probe)


def held(running: Running, wanted: Application) -> dict[str, Any]:
    """What the hub holds of an application."""
    [found] = [row for row in running.counter.applications() if row["key"] == wanted.key]
    return found


def order(wanted: Application, payment: Payment, **changes: Any) -> PaymentInstruction:
    plain = PaymentInstruction(f"{wanted.key}-pay", wanted.key, payment.serial, payment.kind, payment.fen, ACCOUNT)
    return replace(plain, **changes)
