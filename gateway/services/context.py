"""What a use case works with: one transaction, the policies, the time, and who is asking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.domain import events as e
from gateway.domain.calendar import Calendar
from gateway.domain.case import REVERSAL as UNDO
from gateway.domain.case import Case, DeliveryState, Item, Payout, submission_key
from gateway.domain.deadlines import ClockKind
from gateway.domain.fold import apply
from gateway.domain.link import Breaker, Window
from gateway.domain.messages import Code, refuse
from gateway.domain.states import ITEM, REVERSAL, CaseStatus, ItemStatus, PayoutStatus
from gateway.policy import decide
from gateway.policy.book import PolicyBook
from gateway.policy.model import ItemDefinition, Jurisdiction
from gateway.services.sharing import mirror
from gateway.store import cases
from gateway.store.cases import Actor, AlertRow, ItemRow, PayoutRow, ReversalRow
from gateway.store.session import Tx, Work


@dataclass(frozen=True, slots=True)
class Outward:
    """What is known of the departments' own systems: who can be pushed to, who takes instructions, and when."""

    connected: frozenset[str] = frozenset()
    instructable: frozenset[str] = frozenset()
    windows: Mapping[str, Sequence[Window]] = field(default_factory=dict)
    """Regular maintenance, per system."""
    breaker: Breaker = field(default_factory=Breaker)

    def in_maintenance(self, code: str, now: datetime) -> bool:
        return any(window.covers(now) for window in self.windows.get(code, ()))


@dataclass(frozen=True, slots=True)
class Ctx:
    """One use case's world."""

    tx: Tx
    book: PolicyBook
    now: datetime
    actor: Actor
    outward: Outward = Outward()

    def policy(self, case: Case) -> Jurisdiction:
        """The version the case was accepted under (PD-19)."""
        return self.book.version(case.jurisdiction, case.policy_version)

    def in_force(self, jurisdiction: str) -> Jurisdiction | None:
        """The version in force on the present day of the jurisdiction itself."""
        calendar = self.book.calendars.get(jurisdiction)
        return self.book.in_force(jurisdiction, calendar.local_date(self.now)) if calendar is not None else None

    def calendar(self, case: Case) -> Calendar:
        return self.book.calendars[case.jurisdiction]

    def case(self, number: str) -> CaseWork:
        """The case, locked, to be changed.  Raises ``Refused`` (CASE_NOT_FOUND)."""
        # A database may refuse to be asked for what cannot be anybody's number.
        found = cases.get_to_change(self.tx, number) if number.isprintable() else None
        if found is None:
            raise refuse(Code.CASE_NOT_FOUND, "caseNumber", number=number)
        return CaseWork(self, found)


@dataclass(slots=True)
class CaseWork:
    """A case while a use case works on it: record events, then ``save`` once."""

    ctx: Ctx
    case: Case
    recorded: list[tuple[datetime, e.Event]] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)

    @classmethod
    def open(cls, ctx: Ctx, event: e.CaseOpened) -> CaseWork:
        return cls(ctx, apply(None, event, ctx.now), [(ctx.now, event)])

    @property
    def policy(self) -> Jurisdiction:
        return self.ctx.policy(self.case)

    def definition(self, slug: str) -> ItemDefinition:
        """Raises ``Refused`` (ITEM_NOT_IN_CASE) for an item the case does not have."""
        found = self.policy.item(slug)
        if found is None or slug not in self.case.items:
            raise refuse(Code.ITEM_NOT_IN_CASE, "item", item=found.name if found else slug)
        return found

    def own(self, department: str, slug: str) -> ItemDefinition:
        """Raises ``Refused``: another department's item (NOT_OWNER), whether or not the case has it (PD-15); an own one
        that the case does not have (ITEM_NOT_IN_CASE)."""
        found = self.policy.item(slug)
        if found is not None and department not in (found.department, self.adapter(found)):
            words = {"item": found.name, "department": self.ctx.book.word("departments", department).name}
            raise refuse(Code.NOT_OWNER, "item", "PD-06", **words)
        return self.definition(slug)

    def record(self, event: e.Event) -> None:
        """Folds an event in; it is written by ``save``."""
        apply(self.case, event, self.ctx.now)
        self.recorded.append((self.ctx.now, event))

    def must_stand(self) -> None:
        """Raises ``Refused`` (CASE_REVOKED) for a case that is being revoked, or is: nothing is done in it any more."""
        if self.case.revocation is not None:
            raise refuse(Code.CASE_REVOKED)

    @property
    def calendar(self) -> Calendar:
        return self.ctx.calendar(self.case)

    def save(self, settle: bool = True) -> Case:
        """Draws the consequences, then writes ledger, present state and durable work in the one transaction.

        ``settle`` False: what was recorded has none.
        """
        if settle:
            self.settle()
        if self.recorded:
            cases.append(self.ctx.tx, self.case, self.recorded, self.ctx.actor, *self.rows(), self.attention_at())
            mirror(self, [event for _, event in self.recorded])
            for work in self.work:
                self.ctx.tx.enqueue(work)
        self.recorded, self.work = [], []
        return self.case

    def coming(self) -> list[decide.Coming]:
        """What supervision has to record of the case as it is, and when."""
        return decide.coming(self.ctx.book, self.policy, self.calendar, self.case, self.ctx.now)

    def attention_at(self) -> datetime | None:
        """When supervision has to look at the case next."""
        return next((one.at for one in self.coming()), None)

    # ── consequences ────────────────────────────────────────────────────────────────────────────────────

    def settle(self) -> None:
        """Opens gates, directs money, closes the case: until nothing follows any more."""
        if self.case.status is CaseStatus.REVOKING:
            self._finish_revocation()
        if self.case.status in (CaseStatus.REVOKING, CaseStatus.REVOKED):
            return
        while self._complete_by_certificate() or self._push() or self._complete_by_report():
            pass
        self._return_result_again()
        self._deduct()
        self._direct_payouts()
        items = self.case.items.values()
        if self.case.status is CaseStatus.IN_PROGRESS and all(item.status in ITEM.final for item in items):
            self.record(e.Closed())

    def _push(self) -> bool:
        """Pushes every item whose gates are open, all with one time stamp (HZ-513)."""
        ready = [
            definition
            for definition in self.policy.items
            if (item := self.case.items.get(definition.slug)) is not None
            and item.status is ItemStatus.BLOCKED
            and not decide.gates(self.ctx.book, self.policy, self.case, definition)
        ]
        if not ready:
            return False
        outward = tuple(definition.slug for definition in ready if self.is_outward(definition))
        self.record(e.Pushed(tuple(definition.slug for definition in ready), outward))
        for slug in outward:
            self.deliver(slug)
        return True

    def is_outward(self, definition: ItemDefinition) -> bool:
        """Whether the item goes into a department's own system; the others are done in the platform."""
        return definition.handler == "SYSTEM" and self.adapter(definition) in self.ctx.outward.connected

    def adapter(self, definition: ItemDefinition) -> str:
        """Code of the system an item's department is reached through: its own, or a hub's (YN-1003)."""
        return decide.reached_through(self.policy, definition)

    def deliver(self, slug: str, delay_s: float = 0.0) -> None:
        """Queues the push of an item, or of its reversal (``slug`` ends with ``.R``), into its department's system."""
        plain = slug.removesuffix(UNDO)
        item = self.case.items[plain]
        way = item.delivery if plain == slug or item.reversal is None else item.reversal.delivery
        department = self.adapter(self.definition(plain))
        key = submission_key(self.case.number, slug)
        turn = f"{item.correction}.{way.attempts}.{self.case.revision}"
        self.work.append(Work("deliver", f"deliver:{key}:{turn}", department, (self.case.number, slug), delay_s))

    def instruct(self, payout: str, delay_s: float = 0.0) -> None:
        """Queues telling the department which account to pay."""
        found = self.case.payouts[payout]
        department = self.adapter(self.definition(found.item))
        turn = f"{found.delivery.attempts}.{self.case.revision}"
        self.work.append(
            Work(
                "instruct",
                f"instruct:{self.case.number}:{payout}:{turn}",
                department,
                (self.case.number, payout),
                delay_s,
            )
        )

    def _complete_by_report(self) -> bool:
        done = False
        for definition in self.policy.items:
            item = self.case.items.get(definition.slug)
            if (
                definition.completed_by_report
                and item is not None
                and self.case.reported_at is not None
                and item.status is ItemStatus.DISPATCHED
            ):
                self.record(e.Completed(definition.slug))
                done = True
        return done

    def _complete_by_certificate(self) -> bool:
        """A certificate that was shared, or came by another way, is the act of the item that issues it (WZ-405)."""
        done = False
        for definition in self.policy.items:
            item = self.case.items.get(definition.slug)
            if item is None or item.status in ITEM.final:
                continue
            if decide.certified(self.case, definition):
                blocked = item.status is ItemStatus.BLOCKED
                self.record(e.Found(definition.slug) if blocked else e.Completed(definition.slug))
                done = True
        return done

    def _return_result_again(self) -> None:
        """A result that was returned to a higher platform is returned again when it has changed (YN-1002)."""
        for definition in self.policy.items:
            item = self.case.items.get(definition.slug)
            if definition.service != "RESULT_RETURN" or item is None or item.status is not ItemStatus.COMPLETED:
                continue
            others = [other for slug, other in self.case.items.items() if slug != definition.slug]
            told = item.amended_at or item.finished_at
            fresh = any(other.finished_at and told and other.finished_at > told for other in others)
            if fresh and all(other.status in ITEM.final for other in others):
                outward = self.is_outward(definition)
                self.record(e.Amended(definition.slug, "办理结果有更新", outward))
                if outward:
                    self.deliver(definition.slug)

    def _deduct(self) -> None:
        """A negative account goes against the sums it may be deducted from (WZ-703, PD-10)."""
        for definition in self.policy.items:
            for payout_id, fen in decide.deductions(definition, self.case).items():
                if self.case.payouts[payout_id].deduction != fen:
                    rule = definition.payout.deduction if definition.payout is not None else None
                    assert rule is not None
                    self.record(e.PayoutDeducted(payout_id, fen, rule.item))

    def _direct_payouts(self) -> None:
        """Tells accounts and holds what may not be paid yet (PD-20)."""
        for payout in list(self.case.payouts.values()):
            if payout.status not in (PayoutStatus.APPROVED, PayoutStatus.HELD):
                continue
            if payout.deduction and payout.net == 0:
                self.record(e.PayoutOffset(payout.id))
            else:
                self.direct(payout)

    def direct(self, payout: Payout) -> None:
        """Tells the account of one sum, or holds it with the reason."""
        definition = self.definition(payout.item)
        direction = decide.direct(self.policy, definition, self.case, payout.net)
        if direction.hold is not None:
            if payout.hold != direction.hold and payout.status is not PayoutStatus.RETURNED:
                self.record(e.PayoutHeld(payout.id, direction.hold))
        elif direction.account is not None:
            outward = self.adapter(definition) in self.ctx.outward.instructable
            self.record(e.PayoutInstructed(payout.id, direction.account, outward))
            if outward:
                self.instruct(payout.id)

    def _finish_revocation(self) -> None:
        asked = [item.reversal for item in self.case.items.values() if item.reversal is not None]
        if all(reversal.status in REVERSAL.final for reversal in asked):
            self.record(e.RevocationFinished())

    # ── what the case is found by ───────────────────────────────────────────────────────────────────────

    def rows(self) -> tuple[list[ItemRow], list[PayoutRow], list[ReversalRow], list[AlertRow]]:
        """Rows by which items, payouts, reversals and open alerts are found."""
        found = self._item_rows(), self._payout_rows(), self._reversal_rows(), self._alert_rows()
        return list(found[0]), list(found[1]), list(found[2]), list(found[3])

    def _item_rows(self) -> Iterator[ItemRow]:
        for item in self.case.items.values():
            yield item_row(self.ctx, self.case, item)

    def _reversal_rows(self) -> Iterator[ReversalRow]:
        for item in self.case.items.values():
            if item.reversal is not None:
                yield ReversalRow(
                    slug=item.slug,
                    department=self.adapter(self.definition(item.slug)),
                    status=item.reversal.status,
                    delivery=item.reversal.delivery.state,
                    since=item.reversal.since,
                )

    def _alert_rows(self) -> Iterator[AlertRow]:
        for key, alert in self.case.alerts.items():
            if alert.answered_at is None:
                found = self.policy.item(alert.item) if alert.item is not None else None
                yield AlertRow(key, found.department if found else None, alert.kind, alert.since)

    def _payout_rows(self) -> Iterator[PayoutRow]:
        for payout in self.case.payouts.values():
            found = self.policy.item(payout.item)
            item = self.case.items[payout.item]
            yield PayoutRow(
                payout=payout.id,
                department=found.department if found else None,
                slug=payout.item,
                status=payout.status,
                kind=payout.kind,
                fen=payout.fen,
                due_at=payout_due(self.ctx, self.case, item),
                paid_at=payout.paid_at,
                delivery=payout.delivery.state if payout.status is PayoutStatus.INSTRUCTED else "NONE",
                reached_through=decide.reached_through(self.policy, found) if found else None,
            )


def payout_due(ctx: Ctx, case: Case, item: Item) -> datetime | None:
    """When the money of an item must be on the account; None without such a limit, or without a calendar."""
    clocks = decide.deadlines(ctx.policy(case), ctx.calendar(case), case, item, ctx.now)
    return next((clock.due_at for clock in clocks if clock.limit.clock is ClockKind.PAYOUT), None)


def item_row(ctx: Ctx, case: Case, item: Item) -> ItemRow:
    """What an item is found by."""
    policy = ctx.policy(case)
    definition = policy.item(item.slug)
    clocks = decide.deadlines(policy, ctx.calendar(case), case, item, ctx.now)
    due_at, missing = decide.next_due(clocks)
    if item.status in ITEM.final:
        due_at = next((clock.due_at for clock in clocks if clock.limit.clock is ClockKind.PROCESSING), None)
    due_clock = next((clock.limit.clock for clock in clocks if due_at is not None and clock.due_at == due_at), None)
    return ItemRow(
        slug=item.slug,
        department=definition.department if definition else None,
        reached_through=decide.reached_through(policy, definition) or None if definition else None,
        status=item.status,
        pushed_at=item.pushed_at,
        due_at=due_at,
        due_clock=due_clock,
        finished_at=item.finished_at,
        calendar_missing=missing,
        delivery=_way(definition, item),
        next_attempt_at=item.delivery.next_attempt_at,
        failing_since=item.delivery.failing_since,
    )


def _way(definition: ItemDefinition | None, item: Item) -> str:
    """What lists, polls and the backlog go by: the delivery, unless the item is being undone, has no department to go
    to, or is over."""
    if item.reversal is not None:
        return "REVERSED"
    if item.delivery.state is not DeliveryState.NONE and item.status in ITEM.final and not item.amending:
        return "SETTLED"
    nobodys = definition is not None and definition.department is None and definition.handler == "SYSTEM"
    return "NO_DEPARTMENT" if nobodys and item.status is ItemStatus.BLOCKED else item.delivery.state
