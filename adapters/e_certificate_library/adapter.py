"""The library: who these persons are, and which papers it holds of them, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import uuid4

from adapters.e_certificate_library import wire
from adapters.kit.http import HttpChannel
from gateway.domain.department import EvidenceSource, Holding

PATH = "/elicense/v2/holders/match"
JSON = "application/json;charset=UTF-8"
MOST = 100
"""Holders the library matches in one call."""


class ECertificateLibrary:
    """共享电子证照库: every question is signed and names its purpose (用证事由)."""

    def __init__(self, channel: HttpChannel, secret: str) -> None:
        self.channel = channel
        self.secret = secret

    async def look_up(self, id_numbers: Sequence[str]) -> Mapping[str, Holding]:
        asked = {number.upper(): number for number in id_numbers}
        found: dict[str, Holding] = {}
        numbers = list(asked)
        for start in range(0, len(numbers), MOST):
            body = wire.question(numbers[start : start + MOST])
            signed = wire.headers(body, uuid4().hex, datetime.now(UTC), self.secret)
            held = wire.holdings(await self.channel.post(PATH, body, JSON, **signed))
            found |= {asked[number]: holding for number, holding in held.items() if number in asked}
        return found

    async def close(self) -> None:
        await self.channel.close()


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> EvidenceSource:
    """``secret`` signs every question; without the right one the library answers none."""
    return ECertificateLibrary(HttpChannel(address, timeout_s), credentials.get("secret", ""))
