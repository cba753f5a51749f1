"""What a policy offers on its form, derived once for the schema and the printed documents alike.  Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from gateway.domain.form import AccountForm, DeathForm, DeceasedForm, PersonForm
from gateway.policy.book import PolicyBook
from gateway.policy.decide.money import KINDS, usual_kind
from gateway.policy.model import Channel, FormField, ItemDefinition, Jurisdiction
from gateway.policy.words import OPTIONS, Phrase, option


@dataclass(frozen=True, slots=True)
class TickBox:
    """One item the applicant may choose."""

    item: ItemDefinition
    name: Phrase
    source: str
    pushed_anyway: bool
    """In every case it applies to, ticked or not."""


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """One kind of account that may be given."""

    kind: str
    name: Phrase
    default: bool
    """What an account is taken for when nobody says whose it is."""
    reason_needed: bool
    items: tuple[str, ...]
    """Items whose payee rule it satisfies."""
    sources: tuple[str, ...]


def tick_boxes(policy: Jurisdiction) -> Iterator[TickBox]:
    """Items that may be chosen, with the words of the form; those not switched on are told as such.

    In the order of the paper, which is that of its rows; then what the paper has no box for.
    """
    offered = [item for item in policy.items if item.handler != "PULL" and (item.trigger == "TICK" or item.tick)]
    for item in sorted(offered, key=lambda item: item.tick.source if item.tick else "~"):
        name = Phrase(item.tick.label, item.tick.label_en) if item.tick else Phrase(item.name, item.name_en)
        source = item.tick.source if item.tick else item.source
        yield TickBox(item, name, source, pushed_anyway=item.trigger != "TICK")


def account_choices(policy: Jurisdiction) -> list[AccountChoice]:
    """Kinds of account that satisfy at least one payee rule; one of them is meant when a form names none."""
    found: dict[str, list[ItemDefinition]] = {}
    for item in policy.items:
        if not item.enabled or item.handler == "PULL" or item.payout is None or item.payout.payee not in KINDS:
            continue
        for kind in KINDS[item.payout.payee]:
            found.setdefault(kind, []).append(item)
    usual = usual_kind(policy)
    return [
        AccountChoice(
            kind,
            OPTIONS[kind],
            default=kind == usual,
            reason_needed=kind == "APPLICANT_HEIR"
            and any(item.payout is not None and item.payout.payee == "DECEASED_OR_HEIR" for item in items),
            items=tuple(item.slug for item in items),
            sources=tuple(dict.fromkeys(item.payout.source for item in items if item.payout is not None)),
        )
        for kind, items in found.items()
    ]


def options(book: PolicyBook, policy: Jurisdiction, field: FormField) -> list[tuple[str, Phrase]]:
    """Options of a field with their names."""
    return [(code, option(book, policy, field.path, code)) for code in field.options or []]


def qr_path(policy: Jurisdiction, channel: Channel) -> str | None:
    """Where the QR code of a way in is served; None: none leads into it (HZ-1005)."""
    return f"/entry/{policy.code}/{channel.code}" if channel.qr is not None else None


def spared_by(policy: Jurisdiction) -> list[str]:
    """Sources of shared data that are asked for papers, so that the family need not bring them (YN-403)."""
    return [use.source for use in policy.shared_sources if "MATERIALS" in use.uses]


def _typed() -> frozenset[str]:
    groups = {"deceased": DeceasedForm, "death": DeathForm, "applicant": PersonForm, "payee": PersonForm}
    kinds = {**groups, "account": AccountForm}
    return frozenset(f"{group}.{_camel(field.name)}" for group, kind in kinds.items() for field in fields(kind))


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


TYPED = _typed()
"""Form paths that have a place of their own in the typed form; all others travel in ``answers``."""
