"""Checkpoints and exports: whoever can write to the database, but has no key, cannot make history fit again."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, event, insert, select, update

from gateway.access.seals import Seals
from gateway.domain.exchange import Exchange, MessageKind, recording, sending
from gateway.services import case_care
from gateway.store import checkpoints, export, ledger, messages, proof
from gateway.store import tables as t
from gateway.store.export import Wanted
from tests.builders import DAUGHTER, SHEN_LIJUAN, World, hz_deceased, hz_form, moment

pytestmark = pytest.mark.databases
OURS = Seals.from_seed(b"1" * 32)
THEIRS = Seals.from_seed(b"2" * 32)
KEYS = [OURS.public_key()]
Tampering = Callable[[Connection, str], Any]


def keep(world: World) -> int:
    return checkpoints.keep(world.database, lambda: world.now, OURS.statement)


def wrong(world: World, known: tuple[int, str] | None = None) -> list[str]:
    with world.database.read() as tx:
        return checkpoints.verify(tx, KEYS, known)


def note(world: World, text: str = "记") -> None:
    with world.acting(DAUGHTER) as ctx:
        case_care.note(ctx, world.number, "FOLLOW_UP", text)


def told(world: World, finished: bool = True) -> str:
    """A message to the police."""
    item = (world.number, "hukou-deregistration")
    with world.database.write() as tx:
        id = messages.begin(tx, world.now, "public-security", MessageKind.SUBMIT, key=".".join(item), items=[item])
    with recording(Exchange()) as exchange:
        sending("POST /gafw", "沈福根".encode()).received(b"OK", "200")
    if finished:
        with world.database.write() as tx:
            messages.finish(tx, id, exchange, world.now)
    return id


@pytest.fixture
def kept(world: World) -> World:
    """Two cases, a message, three checkpoints; the case that is not spoken of has a note no checkpoint has seen."""
    other = world.submit(hz_form(deceased=hz_deceased(id_number=SHEN_LIJUAN))).number
    keep(world)
    world.until_cremation()
    told(world)
    keep(world)
    note(world)
    keep(world)
    with world.acting(DAUGHTER) as ctx:
        case_care.note(ctx, other, "FOLLOW_UP", "后")
    return world


# ── checkpoints ─────────────────────────────────────────────────────────────────────────────────────────


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


# ── exports ─────────────────────────────────────────────────────────────────────────────────────────────


def exported(world: World, *numbers: str, **wanted: Any) -> list[bytes]:
    with world.database.read() as tx:
        found = export.lines(tx, Wanted(numbers, **wanted), world.now, OURS.public_key(), OURS.statement)
        return [line.encode() for line in found]


def checked(lines: Iterable[bytes]) -> list[str]:
    found, _ = proof.check(lines, KEYS)
    return found.faults


def inner(lines: list[dict[str, Any]]) -> list[str]:
    """What is found besides that the file as a whole is not the one that was signed."""
    raw = [json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines]
    return [fault for fault in checked(raw) if not fault.startswith("the file is not")]


@pytest.mark.parametrize("open", [False, True])
@pytest.mark.parametrize("what", ["everything", "a case", "a time"])
def test_an_export_is_checked_with_the_public_key_alone(kept: World, what: str, open: bool) -> None:
    numbers = {"a case": (kept.number,)}.get(what, ())
    times = {"since": moment("2025-11-08 00:00"), "until": moment("2025-11-09 00:00")} if what == "a time" else {}
    lines = exported(kept, *numbers, open=open, **times)
    found, _ = proof.check(lines, KEYS)
    assert found.faults == []
    assert found.counts["entry"] > 2 and found.counts["head"] >= 1
    assert found.waiting == (1 if what == "everything" else 0)
    assert (b'"body"' in b"".join(lines)) is open


def test_an_export_without_bodies_holds_nothing_personal(kept: World) -> None:
    from tests.integration.test_ledger import PRIVATE

    text = b"".join(exported(kept)).decode()
    assert not [private for private in PRIVATE if private in text]


def test_an_auditor_needs_one_file_of_ours_and_the_key(kept: World, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "proof.py").write_text(Path(proof.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    (alone / "export.jsonl").write_bytes(b"".join(exported(kept)))
    (alone / "key.json").write_text(json.dumps(OURS.public_key()))
    (alone / "other.json").write_text(json.dumps(THEIRS.public_key()))

    def run(key: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "proof.py", "export.jsonl", key]
        return subprocess.run(command, cwd=alone, capture_output=True, text=True, timeout=60)

    good = run("key.json")
    assert good.returncode == 0 and "0 faults" in good.stdout, good.stdout + good.stderr
    assert run("other.json").returncode == 1


@pytest.mark.parametrize("open", [False, True])
def test_one_altered_byte_anywhere_is_found(kept: World, open: bool) -> None:
    """In every field of every line, the last line included."""
    lines = exported(kept, kept.number, open=open)
    for place, line in enumerate(lines):
        for column in {*range(0, len(line), 7), len(line) - 2}:
            altered = bytearray(line)
            altered[column] ^= 1
            assert checked([*lines[:place], bytes(altered), *lines[place + 1 :]]), (place, column)


def without(kind: str, which: int = -1) -> Callable[[list[dict[str, Any]]], None]:
    def change(lines: list[dict[str, Any]]) -> None:
        places = [place for place, line in enumerate(lines) if line["line"] == kind]
        del lines[places[which]]

    return change


def altered(kind: str, name: str, value: Any, which: int = 2) -> Callable[[list[dict[str, Any]]], None]:
    def change(lines: list[dict[str, Any]]) -> None:
        found = [line for line in lines if line["line"] == kind]
        found[min(which, len(found) - 1)][name] = value

    return change


def swapped(lines: list[dict[str, Any]]) -> None:
    places = [place for place, line in enumerate(lines) if line["line"] == "entry"]
    one, two = places[2], places[3]
    lines[one], lines[two] = lines[two], lines[one]


def doubled(kind: str) -> Callable[[list[dict[str, Any]]], None]:
    def change(lines: list[dict[str, Any]]) -> None:
        place = next(place for place, line in enumerate(lines) if line["line"] == kind)
        lines.insert(place, lines[place])

    return change


def rehashed(lines: list[dict[str, Any]]) -> None:
    """An entry altered and every hash behind it made anew: only a checkpoint tells."""
    entries = [line for line in lines if line["line"] == "entry"]
    chain = [line for line in entries if line["number"] == entries[-1]["number"]]
    chain[1]["actor_role"] = "family"
    head = chain[0]["hash"]
    for line in chain[1:]:
        line["previous"], line["hash"] = head, proof.entry_hash(head, line)
        head = line["hash"]


def shortened(lines: list[dict[str, Any]]) -> None:
    """The chain ends two entries earlier."""
    for _ in range(2):
        without("entry")(lines)


def resigned(lines: list[dict[str, Any]]) -> None:
    """The last checkpoint says the same, with the signature of another key."""
    found = [line for line in lines if line["line"] == "checkpoint"][-1]
    told = proof.opened(found["statement"], proof.CHECKPOINT, KEYS)
    assert told is not None
    found["statement"] = THEIRS.statement(proof.CHECKPOINT, told)


CHANGES: dict[str, Callable[[list[dict[str, Any]]], None]] = {
    "time": altered("entry", "at", "2025-11-07T00:00:00+00:00"),
    "kind": altered("entry", "type", "case.noted"),
    "role": altered("entry", "actor_role", "family"),
    "department": altered("entry", "actor_department", "bank"),
    "content": altered("entry", "content", "f" * 64),
    "body": altered("entry", "body", "{}"),
    "hash": altered("entry", "hash", "f" * 64),
    "previous": altered("entry", "previous", "f" * 64),
    "an entry less": without("entry", 2),
    "the first entry less": without("entry", 0),
    "two entries exchanged": swapped,
    "an entry twice": doubled("entry"),
    "hashes made anew": rehashed,
    "the end moved": shortened,
    "a message less": without("message"),
    "a message twice": doubled("message"),
    "a message's system": altered("message", "system", "bank"),
    "a checkpoint less": without("checkpoint", 1),
    "a checkpoint twice": doubled("checkpoint"),
    "a checkpoint signed with another key": resigned,
    "the end less": without("end"),
    "a head altered": altered("head", "head", "f" * 64),
}


@pytest.mark.parametrize("numbers", [False, True], ids=["everything", "a case"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_export_is_found_even_by_what_is_in_it(
    kept: World, change: Callable[[list[dict[str, Any]]], None], numbers: bool
) -> None:
    lines = [json.loads(line) for line in exported(kept, *((kept.number,) if numbers else ()), open=True)]
    assert inner(lines) == []
    change(lines)
    assert inner(lines) != []


@pytest.mark.parametrize("change", [without("head", 0), without("checkpoint", -1)], ids=["head", "last checkpoint"])
def test_a_whole_export_with_less_that_was_seen_is_not_the_one_that_was_signed(
    kept: World, change: Callable[[list[dict[str, Any]]], None]
) -> None:
    lines = [json.loads(line) for line in exported(kept)]
    change(lines)
    raw = [json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines]
    assert checked(raw) != []


def test_an_export_is_signed_by_nobody_else(kept: World) -> None:
    with kept.database.read() as tx:
        found = export.lines(tx, Wanted(), kept.now, THEIRS.public_key(), THEIRS.statement)
        lines = [line.encode() for line in found]
    assert checked(lines) != []


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
