"""Sending: the transactions before and after a call to a department's system.

The one before commits that the message goes out.  Whoever finds a message begun and nothing recorded of it, because a
gateway died or an answer was lost, asks the department what it holds before telling it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.domain.case import REVERSAL, split_key
from gateway.domain.department import Application, DepartmentError, DepartmentRejected, PaymentInstruction, Receipt
from gateway.domain.exchange import Exchange, MessageKind
from gateway.services import dispatch, links, reversal
from gateway.services.context import Ctx
from gateway.store import messages
from gateway.store.links import system_of


@dataclass(frozen=True, slots=True)
class Sending:
    """Something that goes out now."""

    number: str
    slug: str
    key: str
    code: str
    """The system it goes into."""
    told_before: bool
    """Whether telling the department this was begun before, however that ended."""
    message: str
    """Id of the message it is kept as."""


@dataclass(frozen=True, slots=True)
class Push(Sending):
    """An application, or (``undoes``) its reversal."""

    application: Application
    undoes: bool


@dataclass(frozen=True, slots=True)
class Instruction(Sending):
    """The account one sum is to be paid to."""

    instruction: PaymentInstruction
    payout: str


Ladder = Sequence[float]


def begin_push(ctx: Ctx, number: str, what: str) -> Push | None:
    """What to push now; None when there is nothing to push, or the link keeps it back.

    ``what``: the slug of the item, with ``.R`` behind it for its reversal.
    """
    slug, undoes = what.removesuffix(REVERSAL), what.endswith(REVERSAL)
    use = reversal if undoes else dispatch
    application = use.application(ctx, number, slug)
    if application is None:
        return None
    begun = _begin(ctx, number, slug, application.key, MessageKind.SUBMIT)
    return Push(**begun, application=application, undoes=undoes) if begun is not None else None


def pushed(ctx: Ctx, push: Push, receipt: Receipt, exchange: Exchange) -> None:
    """The department's system holds it; what it said at once is taken."""
    messages.finish(ctx.tx, push.message, exchange, ctx.now, receipt.raw_code)
    links.succeeded(ctx, push.code)
    use = reversal if push.undoes else dispatch
    use.delivered(ctx, push.number, push.slug, receipt)


def not_pushed(ctx: Ctx, push: Push, error: DepartmentError, exchange: Exchange, ladder_s: Ladder) -> None:
    """One attempt failed.  On a link that is down it is no attempt: it waits for the link."""
    messages.finish(ctx.tx, push.message, exchange, ctx.now)
    if links.failed(ctx, push.code, str(error), isinstance(error, DepartmentRejected)):
        use = reversal if push.undoes else dispatch
        use.not_delivered(ctx, push.number, push.slug, str(error), ladder_s, error.retryable)


def begin_instruction(ctx: Ctx, number: str, payout: str) -> Instruction | None:
    """What to instruct now; None as for a push."""
    instruction = dispatch.instruction(ctx, number, payout)
    if instruction is None:
        return None
    _, slug = split_key(instruction.application_key)
    begun = _begin(ctx, number, slug, instruction.key, MessageKind.INSTRUCT)
    return Instruction(**begun, instruction=instruction, payout=payout) if begun is not None else None


def instructed(ctx: Ctx, sent: Instruction, receipt: Receipt, exchange: Exchange) -> None:
    """The department's system holds the account."""
    messages.finish(ctx.tx, sent.message, exchange, ctx.now, receipt.raw_code)
    links.succeeded(ctx, sent.code)
    dispatch.instructed(ctx, sent.number, sent.payout, receipt)


def not_instructed(ctx: Ctx, sent: Instruction, error: DepartmentError, exchange: Exchange, ladder_s: Ladder) -> None:
    """As ``not_pushed``."""
    messages.finish(ctx.tx, sent.message, exchange, ctx.now)
    if links.failed(ctx, sent.code, str(error), isinstance(error, DepartmentRejected)):
        dispatch.not_instructed(ctx, sent.number, sent.payout, str(error), ladder_s, error.retryable)


def _begin(ctx: Ctx, number: str, slug: str, key: str, kind: MessageKind) -> dict[str, Any] | None:
    """What a ``Sending`` says, with its message begun; None when the link keeps it back."""
    code = system_of(ctx.tx, number, slug)
    if not links.open_to(ctx, code, key):
        return None
    told_before = messages.begun(ctx.tx, key)
    message = messages.begin(ctx.tx, ctx.now, code, kind, key=key, items=[(number, slug)])
    return {
        "number": number,
        "slug": slug,
        "key": key,
        "code": code,
        "told_before": told_before,
        "message": message,
    }
