"""Social assistance's system: one session per adapter, renewed once when the department says it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from adapters.kit.http import HttpChannel
from gateway.domain.department import (
    Application,
    Callback,
    Department,
    DepartmentRejected,
    DepartmentUnavailable,
    PaymentInstruction,
    Receipt,
    Record,
)
from gateway.domain.exchange import unrecorded

from . import wire

JSON = "application/json; charset=utf-8"
MAX_KEYS = 500
"""流水号 in one query."""
T = TypeVar("T")


class SocialAssistance:
    """``user`` and ``password``: our account in the department's system."""

    def __init__(self, channel: HttpChannel, user: str, password: str) -> None:
        self._channel, self._user, self._password = channel, user, password
        self._session: str | None = None
        self._login = asyncio.Lock()

    async def submit(self, application: Application) -> Receipt:
        record = await self._ask("/jiuzhu/shenbao", wire.registration(application), wire.receipt)
        return Receipt(record.outcome, record.reference, record.raw_code, record.raw_message)

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(keys), MAX_KEYS):
            asked = wire.query(keys[start : start + MAX_KEYS])
            found |= await self._ask("/jiuzhu/chaxun", asked, wire.records)
        return {key: found[key] for key in keys if key in found}

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        raise DepartmentRejected("social assistance pays nothing and takes no instruction")

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        raise DepartmentRejected("social assistance does not send messages")

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return b"", "text/plain"

    async def close(self) -> None:
        await self._channel.close()

    async def _ask(self, path: str, body: bytes, read: Callable[[bytes], T]) -> T:
        """Asks, and once more with a new session when the one at hand is over; the time limit covers it all."""
        try:
            async with asyncio.timeout(self._channel.timeout_s):
                session = await self._logged_in(None)
                try:
                    return read(await self._channel.post(path, body, JSON, **{"X-Session": session}))
                except wire.SessionOver:
                    session = await self._logged_in(session)
                return read(await self._channel.post(path, body, JSON, **{"X-Session": session}))
        except wire.SessionOver:
            raise DepartmentUnavailable("the department ends every session at once (会话失效)") from None
        except TimeoutError as error:
            raise DepartmentUnavailable(f"no answer within {self._channel.timeout_s:g} s") from error

    async def _logged_in(self, over: str | None) -> str:
        """The session at hand unless it is ``over``; many callers at once make one login."""
        async with self._login:
            if self._session is None or self._session == over:
                with unrecorded():
                    answer = await self._channel.post("/login", wire.login(self._user, self._password), JSON)
                self._session = wire.session(answer)
            return self._session


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Department:
    """``address``: ``http://host:port``.  ``credentials``: ``user`` (default ``lianban``) and ``secret``."""
    channel = HttpChannel(address, timeout_s)
    return SocialAssistance(channel, credentials.get("user", "lianban"), credentials.get("secret", ""))
