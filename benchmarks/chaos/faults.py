"""What goes wrong, at random but by a seed: processes are killed, departments misbehave, the database dies.

Every fault ends after a while: what was killed is started again.  ``heal`` ends all of them at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from benchmarks.chaos.world import Process, World

GOOD = {"slow": 0, "fail": 0, "drop": 0, "rubbish": 0, "late": 0, "half": 0, "garble": 0}
GOOD |= {"silent": False, "twice": False, "stray": False}
HABITS: tuple[dict[str, Any], ...] = (
    {"slow": 1.5},
    {"slow": 12},  # longer than any gateway waits
    {"late": 12},  # the work is done and the answer comes too late
    {"half": 4},
    {"garble": 4},
    {"stray": True},
    {"fail": 6},
    {"fail": -1},
    {"rubbish": 4},
    {"drop": 4},  # the work is done and the line breaks
    {"drop": -1},
    {"silent": True},  # results are not sent and have to be asked for
    {"twice": True},
)


@dataclass
class Kill:
    """A gateway that was killed, and the pieces of work it had begun."""

    at: float
    """Seconds since the epoch."""
    executor: str
    held: list[str]


@dataclass
class Faults:
    """``pause_s``: mean seconds between two faults.  Database restarts come as the run gets on, not by chance."""

    world: World
    chance: random.Random
    pause_s: float = 4.0
    counts: Counter[str] = field(default_factory=Counter)
    kills: list[Kill] = field(default_factory=list)
    restarts_s: list[float] = field(default_factory=list)
    """Seconds a killed gateway took to answer again."""
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """For ever."""
        kinds: list[tuple[Any, int]] = [
            (self.kill_gateway, 5),
            (self.kill_department, 3),
            (self.misbehave, 6),
        ]
        if len(self.world.gateways) > 1:
            kinds.append((self.freeze_gateway, 1))
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / self.pause_s))
            (fault,) = self.chance.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])
            task = asyncio.create_task(fault())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def heal(self) -> None:
        """Lets every fault run out, sets every habit right, and waits until all answer."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)
        for code in self.world.counters:
            await self._behave(code, GOOD)
        for process in self.world.departments:
            await process.wait()
        for process in self.world.gateways:
            await process.wait()

    # ── gateways ────────────────────────────────────────────────────────────────────────────────────────

    async def kill_gateway(self) -> None:
        """Mostly after some seconds of work, and while another one lives: with all dead nothing can go wrong."""
        gateway = self._one(self.world.gateways)
        if gateway is not None and time.time() - gateway.ready_at < self.chance.uniform(0, 20):
            return
        others = sum(1 for other in self.world.gateways if other is not gateway and not other.stopped)
        if gateway is None or (self.world.count > 1 and others == 0 and self.chance.random() < 0.8):
            return
        gateway.kill()
        at = time.time()
        self.counts["gateway killed"] += 1
        held = await self._held(gateway.executor)
        self.kills.append(Kill(at, gateway.executor, held))
        await asyncio.sleep(self.chance.uniform(0.2, 8))
        with contextlib.suppress(TimeoutError):
            took = await self.world.start_gateway(gateway)
            if not gateway.stopped:  # it was not killed again meanwhile
                self.restarts_s.append(took)

    async def freeze_gateway(self) -> None:
        """It stands still for longer than its lease, loses its work to another, and comes back."""
        gateway = self._one(self.world.gateways)
        if gateway is None or sum(1 for other in self.world.gateways if not other.stopped) < 2:
            return
        self.counts["gateway frozen"] += 1
        gateway.stopped = True
        os.kill(gateway.pid, signal.SIGSTOP)
        await asyncio.sleep(self.chance.uniform(9, 14))
        os.kill(gateway.pid, signal.SIGCONT)
        gateway.stopped = False

    async def _held(self, executor: str) -> list[str]:
        """Pieces of work that were begun and not ended by this gateway."""
        await asyncio.sleep(0.1)  # a commit on its way at the moment of death gets through or not
        begun = f"SELECT workflow_uuid AS id FROM {self.world.work_table} WHERE executor_id = :e AND status = 'PENDING'"
        rows = await self.world.ask(begun, e=executor) if executor else None
        return [row.id for row in rows or ()]

    # ── departments ─────────────────────────────────────────────────────────────────────────────────────

    async def kill_department(self) -> None:
        department = self._one(self.world.departments)
        if department is None:
            return
        department.kill()
        self.counts["department killed"] += 1
        await asyncio.sleep(self.chance.uniform(0.5, 12))
        department.start()

    async def misbehave(self) -> None:
        code = self.chance.choice(list(self.world.counters))
        habit = self.chance.choice(HABITS)
        self.counts[f"department {next(iter(habit))}"] += 1
        await self._behave(code, habit)
        await asyncio.sleep(self.chance.uniform(3, 15))
        await self._behave(code, GOOD)

    async def _behave(self, code: str, habits: dict[str, Any]) -> None:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
                http.post(f"{self.world.counters[code]}/habits", json=habits) as answer,
            ):
                await answer.read()

    # ── the database ────────────────────────────────────────────────────────────────────────────────────

    async def restart_database(self, hard: bool) -> None:
        """``hard``: by kill -9 in the middle of what it does."""
        self.counts[f"database {'killed' if hard else 'restarted'}"] += 1
        await asyncio.to_thread(self.world.server.restart, hard)

    def _one(self, processes: list[Process]) -> Process | None:
        up = [process for process in processes if not process.stopped and not process.fell]
        return self.chance.choice(up) if up else None
