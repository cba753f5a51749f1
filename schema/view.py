"""What every type of one case shares: the case as the viewer sees it, its policy, its calendar, the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from gateway.desk import Desk
from gateway.domain.calendar import Calendar
from gateway.domain.case import Case, IssuedCertificate, Item
from gateway.domain.deadlines import Deadline
from gateway.policy import decide
from gateway.policy.book import PolicyBook
from gateway.policy.model import ItemDefinition, Jurisdiction
from schema.types.common import Certificate


@dataclass
class View:
    """One case for one viewer."""

    desk: Desk
    case: Case
    now: datetime

    @classmethod
    def of(cls, desk: Desk, case: Case) -> View:
        return cls(desk, case, desk.clock.now())

    @cached_property
    def policy(self) -> Jurisdiction:
        return self.book.version(self.case.jurisdiction, self.case.policy_version)

    @property
    def book(self) -> PolicyBook:
        return self.desk.book

    @property
    def calendar(self) -> Calendar:
        return self.book.calendars[self.case.jurisdiction]

    def definition(self, slug: str) -> ItemDefinition:
        found = self.policy.item(slug)
        assert found is not None, "a case has items of its policy only"
        return found

    def certificate(self, found: IssuedCertificate) -> Certificate:
        """A certificate of the case, sealed when the seal is asked for.

        A seal is over the number: beside a masked one it would tell which number fits.
        """
        if "*" in found.number:
            return Certificate.of(self.book, found)
        return Certificate.of(self.book, found, lambda: self.desk.seals.certificate(self.case.number, found))

    def deadlines(self, item: Item) -> list[Deadline]:
        return decide.deadlines(self.policy, self.calendar, self.case, item, self.now)
