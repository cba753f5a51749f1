"""Checkpoints: whoever can write to the database, but has no key, cannot make history fit again."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from sqlalchemy import Connection, delete, event, insert, select, update

from gateway.store import checkpoints, ledger, proof
from gateway.store import tables as t
from tests.builders import World, hz_deceased, hz_form, moment
from tests.checkpointed import KEYS, OURS, THEIRS, Tampering, keep, kept_in, note, told, wrong

pytestmark = pytest.mark.databases


@pytest.fixture
def kept(world: World) -> World:
    return kept_in(world)


def test_nothing_is_wrong_with_what_nobody_touched(kept: World) -> None:
    assert wrong(kept) == [] and kept.all_faults() == []
    told(kept, finished=False)
    assert wrong(kept) == [], "begun, and not seen yet"
    keep(kept)
    assert wrong(kept) == []


def test_a_checkpoint_costs_what_changed_and_not_what_there_is(world: World) -> None:
    """100 more cases that did not change are not even looked at."""
    world.submit(hz_form())
    keep(world)

    def statements() -> int:
        note(world)
        seen: list[str] = []

        def count(*call: Any) -> None:
            seen.append(call[2])

        event.listen(world.database.engine, "before_cursor_execute", count)
        keep(world)
        event.remove(world.database.engine, "before_cursor_execute", count)
        assert not [statement for statement in seen if " ledger" in statement or " cases" in statement]
        return len(seen)

    few = statements()
    number = world.number
    for serial in range(10):
        world.submit(hz_form(deceased=hz_deceased(id_number=f"33050239101{serial:03d}5"[:15].ljust(15, "1"))))
    keep(world)
    world.number = number
    assert statements() == few
    with world.database.read() as tx:
        last, _ = checkpoints.last(tx)
        assert [number for number, *_ in checkpoints.heads(tx, last)] == [world.number]


def test_without_a_change_there_is_no_checkpoint(kept: World) -> None:
    assert (keep(kept), keep(kept)) == (1, 0)


def test_many_changes_become_several_checkpoints(kept: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "MOST", 2)
    for _ in range(3):
        told(kept)
    assert keep(kept) == 2, "three messages and a case, two at a time"
    assert wrong(kept) == []


def forge(connection: Connection, number: str, seq: int, **values: Any) -> None:
    """Alters an entry and computes all hashes behind it anew, as one who can read this file would."""
    row = t.ledger.c
    connection.execute(update(t.ledger).where(row.number == number, row.seq == seq).values(**values))
    head = ledger.START
    for entry in connection.execute(select(t.ledger).where(row.number == number).order_by(row.seq)).mappings().all():
        fresh = ledger.hash_of(head, dict(entry))
        place = (row.number == number, row.seq == entry["seq"])
        connection.execute(update(t.ledger).where(*place).values(previous=head, hash=fresh))
        head = fresh
    connection.execute(update(t.cases).where(t.cases.c.number == number).values(head=head))
    waits = update(t.unanchored).where(t.unanchored.c.number == number)
    connection.execute(waits.values(head=head))


def cut(connection: Connection, number: str) -> None:
    """Takes the last entry away and lets the case end before it."""
    row = t.ledger.c
    last = connection.execute(select(t.cases.c.revision).where(t.cases.c.number == number)).scalar_one()
    connection.execute(delete(t.ledger).where(row.number == number, row.seq == last))
    head = connection.execute(select(row.hash).where(row.number == number, row.seq == last - 1)).scalar_one()
    connection.execute(update(t.cases).where(t.cases.c.number == number).values(head=head, revision=last - 1))
    connection.execute(delete(t.unanchored).where(t.unanchored.c.number == number))


def take_out(connection: Connection, number: str) -> None:
    """The case was never there."""
    for table in (t.cases, t.ledger, t.items, t.payouts, t.family, t.open_deceased, t.unanchored):
        connection.execute(delete(table).where(table.c.number == number))


def swap_checkpoints(connection: Connection, _: str) -> None:
    one, two = (
        dict(connection.execute(select(t.checkpoints).where(t.checkpoints.c.seq == seq)).mappings().one())
        for seq in (1, 2)
    )
    connection.execute(delete(t.checkpoints).where(t.checkpoints.c.seq.in_((1, 2))))
    connection.execute(insert(t.checkpoints).values(**{**one, "seq": 2}))
    connection.execute(insert(t.checkpoints).values(**{**two, "seq": 1}))


def other_key(connection: Connection, _: str) -> None:
    c = t.checkpoints.c
    row = connection.execute(select(t.checkpoints).where(c.seq == 3)).one()
    payload = proof.opened(row.statement, proof.CHECKPOINT, KEYS)
    assert payload is not None
    statement = THEIRS.statement(proof.CHECKPOINT, payload)
    mark = hashlib.sha256(statement.encode()).hexdigest()
    connection.execute(update(t.checkpoints).where(c.seq == 3).values(statement=statement, hash=mark))


def drop(seq: int) -> Tampering:
    def tampering(connection: Connection, _: str) -> None:
        connection.execute(delete(t.checkpoints).where(t.checkpoints.c.seq == seq))
        connection.execute(delete(t.checkpoint_heads).where(t.checkpoint_heads.c.seq == seq))

    return tampering


def heads(connection: Connection, **values: Any) -> None:
    connection.execute(update(t.checkpoint_heads).where(t.checkpoint_heads.c.seq == 2).values(**values))


LATER = moment("2025-11-09 00:00")
FORGERIES: dict[str, Tampering] = {
    "an entry altered, all hashes made anew": lambda c, n: forge(c, n, 3, at=LATER),
    "an entry's author altered, all hashes made anew": lambda c, n: forge(c, n, 1, actor_role="family"),
    "the last entry taken away, the end moved": cut,
    "a whole case taken out": take_out,
    "a checkpoint taken out": drop(2),
    "the first checkpoint taken out": drop(1),
    "the last checkpoint taken out": drop(3),
    "two checkpoints exchanged": swap_checkpoints,
    "a checkpoint signed with another key": other_key,
    "a head altered": lambda c, n: heads(c, head="f" * 64),
    "a head taken out": lambda c, n: c.execute(delete(t.checkpoint_heads).where(t.checkpoint_heads.c.number == n)),
    "a checkpoint dated back": lambda c, n: c.execute(update(t.checkpoints).values(at=LATER)),
    "a statement altered": lambda c, n: c.execute(
        update(t.checkpoints).where(t.checkpoints.c.seq == 1).values(statement="a.b.c")
    ),
    "a message taken out": lambda c, n: c.execute(delete(t.messages)),
    "a message's answer altered": lambda c, n: c.execute(update(t.messages).values(answer_sha256="f" * 64)),
    "a message's time altered": lambda c, n: c.execute(update(t.messages).values(at=LATER)),
    "a message's key altered": lambda c, n: c.execute(update(t.messages).values(key="other")),
    "a message begun again": lambda c, n: c.execute(update(t.messages).values(state="BEGUN")),
    "a message's bytes taken away": lambda c, n: c.execute(update(t.messages).values(request=None)),
    "a message's bytes altered": lambda c, n: c.execute(update(t.messages).values(answer=b"\x01" * 40)),
}


@pytest.mark.tampers
@pytest.mark.rule("PD-06", "HZ-904")
@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_what_is_made_to_fit_again_is_found_by_the_checkpoints(kept: World, forgery: Tampering) -> None:
    with kept.database.write() as tx:
        forgery(tx.connection, kept.number)
    assert wrong(kept) != []


@pytest.mark.tampers
def test_a_forgery_that_fits_is_not_found_by_the_chain_alone(kept: World) -> None:
    """Else the test above would prove nothing of the checkpoints."""
    with kept.database.write() as tx:
        forge(tx.connection, kept.number, 3, actor_role="family")
    with kept.database.read() as tx:
        assert ledger.verify(tx, kept.number) == []


@pytest.mark.tampers
def test_the_last_checkpoint_taken_away_with_what_it_saw_is_found_by_who_wrote_it_down(kept: World) -> None:
    with kept.database.read() as tx:
        known = checkpoints.last(tx)
    assert wrong(kept, known) == []
    with kept.database.write() as tx:
        c = tx.connection
        drop(3)(c, kept.number)
        cut(c, kept.number)
        row = c.execute(select(t.cases.c.revision, t.cases.c.head).where(t.cases.c.number == kept.number)).one()
        c.execute(insert(t.unanchored).values(number=kept.number, revision=row.revision, head=row.head))
    assert wrong(kept) == [], "nothing inside the database can tell"
    assert wrong(kept, known) != []


def test_a_chain_that_grows_while_a_checkpoint_is_written_is_seen_by_the_next_one(kept: World) -> None:
    """Between the reading of the list and its clearing another gateway adds an entry to a chain on it."""
    if kept.database.sqlite:
        pytest.skip("SQLite has one writer")
    note(kept)

    def slow(kind: str, payload: Any) -> str:
        note(kept, "meanwhile")
        return OURS.statement(kind, payload)

    with kept.database.write() as tx:
        checkpoints.write(tx, kept.now, slow)
    assert wrong(kept) == []
    assert keep(kept) == 1 and wrong(kept) == []
