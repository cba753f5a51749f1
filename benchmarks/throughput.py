"""From submission to done with immediate answers: cases per second, and what one case costs, against a floor.

``python -m benchmarks.throughput``.  The floor, in the same run on the same database software, writes the very ledger
entries and present states that the gateway wrote, in as many transactions, with SQLAlchemy alone: no engine, no
departments, no policy, no HTTP.  Compare ratios of CPU, not seconds: machines are noisy.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from benchmarks.chaos.load import Load, cases
from benchmarks.chaos.report import machine
from benchmarks.chaos.world import World
from gateway.store import tables as t
from gateway.store.seal import IndexKey, Seal
from gateway.store.session import Database

WARM = 7
"""Cases before the clock starts: one of each template."""


async def measure(database: str, gateways: int, count: int, folder: Path) -> dict[str, Any]:
    world = World(folder, database, gateways, together=True)
    try:
        await world.start()
        filed = cases(WARM + count, 1)
        warm, timed = Load(world, filed[:WARM], random.Random(1)), Load(world, filed[WARM:], random.Random(2))
        await _through(warm)
        await asyncio.sleep(2)  # the server counts transactions late
        resting = await _resting(world)
        commits, before, started = _transactions(world), _cpu(world), time.monotonic()
        await _through(timed)
        took = time.monotonic() - started
        spent = _cpu(world) - before - resting * took
        await asyncio.sleep(2)
        after = _transactions(world)
        rss = [round(gateway.rss_mb) for gateway in world.gateways]
        numbers = [case.number for case in timed.cases]
        items = [row.number for row in world.rows("SELECT number FROM items WHERE status <> 'NOT_APPLICABLE'")]
        for gateway in world.gateways:
            gateway.end()
        floor_s, floor_cpu, floor_commits = await asyncio.to_thread(_floor, world, numbers)
        return {
            "database": database,
            "gateways": gateways,
            "cases": count,
            "applicable items per case": round(sum(1 for number in items if number in set(numbers)) / count, 1),
            "cases/s": round(count / took, 2),
            "gateway CPU ms per case": round(1000 * spent / count),
            "transactions per case": round((after - commits) / count) if after and commits else None,
            "gateway RSS MB": rss,
            "floor cases/s": round(count / floor_s, 1),
            "floor CPU ms per case": round(1000 * floor_cpu / count, 1),
            "floor transactions per case": round(floor_commits / count, 1),
            "ratio of CPU": round(spent / floor_cpu, 1),
        }
    finally:
        world.stop()


async def _through(load: Load) -> None:
    watching = asyncio.create_task(load.watch(0.2))
    await load.run()
    while load.done < len(load.cases):
        await asyncio.sleep(0.05)
    watching.cancel()


async def _resting(world: World) -> float:
    """CPU seconds per second of gateways that have nothing to do."""
    before, seconds = _cpu(world), 5.0
    await asyncio.sleep(seconds)
    return (_cpu(world) - before) / seconds


SEAL = Seal({1: b"1" * 32}, [IndexKey(1, b"i" * 32)])


def _cpu(world: World) -> float:
    return sum(gateway.cpu_s for gateway in world.gateways)


def _transactions(world: World) -> int | None:
    """Committed ones; the looks of this program are rolled back and do not count."""
    if world.database == "sqlite":
        return None
    row = world.rows("SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()")
    return int(row[0].n)


def _floor(world: World, numbers: list[str]) -> tuple[float, float, int]:
    """(seconds, CPU seconds, transactions) of writing these cases' ledgers and present states again."""
    url = world.server.database("floor") if world.server is not None else f"sqlite:///{world.folder / 'floor.sqlite'}"
    there = Database(world.url.replace("postgresql:", "postgresql+psycopg:"), SEAL)
    with there.read() as tx:
        wanted = select(t.ledger).where(t.ledger.c.number.in_(numbers)).order_by(t.ledger.c.number, t.ledger.c.seq)
        entries = [dict(row) for row in tx.connection.execute(wanted).mappings()]
        states = {row["number"]: dict(row) for row in tx.connection.execute(select(t.cases)).mappings()}
    there.dispose()
    here = Database(url.replace("postgresql:", "postgresql+psycopg:"), SEAL)
    here.migrate()
    groups: dict[tuple[str, Any], list[dict[str, Any]]] = {}
    for entry in entries:
        groups.setdefault((entry["number"], entry["at"]), []).append(entry)
    begun: set[str] = set()
    started, cpu = time.monotonic(), _own_cpu()
    for (number, _), rows in groups.items():
        with here.write() as tx:
            tx.connection.execute(insert(t.ledger), rows)
            if number in begun:
                mine = {name: value for name, value in states[number].items() if name != "number"}
                tx.connection.execute(update(t.cases).where(t.cases.c.number == number).values(**mine))
            else:
                tx.connection.execute(insert(t.cases).values(**states[number]))
                begun.add(number)
    took, spent = time.monotonic() - started, _own_cpu() - cpu
    here.dispose()
    return took, spent, len(groups)


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=70, help="the templates of the demo in turn")
    parser.add_argument("--json", type=Path, help="file for the result")
    given = parser.parse_args()
    print(machine())
    lines = []
    for database, gateways in (("sqlite", 1), ("postgresql", 2)):
        with tempfile.TemporaryDirectory(prefix="shenhou-throughput-") as folder:
            lines.append(asyncio.run(measure(database, gateways, given.cases, Path(folder))))
        for name, value in lines[-1].items():
            print(f"{name:32} {'-' if value is None else value}")
        print(flush=True)
    if given.json is not None:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(lines, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
