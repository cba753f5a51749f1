"""Links to departments' systems in the database, and what waits to be sent through each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Select, func, not_, select, tuple_

from gateway.domain.case import REVERSAL
from gateway.domain.link import Link, LinkState
from gateway.store.areas import in_areas
from gateway.store.cases import upsert
from gateway.store.session import Tx
from gateway.store.tables import items, links, payouts, reversals

Kind = tuple[str, Select[Any], tuple[Any, Any], str]
"""Name of the work, statement, its key, and what stands behind a slug of it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that is to be sent: an item's push (``what``: its slug), its reversal (with ``.R``), or a payout's
    account (``what``: the payout)."""

    name: str
    """``deliver`` or ``instruct``."""
    number: str
    what: str


def all_(tx: Tx) -> Mapping[str, Link]:
    """Every link that ever failed, was paused or kept something back; the others are up."""
    return {row.code: _of(row) for row in tx.connection.execute(select(links))}


def get(tx: Tx, code: str) -> Link:
    row = tx.connection.execute(select(links).where(links.c.code == code)).one_or_none()
    return _of(row) if row is not None else Link(code)


def get_to_change(tx: Tx, code: str) -> Link:
    """The link, locked until the end of the transaction."""
    upsert(tx, links, asdict(Link(code)))
    return _of(tx.connection.execute(select(links).where(links.c.code == code).with_for_update()).one())


def save(tx: Tx, link: Link) -> None:
    values = asdict(link)
    if link.error is not None:
        values["error"] = link.error[:400]
    upsert(tx, links, values, [name for name in values if name != "code"])


def system_of(tx: Tx, number: str, slug: str) -> str:
    """Code of the system an item goes into: its department's, or a hub's."""
    wanted = select(items.c.reached_through).where(items.c.number == number, items.c.slug == slug)
    return str(tx.connection.execute(wanted).scalar_one())


# ── what waits ──────────────────────────────────────────────────────────────────────────────────────────


def serves_others(tx: Tx, code: str, areas: Sequence[str] | None) -> bool:
    """Whether items outside these areas (code prefixes; None: everywhere) are reached through a system."""
    elsewhere = not_(in_areas(items.c.area, areas))
    outside = select(items.c.number).where(items.c.reached_through == code, elsewhere)
    return tx.connection.execute(outside.limit(1)).first() is not None


def waiting(tx: Tx, code: str, limit: int) -> Iterator[list[Waiting]]:
    """What is to be sent through a system, oldest first, in pages of at most ``limit``."""
    return _pages(tx, _kinds(code, "PENDING"), limit)


def given_up(tx: Tx, code: str, areas: Sequence[str] | None, limit: int) -> Iterator[list[Waiting]]:
    """As ``waiting``: what was given up, in cases of these areas (code prefixes; None: all)."""
    return _pages(tx, _kinds(code, "FAILED", areas), limit)


def _pages(tx: Tx, kinds: Iterable[Kind], limit: int) -> Iterator[list[Waiting]]:
    for name, statement, key, mark in kinds:
        after: tuple[Any, ...] | None = None
        while True:
            page = statement if after is None else statement.where(tuple_(*key) > after)
            rows = list(tx.connection.execute(page.order_by(*key).limit(limit)))
            if rows:
                yield [Waiting(name, row.number, row.what + mark) for row in rows]
            if len(rows) < limit:
                break
            after = (rows[-1].number, rows[-1].what)


def count(tx: Tx, code: str, state: str = "PENDING") -> int:
    """How much waits to be sent through a system, or (``FAILED``) was given up."""
    counts = (select(func.count()).select_from(kind[1].subquery()) for kind in _kinds(code, state))
    return sum(tx.connection.execute(statement).scalar_one() for statement in counts)


def _kinds(code: str, state: str, areas: Sequence[str] | None = None) -> Iterator[Kind]:
    i, r, p = items.c, reversals.c, payouts.c
    to_push = select(i.number, i.slug.label("what")).where(i.reached_through == code, i.delivery == state)
    to_undo = select(r.number, r.slug.label("what")).where(r.department == code, r.delivery == state)
    to_pay = select(p.number, p.payout.label("what")).where(p.reached_through == code, p.delivery == state)
    yield "deliver", to_push.where(in_areas(i.area, areas)), (i.number, i.slug), ""
    yield "deliver", to_undo.where(in_areas(r.area, areas)), (r.number, r.slug), REVERSAL
    yield "instruct", to_pay.where(in_areas(p.area, areas)), (p.number, p.payout), ""


def _of(row: Any) -> Link:
    values = dict(row._mapping)
    return Link(**{**values, "state": LinkState(values["state"])})
