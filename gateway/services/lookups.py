"""Looking persons up in sources of shared data, within a time limit; a silent one refuses nobody (YN-402, WZ-511)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.domain.department import DepartmentError, EvidenceSource
from gateway.domain.evidence import Look, Looks
from gateway.domain.identity import canonical, normalise
from gateway.policy.model import Jurisdiction

log = logging.getLogger("shenhou.sources")


@dataclass(slots=True)
class Lookups:
    """``timeouts_s``: longest wait per source, in seconds."""

    sources: Mapping[str, EvidenceSource]
    timeouts_s: Mapping[str, float]

    async def of(self, policy: Jurisdiction, id_numbers: Sequence[str | None], *uses: str) -> Looks:
        """What every source that the policy uses for one of ``uses`` holds of these persons, side by side."""
        wanted = [use.source for use in policy.shared_sources if set(use.uses) & set(uses)]
        numbers = list(dict.fromkeys(normalise(number) for number in id_numbers if number))
        if not numbers:
            return ()
        return tuple(await asyncio.gather(*(self.ask(source, numbers) for source in wanted)))

    async def ask(self, source: str, id_numbers: Sequence[str]) -> Look:
        """One source; its holdings are None when it is not connected or does not answer in time."""
        adapter = self.sources.get(source)
        if adapter is None:
            return Look(source, None)
        try:
            async with asyncio.timeout(self.timeouts_s.get(source, 2.0)):
                found = await adapter.look_up(id_numbers)
        except (DepartmentError, TimeoutError) as error:
            log.warning("source does not answer", extra={"source": source, "error": str(error)})
            return Look(source, None)
        return Look(source, {canonical(number): holding for number, holding in found.items()})
