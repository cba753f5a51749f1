"""Recurring work in the running event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gateway.faults import places

log = logging.getLogger("shenhou.recurring")
Call = Callable[[], Awaitable[object]]
Loop = tuple[float, Call]
"""What is called for ever, about every so many seconds."""


@dataclass(slots=True)
class Recurring:
    """Recurring work that begins and ends together."""

    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _ending: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self, *loops: Loop) -> None:
        self._tasks += [asyncio.create_task(self._repeat(seconds, call)) for seconds, call in loops]

    async def stop(self) -> None:
        """What is under way is broken off."""
        for task in self._tasks:
            task.cancel()
        await self.finish()

    async def finish(self) -> None:
        """What is under way is done to its end."""
        self._ending.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, seconds: float, call: Call) -> None:
        """Work that fails is told once, without values, and tried again."""
        failing = ""
        while not await self._ended(seconds * random.uniform(0.8, 1.2)):  # noqa: S311
            try:
                await call()
                failing = ""
            except Exception as error:
                kind = type(error).__name__
                if kind != failing:
                    log.error("recurring work fails; it is tried again", extra={"kind": kind, "frames": places(error)})
                failing = kind

    async def _ended(self, within_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), within_s)
        return self._ending.is_set()
