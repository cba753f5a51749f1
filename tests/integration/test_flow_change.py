"""HZ-504: normal death cannot be confirmed, so the case changes to path 3 at once."""

from __future__ import annotations

import pytest

from gateway.domain.department import Outcome
from tests.builders import World, hz_form, medical_certificate, moment, police_certificate


@pytest.fixture
def referred(world: World) -> World:
    world.at("2025-11-07 22:10").submit(hz_form())
    ack = world.at("2025-11-08 09:00").report("health", "death-cert-normal", "h-1", reason="疑似外伤致死", refers=True)
    assert ack.reason is None
    return world


@pytest.mark.rule("HZ-504", "PD-03")
def test_the_police_are_told_at_once(referred: World) -> None:
    item = referred.item("death-cert-abnormal")
    assert (item.status, item.pushed_at) == ("DISPATCHED", moment("2025-11-08 09:00"))
    assert referred.queued[-1].args == (referred.number, "death-cert-abnormal")
    assert referred.case().flow == "ABNORMAL"


@pytest.mark.rule("HZ-504", "PD-03")
def test_the_24_hours_are_closed_and_not_late(referred: World) -> None:
    found = referred.at("2025-12-01 09:00").deadline("death-cert-normal")
    assert found.state == "CLOSED"
    seen = referred.supervision()
    assert seen.overdue == ()
    health = [row for row in seen.compliance if row.department == "health"]
    assert all(row.late == row.overdue == 0 for row in health)


@pytest.mark.rule("PD-03")
def test_a_certificate_of_the_former_path_is_a_conflict(referred: World) -> None:
    ack = referred.report(
        "health", "death-cert-normal", "h-2", Outcome.COMPLETED, certificates=(medical_certificate(),)
    )
    assert ack.reason is not None and ack.reason.code == "CONFLICT"
    assert referred.case().certificates == []
    assert referred.status("funeral-service") == "BLOCKED"
    assert len(referred.refused()) == 1


@pytest.mark.rule("HZ-504", "HZ-508", "HZ-514")
def test_the_case_goes_on_with_the_police_certificate(referred: World) -> None:
    referred.report(
        "public-security", "death-cert-abnormal", "p-1", Outcome.COMPLETED, certificates=(police_certificate(),)
    )
    referred.book_funeral()
    referred.cremate()
    assert referred.status("hukou-deregistration") == "DISPATCHED"
    assert referred.item("death-cert-normal").reason.code == "FLOW_CHANGED"


@pytest.mark.rule("HZ-504", "PD-06")
def test_the_same_referral_again_changes_nothing(referred: World) -> None:
    length = len(referred.ledger())
    again = referred.report("health", "death-cert-normal", "h-1", reason="疑似外伤致死", refers=True)
    assert again.outcome == "REPEATED"
    assert len(referred.ledger()) == length


@pytest.mark.rule("HZ-504", "PD-06")
def test_no_referral_after_the_certificate(world: World) -> None:
    world.submit(hz_form())
    world.certify_death()
    ack = world.report("health", "death-cert-normal", "h-2", refers=True)
    assert ack.reason is not None and ack.reason.code == "CONFLICT"
    assert world.case().flow == "OUTSIDE"
