"""Recurring work in the running event loop."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from gateway.faults import places

log = logging.getLogger("shenhou.recurring")


async def repeat(seconds: float, call: Callable[[], Awaitable[object]]) -> None:
    """Calls for ever, about every so many seconds.  Work that fails is told once, without values, and tried again."""
    failing = ""
    while True:
        await asyncio.sleep(seconds * random.uniform(0.8, 1.2))  # noqa: S311
        try:
            await call()
            failing = ""
        except Exception as error:
            kind = type(error).__name__
            if kind != failing:
                log.error("recurring work fails; it is tried again", extra={"kind": kind, "frames": places(error)})
            failing = kind
