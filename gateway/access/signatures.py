"""Signed messages of department systems (RFC 9421): whole, recent, and taken once.

A signature covers the method, the address, the digest of the body, the time and a nonce.  Nonces are kept in the
database until the message they came with would be too old anyway, so that a message is taken once by all gateways.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import http_sf
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from http_message_signatures import (
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    InvalidSignature,
    MappingKeyResolver,
)
from http_message_signatures.algorithms import ECDSA_P256_SHA256, ED25519
from starlette.requests import Request

from gateway.access.identity import BadIdentity, Identity
from gateway.access.rights import Rights, Viewer
from gateway.domain.messages import Code, Refused, refuse

COMPONENTS = ("@method", "@target-uri", "content-digest")
ACCEPT = 'sig=("@method" "@target-uri" "content-digest");created;nonce;keyid'
"""What a department is asked for, as RFC 9421 writes it (``Accept-Signature``)."""
NONCE = range(16, 129)
"""How long a nonce may be, in characters."""
Remember = Callable[[str, str, datetime], Awaitable[bool]]
"""Key id, nonce, until when it counts → whether it is new."""


@dataclass(slots=True)
class Signatures:
    """Checks signatures of department systems."""

    identity: Identity
    rights: Rights
    remember: Remember
    _verifiers: Mapping[tuple[str, str], HTTPMessageVerifier] = field(init=False)
    """By department and key id."""

    def __post_init__(self) -> None:
        leeway = timedelta(seconds=self.identity.clock_leeway_s)
        self._verifiers = {
            (code, key.id): _verifier(key.id, key.public_key, leeway)
            for code, access in self.identity.departments.items()
            for key in access.keys
        }

    async def check(self, viewer: Viewer, request: Request) -> None:
        """Raises ``Refused`` (SIGNATURE_REQUIRED, SIGNATURE_REFUSED, MESSAGE_REPLAYED)."""
        department = viewer.department or ""
        if "signature-input" not in request.headers:
            access = self.identity.departments.get(department)
            if access is not None and access.signature == "required":
                raise self._refuse(Code.SIGNATURE_REQUIRED, department=department)
            return
        parameters = self._parameters(request)
        key, nonce = parameters.get("keyid"), parameters.get("nonce")
        verifier = self._verifiers.get((department, str(key)))
        if verifier is None:
            raise self._wrong("该部门没有登记此密钥", "the department has no such key")
        if not isinstance(nonce, str) or len(nonce) not in NONCE:
            raise self._wrong(f"随机数须为{NONCE.start}至{NONCE.stop - 1}个字符", "nonce: 16 to 128 characters")
        await self._verify(verifier, request)
        kept = timedelta(seconds=self.identity.signature_max_age_s + 2 * self.identity.clock_leeway_s)
        if not await self.remember(str(key), nonce, datetime.fromtimestamp(parameters["created"], UTC) + kept):
            raise self._refuse(Code.MESSAGE_REPLAYED)

    def _parameters(self, request: Request) -> dict[str, Any]:
        """Parameters of the one signature; what has to be there is looked for before anything is computed."""
        try:
            text = ", ".join(request.headers.getlist("signature-input"))
            parsed: Any = http_sf.parse(text.encode("latin-1"), tltype="dictionary")
            [(components, parameters)] = parsed.values()
            covered = {name for name, _ in components}
        except (ValueError, TypeError, AttributeError):
            raise self._wrong("须有且仅有一个格式正确的签名", "there has to be one, and it has to parse") from None
        missing = [name for name in COMPONENTS if name not in covered]
        missing += [name for name in ("created", "nonce", "keyid") if name not in parameters]
        if missing:
            raise self._wrong(f"签名未覆盖{'、'.join(missing)}", f"it does not cover {', '.join(missing)}")
        return dict(parameters)

    async def _verify(self, verifier: HTTPMessageVerifier, request: Request) -> None:
        body = await request.body()
        message = SimpleNamespace(method=request.method, url=self._url(request), headers=request.headers)
        try:
            verifier.verify(
                message,
                max_age=timedelta(seconds=self.identity.signature_max_age_s),
                require_components=COMPONENTS,
                body=body,
            )
        except InvalidSignature as error:
            raise self._wrong(*_why(str(error))) from None

    def _url(self, request: Request) -> str:
        """The address as the sender knows it, whatever proxies made of it."""
        if self.identity.public_url is None:
            return str(request.url)
        path = request.scope.get("raw_path") or request.scope["path"].encode()
        query = request.scope.get("query_string", b"")
        return self.identity.public_url.rstrip("/") + (path + (b"?" + query if query else b"")).decode("latin-1")

    def _wrong(self, detail: str, detail_en: str) -> Refused:
        return self._refuse(Code.SIGNATURE_REFUSED, detail=detail, detail_en=detail_en)

    def _refuse(self, code: Code, **facts: str) -> Refused:
        return refuse(code, None, "PD-06", **facts, contact=self.rights.contact, contact_en=self.rights.contact_en)


def _why(error: str) -> tuple[str, str]:
    """The library's reasons in our words; they repeat nothing of the message."""
    if "age exceeds" in error or "in the past" in error:
        return "签名已过时", "it is too old"
    if "in the future" in error:
        return "签名时间在未来，请核对时钟", "it was made in the future: check the clock"
    if "igest" in error:
        return "正文与摘要不符", "the body is not the one of its digest"
    return "签名与消息不符", "it is not of this message"


def _verifier(key_id: str, pem: str, leeway: timedelta) -> HTTPMessageVerifier:
    """Raises ``BadIdentity`` for a key of another kind."""
    key = load_pem_public_key(pem.encode())
    algorithm: type[HTTPSignatureAlgorithm]
    if isinstance(key, Ed25519PublicKey):
        algorithm = ED25519
    elif isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        algorithm = ECDSA_P256_SHA256
    else:
        raise BadIdentity(f"key {key_id}: Ed25519 or ECDSA on P-256 is needed")
    resolver = MappingKeyResolver(public_keys={key_id: key}, private_keys={})
    verifier = HTTPMessageVerifier(signature_algorithm=algorithm, key_resolver=resolver)
    verifier.max_clock_skew = leeway
    return verifier
