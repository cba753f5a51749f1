"""Working days and due dates from data (PD-01, PD-02), elapsed hours (PD-03), and the states of a deadline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.calendar import Calendar, CalendarMissing, Year
from gateway.domain.deadlines import ClockKind, Deadline, DeadlineState, Limit, LimitUnit, compute
from tests.builders import SHANGHAI, book, moment


def calendar() -> Calendar:
    return book().calendars["hz"]


def working_days(amount: int | None) -> Limit:
    return Limit(ClockKind.PROCESSING, amount, LimitUnit.WORKING_DAYS, "PUSH", "HZ-607")


HOURS = Limit(ClockKind.PROCESSING, 24, LimitUnit.HOURS, "PUSH", "HZ-503")


def due(
    limit: Limit,
    pushed: datetime | None,
    *,
    done: datetime | None = None,
    now: datetime | None = None,
    closed: bool = False,
    days: Calendar | None = None,
) -> Deadline:
    now = now or done or pushed or moment("2025-11-10 09:30")
    return compute(limit, days or calendar(), started_at=pushed, ended_at=done, closed=closed, now=now)


def last_day(found: Deadline) -> date:
    """The day at whose 24:00 it is due."""
    assert found.due_at is not None
    midnight = found.due_at.astimezone(SHANGHAI)
    assert (midnight.hour, midnight.minute, midnight.second) == (0, 0, 0), "due at 24:00"
    return (midnight - timedelta(days=1)).date()


@pytest.mark.rule("PD-01", "PD-02", "HZ-607")
@pytest.mark.parametrize(
    "pushed, amount, day",
    [
        ("2025-11-10 09:30", 3, "2025-11-13"),  # Monday: Tuesday, Wednesday, Thursday
        ("2025-11-10 00:00", 3, "2025-11-13"),  # the first moment of the day
        ("2025-11-10 23:59", 3, "2025-11-13"),  # the last minute of the day
        ("2025-11-13 17:00", 3, "2025-11-18"),  # Thursday, over a weekend
        ("2025-11-07 17:00", 1, "2025-11-10"),  # Friday: Monday is day 1
        ("2025-11-08 12:00", 3, "2025-11-12"),  # Saturday: Monday is day 1
        ("2025-11-09 23:00", 1, "2025-11-10"),  # Sunday
        ("2025-10-03 10:00", 1, "2025-10-09"),  # inside the National Day holiday
        ("2025-10-09 10:00", 3, "2025-10-13"),  # Friday, make-up Saturday 10-11 counts, Monday
        ("2025-10-11 10:00", 1, "2025-10-13"),  # pushed on a make-up Saturday: not counted itself
        ("2026-02-12 10:00", 1, "2026-02-13"),
        ("2026-02-12 10:00", 3, "2026-02-24"),  # before Spring Festival: 13th, make-up 14th, then the 24th
        ("2026-02-14 10:00", 1, "2026-02-24"),  # the make-up Saturday before nine days off
        ("2025-12-31 10:00", 1, "2026-01-04"),  # New Year's days off, then the make-up Sunday
        ("2025-12-30 10:00", 10, "2026-01-14"),
    ],
)
def test_due_at_the_end_of_the_nth_working_day(pushed: str, amount: int, day: str) -> None:
    assert last_day(due(working_days(amount), moment(pushed))) == date.fromisoformat(day)


@pytest.mark.rule("PD-02")
def test_the_day_of_the_push_is_the_day_in_huzhou() -> None:
    """17:00 UTC on Sunday is already Monday there."""
    assert last_day(due(working_days(1), datetime(2025, 11, 9, 17, 0, tzinfo=UTC))) == date(2025, 11, 11)


@pytest.mark.rule("PD-02")
def test_the_arithmetic_is_told_day_by_day() -> None:
    found = due(working_days(3), moment("2026-02-12 10:00"))
    assert [day.note for day in found.days] == ["WORKDAY", "MAKE_UP_DAY", *["春节"] * 9, "WORKDAY"]
    assert sum(day.counts for day in found.days) == 3


@pytest.mark.rule("PD-01")
def test_a_limit_into_an_unpublished_year_has_no_date() -> None:
    found = due(working_days(3), moment("2026-12-30 10:00"))
    assert (found.state, found.due_at, found.missing_year) == (DeadlineState.CALENDAR_MISSING, None, 2027)
    last = due(working_days(1), moment("2026-12-30 10:00"))
    assert last_day(last) == date(2026, 12, 31), "as long as the days are published they are counted"


@pytest.mark.rule("PD-01")
def test_the_date_appears_once_the_year_is_loaded() -> None:
    years: Mapping[int, Year] = {
        **calendar().years,
        2027: Year({date(2027, 1, 1): "元旦"}, frozenset({date(2027, 1, 3)}), "a notice to come"),
    }
    found = due(working_days(3), moment("2026-12-30 10:00"), days=Calendar(years, SHANGHAI))
    assert (found.state, last_day(found)) == (DeadlineState.RUNNING, date(2027, 1, 4))


@pytest.mark.rule("PD-01")
def test_a_day_outside_the_loaded_years_is_an_error() -> None:
    with pytest.raises(CalendarMissing, match="2027"):
        calendar().day(date(2027, 1, 1))
    with pytest.raises(CalendarMissing, match="2018"):
        calendar().day(date(2018, 12, 31))


@pytest.mark.rule("HZ-503", "PD-03")
@pytest.mark.parametrize(
    "pushed, day",
    [
        ("2025-11-07 22:10", "2025-11-08 22:10"),  # Friday night to Saturday night
        ("2026-02-15 08:00", "2026-02-16 08:00"),  # inside Spring Festival
        ("2026-12-31 20:00", "2027-01-01 20:00"),  # into a year that is not published
    ],
)
def test_24_hours_are_elapsed_hours(pushed: str, day: str) -> None:
    assert due(HOURS, moment(pushed)).due_at == moment(day)


PUSH, END = moment("2025-11-10 09:30"), moment("2025-11-14 00:00")
SECOND = timedelta(seconds=1)


@pytest.mark.rule("PD-02", "PD-03", "C-20")
@pytest.mark.parametrize(
    "limit, pushed, done, now, closed, state",
    [
        (3, None, None, PUSH, False, "NOT_STARTED"),
        (3, PUSH, None, PUSH, False, "RUNNING"),
        (3, PUSH, None, END, False, "RUNNING"),  # 24:00 itself is in time
        (3, PUSH, None, END + SECOND, False, "OVERDUE"),
        (3, PUSH, END, END, False, "MET"),
        (3, PUSH, END + SECOND, END + SECOND, False, "MISSED"),
        (3, PUSH, END, END + timedelta(days=90), False, "MET"),  # stays what it was
        (3, PUSH, END + SECOND, END + timedelta(days=90), False, "MISSED"),
        (3, PUSH, None, END + timedelta(days=90), True, "CLOSED"),  # closed is not late
        (3, None, None, PUSH, True, "CLOSED"),
        (None, PUSH, None, END + timedelta(days=900), False, "NO_LIMIT"),  # no number: never overdue
        (None, PUSH, END, END, False, "NO_LIMIT"),
    ],
)
def test_state_of_a_deadline(
    limit: int | None, pushed: datetime | None, done: datetime | None, now: datetime, closed: bool, state: str
) -> None:
    assert due(working_days(limit), pushed, done=done, now=now, closed=closed).state == state


moments = st.datetimes(datetime(2019, 1, 1), datetime(2026, 10, 1)).map(lambda at: at.replace(tzinfo=SHANGHAI))


@given(moments, st.integers(1, 15))
def test_a_due_date_is_a_working_day_and_exactly_n_count(pushed: datetime, amount: int) -> None:
    found = due(working_days(amount), pushed)
    assert found.days[0].on == pushed.date() + timedelta(days=1), "the day of the push is not counted"
    assert sum(day.counts for day in found.days) == amount
    assert found.days[-1].counts and found.days[-1].on == last_day(found)


@given(moments, moments, st.integers(1, 10))
def test_a_later_push_is_never_due_earlier(one: datetime, other: datetime, amount: int) -> None:
    first, second = sorted((one, other))
    assert last_day(due(working_days(amount), first)) <= last_day(due(working_days(amount), second))


@pytest.mark.rule("PD-02", "HZ-901")
@pytest.mark.parametrize(
    "end, days, begins",
    [
        ("2025-11-14 00:00", 1, "2025-11-13 00:00"),  # due with Thursday: its one day begins
        ("2025-11-11 00:00", 1, "2025-11-10 00:00"),
        ("2025-11-11 00:00", 2, "2025-11-07 00:00"),  # Friday and Monday
        ("2025-11-12 15:00", 1, "2025-11-12 00:00"),  # a limit in hours that ends in the afternoon
    ],
)
def test_from_when_so_many_working_days_are_left(end: str, days: int, begins: str) -> None:
    assert calendar().before(moment(end), days) == moment(begins)


@pytest.mark.rule("PD-02", "HZ-901")
@pytest.mark.parametrize(
    "since, days, ends",
    [
        ("2025-11-14 00:00", 1, "2025-11-15 00:00"),  # 24:00 of Thursday is Thursday: Friday is day 1
        ("2025-11-14 00:01", 1, "2025-11-18 00:00"),  # Friday: Monday is day 1
        ("2025-09-30 10:00", 1, "2025-10-10 00:00"),  # over the holiday
    ],
)
def test_when_so_many_working_days_have_passed(since: str, days: int, ends: str) -> None:
    assert calendar().after(moment(since), days) == moment(ends)


@pytest.mark.rule("PD-01")
def test_neither_is_guessed_into_a_year_that_is_not_loaded() -> None:
    with pytest.raises(CalendarMissing):
        calendar().after(moment("2026-12-31 10:00"), 1)
    with pytest.raises(CalendarMissing):
        calendar().before(moment("2019-01-03 00:00"), 9)


@given(st.datetimes(datetime(2020, 2, 1), datetime(2025, 11, 1)), st.integers(1, 15))
def test_so_many_days_after_and_so_many_left_are_the_same_days(at: datetime, days: int) -> None:
    end = calendar().after(at.replace(tzinfo=SHANGHAI), days)
    begins = calendar().before(end, days)
    assert calendar().after(begins, days) == end
