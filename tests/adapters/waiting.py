"""Waiting for a department without sleeping for a fixed time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(probe: Callable[[], Awaitable[T | None]], within_s: float = 5.0) -> T:
    """The first truthy answer of ``probe``; AssertionError when none comes in time.  Its exceptions pass."""
    until = time.monotonic() + within_s
    while True:
        found = await probe()
        if found:
            return found
        assert time.monotonic() < until, f"nothing came within {within_s:g} s"
        await asyncio.sleep(0.03)
