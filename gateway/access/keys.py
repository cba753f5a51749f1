"""The public keys of issuers: fetched in the background, cached, fetched again when one is unknown, dropped when gone.

A key that is not known is no reason to ask the issuer more than once in ``pause_s``: rubbish tokens cost nobody
anything.  While the issuer does not answer, the keys it published last stay good.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet, RSAKey

from gateway.access.identity import TrustedIssuer

log = logging.getLogger("shenhou.identity")
Fetch = Callable[[str], Awaitable[Any]]
"""Address → its JSON.  Raises ``aiohttp.ClientError``, ``TimeoutError``, ``ValueError``."""
FETCH_S = 5.0
MAX_BYTES = 256 * 1024
MAX_KEYS = 64
MIN_RSA_BITS = 2048
FIRST_RETRY_S = 1.0


class UnknownKey(Exception):
    """The issuer has no such key."""


class KeysUnavailable(Exception):
    """The issuer's keys cannot be had at the moment."""


class Keys(Protocol):
    """Keys of one issuer.  ``generation`` changes whenever they do."""

    generation: int

    async def find(self, kid: str | None) -> Key:
        """Raises ``UnknownKey``, ``KeysUnavailable``."""
        ...


@dataclass(slots=True)
class FixedKeys:
    """One key that is always there: the local issuer's."""

    key: Key
    generation: int = 0

    async def find(self, kid: str | None) -> Key:
        if kid not in (None, self.key.kid):
            raise UnknownKey
        return self.key


@dataclass(slots=True)
class PublishedKeys:
    """Keys an issuer publishes as a JWKS."""

    issuer: TrustedIssuer
    fetch: Fetch
    refresh_s: float
    pause_s: float
    clock: Callable[[], float] = time.monotonic
    generation: int = 0
    _keys: KeySet | None = field(default=None, init=False)
    _answered: bool = field(default=False, init=False)
    _asked_at: float | None = field(default=None, init=False)
    _asking: asyncio.Task[None] | None = field(default=None, init=False)
    _watching: asyncio.Task[None] | None = field(default=None, init=False)

    async def find(self, kid: str | None) -> Key:
        found = self._known(kid)
        if found is None:
            if self._asking is not None or self._asked_at is None or self.clock() - self._asked_at >= self.pause_s:
                await self.refresh()
            found = self._known(kid)
        if found is None:
            raise UnknownKey if self._answered else KeysUnavailable
        return found

    async def refresh(self) -> None:
        """Asks the issuer; who comes meanwhile waits for the same answer.  A failure keeps the keys there are."""
        if self._asking is None:
            self._asked_at = self.clock()
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(self._asked)
        await asyncio.shield(self._asking)

    def start(self) -> None:
        """Fetches in the background, now and again and again: the gateway starts whether the issuer answers or not."""
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        for task in (self._watching, self._asking):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def _known(self, kid: str | None) -> Key | None:
        keys = self._keys.keys if self._keys is not None else []
        if kid is None:
            return keys[0] if len(keys) == 1 else None
        return next((key for key in keys if key.kid == kid), None)

    def _asked(self, _: asyncio.Task[None]) -> None:
        self._asking = None

    async def _watch(self) -> None:
        retry_s = FIRST_RETRY_S
        while True:
            await self.refresh()
            retry_s = FIRST_RETRY_S if self._answered else min(retry_s * 2, self.pause_s)
            await asyncio.sleep(self.refresh_s if self._answered else retry_s)

    async def _ask(self) -> None:
        try:
            found = _usable(await self.fetch(await self._address()))
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            self._answered = False
            log.warning("keys not fetched", extra={"issuer": self.issuer.issuer, "kind": type(error).__name__})
            return
        self._answered = True
        if self._keys is None or _names(found) != _names(self._keys):
            self._keys, self.generation = found, self.generation + 1

    async def _address(self) -> str:
        if self.issuer.jwks is not None:
            return self.issuer.jwks
        known = await self.fetch(self.issuer.issuer.rstrip("/") + "/.well-known/openid-configuration")
        address = known.get("jwks_uri") if isinstance(known, dict) else None
        if not isinstance(address, str) or known.get("issuer") != self.issuer.issuer:
            raise ValueError("the discovery document is another issuer's, or names no keys")
        if self.issuer.issuer.startswith("https://") and not address.startswith("https://"):
            raise ValueError("keys come over https only")
        return address


def _usable(document: Any) -> KeySet:
    """Public keys for signatures; secret and unreadable ones are left out.  Raises ``ValueError`` for none at all."""
    listed = document.get("keys") if isinstance(document, dict) else None
    found: list[Key] = []
    for plain in (listed if isinstance(listed, list) else [])[:MAX_KEYS]:
        if not isinstance(plain, dict) or plain.get("kty") not in ("RSA", "EC", "OKP") or plain.get("use") == "enc":
            continue
        try:
            key = JWKRegistry.import_key(plain)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if not isinstance(key, RSAKey) or key.raw_value.key_size >= MIN_RSA_BITS:
            found.append(key)
    if not found:
        raise ValueError("no usable key is published")
    return KeySet(found)


def _names(keys: KeySet) -> set[tuple[str | None, str]]:
    return {(key.kid, key.thumbprint()) for key in keys.keys}


class Web:
    """Fetches small JSON documents; never follows to another address."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, address: str) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=FETCH_S))
        async with self._session.get(address, allow_redirects=False) as answer:
            if answer.status != 200:
                raise ValueError(f"HTTP status {answer.status}")
            body = await answer.content.read(MAX_BYTES + 1)
            while len(body) <= MAX_BYTES and (more := await answer.content.read(MAX_BYTES)):
                body += more
        if len(body) > MAX_BYTES:
            raise ValueError("too large")
        return json.loads(body)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
