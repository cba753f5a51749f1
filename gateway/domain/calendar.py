"""Working days (工作日): from calendar data only, never "weekday < 6" (PD-01).

A year's data are the State Council's notice: days off and make-up days.  A date outside the loaded years raises
``CalendarMissing``: no date is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class CalendarMissing(LookupError):
    """The calendar of ``year`` is not loaded, so no working day in it can be told."""

    def __init__(self, year: int) -> None:
        super().__init__(f"the working-day calendar of {year} is not loaded")
        self.year = year


@dataclass(frozen=True, slots=True)
class Year:
    """One year's notice.  ``days_off``: date → holiday name; ``make_up_days``: weekend days that are worked."""

    days_off: Mapping[date, str]
    make_up_days: frozenset[date]
    source: str


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a deadline's arithmetic.  ``note``: ``WORKDAY`` | ``MAKE_UP_DAY`` | ``WEEKEND`` | holiday name."""

    on: date
    counts: bool
    note: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """The loaded years and the time zone in which a day begins and ends."""

    years: Mapping[int, Year]
    zone: ZoneInfo

    def local_date(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def day(self, on: date) -> Day:
        """Raises ``CalendarMissing``."""
        year = self.years.get(on.year)
        if year is None:
            raise CalendarMissing(on.year)
        if on in year.make_up_days:
            return Day(on, True, "MAKE_UP_DAY")
        if on in year.days_off:
            return Day(on, False, year.days_off[on])
        if on.weekday() >= 5:
            return Day(on, False, "WEEKEND")
        return Day(on, True, "WORKDAY")

    def count(self, start: datetime, working_days: int) -> Iterator[Day]:
        """Days after the day of ``start`` up to the N-th working day (PD-02).  Raises ``CalendarMissing``."""
        on = self.local_date(start)
        while working_days:
            on += timedelta(days=1)
            day = self.day(on)
            working_days -= day.counts
            yield day

    def after(self, moment: datetime, working_days: int) -> datetime:
        """24:00 of the N-th working day after ``moment``; 24:00 of a day is still that day.  Raises
        ``CalendarMissing``."""
        *_, last = self.count(moment - timedelta(microseconds=1), working_days)
        return self.end_of(last.on)

    def before(self, moment: datetime, working_days: int) -> datetime:
        """From when N working days are left until ``moment``, its own day included.  Raises ``CalendarMissing``."""
        on = self.local_date(moment - timedelta(microseconds=1))
        while working_days:
            working_days -= self.day(on).counts
            on -= timedelta(days=1)
        return self.end_of(on)

    def end_of(self, on: date) -> datetime:
        """24:00 of that day, as UTC."""
        return datetime.combine(on + timedelta(days=1), time(), self.zone).astimezone(UTC)
