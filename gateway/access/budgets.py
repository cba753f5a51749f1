"""How much a caller may ask for: by cost, not by request, and by all gateways together.

Each gateway counts by itself and settles in the shared database when a caller has used a slice of its budget, so most
requests write nothing.  What a caller can get beyond its budget is at most one slice per gateway.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from gateway.access.entrance import Entrance
from gateway.access.rights import Rights, Viewer
from gateway.domain.messages import Code, Refused, refuse

SLICES = 20
"""A slice is this part of the budget of a minute."""
CALLERS = 10_000
"""Callers that one gateway counts at a time; the one silent longest is forgotten first."""
REQUEST = 100
"""What a request costs that is not measured, or refused before it was."""
MESSAGE = 500
"""What a message in a department's own format costs, and a file, as a change of the schema does."""
Draw = Callable[[str, float, float], Awaitable[float]]
"""Takes units of a caller's budget per minute in the shared database; returns what is left of it."""


@dataclass(slots=True)
class _Account:
    used: float = 0.0
    """Not settled yet."""
    until: float = 0.0
    """Refused until then, by the clock of ``Budgets``."""


@dataclass(slots=True)
class Budgets:
    """``on``: whether anything is counted at all."""

    rights: Rights
    draw: Draw
    on: bool
    clock: Callable[[], float] = time.monotonic
    _accounts: OrderedDict[str, _Account] = field(default_factory=OrderedDict)

    async def charge(self, viewer: Viewer | None, address: str, cost: float = REQUEST) -> None:
        """Raises ``Refused`` (TOO_MANY_REQUESTS) when the budget of the caller is used up.

        ``address``: who nobody is told from nobody by; empty: not counted.
        """
        if not self.on:
            return
        role = self.rights.roles.get(viewer.role) if viewer is not None else None
        if viewer is not None and role is not None:
            caller, budget = f"{viewer.role}|{viewer.department or ''}|{viewer.subject}", role.budget_per_min
        elif address:
            caller, budget, cost = f"address|{address}", self.rights.budget_per_min, REQUEST
        else:
            return
        account = self._account(caller)
        if (left_s := account.until - self.clock()) > 0:
            raise self._refusal(left_s)
        account.used += cost
        if account.used < budget / SLICES:
            return
        units, account.used = account.used, 0.0
        left = await self.draw(caller, units, budget)
        if left < 0:
            wait_s = -left / (budget / 60)
            account.until = self.clock() + wait_s
            raise self._refusal(wait_s)

    async def entered(self, entrance: Entrance, request: Request, cost: float = REQUEST) -> Viewer | None:
        """Who asks, and the cost is charged; None for a request that brings nothing.

        Raises ``Refused``: as ``Entrance.viewer``, which costs the address, and TOO_MANY_REQUESTS.
        """
        address = entrance.address(request)
        try:
            viewer = await entrance.viewer(request)
        except Refused:
            await self.charge(None, address)
            raise
        await self.charge(viewer, address, cost)
        return viewer

    def _account(self, caller: str) -> _Account:
        account = self._accounts.setdefault(caller, _Account())
        self._accounts.move_to_end(caller)
        if len(self._accounts) > CALLERS:
            self._accounts.popitem(last=False)
        return account

    def _refusal(self, wait_s: float) -> Refused:
        words = {"contact": self.rights.contact, "contact_en": self.rights.contact_en}
        return refuse(Code.TOO_MANY_REQUESTS, None, "HZ-816", seconds=str(max(1, math.ceil(wait_s))), **words)
