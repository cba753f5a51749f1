"""Trusted documents: with them configured, only what was registered beforehand runs.

A client sends the document's id: ``documentId`` (GraphQL over HTTP, appendix A), or ``extensions.persistedQuery`` as
Apollo's clients do.  The id is the SHA-256 of the text, so the whole text of a registered document is taken as well.
The limits hold for registered documents too; ``shenhou documents check`` says which exceed them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gateway.domain.messages import Code, Refused, refuse

FORMAT = "apollo-persisted-query-manifest"
PREFIX = "sha256:"


class BadDocuments(Exception):
    """A manifest that cannot be used; the message names it."""


def id_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Documents:
    """The registered documents by id.  Without a manifest every document is taken, and none is known by its id."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        self.known = known

    def text(self, query: str | None, id: str | None, extensions: Mapping[str, Any] | None) -> str:
        """The text to run.  Raises ``Refused`` (INVALID_OPERATION, DOCUMENT_NOT_REGISTERED)."""
        persisted = (extensions or {}).get("persistedQuery")
        if id is None and isinstance(persisted, dict):
            id = persisted.get("sha256Hash")
        wanted = id.removeprefix(PREFIX) if isinstance(id, str) else None
        if wanted is None and not query:
            raise refuse(Code.INVALID_OPERATION, None, detail="query")
        if query and wanted is not None and wanted != id_of(query):
            raise refuse(Code.INVALID_OPERATION, None, detail="documentId ≠ SHA-256(query)")
        if query and self.known is None:
            return query
        found = (self.known or {}).get(wanted or id_of(query or ""))
        if found is None:
            raise not_registered()
        return found


def not_registered() -> Refused:
    return refuse(Code.DOCUMENT_NOT_REGISTERED, None, "HZ-816")


def manifest(texts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The manifest of these documents (name, text), as Apollo's tools write it."""
    operations = [{"id": id_of(text), "name": name, "type": "document", "body": text} for name, text in texts]
    return {"format": FORMAT, "version": 1, "operations": operations}


def named(path: Path) -> list[tuple[str, str]]:
    """Names and texts of the documents of a manifest, a ``.graphql`` file, or a folder of both.

    Raises ``BadDocuments``.
    """
    files = sorted([*path.rglob("*.json"), *path.rglob("*.graphql")]) if path.is_dir() else [path]
    found: list[tuple[str, str]] = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
            found += [(file.stem, text)] if file.suffix == ".graphql" else _listed(json.loads(text))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadDocuments(f"{file} is no manifest of documents: {type(error).__name__}") from error
    return found


def _listed(found: Any) -> list[tuple[str, str]]:
    """Apollo's manifest, or a plain object of ids and texts."""
    if found.get("format") == FORMAT:
        listed = [(one["id"], one["name"], one["body"]) for one in found["operations"]]
    else:
        listed = [(id.removeprefix(PREFIX), id, text) for id, text in found.items()]
    if any(id_of(text) != id for id, _, text in listed):
        raise ValueError("an id is the SHA-256 of its document")
    return [(name, text) for _, name, text in listed]


def load(paths: Iterable[Path]) -> Documents:
    """Raises ``BadDocuments``."""
    return Documents({id_of(text): text for path in paths for _, text in named(path)})
