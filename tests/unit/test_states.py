"""The three state machines: their declared tables, and what follows from them for every event in every state."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.states import (
    CASE,
    ITEM,
    PAYOUT,
    CaseStatus,
    IllegalTransition,
    ItemStatus,
    Machine,
    PayoutStatus,
    mermaid,
)

MACHINES: list[tuple[Machine[Any], type[StrEnum]]] = [
    (CASE, CaseStatus),
    (ITEM, ItemStatus),
    (PAYOUT, PayoutStatus),
]
each = pytest.mark.parametrize("machine, statuses", MACHINES, ids=lambda value: getattr(value, "name", ""))


def events(machine: Machine[Any]) -> list[str]:
    return sorted({event for _, event in machine.edges})


@st.composite
def walks(draw: st.DrawFn) -> tuple[Machine[Any], list[str]]:
    machine, _ = draw(st.sampled_from(MACHINES))
    anything = st.sampled_from([*events(machine), "unheard_of"])
    return machine, draw(st.lists(anything, max_size=25))


@pytest.mark.rule("PD-08")
@given(walks())
def test_whatever_is_not_in_the_table_cannot_happen(walk: tuple[Machine[Any], list[str]]) -> None:
    machine, happened = walk
    status = machine.initial
    for event in happened:
        if (status, event) in machine.edges:
            assert machine.allows(status, event)
            status = machine.next(status, event)
        else:
            assert not machine.allows(status, event)
            with pytest.raises(IllegalTransition, match=event):
                machine.next(status, event)


@each
def test_every_pair_outside_the_table_raises(machine: Machine[Any], statuses: type[StrEnum]) -> None:
    for status in statuses:
        for event in [*events(machine), "unheard_of"]:
            if (status, event) not in machine.edges:
                with pytest.raises(IllegalTransition):
                    machine.next(status, event)


@each
def test_every_state_can_be_reached(machine: Machine[Any], statuses: type[StrEnum]) -> None:
    reached: set[Any] = {machine.initial}
    before: set[Any] = set()
    while reached != before:
        before = set(reached)
        reached |= {target for (source, _), target in machine.edges.items() if source in reached}
    assert reached == set(statuses)


@each
def test_from_every_state_an_end_can_be_reached(machine: Machine[Any], statuses: type[StrEnum]) -> None:
    ending: set[Any] = set(machine.final)
    before: set[Any] = set()
    while ending != before:
        before = set(ending)
        ending |= {source for (source, _), target in machine.edges.items() if target in ending}
    assert ending == set(statuses)


@pytest.mark.rule("PD-06", "PD-08")
@pytest.mark.parametrize(
    "machine, ways_out",
    [
        # An item added later opens a closed case again; a death recorded in error is revoked whenever it is found out.
        (
            CASE,
            {
                (CaseStatus.CLOSED, "reopened"): CaseStatus.IN_PROGRESS,
                (CaseStatus.CLOSED, "revoked"): CaseStatus.REVOKING,
            },
        ),
        # What facts ruled out, or was refused before a department was told, comes back when they are corrected;
        # a department's result is never undone.
        (
            ITEM,
            {
                (ItemStatus.NOT_APPLICABLE, "ruled_in"): ItemStatus.BLOCKED,
                (ItemStatus.REFUSED, "ruled_in"): ItemStatus.BLOCKED,
            },
        ),
        # The bank sends money back after it was paid.
        (PAYOUT, {(PayoutStatus.PAID, "returned"): PayoutStatus.RETURNED}),
    ],
    ids=["Case", "DepartmentItem", "Payout"],
)
def test_a_final_state_has_only_these_ways_out(machine: Machine[Any], ways_out: dict[Any, Any]) -> None:
    assert {edge: to for edge, to in machine.edges.items() if edge[0] in machine.final} == ways_out


@pytest.mark.rule("PD-08")
def test_the_five_states_of_the_convention_are_there() -> None:
    named = {"BLOCKED", "DISPATCHED", "COMPLETED", "REFUSED", "NOT_APPLICABLE"}
    assert named <= {status.value for status in ItemStatus}
    assert {status.value for status in ITEM.final} == {"COMPLETED", "REFUSED", "NOT_APPLICABLE", "WITHDRAWN"}


@pytest.mark.rule("PD-06")
@pytest.mark.parametrize("event", ["accepted", "completed", "refused", "correction_requested"])
def test_a_blocked_item_takes_no_result(event: str) -> None:
    assert not ITEM.allows(ItemStatus.BLOCKED, event)


@pytest.mark.rule("PD-20")
def test_held_money_is_never_returned_before_it_moved() -> None:
    assert not PAYOUT.allows(PayoutStatus.HELD, "returned")
    assert not PAYOUT.allows(PayoutStatus.APPROVED, "returned")


@each
def test_the_drawing_shows_every_edge(machine: Machine[Any], statuses: type[StrEnum]) -> None:
    drawing = mermaid(machine)
    assert drawing.count(": ") == len(machine.edges)
    assert all(status.value in drawing for status in statuses)
