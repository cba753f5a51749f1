"""Machines that come with a client certificate: the reverse proxy checked it and passes it on (RFC 9440).

The header is taken from configured proxies only.  A proxy has to remove the header its own clients send.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from starlette.requests import Request

from gateway.access.identity import Identity
from gateway.access.rights import MACHINE, Refused, Rights, Viewer, deny

log = logging.getLogger("shenhou.identity")
CERTIFICATE = "client-cert"
FORWARDED = "x-forwarded-for"
SECRET = "shenhou-proxy-secret"  # noqa: S105


@dataclass(slots=True)
class Machines:
    """Certificates of department systems."""

    identity: Identity
    rights: Rights
    secret: str
    """What a trusted proxy says besides coming from its address; empty: its address is enough."""
    _known: Mapping[bytes, Viewer] = field(init=False)
    _proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._known = {
            bytes.fromhex(fingerprint): Viewer(MACHINE, access.area or "", code, f"system:{code}", code)
            for code, access in self.identity.departments.items()
            for fingerprint in access.certificates
        }
        addresses = self.identity.proxy.addresses if self.identity.proxy is not None else []
        self._proxies = tuple(ipaddress.ip_network(address) for address in addresses)

    def certificate(self, request: Request) -> bytes | None:
        """The client's certificate in DER; None without one, or when the header's sender is no trusted proxy.

        Raises ``Refused`` (UNAUTHENTICATED) for a header that is none.
        """
        given = request.headers.getlist(CERTIFICATE)
        if not given:
            return None
        if not self.trusted(request):
            log.warning("a client certificate came from elsewhere than a configured proxy")
            return None
        try:
            [text] = given
            if len(text) < 2 or not text[0] == text[-1] == ":":
                raise ValueError("no byte sequence")
            return base64.b64decode(text[1:-1], validate=True)
        except ValueError:
            raise self._unknown() from None

    def origin(self, request: Request) -> str | None:
        """Network address of the client: what a trusted proxy says it is, else who is connected."""
        peer = request.client.host if request.client is not None else None
        said = request.headers.get(FORWARDED, "").rpartition(",")[2].strip()
        try:
            return str(ipaddress.ip_address(said)) if said and self.trusted(request) else peer
        except ValueError:
            return peer

    def viewer(self, certificate: bytes) -> Viewer:
        """The department of a certificate.  Raises ``Refused`` (UNAUTHENTICATED)."""
        found = self._known.get(hashlib.sha256(certificate).digest())
        if found is None:
            raise self._unknown()
        read, now = x509.load_der_x509_certificate(certificate), datetime.now(UTC)
        if not read.not_valid_before_utc <= now <= read.not_valid_after_utc:
            raise self._unknown()
        return found

    def trusted(self, request: Request) -> bool:
        """Whether a trusted proxy sent it."""
        try:
            address = ipaddress.ip_address(request.client.host if request.client is not None else "")
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        said = request.headers.get(SECRET, "").encode()
        right = not self.secret or hmac.compare_digest(said, self.secret.encode())
        return right and any(address in network for network in self._proxies)

    def _unknown(self) -> Refused:
        what = ("客户端证书未登记，或不在有效期内", "the client certificate is not known, or not valid now")
        return deny(self.rights, *what)


def thumbprint(certificate: bytes) -> str:
    """As tokens name the certificate they are bound to (RFC 8705)."""
    return base64.urlsafe_b64encode(hashlib.sha256(certificate).digest()).rstrip(b"=").decode()
