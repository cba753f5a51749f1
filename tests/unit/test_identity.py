"""ID numbers: generous where the old and the unidentified are concerned, strict where a digit was mistyped."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identity import IdKind, check, check_digit, normalise
from tests.builders import SHEN_FUGEN, SHEN_LIJUAN

TODAY = date(2025, 11, 7)
births = st.dates(date(1850, 1, 1), TODAY)
areas = st.integers(110000, 829999)


def number_of(area: int, born: date, order: int) -> str:
    first = f"{area:06d}{born:%Y%m%d}{order:03d}"
    return first + check_digit(first)


@pytest.mark.rule("HZ-104", "HZ-301")
@pytest.mark.parametrize(
    "kind, number",
    [
        (IdKind.RESIDENT_ID, SHEN_FUGEN),
        (IdKind.RESIDENT_ID, SHEN_LIJUAN),
        (IdKind.RESIDENT_ID, number_of(332621, date(1931, 2, 3), 11)),  # born 1931, region abolished in 1994
        (IdKind.RESIDENT_ID, "330502391010955"),  # 15 digits, issued before 1999
        (IdKind.RESIDENCE_PERMIT, number_of(810000, date(1950, 5, 1), 2)),
        (IdKind.RESIDENCE_PERMIT, number_of(820000, date(1950, 5, 1), 2)),
        (IdKind.RESIDENCE_PERMIT, number_of(830000, date(1950, 5, 1), 2)),
        (IdKind.PASSPORT, "E12345678"),
        (IdKind.PASSPORT, "k1234567"),
        (IdKind.OTHER, "J(1962)-0031"),
        (IdKind.UNKNOWN, ""),
    ],
)
def test_every_legal_document_passes(kind: IdKind, number: str) -> None:
    assert check(kind, number, TODAY).fault is None


@pytest.mark.rule("HZ-301")
@pytest.mark.parametrize(
    "number, fault",
    [
        ("330502193910109558", "CHECK_DIGIT"),
        ("33050219391010955", "LENGTH"),
        ("3305021939101095599", "LENGTH"),
        ("", "LENGTH"),
        ("33050219391010955Y", "CHARACTERS"),
        ("33050X193910109559", "CHARACTERS"),
        (number_of(330502, date(1939, 10, 10), 955).replace("19391010", "19391310"), "CHECK_DIGIT"),
        ("330502391310955", "BIRTH_DATE"),  # 15 digits, month 13
        ("330502390229955", "BIRTH_DATE"),  # 1939 had no 29 February
        ("33050239101095A", "CHARACTERS"),
        ("٣٣٠٥٠٢٣٩١٠١٠٩٥٥", "CHARACTERS"),  # digits, but of another script
    ],
)
def test_a_mistyped_number_is_named(number: str, fault: str) -> None:
    assert check(IdKind.RESIDENT_ID, number, TODAY).fault == fault


@pytest.mark.rule("HZ-301")
@pytest.mark.parametrize("born", ["19391310", "19390229", "19390431", "00000000"])
def test_an_impossible_date_is_found_even_under_a_right_check_digit(born: str) -> None:
    first = f"330502{born}955"
    assert check(IdKind.RESIDENT_ID, first + check_digit(first), TODAY).fault == "BIRTH_DATE"


@pytest.mark.rule("HZ-301")
def test_a_birth_in_the_future_is_a_wrong_date() -> None:
    tomorrow = number_of(330502, TODAY + timedelta(days=1), 11)
    assert check(IdKind.RESIDENT_ID, tomorrow, TODAY).fault == "BIRTH_DATE"
    assert check(IdKind.RESIDENT_ID, number_of(330502, TODAY, 11), TODAY).fault is None


@pytest.mark.rule("HZ-301")
@pytest.mark.parametrize(
    "typed", ["３３０５０２１９３９１０１０９５５９", "330502 19391010 9559", " 330502193910109559\t"]
)
def test_full_width_digits_and_spaces_are_the_same_number(typed: str) -> None:
    found = check(IdKind.RESIDENT_ID, typed, TODAY)
    assert (found.number, found.fault) == (SHEN_FUGEN, None)


@given(births, areas, st.integers(0, 999))
def test_a_right_number_tells_birth_date_and_sex(born: date, area: int, order: int) -> None:
    found = check(IdKind.RESIDENT_ID, number_of(area, born, order), TODAY)
    assert (found.fault, found.birth_date, found.sex) == (None, born, "MALE" if order % 2 else "FEMALE")


@given(births, areas, st.integers(0, 999), st.integers(0, 17), st.integers(1, 9))
def test_any_one_wrong_digit_is_found(born: date, area: int, order: int, place: int, by: int) -> None:
    number = number_of(area, born, order)
    old = number[place]
    new = str((int(old) + by) % 10) if old != "X" else str(by)
    assert check(IdKind.RESIDENT_ID, number[:place] + new + number[place + 1 :], TODAY).fault is not None


@given(births, areas, st.integers(0, 999), st.integers(0, 16))
def test_two_neighbours_exchanged_are_found(born: date, area: int, order: int, place: int) -> None:
    number = number_of(area, born, order)
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped != number:
        assert check(IdKind.RESIDENT_ID, swapped, TODAY).fault is not None


@given(st.text(max_size=25), st.sampled_from(IdKind))
def test_whatever_is_typed_gets_an_answer(typed: str, kind: IdKind) -> None:
    found = check(kind, typed, TODAY)
    assert found.fault in (None, "LENGTH", "CHARACTERS", "BIRTH_DATE", "CHECK_DIGIT")
    if found.fault is None and kind is not IdKind.UNKNOWN:
        assert normalise(found.number) == found.number, "what is compared is written in one way only"
