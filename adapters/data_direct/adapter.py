"""The hub: tells each item to the node of its department, reads and takes what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from adapters.data_direct import codes, wire
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

PATH = "/zhida/exchange"
JSON = "application/json;charset=UTF-8"
MOST = 500
"""Results the hub gives in one call."""


class DataDirect:
    """省政务数据直达系统: one address; the header tells which node is meant, the signature who asks."""

    def __init__(self, channel: HttpChannel, secret: str) -> None:
        self.channel = channel
        self.secret = secret

    async def submit(self, application: Application) -> Receipt:
        resource = codes.RESOURCES.get(application.item)
        if resource is None:
            raise DepartmentRejected("data-direct publishes no resource for this item")
        target = codes.NODES.get(application.department) if application.department else resource.node
        if target is None:
            raise DepartmentRejected("data-direct has no node for this department")
        if application.business_types:
            raise DepartmentRejected("data-direct knows no business types within an item")
        answer = await self._ask(wire.submission(application, resource, target))
        return wire.receipt(answer, application.key)

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(keys), MOST):
            asked = keys[start : start + MOST]
            answer = wire.records(await self._ask(wire.enquiry(asked)))
            found |= {record.key: record for record in answer if record.key in asked}
        return found

    async def instruct(self, instruction: PaymentInstruction) -> Receipt:
        payers = {kind: (code, node) for code, (kind, node) in codes.SUMS.items() if kind != codes.DEPOSIT}
        if instruction.kind not in payers:
            raise DepartmentRejected(f"data-direct tells nobody an account for {instruction.kind}")
        return wire.ordered(await self._ask(wire.order(instruction, *payers[instruction.kind])))

    def translate(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        return wire.back_flow(body, self.secret)

    def acknowledge(self, error: str | None) -> tuple[bytes, str]:
        return wire.acknowledgement(error), JSON

    async def close(self) -> None:
        await self.channel.close()

    async def _ask(self, letter: wire.Letter) -> dict[str, Any]:
        request_id = uuid4().hex
        body = wire.envelope(letter, request_id, datetime.now(UTC), self.secret)
        return wire.opened(await self.channel.post(PATH, body, JSON), request_id, self.secret)


def connect(address: str, timeout_s: float, credentials: Mapping[str, str]) -> Department:
    """``secret`` signs every message; without the right one the hub takes none."""
    return DataDirect(HttpChannel(address, timeout_s), credentials.get("secret", ""))
