"""Papers a source holds: whose they are decides what nobody is asked for."""

from __future__ import annotations

import pytest

from gateway.domain.department import Holding
from gateway.domain.evidence import Look, held_materials
from gateway.domain.form import DeceasedForm, Form, PersonForm

MOTHER, SON = "530402195509099420", "530402198102149338"
CARD = ("APPLICANT_ID_CARD", "DECEASED_ID_CARD")
FORM = Form(
    "xx",
    "OUTSIDE",
    "WEB",
    None,
    deceased=DeceasedForm(name="杨桂芳", id_number=MOTHER),
    applicant=PersonForm(name="杨志强", id_number=SON),
)


@pytest.mark.parametrize(
    ("holdings", "held"),
    [
        ({MOTHER: CARD}, {"DECEASED_ID_CARD"}),
        ({SON: CARD}, {"APPLICANT_ID_CARD"}),
        ({MOTHER: CARD, SON: CARD}, set(CARD)),
        ({SON: ("HOUSEHOLD_BOOKLET",)}, {"HOUSEHOLD_BOOKLET"}),
        ({}, set()),
    ],
)
def test_a_card_is_the_paper_of_its_holder_only(holdings: dict[str, tuple[str, ...]], held: set[str]) -> None:
    look = Look("library", {number: Holding(number, materials=materials) for number, materials in holdings.items()})
    assert held_materials((look,), FORM) == held


def test_a_source_that_did_not_answer_holds_nothing() -> None:
    assert held_materials((Look("library", None),), FORM) == set()
