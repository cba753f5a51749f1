"""The progress line, the table and the JSON file of a run."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.chaos.faults import Faults
from benchmarks.chaos.judge import Verdict, takeovers
from benchmarks.chaos.load import Load
from benchmarks.chaos.world import World

SHOWN = 12
"""Findings printed of each kind; the JSON file has all."""


async def progress(load: Load, faults: Faults, started: float) -> None:
    """For ever: one line every few seconds, over itself on a terminal."""
    while True:
        filed = sum(1 for case in load.cases if case.filed_at)
        text = f"{time.time() - started:6.0f} s  filed {filed:4}  done {load.done:4} of {len(load.cases)}"
        text += f"  faults {sum(faults.counts.values()):3}  sent again {load.repeats}"
        print(f"\r{text}" if sys.stdout.isatty() else text, end="" if sys.stdout.isatty() else "\n", flush=True)
        await asyncio.sleep(1 if sys.stdout.isatty() else 10)


def machine() -> str:
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ":")
    return f"{os.cpu_count()} cores, {model.partition(':')[2].strip()}, Python {platform.python_version()}"


def result(
    world: World,
    load: Load,
    faults: Faults,
    verdict: Verdict,
    started: float,
    healed: float,
    given: argparse.Namespace,
) -> dict[str, Any]:
    """Everything that was seen."""
    taken = takeovers(world, faults.kills)
    filed = [case for case in load.cases if case.filed_at and case.done_at]
    work = {
        row.status: row.n for row in world.rows(f"SELECT status, COUNT(*) AS n FROM {world.work_table} GROUP BY status")
    }
    last = max((case.done_at for case in filed), default=started)
    first = min((case.filed_at for case in filed), default=started)
    return {
        "machine": machine(),
        "at": time.strftime("%Y-%m-%d %H:%M"),
        "command": " ".join(["python -m benchmarks.chaos", *sys.argv[1:]]),
        "database": world.database,
        "gateways": world.count,
        "seed": given.seed,
        "cases": verdict.cases,
        "items": verdict.items,
        "pushed to departments": verdict.delivered,
        "applications at departments": verdict.applications,
        "arrived, but the push is not noted": len(verdict.unnoted),
        "sums paid": verdict.sums_paid,
        "lost": len(verdict.lost),
        "effects twice": len(verdict.twice),
        "stuck": len(verdict.stuck),
        "ended otherwise": len(verdict.unlike),
        "ledger faults": len(verdict.ledger),
        "same-key repeats absorbed": verdict.repeats,
        "operations sent again by clients": load.repeats,
        "why they were sent again": load.errors,
        "faults": dict(faults.counts),
        "processes that ended by themselves": {
            process.name: process.deaths for process in [*world.gateways, *world.departments] if process.deaths
        },
        "gateways killed with work begun": sum(1 for kill in faults.kills if kill.held),
        "seconds to take over, first piece": _spread([first for first, _, _ in taken]),
        "seconds to take over, last piece": _spread([last for _, last, _ in taken]),
        "seconds from start to /healthz, under load": _spread(faults.restarts_s),
        "seconds from submission to done": _spread([case.done_at - case.filed_at for case in filed]),
        "seconds after the last fault until all was done": round(max(0.0, last - healed), 1),
        "cases/s, with faults": round(len(filed) / max(0.1, last - first), 2),
        "engine's work by status": work,
        "seconds in all": round(time.time() - started),
        "findings": {
            "lost": verdict.lost,
            "twice": verdict.twice,
            "stuck": verdict.stuck,
            "unlike": verdict.unlike,
            "ledger": verdict.ledger,
            "unnoted": verdict.unnoted,
        },
    }


def _spread(values: list[float]) -> dict[str, float] | None:
    """Count, least, median, 95th percentile and most."""
    if not values:
        return None
    ordered = sorted(values)
    return {
        "n": len(ordered),
        "min": round(ordered[0], 2),
        "median": round(statistics.median(ordered), 2),
        "p95": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 2),
        "max": round(ordered[-1], 2),
    }


def write(found: dict[str, Any], file: Path | None) -> None:
    """Prints the table, and writes the JSON file if one is named."""
    print()
    for name, value in found.items():
        if name == "findings":
            continue
        text = value if not isinstance(value, dict) else "  ".join(f"{part} {number}" for part, number in value.items())
        print(f"{name:48} {'-' if text in (None, '') else text}")
    for kind, lines in found["findings"].items():
        for line in lines[:SHOWN]:
            print(f"  {kind}: {line}")
        if len(lines) > SHOWN:
            print(f"  {kind}: … and {len(lines) - SHOWN} more")
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
