"""Runs outward work: ask the case what to send, send it through the adapter, record what came of it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from gateway.domain.case import REVERSAL, Case, split_key, submission_key
from gateway.domain.department import (
    Callback,
    Department,
    DepartmentError,
    DepartmentUnavailable,
    Outcome,
    Receipt,
    Record,
)
from gateway.domain.messages import Refused
from gateway.policy import decide
from gateway.services import dispatch, evidence, reversal, write_back
from gateway.services.context import Ctx
from gateway.services.lookups import Lookups
from gateway.store import cases
from gateway.store.tables import items, payouts
from gateway.worker.engine import Engine

log = logging.getLogger("shenhou.outward")
CALLBACK_POLL_FACTOR = 15
"""Departments that call back are polled as well, so much less often: a lost message is found."""
BATCH = 500
KEEP_WORK = timedelta(days=7)


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
    _seen: dict[str, str] = field(default_factory=dict)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    # ── work of the durable engine ──────────────────────────────────────────────────────────────────────

    async def deliver(self, number: str, slug: str) -> None:
        """Pushes one item, or its reversal.  After a failed attempt the department is asked first what it holds."""
        use = reversal if slug.endswith(REVERSAL) else dispatch
        slug = slug.removesuffix(REVERSAL)
        application = await self.look(lambda ctx: use.application(ctx, number, slug))
        if application is None:
            return
        code, attempts = await self.look(lambda ctx: _reached_through(ctx, number, slug, use is reversal))
        try:
            adapter = self._adapter(code)
            known = await adapter.read_many([application.key]) if attempts and not application.correction else {}
            record = known.get(application.key)
            if record is not None:
                receipt = Receipt(record.outcome, record.reference, record.raw_code, record.raw_message)
            else:
                receipt = await adapter.submit(application)
        except DepartmentError as error:
            text, ladder, again = str(error), self._ladder(error), error.retryable
            await self.run(lambda ctx: use.not_delivered(ctx, number, slug, text, ladder, again))
            return
        at_once = receipt.outcome is Outcome.COMPLETED and use is dispatch
        taken = replace(receipt, outcome=Outcome.RECEIVED) if at_once else receipt
        await self.run(lambda ctx: use.delivered(ctx, number, slug, taken))
        if at_once:
            await self._read_result(code, application.key, record)

    async def _read_result(self, code: str, key: str, record: Record | None) -> None:
        """What was done at once is taken whole, certificates and details with it; what cannot be read now is polled."""
        try:
            record = record or (await self._adapter(code).read_many([key])).get(key)
        except DepartmentError as error:
            log.warning("result not read", extra={"department": code, "error": str(error)})
            return
        if record is not None:
            await self._take_read(code, record)

    async def instruct(self, number: str, payout: str) -> None:
        """Tells a department which account to pay."""
        instruction = await self.look(lambda ctx: dispatch.instruction(ctx, number, payout))
        if instruction is None:
            return
        _, slug = split_key(instruction.application_key)
        code, _ = await self.look(lambda ctx: _reached_through(ctx, number, slug))
        try:
            receipt = await self._adapter(code).instruct(instruction)
        except DepartmentError as error:
            text, ladder, again = str(error), self._ladder(error), error.retryable
            await self.run(lambda ctx: dispatch.not_instructed(ctx, number, payout, text, ladder, again))
            return
        await self.run(lambda ctx: dispatch.instructed(ctx, number, payout, receipt))

    def _adapter(self, code: str) -> Department:
        if code not in self.departments:
            raise DepartmentUnavailable("the department is not connected")
        return self.departments[code]

    def _ladder(self, error: DepartmentError) -> list[float]:
        """The pauses, each with a little chance so that a backlog does not come back all at once."""
        least = error.retry_after_s or 0.0
        return [max(least, pause * random.uniform(0.9, 1.2)) for pause in self.ladder_s]  # noqa: S311

    # ── results ─────────────────────────────────────────────────────────────────────────────────────────

    async def take_callback(self, code: str, callback: Callback) -> str | None:
        """Takes a message a department sent.  Returns the code of the refusal, None when it was taken."""
        refusal = None
        for record in callback.records:
            try:
                ack = await self._take(code, record, callback.serial)
            except Refused as refused:
                refusal = refused.problems[0].reason.code.value
                continue
            refusal = ack.reason.code.value if ack.reason is not None else refusal
        return refusal

    async def poll(self, code: str) -> int:
        """Reads every open application of one department; takes what changed.  Returns how many changed."""
        keys = await self.look(lambda ctx: _open_keys(ctx, code))
        changed = 0
        for start in range(0, len(keys), BATCH):
            try:
                found = await self.departments[code].read_many(keys[start : start + BATCH])
            except DepartmentError as error:
                log.warning("poll failed", extra={"department": code, "error": str(error)})
                return changed
            for record in found.values():
                changed += await self._take_read(code, record)
        return changed

    async def _take_read(self, code: str, record: Record) -> bool:
        report = write_back.report_of(record)
        mark = hashlib.sha256(repr((report.outcome, report.raw_code, report.payments, record.updated_at)).encode())
        if self._seen.get(record.key) == mark.hexdigest():
            return False
        try:
            ack = await self._take(code, record, write_back.record_serial(record))
        except Refused:
            return False
        self._seen[record.key] = mark.hexdigest()
        if len(self._seen) > 100_000:
            self._seen.clear()
        return bool(ack.outcome == write_back.AckOutcome.APPLIED)

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

    def start(self) -> None:
        """Starts heartbeats and polling in the running event loop."""
        loops = [self._repeat(self.engine.heartbeat_s, self._beat), self._repeat(3600.0, self._tidy)]
        loops += [self._repeat(self.poll_s[code], self._turn(code)) for code in self.departments]
        loops += [self._repeat(self.source_poll_s.get(code, 60.0), self._ask(code)) for code in self.lookups.sources]
        self._tasks = [asyncio.create_task(loop) for loop in loops]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _repeat(self, seconds: float, call: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds * random.uniform(0.8, 1.2))  # noqa: S311
            try:
                await call()
            except Exception:
                log.exception("recurring work failed; it is tried again")

    async def _beat(self) -> None:
        gone = await asyncio.to_thread(self.engine.beat)
        if gone:
            log.warning("work taken over", extra={"executors": len(gone)})

    async def _tidy(self) -> None:
        await asyncio.to_thread(self.engine.tidy, KEEP_WORK)

    def _turn(self, code: str) -> Callable[[], Awaitable[None]]:
        async def turn() -> None:
            if await self.look(lambda ctx: _open_keys(ctx, code, 1)) and await asyncio.to_thread(
                self.engine.holds, f"poll:{code}", self.poll_s[code] * 0.7
            ):
                await self.poll(code)

        return turn

    def _ask(self, source: str) -> Callable[[], Awaitable[None]]:
        async def turn() -> None:
            if await asyncio.to_thread(
                self.engine.holds, f"source:{source}", self.source_poll_s.get(source, 60.0) * 0.7
            ):
                await self.fetch_shared(source)

        return turn

    async def fetch_shared(self, source: str) -> int:
        """Asks a source for what open cases wait for (WZ-511).  Returns how many cases it had something for."""
        after: str | None = ""
        changed = 0
        while after is not None:
            page = partial(evidence.wanting, source=source, after=after, limit=BATCH)
            wanted, after = await self.look(page)
            numbers = list(dict.fromkeys(number for found in wanted.values() for number in found))
            answer = await self.lookups.ask(source, numbers) if numbers else None
            if answer is None:
                continue
            if answer.holdings is None:
                return changed
            for case in [case for case, found in wanted.items() if any(answer.of(number) for number in found)]:
                changed += await self.run(partial(evidence.take, number=case, looks=(answer,)))
        return changed


def _reached_through(ctx: Ctx, number: str, slug: str, undo: bool = False) -> tuple[str, int]:
    """(code of the system an item goes into, attempts so far)."""
    case = cases.get(ctx.tx, number)
    assert case is not None
    policy, item = ctx.policy(case), case.items[slug]
    definition = policy.item(slug)
    assert definition is not None and definition.department is not None
    way = item.reversal.delivery if undo and item.reversal is not None else item.delivery
    return decide.reached_through(policy, definition), way.attempts


def _open_keys(ctx: Ctx, code: str, limit: int | None = None) -> list[str]:
    """Keys of delivered applications of a department on which something can still change."""
    i, p = items.c, payouts.c
    open_items = (
        select(i.number, i.slug)
        .where(i.reached_through == code, i.delivery == "DELIVERED", i.finished_at.is_(None))
        .order_by(i.pushed_at)
    )
    settled = ("PAID", "OFFSET", "CANCELLED")
    open_payouts = (
        select(p.number, p.slug).where(p.reached_through == code, p.status.not_in(settled), p.fen > 0).distinct()
    )
    found: dict[str, None] = {}
    for statement in (open_items, open_payouts):
        rows = ctx.tx.connection.execute(statement.limit(limit) if limit else statement)
        found.update({submission_key(row.number, row.slug): None for row in rows})
    return [*found, *reversal.open_keys(ctx, code, limit)]
