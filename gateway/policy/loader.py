"""Reads the policy files; every mistake is reported with its file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from gateway.domain.calendar import Calendar, Year
from gateway.policy.book import PolicyBook
from gateway.policy.model import CalendarYear, Catalogue, Jurisdiction

DATA = Path(__file__).resolve().parent / "data"
M = TypeVar("M", bound=BaseModel)


class PolicyMistake(Exception):
    """``lines``: one per mistake, ``file:line: where: what``."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def load(data: Path = DATA, more: tuple[Path, ...] = ()) -> PolicyBook:
    """Everything below ``data`` plus the jurisdiction files ``more``.  Raises ``PolicyMistake`` with all of them."""
    mistakes: list[str] = []
    catalogue = _merge([_read(path, mistakes) for path in sorted((data / "catalogue").glob("*.yaml"))])
    shared = _check(catalogue, Catalogue, data / "catalogue", mistakes)
    years = [
        _check(_read(path, mistakes), CalendarYear, path, mistakes)
        for path in sorted((data / "calendar").glob("*.yaml"))
    ]
    jurisdictions = [
        (path, _check(_read(path, mistakes), Jurisdiction, path, mistakes))
        for path in (*sorted(data.glob("*.yaml")), *more)
    ]
    if shared is not None:
        for path, jurisdiction in jurisdictions:
            if jurisdiction is not None:
                mistakes += [f"{path}: {what}" for what in _unknown_words(jurisdiction, shared)]
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
    found = [jurisdiction for _, jurisdiction in jurisdictions if jurisdiction is not None]
    calendars = {jurisdiction.code: Calendar(read, ZoneInfo(jurisdiction.time_zone)) for jurisdiction in found}
    return PolicyBook(tuple(found), shared, calendars)


def _read(path: Path, mistakes: list[str]) -> Any:
    try:
        return YAML(typ="rt", pure=True).load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        mistakes.append(f"{path}:{line}: not YAML: {error.problem}")
    except OSError as error:
        mistakes.append(f"{path}: {error.strerror}")
    return None


def _check(data: Any, model: type[M], path: Path, mistakes: list[str]) -> M | None:
    if data is None:
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for mistake in error.errors():
            where = ".".join(str(part) for part in mistake["loc"]) or "file"
            mistakes.append(f"{path}:{_line(data, mistake['loc'])}: {where}: {mistake['msg']}")
    return None


def _line(data: Any, loc: tuple[int | str, ...]) -> int:
    """Line of the deepest part of ``loc`` that stands in the file."""
    line = 1
    for part in loc:
        try:
            key_position = data.lc.key(part) if isinstance(part, str) else data.lc.item(part)
            line = key_position[0] + 1
            data = data[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def _merge(parts: list[Any]) -> dict[str, Any]:
    return {key: value for part in parts if part for key, value in part.items()}


def _unknown_words(jurisdiction: Jurisdiction, shared: Catalogue) -> list[str]:
    departments = {entry.code for entry in shared.departments}
    certificates = {entry.code for entry in shared.certificates}
    payments = {entry.code for entry in shared.payments}
    relations = {entry.code for entry in shared.relations}
    wrong = []
    for item in jurisdiction.items:
        named = [*item.issues, *item.evidence, *(c for gate in item.requires for c in gate.certificate or [])]
        wrong += [f"item {item.slug}: no certificate {c} in the catalogue" for c in named if c not in certificates]
        if item.department is not None and item.department not in departments:
            wrong.append(f"item {item.slug}: no department {item.department} in the catalogue")
        if item.payout is not None:
            wrong += [
                f"item {item.slug}: no kind of payment {kind} in the catalogue"
                for kind in item.payout.kinds
                if kind not in payments
            ]
    wrong += [
        f"payee_relations: no relation {relation} in the catalogue"
        for relation in jurisdiction.payee_relations or []
        if relation not in relations
    ]
    return wrong
