"""What a deployment decides about files that are uploaded.  No document states types or sizes: these are the technical
bounds, and a jurisdiction's file may narrow them (``accepts``, ``max_bytes`` of a material)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.domain.materials import KINDS


@dataclass(frozen=True, slots=True)
class UploadSettings:
    """Bytes, seconds, counts."""

    max_bytes: int = 10 * 1024 * 1024
    """``SHENHOU_UPLOAD_MAX_BYTES``: largest file."""
    types: tuple[str, ...] = ("pdf", "jpeg", "png", "ofd")
    """``SHENHOU_UPLOAD_TYPES``: kinds of file, by their names in ``KINDS``."""
    limit_s: float = 300.0
    """``SHENHOU_UPLOAD_LIMIT_S``: how long one file may take to arrive; less than an hour."""
    keep_s: float = 86_400.0
    """``SHENHOU_UPLOAD_KEEP_S``: how long a file is kept that no case names."""
    loose: int = 50
    """``SHENHOU_UPLOAD_LOOSE``: files of one person that no case names, those on their way included."""
    scanner: str = ""
    """``SHENHOU_SCANNER``: ``clamd://host:port``, ``clamd:///path/of/socket``, or ``none``: files are not scanned.
    Empty: as ``none`` in development; in production no files are taken until it is stated."""
    scanner_limit_s: float = 30.0
    """``SHENHOU_SCANNER_LIMIT_S``: how long the scanner may take for one file before it has to wait."""


def read(given: dict[str, str], number: Callable[[str, str], float]) -> UploadSettings:
    """Takes what is its own out of ``given``.  ``number``: reads one, or raises with the name of the variable.

    Raises ``ValueError`` naming the variable.
    """
    values: dict[str, Any] = {}
    for name in ("max_bytes", "loose", "limit_s", "keep_s"):
        if (text := given.pop(key := f"UPLOAD_{name.upper()}", None)) is not None:
            values[name] = number(key, text) if name.endswith("_s") else int(number(key, text))
            if values[name] <= 0 or (name == "limit_s" and values[name] >= 3600):
                raise ValueError(f"{key} is out of range")
    if (text := given.pop("SCANNER_LIMIT_S", None)) is not None:
        values["scanner_limit_s"] = number("SCANNER_LIMIT_S", text)
    if (text := given.pop("UPLOAD_TYPES", None)) is not None:
        values["types"] = tuple(part.strip() for part in text.split(",") if part.strip())
        if not values["types"] or not set(values["types"]) <= set(KINDS):
            raise ValueError(f"UPLOAD_TYPES must be some of {','.join(KINDS)}")
    if (text := given.pop("SCANNER", None)) is not None:
        values["scanner"] = text
    return UploadSettings(**values)
