"""A gateway without a socket, 其其格's case in 乌审旗, and files to hand in."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from gateway import settings
from gateway.access.local_issuer import LocalIssuer
from gateway.main import Application, create
from tests.builders import World
from tests.uxin import ALL_FOUR, CLERK, connected, ws_form

CLAIMS: dict[str, dict[str, str]] = {
    "family": {"id_number": "15062619740608922X"},
    "another family": {"role": "family", "id_number": "150626197510199138"},
    "window-clerk": {},
    "civil-affairs-assistant": {"department": "civil-affairs"},
    "duty-person": {},
    "at Huzhou": {"role": "duty-person", "area": "330500"},
    "specialist": {"department": "public-security"},
    "police": {"role": "department-system", "department": "public-security"},
    "social security": {"role": "department-system", "department": "social-security"},
    "supervisor": {},
    "support": {},
    "administrator": {},
    "elsewhere": {"role": "window-clerk", "area": "430621"},
}
"""Who comes in, by what the tests call them."""
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(64) + b"\xff\xd9"


def png() -> bytes:
    """One black point."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def zipped(**files: bytes) -> bytes:
    """A ZIP container; names are given with ``__`` for a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:
        for name, data in files.items():
            container.writestr(name.replace("__", "."), data)
    return out.getvalue()


def ofd() -> bytes:
    return zipped(OFD__xml=b"<OFD/>", page=b"x" * 100)


FILES = {
    "application/pdf": PDF,
    "image/jpeg": JPEG,
    "image/png": png(),
    "application/ofd": ofd(),
}


@dataclass
class Stand:
    """``variables``: settings besides the data folder, e.g. ``SHENHOU_SCANNER``."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    app: Application = field(init=False)
    world: World = field(init=False)
    issuer: LocalIssuer = field(init=False)

    def __post_init__(self) -> None:
        read = settings.read({"SHENHOU_DATA_DIR": str(self.folder), **self.variables})
        self.app = create(read, {}, {})
        self.app.desk.database.migrate()
        self.world = connected(self.app.desk.database)
        self.app.desk.clock.move_to(self.world.now)
        self.issuer = LocalIssuer.from_seed(read.issuer_seed, read.local_issuer_url)

    def token(self, who: str) -> str:
        claims = {"role": who, "area": "150626", "sub": who, "name": who, **CLAIMS[who]}
        return self.issuer.issue(claims)

    def filed(self) -> str:
        """Number of the case, with four papers that lie elsewhere."""
        return self.world.submit(ws_form(), actor=CLERK).number

    async def send(self, method: str, path: str, who: str | None, **more: Any) -> httpx2.Response:
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self.token(who)}"
        transport = httpx2.ASGITransport(self.app.asgi)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, headers=headers, **more)

    async def upload(
        self, content: bytes | AsyncIterator[bytes], kind: str = "application/pdf", who: str | None = "family"
    ) -> httpx2.Response:
        return await self.send("POST", "/uploads", who, content=content, headers={"Content-Type": kind})

    async def uploaded(self, content: bytes = PDF, kind: str = "application/pdf", who: str = "family") -> str:
        """Id of a file that was taken."""
        answer = await self.upload(content, kind, who)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["upload"])

    async def ask(self, who: str, query: str, **variables: Any) -> Any:
        answer = await self.send("POST", "/graphql", who, json={"query": query, "variables": variables})
        assert "errors" not in answer.json(), answer.json()["errors"]
        return answer.json()["data"]

    async def attach(self, number: str, upload: str, kind: str = "DEATH_CERTIFICATE", who: str = "family") -> Any:
        """Payload of ``attachMaterial``."""
        query = (
            "mutation($i: AttachMaterialInput!) { attachMaterial(input: $i) { case { number }"
            " userErrors { code path message(language: EN) } } }"
        )
        made = {"caseNumber": number, "type": kind, "upload": upload}
        return (await self.ask(who, query, i=made))["attachMaterial"]

    async def handed_in(self, number: str, content: bytes = PDF, kind: str = "DEATH_CERTIFICATE") -> str:
        """Address of a file that the family uploaded and attached."""
        answer = await self.attach(number, await self.uploaded(content), kind)
        assert answer["userErrors"] == []
        return str((await self.files(number))[-1]["url"])

    async def files(self, number: str, who: str = "family") -> list[Any]:
        """``Case.materials`` that have a file here."""
        fields = "type typeName name file sha256 size contentType status addedAt url"
        query = f"query($n: String!) {{ case(number: $n) {{ materials {{ {fields} }} }} }}"
        found = (await self.ask(who, query, n=number))["case"]
        return [one for one in found["materials"] if one["size"] is not None] if found is not None else []

    async def obstacles(self, number: str) -> list[Any]:
        """What ``whyNotFinished`` says of the case itself."""
        query = "query($n: String!) { case(number: $n) { whyNotFinished { reason { code message } item { slug } } } }"
        told = (await self.ask("family", query, n=number))["case"]["whyNotFinished"]
        return [one for one in told if one["item"] is None]

    async def fetch(self, url: str, who: str | None = "family") -> httpx2.Response:
        return await self.send("GET", url, who)


def code(answer: httpx2.Response) -> str:
    """The one code of a refusal."""
    [error] = answer.json()["errors"]
    return str(error["extensions"]["code"])


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    """A body without a length."""
    for part in parts:
        yield part


__all__ = ["ALL_FOUR", "CLAIMS", "FILES", "JPEG", "PDF", "Stand", "code", "ofd", "pieces", "png", "zipped"]
