"""Tokens: signed JWTs of the configured issuers, checked, and turned into the viewer they stand for.

What an issuer says counts only as far as it may vouch: its roles, its area.  An ID number is turned into a pseudonym
at once and never kept; of a token that was checked before, only its digest is kept, with the verdict.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, UnsupportedAlgorithmError
from joserfc.jwk import Key
from joserfc.jws import CompactSignature, JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from gateway.access.identity import Claim, TrustedIssuer
from gateway.access.keys import Keys, KeysUnavailable, UnknownKey
from gateway.access.rights import EVERYWHERE, Rights, Viewer, deny
from gateway.domain.identity import canonical
from gateway.domain.messages import Code, Refused, refuse
from gateway.policy.book import inside

MAX_BYTES = 8 * 1024
MAX_VERDICTS = 10_000
AREA = re.compile(r"[0-9]{6}([0-9]{3}([0-9]{3})?)?")
DEPARTMENT = re.compile(r"[a-z][a-z0-9-]{0,39}")
NAME = 100
"""Characters of a name that are kept."""
Index = Callable[..., str]
"""Blind index of a value."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a token that was checked stands for."""

    viewer: Viewer
    until_s: float
    """Unix time from which it is expired, leeway included."""
    bound_to: str | None = None
    """SHA-256 of the client certificate that has to come with it (RFC 8705), base64url."""


@dataclass(slots=True)
class Tokens:
    """Checks tokens; a verdict is kept until the token expires or its issuer's keys change."""

    issuers: Mapping[str, tuple[TrustedIssuer, Keys]]
    rights: Rights
    index: Index
    leeway_s: int
    now: Callable[[], float] = time.time
    _verdicts: dict[bytes, tuple[Verdict, Keys, int]] = field(default_factory=dict, init=False)

    async def verdict(self, token: str) -> Verdict:
        """Raises ``Refused`` (UNAUTHENTICATED, IDENTITY_UNAVAILABLE)."""
        digest = hashlib.sha256(token.encode()).digest()
        kept = self._verdicts.get(digest)
        if kept is not None:
            verdict, known, generation = kept
            if generation == known.generation and self.now() < verdict.until_s:
                return verdict
            del self._verdicts[digest]
        opened, claims = _open(token, self.rights)
        found = self.issuers.get(str(claims.get("iss")))
        if found is None:
            raise deny(self.rights, "令牌的签发方未登记", "its issuer is not one of those configured")
        issuer, keys = found
        try:
            key = await keys.find(opened.headers().get("kid"))
        except UnknownKey:
            raise deny(self.rights, "签发方没有该签名密钥", "its issuer has no such key") from None
        except KeysUnavailable:
            contact = {"contact": self.rights.contact, "contact_en": self.rights.contact_en}
            raise refuse(Code.IDENTITY_UNAVAILABLE, None, "HZ-816", **contact) from None
        verdict = check(opened, claims, key, issuer, self.rights, self.index, self.leeway_s, self.now())
        while len(self._verdicts) >= MAX_VERDICTS:
            del self._verdicts[next(iter(self._verdicts))]
        self._verdicts[digest] = (verdict, keys, keys.generation)
        return verdict


def read(token: str, key: Key, issuer: TrustedIssuer, rights: Rights, index: Index, leeway_s: int = 0) -> Verdict:
    """Checks a token of one issuer with one key.  Raises ``Refused`` (UNAUTHENTICATED)."""
    opened, claims = _open(token, rights)
    return check(opened, claims, key, issuer, rights, index, leeway_s, time.time())


def check(
    opened: CompactSignature,
    claims: Mapping[str, Any],
    key: Key,
    issuer: TrustedIssuer,
    rights: Rights,
    index: Index,
    leeway_s: int,
    now: float,
) -> Verdict:
    """Algorithm, signature, issuer, audience and times, then what the issuer says.  Raises ``Refused``."""
    registry = JWSRegistry(algorithms=issuer.algorithms, strict_check_header=False)
    try:
        right = jws.validate_compact(opened, key, registry=registry)
    except UnsupportedAlgorithmError:
        raise deny(rights, "令牌的签名算法不被接受", "its algorithm is not accepted") from None
    except (JoseError, ValueError, TypeError):
        right = False
    if not right:
        raise deny(rights, "令牌的签名不正确", "its signature is wrong")
    wanted = JWTClaimsRegistry(
        now=int(now),
        leeway=leeway_s,
        iss={"essential": True, "value": issuer.issuer},
        aud={"essential": True, "value": issuer.audience},
        exp={"essential": True},
    )
    try:
        wanted.validate(dict(claims))
    except ExpiredTokenError:
        raise deny(rights, "令牌已过期", "it is expired") from None
    except InvalidClaimError as error:
        raise deny(rights, *WRONG.get(error.claim, CLAIMS)) from None
    except (JoseError, ValueError, TypeError, OverflowError):
        raise deny(rights, *CLAIMS) from None
    bound_to = _bound_to(claims, rights)
    return Verdict(_viewer(claims, issuer, rights, index), float(claims["exp"]) + leeway_s, bound_to)


CLAIMS = ("令牌缺少必要的身份信息", "a fact about you is missing in it")
NOT_YET = ("令牌尚未生效，或签发时间在未来", "it is not valid yet")
WRONG = {
    "aud": ("令牌不是签发给本平台的", "it was issued for somebody else"),
    "iat": NOT_YET,
    "nbf": NOT_YET,
}


def _open(token: str, rights: Rights) -> tuple[CompactSignature, dict[str, Any]]:
    """The token's parts, not checked yet."""
    if len(token) > MAX_BYTES:
        raise deny(rights, "令牌过长", "it is too long")
    try:
        opened = jws.extract_compact(token.encode())
        claims = json.loads(opened.payload)
        json.dumps(claims, ensure_ascii=False).encode()  # half a surrogate pair is no character
    except (JoseError, ValueError, TypeError, RecursionError):
        raise deny(rights, "令牌格式不正确", "it is no signed token") from None
    if not isinstance(claims, dict):
        raise deny(rights, "令牌格式不正确", "it is no signed token")
    return opened, claims


def _bound_to(claims: Mapping[str, Any], rights: Rights) -> str | None:
    """A token may be bound to its holder's certificate; bound to anything else, it cannot be checked here."""
    bond = claims.get("cnf")
    if bond is None:
        return None
    thumbprint = bond.get("x5t#S256") if isinstance(bond, dict) and len(bond) == 1 else None
    if not isinstance(thumbprint, str):
        raise deny(rights, "令牌的绑定方式不被接受", "it is bound to something that is not checked here")
    return thumbprint


def _viewer(claims: Mapping[str, Any], issuer: TrustedIssuer, rights: Rights, index: Index) -> Viewer:
    wanted = issuer.claims
    roles = _values(claims, wanted.role)
    role = next((role for role in issuer.roles if role in roles), None)
    if role is None:
        raise deny(rights, "签发方不能认定所声明的角色", "its issuer may not vouch for this role")
    subject, area = _value(claims, wanted.subject), _value(claims, wanted.area)
    department = _value(claims, wanted.department)
    if subject is None or area is None or (rights.roles[role].cases == "DEPARTMENT" and department is None):
        raise deny(rights, *CLAIMS)
    if department is not None and not DEPARTMENT.fullmatch(department):
        raise deny(rights, *CLAIMS)
    if not AREA.fullmatch(area) or not (issuer.area == EVERYWHERE or inside(area, issuer.area)):
        raise deny(rights, "签发方不能认定所声明的区域", "its issuer may not vouch for this area")
    number = _value(claims, wanted.id_number)
    return Viewer(
        role=role,
        area=area,
        name=" ".join((_value(claims, wanted.name) or subject).replace("\0", " ").split())[:NAME],
        subject=index("person", canonical(number)) if number else index("subject", issuer.issuer, subject),
        department=department,
    )


def _value(claims: Mapping[str, Any], wanted: Claim | None) -> str | None:
    """The first value; None without any."""
    return next(iter(_values(claims, wanted)), None) if wanted is not None else None


def _values(claims: Mapping[str, Any], wanted: Claim) -> list[str]:
    if wanted.fixed is not None:
        return [wanted.fixed]
    found: Any = claims
    for step in [wanted.claim] if isinstance(wanted.claim, str) else wanted.claim or []:
        found = found.get(step) if isinstance(found, dict) else None
    plain = [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str) and one]
    return plain if wanted.values is None else [wanted.values[one] for one in plain if one in wanted.values]


__all__ = ["Refused", "Tokens", "Verdict", "check", "read"]
