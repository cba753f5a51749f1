"""Who looks is known: to the family in the timeline, to the supervisor in the access record (HZ-816, PD-15)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from gateway.access import rights as access
from gateway.access.asking import NOTHING
from gateway.desk import Desk
from gateway.services.journal import MOST
from gateway.store import accesses, checkpoints, export, looks, proof
from gateway.store import tables as t
from gateway.store.accesses import NO_CASE
from gateway.store.export import Wanted
from tests.builders import SHEN_FUGEN, SHEN_LIJUAN, World, hz_account, hz_form, moment
from tests.checkpointed import KEYS, OURS, keep
from tests.door import ADDRESS, ask, codes, desk_of, viewer
from tests.integration.conftest import SEAL

pytestmark = [pytest.mark.rule("PD-15", "HZ-816"), pytest.mark.databases]
SUPPORT, DUTY, SUPERVISOR = viewer("support"), viewer("duty-person"), viewer("supervisor")
FAMILY = viewer("family", subject=SEAL.pseudonym("person", SHEN_LIJUAN))
PERSONAL = "query($n: String!) { case(number: $n) { applicant { phone idNumber } death { place } } }"
STATUS = "query($n: String!) { case(number: $n) { status deceased { name } } }"
TIMELINE = "query($n: String!) { case(number: $n) { timeline(first: 200) { nodes { type text actor } } } }"
RECORD = """query($n: String!) { accesses(caseNumber: $n, first: 100) { totalCount nodes {
  role name operation fields reason refused origin times } } }"""
REVEAL = """mutation($i: RevealPersonalDataInput!) { revealPersonalData(input: $i) {
  until case { applicant { phone } } userErrors { code path } } }"""
PHONE = "13757210001"
TABLE = access.load()


@pytest.fixture
def desk(world: World) -> Iterator[Desk]:
    """With 沈福根's case, which the family may see."""
    world.submit(hz_form(account=hz_account()))
    made = desk_of(world)
    yield made
    made.threads.shutdown()


def look(desk: Desk, who: Any, world: World, query: str = PERSONAL, **more: Any) -> dict[str, Any]:
    answer = asyncio.run(ask(desk, who, query, **({"n": world.number} if "$n:" in query else {}), **more))
    assert answer["errors"] == [], answer
    return dict(answer["data"])


def read_by_family(desk: Desk, world: World) -> list[str]:
    """What the family reads of who looked."""
    nodes = look(desk, FAMILY, world, TIMELINE)["case"]["timeline"]["nodes"]
    return [f"{node['actor']} {node['text']}" for node in nodes if node["type"].startswith("access.")]


def record(desk: Desk, number: str) -> list[accesses.Kept]:
    asyncio.run(desk.write_journal())
    with desk.database.read() as tx:
        return accesses.of(tx, number)


def reveal(desk: Desk, who: Any, world: World, *fields: str, reason: str = "CALL_FAMILY", **more: Any) -> Any:
    given = {"caseNumber": world.number, "fields": list(fields), "reason": reason, **more}
    return asyncio.run(ask(desk, who, REVEAL, i=given))


# ── the timeline ────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_look_of_a_person_on_a_day_is_an_entry_the_family_reads(desk: Desk, world: World) -> None:
    for _ in range(3):
        look(desk, SUPPORT, world)
    assert read_by_family(desk, world) == [
        "客服人员 查看个人信息：证件号码（部分隐去）、电话（部分隐去）、账号（部分隐去）。客服答询"
    ]
    look(desk, viewer("support", subject="another"), world)
    look(desk, DUTY, world)
    assert len(read_by_family(desk, world)) == 3
    desk.clock.move_to(moment("2025-11-08 00:00"))
    look(desk, SUPPORT, world)
    assert len(read_by_family(desk, world)) == 4, "a new day begins at midnight where the case is"


def test_a_look_changes_nothing_else_of_the_case(desk: Desk, world: World) -> None:
    before, queued = world.case(), list(world.queued)
    look(desk, DUTY, world)
    after = world.case()
    after.revision = before.revision
    assert after == before and world.queued == queued and world.faults() == []


@pytest.mark.parametrize("who", [FAMILY, viewer("department-system", department="health")], ids=lambda who: who.role)
def test_the_family_itself_and_a_departments_system_make_no_entry(desk: Desk, world: World, who: Any) -> None:
    look(desk, who, world)
    assert read_by_family(desk, world) == []
    assert [kept.actor.role for kept in record(desk, world.number)] == [who.role, "family"]


def test_a_specialist_who_looks_at_the_own_items_makes_an_entry_that_says_for_what(desk: Desk, world: World) -> None:
    look(desk, viewer("specialist", department="health"), world)
    look(desk, viewer("specialist", department="health"), world)
    [entry] = read_by_family(desk, world)
    assert "办理本部门事项" in entry


def test_what_tells_nothing_of_a_person_makes_no_entry(desk: Desk, world: World) -> None:
    look(desk, SUPPORT, world, STATUS)
    assert read_by_family(desk, world) == []


@pytest.mark.parametrize(
    "query",
    [
        "query { cases { nodes { applicant { phone } } } }",
        "query { cases { edges { node { deceased { ... on Deceased { idNumber } } } } } }",
        "query Q { cases { nodes { ...F } } } fragment F on Case { account { number } }",
        'query($n: String!) { _entities(representations: [{__typename: "Case", number: $n}]) '
        "{ ... on Case { death { cause } } } }",
        "query($n: String!) { case(number: $n) { registrationForm } }",
        'mutation($n: String!) { recordSupervision(input: {caseNumber: $n, kind: INSPECTION, text: "x"}) '
        "{ case { applicant { phone } } } }",
    ],
)
def test_every_way_to_personal_data_makes_the_entry(desk: Desk, world: World, query: str) -> None:
    look(desk, DUTY, world, query)
    assert [line[:12] for line in read_by_family(desk, world)] == ["值守专人 查看个人信息："]


def test_two_looks_at_once_make_one_entry(desk: Desk, world: World) -> None:
    async def both() -> None:
        await asyncio.gather(*(ask(desk, DUTY, PERSONAL, n=world.number) for _ in range(6)))

    asyncio.run(both())
    assert len(read_by_family(desk, world)) == 1


# ── masks that are lifted ───────────────────────────────────────────────────────────────────────────────


def test_masks_are_lifted_for_a_reason_for_one_person_and_for_a_time(desk: Desk, world: World) -> None:
    told = reveal(desk, SUPPORT, world, "PHONE", note="家属来电询问")["data"]["revealPersonalData"]
    assert told["case"]["applicant"]["phone"] == PHONE and told["userErrors"] == []
    assert look(desk, SUPPORT, world)["case"]["applicant"] == {"phone": PHONE, "idNumber": "3305**********9625"}
    other = viewer("support", subject="another")
    assert look(desk, other, world)["case"]["applicant"]["phone"] == "137****0001"
    assert "客服人员 查看完整个人信息：电话。联系家属：家属来电询问" in read_by_family(desk, world)
    desk.clock.move_to(world.now + timedelta(minutes=TABLE.reveal_minutes + 1))
    assert look(desk, SUPPORT, world)["case"]["applicant"]["phone"] == "137****0001"


def test_what_is_hidden_can_be_revealed_too_and_what_is_lifted_stays_so(desk: Desk, world: World) -> None:
    reveal(desk, SUPPORT, world, "PHONE")
    reveal(desk, SUPPORT, world, "ADDRESS")
    seen = look(desk, SUPPORT, world)["case"]
    assert (seen["death"]["place"], seen["applicant"]["phone"]) == ("吴兴区家中", PHONE)


@pytest.mark.parametrize(
    "who, fields, more, expected",
    [
        (SUPPORT, ["ACCOUNT"], {}, "FORBIDDEN"),
        (SUPPORT, ["PHONE", "CAUSE"], {}, "FORBIDDEN"),
        (SUPERVISOR, ["ACCOUNT"], {}, "FORBIDDEN"),
        (viewer("administrator"), ["PHONE"], {}, "FORBIDDEN"),
        (FAMILY, ["ACCOUNT"], {}, "FORBIDDEN"),
        (SUPPORT, [], {}, "FIELD_REQUIRED"),
        (SUPPORT, ["PHONE"], {"reason": "CURIOUS"}, "OPTION_UNKNOWN"),
        (SUPPORT, ["PHONE"], {"reason": "OTHER"}, "FIELD_REQUIRED"),
        (SUPPORT, ["PHONE"], {"reason": "OTHER", "note": " "}, "FIELD_REQUIRED"),
        (SUPPORT, ["PHONE"], {"note": "x" * 201}, "FIELD_INVALID"),
        (viewer("support", area="430621"), ["PHONE"], {}, "CASE_NOT_FOUND"),
    ],
)
def test_without_the_right_or_a_reason_nothing_is_lifted(
    desk: Desk, world: World, who: Any, fields: list[str], more: dict[str, Any], expected: str
) -> None:
    answer = reveal(desk, who, world, *fields, **more)
    told = (answer["data"] or {}).get("revealPersonalData") or {"userErrors": []}
    assert [*codes(answer), *(error["code"] for error in told["userErrors"])] == [expected]
    assert read_by_family(desk, world) == []


# ── the access record ───────────────────────────────────────────────────────────────────────────────────


def test_the_supervisor_reads_who_saw_what_when_why_and_from_where(desk: Desk, world: World) -> None:
    look(desk, SUPPORT, world)
    reveal(desk, SUPPORT, world, "PHONE")
    look(desk, SUPPORT, world)
    look(desk, FAMILY, world, STATUS)
    asyncio.run(desk.write_journal())
    told = look(desk, SUPERVISOR, world, RECORD)["accesses"]
    lines = [tuple(node[name] for name in ("role", "operation", "fields", "reason")) for node in told["nodes"]]
    assert lines == [
        ("support", "case", ["ADDRESS", "IDENTITY", "PHONE"], "客服答询"),
        ("support", "revealPersonalData", ["PHONE"], "CALL_FAMILY"),
        ("support", "case", ["ADDRESS", "IDENTITY", "PHONE"], "CALL_FAMILY"),
        ("family", "case", [], None),
    ]
    assert told["totalCount"] == 4
    assert [node["name"] for node in told["nodes"]] == ["support"] * 3 + [None]
    origins = [node["origin"] for node in told["nodes"]]
    assert origins[:3] == [ADDRESS] * 3 and origins[3].startswith("#") and ADDRESS not in origins[3]


def test_the_same_look_again_is_counted_until_it_is_written(desk: Desk, world: World) -> None:
    for _ in range(5):
        look(desk, FAMILY, world)
    assert [kept.event.times for kept in record(desk, world.number)] == [5]
    look(desk, FAMILY, world)
    assert [kept.event.times for kept in record(desk, world.number)] == [5, 1]


def test_refused_attempts_are_recorded_and_nobody_known_fills_no_table(desk: Desk, world: World) -> None:
    stranger = viewer("family", subject="stranger")
    assert look(desk, stranger, world)["case"] is None
    asyncio.run(ask(desk, viewer("support"), "{ health { beganAt } }"))
    for nobody in (None, viewer("ghost")):
        assert codes(asyncio.run(ask(desk, nobody, PERSONAL, n=world.number))) == ["UNAUTHENTICATED"]
    told = [(kept.actor.role, kept.event.operation, kept.event.code) for kept in record(desk, NO_CASE)]  # type: ignore[union-attr]
    assert told == [("family", "case", "CASE_NOT_FOUND"), ("support", "health", "FORBIDDEN")]


def test_nobody_else_reads_the_record_and_it_is_the_areas_own(desk: Desk, world: World) -> None:
    for who in (SUPPORT, FAMILY, viewer("window-clerk"), viewer("administrator"), viewer("specialist")):
        assert codes(asyncio.run(ask(desk, who, RECORD, n=world.number))) == ["FORBIDDEN"]
    assert look(desk, viewer("supervisor", area="430621"), world, RECORD)["accesses"] is None


def test_nothing_of_it_can_be_read_in_the_open_columns(desk: Desk, world: World) -> None:
    look(desk, SUPPORT, world)
    asyncio.run(ask(desk, viewer("family", name="沈建国"), PERSONAL, n=SHEN_FUGEN))
    asyncio.run(desk.write_journal())
    with desk.database.read() as tx:
        rows = tx.connection.execute(select(t.accesses)).mappings().all()
    text = repr([{name: value for name, value in row.items() if name != "body"} for row in rows])
    assert len(rows) == 2 and not [private for private in (SHEN_FUGEN, "沈建国", ADDRESS) if private in text]


def test_what_could_not_be_written_is_written_later(desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    look(desk, FAMILY, world)
    with monkeypatch.context() as away:
        away.setattr(accesses, "append", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            asyncio.run(desk.write_journal())
    look(desk, FAMILY, world)
    assert [kept.event.times for kept in record(desk, world.number)] == [2]


def test_what_waits_is_bounded(desk: Desk, world: World) -> None:
    for number in range(MOST + 10):
        desk.note_seen(FAMILY, str(number), NOTHING)
    page = desk.journal.take()
    assert page is not None and len(page.accesses) == MOST


# ── proof ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def proven(desk: Desk, world: World) -> World:
    """Three looks in the record, seen by a checkpoint."""
    for who in (SUPPORT, DUTY, FAMILY):
        look(desk, who, world)
        asyncio.run(desk.write_journal())
    keep(world)
    return world


def faults(world: World) -> list[str]:
    with world.database.read() as tx:
        chains = accesses.chains(tx, "", 100)
        return [*(fault for chain in chains for fault in accesses.verify(tx, chain)), *checkpoints.verify(tx, KEYS)]


@pytest.mark.tampers
@pytest.mark.parametrize(
    "tamper",
    [
        lambda c: update(t.accesses).where(c.seq == 2).values(actor_role="family"),
        lambda c: update(t.accesses).where(c.seq == 2).values(at=moment("2025-11-09 10:00")),
        lambda c: update(t.accesses).where(c.seq == 2).values(body=b"i\x01" + b"0" * 60),
        lambda c: delete(t.accesses).where(c.seq == 1),
        lambda c: delete(t.accesses).where(c.seq == 3),
        lambda c: delete(t.accesses),
    ],
)
def test_whatever_is_done_to_the_record_is_found(proven: World, tamper: Callable[[Any], Any]) -> None:
    assert faults(proven) == []
    with proven.database.write() as tx:
        tx.connection.execute(tamper(t.accesses.c))
    assert faults(proven) != []


@pytest.mark.parametrize("numbers", [True, False])
def test_the_record_is_exported_with_its_case_and_checked_offline(proven: World, numbers: bool) -> None:
    with proven.database.read() as tx:
        wanted = Wanted((proven.number,) if numbers else ())
        lines = [line.encode() for line in export.lines(tx, wanted, proven.now, OURS.public_key(), OURS.statement)]
    found, _ = proof.check(lines, KEYS)
    assert found.faults == [] and found.waiting == 0
    mine = [place for place, line in enumerate(lines) if b'"access:' in line and b'"line":"entry"' in line]
    assert len(mine) == 3
    without = [line for place, line in enumerate(lines) if place != mine[1]]
    assert [fault for fault in proof.check(without, KEYS)[0].faults if "is missing" in fault or "follow" in fault]


@pytest.mark.tampers
@pytest.mark.parametrize(
    "change",
    [
        {"lifted_until": moment("2035-11-09 10:00"), "until": moment("2035-11-09 10:00")},
        {"lifted": "account cause identity phone"},
        {"noted_until": moment("2035-11-09 10:00")},
        {"reason": "INSPECTION"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_who_lifts_masks_in_the_database_is_found(desk: Desk, world: World, change: dict[str, Any]) -> None:
    look(desk, SUPPORT, world)
    asked = {"caseNumber": world.number, "fields": ["PHONE"], "reason": "CALL_FAMILY"}
    look(desk, SUPPORT, world, REVEAL, i=asked)
    look(desk, DUTY, world)
    assert world.faults() == []
    with desk.database.write() as tx:
        tx.connection.execute(update(t.looks).where(t.looks.c.reason.is_not(None)).values(**change))
    assert world.faults() != []


def test_what_counts_no_longer_is_forgotten(desk: Desk, world: World) -> None:
    look(desk, SUPPORT, world)
    desk.clock.move_to(moment("2025-11-09 10:00"))
    look(desk, DUTY, world)
    with desk.database.read() as tx:
        assert len(tx.connection.execute(select(t.looks)).all()) == 1
        assert looks.of(tx, DUTY.subject, [world.number])[world.number].noted(desk.clock.now())
