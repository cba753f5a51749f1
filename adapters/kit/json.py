"""JSON from outside: only what is text is taken for text."""

from __future__ import annotations

import json
from typing import Any


def loads(message: bytes | str, **how: Any) -> Any:
    """As ``json.loads``.  Half a surrogate pair, which nothing could keep or send on, is a ``ValueError`` as well."""
    found = json.loads(message, **how)
    if ("\\ud" if isinstance(message, str) else b"\\ud") in message.lower():  # type: ignore[operator]
        json.dumps(found, ensure_ascii=False, default=str).encode()
    return found
