"""An issuer of tokens on a socket of its own: it publishes keys, rotates them, and can be away."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, Key

from tests.adapters.conftest import free_pair


def new_key() -> ECKey:
    return ECKey.generate_key("P-256", auto_kid=True)


@dataclass
class RunningIssuer:
    """``hits``: how often its keys were asked for."""

    port: int = field(default_factory=free_pair)
    key: Key = field(default_factory=new_key)
    published: list[dict[str, Any]] | None = None
    """What it publishes instead of its key."""
    hits: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _runner: web.AppRunner | None = None

    def __post_init__(self) -> None:
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> RunningIssuer:
        self._run(self._start())
        return self

    def stop(self) -> None:
        if self._runner is not None:
            self._run(self._runner.cleanup())
            self._runner = None

    def rotate(self) -> None:
        self.key = new_key()

    def token(self, key: Key | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token for somebody of 吴兴区; a claim that is None is left out."""
        now = int(time.time())
        plain = {"iss": self.url, "aud": "shenhou", "sub": "u-1", "iat": now, "exp": now + 600, "area": "330502"}
        said = {name: value for name, value in {**plain, **claims}.items() if value is not None}
        signer = key or self.key
        head = {"alg": "ES256", "kid": signer.kid, **(header or {})}
        return jwt.encode(head, said, signer, algorithms=[head["alg"]])

    def _run(self, call: Any) -> None:
        asyncio.run_coroutine_threadsafe(call, self._loop).result(10)

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/jwks", self._jwks)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def _discovery(self, _: web.Request) -> web.Response:
        return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/jwks"})

    async def _jwks(self, _: web.Request) -> web.Response:
        self.hits += 1
        keys = self.published if self.published is not None else [self.key.as_dict(private=False)]
        return web.json_response({"keys": keys})
