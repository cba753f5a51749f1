"""HTTP to a department: one session per adapter, a time limit, and errors translated once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import aiohttp

from gateway.domain.department import DepartmentRejected, DepartmentUnavailable, DepartmentUnintelligible
from gateway.domain.exchange import sending

MAX_ANSWER_BYTES = 8 * 1024 * 1024


@dataclass
class HttpChannel:
    """POST and GET against one base address.  ``timeout_s`` bounds each whole call, in seconds."""

    base_url: str
    timeout_s: float
    headers: dict[str, str] = field(default_factory=dict)
    _session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: bytes, content_type: str, **headers: str) -> bytes:
        """Raises ``DepartmentUnavailable`` (no answer, 5xx, 429), ``DepartmentRejected`` (other 4xx)."""
        return await self._call("POST", path, body, {"Content-Type": content_type, **headers})

    async def get(self, path: str) -> bytes:
        """As ``post``."""
        return await self._call("GET", path)

    async def put(self, path: str, body: bytes, content_type: str) -> bytes:
        """As ``post``."""
        return await self._call("PUT", path, body, {"Content-Type": content_type})

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _call(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                headers=self.headers,
                timeout=aiohttp.ClientTimeout(total=self.timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        leg = sending(f"{method} {path}", body if body is not None else f"{method} {path}".encode())
        came = b""
        try:
            async with self._session.request(
                method, self.base_url.rstrip("/") + path, allow_redirects=False, data=body, headers=headers
            ) as answer:
                status = str(answer.status)
                leg.received(came, status, whole=False)
                while chunk := await answer.content.read(MAX_ANSWER_BYTES + 1 - len(came)):
                    came += chunk
                    leg.received(came, status, whole=False)
                    if len(came) > MAX_ANSWER_BYTES:
                        raise DepartmentUnintelligible("answer larger than 8 MiB")
                leg.received(came, status)
        except TimeoutError as error:
            raise DepartmentUnavailable(f"no answer within {self.timeout_s:g} s") from error
        except (aiohttp.ClientError, asyncio.IncompleteReadError, OSError) as error:
            raise DepartmentUnavailable(f"no connection ({type(error).__name__})") from error
        if answer.status >= 500 or answer.status in (408, 429):
            raise DepartmentUnavailable(f"HTTP {answer.status}")
        if answer.status >= 300:
            raise DepartmentRejected(f"HTTP {answer.status}")
        return came
