"""A gateway in this process, spoken to as over HTTP; without its engine, so nothing is pushed to departments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from gateway import settings
from gateway.access.local_issuer import LocalIssuer
from gateway.domain.department import Department
from gateway.main import Application, create

JSON = "application/json"


class Edge:
    """``changes``: settings besides those of development, without their prefix."""

    def __init__(self, folder: Path, departments: Mapping[str, Department] | None = None, **changes: str) -> None:
        given = {"SHENHOU_DATA_DIR": str(folder), **{f"SHENHOU_{name}": value for name, value in changes.items()}}
        self.settings = settings.read(given)
        self.application: Application = create(self.settings, departments or {}, {})
        self.desk = self.application.desk
        self.desk.database.migrate()

    def token(self, role: str, area: str = "330500", **claims: str) -> str:
        if role in ("department-system", "specialist"):
            claims = {"department": "health", **claims}
        issuer = LocalIssuer.from_seed(self.settings.issuer_seed, self.settings.local_issuer_url)
        return issuer.issue({"sub": f"{role}:{claims}", "role": role, "area": area, "name": "甲", **claims})

    async def send(
        self,
        body: bytes | Mapping[str, Any],
        role: str | None = "duty-person",
        method: str = "POST",
        path: str = "/graphql",
        kind: str | None = JSON,
        address: str = "10.0.0.7",
        **headers: str,
    ) -> httpx2.Response:
        """``kind``: content type; None sends none.  ``headers``: names with ``_`` for ``-``."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given |= {"content-type": kind} if kind is not None else {}
        if role is not None and "authorization" not in given:
            given["authorization"] = f"Bearer {self.token(role)}"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        transport = httpx2.ASGITransport(self.application.asgi, client=(address, 4321))
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway", verify=False) as client:
            return await client.request(method, path, content=content, headers=given)

    async def ask(self, query: str, role: str | None = "duty-person", **variables: Any) -> httpx2.Response:
        return await self.send({"query": query, "variables": variables}, role)


def codes(answer: httpx2.Response) -> list[str]:
    """Codes of the errors of an answer, which has to be JSON whatever it says."""
    assert len(answer.headers.get_list("content-length")) == 1 and len(answer.headers.get_list("content-type")) == 1
    assert answer.headers["content-type"].partition(";")[0].endswith("json"), answer.text
    return [error["extensions"]["code"] for error in answer.json().get("errors", ())]
