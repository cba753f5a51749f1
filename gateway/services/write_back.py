"""Write-back (办理结果共享): a department's result enters the case, once (PD-06).

Every message is identified by (department, case, item, serial).  The same message again gets the same answer;
another content under a taken serial, or against a finished item, is refused as CONFLICT; a result for an item that
was not pushed is refused as NOT_DISPATCHED and opens no gate; a department that does not own the item is refused.
What was refused changes nothing, is kept in the ledger with its reason, and may be sent again when the reason is gone.
What comes out of order, older than what is known, changes nothing either.  All outcomes: docs/outcomes.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from gateway.domain import events as e
from gateway.domain.case import Applicability, Case, DeliveryState, Item, split_key
from gateway.domain.department import Certificate, Outcome, Payment, PaymentState, Record
from gateway.domain.messages import Code, Problem, Reason, Refused, refuse
from gateway.domain.states import ITEM, ItemStatus
from gateway.policy import decide
from gateway.policy.model import ItemDefinition
from gateway.services import payments, seen
from gateway.services.context import CaseWork, Ctx
from gateway.store import cases


@dataclass(frozen=True, slots=True)
class Report:
    """What a department says of one item.  ``outcome`` None: only certificates or payments."""

    outcome: Outcome | None = None
    reference: str | None = None
    raw_code: str = ""
    reason: str | None = None
    missing: tuple[str, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    payments: tuple[Payment, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    refers: bool = False
    """The department found another kind of death (HZ-504)."""
    complete_record: bool = False
    """A whole record as read from the department: payments may be seen in a later state at once."""
    as_of: datetime | None = None
    """When the department made the record, by its own clock; None for a message that is not a record."""


class AckOutcome(StrEnum):
    """回传结果."""

    APPLIED = "APPLIED"
    """已接受."""
    REPEATED = "REPEATED"
    """重复回传，已有结果不变."""
    REFUSED = "REFUSED"
    """未接受."""


@dataclass(frozen=True, slots=True)
class Ack:
    """The answer to a message.  ``reason`` only when it was refused; ``at``: when it was first taken."""

    outcome: AckOutcome
    at: datetime
    reason: Reason | None = None
    case: Case | None = None


def must_concern(ctx: Ctx, department: str, areas: tuple[str, ...] | None, number: str, slug: str) -> None:
    """Raises ``Refused`` (CASE_NOT_FOUND) where the sender may not learn whether there is such a case (PD-15).

    ``areas``: code prefixes of the sender's areas; None = everywhere.  An item that is still to be pushed is told as
    such to its own department only (NOT_DISPATCHED, PD-06).
    """
    # A database may refuse to be asked for what cannot be anybody's number.
    printable = number.isprintable() and slug.isprintable()
    if not printable or not cases.concerns(ctx.tx, department, areas, number, slug):
        raise refuse(Code.CASE_NOT_FOUND, "caseNumber", number=number)


def take(ctx: Ctx, department: str, number: str, slug: str, serial: str, report: Report) -> Ack:
    """Takes one message.  Raises ``Refused`` only for a case that does not exist."""
    work = ctx.case(number)
    content = _content(report)
    known = seen.known(ctx, department, number, slug, serial)
    fact = _fact(report.as_of, content) if report.as_of is not None else serial
    if known is None and fact != serial:
        # The same record may come by both ways, sent and read; the later one says nothing new.
        before = seen.known(ctx, department, number, slug, fact)
        if before is not None and before.outcome == "APPLIED":
            seen.remember(ctx, department, number, slug, serial, content, "APPLIED", None, before.at)
            return Ack(AckOutcome.REPEATED, before.at, case=work.case)
    if known is not None and known.outcome == "APPLIED":
        if known.content == content:
            return Ack(AckOutcome.REPEATED, known.at, case=work.case)
        words = {
            "detail": f"编号{serial}已用于另一内容",
            "detail_en": f"serial {serial} was used for other content",
        }
        reason = Reason(Code.CONFLICT, ("PD-06",), words)
        mark = f"{serial[:100]}#{content[:16]}"
        before = seen.known(ctx, department, number, slug, mark)
        if before is not None:  # the same contradiction again is not written down again
            return Ack(AckOutcome.REFUSED, before.at, reason, work.case)
        seen.remember(ctx, department, number, slug, mark, content, "REFUSED", reason)
        return _refuse(work, department, slug, serial, report, reason)
    length = len(work.recorded)
    try:
        _apply(work, department, slug, report)
    except Refused as refused:
        reason = refused.problems[0].reason
        if known is not None and known.content == content and known.reason_code == reason.code:
            return Ack(AckOutcome.REFUSED, known.at, reason, cases.get(ctx.tx, number))
        work = ctx.case(number)  # what was folded before the refusal is dropped
        ack = _refuse(work, department, slug, serial, report, reason)
        seen.remember(ctx, department, number, slug, serial, content, "REFUSED", reason)
        return ack
    changed = len(work.recorded) > length
    case = work.save()
    for name in dict.fromkeys((serial, fact)):
        seen.remember(ctx, department, number, slug, name, content, "APPLIED", None)
    return Ack(AckOutcome.APPLIED if changed else AckOutcome.REPEATED, ctx.now, case=case)


def report_of(record: Record) -> Report:
    """A department's whole record, read or called back, as a report."""
    return Report(
        outcome=record.outcome,
        reference=record.reference,
        raw_code=record.raw_code,
        reason=record.reason or record.raw_message or None,
        missing=record.missing,
        certificates=record.certificates,
        payments=record.payments,
        details={name: value for name, value in record.details.items() if name != "referral"},
        refers="referral" in record.details,
        complete_record=True,
        as_of=record.updated_at,
    )


def news(ctx: Ctx, department: str, records: Sequence[Record]) -> list[Record]:
    """Those of many records that were read which say something that was not taken yet, in one query."""
    serials = {record.key: (*split_key(record.key), record_serial(record)) for record in records}
    known = seen.applied(ctx, department, list(serials.values()))
    return [record for record in records if serials[record.key] not in known]


def record_serial(record: Record) -> str:
    """Serial of a record that was read, not sent: the same record, changed at the same time, is the same message."""
    return _fact(record.updated_at, _content(report_of(record)))


def _fact(as_of: datetime, content: str) -> str:
    return f"read:{as_of.astimezone(UTC).isoformat()}:{content[:24]}"


# ── what a report does to a case ────────────────────────────────────────────────────────────────────────


def _apply(work: CaseWork, department: str, slug: str, report: Report) -> None:
    definition = work.own(department, slug)
    item = work.case.items[slug]
    if work.case.revocation is not None:
        _paid_after_all(work, definition, item, report)
        return
    if item.status is ItemStatus.BLOCKED and not _only_shares(definition, report):
        closed = decide.gates(work.ctx.book, work.policy, work.case, definition)
        waits = "；".join(gate.reason.zh() for gate in closed)
        raise refuse(Code.NOT_DISPATCHED, "item", "PD-06", item=definition.name, waits=waits)
    if report.complete_record and _undelivered(item):
        # The receipt was lost; the department's record proves that the push arrived.
        work.record(e.Delivered(slug, report.reference, report.raw_code))
    if report.refers and definition.referral is not None:
        _refer(work, definition, item, report)
        return
    if not report.complete_record:
        payments.must_be_new_money(work, item, report.payments, decides=report.outcome is not None)
        if item.status is ItemStatus.COMPLETED:
            _adds_nothing_new(item, report)
    for certificate in report.certificates:
        _certificate(work, definition, item, certificate)
    _outcome(work, definition, item, report)
    for payment in report.payments:
        payments.take(work, definition, item, payment, report.complete_record)


def _undelivered(item: Item) -> bool:
    """Whether the first push is not known to have arrived; of what is sent again an older record proves nothing."""
    unsent = item.delivery.state in (DeliveryState.PENDING, DeliveryState.FAILED)
    return unsent and item.status not in ITEM.final and not item.correction


def _paid_after_all(work: CaseWork, definition: ItemDefinition, item: Item, report: Report) -> None:
    """Of a revoked case only what became of known money is taken: somebody has to get it back."""
    known = work.case.payouts
    moved = [
        payment
        for payment in report.payments
        if payment.state in (PaymentState.PAID, PaymentState.RETURNED) and f"{item.slug}:{payment.serial}" in known
    ]
    if not moved:
        raise refuse(Code.CASE_REVOKED, "item")
    for payment in moved:
        payments.take(work, definition, item, payment, complete_record=True)


def _only_shares(definition: ItemDefinition, report: Report) -> bool:
    """A certificate that nobody was asked for is shared data, not an answer: it may come before its gates are open."""
    return definition.handler == "SHARED" and bool(report.certificates) and report.outcome in (None, Outcome.COMPLETED)


def _adds_nothing_new(item: Item, report: Report) -> None:
    """A message on a completed item may not say something else than its result."""
    differs = any(item.details.get(name, value) != value for name, value in report.details.items())
    if differs or (report.reference and item.reference and report.reference != item.reference):
        facts = {"detail": "事项已办结，结果内容不同", "detail_en": "the item is completed with another result"}
        raise refuse(Code.CONFLICT, "item", "PD-06", **facts)


def _outcome(work: CaseWork, definition: ItemDefinition, item: Item, report: Report) -> None:
    outcome = report.outcome
    open_ = item.status not in ITEM.final and item.status is not ItemStatus.BLOCKED
    if outcome is None and definition.kind == "CERT" and open_ and _issued(work, definition):
        outcome = Outcome.COMPLETED  # issuing the certificate is the act
    if outcome in (None, Outcome.RECEIVED):
        return
    reached = {
        Outcome.ACCEPTED: ItemStatus.ACCEPTED,
        Outcome.CORRECTION: ItemStatus.CORRECTION_REQUIRED,
        Outcome.COMPLETED: ItemStatus.COMPLETED,
        Outcome.REFUSED: ItemStatus.REFUSED,
        Outcome.NOT_APPLICABLE: ItemStatus.NOT_APPLICABLE,
    }[outcome]
    if item.status is ItemStatus.BLOCKED:
        return  # its certificate, which is all it needs, has just been recorded
    if item.status is reached and _says_the_same(item, report):
        return
    if outcome is Outcome.CORRECTION and report.complete_record and _waits_for_the_answer(item):
        return  # it asks for what the family has answered; the answer is on its way
    if item.status in ITEM.final:
        if report.complete_record and outcome is Outcome.ACCEPTED:
            return  # an old state read late says nothing against a result
        facts = {
            "detail": f"事项已为“{item.status.value}”，回传为“{reached.value}”",
            "detail_en": f"the item is {item.status.value}, the message says {reached.value}",
        }
        raise refuse(Code.CONFLICT, "item", "PD-06", **facts)
    slug, now = item.slug, work.ctx.now
    if outcome is Outcome.ACCEPTED:
        _allowed(item, "accepted")
        work.record(e.Accepted(slug, report.reference, report.raw_code))
    elif outcome is Outcome.CORRECTION:
        _allowed(item, "correction_requested")
        work.record(e.CorrectionRequested(slug, report.reason or "", report.missing, report.raw_code))
    elif outcome is Outcome.COMPLETED:
        if definition.issues and not _issued(work, definition):
            names = "、".join(work.ctx.book.word("certificates", kind).name for kind in definition.issues)
            raise refuse(
                Code.CERTIFICATE_REQUIRED, "certificate", definition.source, item=definition.name, certificate=names
            )
        when = decide.effective(work.policy, work.ctx.calendar(work.case), work.case, definition, now)
        work.record(e.Completed(slug, report.reference, report.raw_code, when, dict(report.details)))
    elif outcome is Outcome.REFUSED:
        work.record(e.ItemRefused(slug, report.reason or "", report.reference, report.raw_code))
    else:
        words = {"detail": report.reason or "无相关登记"}
        reason = Reason(Code.DEPARTMENT_FOUND_NOTHING, (definition.source,), words)
        work.record(e.RuledOut(slug, reason, report.raw_code))


def _says_the_same(item: Item, report: Report) -> bool:
    if report.outcome in (Outcome.REFUSED, Outcome.CORRECTION):
        return (report.reason or "") == (item.outcome or "")
    if report.outcome is Outcome.COMPLETED and not report.complete_record:
        return all(item.details.get(name, value) == value for name, value in report.details.items())
    return True


def _waits_for_the_answer(item: Item) -> bool:
    """The family has answered, and the department's own system does not hold the answer yet."""
    on_its_way = item.delivery.state in (DeliveryState.PENDING, DeliveryState.FAILED)
    return item.status is ItemStatus.DISPATCHED and item.correction > 0 and on_its_way


def _allowed(item: Item, event: str) -> None:
    if not ITEM.allows(item.status, event):
        raise refuse(Code.ACTION_NOT_POSSIBLE, "item", status=item.status.value, action=event)


def _issued(work: CaseWork, definition: ItemDefinition) -> bool:
    there = {
        found.type
        for found in work.case.certificates
        if found.type in definition.issues and found.item in (definition.slug, None)
    }
    return there == set(definition.issues) if definition.issues_all else bool(there)


def _certificate(work: CaseWork, definition: ItemDefinition, item: Item, certificate: Certificate) -> None:
    if certificate.type not in definition.issues:
        if not definition.issues:
            return  # a document of the department's own; kept in its record, opens no gate here
        raise refuse(Code.CERTIFICATE_TYPE_WRONG, "certificate.type", definition.source, item=definition.name)
    present = work.case.certificate(certificate.type)
    if present is not None:
        if present.number == certificate.number:
            return
        facts = {"detail": "已有另一编号的证照", "detail_en": "a certificate with another number is recorded"}
        raise refuse(Code.CONFLICT, "certificate.number", "PD-06", **facts)
    payments.must_not_have_ended(item)
    work.record(
        e.CertificateIssued(
            certificate.type, certificate.number, certificate.issued_at, certificate.issuer, definition.slug
        )
    )


def _refer(work: CaseWork, definition: ItemDefinition, item: Item, report: Report) -> None:
    """Normal death cannot be confirmed: the case changes its path at once (HZ-504, PD-03)."""
    assert definition.referral is not None
    if item.status in ITEM.final:
        facts = {"detail": f"事项已为“{item.status.value}”", "detail_en": f"the item is {item.status.value}"}
        raise refuse(Code.CONFLICT, "item", "PD-06", **facts)
    target = work.policy.flow(definition.referral.flow)
    words = {"flow": target.name if target else definition.referral.flow}
    work.record(e.FlowChanged(definition.referral.flow, report.reason or ""))
    reason = Reason(Code.FLOW_CHANGED, (definition.referral.source, "PD-03"), words)
    verdicts = []
    for verdict in decide.verdicts(
        work.policy, decide.form_of(work.case), work.case.flow, work.case.reported_at is not None
    ):
        present = work.case.items.get(verdict.slug)
        if present is None or present.applicability is not verdict.applicability:
            applies = verdict.applicability is not Applicability.DOES_NOT_APPLY
            verdicts.append(verdict if applies else replace(verdict, reason=reason))
    work.record(e.Evaluated(tuple(verdicts)))


def _refuse(work: CaseWork, department: str, slug: str, serial: str, report: Report, reason: Reason) -> Ack:
    summary = report.outcome.value if report.outcome else "CERTIFICATE" if report.certificates else "PAYOUT"
    work.record(e.WriteBackRefused(department, slug, serial, reason, summary))
    return Ack(AckOutcome.REFUSED, work.ctx.now, reason, work.save())


def _content(report: Report) -> str:
    said = asdict(replace(report, as_of=None))
    if not report.complete_record:  # a message without a time of its own got the time it came in
        said["payments"] = [{**payment, "at": None} for payment in said["payments"]]
    plain = json.dumps(said, default=str, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def problem_of(ack: Ack) -> Problem | None:
    return Problem(ack.reason) if ack.reason is not None else None
