"""Civil affairs: books funerals, reads cremations, and says where the reward for an ecological burial goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from adapters.civil_affairs import codes, wire
from adapters.kit.http import HttpChannel
from gateway.domain.department import (
    Application,
    Callback,
    Department,
    DepartmentRejected,
    PaymentInstruction,
    Receipt,
    Record,
)

APPLICATIONS = "/api/v1/applications"
JSON = "application/json"
MOST = 500
"""Records the system gives in one call."""


class CivilAffairs:
    """殡葬管理信息系统: an application is a resource whose number the sender chooses, so PUT twice is PUT once."""

    def __init__(self, channel: HttpChannel) -> None:
        self.channel = channel

    async def submit(self, application: Application) -> Receipt:
        if application.item not in codes.BUSINESS:
            raise DepartmentRejected(f"civil-affairs does not take {application.item}")
        path = f"{APPLICATIONS}/{application.key}"
        return wire.receipt(await self.channel.put(path, wire.submission(application), JSON))

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(keys), MOST):
            asked = keys[start : start + MOST]
            answer = wire.records(await self.channel.post(f"{APPLICATIONS}/search", wire.search(asked), JSON))
            found |= {record.key: record for record in answer if record.key in asked}
        return found

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        if instruction.kind not in codes.GRANTS.values():
            raise DepartmentRejected(f"civil-affairs does not pay {instruction.kind}")
        path = f"{APPLICATIONS}/{instruction.application_key}/grants/{quote(instruction.serial, safe='')}/account"
        return wire.instructed(await self.channel.put(path, wire.account(instruction), JSON))

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        return wire.event(body)

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return wire.acknowledgement(error), JSON

    async def close(self) -> None:
        await self.channel.close()


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Department:
    """The system is reached over the bureau's own network: it asks for no credentials."""
    return CivilAffairs(HttpChannel(address, timeout_s))
