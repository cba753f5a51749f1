"""Who looked is known whatever happens to the gateway: it ends, or it is killed (PD-15, decision 0015)."""

from __future__ import annotations

import csv
import subprocess
import sys

import pytest

from tests.acceptance.stage import Stage, form

PERSONAL = "query($n: String!) { case(number: $n) { applicant { phone } } }"
TIMELINE = "query($n: String!) { case(number: $n) { timeline(first: 200) { nodes { type text } } } }"
pytestmark = pytest.mark.rule("PD-15")


def run(stage: Stage, *arguments: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", *arguments]
    return subprocess.run(command, env=stage.environment, capture_output=True, text=True, timeout=60, input=typed)


def test_a_look_is_recorded_by_a_gateway_that_ends_and_noted_by_one_that_is_killed(stage: Stage) -> None:
    duty, support = stage.token("duty-person"), stage.token("support")
    number = stage.do(duty, "submitCase", "case { number }", **form())["case"]["number"]
    stage.ask(support, PERSONAL, n=number)
    assert stage.gateway is not None
    stage.gateway.terminate()
    assert stage.gateway.wait(30) is not None
    told = run(stage, "accesses", number)
    rows = list(csv.DictReader(told.stdout.splitlines()))
    assert [(row["role"], row["operation"], row["fields"]) for row in rows] == [
        ("duty-person", "submitCase", ""),
        ("support", "case", "phone"),
    ]
    assert all(row["origin"] == "127.0.0.1" for row in rows)
    checked = run(stage, "verify")
    assert checked.returncode == 0 and "1 access records checked" in checked.stdout
    assert run(stage, "incident", "no-such").returncode == 2

    stage.start_gateway("2025-11-08T08:00:00+08:00")
    stage.ask(support, PERSONAL, n=number)
    stage.kill_gateway()
    stage.start_gateway("2025-11-08T08:00:00+08:00")
    nodes = stage.ask(duty, TIMELINE, n=number)["case"]["timeline"]["nodes"]
    looks = [node["text"] for node in nodes if node["type"] == "access.looked"]
    assert len([text for text in looks if text.endswith("客服答询")]) == 2, "one of each day, the killed gateway's too"


PREFILL = """query($name: String!, $number: String!) {
    prefill(jurisdiction: "hz", deceasedName: $name, deceasedIdNumber: $number) { fields { path } } }"""
CERTIFICATE = {"type": "CREMATION", "number": "1", "issuedAt": "2025-11-07T10:00:00+08:00"}


def test_everything_that_was_asked_about_one_deceased_is_found_case_or_no_case(stage: Stage) -> None:
    clerk, theirs = stage.token("window-clerk"), form()["deceased"]
    other = {**theirs, "name": "王五", "idNumber": "330502194001011014"}
    stage.ask(clerk, PREFILL, name=theirs["name"], number=theirs["idNumber"])
    stage.ask(clerk, PREFILL, name=other["name"], number=other["idNumber"])
    stage.do(clerk, "submitCase", "case { number }", **form())
    civil = stage.token("department-system", department="civil-affairs")
    given = {"jurisdiction": "hz", "deceased": other, "certificate": CERTIFICATE}
    assert stage.do(civil, "shareCertificate", "record { id }", **given)["record"] is not None
    stage.ask(civil, '{ sharedRecords(jurisdiction: "hz") { nodes { id } } }')
    assert stage.gateway is not None
    stage.gateway.terminate()
    assert stage.gateway.wait(30) is not None

    def operations(id_number: str) -> list[str]:
        told = run(stage, "accesses", "--person", typed=f"{id_number}\n")
        assert told.returncode == 0 and id_number not in told.stdout + told.stderr, told.stderr
        return [row["operation"] for row in csv.DictReader(told.stdout.splitlines())]

    assert operations(theirs["idNumber"]) == ["prefill", "submitCase"]
    assert operations(other["idNumber"].lower()) == ["prefill", "sharedRecords"]
    assert operations("330502195001011019") == []
