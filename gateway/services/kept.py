"""What is kept of messages that are not told to a department: polls, and what departments send."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from gateway.domain.case import REVERSAL, split_key
from gateway.domain.exchange import Direction, Exchange, MessageKind
from gateway.services.context import Ctx
from gateway.store import messages
from gateway.store import tables as t
from gateway.store.messages import Item


def read(ctx: Ctx, code: str, exchange: Exchange, fresh: Sequence[str]) -> None:
    """A department was asked; ``fresh``: keys of the applications of which it had something new."""
    id = messages.begin(ctx.tx, ctx.now, code, MessageKind.READ, items=_existing(ctx, items(fresh)))
    messages.finish(ctx.tx, id, exchange, ctx.now)


def polled(ctx: Ctx, code: str, unchanged: int, failed: int) -> None:
    """A department was asked so often without having anything new, or without answering."""
    messages.count_polls(ctx.tx, code, ctx.now, unchanged, failed)


def received(ctx: Ctx, code: str, kind: MessageKind, body: bytes) -> str:
    """A department's message came in: kept before it is understood.  Returns its id."""
    return messages.begin(ctx.tx, ctx.now, code, kind, direction=Direction.INWARD, request=body)


def answered(ctx: Ctx, id: str, answer: bytes, code: str, about: Iterable[Item] = ()) -> None:
    """What was answered to it, and which items it was about."""
    messages.answer(ctx.tx, id, answer, ctx.now, code, _existing(ctx, list(about)))


def items(keys: Iterable[str]) -> list[Item]:
    """Case number and item slug of application keys; a reversal belongs to its item."""
    found = (split_key(key) for key in keys)
    return list(dict.fromkeys((number, slug.removesuffix(REVERSAL)) for number, slug in found))


def _existing(ctx: Ctx, about: Sequence[Item]) -> list[Item]:
    """What a department calls a key may be anything, an ID number even: only what is an item here is written down."""
    c = t.items.c
    numbers = [number for number, _ in about]
    rows = ctx.tx.connection.execute(select(c.number, c.slug).where(c.number.in_(numbers)))
    known = {(row.number, row.slug) for row in rows}
    return [item for item in about if item in known]
