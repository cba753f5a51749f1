"""Files over real sockets: handed in with the form, refused in time, and nothing half after the power failed."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sqlite3
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.stage import Stage, eventually
from tests.acceptance.test_yueyang import COUNTY, form
from tests.yueyang import FIVE, LI_JIANJUN

PDF = b"%PDF-1.7\n"
WHOLE = PDF + os.urandom(6 * 1024 * 1024)
FILES = "query($n: String!) { case(number: $n) { materials { type status size url } } }"


@pytest.fixture
def county(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    made.start_gateway("2021-06-15T11:30:00+08:00")
    yield made
    made.stop()


def clerk(stage: Stage) -> str:
    return stage.token("window-clerk", area=COUNTY, name="窗口人员")


def upload(stage: Stage, token: str, content: bytes, **headers: str) -> tuple[int, Any]:
    line = http.client.HTTPConnection("127.0.0.1", stage.port, timeout=60)
    said = {"Authorization": f"Bearer {token}", "Content-Type": "application/pdf", **headers}
    line.request("POST", "/uploads", content, said)
    answer = line.getresponse()
    found = answer.status, json.loads(answer.read())
    line.close()
    return found


def begun(stage: Stage, token: str, length: int, content: bytes) -> socket.socket:
    """A sender who has sent a part of what was promised, and still holds the line."""
    line = socket.create_connection(("127.0.0.1", stage.port), timeout=60)
    head = f"POST /uploads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/pdf\r\n"
    line.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + content)
    return line


def rows(stage: Stage, statement: str) -> list[Any]:
    with sqlite3.connect(f"file:{stage.folder}/shenhou.sqlite?mode=ro", uri=True) as database:
        return database.execute(statement).fetchall()


def test_of_a_file_whose_gateway_dies_in_the_middle_nothing_can_be_had(county: Stage) -> None:
    token = clerk(county)
    line = begun(county, token, len(WHOLE), WHOLE[: len(WHOLE) // 2])
    eventually(lambda: rows(county, "SELECT count(*) FROM upload_parts") != [(0,)])
    county.kill_gateway()
    line.close()
    county.start_gateway("2021-06-15T11:31:00+08:00")
    [(half, state)] = rows(county, "SELECT id, state FROM uploads")
    assert state == "RECEIVING"
    papers = [{"type": kind, "upload": half} for kind in FIVE]
    refused = county.do(token, "submitCase", "case { number }", **{**form(), "materials": papers})
    assert {error["code"] for error in refused["userErrors"]} == {"UPLOAD_NOT_FOUND"}
    status, taken = upload(county, token, WHOLE)
    assert status == 201 and taken["upload"] != half, "sent again it is taken whole"
    papers = [{"type": kind, "upload": taken["upload"]} for kind in FIVE]
    filed = county.do(token, "submitCase", "case { number }", **{**form(), "materials": papers})
    assert filed["userErrors"] == []
    family = county.token("family", area=COUNTY, id_number=LI_JIANJUN)
    found = county.ask(family, FILES, n=filed["case"]["number"])["case"]["materials"]
    assert [(one["type"], one["size"]) for one in found] == [(kind, len(WHOLE)) for kind in FIVE]
    request = urllib.request.Request(county.url + found[2]["url"], headers={"Authorization": f"Bearer {family}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.read() == WHOLE
    again = upload(county, token, WHOLE)[1]
    assert again == taken, "and the same file is the same upload"


def test_who_goes_away_leaves_nothing_and_who_sends_too_much_is_told_at_once(county: Stage) -> None:
    token = clerk(county)
    line = begun(county, token, len(WHOLE), WHOLE[: len(WHOLE) // 2])
    eventually(lambda: rows(county, "SELECT count(*) FROM upload_parts") != [(0,)])
    line.close()
    eventually(lambda: rows(county, "SELECT count(*) FROM uploads") == [(0,)])
    with begun(county, token, 10**9, PDF) as line:
        answer = line.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 413") and b"UPLOAD_TOO_LARGE" in answer
    status, body = upload(county, token, b"<html>", **{"Content-Type": "text/html"})
    assert (status, body["errors"][0]["extensions"]["code"]) == (415, "UPLOAD_TYPE_NOT_ALLOWED")
    assert "incident" not in county.log
