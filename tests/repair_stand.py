"""A deployment on which things are broken by hand: the durable engine's tables, a repair sweep, departments."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, text

from gateway.domain.department import DepartmentUnavailable, Outcome, Record
from gateway.domain.findings import Finding
from gateway.services import case_care, dispatch
from gateway.store import tables as t
from gateway.store.cases import Actor
from gateway.worker.engine import Engine
from gateway.worker.repair import Pace, Repair
from tests.builders import World, hz_form

GATEWAY = Actor("gateway", "gateway")
FUND = "housing-fund-death-withdrawal"
MEDICAL = "medical-account-settlement"
POLICE = "hukou-deregistration"
CONFIRM_S = 3600.0


@dataclass
class Books:
    """A department's system that holds what the test puts in."""

    records: dict[str, Record] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)
    away: bool = False

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        self.asked.append(list(keys))
        if self.away:
            raise DepartmentUnavailable("no answer")
        return {key: self.records[key] for key in keys if key in self.records}


class Stand:
    """A world with the durable engine's tables, a repair sweep, and departments that hold what was delivered."""

    def __init__(self, world: World) -> None:
        self.world, self.database = world, world.database
        self.books = {code: Books() for code in sorted(world.outward.connected)}
        engine = Engine(self.database, 1.0, 2.0, lambda: datetime.now(UTC))
        engine.connect()
        self.repair = Repair(self.books, self.run, self.look, engine, Pace(0.0, 100, 100, CONFIRM_S))  # type: ignore[arg-type]

    async def run(self, call: Any, department: str | None = None) -> Any:
        actor = Actor("department-system", department, department, department) if department else GATEWAY
        with self.database.write() as tx:
            return call(self.world.ctx(tx, actor))

    async def look(self, call: Any) -> Any:
        with self.database.read() as tx:
            return call(self.world.ctx(tx, GATEWAY))

    def doctor(self, heal: bool = False, number: str | None = None) -> list[str]:
        return [f"{found.code} {found.place} {found.standing}" for found in self.found(heal, number)]

    def found(self, heal: bool = False, number: str | None = None) -> list[Finding]:
        return asyncio.run(self.repair.whole(heal, number))

    def must_heal(self, *expected: str) -> None:
        """These are reported without being touched, healed when asked, and then there is nothing any more."""
        assert self.doctor() == [f"{one} HEALABLE" for one in expected]
        assert self.doctor() == [f"{one} HEALABLE" for one in expected], "a report changes nothing"
        assert self.doctor(heal=True) == [f"{one} HEALED" for one in expected]
        before = self.image()
        assert self.doctor(heal=True) == []
        assert self.image() == before, "healing twice does nothing"
        assert self.world.faults() == []

    def break_(self, *statements: Any) -> None:
        with self.database.write() as tx:
            for statement in statements:
                tx.connection.execute(statement)

    def image(self) -> Any:
        """Everything that is kept, beside the findings themselves and the sealing of bodies."""
        with self.database.read() as tx:
            tables = (t.cases, t.items, t.payouts, t.reversals, t.family, t.open_deceased, t.shared_records, t.ledger)
            image = {table.name: sorted(map(str, tx.connection.execute(select(table)))) for table in tables}
        return image, self.engine("workflow_uuid, status")

    def engine(self, columns: str = "workflow_uuid, status", where: str = "1=1") -> list[Any]:
        with self.database.read() as tx:
            return sorted(tx.connection.execute(text(f"SELECT {columns} FROM {self.work} WHERE {where}")).all())

    @property
    def work(self) -> str:
        return "workflow_status" if self.database.sqlite else "dbos.workflow_status"

    def entry(self, kind: str) -> Any:
        with self.database.read() as tx:
            return tx.connection.execute(select(t.ledger).where(t.ledger.c.type == kind)).one()

    def live(self, slug: str) -> list[str]:
        like = f"workflow_uuid LIKE '%{self.world.number}.{slug}:%' AND status IN ('ENQUEUED','DELAYED','PENDING')"
        return [row[0] for row in self.engine("workflow_uuid", like)]

    def deliver_all(self, outcome: Outcome = Outcome.RECEIVED) -> None:
        """Everything that is on its way arrives, and its department holds it."""
        for slug, item in self.world.case().items.items():
            if item.delivery.state == "PENDING":
                self.world.delivered(slug)
                self.hold(slug, Outcome.COMPLETED if item.status == "COMPLETED" else outcome)
        self.break_(text(f"UPDATE {self.work} SET status='SUCCESS' WHERE status IN ('ENQUEUED','DELAYED')"))

    def hold(self, slug: str, outcome: Outcome = Outcome.RECEIVED, **more: Any) -> None:
        definition = self.world.policies.version("hz", "2019-10-15").item(slug)
        assert definition is not None and definition.department is not None
        key = f"{self.world.number}.{slug}"
        self.books[definition.department].records[key] = Record(key, outcome, "01", self.world.now, "R-1", **more)

    def lose(self, slug: str) -> None:
        for books in self.books.values():
            books.records.pop(f"{self.world.number}.{slug}", None)


def dispatch_again(stand: Stand, slug: str) -> None:
    """The push of an item is on its way, as after an answered correction."""
    world = stand.world
    department = world.policies.version("hz", "2019-10-15").item(slug)
    assert department is not None and department.department is not None
    world.report(department.department, slug, "c-9", Outcome.CORRECTION, reason="请补")
    with world.acting() as ctx:
        case_care.answer_correction(ctx, world.number, slug, "已补")


def application(world: World, slug: str) -> Any:
    with world.acting() as ctx:
        return dispatch.application(ctx, world.number, slug)


def later(stand: Stand, seconds: float = CONFIRM_S + 1) -> None:
    stand.world.now += timedelta(seconds=seconds)


def another(person: int) -> Any:
    from gateway.domain.identity import check_digit
    from tests.builders import hz_deceased

    born = f"3305021940010111{person}"
    return hz_form(deceased=hz_deceased(name=f"测试{person}", id_number=born + check_digit(born)))
