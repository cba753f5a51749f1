"""A world whose history stands in checkpoints, for the tests of checkpoints and of exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from gateway.access.seals import Seals
from gateway.domain.exchange import Exchange, MessageKind, recording, sending
from gateway.services import case_care
from gateway.store import checkpoints, messages
from tests.builders import DAUGHTER, SHEN_LIJUAN, World, hz_deceased, hz_form

OURS = Seals.from_seed(b"1" * 32)
THEIRS = Seals.from_seed(b"2" * 32)
KEYS = [OURS.public_key()]
Tampering = Callable[[Connection, str], Any]


def keep(world: World) -> int:
    return checkpoints.keep(world.database, lambda: world.now, OURS.statement)


def wrong(world: World, known: tuple[int, str] | None = None) -> list[str]:
    with world.database.read() as tx:
        return checkpoints.verify(tx, KEYS, known)


def note(world: World, text: str = "记") -> None:
    with world.acting(DAUGHTER) as ctx:
        case_care.note(ctx, world.number, "FOLLOW_UP", text)


def told(world: World, finished: bool = True) -> str:
    """A message to the police."""
    item = (world.number, "hukou-deregistration")
    with world.database.write() as tx:
        id = messages.begin(tx, world.now, "public-security", MessageKind.SUBMIT, key=".".join(item), items=[item])
    with recording(Exchange()) as exchange:
        sending("POST /gafw", "沈福根".encode()).received(b"OK", "200")
    if finished:
        with world.database.write() as tx:
            messages.finish(tx, id, exchange, world.now)
    return id


def kept_in(world: World) -> World:
    """Two cases, a message, three checkpoints; the case that is not spoken of has a note no checkpoint has seen."""
    other = world.submit(hz_form(deceased=hz_deceased(id_number=SHEN_LIJUAN))).number
    keep(world)
    world.until_cremation()
    told(world)
    keep(world)
    note(world)
    keep(world)
    with world.acting(DAUGHTER) as ctx:
        case_care.note(ctx, other, "FOLLOW_UP", "后")
    return world
