"""Outward work: what is sent to a department, and what became of it.

The worker asks ``application`` or ``instruction`` what to send, sends it through the adapter, and records the receipt
or the failure.  A failed attempt schedules the next one in the same transaction (PD-16); after the last one the item
shows FAILED until an operator drives it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from gateway.domain import events as e
from gateway.domain.case import DeliveryState, submission_key
from gateway.domain.deadlines import ClockKind
from gateway.domain.department import (
    Account,
    Applicant,
    Application,
    Certificate,
    Death,
    Deceased,
    Outcome,
    PaymentInstruction,
    Receipt,
)
from gateway.domain.form import AccountForm
from gateway.domain.messages import Code, refuse
from gateway.domain.states import ITEM, PayoutStatus
from gateway.policy import decide
from gateway.services.context import Ctx
from gateway.services.write_back import Report, take
from gateway.store import cases


def application(ctx: Ctx, number: str, slug: str) -> Application | None:
    """What to send for an item; None when there is nothing to send any more."""
    case = cases.get(ctx.tx, number)
    item = case.items.get(slug) if case else None
    if case is None or item is None or item.delivery.state is not DeliveryState.PENDING or item.status in ITEM.final:
        return None
    policy = ctx.policy(case)
    definition = policy.item(slug)
    if definition is None or item.pushed_at is None:
        return None
    form = decide.form_of(case)
    clocks = decide.deadlines(policy, ctx.calendar(case), case, item, ctx.now)
    direction = decide.direct(definition, case, 1) if definition.payout else decide.Direction()
    applicant = form.applicant
    return Application(
        key=submission_key(number, slug),
        case_number=number,
        item=slug,
        item_name=definition.name,
        area=case.area,
        deceased=Deceased(
            name=case.deceased.name,
            id_kind=case.deceased.id_kind,
            id_number=case.deceased.id_number,
            sex=case.deceased.sex,
            birth_date=case.deceased.birth_date,
            ethnicity=case.deceased.ethnicity,
            hukou_area=case.deceased.hukou_area,
            hukou_address=case.deceased.hukou_address,
        ),
        death=Death(
            case.flow,
            case.death.occurred_at,
            case.death.area,
            case.death.place,
            case.death.cause if "death.cause" in definition.sends else None,
        ),
        pushed_at=item.pushed_at,
        applicant=Applicant(applicant.name, applicant.id_number, applicant.phone, applicant.relation, applicant.address)
        if applicant is not None and applicant.name
        else None,
        account=_account(direction.account) if direction.account else None,
        certificates=tuple(
            Certificate(found.type, found.number, found.issued_at, found.issuer)
            for found in case.certificates
            if found.type in definition.evidence
        ),
        business_types=item.business_types,
        due_at=next((clock.due_at for clock in clocks if clock.limit.clock is ClockKind.PROCESSING), None),
        details={path: str(value) for path in definition.sends if (value := form.value(path)) is not None},
        correction=item.correction,
        correction_answer=item.correction_answer,
    )


def delivered(ctx: Ctx, number: str, slug: str, receipt: Receipt) -> None:
    """The department's system holds the application; what it said at once is taken as its first result."""
    work = ctx.case(number)
    if work.case.items[slug].delivery.state is not DeliveryState.PENDING:
        return
    work.record(e.Delivered(slug, receipt.reference, receipt.raw_code))
    work.save()
    department = work.definition(slug).department
    if receipt.outcome is not Outcome.RECEIVED and department is not None:
        report = Report(
            receipt.outcome, receipt.reference, receipt.raw_code, receipt.raw_message or None, complete_record=True
        )
        # A corrected application gets the same reference again, and its receipt is another message.
        turn = work.case.items[slug].correction
        serial = f"receipt:{turn}:{receipt.reference or ctx.now.isoformat()}"
        take(ctx, department, number, slug, serial, report)


def not_delivered(ctx: Ctx, number: str, slug: str, error: str, ladder_s: Sequence[float], retryable: bool) -> None:
    """One attempt failed: the next one is recorded with the failure, or it was the last."""
    work = ctx.case(number)
    delivery = work.case.items[slug].delivery
    if delivery.state is not DeliveryState.PENDING:
        return
    pause = ladder_s[delivery.attempts] if retryable and delivery.attempts < len(ladder_s) else None
    following = ctx.now + timedelta(seconds=pause) if pause is not None else None
    work.record(e.DeliveryFailed(slug, error, following))
    if pause is not None:
        work.deliver(slug, pause)
    work.save()


def redrive(ctx: Ctx, number: str, slug: str) -> None:
    """An operator drives a failed, or still failing, push again.  Raises ``Refused`` when there is nothing to drive."""
    work = ctx.case(number)
    work.definition(slug)
    item = work.case.items[slug]
    if item.delivery.state not in (DeliveryState.FAILED, DeliveryState.PENDING) or item.status in ITEM.final:
        raise refuse(Code.ACTION_NOT_POSSIBLE, "item", status=item.delivery.state.value, action="redrive")
    work.record(e.DeliveryRedriven(slug))
    work.deliver(slug)
    work.save()


def instruction(ctx: Ctx, number: str, payout_id: str) -> PaymentInstruction | None:
    """What to tell the department about one sum; None when there is nothing to tell any more."""
    case = cases.get(ctx.tx, number)
    payout = case.payouts.get(payout_id) if case else None
    if payout is None or payout.delivery.state is not DeliveryState.PENDING or payout.account is None:
        return None
    if payout.status is not PayoutStatus.INSTRUCTED:
        return None
    turn = int(payout.instructed_at.timestamp()) if payout.instructed_at else 0
    return PaymentInstruction(
        key=f"{submission_key(number, payout.item)}.{payout.serial}.{turn}"[-64:],
        application_key=submission_key(number, payout.item),
        serial=payout.serial,
        kind=payout.kind,
        fen=payout.fen,
        account=_account(payout.account),
    )


def instructed(ctx: Ctx, number: str, payout_id: str, receipt: Receipt) -> None:
    """The department's system holds the account."""
    work = ctx.case(number)
    if work.case.payouts[payout_id].delivery.state is DeliveryState.PENDING:
        work.record(e.InstructionDelivered(payout_id, receipt.raw_code))
        work.save()


def not_instructed(
    ctx: Ctx, number: str, payout_id: str, error: str, ladder_s: Sequence[float], retryable: bool
) -> None:
    """As ``not_delivered``, for an instruction."""
    work = ctx.case(number)
    delivery = work.case.payouts[payout_id].delivery
    if delivery.state is not DeliveryState.PENDING:
        return
    pause = ladder_s[delivery.attempts] if retryable and delivery.attempts < len(ladder_s) else None
    following = ctx.now + timedelta(seconds=pause) if pause is not None else None
    work.record(e.InstructionFailed(payout_id, error, following))
    if pause is not None:
        work.instruct(payout_id, pause)
    work.save()


def _account(account: AccountForm) -> Account:
    return Account(account.holder or "", account.number or "", account.bank, account.branch)
