"""A file comes in: what is taken, what is refused, and that nothing stays of what is not taken."""

from __future__ import annotations

import asyncio
import hashlib
import os
import struct
import tracemalloc
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette

from gateway.access.budgets import Budgets
from gateway.domain.materials import TAIL
from gateway.main import _draw
from gateway.store import tables as t
from gateway.store.uploads import PART
from gateway.worker import uploads
from tests.machine import EC, PUBLIC, Message, entrance_of, token
from tests.uploading import FILES, JPEG, PDF, Stand, code, ofd, pieces, zipped

LARGE = 7 * PART + 7


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Stand:
    limits = {"SHENHOU_UPLOAD_MAX_BYTES": str(40 * PART), "SHENHOU_UPLOAD_LOOSE": "1000"}
    return Stand(tmp_path_factory.mktemp("uploads"), limits)


@pytest.fixture
def empty(stand: Stand) -> Stand:
    with stand.app.desk.database.write() as tx:
        tx.connection.execute(t.uploads.delete())
    return stand


def kept(stand: Stand) -> tuple[int, int]:
    """Files and parts in the database."""
    with stand.app.desk.database.read() as tx:
        count = select(func.count())
        tables = (t.uploads, t.upload_parts)
        return tuple(tx.connection.execute(count.select_from(table)).scalar_one() for table in tables)  # type: ignore[return-value]


@pytest.mark.parametrize("kind", FILES)
async def test_every_kind_of_file_is_known_by_its_content(empty: Stand, kind: str) -> None:
    answer = await empty.upload(FILES[kind], kind)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["size"], body["contentType"], body["status"]) == (len(FILES[kind]), kind, "NOT_SCANNED")
    assert body["sha256"] == hashlib.sha256(FILES[kind]).hexdigest()
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("said", FILES)
@pytest.mark.parametrize("real", FILES)
async def test_what_is_said_of_a_file_has_to_agree_with_its_content(empty: Stand, said: str, real: str) -> None:
    if said == real:
        return
    answer = await empty.upload(FILES[real], said)
    assert (answer.status_code, code(answer)) == (415, "UPLOAD_TYPE_MISMATCH")
    assert kept(empty) == (0, 0)


async def test_a_file_that_is_two_kinds_at_once_is_the_one_it_begins_as(empty: Stand) -> None:
    both = PDF + ofd()
    assert (await empty.upload(both, "application/pdf")).json()["contentType"] == "application/pdf"
    assert code(await empty.upload(both, "application/ofd")) == "UPLOAD_TYPE_MISMATCH"
    assert code(await empty.upload(ofd() + PDF, "application/pdf")) == "UPLOAD_TYPE_MISMATCH"


@pytest.mark.parametrize(
    "content, kind",
    [
        (b"<html><script>alert(1)</script>", "text/html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml"),
        (b"MZ\x90", "application/x-msdownload"),
        (PDF, "application/octet-stream"),
        (PDF, ""),
        (PDF, "multipart/form-data; boundary=x"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (zipped(word=b"x"), "application/zip"),
    ],
)
async def test_other_kinds_are_not_taken_and_the_kinds_that_are_stand_in_the_answer(
    empty: Stand, content: bytes, kind: str
) -> None:
    answer = await empty.upload(content, kind)
    assert (answer.status_code, code(answer)) == (415, "UPLOAD_TYPE_NOT_ALLOWED")
    assert "application/pdf" in answer.text
    assert kept(empty) == (0, 0)


@pytest.mark.parametrize(
    "content, kind",
    [
        (zipped(word__xml=b"x"), "application/ofd"),
        (zipped(sub=b"OFD.xml"), "application/ofd"),
        (b"PK\x03\x04" + b"OFD.xml" * 20, "application/ofd"),
        (b"PK\x03\x04" + bytes(40) + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 9, 9, 2**31, 0, 0), "application/ofd"),
        (b"PK\x03\x04" + ofd()[:-30], "application/ofd"),
        (b"\n" + PDF, "application/pdf"),
        (b"GIF89a%PDF-1.7", "application/pdf"),
        (b"%PD", "application/pdf"),
        (b"<html>" + JPEG, "image/jpeg"),
    ],
)
async def test_what_only_looks_like_a_kind_of_file_is_none(empty: Stand, content: bytes, kind: str) -> None:
    answer = await empty.upload(content, kind)
    assert (answer.status_code, code(answer)) == (415, "UPLOAD_TYPE_MISMATCH")
    assert kept(empty) == (0, 0)


async def test_a_container_that_would_unpack_without_end_is_never_unpacked(empty: Stand) -> None:
    bomb = zipped(OFD__xml=bytes(200 * PART), more=bytes(200 * PART))
    assert len(bomb) < PART < TAIL * 40
    tracemalloc.start()
    answer = await empty.upload(bomb, "application/ofd")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.status_code == 201, "its size is what was sent; nobody here opens it"
    assert most < 100 * PART


async def test_a_large_file_is_never_in_memory_whole(empty: Stand) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield PDF
        for _ in range(38):
            yield os.urandom(PART)

    tracemalloc.start()
    answer = await empty.upload(body())
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.status_code == 201 and answer.json()["size"] == 38 * PART + len(PDF)
    assert most < 24 * PART


@pytest.mark.parametrize("content", [b"", pieces(b"", b"")], ids=["no body", "empty pieces"])
async def test_an_empty_file_is_refused(empty: Stand, content: Any) -> None:
    answer = await empty.upload(content)
    assert (answer.status_code, code(answer)) == (400, "UPLOAD_EMPTY")
    assert kept(empty) == (0, 0)


async def test_a_length_over_the_limit_is_refused_before_anything_is_read(empty: Stand) -> None:
    read = []

    async def body() -> AsyncIterator[bytes]:
        read.append(1)
        yield PDF

    headers = {"Content-Type": "application/pdf", "Content-Length": str(40 * PART + 1)}
    answer = await empty.send("POST", "/uploads", "family", content=body(), headers=headers)
    assert (answer.status_code, code(answer), answer.headers["connection"]) == (413, "UPLOAD_TOO_LARGE", "close")
    assert kept(empty) == (0, 0) and read == []


async def test_a_body_that_grows_over_the_limit_ends_there_and_nothing_stays(empty: Stand) -> None:
    sent = []

    async def body() -> AsyncIterator[bytes]:
        yield PDF
        while True:
            sent.append(PART)
            yield bytes(PART)

    answer = await empty.upload(body())
    assert (answer.status_code, code(answer)) == (413, "UPLOAD_TOO_LARGE")
    assert sum(sent) <= 41 * PART and kept(empty) == (0, 0)


async def test_who_sends_too_slowly_is_told_and_nothing_stays(tmp_path: Path) -> None:
    slow = Stand(tmp_path, {"SHENHOU_UPLOAD_LIMIT_S": "0.3"})

    async def body() -> AsyncIterator[bytes]:
        yield PDF + bytes(5 * PART)
        await asyncio.Event().wait()

    answer = await slow.upload(body())
    assert (answer.status_code, code(answer)) == (408, "UPLOAD_TOO_SLOW")
    assert kept(slow) == (0, 0)


@pytest.mark.parametrize("length", [None, LARGE * 2], ids=["no length", "more was promised"])
async def test_of_a_sender_who_goes_away_in_the_middle_nothing_stays(empty: Stand, length: int | None) -> None:
    told = iter(
        [
            {"type": "http.request", "body": PDF + bytes(LARGE), "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    seen = []

    async def receive() -> Any:
        seen.append(kept(empty))
        return next(told)

    async def send(_: Any) -> None:
        pass

    headers = [(b"authorization", f"Bearer {empty.token('family')}".encode()), (b"content-type", b"application/pdf")]
    headers += [(b"content-length", str(length).encode())] if length else []
    scope = {"type": "http", "method": "POST", "path": "/uploads", "headers": headers, "query_string": b""}
    scope |= {"scheme": "http", "server": ("test", 80), "client": ("test", 1), "http_version": "1.1", "root_path": ""}
    await empty.app.asgi(scope, receive, send)
    assert seen[-1][0] == 1 and seen[-1][1] >= 4, "it was on its way"
    assert kept(empty) == (0, 0)


async def test_the_same_file_of_the_same_person_is_the_same_upload(empty: Stand) -> None:
    first, second = await empty.uploaded(), await empty.uploaded()
    assert first == second and kept(empty) == (1, 1)
    other = await empty.uploaded(who="another family")
    assert other != first and kept(empty) == (2, 2), "what is another's is not shared, nor told"


async def test_who_has_too_many_loose_files_has_to_attach_them_first(tmp_path: Path) -> None:
    few = Stand(tmp_path, {"SHENHOU_UPLOAD_LOOSE": "2"})
    await few.uploaded(PDF + b"1")
    await few.uploaded(PDF + b"2")
    answer = await few.upload(PDF + b"3")
    assert (answer.status_code, code(answer)) == (429, "UPLOADS_TOO_MANY")
    await few.uploaded(PDF + b"4", who="another family")


@pytest.mark.parametrize("who, status", [(None, 401), ("support", 403), ("supervisor", 403), ("administrator", 403)])
async def test_who_may_hand_nothing_in_is_refused_before_anything_is_written(
    empty: Stand, who: str | None, status: int
) -> None:
    answer = await empty.upload(PDF, who=who)
    assert answer.status_code == status and code(answer) in ("UNAUTHENTICATED", "FORBIDDEN")
    assert kept(empty) == (0, 0)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_nothing_else_can_be_done_with_uploads(empty: Stand, method: str) -> None:
    assert (await empty.send(method, "/uploads", "family")).status_code == 405
    assert (await empty.send(method, "/uploads/x", "family")).status_code == 404


async def test_a_packed_body_is_not_unpacked(empty: Stand) -> None:
    headers = {"Content-Type": "application/pdf", "Content-Encoding": "gzip"}
    answer = await empty.send("POST", "/uploads", "family", content=PDF, headers=headers)
    assert (answer.status_code, code(answer)) == (415, "UPLOAD_TYPE_NOT_ALLOWED")


@pytest.mark.rule("PD-15")
async def test_of_a_file_nothing_can_be_read_in_the_database(empty: Stand) -> None:
    secret = "沈福根的户口簿".encode() * 50_000
    await empty.uploaded(PDF + secret)
    found = b"".join(path.read_bytes() for path in empty.folder.iterdir() if "sqlite" in path.name)
    assert secret[:60] not in found and hashlib.sha256(PDF + secret).hexdigest().encode() not in found
    assert not [path for path in empty.folder.rglob("*") if path.is_dir()], "and it lies nowhere else"


@pytest.mark.parametrize("scanner, status", [("", 503), ("none", 201)])
async def test_in_production_nothing_is_taken_until_somebody_said_how_it_is_scanned(
    tmp_path: Path, scanner: str, status: int
) -> None:
    production = Stand(tmp_path, {"SHENHOU_SCANNER": scanner})
    production.app.desk.sandbox = False
    answer = await production.upload(PDF)
    assert answer.status_code == status
    if status == 503:
        assert code(answer) == "UPLOAD_NOT_OFFERED" and kept(production) == (0, 0)


@pytest.mark.parametrize("altered, status", [(False, 201), (True, 401)])
async def test_a_signed_file_of_a_department_is_taken_as_it_was_signed(
    empty: Stand, altered: bool, status: int
) -> None:
    desk = empty.app.desk
    budgets = Budgets(desk.rights, partial(_draw, desk), on=False)
    routes = uploads.routes(desk, entrance_of(desk.database), budgets, empty.app.settings.uploads, None)
    asgi = Starlette(routes=routes)
    message = Message(PDF * 9, url=f"{PUBLIC}/uploads", headers={"Content-Type": "application/pdf"})
    headers = {**message.signed(EC, "bank-1").headers, "Authorization": f"Bearer {token('bank')}"}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(asgi), base_url="http://test") as client:
        answer = await client.post("/uploads", content=PDF * 9 + b" " * altered, headers=headers)
    assert answer.status_code == status
    assert kept(empty)[0] == (not altered)
