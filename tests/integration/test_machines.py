"""Department systems: client certificates from trusted proxies, and signed messages that count once (RFC 9421)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ECDSA_P256_SHA256, ED25519
from sqlalchemy import func, select
from starlette.requests import Request

from gateway.access import rights
from gateway.access.entrance import STATUS, Entrance, headers
from gateway.access.identity import BadIdentity, Identity
from gateway.access.local_issuer import LocalIssuer
from gateway.access.machines import thumbprint
from gateway.access.rights import Refused
from gateway.domain.messages import Reason
from gateway.store import nonces, tables
from gateway.store.session import Database

PROXY, STRANGER = "10.1.0.5", "10.9.0.5"
GUIDE = (Path(__file__).parents[2] / "docs/access.md").read_text(encoding="utf-8")
SECRET = "between-proxy-and-gateway"
PUBLIC = "https://gateway.example"
KEY, NEXT_KEY, EC = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate(), ec_key(SECP256R1())
LOCAL = LocalIssuer.from_seed(b"m" * 32)


def pem(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def certificate(days: int = 30) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "health")])
    start = datetime.now(UTC) - timedelta(days=60)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(KEY.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(start)
    return made.not_valid_after(start + timedelta(days=60 + days)).sign(KEY, None).public_bytes(Encoding.DER)


CERTIFICATE, EXPIRED = certificate(), certificate(days=-1)
IDENTITY = {
    "public_url": PUBLIC,
    "proxy": {"addresses": ["10.1.0.0/24"]},
    "departments": {
        "health": {
            "area": "330500",
            "certificates": [hashlib.sha256(found).hexdigest() for found in (CERTIFICATE, EXPIRED)],
            "keys": [{"id": "health-1", "public_key": pem(KEY)}, {"id": "health-2", "public_key": pem(NEXT_KEY)}],
        },
        "bank": {"signature": "required", "keys": [{"id": "bank-1", "public_key": pem(EC)}]},
    },
}


@dataclass
class Message:
    """What a department sends."""

    body: bytes = b'{"query": "{ viewer { role } }"}'
    method: str = "POST"
    url: str = f"{PUBLIC}/departments/health/messages?x=%E4%B8%80"
    headers: dict[str, str] = field(default_factory=dict)

    def signed(
        self,
        key: Any = KEY,
        key_id: str = "health-1",
        components: tuple[str, ...] = ("@method", "@target-uri", "content-digest"),
        age_s: int = 0,
        nonce: str | None = "",
        body: bool = True,
    ) -> Message:
        algorithm = ED25519 if isinstance(key, Ed25519PrivateKey) else ECDSA_P256_SHA256
        resolver = MappingKeyResolver(public_keys={}, private_keys={key_id: key})
        HTTPMessageSigner(signature_algorithm=algorithm, key_resolver=resolver).sign(
            self,
            key_id=key_id,
            created=datetime.fromtimestamp(int(time.time()) - age_s, UTC),
            nonce=secrets.token_urlsafe(18) if nonce == "" else nonce,
            covered_component_ids=tuple(name for name in components if body or name != "content-digest"),
            body=self.body if body else None,
        )
        return self

    def request(self, token: str | None, client: str = PROXY, **changed: Any) -> Request:
        """As it arrives behind a proxy, which speaks plain HTTP to an address inside."""
        path, _, query = self.url.removeprefix(PUBLIC).partition("?")
        lines = {**self.headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        scope = {
            "type": "http",
            "method": self.method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in lines.items()],
            "client": (client, 4711),
            "server": ("127.0.0.1", 8000),
            **changed,
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": self.body, "more_body": False}

        return Request(scope, receive)


def entrance_of(database: Database, **changes: Any) -> Entrance:
    async def remember(key: str, nonce: str, until: datetime) -> bool:
        with database.write() as tx:
            return nonces.take(tx, key, nonce, until)

    identity = Identity.model_validate({**IDENTITY, **changes})
    return Entrance.build(identity, rights.load(), database.seal.index, remember, SECRET, LOCAL)


@pytest.fixture
def entrance(database: Database) -> Entrance:
    return entrance_of(database)


def token(department: str = "health", **claims: Any) -> str:
    return LOCAL.issue({**LOCAL.machine(department), **claims})


async def refused(entrance: Entrance, request: Request) -> Reason:
    with pytest.raises(Refused) as caught:
        await entrance.viewer(request)
    reason = caught.value.problems[0].reason
    table = rights.load()
    assert table.contact in reason.zh() and table.contact_en in reason.en() and "{" not in reason.zh() + reason.en()
    return reason


# ── client certificates ─────────────────────────────────────────────────────────────────────────────────


def with_certificate(der: bytes, **more: str) -> Message:
    value = f":{base64.b64encode(der).decode()}:"
    return Message(headers={"Client-Cert": value, "Shenhou-Proxy-Secret": SECRET, **more})


async def test_a_client_certificate_tells_whose_system_comes(entrance: Entrance) -> None:
    viewer = await entrance.viewer(with_certificate(CERTIFICATE).request(None))
    assert viewer is not None
    assert (viewer.role, viewer.department, viewer.area) == ("department-system", "health", "330500")


@pytest.mark.parametrize(
    "client, secret",
    [(STRANGER, SECRET), (PROXY, "guessed"), (PROXY, ""), ("not an address", SECRET), ("::1", SECRET)],
)
async def test_a_certificate_counts_only_from_a_proxy_that_is_trusted(
    entrance: Entrance, client: str, secret: str
) -> None:
    message = with_certificate(CERTIFICATE, **{"Shenhou-Proxy-Secret": secret})
    assert await entrance.viewer(message.request(None, client)) is None


async def test_a_proxy_is_known_by_its_address_in_either_notation(entrance: Entrance) -> None:
    assert await entrance.viewer(with_certificate(CERTIFICATE).request(None, f"::ffff:{PROXY}")) is not None


async def test_a_claim_to_another_address_makes_nobody_a_proxy(entrance: Entrance) -> None:
    message = with_certificate(CERTIFICATE, **{"X-Forwarded-For": PROXY, "Forwarded": f"for={PROXY}"})
    assert await entrance.viewer(message.request(None, STRANGER)) is None


@pytest.mark.parametrize("der", [certificate(), EXPIRED, b"", b"rubbish"], ids=["other", "expired", "none", "rubbish"])
async def test_a_certificate_that_is_not_registered_or_not_valid_now_is_refused(entrance: Entrance, der: bytes) -> None:
    reason = await refused(entrance, with_certificate(der).request(None))
    assert reason.code == "UNAUTHENTICATED" and "certificate" in reason.en()


@pytest.mark.parametrize("value", ["", ":", "::x:", base64.b64encode(CERTIFICATE).decode(), ":%%%:"])
async def test_a_header_that_is_no_certificate_is_refused(entrance: Entrance, value: str) -> None:
    message = with_certificate(CERTIFICATE, **{"Client-Cert": value})
    assert (await refused(entrance, message.request(None))).code == "UNAUTHENTICATED"


async def test_a_token_bound_to_a_certificate_is_good_with_that_certificate_only(entrance: Entrance) -> None:
    bound = token(cnf={"x5t#S256": thumbprint(CERTIFICATE)})
    assert await entrance.viewer(with_certificate(CERTIFICATE).request(bound)) is not None
    for message in (Message(), with_certificate(EXPIRED)):
        assert (await refused(entrance, message.request(bound))).code == "UNAUTHENTICATED"
    stolen = with_certificate(CERTIFICATE)
    assert (await refused(entrance, stolen.request(bound, STRANGER))).code == "UNAUTHENTICATED"


# ── signed messages ─────────────────────────────────────────────────────────────────────────────────────


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
