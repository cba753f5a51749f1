"""What the rules say of one case: which items apply, what each waits for, when it is due, whose account is paid.

Pure functions of policy and case; nothing is read or written.
"""

from gateway.policy.decide.clocks import deadlines, effective, effective_from, next_due
from gateway.policy.decide.facts import facts_of, form_of, handling_area, reached_through
from gateway.policy.decide.gates import Gate, awaited_certificates, certified, gates, shared_papers
from gateway.policy.decide.money import (
    HOLDERS,
    KINDS,
    Direction,
    account_fault,
    deductions,
    deficit,
    direct,
    shortfall,
    usual_kind,
    waits_for_settlement,
)
from gateway.policy.decide.supervising import Coming, coming
from gateway.policy.decide.verdicts import verdicts

__all__ = [
    "HOLDERS",
    "KINDS",
    "Coming",
    "Direction",
    "Gate",
    "account_fault",
    "awaited_certificates",
    "certified",
    "coming",
    "deadlines",
    "deductions",
    "deficit",
    "direct",
    "effective",
    "effective_from",
    "facts_of",
    "form_of",
    "gates",
    "handling_area",
    "next_due",
    "reached_through",
    "shared_papers",
    "shortfall",
    "usual_kind",
    "verdicts",
    "waits_for_settlement",
]
