"""Electronic seals (电子签章, HZ-1001): what the platform shares or prints can be checked by anybody who gets it.

A seal is a compact JWS of the platform's own key over what is sealed and a digest of it.  Numbers and names stand only
in the digest, so that a seal tells nobody anything; it is no token and opens nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry

from gateway.domain.case import IssuedCertificate

ALGORITHM: Final = "Ed25519"
TYPE = "shenhou-seal"
_REGISTRY = JWSRegistry(algorithms=[ALGORITHM])


@dataclass(frozen=True, slots=True)
class Seals:
    """Seals and checks with one Ed25519 key."""

    key: OKPKey

    @classmethod
    def from_seed(cls, seed: bytes) -> Seals:
        return cls(ed25519_key(seed))

    def certificate(self, number: str, found: IssuedCertificate) -> str:
        """Seal of a certificate of a case."""
        return self._seal({"kind": "certificate", "case": number, "type": found.type}, certificate_text(number, found))

    def statement(self, kind: str, payload: Mapping[str, str | int]) -> str:
        """What the gateway states and signs, as compact JWS whose ``typ`` is ``kind``."""
        text = json.dumps(payload, sort_keys=True, separators=(",", ":"))
        return jws.serialize_compact({"alg": ALGORITHM, "typ": kind}, text, self.key, registry=_REGISTRY)

    def public_key(self) -> dict[str, str]:
        """The key seals and statements are checked with, as a JWK."""
        return {
            name: str(value) for name, value in self.key.as_dict(private=False).items() if name in ("kty", "crv", "x")
        }

    def check(self, seal: str) -> dict[str, str] | None:
        """What was sealed; None for a seal that is not this platform's, or that was altered."""
        try:
            opened = jws.deserialize_compact(seal, self.key, registry=_REGISTRY)
            if opened.headers().get("typ") != TYPE:
                return None
            return {str(name): str(value) for name, value in json.loads(opened.payload).items()}
        except (JoseError, ValueError, AttributeError):
            return None

    def _seal(self, what: Mapping[str, str], text: str) -> str:
        return self.statement(TYPE, {**what, "sha256": digest(text)})


def ed25519_key(seed: bytes) -> OKPKey:
    """The key pair of 32 secret bytes: the same bytes give the same pair, with its thumbprint as key id."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "d": _plain(seed), "x": _plain(public)})
    key.ensure_kid()
    return key


def _plain(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def certificate_text(number: str, found: IssuedCertificate) -> str:
    """What the digest of a certificate's seal is taken over: case, type, number, time in UTC, issuer, one a line."""
    issued = found.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return "\n".join((number, found.type, found.number, issued, found.issuer or ""))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
