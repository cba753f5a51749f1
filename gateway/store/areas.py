"""Rows of the areas a viewer may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_, true


def in_areas(area: ColumnElement[Any], prefixes: Sequence[str] | None) -> ColumnElement[bool]:
    """Whether an administrative code begins with one of these prefixes; None: any does."""
    return or_(*(area.startswith(prefix) for prefix in prefixes)) if prefixes is not None else true()
