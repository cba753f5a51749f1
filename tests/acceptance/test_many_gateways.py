"""Several gateways on one PostgreSQL, killed in the middle of their work: everything happens exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from adapters.kit.registry import manifests
from benchmarks.chaos.judge import Verdict, judge
from benchmarks.chaos.load import Filed, Load, cases
from benchmarks.chaos.world import Process, World
from tests.postgres import NoServer

BEAT_S = 0.75
"""So that the work of a gateway that is silent is taken over after a few seconds."""
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
        load = Load(self.world, cases(count, seed, ("在家正常死亡",)), random.Random(seed), clients=2)
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

    async def begun(self, gateway: Process) -> None:
        """Until this gateway has work in hand, or all work is done."""
        begun = f"SELECT 1 FROM {self.world.work_table} WHERE executor_id = :e AND status = 'PENDING' LIMIT 1"
        done = lambda: all(case.done_at for case in self.filed)  # noqa: E731
        await eventually(lambda: done() or bool(self.world.rows(begun, e=gateway.executor)), 0.01)

    async def judged(self) -> Verdict:
        return await asyncio.to_thread(judge, self.world, self.filed)


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    variables = {"SHENHOU_HEARTBEAT_S": str(BEAT_S)}
    folder = tmp_path_factory.mktemp("town")
    world = World(folder, "postgresql", 2, tuple(manifests()), together=True, variables=variables)
    try:
        await world.start()
        yield Town(world)
    except NoServer as reason:
        pytest.skip(str(reason))
    finally:
        await asyncio.to_thread(world.stop)


@pytest.mark.rule("PD-16")
async def test_everything_happens_once_while_gateways_are_killed(town: Town) -> None:
    async with town.filing(10, seed=7):
        for turn in (0, 1, 0):
            gateway = town.world.gateways[turn]
            await town.begun(gateway)
            gateway.kill()
            await town.world.start_gateway(gateway)
    verdict = await town.judged()
    assert verdict.good, verdict
    assert verdict.cases == len(town.filed)


@pytest.mark.rule("PD-16")
async def test_work_of_a_gateway_that_nobody_knows_any_more_is_taken_over(town: Town) -> None:
    """As after a standstill: the others gave it up, it came back, began work, and was killed before it was heard."""
    gone = town.world.gateways[0]
    async with town.filing(3, seed=8):
        await town.begun(gone)
        gone.kill()
        town.world.execute("DELETE FROM leases WHERE name = :n", n=f"executor:{gone.executor}")
    verdict = await town.judged()
    assert verdict.good, verdict
