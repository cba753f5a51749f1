"""What sources of shared data told about the persons of a form before it is judged (YN-402, YN-403)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain.department import Holding
from gateway.domain.form import Form
from gateway.domain.identity import canonical, same_name


@dataclass(frozen=True, slots=True)
class Look:
    """One source's answer.  ``holdings`` None: it did not answer.  Keys are ID numbers in canonical form."""

    source: str
    holdings: Mapping[str, Holding] | None

    def of(self, id_number: str | None) -> Holding | None:
        if self.holdings is None or not id_number:
            return None
        return self.holdings.get(canonical(id_number))


Looks = tuple[Look, ...]


def persons(form: Form) -> dict[str, tuple[str | None, str | None]]:
    """Person of the form → (name, ID number), those that have a number."""
    found = {
        "deceased": (form.deceased.name, form.deceased.id_number),
        "applicant": (form.applicant.name, form.applicant.id_number) if form.applicant else (None, None),
    }
    return {person: pair for person, pair in found.items() if pair[1]}


def outcome(look: Look, name: str | None, id_number: str | None) -> str:
    """``MATCH``, ``MISMATCH``, ``NOT_HELD`` or ``UNAVAILABLE``."""
    if look.holdings is None:
        return "UNAVAILABLE"
    held = look.of(id_number)
    if held is None or held.name is None or name is None:
        return "NOT_HELD"
    return "MATCH" if same_name(held.name, name) else "MISMATCH"


def held_materials(looks: Looks, form: Form) -> frozenset[str]:
    """Codes of papers a source holds of the persons of the form, so that nobody is asked for them.

    A source does not know who is who: ``APPLICANT_…`` and ``DECEASED_…`` count for that person only.
    """
    found: set[str] = set()
    for look in looks:
        for person, (_, id_number) in persons(form).items():
            held = look.of(id_number)
            others = tuple(f"{other.upper()}_" for other in ("applicant", "deceased") if other != person)
            found |= {code for code in (held.materials if held else ()) if not code.startswith(others)}
    return frozenset(found)
