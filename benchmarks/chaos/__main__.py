"""``python -m benchmarks.chaos``: cases by the hundred while everything is killed around them, and a judge.

Ends with 0 when nothing was lost, done twice, stuck or ended otherwise; with 1 when something was.  ``make chaos`` runs
it on PostgreSQL with three gateways, then on SQLite with one.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.chaos import report
from benchmarks.chaos.faults import Faults
from benchmarks.chaos.judge import judge
from benchmarks.chaos.load import Load, cases, story
from benchmarks.chaos.world import World


async def run(given: argparse.Namespace, folder: Path) -> int:
    chance = random.Random(given.seed)
    world = World(folder, given.database, given.gateways or (3 if given.database == "postgresql" else 1))
    templates = len(story()["cases"])
    count = max(given.cases, templates)
    filed = cases(count, given.seed)
    started = time.time()
    keeper: asyncio.Task[None] | None = None
    try:
        await world.start()
        print(f"{len(world.departments)} departments and sources, {world.count} gateways on {given.database}: {folder}")
        quiet = Load(world, filed[:templates], chance)
        load = Load(world, filed, chance, given.clients, given.in_flight)
        watching = asyncio.create_task(load.watch())
        await quiet.run()
        await _until(lambda: load.done == templates, given.settle)
        load.errors, load.repeats = quiet.errors, quiet.repeats
        load.cases = filed
        keeper = asyncio.create_task(world.keep())
        faults = Faults(world, chance, given.pause)
        failing = asyncio.create_task(faults.run()) if given.pause > 0 else None
        filing = asyncio.create_task(load.run())
        restarts = [0.2, 0.4, 0.6, 0.8] if world.server is not None and given.pause > 0 else []
        line = asyncio.create_task(report.progress(load, faults, started))
        until = started + given.limit
        while time.time() < until and not (filing.done() and load.done >= 0.95 * count):
            if restarts and load.done >= restarts[0] * count:
                restarts.pop(0)
                await faults.restart_database(hard=len(restarts) % 2 == 1)
            await asyncio.sleep(0.2)
        if failing is not None:
            failing.cancel()
        await faults.heal()
        healed = time.time()
        await _until(lambda: filing.done() and load.done == count, given.settle, lambda: load.done)
        for task in (line, watching, filing):
            task.cancel()
        print("judging …", flush=True)
        verdict = await asyncio.to_thread(judge, world, filed)
        result = report.result(world, load, faults, verdict, started, healed, given)
        report.write(result, given.json)
        return 0 if verdict.good else 1
    finally:
        if keeper is not None:
            keeper.cancel()
        world.stop()


async def _until(over, patience_s: float, moved=lambda: 0) -> None:  # type: ignore[no-untyped-def]
    """Until it is over, or nothing has moved for so long."""
    last, since = moved(), time.monotonic()
    while not over() and time.monotonic() - since < patience_s:
        await asyncio.sleep(0.2)
        if moved() != last:
            last, since = moved(), time.monotonic()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--gateways", type=int, help="3 on PostgreSQL, 1 on SQLite")
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=8, help="how many file at once")
    parser.add_argument("--in-flight", type=int, default=60, help="cases under way at most")
    parser.add_argument("--pause", type=float, default=4.0, help="mean seconds between two faults; 0: none")
    parser.add_argument("--settle", type=float, default=120, help="seconds without progress after which it is stuck")
    parser.add_argument("--limit", type=float, default=2400, help="seconds after which no new fault or case comes")
    parser.add_argument("--json", type=Path, help="file for the result")
    parser.add_argument("--keep", action="store_true", help="leave the folder with logs and databases")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # ends as with Ctrl-C: in order
    folder = Path(tempfile.mkdtemp(prefix="shenhou-chaos-"))
    code = 1
    try:
        code = asyncio.run(run(given, folder))
    except KeyboardInterrupt:
        code = 130
    finally:
        if given.keep or code == 1:
            print(f"logs and databases: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
