"""What is kept of messages that are not told to a department: polls, and what departments send."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.domain.case import REVERSAL, split_key
from gateway.domain.exchange import Direction, Exchange, MessageKind
from gateway.services.context import Ctx
from gateway.store import messages
from gateway.store.messages import Item


def polled(ctx: Ctx, code: str, exchange: Exchange, fresh: Sequence[str] = (), failed: bool = False) -> None:
    """A department was asked; ``fresh``: keys of the applications of which it had something new."""
    if not fresh:
        messages.count_poll(ctx.tx, code, ctx.now, failed)
        return
    id = messages.begin(ctx.tx, ctx.now, code, MessageKind.READ, items=items(fresh))
    messages.finish(ctx.tx, id, exchange, ctx.now)


def received(ctx: Ctx, code: str, kind: MessageKind, body: bytes) -> str:
    """A department's message came in: kept before it is understood.  Returns its id."""
    return messages.begin(ctx.tx, ctx.now, code, kind, direction=Direction.INWARD, request=body)


def answered(ctx: Ctx, id: str, answer: bytes, code: str, about: Iterable[Item] = ()) -> None:
    """What was answered to it, and which items it was about."""
    messages.answer(ctx.tx, id, answer, ctx.now, code, about)


def items(keys: Iterable[str]) -> list[Item]:
    """Case number and item slug of application keys; a reversal belongs to its item."""
    found = (split_key(key) for key in keys)
    return list(dict.fromkeys((number, slug.removesuffix(REVERSAL)) for number, slug in found))
