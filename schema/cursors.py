"""Keyset cursors and page sizes."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from gateway.domain.messages import Code, refuse


def page(first: int) -> int:
    """Raises ``Refused`` (FIELD_INVALID) for a page that is too large."""
    if not 1 <= first <= 100:
        words = {"label": "first", "path": "first", "detail": "应为1至100", "detail_en": "1 to 100"}
        raise refuse(Code.FIELD_INVALID, "first", **words)
    return first


def encode(at: datetime, number: str) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{number}".encode()).decode()


def decode(cursor: str) -> tuple[datetime, str]:
    """Raises ``Refused`` (FIELD_INVALID) for a text that is no cursor."""
    try:
        at, _, number = base64.urlsafe_b64decode(cursor).decode().partition("|")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("a time without zone")
        return moment, number
    except (ValueError, binascii.Error) as error:
        words = {"label": "after", "path": "after", "detail": "不是有效的游标", "detail_en": "not a cursor"}
        raise refuse(Code.FIELD_INVALID, "after", **words) from error
