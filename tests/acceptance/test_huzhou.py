"""Acceptance scenarios AS-14 to AS-17 over HTTP, as specialists and assistants would live them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.stage import Stage, form

ITEMS = """query($n: String!) { case(number: $n) { status items { slug requirementId status pushedAt
  deadlines { clock state dueAt endedAt } } } }"""
ACK = "acknowledgement"


def items(stage: Stage, token: str, number: str) -> dict[str, dict[str, Any]]:
    found = stage.ask(token, ITEMS, n=number)["case"]["items"]
    return {item["requirementId"]: item for item in found}


def specialist(stage: Stage, department: str) -> str:
    return stage.token("specialist", department=department)


def submitted(stage: Stage) -> str:
    assistant = stage.token("civil-affairs-assistant", department="civil-affairs", name="姚丽")
    payload = stage.do(assistant, "submitCase", "created case { number }", **form())
    assert payload["userErrors"] == []
    return str(payload["case"]["number"])


def cremated(stage: Stage, number: str) -> None:
    """Certificate on Saturday 21:30, booking, cremation certificate on Monday 09:30."""
    duty = stage.token("duty-person")
    stage.move_clock(duty, "2025-11-08T21:30:00+08:00")
    certificate = {"type": "DEATH_MEDICAL", "number": "D-1", "issuedAt": "2025-11-08T21:30:00+08:00"}
    done = stage.do(
        specialist(stage, "health"),
        "completeItem",
        ACK,
        caseNumber=number,
        item="death-cert-normal",
        serial="h1",
        certificates=[certificate],
    )
    assert done == {"acknowledgement": "APPLIED", "userErrors": []}
    funeral = specialist(stage, "civil-affairs")
    stage.do(
        funeral,
        "completeItem",
        ACK,
        caseNumber=number,
        item="funeral-service",
        serial="f1",
        details=[{"name": "bookedAt", "value": "2025-11-10T08:00:00+08:00"}],
    )
    stage.move_clock(duty, "2025-11-10T09:30:00+08:00")
    certificate = {"type": "CREMATION", "number": "C-1", "issuedAt": "2025-11-10T09:30:00+08:00"}
    done = stage.do(
        funeral, "completeItem", ACK, caseNumber=number, item="cremation-cert", serial="f2", certificates=[certificate]
    )
    assert done == {"acknowledgement": "APPLIED", "userErrors": []}


@pytest.mark.rule("HZ-502", "HZ-503", "HZ-510", "HZ-513", "HZ-514", "PD-03")
def test_as_14_path_1_runs_from_the_report_to_the_simultaneous_push(stage: Stage) -> None:
    number = submitted(stage)
    duty = stage.token("duty-person")
    found = items(stage, duty, number)
    [clock] = found["HZ-602"]["deadlines"]
    assert clock["dueAt"].startswith("2025-11-08T14:10:")  # Saturday 22:10, elapsed hours
    query = "query($n: String!) { case(number: $n) { number } }"
    assert stage.ask(specialist(stage, "public-security"), query, n=number)["case"] is None  # no open task yet
    cremated(stage, number)
    found = items(stage, duty, number)
    assert found["HZ-602"]["deadlines"][0]["state"] == "MET"
    released = {"HZ-607", "HZ-608", "HZ-609", "HZ-614", "HZ-615", "HZ-616", "HZ-617", "HZ-618", "HZ-619"}
    assert {found[row]["pushedAt"] for row in released} == {"2025-11-10T01:30:00Z"}
    assert stage.ask(specialist(stage, "public-security"), query, n=number)["case"] == {"number": number}


@pytest.mark.rule("HZ-607", "HZ-609", "HZ-616", "HZ-617", "HZ-618", "HZ-901", "HZ-903", "PD-02", "PD-04")
def test_as_15_limits_in_an_ordinary_week_and_supervision(stage: Stage) -> None:
    number = submitted(stage)
    cremated(stage, number)
    duty, supervisor = stage.token("duty-person"), stage.token("supervisor")
    found = items(stage, duty, number)
    due = {(row, clock["clock"]): clock["dueAt"] for row, item in found.items() for clock in item["deadlines"]}
    thursday, monday, next_monday = "2025-11-13T16:00:00Z", "2025-11-17T16:00:00Z", "2025-11-24T16:00:00Z"
    assert due["HZ-607", "PROCESSING"] == due["HZ-608", "PROCESSING"] == due["HZ-609", "PROCESSING"] == thursday
    assert due["HZ-616", "PROCESSING"] == thursday and due["HZ-616", "PAYOUT"] == monday
    assert due["HZ-609", "PAYOUT"] == next_monday
    assert due["HZ-618", "PAYOUT"] == thursday and due["HZ-617", "PROCESSING"] is None
    for row, item in found.items():
        if item["status"] == "DISPATCHED" and row not in ("HZ-607", "HZ-606"):
            definition = "query($n: String!, $s: Slug!) { case(number: $n) { item(slug: $s) { department { code } } } }"
            code = stage.ask(duty, definition, n=number, s=item["slug"])["case"]["item"]["department"]["code"]
            done = stage.do(
                specialist(stage, code), "completeItem", ACK, caseNumber=number, item=item["slug"], serial=f"d{row}"
            )
            assert done["acknowledgement"] == "APPLIED", (row, done)
    supervision = """{ supervision { overdue { caseNumber item department clock }
      compliance { department { code } late onTime overdue } } }"""
    stage.move_clock(duty, "2025-11-14T09:00:00+08:00")
    expected = {
        "caseNumber": number,
        "item": "hukou-deregistration",
        "department": "public-security",
        "clock": "PROCESSING",
    }
    assert stage.ask(supervisor, supervision)["supervision"]["overdue"] == [expected]
    stage.move_clock(duty, "2025-11-14T10:00:00+08:00")
    police = specialist(stage, "public-security")
    stage.do(police, "completeItem", ACK, caseNumber=number, item="hukou-deregistration", serial="p1")
    assert items(stage, duty, number)["HZ-607"]["deadlines"][0]["state"] == "MISSED"
    answer = stage.ask(supervisor, supervision)["supervision"]
    assert answer["overdue"] == []
    counted = {row["department"]["code"]: row for row in answer["compliance"]}
    assert (counted["public-security"]["late"], counted["public-security"]["overdue"]) == (1, 0)
    assert counted["social-security"]["onTime"] == 2


@pytest.mark.rule("HZ-816", "PD-15", "PD-06")
def test_as_16_a_specialist_sees_the_own_field_only(stage: Stage) -> None:
    number = submitted(stage)
    cremated(stage, number)
    fund, medical = specialist(stage, "housing-fund"), specialist(stage, "medical-insurance")
    payment = {"serial": "1", "kind": "MEDICAL_ACCOUNT_BALANCE", "amount": "1203.45"}
    stage.do(
        medical,
        "completeItem",
        ACK,
        caseNumber=number,
        item="medical-account-settlement",
        serial="m1",
        payments=[payment],
    )
    query = """query($n: String!) { case(number: $n) { id deceased { name idNumber } certificates { type }
      items { slug } payouts { amount } account { number } money { approved } applicant { phone }
      situations { name } death { cause } timeline { nodes { items text } } } }"""
    seen = stage.ask(fund, query, n=number)["case"]
    assert seen["deceased"] == {"name": "沈福根", "idNumber": "330502193910109559"}
    assert {row["type"] for row in seen["certificates"]} == {"DEATH_MEDICAL", "CREMATION"}
    assert [row["slug"] for row in seen["items"]] == ["housing-fund-death-withdrawal"]
    assert seen["payouts"] == [] and seen["account"] is None and seen["money"] == {"approved": "0.00"}
    assert seen["applicant"] == {"phone": None} and seen["situations"] == [] and seen["death"] == {"cause": None}
    assert all(set(row["items"]) <= {"housing-fund-death-withdrawal"} for row in seen["timeline"]["nodes"])
    entities = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Case { items { slug } } } }"
    [again] = stage.ask(fund, entities, r=[{"__typename": "Case", "id": seen["id"]}])["_entities"]
    assert [row["slug"] for row in again["items"]] == ["housing-fund-death-withdrawal"]
    refused = stage.do(fund, "completeItem", ACK, caseNumber=number, item="medical-account-settlement", serial="x1")
    assert refused["acknowledgement"] == "REFUSED" and refused["userErrors"][0]["code"] == "NOT_OWNER"
    log = stage.ask(
        stage.token("duty-person"),
        "query($n: String!) { case(number: $n) { timeline(first: 200) { nodes { type reason { code } } } } }",
        n=number,
    )
    assert {"type": "write_back.refused", "reason": {"code": "NOT_OWNER"}} in log["case"]["timeline"]["nodes"]
    elsewhere = stage.token("specialist", department="housing-fund", area="330700")
    assert stage.ask(elsewhere, query, n=number)["case"] is None


@pytest.mark.rule("HZ-904", "HZ-905")
def test_as_17_prompts_summary_list_and_archive(stage: Stage) -> None:
    number = submitted(stage)
    duty = stage.token("duty-person")
    family = stage.token("family", id_number="330502196607189625")
    query = """query($n: String!) { case(number: $n) { status nextSteps { slug }
      summaryList { item { slug } result paid } archive { complete records { name present } } account { number }
      timeline(first: 200) { nodes { type items nextItems } } } }"""
    before = stage.ask(family, query, n=number)["case"]
    assert {row["slug"] for row in before["nextSteps"]} >= {"death-cert-normal"}
    assert before["summaryList"] is None and before["archive"]["complete"] is False
    cremated(stage, number)
    step = next(
        row
        for row in stage.ask(family, query, n=number)["case"]["timeline"]["nodes"]
        if row["type"] == "item.completed" and row["items"] == ["cremation-cert"]
    )
    assert "hukou-deregistration" in step["nextItems"]
    stage.do(duty, "completePlatformItem", "item { status }", caseNumber=number, item="ashes-burial-information")
    departments = "query($n: String!) { case(number: $n) { items { slug status department { code } } } }"
    for _ in range(2):  # the second round does what the first one released
        for item in stage.ask(duty, departments, n=number)["case"]["items"]:
            if item["status"] == "DISPATCHED":
                token = specialist(stage, item["department"]["code"])
                stage.do(token, "completeItem", ACK, caseNumber=number, item=item["slug"], serial=f"s-{item['slug']}")
    after = stage.ask(family, query, n=number)["case"]
    assert after["status"] == "CLOSED" and after["archive"]["complete"] is True
    assert {row["item"]["slug"] for row in after["summaryList"]} >= {"hukou-deregistration", "bank-asset-disposal"}
    assert after["account"]["number"] == "6222***********4567"
