"""What comes of a bad line, a wrong encoding, a lost answer: the rows of docs/outcomes.md over real sockets."""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.identity import check_digit
from tests.acceptance.stage import Stage, eventually, form
from tests.adapters.conftest import free_pair

ITEM = "death-cert-normal"
ROUNDS = count(201)
ACK = "acknowledgement item { status }"
DELIVERY = """query($n: String!) { case(number: $n) { timeline { nodes { type } }
  item(slug: "death-cert-normal") { status delivery { state attempts } payouts { status } } } }"""


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A gateway that tries again quickly, and the health bureau, whose clerk acts only when told."""
    made = Stage(tmp_path_factory.mktemp("quick"))
    made.port = free_pair()
    made.variables["SHENHOU_RETRY_LADDER_S"] = ",".join(["0.3"] * 60)
    made.start_department("health")
    made.start_gateway()
    yield made
    made.stop()


def person() -> str:
    """A deceased of one's own: one has one open case (PD-07)."""
    born = f"33050219400101{next(ROUNDS)}"
    return born + check_digit(born)


def filing(number: str | None = None, **changes: Any) -> dict[str, Any]:
    return form(deceased={"name": "测试人", "idNumber": number or person(), "hukouArea": "330502"}, **changes)


def assistant(stage: Stage) -> str:
    return stage.token("civil-affairs-assistant", department="civil-affairs")


def submitted(stage: Stage) -> str:
    payload = stage.do(assistant(stage), "submitCase", "created case { number }", **filing())
    assert payload["userErrors"] == []
    return str(payload["case"]["number"])


def shown(stage: Stage, number: str) -> Any:
    return stage.ask(stage.token("duty-person"), DELIVERY, n=number)["case"]


def refused(stage: Stage, number: str) -> int:
    return [entry["type"] for entry in shown(stage, number)["timeline"]["nodes"]].count("write_back.refused")


def delivered(stage: Stage, number: str) -> Any:
    eventually(lambda: shown(stage, number)["item"]["delivery"]["state"] == "DELIVERED")
    return shown(stage, number)["item"]


def message(key: str, serial: str, state: str = "10", **more: Any) -> dict[str, Any]:
    """A notice of the death registry, as its software sends it today."""
    row = {"wbLsh": key, "slh": "20261124000003", "zt": state, "gxSj": "20261124090000", **more}
    return {
        "head": {"jyCode": "SW2001", "jyLsh": serial, "fsSj": "20261124090100"},
        "body": {"jlList": [row]},
    }


def post(stage: Stage, body: bytes, code: str = "health", as_: str = "health") -> tuple[int, Any]:
    headers = {
        "Authorization": f"Bearer {stage.token('department-system', department=as_)}",
        "Content-Type": "application/json;charset=UTF-8",
    }
    request = urllib.request.Request(f"{stage.url}/departments/{code}/messages", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)["head"]
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def cut_off(stage: Stage, path: str, token: str, body: bytes, send: int) -> None:
    """A client whose line breaks after ``send`` bytes of its body, or, having sent it all, before the answer."""
    with socket.create_connection(("127.0.0.1", stage.port), timeout=30) as line:
        head = f"POST {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        line.sendall(head.encode() + body[:send])


def operation(number: str | None = None, **changes: Any) -> bytes:
    query = "mutation($i: SubmitCaseInput!) { submitCase(input: $i) { created case { number } userErrors { code } } }"
    return json.dumps({"query": query, "variables": {"i": filing(number, **changes)}}).encode()


# ── outward ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("PD-16")
@pytest.mark.parametrize("habit", ["drop", "half", "garble"])
def test_a_push_whose_answer_was_lost_or_broken_is_asked_for_before_it_is_told_again(quick: Stage, habit: str) -> None:
    registry = quick.counter("health")
    registry.call("DELETE", "/calls")
    registry.behave(**{habit: 1})
    number = submitted(quick)
    item = delivered(quick, number)
    told = [row for row in registry.applications() if row["key"] == f"{number}.{ITEM}"]
    assert (len(told), registry.calls()["submit"]) == (1, 1)
    if item["delivery"]["attempts"] > 1:  # an answer in plain ASCII is the same in either encoding
        assert registry.calls()["query"] >= 1


@pytest.mark.rule("PD-16")
@pytest.mark.parametrize("habit", ["fail", "rubbish"])
def test_a_push_that_was_refused_or_not_understood_for_a_while_arrives_once(quick: Stage, habit: str) -> None:
    quick.counter("health").behave(**{habit: 3})
    number = submitted(quick)
    delivered(quick, number)
    assert [row["key"] for row in quick.counter("health").applications()].count(f"{number}.{ITEM}") == 1


# ── messages in the department's own format ─────────────────────────────────────────────────────────────


@pytest.mark.rule("PD-06")
def test_twice_other_content_and_other_serial_in_its_own_format(quick: Stage) -> None:
    number = submitted(quick)
    delivered(quick, number)
    key = f"{number}.{ITEM}"
    once = json.dumps(message(key, "S1")).encode()
    for _ in range(2):
        assert post(quick, once) == (200, {"jyCode": "SW2001", "rspCode": "AAAAAAA", "rspMsg": "接收成功"})
    assert post(quick, json.dumps(message(key, "S2")).encode())[1]["rspCode"] == "AAAAAAA"
    assert (shown(quick, number)["item"]["status"], refused(quick, number)) == ("ACCEPTED", 0)
    status, head = post(quick, json.dumps(message(key, "S1", "40")).encode())
    assert (status, head["rspMsg"]) == (200, "CONFLICT")
    assert (shown(quick, number)["item"]["status"], refused(quick, number)) == ("ACCEPTED", 1)


@pytest.mark.rule("PD-06")
def test_wrong_encoding_rubbish_and_half_characters_are_not_taken(quick: Stage) -> None:
    number = submitted(quick)
    delivered(quick, number)
    whole = json.dumps(message(f"{number}.{ITEM}", "S1", "20", yy="病历不清"), ensure_ascii=False)
    broken = whole.replace("病历不清", "\\ud83d")
    for body in (whole.encode("gb18030"), whole.encode()[:-20], broken.encode(), b"\xff\xfe\x00", b"[" * 100_000):
        status, answer = post(quick, body)
        assert status == 400 and b"AAAAAAA" not in answer
        assert "病历" not in answer.decode("utf-8", "replace")
    assert (shown(quick, number)["item"]["status"], refused(quick, number)) == ("DISPATCHED", 0)
    assert post(quick, whole.encode())[1]["rspCode"] == "AAAAAAA"
    assert shown(quick, number)["item"]["status"] == "CORRECTION_REQUIRED"


@pytest.mark.rule("PD-06")
def test_half_a_message_is_nothing_and_the_whole_one_is_taken(quick: Stage) -> None:
    number = submitted(quick)
    delivered(quick, number)
    whole = json.dumps(message(f"{number}.{ITEM}", "S1")).encode()
    token = quick.token("department-system", department="health")
    cut_off(quick, "/departments/health/messages", token, whole, len(whole) // 2)
    assert post(quick, whole)[1]["rspCode"] == "AAAAAAA"
    assert (shown(quick, number)["item"]["status"], refused(quick, number)) == ("ACCEPTED", 0)


@pytest.mark.rule("PD-06")
def test_a_message_whose_acknowledgement_was_lost_is_taken_once(quick: Stage) -> None:
    number = submitted(quick)
    delivered(quick, number)
    whole = json.dumps(message(f"{number}.{ITEM}", "S1")).encode()
    token = quick.token("department-system", department="health")
    cut_off(quick, "/departments/health/messages", token, whole, len(whole))
    eventually(lambda: shown(quick, number)["item"]["status"] == "ACCEPTED")
    assert post(quick, whole)[1]["rspCode"] == "AAAAAAA"
    assert [entry["type"] for entry in shown(quick, number)["timeline"]["nodes"]].count("item.accepted") == 1


@pytest.mark.rule("PD-06")
def test_wrong_department_wrong_key_and_too_much_in_its_own_format(quick: Stage) -> None:
    number = submitted(quick)
    delivered(quick, number)
    right = json.dumps(message(f"{number}.{ITEM}", "S1")).encode()
    assert post(quick, right, as_="housing-fund")[0] == 403
    for key, code in (
        (f"{number}.funeral-service", "NOT_OWNER"),
        (f"{number}.tea-ceremony", "ITEM_NOT_IN_CASE"),
        (number, "ITEM_NOT_IN_CASE"),
        ("HZ2099010100001.death-cert-normal", "CASE_NOT_FOUND"),
        ("", "CASE_NOT_FOUND"),
        ("a\x00b", "CASE_NOT_FOUND"),
    ):
        status, head = post(quick, json.dumps(message(key, "S9")).encode())
        assert (status, head["rspMsg"]) == (200, code), key
    assert post(quick, b" " * 3_000_000)[0] == 413
    assert post(quick, json.dumps(message(f"{number}.{ITEM}", "S" * 500)).encode())[1]["rspCode"] == "AAAAAAA"


# ── GraphQL ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("PD-13")
@pytest.mark.parametrize(
    "amount",
    ["4,800.00", "￥4800", "4800元", "４８００", "4.8E3", "1_000", "4800.001", " 4800", "1e30", "NaN", True, 1e30, ""],
)
def test_a_sum_in_another_spelling_is_refused_and_no_internal_error(quick: Stage, amount: Any) -> None:
    kind = "mutation($i: ReportPayoutInput!) { reportPayout(input: $i) { acknowledgement } }"
    payout = {"serial": "1", "kind": "MEDICAL_ACCOUNT_BALANCE", "amount": amount}
    given = {"caseNumber": "HZ1", "item": "medical-account-settlement", "serial": "m-1", "payout": payout}
    [error] = quick.errors(quick.token("specialist", department="medical-insurance"), kind, i=given)
    assert error["extensions"]["code"] == "INVALID_OPERATION"


@pytest.mark.rule("PD-06")
@pytest.mark.parametrize("at", ["2025-11-11T10:00:00", "2025-11-11", "昨天", "0001-01-01T00:00:00+14:00", 1762826400])
def test_a_time_without_its_zone_is_refused_and_no_internal_error(quick: Stage, at: Any) -> None:
    kind = "mutation($i: AttachCertificateInput!) { attachCertificate(input: $i) { acknowledgement } }"
    given = {"caseNumber": "HZ1", "item": ITEM, "serial": "h-1"}
    certificate = {"type": "DEATH_MEDICAL", "number": "D-1", "issuedAt": at}
    health = quick.token("specialist", department="health")
    [error] = quick.errors(health, kind, i={**given, "certificate": certificate})
    assert error["extensions"]["code"] == "INVALID_OPERATION"


@pytest.mark.rule("PD-06")
def test_wrong_encoding_and_characters_that_are_none_are_refused_by_graphql(quick: Stage) -> None:
    token = quick.token("specialist", department="health")
    query = "mutation($i: RefuseItemInput!) { refuseItem(input: $i) { acknowledgement } }"
    given = {"caseNumber": "HZ1", "item": ITEM, "serial": "h-1", "reason": "病历不清"}
    whole = json.dumps({"query": query, "variables": {"i": given}}, ensure_ascii=False)
    for body in (
        whole.encode("gb18030"),
        whole.replace("病历不清", "\\ud83d").encode(),
        whole.replace("病历不清", "\\u0000").encode(),
        whole.encode()[:-5],
    ):
        status, answer = quick.post(body, token)
        assert (status, "INTERNAL" in str(answer)) == (400, False)


# ── submissions ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("PD-07")
def test_twenty_equal_submissions_under_one_key_at_once_are_one_case(quick: Stage) -> None:
    same, token = filing(submissionKey="k-1"), assistant(quick)
    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(lambda _: quick.do(token, "submitCase", "created case { number }", **same), range(20)))
    assert len({payload["case"]["number"] for payload in made}) == 1
    assert [payload["created"] for payload in made].count(True) == 1
    assert all(payload["userErrors"] == [] for payload in made)


@pytest.mark.rule("PD-07", "PD-16")
def test_what_was_given_up_is_driven_again_and_said_so(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.port = free_pair()
    stage.variables |= {"SHENHOU_RETRY_LADDER_S": "0.1", "SHENHOU_HEALTH_URL": "http://127.0.0.1:1"}
    stage.start_gateway()
    try:
        asked, token = "created driven { slug delivery { state } } case { number }", assistant(stage)
        same = filing(submissionKey="k-1")
        number = stage.do(token, "submitCase", asked, **same)["case"]["number"]
        eventually(lambda: shown(stage, number)["item"]["delivery"]["state"] == "FAILED")
        again = stage.do(token, "submitCase", asked, **same)
        assert (again["created"], again["case"]["number"]) == (False, number)
        assert again["driven"] == [{"slug": ITEM, "delivery": {"state": "PENDING"}}]
    finally:
        stage.stop()


@pytest.mark.rule("PD-07")
@pytest.mark.parametrize("part", ["half", "whole"])
def test_a_submission_whose_client_went_away_is_the_same_case_when_it_comes_again(quick: Stage, part: str) -> None:
    one = person()
    body, token = operation(one, submissionKey=f"gone-{part}"), assistant(quick)
    cut_off(quick, "/graphql", token, body, len(body) if part == "whole" else len(body) // 2)
    made = [quick.post(body, token)[1]["data"]["submitCase"] for _ in range(2)]
    assert made[0]["case"] == made[1]["case"] and made[1]["created"] is False
    query = "query($f: CaseFilter) { cases(filter: $f) { totalCount } }"
    assert quick.ask(quick.token("duty-person"), query, f={"idNumber": one})["cases"]["totalCount"] == 1


@pytest.mark.rule("PD-07", "PD-16")
def test_a_gateway_killed_right_after_the_commit_has_filed_the_case(quick: Stage) -> None:
    body, token = operation(submissionKey="killed"), assistant(quick)
    before = _cases(quick)
    line = http.client.HTTPConnection("127.0.0.1", quick.port, timeout=30)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    line.request("POST", "/graphql", body, headers)
    while _cases(quick) == before:
        pass
    quick.kill_gateway()
    line.close()
    quick.start_gateway()
    made = quick.post(body, token)[1]["data"]["submitCase"]
    assert (made["created"], _cases(quick)) == (False, before + 1)
    number = made["case"]["number"]
    delivered(quick, number)
    assert [row["key"] for row in quick.counter("health").applications()].count(f"{number}.{ITEM}") == 1


def _cases(stage: Stage) -> int:
    """Cases on the disk, as another process sees them: what is there is committed."""
    with sqlite3.connect(stage.folder / "shenhou.sqlite", timeout=30) as database:
        return int(database.execute("SELECT COUNT(*) FROM cases").fetchone()[0])
