"""Signed messages of department systems: whole, recent, and taken once (RFC 9421)."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import func, select

from gateway.access.entrance import STATUS, Entrance, headers
from gateway.access.identity import BadIdentity
from gateway.store import nonces, tables
from gateway.store.session import Busy, Database
from tests.machine import (
    EC,
    KEY,
    LOCAL,
    NEXT_KEY,
    PUBLIC,
    Message,
    caught,
    entrance_of,
    pem,
    refused,
    token,
)

GUIDE = (Path(__file__).parents[2] / "docs/access.md").read_text(encoding="utf-8")


@pytest.fixture
def entrance(database: Database) -> Entrance:
    return entrance_of(database)


async def test_a_signed_message_is_taken(entrance: Entrance) -> None:
    viewer = await entrance.viewer(Message().signed().request(token()))
    assert viewer is not None and viewer.department == "health"


async def test_what_the_guide_shows_a_departments_programmer_is_taken(entrance: Entrance, tmp_path: Path) -> None:
    """The client's side without any library, as ``docs/access.md`` writes it down."""
    [code] = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    shown: dict[str, Any] = {}
    exec(code, shown)
    file = tmp_path / "key.pem"
    file.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    message = Message()
    message.headers = shown["signed"](file, "health-1", "POST", message.url, message.body)
    assert await entrance.viewer(message.request(token())) is not None
    assert (await refused(entrance, message.request(token()))).code == "MESSAGE_REPLAYED"


@pytest.mark.parametrize("key, key_id", [(KEY, "health-1"), (NEXT_KEY, "health-2")])
async def test_a_department_may_have_an_old_and_a_new_key_at_once(entrance: Entrance, key: Any, key_id: str) -> None:
    assert await entrance.viewer(Message().signed(key, key_id).request(token())) is not None


async def test_ecdsa_signs_as_well(entrance: Entrance) -> None:
    assert await entrance.viewer(Message().signed(EC, "bank-1").request(token("bank"))) is not None


async def test_where_a_signature_is_required_none_is_not_enough(entrance: Entrance) -> None:
    reason = await refused(entrance, Message().request(token("bank")))
    assert reason.code == "SIGNATURE_REQUIRED" and STATUS[reason.code] == 401
    assert headers(reason)["Accept-Signature"].startswith("sig=(")
    people = LOCAL.issue({"sub": "u", "role": "specialist", "area": "330500", "department": "bank"})
    assert await entrance.viewer(Message().request(people)) is not None, "a person at a browser signs nothing"
    assert await entrance.viewer(Message().request(token("health"))) is not None


def tampered_body(message: Message) -> None:
    message.body += b" "


def tampered_digest(message: Message) -> None:
    message.body += b" "
    message.headers["Content-Digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(message.body).digest()).decode()}:"


def other_address(message: Message) -> None:
    message.url = f"{PUBLIC}/departments/bank/messages"


def other_query(message: Message) -> None:
    message.url += "&y=1"


def other_method(message: Message) -> None:
    message.method = "PUT"


def no_digest(message: Message) -> None:
    del message.headers["Content-Digest"]


def no_signature(message: Message) -> None:
    del message.headers["Signature"]


def younger(message: Message) -> None:
    later = str(int(time.time()) + 1)
    text = message.headers["Signature-Input"]
    start = text.index("created=") + len("created=")
    message.headers["Signature-Input"] = text[:start] + later + text[start + 10 :]


def rubbish(message: Message) -> None:
    message.headers["Signature-Input"] = "s=1, ((("


def twice(message: Message) -> None:
    for name in ("Signature-Input", "Signature"):
        message.headers[name] += ", b" + message.headers[name].removeprefix("pyhms")


@pytest.mark.parametrize(
    "damage",
    [
        tampered_body,
        tampered_digest,
        other_address,
        other_query,
        other_method,
        no_digest,
        no_signature,
        younger,
        rubbish,
        twice,
    ],
    ids=lambda call: call.__name__,
)
async def test_a_message_that_is_not_as_it_was_signed_is_refused(
    entrance: Entrance, damage: Callable[[Message], None]
) -> None:
    message = Message().signed()
    damage(message)
    reason = await refused(entrance, message.request(token()))
    assert reason.code == "SIGNATURE_REFUSED" and STATUS[reason.code] == 401


@pytest.mark.parametrize(
    "how, why",
    [
        ({"components": ("@method", "@target-uri"), "body": False}, "content-digest"),
        ({"components": ("@target-uri",)}, "@method"),
        ({"components": ("@method", "@path")}, "@target-uri"),
        ({"nonce": None}, "nonce"),
        ({"nonce": "short"}, "16 to 128"),
        ({"nonce": "n" * 129}, "16 to 128"),
        ({"age_s": 500}, "too old"),
        ({"age_s": -120}, "check the clock"),
        ({"key_id": "health-9"}, "no such key"),
        ({"key": EC, "key_id": "bank-1"}, "no such key"),
        ({"key": NEXT_KEY}, "not of this message"),
    ],
)
async def test_a_signature_that_is_not_enough_is_refused_with_what_is_missing(
    entrance: Entrance, how: dict[str, Any], why: str
) -> None:
    reason = await refused(entrance, Message().signed(**how).request(token()))
    assert reason.code == "SIGNATURE_REFUSED" and why in reason.en()


async def test_a_message_signed_for_another_gateway_is_refused_whatever_host_is_named(entrance: Entrance) -> None:
    message = Message(url="https://test.example/departments/health/messages").signed()
    request = message.request(token(), path="/departments/health/messages", raw_path=b"/departments/health/messages")
    request.scope["headers"].append((b"host", b"test.example"))
    assert (await refused(entrance, request)).code == "SIGNATURE_REFUSED"


@pytest.mark.parametrize("age_s", [-50, 0, 340])
async def test_clocks_may_differ_by_the_leeway(entrance: Entrance, age_s: int) -> None:
    assert await entrance.viewer(Message().signed(age_s=age_s).request(token())) is not None


# ── once ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("PD-06")
async def test_a_replayed_message_is_refused_by_every_gateway_on_the_same_database(
    entrance: Entrance, database: Database
) -> None:
    other = Database(database.url.render_as_string(hide_password=False), database.seal)
    message = Message().signed()
    assert await entrance.viewer(message.request(token())) is not None
    for gateway in (entrance, entrance_of(other)):
        reason = await refused(gateway, message.request(token()))
        assert reason.code == "MESSAGE_REPLAYED" and STATUS[reason.code] == 409
    assert await entrance.viewer(Message().signed().request(token())) is not None, "signed anew, it is another message"
    other.dispose()


@pytest.mark.rule("PD-06")
def test_of_many_copies_at_the_same_moment_one_is_taken(database: Database) -> None:
    others = [Database(database.url.render_as_string(hide_password=False), database.seal) for _ in range(4)]
    until = datetime.now(UTC) + timedelta(seconds=60)

    def take(at: int) -> bool:
        with others[at % 4].write() as tx:
            return nonces.take(tx, "health-1", "n" * 20, until)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(24))) == 1
    for other in others:
        other.dispose()


async def test_only_good_signatures_leave_a_nonce_and_none_longer_than_it_counts(
    entrance: Entrance, database: Database
) -> None:
    def kept() -> int:
        with database.read() as tx:
            return int(tx.connection.execute(select(func.count()).select_from(tables.nonces)).scalar_one())

    message = Message().signed()
    message.body += b" "
    await refused(entrance, message.request(token()))
    assert kept() == 0
    with database.write() as tx:
        assert nonces.take(tx, "health-1", "long-ago-and-forgotten", datetime.now(UTC) - timedelta(seconds=1))
    await entrance.viewer(Message().signed().request(token()))
    assert kept() == 1


async def test_a_message_that_can_still_count_has_its_nonce_kept(entrance: Entrance, database: Database) -> None:
    """Made by a clock that is fast, it counts longest: as long as it does, its nonce has to stand."""
    await entrance.viewer(Message().signed(age_s=-50).request(token()))
    with database.read() as tx:
        until = tx.connection.execute(select(tables.nonces.c.until)).scalar_one()
    assert until >= datetime.now(UTC) + timedelta(seconds=50 + 300 + 60 - 2)


@pytest.mark.parametrize("key", [ec_key(SECP384R1())])
def test_a_key_of_another_kind_stops_the_start(database: Database, key: Any) -> None:
    with pytest.raises(BadIdentity, match="P-256"):
        entrance_of(database, departments={"bank": {"keys": [{"id": "k", "public_key": pem(key)}]}})


async def test_a_database_that_is_away_is_told_as_such_and_not_as_a_wrong_signature(database: Database) -> None:
    async def remember(*_: object) -> bool:
        raise Busy

    made = entrance_of(database)
    made.signatures.remember = remember
    reason = (await caught(made, Message().signed().request(token()))).problems[0].reason
    assert STATUS[reason.code] == 503 and headers(reason)["Retry-After"].isdigit()
