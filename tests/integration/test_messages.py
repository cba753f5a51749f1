"""Messages to and from departments: kept with exact bytes, hash and time, the begin of it before the call goes out."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import select, update

from gateway.domain.exchange import Direction, Exchange, MessageKind, MessageState, recording, sending, unrecorded
from gateway.store import messages
from gateway.store.session import Database
from gateway.store.tables import messages as table
from gateway.store.tables import polls
from tests.builders import moment

pytestmark = pytest.mark.databases
NOW = moment("2025-11-07 22:10")
LATER = moment("2025-11-07 22:11")
ITEM = ("HZ2025110700001", "hukou-deregistration")
KEY = ".".join(ITEM)
BYTES = "<逝者>沈福根</逝者>".encode("gb18030")


def begin(database: Database, **more: object) -> str:
    values = {"key": KEY, "items": [ITEM], **more}
    with database.write() as tx:
        return messages.begin(tx, NOW, "public-security", MessageKind.SUBMIT, **values)  # type: ignore[arg-type]


def finish(database: Database, id: str, exchange: Exchange, code: str | None = None) -> None:
    with database.write() as tx:
        messages.finish(tx, id, exchange, LATER, code)


def kept(database: Database, limit: int = 10) -> list[messages.Message]:
    with database.read() as tx:
        return messages.of_items(tx, [ITEM], limit)[ITEM]


def sent(answer: bytes | None = b"OK", whole: bool = True) -> Exchange:
    exchange = Exchange()
    with recording(exchange):
        leg = sending("POST /gafw", BYTES)
        if answer is not None:
            leg.received(answer, "200", whole)
    return exchange


@pytest.mark.rule("PD-16")
def test_a_begin_is_there_before_anything_is_known_of_the_answer(database: Database) -> None:
    begin(database)
    (found,) = kept(database)
    assert (found.state, found.at, found.finished_at) == (MessageState.BEGUN, NOW, None)
    assert found.request_sha256 is None


@pytest.mark.rule("PD-16")
def test_whether_a_department_may_have_been_told_is_known_by_the_key(database: Database) -> None:
    with database.read() as tx:
        assert not messages.begun(tx, KEY)
    with database.write() as tx:
        messages.begin(tx, NOW, "public-security", MessageKind.READ, key=KEY)
        assert not messages.begun(tx, KEY), "asking is not telling"
        messages.begin(tx, NOW, "public-security", MessageKind.CALLBACK, direction=Direction.INWARD, key=KEY)
        assert not messages.begun(tx, KEY), "the department's own message tells it nothing"
    begin(database)
    with database.read() as tx:
        assert messages.begun(tx, KEY)
        assert not messages.begun(tx, KEY + "x")


@pytest.mark.parametrize(
    "exchange",
    [sent(), sent(None), sent(b"O", whole=False), Exchange()],
    ids=["answered", "unanswered", "half an answer", "nothing sent"],
)
def test_what_was_begun_stays_begun_however_it_ended(database: Database, exchange: Exchange) -> None:
    finish(database, begin(database), exchange)
    with database.read() as tx:
        assert messages.begun(tx, KEY)
    assert [found.state for found in kept(database)] == [exchange.state]


def test_the_exact_bytes_come_back_with_their_hash_and_size(database: Database) -> None:
    id = begin(database)
    finish(database, id, sent(b"\x00\xff\n\n"), "AAAAAAA")
    with database.read() as tx:
        ((found, to, request, answer),) = messages.get(tx, id)
    assert (to, request, answer) == ("POST /gafw", BYTES, b"\x00\xff\n\n")
    assert (found.request_size, found.request_sha256) == (len(BYTES), hashlib.sha256(BYTES).hexdigest())
    assert (found.answer_size, found.answer_sha256) == (4, hashlib.sha256(b"\x00\xff\n\n").hexdigest())
    assert (found.code, found.finished_at) == ("AAAAAAA", LATER)


def test_half_an_answer_is_kept_as_far_as_it_came(database: Database) -> None:
    id = begin(database)
    finish(database, id, sent(b"<answ", whole=False))
    with database.read() as tx:
        ((found, _, _, answer),) = messages.get(tx, id)
    assert (found.state, answer) == (MessageState.FAILED, b"<answ")


def test_a_call_of_several_messages_keeps_each(database: Database) -> None:
    exchange = Exchange()
    with recording(exchange):
        sending("POST /a", b"first").received(b"session over", "401")
        with unrecorded():
            sending("POST /login", b"password").received(b"session", "200")
        sending("POST /a", b"second").received(b"taken", "200")
    id = begin(database)
    finish(database, id, exchange, "00")
    with database.read() as tx:
        parts = messages.get(tx, id)
    assert [(found.code, request) for found, _, request, _ in parts] == [("401", b"first"), ("00", b"second")]
    assert [found.part for found in kept(database)] == [1, 0], "newest first"


def test_bytes_cannot_be_moved_to_another_message(database: Database) -> None:
    one, two = begin(database), begin(database)
    finish(database, one, sent())
    finish(database, two, sent())
    with database.write() as tx:
        stolen = tx.connection.execute(select(table.c.request).where(table.c.id == one)).scalar_one()
        tx.connection.execute(update(table).where(table.c.id == two).values(request=stolen))
    with database.read() as tx, pytest.raises(InvalidTag):
        messages.get(tx, two)


def test_an_inward_message_is_kept_whole_before_it_is_understood(database: Database) -> None:
    with database.write() as tx:
        kind, inward = MessageKind.CALLBACK, Direction.INWARD
        id = messages.begin(tx, NOW, "health", kind, direction=inward, request=BYTES)
    with database.read() as tx:
        ((found, _, request, answer),) = messages.get(tx, id)
    assert (found.state, request, answer) == (MessageState.BEGUN, BYTES, None)
    assert kept(database) == []
    with database.write() as tx:
        messages.answer(tx, id, b"taken", LATER, "200", [ITEM])
    (found,) = kept(database)
    assert (found.state, found.answer_sha256) == (MessageState.ANSWERED, hashlib.sha256(b"taken").hexdigest())


def test_the_newest_messages_of_many_items_are_found_together(database: Database) -> None:
    other = (ITEM[0], "other")
    ids = [begin(database) for _ in range(3)]
    last = begin(database, items=[ITEM, other])
    with database.read() as tx:
        found = messages.of_items(tx, [ITEM, other, ("x", "y")], 2)
    assert {message.id for message in found[ITEM]} <= {*ids, last} and len(found[ITEM]) == 2
    assert [message.id for message in found[other]] == [last]
    assert found["x", "y"] == []


def test_polls_that_brought_nothing_are_counted(database: Database) -> None:
    with database.write() as tx:
        messages.count_polls(tx, "bank", NOW, unchanged=1, failed=1)
        messages.count_polls(tx, "bank", NOW, unchanged=1, failed=0)
        messages.count_polls(tx, "bank", moment("2025-11-08 08:00"), unchanged=1, failed=0)
    with database.read() as tx:
        rows = [tuple(row) for row in tx.connection.execute(select(polls).order_by(polls.c.day))]
    assert rows == [("bank", "2025-11-07", 2, 1), ("bank", "2025-11-08", 1, 0)]


def test_without_a_recording_nothing_is_kept_and_nothing_breaks() -> None:
    sending("POST /a", b"x").received(b"y")
    with recording(Exchange()) as exchange:
        pass
    assert exchange.legs == [] and exchange.state is MessageState.FAILED
