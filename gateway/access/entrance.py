"""Who comes in: one check for every edge, before anything is read, let alone done.

People and machines bring a token; machines may come with a client certificate instead; what machines send may be, or
has to be, signed.  Nothing here looks at a case, so no answer can tell whether one exists.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from gateway.access.identity import Identity, TrustedIssuer
from gateway.access.keys import FixedKeys, Keys, PublishedKeys, Web
from gateway.access.local_issuer import LocalIssuer
from gateway.access.machines import Machines, thumbprint
from gateway.access.rights import MACHINE, Rights, Viewer, deny
from gateway.access.signatures import ACCEPT, Remember, Signatures
from gateway.access.tokens import Index, Tokens
from gateway.domain.messages import Code, Reason

RETRY_S = 5
"""When to ask again after a 503."""
STATUS: Mapping[Code, int] = {
    Code.UNAUTHENTICATED: 401,
    Code.SIGNATURE_REQUIRED: 401,
    Code.SIGNATURE_REFUSED: 401,
    Code.FORBIDDEN: 403,
    Code.MESSAGE_REPLAYED: 409,
    Code.TOO_MANY_REQUESTS: 429,
    Code.IDENTITY_UNAVAILABLE: 503,
    Code.TRY_AGAIN: 503,
}
"""HTTP status of a denial."""


@dataclass(slots=True)
class Entrance:
    """Joined once by ``gateway.main``; ``start`` and ``stop`` in its lifespan."""

    tokens: Tokens
    machines: Machines
    signatures: Signatures
    published: Sequence[PublishedKeys]
    web: Web

    @classmethod
    def build(
        cls,
        identity: Identity,
        rights: Rights,
        index: Index,
        remember: Remember,
        proxy_secret: str = "",
        local: LocalIssuer | None = None,
    ) -> Entrance:
        """``local``: the issuer of development, which is believed besides those of the file."""
        web = Web()
        published = [
            PublishedKeys(issuer, web, identity.key_refresh_s, identity.unknown_key_pause_s)
            for issuer in identity.issuers
        ]
        issuers: dict[str, tuple[TrustedIssuer, Keys]] = {keys.issuer.issuer: (keys.issuer, keys) for keys in published}
        if local is not None:
            issuers[local.url] = (local.trusted(rights), FixedKeys(local.key))
        return cls(
            Tokens(issuers, rights, index, identity.clock_leeway_s),
            Machines(identity, rights, proxy_secret),
            Signatures(identity, rights, remember),
            published,
            web,
        )

    def start(self) -> None:
        """Begins to fetch keys; waits for nobody."""
        for keys in self.published:
            keys.start()

    async def stop(self) -> None:
        await asyncio.gather(*(keys.stop() for keys in self.published))
        await self.web.close()

    def origin(self, request: Request) -> str | None:
        """From where: the client's network address, for the access record."""
        return self.machines.origin(request)

    def address(self, request: Request) -> str:
        """Whose budget a request without a token draws on; empty where a trusted proxy does not say whose it is."""
        found = self.machines.origin(request)
        unknown = request.client is not None and found == request.client.host and self.machines.trusted(request)
        return "" if found is None or unknown else found

    async def viewer(self, request: Request) -> Viewer | None:
        """Who asks; None for a request that brings nothing.

        Raises ``Refused`` (UNAUTHENTICATED, IDENTITY_UNAVAILABLE, SIGNATURE_REQUIRED, SIGNATURE_REFUSED,
        MESSAGE_REPLAYED, TRY_AGAIN).
        """
        certificate = self.machines.certificate(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            verdict = await self.tokens.verdict(token.strip())
            if verdict.bound_to is not None and (certificate is None or thumbprint(certificate) != verdict.bound_to):
                what = ("令牌绑定了另一客户端证书", "it is bound to another client certificate")
                raise deny(self.machines.rights, *what)
            viewer = verdict.viewer
        elif certificate is not None:
            viewer = self.machines.viewer(certificate)
        else:
            return None
        if viewer.role == MACHINE:
            await self.signatures.check(viewer, request)
        return viewer


def headers(reason: Reason) -> dict[str, str]:
    """What the sender of a denied request is told besides the text."""
    if reason.code is Code.TOO_MANY_REQUESTS:
        return {"Retry-After": reason.facts["seconds"]}
    if STATUS.get(reason.code) == 503:
        return {"Retry-After": str(RETRY_S)}
    if STATUS.get(reason.code) != 401:
        return {}
    challenge = 'Bearer realm="shenhou"'
    if reason.code is not Code.UNAUTHENTICATED:
        return {"WWW-Authenticate": challenge, "Accept-Signature": ACCEPT}
    if reason.facts["detail_en"] != "the request carries no token":
        challenge += f', error="invalid_token", error_description="{reason.facts["detail_en"]}"'
    return {"WWW-Authenticate": challenge}
