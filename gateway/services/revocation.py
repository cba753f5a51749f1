"""Revocation (撤销) of a wrong "dead", and withdrawal (撤回) of one item.

Every department that was told is told the contrary, item by item; nothing more is pushed or paid meanwhile, and the
case ends once all of them have answered.
"""

from __future__ import annotations

from gateway.domain import events as e
from gateway.domain.case import Case
from gateway.domain.messages import Code, Reason, refuse
from gateway.domain.states import CASE, ITEM, CaseStatus, ItemStatus
from gateway.services import shared
from gateway.services.context import Ctx
from gateway.services.reversal import request


def revoke(ctx: Ctx, number: str, reason: str) -> Case:
    """The death was recorded in error.  The same again changes nothing.  Raises ``Refused``."""
    work = ctx.case(number)
    if work.case.status in (CaseStatus.REVOKING, CaseStatus.REVOKED):
        return work.case
    if not reason.strip():
        raise refuse(Code.FIELD_REQUIRED, "reason", label="撤销原因", path="reason")
    if not CASE.allows(work.case.status, "revoked"):
        raise refuse(Code.ACTION_NOT_POSSIBLE, None, status=work.case.status.value, action="revokeCase")
    shared.link_stops(work)  # also what was recorded after the case was closed
    never_told = [slug for slug, item in work.case.items.items() if item.status is ItemStatus.BLOCKED]
    work.record(e.Revoked(reason))
    for slug in never_told:
        work.record(e.RuledOut(slug, Reason(Code.CASE_REVOKED)))
    request(work, list(work.case.items), reason)
    shared.revoke(ctx, work.case.jurisdiction, work.case.deceased.id_number, reason)
    return work.save()


def withdraw(ctx: Ctx, number: str, slug: str, reason: str) -> Case:
    """The family takes its application for one item back, where the policy allows it (S-04).  Raises ``Refused``."""
    work = ctx.case(number)
    work.must_stand()
    definition = work.definition(slug)
    item = work.case.items[slug]
    if item.status is ItemStatus.WITHDRAWN:
        return work.case
    rule = work.policy.withdrawal

    def refused(detail: str, detail_en: str, *ids: str) -> Exception:
        words = {"item": definition.name, "detail": detail, "detail_en": detail_en}
        return refuse(Code.WITHDRAWAL_NOT_OFFERED, "item", *ids, **words)

    if rule is None:
        raise refused("政策未规定撤回", "they do not provide for it", "S-04")
    if rule.items == "CHOSEN" and not item.chosen:
        raise refused("仅限申请人勾选的事项", "only chosen items can be", rule.source)
    late = item.status in ITEM.final or (rule.until == "ACCEPTED" and item.status is ItemStatus.ACCEPTED)
    if late:
        raise refused(f"事项已为“{item.status.value}”", f"it is {item.status.value} already", rule.source)
    if not reason.strip():
        raise refuse(Code.FIELD_REQUIRED, "reason", label="撤回原因", path="reason")
    work.record(e.Withdrawn(slug, reason))
    request(work, [slug], reason)
    return work.save()
