"""Tokens: signed JWTs of a configured issuer.  The local issuer is for demo and development only.

Claims: ``sub``, ``name``, ``role``, ``area``, and where they apply ``department`` and ``id_number`` (of the person
who signed in, as the identity provider asserts it).  The ID number is turned into a blind index at once and never kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from gateway.access.rights import Viewer
from gateway.domain.identity import normalise

ALGORITHM = "Ed25519"
AUDIENCE = "shenhou"


@dataclass(frozen=True)
class Issuer:
    """The local issuer: signs and checks with one Ed25519 key."""

    key: OKPKey
    name: str = "shenhou-local"

    @classmethod
    def from_seed(cls, seed: bytes) -> Issuer:
        """The same 32 bytes give the same issuer."""
        import base64

        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        def plain(data: bytes) -> str:
            return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        key: dict[str, Any] = {"kty": "OKP", "crv": "Ed25519", "d": plain(seed), "x": plain(public)}
        return cls(OKPKey.import_key(key))

    def issue(self, claims: dict[str, Any], lifetime_s: int = 8 * 3600) -> str:
        """A token valid for ``lifetime_s`` seconds."""
        now = int(time.time())
        return jwt.encode(
            {"alg": ALGORITHM},
            {"iss": self.name, "aud": AUDIENCE, "iat": now, "exp": now + lifetime_s, **claims},
            self.key,
            algorithms=[ALGORITHM],
        )

    def read(self, token: str, index: Callable[..., str]) -> Viewer | None:
        """The viewer of a token; None when it is not ours, altered or expired.  ``index``: blind index of a value."""
        try:
            claims = jwt.decode(token, self.key, algorithms=[ALGORITHM]).claims
            registry = jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": self.name},
                aud={"essential": True, "value": AUDIENCE},
                exp={"essential": True},
                sub={"essential": True},
            )
            registry.validate(claims)
            number = claims.get("id_number")
            return Viewer(
                role=str(claims["role"]),
                area=str(claims["area"]),
                name=str(claims.get("name", claims["sub"])),
                subject=index("person", normalise(number)) if number else index("subject", str(claims["sub"])),
                department=claims.get("department"),
            )
        except (JoseError, KeyError, ValueError, TypeError):
            return None
