"""Pre-filling (共享数据自动调用, YN-302): values of the form that the platform and its sources hold already.

Of a person without a death certificate nothing is told: the living are nobody's business here.  Who asks has to know
the name that belongs to the ID number: numbers are not to be tried out (PD-15).
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.domain.department import Certificate, Holding
from gateway.domain.evidence import Looks
from gateway.domain.identity import canonical, same_name
from gateway.policy.model import Jurisdiction
from gateway.services import shared
from gateway.services.context import Ctx

DEATH = ("DEATH_MEDICAL", "DEATH_ABNORMAL", "CREMATION")
_DECEASED = {
    "deceased.name": "name",
    "deceased.sex": "sex",
    "deceased.birthDate": "birth_date",
    "deceased.ethnicity": "ethnicity",
    "deceased.hukouArea": "hukou_area",
    "deceased.hukouAddress": "hukou_address",
    "death.occurredAt": "died_at",
    "death.area": "death_area",
    "cremation.area": "cremation_area",
}
_APPLICANT = {"applicant.name": "name", "applicant.address": "hukou_address"}


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the form, as text, and who holds it."""

    path: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Prefilled:
    fields: tuple[Value, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    materials: tuple[str, ...] = ()


def prefill(ctx: Ctx, policy: Jurisdiction, looks: Looks, name: str, deceased: str, applicant: str | None) -> Prefilled:
    """What is held of the deceased with this ``name`` and ID number; nothing where a holder has another name, or nobody
    has any.  ``applicant``: the ID number of who asks; a family member is told of no other living person.
    """
    record = shared.of(ctx, policy.code, deceased)
    held = [(look.source, found) for look in looks if (found := look.of(deceased)) is not None]
    names = [found.name for _, found in held] + ([record.deceased.name] if record is not None else [])
    known = [one for one in names if one is not None]
    if not known or not all(same_name(one, name) for one in known):
        return Prefilled()
    certificates = {found.type: found for _, holding in held for found in holding.certificates}
    if record is not None:
        certificates |= {
            found.type: Certificate(found.type, found.number, found.issued_at, found.issuer)
            for found in record.certificates
        }
    if not set(certificates) & set(DEATH):
        return Prefilled()
    asked = {field.path for field in policy.form}
    values: dict[str, Value] = {}
    for source, holding in held:
        _fill(values, asked, _DECEASED, holding, source)
    own = applicant is not None and _is_own(ctx, applicant)
    for look in looks:
        person = look.of(applicant) if own else None
        if person is not None:
            _fill(values, asked, _APPLICANT, person, look.source)
    materials = {code for _, holding in held for code in holding.materials}
    if own:
        materials |= {code for look in looks if (person := look.of(applicant)) for code in person.materials}
    return Prefilled(tuple(values.values()), tuple(certificates.values()), tuple(sorted(materials)))


def _fill(values: dict[str, Value], asked: set[str], table: dict[str, str], holding: Holding, source: str) -> None:
    for path, name in table.items():
        value = getattr(holding, name)
        if value is not None and path in asked and path not in values:
            text = value.isoformat() if hasattr(value, "isoformat") else str(value)
            values[path] = Value(path, text, source)


def _is_own(ctx: Ctx, id_number: str) -> bool:
    """Families are told of themselves only; staff at the counter see the card."""
    return ctx.actor.role != "family" or ctx.actor.subject == ctx.tx.seal.pseudonym("person", canonical(id_number))
