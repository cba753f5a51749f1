"""The door as a gateway has it, and the schema behind it, without HTTP: for the tests of rights."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from strawberry.federation import Schema

from gateway.access import rights as access
from gateway.access.rights import EVERYWHERE, Rights, Viewer
from gateway.access.seals import Seals
from gateway.desk import Clock, Desk
from gateway.services.live_records import LiveRecords
from schema.build import build
from schema.context import Context
from schema.http import formatted
from tests.builders import World

ADDRESS = "192.0.2.7"
"""Where everybody asks from (RFC 5737)."""
DEPARTMENT = "public-security"
"""Of specialists and systems, unless a test says otherwise."""


@dataclass(slots=True)
class Standing(Clock):
    """A clock that does not go."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.at

    def move_to(self, moment: datetime) -> None:
        self.at = moment


def desk_of(world: World, rights: Rights | None = None) -> Desk:
    """With threads of its own; a clash with another writer is run again.  Its clock stands where the world's does."""
    database, clock = world.database, Standing(at=world.now)
    return Desk(
        database=database,
        book=world.policies,
        rights=rights or access.load(),
        outward=world.outward,
        live=LiveRecords(database, {}, {}, clock.now),
        clock=clock,
        sandbox=True,
        seals=Seals.from_seed(b"s" * 32),
    )


def viewer(role: str, **changes: Any) -> Viewer:
    """Somebody of this role, everywhere."""
    known = access.load().roles.get(role)
    department = DEPARTMENT if known is not None and known.cases == "DEPARTMENT" else None
    return Viewer(
        **{"role": role, "area": EVERYWHERE, "name": role, "subject": role, "department": department} | changes
    )


async def ask(
    desk: Desk, who: Viewer | None, query: str, schema: Schema | None = None, **variables: Any
) -> dict[str, Any]:
    """The answer as a client gets it: ``data``, and ``errors`` with their codes."""
    context = Context(desk, who, origin=ADDRESS)
    done = await (schema or build()).execute(query, variables, context_value=context)
    return {"data": done.data, "errors": [formatted(error) for error in done.errors or ()]}


def codes(answer: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer["errors"]]
