"""Links to departments' systems: broken ones are left alone, probed, and get their backlog when they are back.

Whatever is kept back stays PENDING in its case and uses up no attempt.  That something was kept back stands in the
link, in the transaction that kept it back, so it is released also when the gateway that kept it back is gone.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.domain.case import REVERSAL, submission_key
from gateway.domain.link import Link, LinkState
from gateway.domain.messages import Code, refuse
from gateway.services import dispatch, reversal
from gateway.services.context import Ctx
from gateway.store import links as store
from gateway.store.links import Waiting
from gateway.store.session import Work

PAGE = 200
CANDIDATES = 50
"""A probe is one of so many that wait: an application that cannot be taken does not keep the others back."""


def open_to(ctx: Ctx, code: str, key: str) -> bool:
    """Whether what stands under this key may be sent now; if not, it is noted that something was kept back."""
    found = store.get(ctx.tx, code)
    if found.open_to(key, ctx.now) and not ctx.outward.in_maintenance(code, ctx.now):
        return True
    store.save(ctx.tx, replace(store.get_to_change(ctx.tx, code), parked_at=ctx.now))
    return False


def in_pause(ctx: Ctx, code: str) -> bool:
    """Whether the system is not to be called at all: a pause, or its maintenance."""
    return store.get(ctx.tx, code).paused(ctx.now) or ctx.outward.in_maintenance(code, ctx.now)


def kept_back(ctx: Ctx, code: str) -> bool:
    """Whether what is to be sent through a system may be waiting for it, instead of standing in a queue."""
    found = store.get(ctx.tx, code)
    return found.state is not LinkState.UP or found.parked_at is not None or in_pause(ctx, code)


def succeeded(ctx: Ctx, code: str) -> None:
    """A call got a usable answer."""
    found = store.get(ctx.tx, code)
    if found.state is not LinkState.UP or found.failures or found.rejections:
        store.save(ctx.tx, store.get_to_change(ctx.tx, code).succeeded(ctx.now))


def failed(ctx: Ctx, code: str, error: str, rejected: bool) -> bool:
    """A call got no usable answer, or a business fault.  Returns whether it counts as an attempt of what was sent:
    a probe does not."""
    found = store.get_to_change(ctx.tx, code)
    after = found.failed(ctx.now, error, rejected, ctx.outward.breaker)
    charged = found.state is LinkState.UP
    store.save(ctx.tx, after if charged else replace(after, parked_at=ctx.now))
    return charged


# ── recurring work ──────────────────────────────────────────────────────────────────────────────────────


def unwell(ctx: Ctx) -> list[str]:
    """Codes of the links that need looking after."""
    return [
        found.code
        for found in store.all_(ctx.tx).values()
        if found.state is not LinkState.UP or found.parked_at is not None
    ]


def probe(ctx: Ctx, code: str) -> bool:
    """Sends out a probe if one is due.  Returns whether one went out."""
    found = store.get_to_change(ctx.tx, code)
    if not found.probe_due(ctx.now, ctx.outward.breaker) or ctx.outward.in_maintenance(code, ctx.now):
        return False
    candidates = next(store.waiting(ctx.tx, code, CANDIDATES), [])
    if not candidates:
        store.save(ctx.tx, found.succeeded(ctx.now))  # nothing to protect: what comes next finds out
        return False
    chosen = random.choice(candidates)  # noqa: S311
    store.save(ctx.tx, found.probing(_key(ctx, chosen), ctx.now))
    ctx.tx.enqueue(_work(chosen, code, f"probe.{uuid.uuid4().hex[:12]}"))
    return True


def releasable(ctx: Ctx, code: str) -> Link | None:
    """The link, when it is up and something was kept back for it."""
    found = store.get(ctx.tx, code)
    up = found.state is LinkState.UP and not found.paused(ctx.now)
    return found if up and found.parked_at is not None and not ctx.outward.in_maintenance(code, ctx.now) else None


def release(ctx: Ctx, code: str, waiting: Sequence[Waiting], turn: str) -> None:
    """Queues what waits; the queue lets it flow at the department's own rate."""
    for one in waiting:
        ctx.tx.enqueue(_work(one, code, turn))


def released(ctx: Ctx, code: str, parked_at: datetime | None) -> None:
    """Everything that had been kept back until ``parked_at`` is queued."""
    found = store.get_to_change(ctx.tx, code)
    if found.parked_at == parked_at:
        store.save(ctx.tx, replace(found, parked_at=None))


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Watched:
    """A link with how much waits for it, and how much was given up."""

    link: Link
    waiting: int
    given_up: int


def watch(ctx: Ctx) -> list[Watched]:
    """Every connected system."""
    known = store.all_(ctx.tx)
    return [
        Watched(known.get(code, Link(code)), store.count(ctx.tx, code), store.count(ctx.tx, code, "FAILED"))
        for code in sorted(ctx.outward.connected)
    ]


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────


def pause(ctx: Ctx, code: str, until: datetime, reason: str) -> Link:
    """Nothing is sent until then.  Raises ``Refused``: no such system, a time that is over."""
    _must_be_connected(ctx, code)
    if until <= ctx.now:
        words = {"label": "暂停至", "path": "until", "detail": "应晚于当前时间", "detail_en": "it is over already"}
        raise refuse(Code.FIELD_INVALID, "until", **words)
    changed = replace(store.get_to_change(ctx.tx, code), paused_until=until, pause_reason=reason, parked_at=ctx.now)
    store.save(ctx.tx, changed)
    return changed


def resume(ctx: Ctx, code: str) -> Link:
    """Ends a pause, and an outage that is known to be over: what waits flows at once."""
    _must_be_connected(ctx, code)
    found = store.get_to_change(ctx.tx, code).succeeded(ctx.now)
    changed = replace(found, paused_until=None, pause_reason=None, parked_at=ctx.now)
    store.save(ctx.tx, changed)
    return changed


def redrive(ctx: Ctx, code: str, areas: Sequence[str] | None, limit: int) -> int:
    """Drives again what was given up for a system, in cases of these areas (code prefixes; None: all).

    At most ``limit`` in one transaction; returns how many, 0: there is nothing left.
    Raises ``Refused``: no such system.
    """
    _must_be_connected(ctx, code)
    driven = 0
    for page in store.given_up(ctx.tx, code, areas, limit):
        for one in page:
            driven += _redrive(ctx, one)
            if driven >= limit:
                return driven
    return driven


def _redrive(ctx: Ctx, one: Waiting) -> bool:
    if one.name == "instruct":
        return dispatch.redrive_instruction(ctx, one.number, one.what)
    slug = one.what.removesuffix(REVERSAL)
    if slug != one.what:
        reversal.redrive(ctx, one.number, slug)
        return True
    if dispatch.is_over(ctx.case(one.number).case.items[slug]):
        return False
    dispatch.redrive(ctx, one.number, slug)
    return True


def _must_be_connected(ctx: Ctx, code: str) -> None:
    if code not in ctx.outward.connected:
        words = {"label": "部门", "path": "department", "value": code}
        raise refuse(Code.OPTION_UNKNOWN, "department", options="、".join(sorted(ctx.outward.connected)), **words)


def _work(one: Waiting, code: str, turn: str) -> Work:
    about = submission_key(one.number, one.what) if one.name == "deliver" else f"{one.number}:{one.what}"
    return Work(one.name, f"{one.name}:{about}:{turn}", code, (one.number, one.what))


def _key(ctx: Ctx, one: Waiting) -> str:
    """The idempotency key under which it is sent."""
    if one.name == "deliver":
        return submission_key(one.number, one.what)
    instruction = dispatch.instruction(ctx, one.number, one.what)
    return instruction.key if instruction is not None else ""
