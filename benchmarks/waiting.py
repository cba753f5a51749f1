"""What waiting costs: memory, idle CPU, restart and disk with thousands of items that wait.

``python -m benchmarks.waiting``.  Two ways of waiting, each on both databases: *results*, pushed items whose
departments have not answered and are polled; *dead*, pushes that wait for departments that are down.  One case is
driven there through the real gateway, then copied (``copies.py``) until as many items wait as are asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import create_engine

from adapters.kit.registry import manifests, sources
from benchmarks import copies
from benchmarks.chaos.load import Load, cases
from benchmarks.chaos.report import machine
from benchmarks.chaos.world import World
from gateway import settings

ACTING = ("health", "civil-affairs", "public-security")
"""Their clerks act at once, so that the gates of the others are open."""
WAITING = ("social-security", "medical-insurance", "housing-fund")
HELD = {
    "results": "delivery = 'DELIVERED' AND finished_at IS NULL",
    "dead": "delivery = 'PENDING' AND finished_at IS NULL",
}
MINUTE_S = 60.0
MINUTES = 3


async def measure(database: str, kind: str, counts: list[int], folder: Path) -> list[dict[str, Any]]:
    """One line per number of waiting items."""
    codes = (*ACTING, *WAITING)
    world = World(folder, database, 1, codes, auto_s=0.0, variables=dict(LADDER) if kind == "dead" else {})
    found = []
    try:
        await world.start()
        number, deceased = await _model(world, kind)
        gateway = world.gateways[0]
        gateway.end()
        for process in world.departments:
            process.end()
        empty = _bytes(world)
        engine = create_engine(world.url.replace("postgresql:", "postgresql+psycopg:"))
        read = settings.read({"SHENHOU_DATA_DIR": str(folder)}, (*manifests(), *sources()))
        model = copies.Model(engine, read.seal, number, deceased, world.work_table)
        each = world.rows(f"SELECT COUNT(*) AS n FROM items WHERE {HELD[kind]}")[0].n
        made = 0
        for count in counts:
            numbers = [f"HZ20260101{turn:07d}" for turn in range(made, -(-count // each))]
            started = time.monotonic()
            model.copy(numbers)
            for code in WAITING if kind == "results" else ():
                copies.books(folder / "departments" / f"{code}.sqlite", number, numbers)
            made += len(numbers)
            if database == "postgresql":
                await asyncio.to_thread(_analyze, engine)
            print(f"  {database} {kind}: {made} cases written in {time.monotonic() - started:.0f} s", flush=True)
            for process in world.departments:
                if kind == "results" or process.name in ACTING:
                    process.start()
                    await process.wait()
            found.append(await _watched(world, kind, made, each, empty))
            gateway.end()
            for process in world.departments:
                process.kill()
        engine.dispose()
        return found
    finally:
        world.stop()


LADDER = {"SHENHOU_RETRY_LADDER_S": ",".join(["1", "2", *["3600"] * 20])}


def _analyze(engine: Any) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


async def _model(world: World, kind: str) -> tuple[str, str]:
    """Number and deceased of one case in which everything that can wait does."""
    for process in world.departments:
        if process.name in WAITING:
            process.command = [part for part in process.command if part not in ("--auto", str(world.auto_s))]
    for code in WAITING:
        async with aiohttp.ClientSession() as http:
            await http.post(f"{world.counters[code]}/habits", json={"auto": None})
    if kind == "dead":
        for process in world.departments:
            if process.name in WAITING:
                process.kill()
    filed = cases(1, 1, ("在家正常死亡",))
    await Load(world, filed, random.Random(1)).run()
    last: Any = None
    for _ in range(120):
        await asyncio.sleep(1)
        now = world.rows("SELECT status, delivery, COUNT(*) AS n FROM items GROUP BY 1, 2 ORDER BY 1, 2")
        tries = world.rows("SELECT COUNT(*) AS n FROM ledger")[0].n
        if (now, tries) == last and any(row.delivery in ("DELIVERED", "PENDING") and row.n > 3 for row in now):
            break
        last = (now, tries)
    return filed[0].number, filed[0].steps[0]["input"]["deceased"]["idNumber"]


async def _watched(world: World, kind: str, made: int, each: int, empty: int) -> dict[str, Any]:
    """Starts the gateway on what is there, and looks at it for some minutes."""
    gateway = world.gateways[0]
    ready = await world.start_gateway(gateway)
    line: dict[str, Any] = {
        "database": world.database,
        "waiting for": kind,
        "items waiting": (made + 1) * each,
        "cases": made + 1,
        "restart_s": round(ready, 2),
        "bytes_per_case": round((_bytes(world) - empty) / made),
    }
    for minute in range(1, MINUTES + 1):
        before, calls, commits = gateway.cpu_s, _calls(world, kind), _commits(world)
        await asyncio.sleep(MINUTE_S)
        line[f"cpu_s_minute_{minute}"] = round(gateway.cpu_s - before, 2)
        line[f"polls_minute_{minute}"] = _calls(world, kind) - calls
        line[f"transactions_minute_{minute}"] = _commits(world) - commits
        line[f"rss_mb_minute_{minute}"] = round(gateway.rss_mb)
    print(f"  {json.dumps(line, ensure_ascii=False)}", flush=True)
    return line


def _calls(world: World, kind: str) -> int:
    """Wire calls that the polled departments have seen."""
    total = 0
    for code in WAITING if kind == "results" else ():
        with urllib.request.urlopen(f"{world.counters[code]}/calls", timeout=60) as answer:
            total += sum(json.load(answer).values())
    return total


def _commits(world: World) -> int:
    if world.database == "sqlite":
        return 0
    row = world.rows("SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()")
    return int(row[0].n)


def _bytes(world: World) -> int:
    if world.database == "postgresql":
        return int(world.rows("SELECT pg_database_size(current_database()) AS n")[0].n)
    return sum(path.stat().st_size for path in world.folder.glob("shenhou.sqlite*"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--database", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--kind", nargs="+", choices=tuple(HELD), default=list(HELD))
    parser.add_argument("--json", type=Path, help="file for the result")
    given = parser.parse_args()
    print(machine())
    lines = []
    for database in given.database:
        for kind in given.kind:
            with tempfile.TemporaryDirectory(prefix="shenhou-waiting-") as folder:
                lines += asyncio.run(measure(database, kind, sorted(given.items), Path(folder)))
    if given.json is not None:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(lines, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
