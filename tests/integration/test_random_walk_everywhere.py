"""Any sequence of acts in any jurisdiction, with shared data, corrections, withdrawals, revocation and reversals."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from gateway.domain.department import Certificate, Outcome, PaymentState
from gateway.domain.form import Form
from gateway.domain.messages import Refused
from gateway.policy.model import ItemDefinition, Jurisdiction
from gateway.services import case_care, correction, reversal, revocation, shared
from gateway.services.context import Ctx
from gateway.services.correction import Changes
from gateway.store.cases import Actor
from gateway.store.session import Database
from tests import uxin, wenzhou, yueyang, yunnan
from tests.builders import ASSISTANT, DUTY, World, hz_account, hz_form, payment
from tests.integration.conftest import SEAL


@dataclass(frozen=True)
class Place:
    connected: Callable[[Database], World]
    form: Callable[[], Form]
    actor: Actor


PLACES = {
    "hz": Place(World, lambda: hz_form(account=hz_account()), ASSISTANT),
    "ws": Place(uxin.connected, uxin.ws_form, uxin.QIQIGE),
    "yy": Place(yueyang.connected, yueyang.yy_form, yueyang.CLERK),
    "wz": Place(wenzhou.connected, wenzhou.wz_form, wenzhou.XIAOMIN),
    "yn": Place(yunnan.connected, yunnan.yn_form, yunnan.SON),
}


def system(item: ItemDefinition) -> Actor:
    """The system of the item's department."""
    department = item.department or ""
    return Actor("department-system", department, department, department)


class Walk(RuleBasedStateMachine):
    """One deceased; every rule is an act that may also be refused."""

    place: Place

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database(f"sqlite:///{Path(self.folder.name) / 'walk.db'}", SEAL)
        self.database.migrate()
        self.world = self.place.connected(self.database)
        self.form = self.place.form()

    def teardown(self) -> None:
        self.database.dispose()
        self.folder.cleanup()

    @property
    def policy(self) -> Jurisdiction:
        with self.database.read() as tx:
            found = self.world.ctx(tx).in_force(self.form.jurisdiction)
        assert found is not None
        return found

    def item(self, choice: int) -> ItemDefinition:
        items = [item for item in self.policy.items if item.department is not None]
        return items[choice % len(items)]

    def certificates(self, item: ItemDefinition) -> tuple[Certificate, ...]:
        return tuple(Certificate(kind, f"{kind}-1", self.world.now, "某机构") for kind in item.issues)

    def act(self, what: Callable[[Ctx], Any], actor: Actor = DUTY) -> None:
        with contextlib.suppress(Refused), self.world.acting(actor) as ctx:
            what(ctx)

    def report(self, item: ItemDefinition, serial: str, outcome: Outcome | None = None, **more: Any) -> None:
        with contextlib.suppress(Refused):
            self.world.report(item.department or "", item.slug, serial, outcome, **more)

    @initialize(shared_first=st.booleans(), filed=st.sampled_from([True, True, True, False]))
    def begins(self, shared_first: bool, filed: bool) -> None:
        if shared_first:
            self.a_certificate_is_shared(choice=0)
        if filed:
            self.somebody_files()

    @rule()
    def somebody_files(self) -> None:
        with contextlib.suppress(Refused):
            self.world.submit(self.form, actor=self.place.actor)

    @rule(choice=st.integers(0, 99), outcome=st.sampled_from([None, *Outcome]), certified=st.booleans())
    def a_department_reports(self, choice: int, outcome: Outcome | None, certified: bool) -> None:
        item = self.item(choice)
        issued = self.certificates(item) if certified else ()
        if self.world.number and item.department:
            serial = f"{choice}-{outcome}"
            self.report(item, serial, outcome, reason="原因", certificates=issued)

    @rule(outcome=st.sampled_from([Outcome.COMPLETED, Outcome.COMPLETED, Outcome.REFUSED]))
    def the_next_department_decides(self, outcome: Outcome) -> None:
        """So that walks get past the gates."""
        if not self.world.number:
            return
        for slug, found in self.world.case().items.items():
            item = self.policy.item(slug)
            if item and item.department and found.status.value in ("DISPATCHED", "ACCEPTED"):
                issued = self.certificates(item)
                self.report(item, f"n-{slug}", outcome, reason="原因", certificates=issued)
                return

    @rule(choice=st.integers(0, 99), state=st.sampled_from(PaymentState), fen=st.sampled_from([120345, -5]))
    def money_moves(self, choice: int, state: PaymentState, fen: int) -> None:
        paying = [item for item in self.policy.items if item.payout is not None and item.department]
        if self.world.number and paying:
            item = paying[choice % len(paying)]
            assert item.payout is not None
            sums = (payment("1", next(iter(item.payout.kinds)), fen, state, on=self.world.now),)
            self.report(item, f"m-{state}-{self.world.now}", payments=sums)

    @rule(choice=st.integers(0, 99))
    def a_certificate_is_shared(self, choice: int = 0) -> None:
        issuing = [item for item in self.policy.items if item.issues and item.department]
        item, form = issuing[choice % len(issuing)], self.form
        (certificate, *_) = self.certificates(item)
        what = (form.jurisdiction, form.deceased, form.death, certificate)
        self.act(lambda ctx: shared.share(ctx, item.department or "", *what), system(item))

    @rule(choice=st.integers(0, 99))
    def a_stop_is_recorded(self, choice: int) -> None:
        pulled = [item for item in self.policy.items if item.handler == "PULL"]
        if pulled:
            item = pulled[choice % len(pulled)]
            self.act(lambda ctx: self.stop(ctx, item), system(item))

    def stop(self, ctx: Ctx, item: ItemDefinition) -> None:
        assert self.form.deceased.id_number is not None
        shared.record_stop(
            ctx, item.department or "", self.form.jurisdiction, self.form.deceased.id_number, item.slug, "s-1", None
        )

    @rule(
        path=st.sampled_from(["deceased.name", "applicant.phone", "deceased.sex", "account.number"]),
        turn=st.integers(1, 2),
    )
    def the_form_is_corrected(self, path: str, turn: int) -> None:
        values = {
            "deceased.name": ("沈大福", "沈二福"),
            "applicant.phone": ("13757210001", "13757210002"),
            "deceased.sex": ("MALE", "FEMALE"),
            "account.number": ("6222021205001234567", "6228480402564890018"),
        }
        changes = Changes({path: values[path][turn - 1]})
        self.act(lambda ctx: correction.correct(ctx, self.world.number, changes, "笔误"))

    @rule(choice=st.integers(0, 99))
    def an_item_is_withdrawn(self, choice: int) -> None:
        slug = self.item(choice).slug
        self.act(lambda ctx: revocation.withdraw(ctx, self.world.number, slug, "不办了"), self.place.actor)

    @rule(sure=st.integers(0, 3))
    def the_death_is_revoked(self, sure: int) -> None:
        if sure == 0:
            self.act(lambda ctx: revocation.revoke(ctx, self.world.number, "误报：本人健在"))

    @rule(choice=st.integers(0, 99), outcome=st.sampled_from(Outcome))
    def a_reversal_is_answered(self, choice: int, outcome: Outcome) -> None:
        item = self.item(choice)
        department = item.department or ""
        self.act(lambda ctx: reversal.answer(ctx, department, self.world.number, item.slug, outcome, "查实", "R-1"))

    @rule(outcome=st.sampled_from([Outcome.COMPLETED, Outcome.COMPLETED, Outcome.REFUSED]))
    def the_next_department_undoes(self, outcome: Outcome) -> None:
        """So that walks get to the end of a revocation."""
        if self.world.number:
            asked = [slug for slug, item in self.world.case().items.items() if item.reversal is not None]
            for slug in asked:
                item = self.policy.item(slug)
                department = item.department or "" if item else ""
                self.act(lambda ctx, s=slug, d=department: self.undo(ctx, d, s, outcome))

    def undo(self, ctx: Ctx, department: str, slug: str, outcome: Outcome) -> None:
        reversal.answer(ctx, department, self.world.number, slug, outcome, "查实", "R-1")

    @rule(text=st.sampled_from(["一", "二"]), hours=st.integers(1, 400))
    def time_passes(self, text: str, hours: int) -> None:
        self.world.now += timedelta(hours=hours)
        self.act(lambda ctx: case_care.note(ctx, self.world.number, "FOLLOW_UP", text))

    @invariant()
    def the_present_state_is_the_fold(self) -> None:
        assert self.world.all_faults() == []


@pytest.mark.rule("PD-06")
@pytest.mark.parametrize("code", PLACES)
def test_any_sequence_of_acts_in_any_place(code: str) -> None:
    walk = type(f"Walk_{code}", (Walk,), {"place": PLACES[code]})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    chosen = settings(max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(walk, settings=chosen)
