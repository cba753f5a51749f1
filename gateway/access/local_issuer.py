"""The local issuer: signs tokens for the demo and for development, with discovery, keys and a token endpoint.

It vouches for anybody who asks on this machine, so it does not exist in production.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from joserfc import jwt
from joserfc.jwk import OKPKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.access.identity import Claim, Claims, TrustedIssuer
from gateway.access.rights import EVERYWHERE, MACHINE, Rights
from gateway.access.seals import ALGORITHM, ed25519_key

PATH = "/local-issuer"
AUDIENCE = "shenhou"
LIFETIME_S = 8 * 3600


@dataclass(frozen=True, slots=True)
class LocalIssuer:
    """Signs with one Ed25519 key.  ``url``: what stands in the claim ``iss``."""

    seed: bytes
    key: OKPKey
    url: str

    @classmethod
    def from_seed(cls, seed: bytes, url: str = f"http://127.0.0.1:8000{PATH}") -> LocalIssuer:
        """The same 32 bytes give the same issuer."""
        return cls(seed, ed25519_key(seed), url)

    def trusted(self, rights: Rights) -> TrustedIssuer:
        """What the gateway believes of it: everything."""
        return TrustedIssuer(
            issuer=self.url,
            audience=AUDIENCE,
            algorithms=[ALGORITHM],
            roles=list(rights.roles),
            claims=Claims(department=Claim(claim="department"), id_number=Claim(claim="id_number")),
        )

    def issue(self, claims: dict[str, Any], lifetime_s: int = LIFETIME_S) -> str:
        """A token valid for ``lifetime_s`` seconds.

        Claims: ``sub``, ``role``, ``area``, ``name``, and where they apply ``department`` and ``id_number``.
        """
        now = int(time.time())
        return jwt.encode(
            {"alg": ALGORITHM, "kid": self.key.kid},
            {"iss": self.url, "aud": AUDIENCE, "iat": now, "exp": now + lifetime_s, **claims},
            self.key,
            algorithms=[ALGORITHM],
        )

    def machine(self, department: str) -> dict[str, Any]:
        """Claims of a department's system."""
        return {"sub": f"system:{department}", "role": MACHINE, "area": EVERYWHERE, "department": department}

    def secret(self, client: str) -> str:
        """Secret of a department's client, the same as long as the seed is."""
        return hmac.new(self.seed, b"client:" + client.encode(), hashlib.sha256).hexdigest()[:32]

    def routes(self, clients: Collection[str]) -> list[BaseRoute]:
        """Discovery, keys and token endpoint.  ``clients``: codes of departments, each a client of its own."""

        async def discovery(request: Request) -> Response:
            here = str(request.base_url).rstrip("/") + PATH
            return JSONResponse(
                {
                    "issuer": self.url,
                    "jwks_uri": f"{here}/jwks",
                    "token_endpoint": f"{here}/token",
                    "grant_types_supported": ["client_credentials"],
                    "response_types_supported": ["token"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": [ALGORITHM],
                    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                }
            )

        async def jwks(_: Request) -> Response:
            return JSONResponse({"keys": [{**self.key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}]})

        async def token(request: Request) -> Response:
            asked = {name: values[0] for name, values in parse_qs((await request.body()).decode("latin-1")).items()}
            if asked.get("grant_type") != "client_credentials":
                return _answer({"error": "unsupported_grant_type"}, 400)
            client, secret = _client(request, asked)
            if client not in clients or not hmac.compare_digest(secret.encode(), self.secret(client).encode()):
                return _answer({"error": "invalid_client"}, 401)
            issued = self.issue(self.machine(client))
            return _answer({"access_token": issued, "token_type": "Bearer", "expires_in": LIFETIME_S}, 200)

        return [
            Route(f"{PATH}/.well-known/openid-configuration", discovery),
            Route(f"{PATH}/jwks", jwks),
            Route(f"{PATH}/token", token, methods=["POST"]),
        ]


def _client(request: Request, asked: dict[str, str]) -> tuple[str, str]:
    """Id and secret, from the header or from the form (RFC 6749, 2.3.1)."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return asked.get("client_id", ""), asked.get("client_secret", "")
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(client), unquote_plus(secret)


def _answer(body: dict[str, Any], status: int) -> Response:
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="shenhou-local"'
    return JSONResponse(body, status, headers=headers)
