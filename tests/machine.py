"""A department system as the gateway meets it: its certificate, its keys, its signed messages."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ECDSA_P256_SHA256, ED25519
from starlette.requests import Request

from gateway.access import rights
from gateway.access.entrance import Entrance
from gateway.access.identity import Identity
from gateway.access.local_issuer import LocalIssuer
from gateway.access.rights import Refused
from gateway.domain.messages import Reason
from gateway.store import nonces
from gateway.store.session import Database

PROXY, STRANGER = "10.1.0.5", "10.9.0.5"
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
    return Entrance.build(identity, rights.load(), database.seal.pseudonym, remember, SECRET, LOCAL)


def token(department: str = "health", **claims: Any) -> str:
    return LOCAL.issue({**LOCAL.machine(department), **claims})


async def caught(entrance: Entrance, request: Request) -> Refused:
    with pytest.raises(Refused) as found:
        await entrance.viewer(request)
    return found.value


async def refused(entrance: Entrance, request: Request) -> Reason:
    """Why it is refused; every refusal tells whom to turn to."""
    reason = (await caught(entrance, request)).problems[0].reason
    table = rights.load()
    assert table.contact in reason.zh() and table.contact_en in reason.en() and "{" not in reason.zh() + reason.en()
    return reason
