"""What the scanner has not seen yet is shown to it, and what nobody needs is swept away: recurring work."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from gateway.desk import Desk
from gateway.domain.materials import MaterialStatus
from gateway.services import materials
from gateway.store import uploads
from gateway.upload_settings import UploadSettings
from gateway.worker.engine import Engine
from gateway.worker.recurring import Loop
from gateway.worker.scanner import Scanner, ScannerAway

log = logging.getLogger("shenhou.uploads")
SCAN_S = 15.0
SWEEP_S = 600.0
AT_ONCE = 200
"""Files that one turn looks at."""


@dataclass(slots=True)
class Scanning:
    """``scanner`` None: there is none, and nothing waits for it."""

    desk: Desk
    engine: Engine
    settings: UploadSettings
    scanner: Scanner | None

    def recurring(self) -> Iterator[Loop]:
        yield self.engine.in_turn("uploads", SWEEP_S, self.sweep)
        if self.scanner is not None:
            yield self.engine.in_turn("scan", SCAN_S, self.scan)

    async def scan(self) -> int:
        """Shows the scanner what waits for it.  Returns how many files it judged; ends where it gives no verdict."""
        done = 0
        ids = await self.desk.look(None, lambda ctx: uploads.waiting(ctx.tx, AT_ONCE))
        random.shuffle(ids)  # one that can never be scanned holds up nobody for long
        for id in ids:
            status = await looked_at(self.desk, self.scanner, id)
            if status is MaterialStatus.WAITING:
                break
            await self.desk.change(None, partial(materials.judged, id=id, status=status))
            done += 1
        return done

    async def sweep(self) -> int:
        """Removes what was broken off, and what no case named.  Returns how many files."""
        sweep = partial(materials.sweep, at=datetime.now(UTC), keep_s=self.settings.keep_s)
        return await self.desk.change(None, sweep)


async def looked_at(desk: Desk, scanner: Scanner | None, id: str) -> MaterialStatus:
    """What the scanner says of a file, whole or still on its way."""
    if scanner is None:
        return MaterialStatus.NOT_SCANNED
    try:
        found = await scanner.scan(content(desk, id))
    except ScannerAway as error:
        log.warning("the scanner gives no verdict; the file waits", extra={"error": str(error)})
        return MaterialStatus.WAITING
    if found is not None:
        log.warning("a file is infected", extra={"found": "".join(c for c in found if c.isprintable())})
        return MaterialStatus.INFECTED
    return MaterialStatus.CLEAN


async def content(desk: Desk, id: str, first: bytes | None = None) -> AsyncIterator[bytes]:
    """Plain content of a file, part by part.  ``first``: part 0, where it was read before."""
    part, number = first or await part_of(desk, id, 0), 0
    while part is not None:
        yield part
        number += 1
        part = await part_of(desk, id, number)


async def part_of(desk: Desk, id: str, number: int) -> bytes | None:
    return await desk.look(None, lambda ctx: uploads.part(ctx.tx, id, number))
