"""Keys and suite are changed while gateways serve: nothing is lost, nobody is lost, and nothing is made twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select, text
from sqlalchemy.exc import OperationalError

from gateway import cli_keys
from gateway.domain.case import Case
from gateway.domain.department import Outcome, Record
from gateway.domain.events.access import Seen
from gateway.domain.exchange import Direction, MessageKind
from gateway.domain.identity import check_digit
from gateway.domain.materials import MaterialStatus
from gateway.domain.messages import Refused
from gateway.services import case_care, joint_submission
from gateway.services.live_records import LiveRecords
from gateway.store import accesses, cases, messages, reseal, uploads
from gateway.store import tables as t
from gateway.store.accesses import Access
from gateway.store.cases import Actor, CaseFilter, Stale
from gateway.store.columns import Blind, Sealed
from gateway.store.keys import WrongKeys, must_fit
from gateway.store.seal import GUOMI, INTERNATIONAL, IndexKey, Seal, Suite
from gateway.store.session import Database
from tests.builders import SHEN_FUGEN, SHEN_LIJUAN, World, hz_deceased, hz_form
from tests.upgrade import old
from tests.yueyang import connected, upload

DATA = {1: b"1" * 32, 2: b"2" * 32}
INDEX = {1: IndexKey(1, b"i" * 32), 2: IndexKey(2, b"j" * 32, GUOMI)}
ORDER = ((1,), (1, 2), (2, 1), (2,))
"""How the settings go: the old key; the new one known; the new one in use; the old one gone (index key 1 stays)."""

pytestmark = [pytest.mark.rule("PD-15"), pytest.mark.databases, pytest.mark.tampers]


def seal(*numbers: int, suite: Suite = INTERNATIONAL, indexes: tuple[int, ...] = ()) -> Seal:
    return Seal({n: DATA[n] for n in numbers}, [INDEX[n] for n in indexes or numbers], suite)


NEW = seal(2, 1, suite=GUOMI)
LAST = seal(2, suite=GUOMI, indexes=(2, 1))


def gateway(world: World, with_: Seal) -> World:
    """Another gateway on the same database, with other keys."""
    other = World(Database(world.database.url.render_as_string(hide_password=False), with_), world.policies)
    other.number = world.number
    return other


@pytest.fixture
def full(database: Database) -> World:
    """A row in every table that has something sealed or indexed."""
    world = World(database)
    must_fit(database)
    world.until_cremation()
    world.report("health", "death-cert-normal", "h-9", Outcome.COMPLETED)
    live = LiveRecords(database, {}, {}, lambda: world.now)
    live._keep({f"{world.number}.x": Record("x", Outcome.RECEIVED, "1", world.now)})
    upload(connected(database))
    with world.acting() as ctx:
        id = messages.begin(
            ctx.tx, world.now, "health", MessageKind.CALLBACK, direction=Direction.INWARD, request="沈福根".encode()
        )
        messages.answer(ctx.tx, id, b"received", world.now)
        file = uploads.make_room(ctx.tx, "person-lijuan", world.now)
        uploads.add(ctx.tx, file, 0, [uploads.sealed(ctx.tx.seal, file, 0, "沈福根".encode())])
        content = uploads.Content("0" * 64, 9, "application/pdf")
        uploads.finish(ctx.tx, file, "person-lijuan", content, 1, MaterialStatus.CLEAN)
        accesses.append(ctx.tx, [Access(world.number, world.now, ctx.actor, Seen("case", ("phone",)))])
    return world


def columns(world: World) -> dict[str, set[str]]:
    with world.database.read() as tx:
        found: dict[str, set[str]] = {}
        for one in reseal.count(tx):
            mark = one.mark if isinstance(one.mark, str) else f"{chr(one.mark[0])}{one.mark[1]:02x}"
            if one.needed:
                found.setdefault(f"{one.table}.{one.column}", set()).add(mark)
    return found


def test_every_sealed_and_every_blind_column_is_written_anew(full: World) -> None:
    before = columns(full)
    expected = {f"{table.name}.{column.name}" for table, column in reseal.sealed_tables()}
    expected |= {f"{table.name}.{column.name}" for table, column in reseal.blind_columns()}
    assert set(before) == expected, "the fixture fills every column, or this proves nothing of it"
    assert set().union(*before.values()) == {"i01"}
    new = gateway(full, NEW)
    reseal.rotate(new.database)
    assert columns(new) == {name: {"g02"} for name in expected}


def test_afterwards_the_old_data_key_is_not_needed_and_everything_is_as_it_was(full: World) -> None:
    known, ledger, before = full.case(), full.ledger(), everything(full)
    reseal.rotate(gateway(full, NEW).database)
    last = gateway(full, LAST)
    assert last.case() == known and last.ledger() == ledger and last.faults() == []
    assert everything(last) == before
    subject = last.case().family[0]
    with last.database.read() as tx:
        for wanted in (CaseFilter(id_number=SHEN_FUGEN), CaseFilter(name="沈福根"), CaseFilter(subject=subject)):
            assert [number for _, number in cases.find(tx, wanted, None, 9)] == [full.number]
        assert cases.open_case_of(tx, "hz", SHEN_FUGEN) == full.number
        assert joint_submission.person_index(last.ctx(tx), SHEN_LIJUAN) == subject, "the family is let in as before"
        found = uploads.same(tx, "person-lijuan", "0" * 64)
        assert found is not None and uploads.part(tx, found.id, 0) == "沈福根".encode(), "a file opens as before"
        assert uploads.loose(tx, "person-lijuan") == 1
    assert last.report("health", "death-cert-normal", "h-9", Outcome.COMPLETED).outcome == "REPEATED"


def everything(world: World) -> dict[str, list[object]]:
    """All that is stored, without what a change of keys changes."""
    found = {}
    with world.database.read() as tx:
        for table in t.metadata.sorted_tables:
            kept = [column for column in table.columns if not isinstance(column.type, Sealed | Blind)]
            if table.name not in ("open_deceased", "shared_deceased", "submissions", "marks"):
                found[table.name] = sorted(map(tuple, tx.connection.execute(select(*kept))), key=repr)
    return found


def test_a_run_that_was_killed_is_run_again(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def dying(table: str, rows: int) -> None:
        if table == "ledger" and rows >= 6:
            raise Killed

    monkeypatch.setattr(reseal, "BATCH", 3)
    new = gateway(full, NEW)
    with pytest.raises(Killed):
        reseal.rotate(new.database, dying)
    assert columns(new)["ledger.body"] == {"i01", "g02"}, "half of it"
    half = gateway(full, seal(1, 2))
    assert half.faults() == [] and len(half.ledger()) == half.case().revision
    told: dict[str, int] = {}
    reseal.rotate(new.database, told.__setitem__)
    assert {mark for marks in columns(new).values() for mark in marks} == {"g02"}
    with new.database.read() as tx:
        assert told["ledger"] == tx.connection.execute(select(func.count()).select_from(t.ledger)).scalar_one() - 6


def test_what_a_gateway_writes_meanwhile_is_not_lost(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case is changed after the command has read it and before it writes."""
    old, new = gateway(full, seal(1, 2)), gateway(full, NEW)
    batch, left = reseal._batch, ["once"]

    def late(*args: object) -> int:
        if args[1] and "deceased_index" in args[1][0] and left:  # type: ignore[index]
            left.pop()
            with old.acting() as ctx:
                case_care.note(ctx, full.number, "FOLLOW_UP", "meanwhile")
        return batch(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(reseal, "_batch", late)
    reseal.rotate(new.database)
    assert left == []
    assert new.case().revision == len(new.ledger()) and new.faults() == []
    assert {mark for marks in columns(new).values() for mark in marks} == {"g02"}


def test_gateways_with_the_old_and_the_new_order_write_while_it_runs(full: World) -> None:
    gateways = [gateway(full, seal(1, 2)), gateway(full, NEW)]
    stop = threading.Event()

    def work(turn: int) -> int:
        done = 0
        while not stop.is_set() or done < 5:
            for _ in range(20):
                try:
                    with gateways[turn].acting() as ctx:
                        case_care.note(ctx, full.number, "FOLLOW_UP", f"{turn}.{done}")
                    break
                except Stale:
                    continue
            done += 1
        return done

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(work, turn) for turn in range(2)]
        try:
            reseal.rotate(gateways[1].database)
        finally:
            stop.set()
        notes = sum(one.result() for one in running)
    assert sum(event.type == "case.noted" for event in gateways[0].ledger()) == notes
    assert gateways[0].faults() == []
    reseal.rotate(gateways[1].database)
    assert {mark for marks in columns(gateways[1]).values() for mark in marks} == {"g02"}
    assert gateway(full, LAST).faults() == []


@pytest.mark.rule("PD-07")
@pytest.mark.parametrize("first, second", [(ORDER[0], ORDER[1]), (ORDER[1], ORDER[2]), (ORDER[2], ORDER[3])])
def test_one_deceased_has_one_case_at_every_step_of_the_change(
    world: World, first: tuple[int, ...], second: tuple[int, ...]
) -> None:
    """Two gateways of neighbouring steps take applications of twelve relatives at once, for six deceased."""
    sides = [gateway(world, seal(*numbers)) for numbers in (first, second)]
    barrier = threading.Barrier(4)

    def submit(turn: int) -> str:
        barrier.wait()
        number = f"33050219391010{turn // 4:03d}"
        deceased = hz_deceased(id_number=number + check_digit(number))
        try:
            sides[turn % 2].submit(hz_form(deceased=deceased), actor=Actor("duty-person", "x", None, str(turn)))
        except (Refused, Stale) as error:
            return type(error).__name__
        return "created"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(submit, range(24)))
    assert world.count() == 6, answers
    assert answers.count("created") == 6


@pytest.mark.rule("PD-07")
@pytest.mark.parametrize("first, second", [(ORDER[0], ORDER[1]), (ORDER[1], ORDER[2]), (ORDER[2], ORDER[3])])
@pytest.mark.parametrize("table", [t.open_deceased, t.shared_deceased], ids=lambda table: table.name)
def test_two_gateways_at_the_same_moment_meet_in_one_key(
    world: World, table: Table, first: tuple[int, ...], second: tuple[int, ...]
) -> None:
    """Neither sees what the other has not committed: only the primary key can tell them."""
    if world.database.sqlite:
        pytest.skip("SQLite has one writer at a time")
    one, other = (gateway(world, seal(*numbers)).database for numbers in (first, second))
    with one.write() as tx:
        cases.claim(tx, table, "hz", cases.deceased_indexes(tx, "hz", SHEN_FUGEN), "A")
        with pytest.raises(OperationalError, match="lock timeout"), other.write() as late:
            late.connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
            cases.claim(late, table, "hz", cases.deceased_indexes(late, "hz", SHEN_FUGEN), "B")
    with pytest.raises(Stale), other.write() as late:
        cases.claim(late, table, "hz", cases.deceased_indexes(late, "hz", SHEN_FUGEN), "B")


@pytest.mark.rule("PD-07")
def test_the_same_submission_gives_the_same_case_before_during_and_after(world: World) -> None:
    made = world.submit(hz_form(), key="k")

    def again(with_: Seal) -> Case:
        return gateway(world, with_).submit(hz_form(), key="k")

    assert again(seal(1, 2)).number == again(NEW).number == made.number
    reseal.rotate(gateway(world, NEW).database)
    assert again(NEW).number == again(LAST).number == made.number and world.count() == 1
    reseal.rotate(gateway(world, seal(2, suite=GUOMI, indexes=(2,))).database)
    with world.database.read() as tx:
        marks = {index[:3] for index in tx.connection.execute(select(t.submissions.c.submitter)).scalars()}
        assert marks == {"g02"}, "what is found under no key any more is forgotten"


def test_status_says_which_keys_may_go(full: World) -> None:
    def said(with_: Seal) -> list[str]:
        with gateway(full, with_).database.read() as tx:
            return cli_keys.verdicts(with_, reseal.count(tx))

    waiting = said(NEW)
    assert waiting[0] == "data key 2: seals" and waiting[1].startswith("data key 1: needed by")
    assert waiting[2] == "index key 2 (guomi): is written" and "needed by" in waiting[3]
    reseal.rotate(gateway(full, NEW).database)
    assert said(NEW) == [
        "data key 2: seals",
        "data key 1: may be removed",
        "index key 2 (guomi): is written",
        "index key 1 (international): finds nothing that the first does not; oldest: stays",
    ]


@pytest.mark.parametrize(
    "other, named",
    [
        (Seal({1: b"x" * 32}, [INDEX[1]]), "data key 1"),
        (Seal({1: DATA[1]}, [IndexKey(1, b"x" * 32)]), "index key 1"),
        (Seal({1: DATA[1]}, [INDEX[2]]), "the oldest index key"),
    ],
    ids=["data key", "index key", "the oldest is gone"],
)
def test_a_gateway_with_other_keys_does_not_start(full: World, other: Seal, named: str) -> None:
    must_fit(gateway(full, NEW).database)
    with pytest.raises(WrongKeys, match=named):
        must_fit(gateway(full, other).database)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_of_the_first_release_is_sealed_and_indexed_anew_before_it_is_served(
    fresh_database: Callable[[str], str], tmp_path: Path, kind: str
) -> None:
    """Its values do not say what they were made with."""
    first = Database(fresh_database(kind), old.SEAL)
    old.fill(first, tmp_path)
    first.migrate()
    must_fit(first)
    world = World(first)
    world.number = old.REPORTED
    assert {mark for marks in columns(world).values() for mark in marks} == {"i01"}
    case = world.case(old.REPORTED)
    with first.read() as tx:
        assert cases.open_case_of(tx, "hz", case.deceased.id_number) == old.REPORTED
        wanted = CaseFilter(subject=case.family[0])
        assert old.REPORTED in [number for _, number in cases.find(tx, wanted, None, 9)]
        assert case.form is not None and case.form.applicant is not None
        person = joint_submission.person_index(world.ctx(tx), case.form.applicant.id_number or "")
        assert person in case.family, "who signs in is known by what the ledger calls them"
    assert world.faults() == []
    first.dispose()
