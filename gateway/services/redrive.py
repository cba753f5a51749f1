"""What every attempt failed to bring to a department is driven again: by a person, or by the same form filed again.

Under the keys of the first attempt, so that nothing is done twice (PD-16).  Reversals: ``reversal.redrive``.
"""

from __future__ import annotations

from gateway.domain import events as e
from gateway.domain.case import Case, DeliveryState, Item, Payout
from gateway.domain.states import ITEM, PayoutStatus
from gateway.services import dispatch
from gateway.services.context import Ctx


def item(ctx: Ctx, number: str, slug: str) -> None:
    """Drives one item's push, failed or still failing, and the account orders of its sums.

    Raises ``Refused`` (ACTION_NOT_POSSIBLE) when there is neither, (ITEM_NOT_IN_CASE) for an unknown item.
    """
    work = ctx.case(number)
    work.definition(slug)
    orders = [payout.id for payout in work.case.payouts.values() if payout.item == slug and _failing(work.case, payout)]
    for payout in orders:
        work.record(e.InstructionRedriven(payout))
        work.instruct(payout)
    case = work.save()
    if not orders or _unsent(case.items[slug], DeliveryState.FAILED, DeliveryState.PENDING):
        dispatch.redrive(ctx, number, slug)


def given_up(case: Case) -> tuple[str, ...]:
    """Items of which something was given up: their push, or the account order of a sum."""
    orders = {
        payout.item
        for payout in case.payouts.values()
        if _failing(case, payout) and payout.delivery.state is DeliveryState.FAILED
    }
    return tuple(slug for slug, found in case.items.items() if slug in orders or _unsent(found, DeliveryState.FAILED))


def _unsent(item: Item, *states: DeliveryState) -> bool:
    wanted = item.status not in ITEM.final or item.amending
    return item.delivery.state in states and wanted and item.reversal is None


def _failing(case: Case, payout: Payout) -> bool:
    way = payout.delivery
    failing = way.state is DeliveryState.FAILED or (way.state is DeliveryState.PENDING and way.attempts > 0)
    return failing and payout.status is PayoutStatus.INSTRUCTED and case.items[payout.item].reversal is None
