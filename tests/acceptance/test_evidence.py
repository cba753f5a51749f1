"""Evidence over real sockets: what went to departments and came from them is kept, shown by role, and verified."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.identity import check_digit
from tests.acceptance.stage import Stage, eventually, form

BORN = "33050219400101201"
MESSAGES = """query($n: String!) { case(number: $n) { items { slug messages(first: 50) {
  id part at finishedAt direction system kind state code size sha256 answerSize answerSha256 } } } }"""
HEALTH = "death-cert-normal"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A gateway with the health department alone, which decides nothing by itself."""
    made = Stage(tmp_path_factory.mktemp("stage"))
    made.start_department("health", callback=False)
    made.start_gateway("2025-11-07T22:10:00+08:00")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def number(office: Stage) -> str:
    deceased = {"name": "测试人", "idNumber": BORN + check_digit(BORN), "hukouArea": "330502"}
    assistant = office.token("civil-affairs-assistant", department="civil-affairs")
    made = str(office.do(assistant, "submitCase", "case { number }", **form(deceased=deceased))["case"]["number"])
    eventually(lambda: [found for found in of(office, made) if found["state"] == "ANSWERED"])
    return made


def of(stage: Stage, number: str, role: str = "support", item: str = HEALTH, **token: Any) -> Any:
    items = stage.ask(stage.token(role, **token), MESSAGES, n=number)["case"]["items"]
    return next(found["messages"] for found in items if found["slug"] == item)


def shenhou(stage: Stage, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "gateway", *arguments]
    return subprocess.run(command, env=stage.environment, capture_output=True, timeout=120)


def test_a_push_is_kept_with_its_answer(office: Stage, number: str) -> None:
    (push,) = [found for found in of(office, number) if found["kind"] == "SUBMIT"]
    assert (push["direction"], push["system"], push["state"]) == ("OUTWARD", "health", "ANSWERED")
    assert push["size"] > 100 and push["answerSize"] > 10 and push["finishedAt"] >= push["at"]
    sent = shenhou(office, "message", push["id"], "--part", "0").stdout
    assert (len(sent), hashlib.sha256(sent).hexdigest()) == (push["size"], push["sha256"])
    assert f"{number}.{HEALTH}".encode() in sent
    answer = shenhou(office, "message", push["id"], "--part", "0", "--answer").stdout
    assert hashlib.sha256(answer).hexdigest() == push["answerSha256"]


@pytest.mark.rule("PD-15")
def test_who_sees_which_messages_there_were(office: Stage, number: str) -> None:
    for role in ("support", "supervisor", "duty-person", "administrator"):
        assert of(office, number, role), role
    specialist = office.token("specialist", department="health")
    found = office.ask(specialist, MESSAGES, n=number)["case"]["items"]
    assert [item["messages"] for item in found if item["slug"] == HEALTH] == [None]
    family = {"id_number": "330502196607189625"}
    assert of(office, number, "family", **family) is None


@pytest.mark.rule("PD-06")
def test_a_departments_mutation_is_kept_byte_for_byte(office: Stage, number: str) -> None:
    token = office.token("department-system", department="health")
    query = "mutation($input: AcceptItemInput!) { acceptItem(input: $input) { acknowledgement } }"
    variables = {"input": {"caseNumber": number, "item": HEALTH, "serial": "a-1"}}
    body = json.dumps({"variables": variables, "query": query}).encode() + b"\n \n"
    status, _ = office.post(body, token)
    assert status == 200
    (kept,) = [found for found in of(office, number) if found["kind"] == "MUTATION"]
    assert (kept["direction"], kept["sha256"], kept["code"]) == ("INWARD", hashlib.sha256(body).hexdigest(), "OK")
    assert shenhou(office, "message", kept["id"], "--part", "0").stdout == body


@pytest.mark.rule("PD-06")
def test_a_departments_own_message_is_kept_whether_or_not_it_can_be_read(office: Stage, number: str) -> None:
    def post(body: bytes) -> int:
        token = office.token("department-system", department="health")
        request = urllib.request.Request(
            f"{office.url}/departments/health/messages", body, {"Authorization": f"Bearer {token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    record = {"wbLsh": f"{number}.{HEALTH}", "slh": "20251107000001", "zt": "10", "gxSj": "20251107221500"}
    head = {"jyCode": "SW2001", "jyLsh": "SW20251107090001", "fsSj": "20251107221600"}
    good = json.dumps({"head": head, "body": {"jlList": [record]}}).encode()
    bad = b"\x00rubbish"
    assert (post(good), post(bad)) == (200, 400)
    (kept,) = [found for found in of(office, number) if found["kind"] == "CALLBACK"]
    assert (kept["sha256"], kept["code"]) == (hashlib.sha256(good).hexdigest(), "200")
    with sqlite3.connect(office.folder / "shenhou.sqlite") as plain:
        rows = list(plain.execute("SELECT request_sha256, code FROM messages WHERE kind = 'CALLBACK' ORDER BY id"))
    assert (hashlib.sha256(bad).hexdigest(), "400") in rows


def test_a_stranger_leaves_no_message(office: Stage) -> None:
    def count() -> int:
        with sqlite3.connect(office.folder / "shenhou.sqlite") as plain:
            return int(plain.execute("SELECT count(*) FROM messages WHERE direction = 'INWARD'").fetchone()[0])

    before = count()
    url = f"{office.url}/departments/health/messages"
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(url, b"x" * 1000), timeout=30)
    assert count() == before


@pytest.mark.rule("HZ-904")
def test_what_is_exported_is_verified_without_database_and_keys(office: Stage, number: str, tmp_path: Path) -> None:
    assert shenhou(office, "checkpoint").returncode == 0
    known = shenhou(office, "verify").stdout.decode().split("last checkpoint: ")[1].split(",")[0]
    key, export = tmp_path / "key.json", tmp_path / "export.jsonl"
    key.write_bytes(shenhou(office, "seal-key").stdout)
    assert shenhou(office, "export-ledger", number, "--to", str(export)).returncode == 0
    assert export.stat().st_mode & 0o077 == 0
    assert "测试人" not in export.read_text()

    command = [sys.executable, "-m", "gateway", "verify", "--file", str(export), "--key", str(key)]
    nowhere = {"PATH": os.environ["PATH"], "SHENHOU_DATA_DIR": str(tmp_path / "empty")}

    def verify() -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(command, env=nowhere, capture_output=True, timeout=60)

    found = verify()
    assert found.returncode == 0, found.stdout + found.stderr
    assert not (tmp_path / "empty").exists(), "no settings were read, no keys made"
    export.write_bytes(export.read_bytes().replace(b'"case.reported"', b'"case.deported"'))
    assert verify().returncode == 1
    assert shenhou(office, "verify", "--known", known).returncode == 0
    assert shenhou(office, "verify", "--known", "1:" + "0" * 64).returncode == 1
