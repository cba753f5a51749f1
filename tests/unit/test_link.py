"""The circuit breaker of a department's link, and its maintenance windows (PD-16)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.link import Breaker, Link, LinkState, Window

BREAKER = Breaker(failures=3, rejections=4, probes_s=(10, 60), probe_limit_s=120)
START = datetime(2025, 11, 7, 12, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def failing(times: int, rejected: bool = False) -> Link:
    found = Link("somebody")
    for _ in range(times):
        found = found.failed(START, "no answer", rejected, BREAKER)
    return found


def test_a_few_failures_do_not_open_the_breaker() -> None:
    found = failing(2)
    assert found.state is LinkState.UP and found.open_to("any", START)


def test_failures_one_after_the_other_open_it_and_nothing_is_sent() -> None:
    found = failing(3)
    assert (found.state, found.since, found.error) == (LinkState.DOWN, START, "no answer")
    assert not found.open_to("any", START)


def test_an_answer_in_between_begins_the_count_again() -> None:
    found = failing(2).succeeded(START)
    assert found.failed(START, "no answer", False, BREAKER).state is LinkState.UP


def test_business_faults_one_after_the_other_open_it_as_well() -> None:
    assert failing(3, rejected=True).state is LinkState.UP
    assert failing(4, rejected=True).state is LinkState.DOWN


def test_a_probe_goes_out_when_its_time_has_come_and_lets_only_itself_through() -> None:
    found = failing(3)
    assert not found.probe_due(after(9), BREAKER) and found.probe_due(after(10), BREAKER)
    probing = found.probing("K.1", after(10))
    assert probing.open_to("K.1", after(11)) and not probing.open_to("K.2", after(11))
    assert not probing.probe_due(after(60), BREAKER), "one probe at a time"


def test_a_probe_that_fails_makes_the_next_pause_longer_and_the_outage_keeps_its_beginning() -> None:
    found = failing(3).probing("K.1", after(10)).failed(after(12), "refused", False, BREAKER)
    assert (found.state, found.since, found.probes, found.error) == (LinkState.DOWN, START, 1, "refused")
    assert found.probe_at == after(12 + 60)
    again = found.probing("K.2", after(72)).failed(after(73), "refused", False, BREAKER)
    assert again.probe_at == after(73 + 60), "the last pause repeats"


def test_a_probe_that_arrives_closes_the_breaker() -> None:
    found = failing(3).probing("K.1", after(10)).succeeded(after(11))
    assert (found.state, found.since, found.failures, found.error) == (LinkState.UP, after(11), 0, None)
    assert found.open_to("any", after(11))


def test_a_probe_nobody_hears_of_is_given_up_for_another() -> None:
    probing = failing(3).probing("K.1", after(10))
    assert not probing.probe_due(after(129), BREAKER) and probing.probe_due(after(130), BREAKER)


@given(st.lists(st.tuples(st.sampled_from(["fail", "reject", "succeed", "probe"]), st.integers(1, 200)), max_size=60))
def test_whatever_happens_a_link_that_is_down_always_has_a_probe_ahead(steps: list[tuple[str, int]]) -> None:
    found, now = Link("somebody"), START
    for what, seconds in steps:
        now += timedelta(seconds=seconds)
        if what == "succeed":
            found = found.succeeded(now)
        elif what == "probe":
            found = found.probing("K", now) if found.probe_due(now, BREAKER) else found
        else:
            found = found.failed(now, "fault", what == "reject", BREAKER)
        assert (found.state is LinkState.UP) == found.open_to("other", now)
        if found.state is not LinkState.UP:
            assert found.probe_due(now + timedelta(seconds=BREAKER.probe_limit_s + 60), BREAKER)
        assert (found.probe_key is not None) == (found.state is LinkState.PROBING)


@pytest.mark.parametrize(
    "text, inside, outside",
    [
        ("daily 02:00-06:00", "2025-11-07 02:00", "2025-11-07 06:00"),
        ("daily 23:30-01:00", "2025-11-08 00:59", "2025-11-08 01:00"),
        ("Sat,Sun 02:00-06:00", "2025-11-08 03:00", "2025-11-07 03:00"),
        ("Sat 23:00-05:00", "2025-11-09 04:00", "2025-11-10 04:00"),
        ("Sun 00:00-00:00", "2025-11-09 12:00", "2025-11-10 00:00"),
    ],
)
def test_a_window_is_in_the_departments_own_time(text: str, inside: str, outside: str) -> None:
    window = Window.read(text, SHANGHAI)
    assert window.covers(datetime.fromisoformat(inside).replace(tzinfo=SHANGHAI))
    assert not window.covers(datetime.fromisoformat(outside).replace(tzinfo=SHANGHAI))


@pytest.mark.parametrize("text", ["", "daily", "Fre 02:00-06:00", "daily 2-6", "daily 02:00", "daily 25:00-26:00"])
def test_a_window_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Window.read(text, SHANGHAI)
