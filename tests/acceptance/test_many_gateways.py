"""Several gateways on one PostgreSQL, killed in the middle of their work: everything happens exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest

from benchmarks.chaos.judge import Verdict, judge
from benchmarks.chaos.load import Filed, Load, cases
from benchmarks.chaos.world import Process, World
from tests.postgres import NoServer

BEAT_S = 0.75
"""So that the work of a gateway that is silent is taken over after a few seconds."""
DEPARTMENTS = ("civil-affairs", "housing-fund", "medical-insurance", "public-security", "social-security")
"""Those of a case in 岳阳县; no case ends without one of them."""
PATIENCE_S = 120.0


async def eventually(look: Callable[[], bool], pause_s: float = 0.05) -> None:
    while not look():  # noqa: ASYNC110
        await asyncio.sleep(pause_s)


@dataclass
class Town:
    """Two gateways on one database, departments that answer at once, and every case that was filed."""

    world: World
    filed: list[Filed] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def filing(self, count: int, seed: int) -> AsyncIterator[None]:
        """While cases are filed; ends when all are done."""
        load = Load(self.world, cases(count, seed, ("岳阳县",)), random.Random(seed), clients=2)
        self.filed += load.cases
        filing, watching = asyncio.create_task(load.run()), asyncio.create_task(load.watch(0.1))
        try:
            async with asyncio.timeout(PATIENCE_S):
                yield
                await filing
                await eventually(lambda: load.done == count)
        finally:
            filing.cancel()
            watching.cancel()

    @property
    def held(self) -> str:
        """Finds work that one gateway has begun and not ended."""
        return f"SELECT 1 FROM {self.world.work_table} WHERE executor_id = :e AND status = 'PENDING' LIMIT 1"

    async def begun(self) -> Process:
        """A gateway that has work in hand, as soon as there is one."""
        while True:
            for gateway in self.world.gateways:
                if self.world.rows(self.held, e=gateway.executor):
                    return gateway
            await asyncio.sleep(0.01)

    async def slow(self, seconds: float) -> None:
        """Departments take so long for an answer that work is in hand for a while."""
        async with aiohttp.ClientSession() as http:
            for counter in self.world.counters.values():
                await (await http.post(f"{counter}/habits", json={"slow": seconds})).read()

    async def judged(self) -> Verdict:
        return await asyncio.to_thread(judge, self.world, self.filed)


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    variables = {"SHENHOU_HEARTBEAT_S": str(BEAT_S)}
    folder = tmp_path_factory.mktemp("town")
    world = World(folder, "postgresql", 2, DEPARTMENTS, together=True, variables=variables)
    try:
        await world.start()
        yield Town(world)
    except NoServer as reason:
        pytest.skip(str(reason))
    finally:
        await asyncio.to_thread(world.stop)


@pytest.mark.rule("PD-16")
async def test_everything_happens_once_while_gateways_are_killed(town: Town) -> None:
    await town.slow(0.5)
    for seed, count in ((7, 4), (8, 3)):
        async with town.filing(count, seed):
            killed = await town.begun()
            killed.kill()
            await town.world.start_gateway(killed)
    async with town.filing(3, seed=9):
        killed = await town.begun()
        killed.kill()
        # As after a standstill: the others gave it up, it came back, began work, and was killed before it was heard.
        town.world.execute("DELETE FROM leases WHERE name = :n", n=f"executor:{killed.executor}")
        await eventually(lambda: not town.world.rows(town.held, e=killed.executor))
        await town.world.start_gateway(killed)
    verdict = await town.judged()
    assert verdict.good, verdict
    assert verdict.cases == len(town.filed) == 10
