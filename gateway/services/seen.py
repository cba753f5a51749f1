"""Memory of departments' messages by their serial (PD-06): the same message again gets the same answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, bindparam, select, tuple_

from gateway.domain.messages import Reason
from gateway.services.context import Ctx
from gateway.store import cases
from gateway.store.tables import write_backs

_KNOWN = select(write_backs).where(
    *(write_backs.c[name] == bindparam(f"of_{name}") for name in ("department", "number", "slug", "serial"))
)


@dataclass(frozen=True, slots=True)
class Known:
    """A message that was taken, and its answer; the sealed body of a row says the same as its columns."""

    content: str
    outcome: str
    at: datetime
    reason: Reason | None = None

    @property
    def reason_code(self) -> str | None:
        return self.reason.code if self.reason is not None else None


_BODY: TypeAdapter[Known | Reason] = TypeAdapter(Known | Reason)
"""Rows of releases before 0.2 hold the reason only, or nothing."""


def _bounded(text: str, limit: int) -> str:
    """What no column holds, whatever a department calls its message, is known by its digest."""
    fits = len(text) <= limit and text.isprintable()
    return text if fits else f"#{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[: limit - 1]}"


def known(ctx: Ctx, department: str, number: str, slug: str, serial: str) -> Known | None:
    slug, serial = _bounded(slug, 64), _bounded(serial, 128)
    key = {"department": department, "number": number, "slug": slug, "serial": serial}
    row = ctx.tx.connection.execute(_KNOWN, {f"of_{name}": value for name, value in key.items()}).one_or_none()
    if row is None:
        return None
    return Known(row.content, row.outcome, row.at, _reason(_sealed(ctx, row)))


def altered(ctx: Ctx, number: str) -> bool:
    """Whether what is remembered of a case's messages was altered, moved or made up.  Raises what a seal raises.

    One that was taken out is not found: its message, sent again, is judged anew.
    """
    for row in ctx.tx.connection.execute(select(write_backs).where(write_backs.c.number == number)):
        kept = _sealed(ctx, row)
        if isinstance(kept, Known) and (kept.content, kept.outcome, kept.at) != (row.content, row.outcome, row.at):
            return True
    return False


def _sealed(ctx: Ctx, row: Row[Any]) -> Known | Reason | None:
    body = ctx.tx.seal.open(row.body, f"write_back:{row.department}:{row.number}:{row.slug}:{row.serial}")
    return _BODY.validate_json(body) if body else None


def _reason(kept: Known | Reason | None) -> Reason | None:
    return kept.reason if isinstance(kept, Known) else kept


def applied(ctx: Ctx, department: str, messages: Sequence[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """Which of these (case number, slug, serial) were taken already, in one query."""
    c = write_backs.c
    asked = {
        (number, _bounded(slug, 64), _bounded(serial, 128)): (number, slug, serial) for number, slug, serial in messages
    }
    if not asked:
        return set()
    rows = ctx.tx.connection.execute(
        select(c.number, c.slug, c.serial).where(
            c.department == department, c.outcome == "APPLIED", tuple_(c.number, c.slug, c.serial).in_(list(asked))
        )
    )
    return {asked[row.number, row.slug, row.serial] for row in rows}


def remember(
    ctx: Ctx,
    department: str,
    number: str,
    slug: str,
    serial: str,
    content: str,
    outcome: str,
    reason: Reason | None,
    at: datetime | None = None,
) -> None:
    """``at``: when it was first taken; None = now."""
    slug, serial = _bounded(slug, 64), _bounded(serial, 128)
    body = _BODY.dump_json(Known(content, outcome, at or ctx.now, reason))
    values = {
        "department": department,
        "number": number,
        "slug": slug,
        "serial": serial,
        "content": content,
        "at": at or ctx.now,
        "outcome": outcome,
        "body": ctx.tx.seal.close(body, f"write_back:{department}:{number}:{slug}:{serial}"),
    }
    cases.upsert(ctx.tx, write_backs, values, ["content", "at", "outcome", "body"])
