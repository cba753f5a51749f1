"""Whether the present state is what the ledger says: bodies, files, and every row that lists and rights go by.

Only looks; what can be healed is healed by the repair sweep.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cryptography.exceptions import InvalidTag

from gateway.domain import events as e
from gateway.domain import shared
from gateway.domain.fold import fold
from gateway.services import seen
from gateway.services.context import CaseWork, Ctx
from gateway.store import derived, ledger, looks, uploads
from gateway.store.ledger import Entry
from gateway.store.looks import NOTHING, Look


def faults(ctx: Ctx, number: str) -> list[str]:
    """Checks the chain of a case or a shared record, and its present state.  Returns what is wrong, without values."""
    wrong = ledger.verify(ctx.tx, number)
    if wrong:
        return wrong  # it cannot be folded
    try:
        return [f"{number}: {what} is not what the ledger says" for what in differing(ctx, number)]
    except (InvalidTag, AttributeError, LookupError, ValueError, zlib.error) as error:
        return [f"{number}: the present state cannot be opened, or the ledger not folded ({type(error).__name__})"]


def differing(ctx: Ctx, number: str) -> Iterator[str]:
    """What of the present state differs from the fold of the ledger."""
    entries = ledger.entries(ctx.tx, [number])[number]
    history = [(entry.at, entry.event) for entry in entries]
    if derived.kind(ctx.tx, number) == "shared":
        if not derived.same_record(ctx.tx, shared.fold(history), entries[-1]):
            yield "the shared record"
        return
    case = fold(history)
    if not derived.same_state(ctx.tx, case):
        yield "the body of the case"
    # When somebody is to look at it next is a plan and no evidence: the repair sweep sees to it.
    work = CaseWork(ctx, case)
    for table in derived.differing(ctx.tx, case, entries[-1], work.rows(), None):
        yield f"the table {table}"
    for one in uploads.altered(ctx.tx, case):
        yield f"the file {one}"
    if seen.altered(ctx, number):
        yield "what departments' messages were answered"
    if _looked_further(ctx, work, entries):
        yield "for whom masks are lifted, or looks are noted,"


def _looked_further(ctx: Ctx, work: CaseWork, entries: Sequence[Entry]) -> bool:
    """Whether somebody may look further than the case's entries say; what is forgotten lets nobody look."""
    said: dict[str, Look] = {}
    for entry in entries:
        subject, event = entry.actor.subject, entry.event
        look = said.get(subject, NOTHING)
        if isinstance(event, e.Looked):
            said[subject] = replace(look, noted_until=work.calendar.end_of(work.calendar.local_date(entry.at)))
        elif isinstance(event, e.Revealed):
            said[subject] = replace(look, lifted=frozenset(event.fields), lifted_until=event.until, reason=event.code)
    for subject, look in said.items():
        kept = looks.of(ctx.tx, subject, [work.case.number]).get(work.case.number, NOTHING)
        noted = kept.noted_until in (None, look.noted_until)
        lifted = (kept.lifted, kept.lifted_until, kept.reason)
        if not noted or lifted not in ((frozenset(), None, None), (look.lifted, look.lifted_until, look.reason)):
            return True
    return False
