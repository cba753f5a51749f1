"""Whether the present state is what the ledger says: bodies, and every row that lists and rights go by.

Only looks; what can be healed is healed by the repair sweep.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag

from gateway.domain import shared
from gateway.domain.fold import fold
from gateway.services.context import CaseWork, Ctx
from gateway.store import derived, ledger


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
    for table in derived.differing(ctx.tx, case, entries[-1], CaseWork(ctx, case).rows(), None):
        yield f"the table {table}"
