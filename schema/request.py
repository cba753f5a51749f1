"""What a client sends to ``/graphql``: one JSON object, read with limits before anything else looks at it.

Only ``application/json`` is taken: no page of another site can send that without asking first (CORS), so there is
nothing to forge.  There are no cookies.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from strawberry.http import GraphQLRequestData

from gateway.domain.messages import Code, refuse
from schema.documents import Documents
from schema.guard import too_large


@dataclass(frozen=True, slots=True)
class InputLimits:
    """What the variables of one request may have at most."""

    depth: int = 12
    values: int = 5_000
    characters: int = 20_000
    """Of one text."""


def must_be_json(content_type: str) -> None:
    """Raises ``Refused`` (NOT_SERVED) for whatever a plain form of another site could send."""
    kind, _, rest = content_type.partition(";")
    charset = rest.strip().lower().replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        words = {
            "detail": "须为Content-Type: application/json",
            "detail_en": "Content-Type: application/json is needed",
        }
        raise refuse(Code.NOT_SERVED, None, **words)


def read(body: bytes, limits: InputLimits, documents: Documents) -> GraphQLRequestData:
    """Raises ``Refused`` (INVALID_OPERATION, DOCUMENT_NOT_REGISTERED) or ``GraphQLError`` (OPERATION_TOO_LARGE)."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") > 2 * limits.values:
        raise too_large("变量中的值", "values in the variables", limits.values)
    found = _object(body)
    query, variables = found.get("query"), found.get("variables")
    name, extensions = found.get("operationName"), found.get("extensions")
    _is(query, str, "query")
    _is(variables, dict, "variables")
    _is(name, str, "operationName")
    _is(extensions, dict, "extensions")
    _is(found.get("documentId"), str, "documentId")
    within(variables, limits)
    text = documents.text(query, found.get("documentId"), extensions)
    return GraphQLRequestData(text, variables, name or None, None)


def within(variables: Any, limits: InputLimits) -> None:
    """Raises ``GraphQLError`` (OPERATION_TOO_LARGE) for variables that are too deep, too many or too long."""
    values, level, here = 0, 0, [variables]
    while here:
        level += 1
        if level > limits.depth:
            raise too_large("变量嵌套层数", "levels in the variables", limits.depth)
        below: list[Any] = []
        for value in here:
            if isinstance(value, str):
                if len(value) > limits.characters:
                    raise too_large("单个文本的字符数", "characters in one text", limits.characters)
            elif isinstance(value, dict):
                below += value.values()
            elif isinstance(value, list):
                below += value
        values += len(below)
        if values > limits.values:
            raise too_large("变量中的值", "values in the variables", limits.values)
        here = below


def _object(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode()
        found = json.loads(text, parse_constant=_no_number)
        if "\\u0000" in text:
            raise ValueError("no text has the character NUL in it")
        if "\\ud" in text or "\\uD" in text:
            json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no character
    except (RecursionError, ValueError):
        raise _wrong("the body is no JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise _wrong("the body is no JSON object")
    return found


def _no_number(text: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def _is(value: object, kind: type, name: str) -> None:
    if value is not None and not isinstance(value, kind):
        raise _wrong(f"{name} has to be {'a text' if kind is str else 'an object'}")


def _wrong(detail: str) -> Exception:
    return refuse(Code.INVALID_OPERATION, None, detail=detail)
