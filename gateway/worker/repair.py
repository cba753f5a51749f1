"""The repair sweep: recurring work of one gateway at a time, in pages, and the same thing by hand (``shenhou doctor``).

One turn looks at a bounded number of cases, asks each department about a bounded number of them, and goes on there the
next time.  A finding is always looked at again with the case locked before anything is done about it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.exc import IntegrityError, OperationalError

from gateway.domain.case import split_key
from gateway.domain.department import Department, DepartmentError
from gateway.domain.findings import Finding, FindingCode, Known, Standing
from gateway.services import comparison, links, repair
from gateway.services.comparison import Look
from gateway.services.context import Ctx
from gateway.services.health import CASES
from gateway.store import cases, derived, findings
from gateway.worker import engine_view
from gateway.worker.engine import Engine
from gateway.worker.engine_view import WAITING, Snapshot
from gateway.worker.recurring import Loop

log = logging.getLogger("shenhou.repair")
KEEP_FINDINGS = timedelta(days=30)
ENGINE, DEPARTMENT = "engine", "department:"
"""Parts of the sweep beside the cases, each with a position of its own."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the sweep goes."""

    pause_s: float
    """Between two turns; 0: the gateway does not sweep by itself."""
    cases: int
    """Cases that one turn looks at, and pieces of the engine's work."""
    asked: int
    """Cases about which one turn asks each department, in one question."""
    confirm_s: float
    """How far apart two looks at a department have to be before what it lacks counts as lost."""


@dataclass(slots=True)
class Repair:
    """``run``, ``look``: as in ``Outward``."""

    departments: Mapping[str, Department]
    run: Callable[..., Awaitable[Any]]
    look: Callable[[Callable[[Ctx], Any]], Awaitable[Any]]
    engine: Engine
    pace: Pace

    # ── by itself ───────────────────────────────────────────────────────────────────────────────────────

    def recurring(self) -> Iterator[Loop]:
        if self.pace.pause_s > 0:
            yield self.engine.in_turn("repair", self.pace.pause_s, self.turn)

    async def turn(self) -> list[Finding]:
        """One bounded piece of the sweep; what can be healed is healed.  Returns what was found."""
        found = [*await self.sweep_engine(True), *await self._page(CASES, partial(self.sweep_cases, heal=True))]
        for code in self.departments:
            found += await self._page(f"{DEPARTMENT}{code}", partial(self.sweep_department, code, heal=True))
        await self.run(lambda ctx: findings.forget(ctx.tx, ctx.now - KEEP_FINDINGS))
        done = sum(finding.standing is Standing.HEALED for finding in found)
        if found:
            log.warning("repair sweep", extra={"found": len(found), "healed": done})
        return found

    async def _page(self, part: str, sweep: Callable[[str], Awaitable[tuple[list[Finding], str]]]) -> list[Finding]:
        position = await self.look(lambda ctx: findings.position(ctx.tx, part))
        found, after = await sweep(position.position if position is not None else "")
        await self.run(lambda ctx: findings.move(ctx.tx, part, after, ctx.now))
        return found

    # ── by hand ─────────────────────────────────────────────────────────────────────────────────────────

    async def whole(self, heal: bool, number: str | None = None, ask: bool = True) -> list[Finding]:
        """Everything from beginning to end, or one case with all that departments hold of it, finished or not.

        ``ask``: departments are asked as well.
        """
        if number is not None:
            found = await self._examine([number], heal)
            for code in self.departments if ask else ():
                found += await self._ask(code, [number], heal, finished=True)
            return found
        found = await self.sweep_engine(heal, all_of_it=True)
        sweeps = [partial(self.sweep_cases, heal=heal)]
        sweeps += [partial(self.sweep_department, code, heal=heal) for code in self.departments if ask]
        for sweep in sweeps:
            after = ""
            while True:
                more, after = await sweep(after)
                found += more
                if not after:
                    break
        return found

    # ── cases ───────────────────────────────────────────────────────────────────────────────────────────

    async def sweep_cases(self, after: str, heal: bool) -> tuple[list[Finding], str]:
        """One page of cases and shared records.  Returns what was found, and where the next page begins."""
        numbers = await self.look(lambda ctx: derived.numbers(ctx.tx, after, self.pace.cases))
        return await self._examine(numbers, heal), numbers[-1] if len(numbers) == self.pace.cases else ""

    async def _examine(self, numbers: Sequence[str], heal: bool) -> list[Finding]:
        engine = await self.look(lambda ctx: engine_view.snapshot(ctx.tx))
        known = await self.look(lambda ctx: findings.of(ctx.tx, numbers))
        every: list[Finding] = []
        for number in numbers:
            before = [kept.finding for kept in known.values() if kept.finding.number == number]
            try:
                found = await self.look(partial(repair.examine, number=number, engine=engine))
                if found:  # again, with the case locked: it may have been in motion
                    found = await self.run(partial(repair.examine, number=number, engine=engine, heal=heal))
                here = await self.look(partial(comparison.open_places, number=number)) if before and not found else None
            except (cases.Stale, IntegrityError, OperationalError):
                continue  # it is being worked on; the next sweep comes by
            except Exception as error:
                # Its text may quote what stands in the case.
                log.error("a case could not be examined", extra={"case": number, "kind": type(error).__name__})
                words = {"detail": type(error).__name__}
                found, here = [Finding(FindingCode.NOT_EXAMINED, number, "", Standing.PERSON, words)], None
            gone = [old for old in before if old.code in repair.CODES]
            if here is not None:
                gone += [old for old in before if old.code is FindingCode.NOT_KNOWN_THERE and old.place not in here]
            await self._keep(found, gone)
            every += found
        return every

    # ── departments ─────────────────────────────────────────────────────────────────────────────────────

    async def sweep_department(self, code: str, after: str, heal: bool) -> tuple[list[Finding], str]:
        """One question to one department.  When it does not answer, the same question is put the next time."""
        if await self.look(partial(links.kept_back, code=code)):
            return [], after if heal else ""
        numbers = await self.look(lambda ctx: derived.told(ctx.tx, code, after, self.pace.asked))
        try:
            found = await self._ask(code, numbers, heal)
        except DepartmentError as error:
            log.warning("a department could not be asked", extra={"department": code, "error": str(error)})
            return [], after if heal else ""
        return found, numbers[-1] if len(numbers) == self.pace.asked else ""

    async def _ask(self, code: str, numbers: Sequence[str], heal: bool, finished: bool = False) -> list[Finding]:
        keys = [key for number in numbers for key in await self._keys(code, number, finished)]
        if not keys:
            return []
        records = await self.departments[code].read_many(keys)
        same = await self.look(partial(comparison.unchanged, records=records))
        known = await self.look(lambda ctx: findings.of(ctx.tx, numbers))
        look = Look(code, known, self.pace.confirm_s)
        every: list[Finding] = []
        for key in keys:
            found: list[Finding] = []
            if key not in same:
                call = partial(comparison.compare, look=look, key=key, record=records.get(key), heal=heal)
                try:
                    found = await self.run(call, code)
                except Exception as error:
                    log.warning("a record was not compared", extra={"key": key, "kind": type(error).__name__})
                    continue  # the next sweep comes by; what is wrong with the case itself is found there
            await self._keep(found, _of_key(known, key))
            every += found
        return every

    async def _keys(self, code: str, number: str, finished: bool) -> list[str]:
        try:
            call = partial(comparison.keys, department=code, number=number, finished=finished)
            return list(await self.look(call))
        except Exception:
            return []  # a case that cannot be read is found by the sweep of cases

    # ── the engine ──────────────────────────────────────────────────────────────────────────────────────

    async def sweep_engine(self, heal: bool, all_of_it: bool = False) -> list[Finding]:
        """Work of processes that are gone, and a page of the work that waits, for what has no purpose any more."""
        engine: Snapshot = await self.look(lambda ctx: engine_view.snapshot(ctx.tx))
        known = await self.look(lambda ctx: findings.of(ctx.tx, [""]))
        found = []
        for executor, pieces in engine.left_behind(self.engine.now()).items():
            finding = Finding(FindingCode.EXECUTOR_GONE, "", executor, facts={"detail": str(len(pieces))})
            if heal:
                await asyncio.to_thread(engine_view.resume, self.engine.database, pieces)
            found.append(finding)
        page = await self._work_to_check(engine, all_of_it)
        useless: dict[str, list[str]] = {}
        for id_ in page:
            if not await self._wanted(id_):
                useless.setdefault(engine.pieces[id_].department, []).append(id_)
        for department, ids in useless.items():
            finding = Finding(FindingCode.WORK_WITHOUT_PURPOSE, "", department, facts={"detail": str(len(ids))})
            if heal:
                await asyncio.to_thread(engine_view.cancel, self.engine.database, ids)
            found.append(finding)
        if heal:
            found = [repair.healed(finding) for finding in found]
        await self._keep(found, [kept.finding for kept in known.values()])
        return found

    async def _wanted(self, work_id: str) -> bool:
        try:
            return bool(await self.look(partial(repair.wanted, subject=engine_view.subject_of(work_id))))
        except Exception:
            return True  # a case that cannot be read is found as such; its work waits for it

    async def _work_to_check(self, engine: Snapshot, all_of_it: bool) -> list[str]:
        """Ids of waiting work, a page of them from where the last turn stopped."""
        ids = sorted(id_ for id_, piece in engine.pieces.items() if piece.status in WAITING)
        if all_of_it:
            return ids
        position = await self.look(lambda ctx: findings.position(ctx.tx, ENGINE))
        after = position.position if position is not None else ""
        page = [id_ for id_ in ids if id_ > after][: self.pace.cases]
        to = page[-1] if len(page) == self.pace.cases else ""
        await self.run(lambda ctx: findings.move(ctx.tx, ENGINE, to, ctx.now))
        return page

    async def _keep(self, found: Sequence[Finding], before: Iterable[Finding]) -> None:
        """Keeps what was found; what was found before and is there no more is forgotten."""
        still = {(finding.code, finding.place) for finding in found}
        gone = [old for old in before if (old.code, old.place) not in still and old.standing is not Standing.HEALED]

        def keep(ctx: Ctx) -> None:
            findings.keep(ctx.tx, found, ctx.now)
            findings.clear(ctx.tx, gone)

        if found or gone:
            await self.run(keep)


def _of_key(known: Mapping[tuple[FindingCode, str, str], Known], key: str) -> list[Finding]:
    """What was found before of one key: of its item, or of a sum of it."""
    number, slug = split_key(key)
    return [
        kept.finding
        for (code, of, place), kept in known.items()
        if code in comparison.CODES and of == number and place.partition(":")[0] == slug
    ]
