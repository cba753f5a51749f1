"""YAML 1.2 as the files here are written: plain values, no key twice, read in C where there is a C reader.

A word is a boolean only when it is ``true`` or ``false``, and a number is decimal, ``0o`` or ``0x`` (core schema);
dates and times are read as such.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as _Safe
except ImportError:  # a platform without the C reader
    from yaml import SafeLoader as _Safe  # type: ignore[assignment]

TAG = "tag:yaml.org,2002:"
_CORE = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
    (
        "timestamp",
        r"\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?"
        r"(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?",
        "0123456789",
    ),
    ("merge", "<<", "<"),
)


class NotYaml(ValueError):
    """Text that is not YAML.  ``line`` counts from 1; ``problem`` says what is wrong."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"{line}: {problem}")
        self.line, self.problem = line, problem


class _Loader(_Safe):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key {key.value} is given twice", problem_mark=key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_whole_number(self, node: Any) -> int:
        text = str(self.construct_scalar(node))
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)

    def construct_text(self, node: Any) -> str:
        return str(self.construct_scalar(node))


class _AsWritten(_Loader):
    """Numbers and times stay text."""


for _kind, _pattern, _first in _CORE:
    _Loader.add_implicit_resolver(TAG + _kind, re.compile(f"(?:{_pattern})$"), list(_first))
_Loader.add_constructor(f"{TAG}int", _Loader.construct_whole_number)
for _kind in ("int", "float", "timestamp"):
    _AsWritten.add_constructor(TAG + _kind, _Loader.construct_text)


def read(text: str, as_written: bool = False) -> Any:
    """What a document says.  ``as_written``: numbers and times stay text.  Raises ``NotYaml``."""
    try:
        return yaml.load(text, _AsWritten if as_written else _Loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        raise NotYaml(error.problem_mark.line + 1 if error.problem_mark else 1, error.problem or "") from error
    except (yaml.YAMLError, ValueError) as error:
        raise NotYaml(1, str(error)) from error


def line(text: str, loc: Sequence[str | int]) -> int:
    """Line of the deepest part of ``loc`` (keys and positions) that stands in a document; the first is 1."""
    node = yaml.compose(text, _Loader)
    found = 1
    for part in loc:
        if isinstance(node, yaml.MappingNode) and isinstance(part, str):
            pair = next((pair for pair in node.value if pair[0].value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            pair = (node.value[part], node.value[part])
        else:
            pair = None
        if pair is None:
            break
        found, node = pair[0].start_mark.line + 1, pair[1]
    return found
