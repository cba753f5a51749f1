"""What a request carries through the schema: who asks, the desk, and loaders that live as long as the request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import strawberry
from strawberry.dataloader import DataLoader

from gateway.access.asking import NOTHING, Asking
from gateway.access.rights import Viewer, allow, allow_schema, deny
from gateway.desk import Desk
from gateway.domain.case import Case
from gateway.domain.link import Link
from gateway.domain.messages import Refused
from gateway.services.live_records import LiveRecord
from gateway.store import cases, links, messages
from gateway.store.cases import Entry
from gateway.store.messages import Message


@dataclass
class Context:
    """One request."""

    desk: Desk
    viewer: Viewer | None
    case_loader: DataLoader[str, Case | None] = field(init=False)
    ledger_loader: DataLoader[str, list[Entry]] = field(init=False)
    live_loader: DataLoader[tuple[str, str], LiveRecord] = field(init=False)
    link_loader: DataLoader[str, Link] = field(init=False)
    message_loader: DataLoader[tuple[str, str, int], list[Message]] = field(init=False)
    message: str | None = None
    """Id under which the request is kept, when it may be a department's write-back."""
    about: list[tuple[str, str]] = field(default_factory=list)
    """Case number and slug of the items it reports on."""
    charged: bool = False
    """Whether the operation was charged to the viewer."""
    origin: str | None = None
    """The client's network address."""
    asking: Asking = NOTHING
    """What the operation asks of cases; known as soon as it is executed."""

    def __post_init__(self) -> None:
        self.case_loader = DataLoader(load_fn=self._cases)
        self.ledger_loader = DataLoader(load_fn=self._ledgers)
        self.live_loader = DataLoader(load_fn=self._live)
        self.link_loader = DataLoader(load_fn=self._links)
        self.message_loader = DataLoader(load_fn=self._messages)

    def known_viewer(self) -> Viewer:
        """Raises ``Refused`` (UNAUTHENTICATED)."""
        if self.viewer is None:
            raise deny(self.desk.rights)
        return self.viewer

    def allow(self, operation: str) -> Viewer:
        """Raises ``Refused`` (UNAUTHENTICATED, FORBIDDEN)."""
        return allow(self.desk.rights, self.viewer, operation)

    def allow_schema(self, operation: str) -> Viewer:
        """Raises ``Refused`` (UNAUTHENTICATED, FORBIDDEN) for a viewer who may not ask about the schema itself."""
        return allow_schema(self.desk.rights, self.viewer, operation)

    async def _cases(self, numbers: Sequence[str]) -> Sequence[Case | None]:
        return await self.desk.cases(self.known_viewer(), numbers, self.asking)

    async def _ledgers(self, numbers: Sequence[str]) -> Sequence[list[Entry]]:
        found = await self.desk.look(self.viewer, lambda ctx: cases.entries(ctx.tx, numbers))
        return [found[number] for number in numbers]

    async def _links(self, codes: Sequence[str]) -> Sequence[Link]:
        found = await self.desk.look(self.viewer, lambda ctx: links.all_(ctx.tx))
        return [found.get(code, Link(code)) for code in codes]

    async def _live(self, wanted: Sequence[tuple[str, str]]) -> Sequence[LiveRecord | Refused]:
        return await self.desk.live_records(wanted)

    async def _messages(self, wanted: Sequence[tuple[str, str, int]]) -> Sequence[list[Message]]:
        items = [(number, slug) for number, slug, _ in wanted]
        most = max(first for *_, first in wanted)
        found = await self.desk.look(self.viewer, lambda ctx: messages.of_items(ctx.tx, items, most))
        return [found[number, slug][:first] for number, slug, first in wanted]


Info = strawberry.Info[Context, None]
