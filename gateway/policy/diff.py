"""What differs between two policies, by meaning: matched by code, slug and path, never by line.

Two jurisdictions differ in every row id and every phrase; those are left out between them, and shown with each
difference instead.  Two versions of one jurisdiction are compared to the last word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gateway.policy import notation
from gateway.policy.model import (
    Clock,
    Condition,
    Deduction,
    ItemDefinition,
    Jurisdiction,
    Period,
    Requirement,
    Rule,
    SharedSource,
    Strict,
)

ADDED, REMOVED, CHANGED = "ADDED", "REMOVED", "CHANGED"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.  ``key``: what it is in (an item's slug, a form path); ``field``: where in it, empty = all of it.

    ``left_ids``, ``right_ids``: the rows that say so on either side.
    """

    section: str
    key: str
    field: str
    kind: str
    left: str | None
    right: str | None
    left_ids: tuple[str, ...] = ()
    right_ids: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        return asdict(self)


_ROWS = frozenset({"source", "also", "row", "seed"})
_WORDS = frozenset(
    {
        "name",
        "name_en",
        "label",
        "label_en",
        "text",
        "text_en",
        "hint",
        "quote",
        "clause",
        "option_names",
        "other_names",
        "condition_name",
        "condition_name_en",
        "not_condition",
        "not_condition_en",
        "duty_contact",
        "duty_contact_en",
        "actor",
        "document",
    }
)
_PLACE = frozenset({"code", "version", "area", "case_number", "group", "form_groups"})
"""Different between any two places, and of no consequence."""

_SECTIONS: dict[str, tuple[str, ...]] = {
    "intake": ("rollout", "channels", "areas", "shared_sources", "via"),
    "eligibility": ("eligibility",),
    "flows": ("flows", "refused_flows", "causes"),
    "form": ("form_groups", "form"),
    "situations": ("situations",),
    "materials": ("materials", "certificates_on_form"),
    "commitments": ("commitments",),
    "notices": ("notices", "steps"),
    "money": ("payee_relations", "payout_clock_start"),
    "after": ("delivery", "rating", "withdrawal", "supervision", "effect_base"),
    "items": ("items",),
}
"""Section → keys of a policy file.  Every other key is in the section ``head``."""


def diff(left: Jurisdiction, right: Jurisdiction, wording: bool | None = None) -> list[Change]:
    """All differences, by section.  ``wording``: also row ids, quotes, names; None: between versions of one only."""
    exact = left.code == right.code if wording is None else wording
    compare = _Compare(exact)
    listed = {key for keys in _SECTIONS.values() for key in keys}
    head = tuple(key for key in Jurisdiction.model_fields if key not in listed)
    changes: list[Change] = []
    for section, keys in {"head": head, **_SECTIONS}.items():
        for key in keys:
            changes += compare.key(section, key, left, right)
    return changes


@dataclass(frozen=True, slots=True)
class _Compare:
    exact: bool

    def key(self, section: str, key: str, left: Jurisdiction, right: Jurisdiction) -> Iterator[Change]:
        if self._ignored(key):
            return
        mine, theirs = getattr(left, key), getattr(right, key)
        if key == "areas" and not self.exact:
            mine, theirs = f"{len(mine)} areas", f"{len(theirs)} areas"
        name = _KEYS.get(key) if isinstance(mine, list) or isinstance(theirs, list) else None
        if name is None:
            own = f"{key}_source"
            ids = _row(getattr(left, own, None)), _row(getattr(right, own, None))
            yield from self._field(section, key, "", mine, theirs, *ids)
            return
        for code, (one, other) in _matched(mine or [], theirs or [], name).items():
            prefix = code if key == section or len(_SECTIONS[section]) == 1 else f"{key}.{code}"
            yield from self._thing(section, prefix, "", one, other)

    def _thing(self, section: str, key: str, path: str, one: Strict | None, other: Strict | None) -> Iterator[Change]:
        """Two things that are meant to be one; one of them may not be there."""
        if one is None or other is None:
            kind = ADDED if one is None else REMOVED
            yield Change(section, key, path, kind, _show(one), _show(other), _ids(one), _ids(other))
            return
        for name in type(one).model_fields:
            if not self._ignored(name):
                at = f"{path}.{name}" if path else name
                ids = _nearest(one, name), _nearest(other, name)
                yield from self._field(section, key, at, getattr(one, name), getattr(other, name), *ids)

    def _field(
        self, section: str, key: str, path: str, one: Any, other: Any, mine: tuple[str, ...], theirs: tuple[str, ...]
    ) -> Iterator[Change]:
        if one == other:
            return
        if isinstance(one, Strict) and isinstance(other, Strict) and not isinstance(one, Condition | Period):
            yield from self._thing(section, key, path, one, other)
            return
        name = _KEYS.get(path.rpartition(".")[2])
        if name is not None:
            for code, (first, second) in _matched(one, other, name).items():
                yield from self._thing(section, key, f"{path}.{code}", first, second)
            return
        yield Change(section, key, path, CHANGED, _show(one), _show(other), mine, theirs)

    def _ignored(self, name: str) -> bool:
        if self.exact:
            return False
        return name in _ROWS or name in _WORDS or name in _PLACE or name.endswith("_source")


# ── what is matched with what ───────────────────────────────────────────────────────────────────────────

Name = Callable[[Any], str]


def _gate(found: Requirement) -> str:
    return notation.requirement(found) + (f" if {notation.condition(found.when)}" if found.when is not None else "")


def _clock(found: Clock) -> str:
    return f"{found.clock}" + (f" if {notation.condition(found.when)}" if found.when is not None else "")


def _rule(found: Rule) -> str:
    return " & ".join(notation.facts(found.condition))


_KEYS: Mapping[str, Name] = {
    "areas": lambda found: str(found.code),
    "channels": lambda found: str(found.code),
    "flows": lambda found: str(found.code),
    "refused_flows": lambda found: str(found.code),
    "causes": lambda found: str(found.code),
    "form_groups": lambda found: str(found.code),
    "situations": lambda found: str(found.code),
    "materials": lambda found: str(found.code),
    "commitments": lambda found: str(found.code),
    "notices": lambda found: str(found.code),
    "delivery": lambda found: str(found.code),
    "levels": lambda found: str(found.code),
    "business_types": lambda found: str(found.code),
    "rollout": lambda found: str(found.area),
    "eligibility": _rule,
    "form": lambda found: str(found.path),
    "certificates_on_form": lambda found: str(found.certificate),
    "steps": lambda found: f"{found.flow or 'every flow'}: {found.actor} {found.name}",
    "shared_sources": lambda found: str(found.source),
    "items": lambda found: str(found.slug),
    "requires": _gate,
    "clocks": _clock,
}
"""Key that holds a list of things → what a thing is known by.  A second one of the same name gets a number."""


def _matched(left: list[Any], right: list[Any], name: Name) -> dict[str, tuple[Any, Any]]:
    mine, theirs = _named(left, name), _named(right, name)
    return {key: (mine.get(key), theirs.get(key)) for key in dict.fromkeys((*mine, *theirs))}


def _named(things: list[Any], name: Name) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for thing in things:
        key, turn = name(thing), 2
        while key in found:
            key, turn = f"{name(thing)} #{turn}", turn + 1
        found[key] = thing
    return found


# ── in words ────────────────────────────────────────────────────────────────────────────────────────────


def _ids(thing: Strict | None) -> tuple[str, ...]:
    if thing is None:
        return ()
    if isinstance(thing, SharedSource):
        return (thing.row,)
    return (*_row(getattr(thing, "source", None)), *getattr(thing, "also", ()))


def _nearest(thing: Strict, name: str) -> tuple[str, ...]:
    """The row of a field where it has one of its own, else that of the thing it is in."""
    stem = "condition" if name in ("applies_when", "when_not") else name
    return _row(getattr(thing, f"{stem}_source", None)) or _ids(thing)


def _row(found: str | None) -> tuple[str, ...]:
    return (found,) if found else ()


def _show(found: Any) -> str | None:
    """One line; None for what is not there, or NOT STATED."""
    if found is None:
        return None
    if isinstance(found, Condition):
        return notation.condition(found)
    if isinstance(found, Requirement):
        return _gate(found)
    if isinstance(found, Period):
        return None if found.amount is None else notation.period(found)
    if isinstance(found, Clock):
        return notation.limit(found)
    if isinstance(found, Deduction):
        return f"{found.item} from {', '.join(found.kinds or ['every kind'])}"
    if isinstance(found, ItemDefinition):
        return f"{found.name} · {found.department or notation.NOT_STATED} · {found.handler} · {found.trigger}"
    if isinstance(found, Strict):
        plain = found.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        shown = {name: value for name, value in plain.items() if name not in _ROWS}
        first = next((str(shown[name]) for name in ("name", "label", "text") if shown.get(name)), None)
        return first or ", ".join(f"{name} {_show(value) or '—'}" for name, value in shown.items())
    if isinstance(found, list | tuple):
        return ", ".join(_show(part) or "—" for part in found)
    if isinstance(found, dict):
        short = found.get("code") or found.get("slug")
        return str(short) if short else ", ".join(f"{name} {_show(value) or '—'}" for name, value in found.items())
    return notation.value(found)
