"""JSON from outside: only what is text is taken for text, and every value is of the kind that was agreed.

Whatever is not so raises ``DepartmentUnintelligible``.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

from gateway.domain.department import DepartmentUnintelligible

T = TypeVar("T")


def loads(message: bytes | str, **how: Any) -> Any:
    """As ``json.loads``, with its errors.  Half a surrogate pair, which nothing could keep, is a ``ValueError`` too."""
    found = json.loads(message, **how)
    if ("\\ud" if isinstance(message, str) else b"\\ud") in message.lower():  # type: ignore[operator]
        json.dumps(found, ensure_ascii=False, default=str).encode()
    return found


def loaded(message: bytes | str, **how: Any) -> dict[str, Any]:
    """The object that a message is."""
    try:
        whole = loads(message, **how)
    except (ArithmeticError, ValueError, RecursionError) as error:
        raise DepartmentUnintelligible("not JSON") from error
    if not isinstance(whole, dict):
        raise DepartmentUnintelligible("not a JSON object")
    return whole


def field(node: dict[str, Any], name: str, kind: type[T], default: T | None = None) -> T:
    """The field, of exactly that JSON kind; ``default`` (if any) where it is absent."""
    value = node.get(name, default)
    if type(value) is not kind:
        raise DepartmentUnintelligible(f"{name} is missing or not a {kind.__name__}")
    return value


def list_of(node: dict[str, Any], name: str, kind: type[T]) -> list[T]:
    """The list, every value of exactly that JSON kind."""
    values = field(node, name, list)
    if not all(type(value) is kind for value in values):
        raise DepartmentUnintelligible(f"{name} is not a list of {kind.__name__}")
    return values


def optional(node: dict[str, Any], name: str) -> str | None:
    """A text that may be absent, null or empty."""
    return None if node.get(name) is None else field(node, name, str) or None
