"""Memory of departments' messages by their serial (PD-06): the same message again gets the same answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import bindparam, select, tuple_

from gateway.domain.messages import Reason
from gateway.services.context import Ctx
from gateway.store import cases
from gateway.store.tables import write_backs

_REASON = TypeAdapter(Reason)
_KNOWN = select(write_backs).where(
    *(write_backs.c[name] == bindparam(f"of_{name}") for name in ("department", "number", "slug", "serial"))
)


@dataclass(frozen=True, slots=True)
class Known:
    content: str
    outcome: str
    at: datetime
    reason_code: str | None


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
    body = ctx.tx.seal.open(row.body, f"write_back:{department}:{number}:{slug}:{serial}")
    reason = _REASON.validate_json(body) if body else None
    return Known(row.content, row.outcome, row.at, reason.code if reason else None)


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
    body = _REASON.dump_json(reason) if reason is not None else b""
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
