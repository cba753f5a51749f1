"""Which rule holds for which field: ``fields.yaml``, read once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gateway import plain_yaml

FILE = Path(__file__).with_name("fields.yaml")
Group = Literal["identity", "phone", "address", "account", "cause", "materials"]
"""Kinds of personal data."""
GROUPS: tuple[Group, ...] = get_args(Group)
Plain = Literal["operation", "everyone", "area", "case", "document", "item", "whole", "shared", "staff", "messages"]
Rule = Plain | Group
Rules = Annotated[tuple[Rule, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)]
OTHERS = "*"


class RuleText(BaseModel):
    """What a rule means.  ``mask``: characters that stay at the beginning and at the end of a masked text."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    name_en: str
    mask: tuple[int, int] | None = None


class StaffMatters(BaseModel):
    """Types of entries of the timeline, and kinds of alerts, only the staff sees."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    entries: frozenset[str]
    alerts: frozenset[str]


class FieldRules(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rules: dict[Rule, RuleText]
    record: dict[str, dict[str, Rules]]
    """Class of the domain → attribute → rules: what ``sight`` cuts a case by."""
    staff: StaffMatters
    published: dict[str, dict[str, Rules]] = Field(alias="schema")
    """Type of the schema → field → rules."""

    def of(self, type_name: str, field: str) -> tuple[Rule, ...]:
        """Rules of a field of the schema; none for one nobody thought of."""
        fields: Mapping[str, tuple[Rule, ...]] = self.published.get(type_name, {})
        return fields.get(field, fields.get(OTHERS, ()))


@cache
def load() -> FieldRules:
    """Raises ``pydantic.ValidationError`` for a file that is none."""
    return FieldRules.model_validate(plain_yaml.read(FILE.read_text(encoding="utf-8")))
