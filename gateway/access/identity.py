"""Who may vouch for whom: issuers, proxies, and the departments' own certificates and keys, read from one YAML file.

Nothing in the file is secret: public keys, fingerprints and addresses only.  ``docs/access.md`` explains it by example.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateway import plain_yaml
from gateway.access.rights import EVERYWHERE, Rights

Algorithm = Literal["Ed25519", "EdDSA", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]
"""What a token may be signed with: public keys only, so that nobody can sign with a key that is published."""
Area = Annotated[str, Field(pattern=r"^\d{6}(\d{3}(\d{3})?)?$")]
LOOPBACK = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")


class BadIdentity(Exception):
    """The file cannot be used; the message has one line per mistake."""


def _network(text: str) -> str:
    ipaddress.ip_network(text)
    return text


def _fingerprint(text: str) -> str:
    plain = text.replace(":", "").lower()
    if len(bytes.fromhex(plain)) != 32:
        raise ValueError("a SHA-256 fingerprint has 32 bytes")
    return plain


def _public_key(text: str) -> str:
    load_pem_public_key(text.encode())
    return text


class Strict(BaseModel):
    """A part of the file: unknown names and wrong types are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Claim(Strict):
    """Where one fact about a caller comes from: a claim of the token, or the same for everybody."""

    claim: str | list[str] | None = None
    """Name of the claim, or the path to it inside nested claims."""
    values: dict[str, str] | None = None
    """The issuer's word → ours; other words count for nothing.  None: taken as it is."""
    fixed: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.claim is None) == (self.fixed is None):
            raise ValueError("either claim or fixed")
        if self.values is not None and self.claim is None:
            raise ValueError("values belong to a claim")
        return self


class Claims(Strict):
    """The facts a token has to give, or may give."""

    subject: Claim = Claim(claim="sub")
    name: Claim = Claim(claim="name")
    role: Claim = Claim(claim="role")
    area: Claim = Claim(claim="area")
    department: Claim | None = None
    id_number: Claim | None = None
    """Only where the issuer has checked the person's ID card: it decides whose family a person is."""


class TrustedIssuer(Strict):
    """One issuer of tokens, and what it may vouch for."""

    issuer: str
    """Exactly as in the claim ``iss``."""
    audience: str
    jwks: str | None = None
    """Address of its keys.  None: found by discovery below ``issuer``."""
    algorithms: list[Algorithm] = Field(default=["Ed25519", "EdDSA", "ES256", "ES384", "PS256", "RS256"], min_length=1)
    roles: list[str] = Field(min_length=1)
    """Roles it may vouch for; where a token names several, the first of these counts."""
    area: Area = EVERYWHERE
    """Areas it may vouch for: this one and what lies in it."""
    claims: Claims = Claims()


class SigningKey(Strict):
    """A public key a department signs its messages with."""

    id: str = Field(min_length=1, max_length=128)
    """``keyid`` of the signature."""
    public_key: Annotated[str, AfterValidator(_public_key)]
    """PEM; Ed25519 or ECDSA on P-256."""


class DepartmentAccess(Strict):
    """How a department's system is known."""

    area: Area | None = None
    """Area of a system that comes with a client certificate."""
    certificates: list[Annotated[str, AfterValidator(_fingerprint)]] = []
    """SHA-256 of the client certificates (DER), hexadecimal."""
    signature: Literal["required", "optional"] = "optional"
    keys: list[SigningKey] = []

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.certificates and self.area is None:
            raise ValueError("certificates need an area")
        if self.signature == "required" and not self.keys:
            raise ValueError("a required signature needs keys")
        return self


class Proxy(Strict):
    """The reverse proxies whose word on a client certificate is taken (RFC 9440)."""

    addresses: list[Annotated[str, AfterValidator(_network)]] = Field(min_length=1)
    """Addresses or networks they connect from."""


class Identity(Strict):
    """The whole file."""

    issuers: list[TrustedIssuer] = []
    proxy: Proxy | None = None
    departments: dict[str, DepartmentAccess] = {}
    public_url: str | None = None
    """Address under which clients know the gateway; signatures are over it."""
    clock_leeway_s: int = Field(default=60, ge=0, le=300)
    """How far clocks may differ."""
    key_refresh_s: float = Field(default=300, gt=0)
    """How often an issuer's keys are fetched again."""
    unknown_key_pause_s: float = Field(default=30, gt=0)
    """However many tokens with unknown keys come, an issuer is asked once in this time."""
    signature_max_age_s: int = Field(default=300, gt=0, le=3600)
    """How old a signed message may be."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _once("issuer", [found.issuer for found in self.issuers])
        _once("key", [key.id for found in self.departments.values() for key in found.keys])
        prints = [one for found in self.departments.values() for one in found.certificates]
        _once("certificate", prints)
        if prints and self.proxy is None:
            raise ValueError("certificates need a proxy whose word is taken")
        return self


def _once(what: str, values: list[str]) -> None:
    twice = {value for value in values if values.count(value) > 1}
    if twice:
        raise ValueError(f"{what} given twice: {', '.join(sorted(twice))}")


def load(path: Path, rights: Rights, production: bool) -> Identity:
    """Raises ``BadIdentity`` for a file that is not one, names unknown roles, or is not safe in production."""
    try:
        found = Identity.model_validate(plain_yaml.read(path.read_text(encoding="utf-8")) or {})
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise BadIdentity("\n".join(lines)) from error
    except (OSError, UnicodeDecodeError, plain_yaml.NotYaml) as error:
        raise BadIdentity(f"{path}: {error}") from error
    lines = [*_unsafe(found, production)]
    for issuer in found.issuers:
        lines += [f"{issuer.issuer}: no role {role}" for role in issuer.roles if role not in rights.roles]
    if lines:
        raise BadIdentity("\n".join(f"{path}: {line}" for line in lines))
    return found


def _unsafe(found: Identity, production: bool) -> list[str]:
    lines = []
    for issuer in found.issuers:
        address = issuer.jwks or issuer.issuer
        if not address.startswith("https://") and (production or not address.startswith(LOOPBACK)):
            lines.append(f"{address}: keys come over https only")
    signed = any(access.keys for access in found.departments.values())
    if production and signed and not (found.public_url or "").startswith("https://"):
        lines.append("public_url: signed messages need the https address clients know the gateway by")
    return lines
