"""Whose account is paid, what is deducted, and what has to wait."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.domain.case import Case, Payout
from gateway.domain.form import AccountForm, Form
from gateway.domain.identity import same_name
from gateway.domain.messages import Code, Reason
from gateway.domain.states import ITEM, ItemStatus, PayoutStatus
from gateway.policy.model import ItemDefinition, Jurisdiction, PayoutRule

HELD_BY_APPLICANT = {"expected": "申请人本人", "expected_en": "the applicant"}
HELD_BY_DECEASED = {"expected": "逝者本人", "expected_en": "the deceased"}
HELD_BY_PAYEE = {"expected": "领取人本人", "expected_en": "the payee"}
HOLDERS = {
    HELD_BY_APPLICANT["expected"]: "applicant.name",
    HELD_BY_DECEASED["expected"]: "deceased.name",
    HELD_BY_PAYEE["expected"]: "payee.name",
}
"""Who should hold the account → form path of that person's name."""

KINDS = {
    "FAMILY_DESIGNATED": ("DESIGNATED", "APPLICANT_HEIR", "DECEASED", "PAYEE"),
    "APPLICANT": ("DESIGNATED", "APPLICANT_HEIR", "PAYEE"),
    "DECEASED_OR_HEIR": ("DECEASED", "APPLICANT_HEIR"),
    "NAMED_PAYEE": ("PAYEE", "DESIGNATED", "APPLICANT_HEIR"),
}
"""Payee rule → kinds of account that satisfy it; the first is meant when the form names none."""


def usual_kind(policy: Jurisdiction) -> str | None:
    """The kind of account that is meant when a form names none; None where no account is told."""
    rules = (item.payout.payee for item in policy.items if item.payout is not None)
    return next((KINDS[rule][0] for rule in rules if rule in KINDS), None)


@dataclass(frozen=True, slots=True)
class Direction:
    """Where a sum goes: an account to tell, a reason to hold it, or neither (the institution pays by itself)."""

    account: AccountForm | None = None
    hold: Reason | None = None


def direct(policy: Jurisdiction, item: ItemDefinition, case: Case, fen: int) -> Direction:
    """Applies the payee rule of an item to one sum (C-14, PD-20)."""
    rule = item.payout
    if rule is not None and fen <= 0:
        return Direction(hold=Reason(Code.NEGATIVE_BALANCE, (rule.source,)))
    if rule is None or rule.payee is None:
        ids = (rule.source,) if rule else (item.source,)
        return Direction(hold=Reason(Code.PAYEE_RULE_NOT_CONFIGURED, (*ids, "PD-20")))
    if rule.payee == "BY_INSTITUTION":
        return Direction()
    waits = waits_for_settlement(policy, item, case)
    if waits is not None:
        return Direction(hold=waits)
    account = case.form.account if case.form is not None else None
    if case.form is None or account is None or not account.number:
        return Direction(hold=Reason(Code.ACCOUNT_NOT_GIVEN, (rule.source,)))
    fault = account_fault(policy, rule, case.form)
    if fault is not None:
        return Direction(hold=fault[1])
    return Direction(account=_of_payee(rule, account, case.form))


def account_fault(policy: Jurisdiction, rule: PayoutRule, form: Form) -> tuple[str, Reason] | None:
    """(field, reason) why the account of a form does not satisfy a payee rule; None when it does (PD-23)."""
    account = form.account
    if account is None or account.kind is None or rule.payee not in KINDS:
        return None
    if account.kind not in KINDS[rule.payee]:
        words = {"label": "账户归属", "path": "account.kind", "value": account.kind}
        return "account.kind", Reason(
            Code.OPTION_UNKNOWN, (rule.source,), {**words, "options": "、".join(KINDS[rule.payee])}
        )
    if rule.payee == "DECEASED_OR_HEIR" and account.kind == "APPLICANT_HEIR":
        if not (account.fallback_reason or "").strip():
            ids = (rule.fallback_source or rule.source,)
            return "account.fallbackReason", Reason(Code.ACCOUNT_REASON_MISSING, ids)
        return _holder(account, form.applicant.name if form.applicant else None, rule, HELD_BY_APPLICANT)
    if rule.payee == "DECEASED_OR_HEIR":
        return _holder(account, form.deceased.name, rule, HELD_BY_DECEASED)
    if rule.payee == "APPLICANT":
        return _holder(account, form.applicant.name if form.applicant else None, rule, HELD_BY_APPLICANT)
    if rule.payee == "NAMED_PAYEE":
        named = form.payee.name if form.payee else None
        if not account.holder and named:
            return _payee(policy, form)
        return _payee(policy, form) or _holder(account, named, rule, HELD_BY_PAYEE)
    return None


def _of_payee(rule: PayoutRule, account: AccountForm, form: Form) -> AccountForm:
    """A form that asks for the payee's account number only: the payee holds it (WZ-310)."""
    if rule.payee == "NAMED_PAYEE" and not account.holder and form.payee is not None:
        return replace(account, holder=form.payee.name)
    return account


def _payee(policy: Jurisdiction, form: Form) -> tuple[str, Reason] | None:
    relation = form.payee.relation if form.payee is not None else None
    if policy.payee_relations is None or relation in policy.payee_relations:
        return None
    ids = (policy.payee_relations_source,) if policy.payee_relations_source else ()
    words = {"value": relation or "—", "options": "、".join(policy.payee_relations)}
    return "payee.relation", Reason(Code.PAYEE_RELATION_NOT_ALLOWED, ids, words)


def _holder(
    account: AccountForm, name: str | None, rule: PayoutRule, expected: dict[str, str]
) -> tuple[str, Reason] | None:
    if name and account.holder and same_name(name, account.holder):
        return None
    return "account.holder", Reason(Code.ACCOUNT_HOLDER_MISMATCH, (rule.source,), expected)


# ── deductions (WZ-703, PD-10) ──────────────────────────────────────────────────────────────────────────


def waits_for_settlement(policy: Jurisdiction, item: ItemDefinition, case: Case) -> Reason | None:
    """Why the sums of an item cannot be paid yet: the account that may be deducted has no result (WZ-513)."""
    rule = item.payout.deduction if item.payout is not None else None
    before = case.items.get(rule.item) if rule is not None else None
    if rule is None or before is None or before.status in ITEM.final:
        return None
    definition = policy.item(rule.item)
    return Reason(Code.WAITS_FOR_SETTLEMENT, (rule.waits_source,), {"item": definition.name if definition else ""})


def deficit(case: Case, slug: str) -> int:
    """What an account settled below zero, in fen; 0 when it did not."""
    item = case.items.get(slug)
    if item is None or item.status is not ItemStatus.COMPLETED:
        return 0
    return sum(-payout.fen for payout in case.payouts.values() if payout.item == slug and payout.fen < 0)


def deductions(item: ItemDefinition, case: Case) -> dict[str, int]:
    """Payout → fen that go against the negative account: the sums in the order of their ids, each as far as it reaches.

    A sum whose account was told already keeps what it had.
    """
    rule = item.payout.deduction if item.payout is not None else None
    if rule is None:
        return {}
    left, found = deficit(case, rule.item), {}
    mine = sorted((payout for payout in case.payouts.values() if payout.item == item.slug), key=_order)
    for payout in mine:
        fixed = payout.status not in (PayoutStatus.APPROVED, PayoutStatus.HELD)
        reach = payout.fen if rule.kinds is None or payout.kind in rule.kinds else 0
        part = payout.deduction if fixed else min(left, max(reach, 0))
        part = 0 if payout.status is PayoutStatus.CANCELLED else part
        found[payout.id] = part
        left -= part
    return found


def shortfall(policy: Jurisdiction, case: Case) -> int:
    """What could not be deducted from any sum, in fen: recorded for a person to handle, never paid or claimed by us.

    Told only once nothing more can be deducted: the item that is deducted from is final, or not in the case (S-08).
    """
    owed: dict[str, int] = {}
    for item in policy.items:
        rule = item.payout.deduction if item.payout is not None else None
        if rule is None:
            continue
        there = case.items.get(item.slug)
        if there is None or there.status in ITEM.final:
            taken = sum(
                payout.deduction
                for payout in case.payouts.values()
                if payout.deduction_of == rule.item and payout.status is not PayoutStatus.CANCELLED
            )
            owed[rule.item] = max(deficit(case, rule.item) - taken, 0)
    return sum(owed.values())


def _order(payout: Payout) -> tuple[bool, str]:
    """Sums that are fixed first: what they took is gone."""
    return payout.status in (PayoutStatus.APPROVED, PayoutStatus.HELD), payout.id
