"""Repair: what is kept of a case is compared with its ledger, and what is to be done with what the engine holds.

The ledger is the truth: everything else is written anew from it where it differs.  A ledger that is not sound proves
nothing, so nothing of such a case is touched.  The same look serves the report and, with the case locked, the healing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.domain import events as e
from gateway.domain.case import REVERSAL, Case, Delivery, DeliveryState
from gateway.domain.findings import Finding, FindingCode, Standing
from gateway.domain.fold import fold
from gateway.domain.shared import fold as fold_record
from gateway.domain.states import PayoutStatus
from gateway.services import dispatch, links, reversal
from gateway.services.context import CaseWork, Ctx
from gateway.services.sharing import SharedWork
from gateway.store import cases, derived, uploads
from gateway.store import shared as shared_store
from gateway.store.cases import Entry
from gateway.store.ledger import verify
from gateway.store.session import Tx, Work

CODES = frozenset(
    {
        FindingCode.NOT_EXAMINED,
        FindingCode.LEDGER_BROKEN,
        FindingCode.STATE_DIFFERS,
        FindingCode.ROWS_DIFFER,
        FindingCode.TWO_OPEN_CASES,
        FindingCode.SHARED_LINK_MISSING,
        FindingCode.NOT_SETTLED,
        FindingCode.PUSH_GIVEN_UP,
        FindingCode.WORK_MISSING,
        FindingCode.FILE_MISSING,
    }
)
"""What ``examine`` can find."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a piece of work is about."""

    name: str
    """``deliver`` or ``instruct``."""
    number: str
    what: str
    """The slug of an item (``.R`` behind it: its reversal), or a payout."""


class LiveWork(Protocol):
    """What the durable engine holds."""

    def why_dead(self, tx: Tx, subject: Subject) -> str | None:
        """None while work for it is waiting or running; else what became of it, e.g. ``ERROR``."""
        ...


@dataclass(frozen=True, slots=True)
class _Way:
    """One thing that is on its way to a department."""

    place: str
    delivery: Delivery
    instruction: bool = False


def examine(ctx: Ctx, number: str, engine: LiveWork, heal: bool = False) -> list[Finding]:
    """What is not as it should be with one case or shared record.  ``heal``: it is put right, in the caller's writing
    transaction and with the case locked; nothing that is right is changed."""
    kind = derived.kind(ctx.tx, number, heal)
    faults = verify(ctx.tx, number)
    if kind == "unknown":
        faults = [*faults, f"{number}: the ledger is there, the case is not"]
    if faults:
        return [_broken(number, faults)]
    entries = cases.entries(ctx.tx, [number])[number]
    try:
        if kind == "shared":
            return _examine_shared(ctx, number, entries, heal)
        proved = fold((entry.at, entry.event) for entry in entries)
    except (ValueError, LookupError, AttributeError) as error:
        return [_broken(number, [f"{number}: it cannot be folded ({type(error).__name__})"])]
    found = list(_present_state(ctx, proved, entries[-1], heal))
    if any(finding.standing is not Standing.HEALED for finding in found):
        return found  # what follows is judged on a present state that is right
    return [*found, *_ways(ctx, proved, engine, heal), *_settled(ctx, proved, heal), *_files(ctx, proved)]


def wanted(ctx: Ctx, subject: Subject) -> bool:
    """Whether there is still something to do for the engine's work about it."""
    if subject.name == "instruct":
        return dispatch.instruction(ctx, subject.number, subject.what) is not None
    use = reversal if subject.what.endswith(REVERSAL) else dispatch
    return use.application(ctx, subject.number, subject.what.removesuffix(REVERSAL)) is not None


# ── ledger and present state ────────────────────────────────────────────────────────────────────────────


def _broken(number: str, faults: Sequence[str]) -> Finding:
    first = faults[0].removeprefix(f"{number}: ")
    more = f" (+{len(faults) - 1})" if len(faults) > 1 else ""
    return Finding(FindingCode.LEDGER_BROKEN, number, "", Standing.PERSON, {"detail": first + more})


def _present_state(ctx: Ctx, proved: Case, last: Entry, heal: bool) -> Iterator[Finding]:
    number, work = proved.number, CaseWork(ctx, proved)
    rows, attention_at = work.rows(), work.attention_at()
    found = []
    if not derived.same_state(ctx.tx, proved):
        words = {"detail": f"第{proved.revision}条", "detail_en": f"after entry {proved.revision}"}
        found.append(Finding(FindingCode.STATE_DIFFERS, number, facts=words))
    differing = derived.differing(ctx.tx, proved, last, rows, attention_at)
    if differing:
        found.append(Finding(FindingCode.ROWS_DIFFER, number, facts={"detail": ", ".join(differing)}))
    rival = derived.rival(ctx.tx, proved)
    if rival is not None and rival[1]:
        # Which of the two is the right one is not for a machine; until then neither is written.
        yield Finding(FindingCode.TWO_OPEN_CASES, number, "", Standing.PERSON, {"detail": rival[0]})
        return
    if heal and found:
        if rival is not None:
            derived.release(ctx.tx, rival[0])
        derived.rewrite(ctx.tx, proved, last, rows, attention_at)
    yield from (healed(finding) if heal else finding for finding in found)


def _examine_shared(ctx: Ctx, number: str, entries: Sequence[Entry], heal: bool) -> list[Finding]:
    record = fold_record((entry.at, entry.event) for entry in entries)
    found = []
    if not derived.same_record(ctx.tx, record, entries[-1]):
        words = {"detail": f"第{record.revision}条", "detail_en": f"after entry {record.revision}"}
        found.append(Finding(FindingCode.STATE_DIFFERS, number, facts=words))
        if heal:
            derived.rewrite_record(ctx.tx, record, entries[-1])
    held = cases.open_case_of(ctx.tx, record.jurisdiction, record.deceased.id_number)
    case = cases.get(ctx.tx, held) if held is not None else None
    # Elsewhere a record that was shared after the report goes into the case without being linked to it.
    acted_on = case is not None and any(item.handler == "PULL" for item in ctx.policy(case).items)
    if (
        case is not None
        and case.reported_at is not None
        and acted_on
        and record.revocation is None
        and record.case != case.number
    ):
        found.append(Finding(FindingCode.SHARED_LINK_MISSING, number, facts={"detail": case.number}))
        if heal:
            work = SharedWork(ctx, shared_store.of(ctx.tx, record.jurisdiction, record.deceased.id_number))
            work.add(e.LinkedToCase(case.number))
            work.save()
    if record.case is not None and derived.kind(ctx.tx, record.case) == "unknown":
        # The one trace of a case whose ledger and present state were removed together.
        words = {"detail": f"case {record.case}, which it is linked to, is gone"}
        found.append(Finding(FindingCode.LEDGER_BROKEN, number, record.case, Standing.PERSON, words))
    return [healed(finding) if heal and finding.standing is Standing.HEALABLE else finding for finding in found]


# ── what is on its way ──────────────────────────────────────────────────────────────────────────────────


def _ways(ctx: Ctx, case: Case, engine: LiveWork, heal: bool) -> Iterator[Finding]:
    work = CaseWork(ctx, case)
    for way in _all_ways(case):
        if way.delivery.state is DeliveryState.FAILED:
            if _still_open(case, way):
                words = {"detail": way.delivery.last_error or "—"}
                yield Finding(FindingCode.PUSH_GIVEN_UP, case.number, way.place, Standing.PERSON, words)
            continue
        if way.delivery.state is not DeliveryState.PENDING:
            continue
        subject = Subject("instruct" if way.instruction else "deliver", case.number, way.place)
        dead = engine.why_dead(ctx.tx, subject)
        if dead is None or not wanted(ctx, subject):
            continue
        queued = _queued(work, way)
        if links.kept_back(ctx, queued.department):
            continue  # it waits for the link, which releases it
        finding = Finding(FindingCode.WORK_MISSING, case.number, way.place, facts={"detail": dead})
        if heal:
            # The same id would be the same work, which is done or dead: a mark makes it new work for the same thing.
            ctx.tx.enqueue(replace(queued, id=f"{queued.id}~{uuid.uuid4().hex[:8]}"))
            finding = healed(finding)
        yield finding


def _all_ways(case: Case) -> Iterator[_Way]:
    for slug, item in case.items.items():
        yield _Way(slug, item.delivery)
        if item.reversal is not None:
            yield _Way(slug + REVERSAL, item.reversal.delivery)
    for payout in case.payouts.values():
        yield _Way(payout.id, payout.delivery, instruction=True)


def _still_open(case: Case, way: _Way) -> bool:
    """Whether a push that was given up still keeps something from being finished."""
    if way.instruction:
        payout = case.payouts[way.place]
        return payout.status is PayoutStatus.INSTRUCTED and case.items[payout.item].reversal is None
    return way.place.endswith(REVERSAL) or not dispatch.is_over(case.items[way.place])


def _queued(work: CaseWork, way: _Way) -> Work:
    """The work that would be queued for it, not before its next attempt is due."""
    due = way.delivery.next_attempt_at
    pause = max(0.0, (due - work.ctx.now).total_seconds()) if due is not None else 0.0
    (work.instruct if way.instruction else work.deliver)(way.place, pause)
    return work.work.pop()


# ── what follows ────────────────────────────────────────────────────────────────────────────────────────


def _settled(ctx: Ctx, proved: Case, heal: bool) -> Iterator[Finding]:
    number = proved.number
    work = CaseWork(ctx, proved)
    work.settle()
    if not work.recorded:
        return
    kinds: Mapping[str, None] = {event.type: None for _, event in work.recorded}
    finding = Finding(FindingCode.NOT_SETTLED, number, facts={"detail": ", ".join(kinds)})
    if heal:
        ctx.case(number).save()
        finding = healed(finding)
    yield finding


def _files(ctx: Ctx, proved: Case) -> Iterator[Finding]:
    gone = uploads.damaged(ctx.tx, proved) if proved.materials else []
    if gone:
        yield Finding(FindingCode.FILE_MISSING, proved.number, "", Standing.PERSON, {"detail": str(len(gone))})


def healed(finding: Finding) -> Finding:
    """The finding, put right."""
    return replace(finding, standing=Standing.HEALED)
