"""Any sequence of use cases: the present state is the fold of the ledger, and the chain has no fault."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.domain.case import Case
from gateway.domain.department import Certificate, Outcome, PaymentState
from gateway.domain.fold import fold
from gateway.domain.messages import Refused
from gateway.domain.states import ITEM
from gateway.policy import decide
from gateway.services import case_care, dispatch
from gateway.store import cases
from tests.builders import (
    DUTY,
    SON,
    World,
    book,
    cremation_certificate,
    huzhou,
    hz_account,
    hz_form,
    medical_certificate,
    moment,
    payment,
    police_certificate,
)
from tests.integration.conftest import sqlite
from tests.integration.test_submission import SON_FORM

OWNED = {item.slug: item.department for item in huzhou().items if item.department is not None}
CERTIFICATES = {
    "death-cert-normal": medical_certificate(),
    "death-cert-abnormal": police_certificate(),
    "cremation-cert": cremation_certificate(),
}
KINDS = {item.slug: item.payout.kinds for item in huzhou().items if item.payout is not None}
DECLARED = ("RESETTLEMENT_SUPPORT", "BANK_ACCOUNTS", "MEDICAL_EMPLOYEE", "PENSION_RETIREE", "HOUSING_FUND", "DIBAO")


class Walk(RuleBasedStateMachine):
    """One case; every rule is a use case that may also be refused."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = sqlite(Path(self.folder.name))
        self.world = World(self.database)
        self.amounts: dict[str, int] = {}
        self.finished: dict[str, str] = {}

    def teardown(self) -> None:
        self.database.dispose()
        self.folder.cleanup()

    @initialize(account=st.booleans(), cremated=st.booleans())
    def reported(self, account: bool, cremated: bool) -> None:
        form = hz_form(*DECLARED, account=hz_account() if account else None)
        if cremated:
            self.world.until_cremation(form)
        else:
            self.world.submit(form)

    @rule(hours=st.integers(1, 40))
    def time_passes(self, hours: int) -> None:
        self.world.now += timedelta(hours=hours)

    @rule()
    def the_next_department_completes(self) -> None:
        """So that walks get past the gates."""
        case = self.world.case()
        for slug, item in case.items.items():
            if slug in OWNED and item.status.value in ("DISPATCHED", "ACCEPTED"):
                issued = (CERTIFICATES[slug],) if slug in CERTIFICATES else ()
                self.world.report(OWNED[slug], slug, f"n-{slug}", Outcome.COMPLETED, certificates=issued)
                return

    @rule(
        slug=st.sampled_from(sorted(OWNED)),
        outcome=st.sampled_from([None, *Outcome]),
        serial=st.integers(1, 3),
        mine=st.booleans(),
        certified=st.booleans(),
    )
    def a_department_reports(
        self, slug: str, outcome: Outcome | None, serial: int, mine: bool, certified: bool
    ) -> None:
        issued = (CERTIFICATES[slug],) if certified and slug in CERTIFICATES else ()
        department = OWNED[slug] if mine else "insurer"
        self.world.report(department, slug, f"x-{serial}", outcome, reason="原因", certificates=issued)

    @rule(
        slug=st.sampled_from([*sorted(KINDS), "hukou-deregistration"]),
        state=st.sampled_from(PaymentState),
        fen=st.sampled_from([120345, 120345, 1, -5]),
        whole=st.booleans(),
    )
    def a_department_reports_money(self, slug: str, state: PaymentState, fen: int, whole: bool) -> None:
        number = 1
        kind = KINDS.get(slug, ["FUNERAL_GRANT"])[0]
        sums = (payment(str(number), kind, fen, state, on=self.world.now),)
        serial = f"m-{state}-{fen}-{self.world.now}"
        self.world.report(OWNED[slug], slug, serial, payments=sums, complete_record=whole)

    @rule(state=st.sampled_from(PaymentState))
    def the_medical_balance_moves(self, state: PaymentState) -> None:
        slug = "medical-account-settlement"
        sums = (payment("9", "MEDICAL_ACCOUNT_BALANCE", 120345, state, on=self.world.now),)
        self.world.report(OWNED[slug], slug, f"b-{state}-{self.world.now}", payments=sums)

    @rule()
    def health_refers_to_the_police(self) -> None:
        self.world.report("health", "death-cert-normal", "refer", reason="外伤", refers=True)

    @rule(slug=st.sampled_from(sorted(OWNED)), how=st.sampled_from(["failed", "arrived", "given up", "redriven"]))
    def a_delivery(self, slug: str, how: str) -> None:
        if slug not in self.world.case().items:
            return
        if how == "arrived":
            self.world.delivered(slug, Outcome.ACCEPTED)
        elif how == "redriven":
            self.care(lambda ctx: dispatch.redrive(ctx, self.world.number, slug))
        else:
            self.world.not_delivered(slug, retryable=how == "failed")

    @rule(what=st.sampled_from(["account", "correction", "heirs", "ashes", "join", "note"]))
    def people(self, what: str) -> None:
        number = self.world.number
        heirs = Certificate("HEIR_QUALIFICATION", "J-1", moment("2025-11-20 10:00"))
        waiting = [slug for slug, item in self.world.case().items.items() if item.status == "CORRECTION_REQUIRED"]
        slug = waiting[0] if waiting else "hukou-deregistration"
        if what == "account":
            self.care(lambda ctx: case_care.give_account(ctx, number, hz_account(number="6228480402564890018")))
        elif what == "correction":
            self.care(lambda ctx: case_care.answer_correction(ctx, number, slug, "已补"))
        elif what == "heirs":
            self.care(lambda ctx: case_care.attach_evidence(ctx, number, heirs))
        elif what == "ashes":
            self.care(lambda ctx: case_care.complete_in_platform(ctx, number, "ashes-burial-information", {}))
        elif what == "join":
            with self.world.acting(SON) as ctx:
                case_care.ask_to_join(ctx, number, SON_FORM)
        else:
            self.care(lambda ctx: case_care.note(ctx, number, "FOLLOW_UP", "记"))

    def care(self, act: object) -> None:
        try:
            with self.world.acting(DUTY) as ctx:
                act(ctx)  # type: ignore[operator]
        except Refused:
            pass

    # ── what must hold after every step ─────────────────────────────────────────────────────────────────

    @invariant()
    def the_present_state_is_the_fold(self) -> None:
        if not self.world.number:
            return
        with self.database.read() as tx:
            entries = cases.entries(tx, [self.world.number])[self.world.number]
            assert cases.verify(tx, self.world.number) == []
        assert asdict(fold((entry.at, entry.event) for entry in entries)) == asdict(self.world.case())

    @invariant()
    def rules_of_a_case_hold(self) -> None:
        if not self.world.number:
            return
        case = self.world.case()
        self.amounts_never_change(case)
        self.results_stay(case)
        final = all(item.status in ITEM.final for item in case.items.values())
        assert (case.status == "CLOSED") is final, "PD-08"
        for slug, item in case.items.items():
            definition = huzhou().item(slug)
            assert definition is not None
            if item.status == "BLOCKED":
                assert decide.gates(book(), huzhou(), case, definition), "what has no closed gate is pushed"
            if definition.phase == "AFTERCARE" and item.pushed_at is not None:
                assert case.certificate("CREMATION") is not None, "HZ-514"
        for payout in case.payouts.values():
            rule = huzhou().item(payout.item)
            assert rule is not None and rule.payout is not None
            if rule.payout.payee is None or payout.fen <= 0:
                assert payout.account is None, "PD-20: never to the nearest known account"

    def amounts_never_change(self, case: Case) -> None:
        for name, payout in case.payouts.items():
            assert self.amounts.setdefault(name, payout.fen) == payout.fen, "PD-06"

    def results_stay(self, case: Case) -> None:
        for slug, item in case.items.items():
            if item.status in ("COMPLETED", "REFUSED"):
                assert self.finished.setdefault(slug, item.status) == item.status, "PD-06"
        assert all(case.items[slug].status == status for slug, status in self.finished.items())


@pytest.mark.rule("PD-06", "PD-08", "PD-20", "HZ-514")
def test_any_sequence_of_use_cases() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    chosen = settings(max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Walk, settings=chosen)
