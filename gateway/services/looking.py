"""Looking into a case: the entry the family reads, and masks that are lifted for a reason (PD-15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from gateway.domain import events as e
from gateway.domain.case import Case
from gateway.services.context import Ctx
from gateway.store import looks
from gateway.store.looks import NOTHING, Look

AT_ONCE = 20
"""Cases noted in one transaction, when a list shows many."""


@dataclass(frozen=True, slots=True)
class Looking:
    """What somebody sees of personal data, as the table of rights has it.  ``reason``: the standing one of the role."""

    fields: tuple[str, ...]
    masked: tuple[str, ...]
    reason: str
    origin: str | None = None


def note(ctx: Ctx, numbers: Sequence[str], looking: Looking) -> None:
    """Notes the first look of this person on this day in each case that has none yet."""
    for number in sorted(numbers):
        work = ctx.case(number)
        look = looks.of(ctx.tx, ctx.actor.subject, [number]).get(number, NOTHING)
        if look.noted(ctx.now):
            continue
        work.record(e.Looked(looking.fields, looking.masked, looking.reason, looking.origin))
        work.save(settle=False)
        tomorrow = work.calendar.end_of(work.calendar.local_date(ctx.now))
        looks.keep(ctx.tx, ctx.actor.subject, number, replace(look, noted_until=tomorrow), ctx.now)


@dataclass(frozen=True, slots=True)
class Lifting:
    """``fields``: kinds of personal data; ``code``: of the table of reasons, ``reason`` in words; until in so many
    ``minutes``."""

    fields: frozenset[str]
    code: str
    reason: str
    minutes: int
    origin: str | None = None


def reveal(ctx: Ctx, number: str, lifting: Lifting) -> tuple[Case, Look]:
    """Lifts masks for this person, and says so in the case; what is lifted already stays so as long."""
    work, subject = ctx.case(number), ctx.actor.subject
    before = looks.of(ctx.tx, subject, [number]).get(number, NOTHING)
    lifted, until = before.shows(ctx.now) | lifting.fields, ctx.now + timedelta(minutes=lifting.minutes)
    work.record(e.Revealed(tuple(sorted(lifted)), lifting.code, lifting.reason, until, lifting.origin))
    look = replace(before, lifted=lifted, lifted_until=until, reason=lifting.code)
    looks.keep(ctx.tx, subject, number, look, ctx.now)
    return work.save(settle=False), look
