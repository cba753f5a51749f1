"""How a document is put on paper: one self-contained HTML page for A4, every value escaped, without any script."""

from __future__ import annotations

import base64
import hashlib
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.policy.model import Jurisdiction

FOLDER = Path(__file__).with_name("templates")
CSS = (FOLDER / "page.css").read_text(encoding="utf-8")
STYLE = "'sha256-" + base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode() + "'"
"""The one style of the documents, as a content security policy names it."""


def day(value: date) -> str:
    """``2025年11月7日``."""
    return f"{value.year}年{value.month}月{value.day}日"


def moment(policy: Jurisdiction, value: datetime | None) -> str:
    """``2025年11月7日 20:00`` on the clock of the place; nothing for nothing."""
    if value is None:
        return ""
    local = value.astimezone(ZoneInfo(policy.time_zone))
    return f"{day(local)} {local:%H:%M}"


def render(template: str, policy: Jurisdiction, title: str, **words: Any) -> str:
    """One document as HTML text."""
    document = policy.document
    cited = f"{document.title}（{document.number}）" if document.number else document.title
    page = _templates.get_template(template)
    return page.render(title=title, policy=policy, css=Markup(CSS), document=cited, **words)  # noqa: S704 - our own file


_templates = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_templates.filters["day"] = day
_templates.globals["printed"] = None
