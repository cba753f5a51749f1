"""Runs outward work: ask the case what to send, send it through the adapter, record what came of it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

from gateway.domain.case import REVERSAL, Case, split_key
from gateway.domain.department import (
    Callback,
    Department,
    DepartmentError,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    Outcome,
    PaymentState,
    Receipt,
    Record,
)
from gateway.domain.exchange import Exchange, recording
from gateway.domain.messages import Refused
from gateway.faults import places
from gateway.services import evidence, kept, links, reminders, reversal, sending, write_back
from gateway.services.context import Ctx
from gateway.services.lookups import Lookups
from gateway.store import polling
from gateway.store.links import waiting
from gateway.worker.engine import Engine
from gateway.worker.recurring import Loop

log = logging.getLogger("shenhou.outward")
CALLBACK_POLL_FACTOR = 15
"""Departments that call back are polled as well, so much less often: a lost message is found."""
BATCH = 500
KEEP_WORK = timedelta(days=7)
LONGEST_REST_S = 60.0
MOST_SEEN = 100_000
POLLS_AT_ONCE = 30
CHECKPOINT_S = 300.0
"""Seconds between two checkpoints: for so long a forger has time."""


@dataclass(slots=True)
class Outward:
    """``run``: a use case in a writing transaction, as the gateway, or as the department that is named with it.

    ``poll_s``: seconds between polls, per department.
    """

    departments: Mapping[str, Department]
    run: Callable[..., Awaitable[Any]]
    look: Callable[[Callable[[Ctx], Any]], Awaitable[Any]]
    poll_s: Mapping[str, float]
    ladder_s: Sequence[float]
    engine: Engine
    lookups: Lookups = field(default_factory=lambda: Lookups({}, {}))
    source_poll_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds between two questions to a source of shared data, per source."""
    checkpoint: Callable[[], object] = lambda: None
    """Writes the checkpoints that are due; may take a while."""
    _seen: dict[str, bytes] = field(default_factory=dict)
    _positions: dict[str, polling.Position] = field(default_factory=dict)
    _idle: dict[str, tuple[int, int]] = field(default_factory=dict)
    _pages: dict[str, str] = field(default_factory=dict)
    _resting: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Per silent department: when it is asked again (monotonic), and the pause after that, in seconds."""

    # ── work of the durable engine ──────────────────────────────────────────────────────────────────────

    async def deliver(self, number: str, what: str) -> None:
        """Pushes one item, or its reversal.  A department that was told before is asked first what it holds."""
        push = await self.run(partial(sending.begin_push, number=number, what=what))
        if push is None:
            return
        exchange, record = Exchange(), None
        try:
            with recording(exchange):
                if push.told_before and not push.application.correction:
                    record = await self._held(push.code, push.key)
                receipt = _receipt(record) if record else await self._adapter(push.code).submit(push.application)
        except Exception as error:
            failure = _failure(error, push.code)
            ladder = self._ladder(failure)
            await self.run(lambda ctx: sending.not_pushed(ctx, push, failure, exchange, ladder))
            return
        at_once = receipt.outcome is Outcome.COMPLETED and not push.undoes
        taken = replace(receipt, outcome=Outcome.RECEIVED) if at_once else receipt
        await self.run(lambda ctx: sending.pushed(ctx, push, taken, exchange))
        if at_once:
            await self._read_result(push.code, push.key, record)

    async def _read_result(self, code: str, key: str, record: Record | None) -> None:
        """What was done at once is taken whole, certificates and details with it; what cannot be read now is polled."""
        try:
            record = record or await self._held(code, key)
        except DepartmentError as error:
            log.warning("result not read", extra={"department": code, "error": str(error)})
            return
        if record is not None:
            await self._take_read(code, record)

    async def instruct(self, number: str, payout: str) -> None:
        """Tells a department which account to pay.  One that was told before is asked first whether it pays."""
        sent = await self.run(partial(sending.begin_instruction, number=number, payout=payout))
        if sent is None:
            return
        exchange, receipt = Exchange(), None
        try:
            with recording(exchange):
                if sent.told_before:
                    record = await self._held(sent.code, sent.instruction.application_key)
                    receipt = _paying(record, sent.instruction.serial) if record is not None else None
                receipt = receipt or await self._adapter(sent.code).instruct(sent.instruction)
        except Exception as error:
            failure = _failure(error, sent.code)
            ladder = self._ladder(failure)
            await self.run(lambda ctx: sending.not_instructed(ctx, sent, failure, exchange, ladder))
            return
        await self.run(lambda ctx: sending.instructed(ctx, sent, receipt, exchange))

    async def _held(self, code: str, key: str) -> Record | None:
        return (await self._adapter(code).read_many([key])).get(key)

    def _adapter(self, code: str) -> Department:
        if code not in self.departments:
            raise DepartmentUnavailable("the department is not connected")
        return self.departments[code]

    def _ladder(self, error: DepartmentError) -> list[float]:
        """The pauses, each with a little chance so that a backlog does not come back all at once."""
        least = error.retry_after_s or 0.0
        return [max(least, pause * random.uniform(0.9, 1.2)) for pause in self.ladder_s]  # noqa: S311

    # ── results ─────────────────────────────────────────────────────────────────────────────────────────

    async def take_callback(self, code: str, callback: Callback, areas: tuple[str, ...] | None) -> str | None:
        """Takes a message a department sent, whose token is for these areas (code prefixes; None: everywhere).

        Returns the code of the refusal, None when it was taken.
        """
        refusal = None
        for record in callback.records:
            number, slug = split_key(record.key)
            theirs = partial(
                write_back.must_concern,
                department=code,
                areas=areas,
                number=number,
                slug=slug.removesuffix(REVERSAL),
            )
            try:
                await self.look(theirs)
                ack = await self._take(code, record, callback.serial)
            except Refused as refused:
                refusal = refused.problems[0].reason.code.value
                continue
            refusal = ack.reason.code.value if ack.reason is not None else refusal
        return refusal

    async def poll(self, code: str) -> int:
        """Asks one department about one page of what it holds; takes what changed.  Returns how many changed."""
        after = self._positions.get(code, polling.START)
        keys, self._positions[code] = await self.look(lambda ctx: polling.page(ctx.tx, code, after, BATCH))
        if not keys:
            return 0
        exchange = Exchange()
        try:
            with recording(exchange):
                found = await self.departments[code].read_many(keys)
        except DepartmentError as error:
            self._positions[code] = after
            self._rest(code, error)
            await self._count(code, failed=True)
            return 0
        self._resting.pop(code, None)
        changed = [record for record in found.values() if self._seen.get(record.key) != _mark(record)]
        news = await self.look(partial(write_back.news, department=code, records=changed)) if changed else []
        self._remember(changed)
        fresh = [record.key for record in news if await self._take_read(code, record)]
        if fresh:
            await self.run(partial(kept.read, code=code, exchange=exchange, fresh=fresh))
        else:
            await self._count(code)
        return len(fresh)

    async def _count(self, code: str, failed: bool = False) -> None:
        """Polls without news are counted, and written down now and then: a poll is no reason to write."""
        unchanged, silent = self._idle.get(code, (0, 0))
        unchanged, silent = unchanged + (not failed), silent + failed
        self._idle[code] = (unchanged, silent)
        if unchanged + silent >= POLLS_AT_ONCE:
            del self._idle[code]
            await self.run(partial(kept.polled, code=code, unchanged=unchanged, failed=silent))

    def _rest(self, code: str, error: DepartmentError) -> None:
        """A department that does not answer is asked again after pauses that grow, and that is told once."""
        _, pause = self._resting.get(code, (0.0, self.poll_s[code]))
        if code not in self._resting:
            log.warning("poll failed", extra={"department": code, "error": str(error)})
        self._resting[code] = (time.monotonic() + pause, min(pause * 2, LONGEST_REST_S))

    async def _take_read(self, code: str, record: Record) -> bool:
        try:
            ack = await self._take(code, record, write_back.record_serial(record))
        except Refused:
            ack = None
        if ack is None or ack.outcome is write_back.AckOutcome.REFUSED:
            self._seen.pop(record.key, None)  # what was refused may be possible later
        return ack is not None and ack.outcome is write_back.AckOutcome.APPLIED

    def _remember(self, records: Sequence[Record]) -> None:
        if len(self._seen) + len(records) > MOST_SEEN:
            self._seen.clear()
        self._seen |= {record.key: _mark(record) for record in records}

    async def _take(self, code: str, record: Record, serial: str) -> write_back.Ack:
        number, slug = split_key(record.key)
        if slug.endswith(REVERSAL):
            return await self._take_reversal(code, number, slug.removesuffix(REVERSAL), record)
        report = write_back.report_of(record)
        take = partial(write_back.take, department=code, number=number, slug=slug, serial=serial, report=report)
        ack: write_back.Ack = await self.run(take, code)
        return ack

    async def _take_reversal(self, code: str, number: str, slug: str, record: Record) -> write_back.Ack:
        reason = record.reason or record.raw_message
        take = partial(reversal.take, department=code, number=number, slug=slug, outcome=record.outcome, reason=reason)
        case: Case = await self.run(partial(take, reference=record.reference, raw_code=record.raw_code), code)
        return write_back.Ack(write_back.AckOutcome.APPLIED, record.updated_at, case=case)

    # ── recurring work ──────────────────────────────────────────────────────────────────────────────────

    def recurring(self) -> Iterator[Loop]:
        yield self.engine.heartbeat_s, self._beat
        yield self.engine.heartbeat_s, self.tend
        yield 3600.0, self._tidy
        yield self.engine.in_turn("checkpoint", CHECKPOINT_S, partial(asyncio.to_thread, self.checkpoint))
        for code in self.departments:
            yield self.poll_s[code], partial(self._poll_in_turn, code)
        for source in self.lookups.sources:
            every_s = self.source_poll_s.get(source, 60.0)
            yield self.engine.in_turn(f"source:{source}", every_s, partial(self.fetch_shared, source))
        yield reminders.EVERY_S, self._remind

    async def _beat(self) -> None:
        gone = await asyncio.to_thread(self.engine.beat)
        if gone:
            log.warning("work taken over", extra={"executors": len(gone)})

    async def _tidy(self) -> None:
        await asyncio.to_thread(self.engine.tidy, KEEP_WORK)

    async def tend(self) -> None:
        """Looks after links that are down or were paused: sends probes, releases what waited."""
        for code in await self.look(links.unwell):
            if await self.engine.has_turn(f"link:{code}", self.engine.heartbeat_s):
                await self.run(partial(links.probe, code=code))
                await self._release(code)

    async def _release(self, code: str) -> None:
        """Page by page, so that a long backlog is no long transaction; broken off, it begins again at the next turn."""
        found = await self.look(partial(links.releasable, code=code))
        if found is None:
            return
        turn = f"released.{uuid.uuid4().hex[:12]}"
        pages = await self.look(lambda ctx: list(waiting(ctx.tx, code, links.PAGE)))
        for page in pages:
            if await self.look(partial(links.releasable, code=code)) is None:
                return
            await self.run(partial(links.release, code=code, waiting=page, turn=turn))
        await self.run(partial(links.released, code=code, parked_at=found.parked_at))

    async def _remind(self) -> None:
        if not await self.look(partial(reminders.due, limit=1)):
            return
        if await self.engine.has_turn("reminders", reminders.EVERY_S):
            await reminders.sweep(self.look, self.run)

    async def _poll_in_turn(self, code: str) -> None:
        rests_until, _ = self._resting.get(code, (0.0, 0.0))
        if time.monotonic() < rests_until or not await self.look(partial(_to_poll, code=code)):
            return
        if await self.engine.has_turn(f"poll:{code}", self.poll_s[code]):
            await self.poll(code)

    async def fetch_shared(self, source: str) -> int:
        """Asks a source for what one page of the open cases waits for (WZ-511).  Returns how many cases changed."""
        page = partial(evidence.wanting, source=source, after=self._pages.get(source, ""), limit=BATCH)
        wanted, after = await self.look(page)
        numbers = list(dict.fromkeys(number for found in wanted.values() for number in found))
        answer = await self.lookups.ask(source, numbers) if numbers else None
        if answer is not None and answer.holdings is None:
            return 0  # the same page again
        self._pages[source] = after or ""
        changed = 0
        for case, found in wanted.items():
            if answer is not None and any(answer.of(number) for number in found):
                changed += await self.run(partial(evidence.take, number=case, looks=(answer,)))
        return changed


def _mark(record: Record) -> bytes:
    said = (record.outcome, record.raw_code, record.payments, record.updated_at)
    return hashlib.sha256(repr(said).encode()).digest()


def _receipt(record: Record) -> Receipt:
    return Receipt(record.outcome, record.reference, record.raw_code, record.raw_message)


def _paying(record: Record, serial: str) -> Receipt | None:
    """The receipt of an instruction that the department has taken, by what it says of the sum."""
    taken = (PaymentState.INSTRUCTED, PaymentState.PAID)
    found = next((payment for payment in record.payments if payment.serial == serial and payment.state in taken), None)
    return Receipt(Outcome.RECEIVED, record.reference, record.raw_code) if found is not None else None


def _failure(error: Exception, code: str) -> DepartmentError:
    """A defect of an adapter is a failed attempt as any other: the work is not lost, and support sees it."""
    if isinstance(error, DepartmentError):
        return error
    log.error("adapter failed", extra={"department": code, "kind": type(error).__name__, "frames": places(error)})
    return DepartmentUnintelligible(f"the adapter failed ({type(error).__name__})")


def _to_poll(ctx: Ctx, code: str) -> bool:
    """Whether there is something to ask, and the department is to be asked at all."""
    keys, _ = polling.page(ctx.tx, code, polling.START, 1)
    return bool(keys) and not links.in_pause(ctx, code)
