"""Reads the policy files; every mistake is reported with its file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from gateway import plain_yaml
from gateway.domain.calendar import Calendar, Year
from gateway.domain.form import AccountForm, DeathForm, DeceasedForm, PersonForm
from gateway.policy.book import PolicyBook
from gateway.policy.mistakes import Misplaced
from gateway.policy.model import CalendarYear, Catalogue, Condition, Jurisdiction, Strict

DATA = Path(__file__).resolve().parent / "data"
M = TypeVar("M", bound=BaseModel)
Loc = tuple[str | int, ...]


class PolicyMistake(Exception):
    """``lines``: one per mistake, ``file:line: where: what``."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class _File:
    """One file; ``data``: the mapping in it, None when there is none."""

    path: Path
    text: str
    data: Mapping[str, Any] | None

    def place(self, loc: Loc) -> str:
        """``file:line`` of the deepest part of ``loc`` that stands in it."""
        return f"{self.path}:{plain_yaml.line(self.text, loc)}"


def load(data: Path = DATA, more: tuple[Path, ...] = (), alone: bool = False) -> PolicyBook:
    """Everything below ``data`` plus the jurisdiction files ``more``.  Raises ``PolicyMistake`` with all of them.

    ``alone``: the files ``more`` without the jurisdictions below ``data``, of which they may be other drafts.
    """
    mistakes: list[str] = []
    words = [_read(path, mistakes) for path in sorted((data / "catalogue").glob("*.yaml"))]
    shared = _check(Catalogue, mistakes, *words)
    years = [
        _check(CalendarYear, mistakes, _read(path, mistakes)) for path in sorted((data / "calendar").glob("*.yaml"))
    ]
    found: list[Jurisdiction] = []
    for path in (*(() if alone else sorted(data.glob("*.yaml"))), *more):
        file = _read(path, mistakes)
        jurisdiction = _check(Jurisdiction, mistakes, file)
        if jurisdiction is None:
            continue
        wrong = [*_unknown_facts(jurisdiction), *(_unknown_words(jurisdiction, shared) if shared else [])]
        if any((other.code, other.version) == (jurisdiction.code, jurisdiction.version) for other in found):
            wrong.append((("version",), f"version: {jurisdiction.code} {jurisdiction.version} is given twice"))
        mistakes += [f"{file.place(loc)}: {what}" for loc, what in wrong]
        found.append(jurisdiction)
    if mistakes or shared is None:
        raise PolicyMistake(mistakes)
    read = {
        year.year: Year(
            {day: name for name, days in year.days_off.items() for day in days},
            frozenset(day for days in year.make_up_days.values() for day in days),
            year.source,
        )
        for year in years
        if year is not None
    }
    calendars = {jurisdiction.code: Calendar(read, ZoneInfo(jurisdiction.time_zone)) for jurisdiction in found}
    return PolicyBook(tuple(found), shared, calendars)


def _read(path: Path, mistakes: list[str]) -> _File:
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        data = plain_yaml.read(text)
        if isinstance(data, Mapping):
            return _File(path, text, data)
        mistakes.append(f"{path}:1: the file is empty, or not a mapping of keys")
    except plain_yaml.NotYaml as error:
        mistakes.append(f"{path}:{error.line}: not YAML: {error.problem}")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        mistakes.append(f"{path}:{line}: not UTF-8")
    except OSError as error:
        mistakes.append(f"{path}:1: {error.strerror}")
    return _File(path, text, None)


def _check(model: type[M], mistakes: list[str], *files: _File) -> M | None:
    """What these files say together; None when that is not one, or nothing can be read."""
    readable = [(file, file.data) for file in files if file.data is not None]
    if not readable:
        return None
    try:
        return model.model_validate({key: value for _, data in readable for key, value in data.items()})
    except ValidationError as error:
        for mistake in error.errors():
            loc = mistake["loc"]
            cause = mistake.get("ctx", {}).get("error")
            if isinstance(cause, Misplaced):
                loc = (*loc, *cause.loc)
            where = ".".join(str(step) for step in loc) or "file"
            file = next((file for file, data in readable if loc and loc[0] in data), readable[0][0])
            mistakes.append(f"{file.place(loc)}: {where}: {mistake['msg']}")
    return None


def _unknown_words(jurisdiction: Jurisdiction, shared: Catalogue) -> Iterator[tuple[Loc, str]]:
    departments = {entry.code for entry in shared.departments}
    certificates = {entry.code for entry in shared.certificates}
    payments = {entry.code for entry in shared.payments}
    relations = {entry.code for entry in shared.relations}
    for at, item in enumerate(jurisdiction.items):
        named: list[tuple[Loc, list[str]]] = [(("issues",), item.issues), (("evidence",), item.evidence)]
        named += [(("requires", gate), found.certificate or []) for gate, found in enumerate(item.requires)]
        for loc, wanted in named:
            for kind in wanted:
                if kind not in certificates:
                    yield ("items", at, *loc), f"item {item.slug}: no certificate {kind} in the catalogue"
        if item.department is not None and item.department not in departments:
            what = f"item {item.slug}: no department {item.department} in the catalogue"
            yield ("items", at, "department"), what
        for kind in item.payout.kinds if item.payout is not None else []:
            if kind not in payments:
                yield ("items", at, "payout"), f"item {item.slug}: no kind of payment {kind} in the catalogue"
    for at, material in enumerate(jurisdiction.materials):
        if material.shared_as is not None and material.shared_as.certificate not in certificates:
            what = f"material {material.code}: no certificate {material.shared_as.certificate} in the catalogue"
            yield ("materials", at, "shared_as"), what
    for at, relation in enumerate(jurisdiction.payee_relations or []):
        if relation not in relations:
            yield ("payee_relations", at), f"payee_relations: no relation {relation} in the catalogue"


_GROUPS = {
    "deceased": DeceasedForm,
    "death": DeathForm,
    "applicant": PersonForm,
    "payee": PersonForm,
    "account": AccountForm,
}


def _unknown_facts(jurisdiction: Jurisdiction) -> Iterator[tuple[Loc, str]]:
    """Facts no case can ever have: a condition on one would be unknown for ever, and nobody would notice."""
    known = {"death.flow", "identity.known", "flow", "channel", "area"}
    known |= {f"{group}.{_camel(field.name)}" for group, form in _GROUPS.items() for field in fields(form)}
    for at, field in enumerate(jurisdiction.form):
        if field.path.partition(".")[0] in _GROUPS and field.path not in known:
            yield ("form", at, "path"), f"form.{at}.path: {field.path} is not a field of the typed form, nor an answer"
    known |= {field.path for field in jurisdiction.form}
    known |= {f"situation.{situation.code}" for situation in jurisdiction.situations}
    known |= {f"item.{item.slug}.chosen" for item in jurisdiction.items}
    known |= {f"shared.{kind}" for item in jurisdiction.items for kind in item.issues}
    for at, rule in enumerate(jurisdiction.eligibility):
        for key, path in (("fact_label", rule.fact_label), ("fact_text", rule.fact_text)):
            if path is not None and path not in known:
                yield ("eligibility", at, key), f"eligibility.{at}.{key}: no form path {path}"
    for at, material in enumerate(jurisdiction.materials):
        paper = material.shared_as
        for path in (paper.number, paper.issued_on, paper.issuer) if paper is not None else ():
            if path is not None and path not in known:
                yield ("materials", at, "shared_as"), f"material {material.code}: no form path {path}"
    for loc, fact in _facts(jurisdiction, ()):
        if fact not in known:
            yield loc, f"{'.'.join(map(str, loc))}: no fact {fact}"


def _facts(node: Any, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if isinstance(node, list):
        for at, part in enumerate(node):
            yield from _facts(part, (*loc, at))
    elif isinstance(node, Strict):
        if isinstance(node, Condition) and node.fact is not None:
            yield (*loc, "fact"), node.fact
        for name, field in type(node).model_fields.items():
            yield from _facts(getattr(node, name), (*loc, field.alias or name))


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
