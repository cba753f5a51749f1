"""Shared data enters a case: certificates it waits for, identities confirmed (YN-402, WZ-510, WZ-511)."""

from __future__ import annotations

from gateway.domain import events as e
from gateway.domain import evidence as found
from gateway.domain.evidence import Looks
from gateway.domain.states import CaseStatus
from gateway.policy import decide
from gateway.policy.model import SharedSource
from gateway.services.context import CaseWork, Ctx
from gateway.store import cases


def record(work: CaseWork, looks: Looks) -> None:
    """What sources told: identities as they were verified, and certificates that are not in the case yet.

    An identity is written down again only when the answer is another one than before.
    """
    uses = {use.source: use for use in work.policy.shared_sources}
    form = decide.form_of(work.case)
    for look in looks:
        use = uses.get(look.source)
        if use is None:
            continue
        if "VERIFY" in use.uses:
            for person, (name, id_number) in found.persons(form).items():
                outcome = found.outcome(look, name, id_number)
                known = [v.outcome for v in work.case.verifications if (v.person, v.source) == (person, look.source)]
                if not known or known[-1] != outcome:
                    work.record(e.IdentityVerified(person, look.source, outcome))
        _certificates(work, use, look)


def _certificates(work: CaseWork, use: SharedSource, look: found.Look) -> None:
    holding = look.of(work.case.deceased.id_number)
    if holding is None or "CERTIFICATES" not in use.uses:
        return
    for certificate in holding.certificates:
        if certificate.type in use.certificates and work.case.certificate(certificate.type) is None:
            work.record(
                e.CertificateIssued(certificate.type, certificate.number, certificate.issued_at, certificate.issuer)
            )


def take(ctx: Ctx, number: str, looks: Looks) -> bool:
    """What sources hold now enters an open case; what waited for it is released.  Returns whether anything changed."""
    work = ctx.case(number)
    if work.case.status is not CaseStatus.IN_PROGRESS:
        return False
    record(work, looks)
    changed = bool(work.recorded)
    if changed:
        work.save()
    return changed


def wanting(ctx: Ctx, source: str, after: str, limit: int) -> tuple[dict[str, tuple[str, ...]], str | None]:
    """Of the next ``limit`` open cases those that a source may have something for: number → ID numbers to ask it for;
    and the number to go on behind, None at the end."""
    codes = [policy.code for policy in ctx.book.jurisdictions if any(u.source == source for u in policy.shared_sources)]
    numbers = cases.open_numbers(ctx.tx, list(dict.fromkeys(codes)), after, limit)
    wanted: dict[str, tuple[str, ...]] = {}
    for number, case in cases.load(ctx.tx, numbers).items():
        policy = ctx.policy(case)
        use = next((use for use in policy.shared_sources if use.source == source), None)
        if use is None or case.deceased.id_number is None:
            continue
        unverified = any(v.source == source and v.outcome == "UNAVAILABLE" for v in case.verifications[-2:])
        if decide.awaited_certificates(policy, case) & set(use.certificates) or unverified:
            persons = found.persons(decide.form_of(case)).values()
            wanted[number] = tuple(id_number for _, id_number in persons if id_number)
    return wanted, numbers[-1] if len(numbers) == limit else None
