"""The access record: every look at a case and every refused attempt, one hash chain per case (PD-15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Discriminator, TypeAdapter
from sqlalchemy import Select, and_, func, insert, select

from gateway.domain.events.access import AccessEvent, Seen
from gateway.domain.identity import canonical
from gateway.store import cases, ledger, shared
from gateway.store import tables as t
from gateway.store.cases import next_serial
from gateway.store.ledger import Actor
from gateway.store.proof import ACCESS
from gateway.store.session import Tx

_EVENT: TypeAdapter[AccessEvent] = TypeAdapter(Annotated[AccessEvent, Discriminator("type")])
NO_CASE = "-"
"""Stands for the number where no case was shown."""
KIND = "access"
BATCH = 500


@dataclass(frozen=True, slots=True)
class Access:
    """One access.  ``number``: of a case or a shared record, or ``NO_CASE``."""

    number: str
    at: datetime
    actor: Actor
    event: AccessEvent


@dataclass(frozen=True, slots=True)
class Kept:
    """An access as it is kept."""

    number: str
    seq: int
    at: datetime
    actor: Actor
    event: AccessEvent
    hash: str


def append(tx: Tx, accesses: Sequence[Access]) -> None:
    """Writes them behind what is there.  Gateways that do so at once wait for each other."""
    next_serial(tx, KIND)
    by_chain: dict[str, list[Access]] = {}
    for access in accesses:
        by_chain.setdefault(ACCESS + access.number, []).append(access)
    ends = _ends(tx, list(by_chain))
    rows = []
    for number, added in sorted(by_chain.items()):
        seq, head = ends.get(number, (0, ledger.START))
        for access in added:
            seq += 1
            row = ledger.chained(
                tx,
                KIND,
                number,
                seq,
                head,
                access.at,
                access.actor,
                access.event.type,
                _EVENT.dump_json(access.event),
            )
            head = row["hash"]
            rows.append(row)
        ledger.anchor_later(tx, number, seq, head)
    tx.connection.execute(insert(t.accesses), rows)


def _ends(tx: Tx, numbers: Sequence[str]) -> dict[str, tuple[int, str]]:
    c = t.accesses.c
    last = select(c.number, func.max(c.seq).label("seq")).where(c.number.in_(numbers)).group_by(c.number).subquery()
    ends = select(c.number, c.seq, c.hash).join(last, and_(c.number == last.c.number, c.seq == last.c.seq))
    return {row.number: (row.seq, row.hash) for row in tx.connection.execute(ends)}


def of(tx: Tx, number: str, after: int = 0, limit: int = BATCH) -> list[Kept]:
    """Accesses to a case, oldest first, behind entry ``after``."""
    c = t.accesses.c
    wanted = select(t.accesses).where(c.number == ACCESS + number, c.seq > after).order_by(c.seq).limit(limit)
    return [_kept(tx, row) for row in tx.connection.execute(wanted).mappings()]


def between(tx: Tx, number: str | None, since: datetime | None, until: datetime | None) -> Iterator[Kept]:
    """Accesses of a time (from, before) to one case, or to all, oldest first."""
    c = t.accesses.c
    wanted: Select[Any] = select(t.accesses).order_by(c.at, c.number, c.seq)
    if number is not None:
        wanted = wanted.where(c.number == ACCESS + number)
    if since is not None:
        wanted = wanted.where(c.at >= since)
    if until is not None:
        wanted = wanted.where(c.at < until)
    for row in tx.connection.execute(wanted.execution_options(yield_per=BATCH)).mappings():
        yield _kept(tx, row)


def concerning(tx: Tx, id_number: str) -> Callable[[Kept], bool]:
    """Whether an access was to a case or shared record of this deceased, or asked for this ID number besides any."""
    own = {number for _, number in cases.find(tx, cases.CaseFilter(id_number=id_number), None, BATCH)}
    own |= shared.numbers_of(tx, id_number)
    mark = tx.seal.pseudonym("person", canonical(id_number))
    return lambda kept: kept.number in own or (isinstance(kept.event, Seen) and mark in kept.event.about)


def count(tx: Tx, number: str) -> int:
    """How many accesses there were to a case."""
    c = t.accesses.c
    return int(tx.connection.execute(select(func.max(c.seq)).where(c.number == ACCESS + number)).scalar_one() or 0)


def chains(tx: Tx, after: str, limit: int) -> list[str]:
    """Numbers of the record's chains behind ``after``, in order."""
    c = t.accesses.c
    wanted = select(c.number).distinct().where(c.number > after).order_by(c.number).limit(limit)
    return list(tx.connection.execute(wanted).scalars())


def verify(tx: Tx, chain: str) -> list[str]:
    """Checks one chain.  Returns what is wrong; what was cut off at its end, the checkpoints find."""
    return ledger.chain_faults(tx, t.accesses, chain, KIND)[0]


def _kept(tx: Tx, row: Any) -> Kept:
    actor, body = ledger.told(tx, row, KIND)
    number = row["number"].removeprefix(ACCESS)
    return Kept(number, row["seq"], row["at"], actor, _EVENT.validate_json(body), row["hash"])
