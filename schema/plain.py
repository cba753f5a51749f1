"""A form read from a plain document (JSON, YAML) in the shape of ``SubmitCaseInput``; for tools, not for requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, GraphQLInputObjectType, coerce_input_value
from graphql.utilities import validate_input_value
from strawberry.types.arguments import convert_argument

from gateway.domain.form import Form
from schema.build import build
from schema.inputs import SubmitCaseInput


class NotAForm(Exception):
    """``lines``: every mistake, each with its path."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def form(document: Mapping[str, Any]) -> Form:
    """Raises ``NotAForm``.  ``situations`` and ``answers`` may also be mappings: ``{INSURED: true}``."""
    mistakes: list[str] = []

    def mistake(error: GraphQLError, path: list[str | int]) -> None:
        mistakes.append(f"{'.'.join(map(str, path)) or 'form'}: {_why(error)}")

    schema = build()
    kind = schema._schema.type_map[SubmitCaseInput.__name__]
    assert isinstance(kind, GraphQLInputObjectType)
    listed = _listed(dict(document))
    validate_input_value(listed, kind, mistake)
    if mistakes:
        raise NotAForm(mistakes)
    read = coerce_input_value(listed, kind)
    made = convert_argument(read, SubmitCaseInput, schema.schema_converter.scalar_registry, schema.config)
    assert isinstance(made, SubmitCaseInput)
    return made.to_domain()


def _why(error: GraphQLError) -> str:
    """The library's text without the value it quotes, which may be somebody's number."""
    if error.original_error is not None:
        return str(error.original_error)
    return re.split(r",? [Ff]ound: |: (?=['\"{\[\d])", error.message)[0].rstrip(".")


def _listed(document: dict[str, Any]) -> dict[str, Any]:
    situations, answers = document.get("situations"), document.get("answers")
    if isinstance(situations, Mapping):
        document["situations"] = [{"code": code, "holds": holds} for code, holds in situations.items()]
    if isinstance(answers, Mapping):
        document["answers"] = [{"path": path, "value": _text(value)} for path, value in answers.items()]
    return document


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
