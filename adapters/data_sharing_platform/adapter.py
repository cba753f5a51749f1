"""The sharing platform: a token, then death and cremation data of many persons in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from adapters.data_sharing_platform import wire
from adapters.kit.http import HttpChannel
from gateway.domain.department import DepartmentRejected, EvidenceSource, Holding

PATH = "/dsp/services/ResourceService"
XML = "text/xml;charset=UTF-8"
MOST = 200
"""Persons the platform looks up in one call."""


class DataSharingPlatform:
    """政务数据资源共享平台.  The token is kept until the platform does not know it any more."""

    def __init__(self, channel: HttpChannel, secret: str) -> None:
        self.channel = channel
        self.secret = secret
        self.token: str | None = None

    async def look_up(self, id_numbers: Sequence[str]) -> Mapping[str, Holding]:
        asked = {number.upper(): number for number in id_numbers}
        found: dict[str, Holding] = {}
        numbers = list(asked)
        for start in range(0, len(numbers), MOST):
            held = wire.holdings(await self._query(numbers[start : start + MOST]))
            found |= {asked[number]: holding for number, holding in held.items() if number in asked}
        return found

    async def close(self) -> None:
        await self.channel.close()

    async def _query(self, numbers: Sequence[str]) -> bytes:
        answer = await self._ask(numbers, self.token or await self._new_token())
        return await self._ask(numbers, await self._new_token()) if wire.stale(answer) else answer

    async def _ask(self, numbers: Sequence[str], token: str) -> bytes:
        try:
            message = wire.query(numbers, token)
        except ValueError:
            raise DepartmentRejected("a character of an ID number does not exist in XML") from None
        return await self.channel.post(PATH, message, XML)

    async def _new_token(self) -> str:
        self.token = wire.token(await self.channel.post(PATH, wire.token_request(datetime.now(UTC), self.secret), XML))
        return self.token


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> EvidenceSource:
    """``secret``: the application's; without the right one the platform gives no token."""
    return DataSharingPlatform(HttpChannel(address, timeout_s), credentials.get("secret", ""))
