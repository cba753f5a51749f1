"""Talks to the elderly-care exchange database (前置库) over SQLAlchemy Core, in threads, with bind parameters only.

A row in T_SWRY_IN is a message: the department's batch takes it in.  The database outlives the system behind it, so
each call looks at the heartbeat of the batch first; one older than 30 s means that nobody is there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar
from urllib.parse import quote

from sqlalchemy import URL, Engine, NullPool, column, create_engine, exc, insert, make_url, select, table

from gateway.domain.department import (
    Application,
    Callback,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    PaymentInstruction,
    Receipt,
    Record,
)
from gateway.domain.exchange import Leg, sending

from . import codes, wire

HEARTBEAT_LIMIT_S = 30.0
KEYS_PER_CALL = 500

INBOUND = table(
    "T_SWRY_IN",
    *(column(name) for name in ("JLBH", "BZCS", "YWLX", "AJBH", "XM", "ZJHM", "XB", "HJQH", "HJDZ", "SWRQ")),
    *(column(name) for name in ("SWZMBH", "HHZMBH", "SQRXM", "SQRDH", "BZSM", "CZLX", "YJLBH", "CXYY", "TSSJ", "CLBZ")),
)
RESULTS = table("V_BLJG", *(column(name) for name in ("JLBH", "SLH", "ZT", "ZTMC", "BLYJ", "BZCL", "TFNY", "GXSJ")))
HEARTBEAT = table("V_XTZT", column("ZHYXSJ"))

T = TypeVar("T")


class ElderlyCare:
    """``timeout_s`` bounds each whole call.  No connection is kept between calls."""

    def __init__(self, engine: Engine, timeout_s: float) -> None:
        self._engine = engine
        self._timeout_s = timeout_s

    async def submit(self, application: Application) -> Receipt:
        """One row per (key, correction round).  The receipt says that the row lies there, not that it was read."""
        row = wire.row(application)
        await self._run(partial(self._insert, row))
        return Receipt(Outcome.RECEIVED, reference=None, raw_code=codes.WAITING, raw_message="未接收")

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        """A key whose row the batch has not taken in, or could not process (99), is absent.

        When every row found is in system error, the department is unavailable.
        """
        rows: list[Mapping[str, object]] = []
        for start in range(0, len(keys), KEYS_PER_CALL):
            rows += await self._run(partial(self._select, keys[start : start + KEYS_PER_CALL]))
        sound = [row for row in rows if not wire.is_error(row)]
        if rows and not sound:
            raise DepartmentUnavailable("elderly-care reports a system error (99)")
        records = [wire.record(row) for row in sound]
        return {record.key: record for record in records}

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        raise DepartmentRejected("elderly-care takes no payment instructions")

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        raise DepartmentRejected("elderly-care does not send messages")

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return b"", "text/plain"

    async def close(self) -> None:
        self._engine.dispose()

    def _insert(self, row: dict[str, str | None]) -> None:
        leg = _told("INSERT T_SWRY_IN", row)
        try:
            with self._engine.begin() as connection:
                _alive(connection.execute(select(HEARTBEAT)).scalar())
                connection.execute(insert(INBOUND).values(row))
            leg.received(b"1")
        except exc.IntegrityError:
            same = select(INBOUND.c.JLBH).filter_by(JLBH=row["JLBH"], BZCS=row["BZCS"])
            with self._engine.connect() as connection:
                if connection.execute(same).first() is None:
                    raise DepartmentRejected("T_SWRY_IN does not take this row (a required column)") from None
            leg.received(b"0")

    def _select(self, keys: Sequence[str]) -> list[Mapping[str, object]]:
        """Heartbeat and results in one statement; without results the heartbeat still comes."""
        leg = _told("SELECT V_BLJG", keys)
        both = HEARTBEAT.outerjoin(RESULTS, RESULTS.c.JLBH.in_(keys))
        with self._engine.connect() as connection:
            rows = connection.execute(select(HEARTBEAT.c.ZHYXSJ, *RESULTS.c).select_from(both)).mappings().all()
        leg.received(_text([dict(row) for row in rows]))
        _alive(rows[0]["ZHYXSJ"] if rows else None)
        return [dict(row) for row in rows if row["JLBH"] is not None]

    async def _run(self, work: Callable[[], T]) -> T:
        """Database work in a thread.  ``from None``: drivers put whole rows into their messages."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.to_thread(work)
        except TimeoutError:
            raise DepartmentUnavailable(f"no answer within {self._timeout_s:g} s") from None
        except (exc.OperationalError, exc.InterfaceError) as error:
            raise DepartmentUnavailable(f"no connection ({type(error).__name__})") from None
        except (exc.DataError, UnicodeEncodeError):
            raise DepartmentRejected("T_SWRY_IN does not take this row (a value)") from None
        except (exc.SQLAlchemyError, UnicodeDecodeError) as error:
            raise DepartmentUnintelligible(f"not the agreed tables ({type(error).__name__})") from None


def _told(to: str, values: object) -> Leg:
    """The driver makes the bytes on the wire; what is kept is every value it was given, and every one it gave."""
    return sending(to, _text(values))


def _text(values: object) -> bytes:
    return json.dumps(values, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")


def _alive(heartbeat: object) -> None:
    if heartbeat is None:
        raise DepartmentUnavailable("the batch of elderly-care has never run")
    age = wire.heartbeat_age(heartbeat, datetime.now(UTC))
    if age > HEARTBEAT_LIMIT_S:
        raise DepartmentUnavailable(f"the batch of elderly-care last ran {age:.0f} s ago")


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> ElderlyCare:
    """``address``: an SQLAlchemy URL.  An SQLite file is opened, never made; it is the department's."""
    url: URL = make_url(address)
    options: dict[str, float] = {}
    if url.get_backend_name() == "sqlite":
        url = url.set(database=f"file:{quote(url.database or '')}", query={"mode": "rw", "uri": "true"})
        options = {"timeout": timeout_s}
    elif "user" in credentials:
        url = url.set(username=credentials["user"], password=credentials.get("secret"))
    engine = create_engine(url, connect_args=options, poolclass=NullPool, hide_parameters=True)
    return ElderlyCare(engine, timeout_s)
