"""The edge: rights, families, duplicates, rubbish, and what never leaks."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.acceptance.stage import Stage, form

SECRETS = ("330502193910109559", "330502196607189625", "13857201234", "6222021205001234567", "沈福根", "沈丽娟")


def assistant(stage: Stage) -> str:
    return stage.token("civil-affairs-assistant", department="civil-affairs")


@pytest.mark.rule("PD-11")
def test_every_mistake_at_once_each_with_its_field_and_its_rule(shared_stage: Stage) -> None:
    bad = form(
        channel="PIGEON",
        deceased={"name": "", "idNumber": "330502193910109558", "hukouArea": "610800"},
        death={"area": "610800"},
        account={"holder": "沈丽娟", "number": "12"},
        situations=[{"code": "FLIES", "holds": True}],
        answers=[{"path": "no.such", "value": "x"}],
    )
    found = shared_stage.do(assistant(shared_stage), "submitCase", "case { number }", **bad)
    assert found["case"] is None
    paths = {".".join(error["path"] or []): error["code"] for error in found["userErrors"]}
    assert paths["channel"] == "CHANNEL_NOT_OFFERED" and paths["deceased.name"] == "FIELD_REQUIRED"
    assert paths["deceased.idNumber"] == "ID_NUMBER_INVALID" and paths["death.area"] == "NOT_ELIGIBLE"
    assert paths["deceased.hukouArea"] == "NOT_ELIGIBLE" and paths["death.occurredAt"] == "FIELD_REQUIRED"
    assert {"account.number", "situations", "no.such"} <= set(paths)
    assert all(error["message"] for error in found["userErrors"])
    check = "query($i: SubmitCaseInput!) { checkSubmission(input: $i) { acceptable userErrors { code } } }"
    checked = shared_stage.ask(assistant(shared_stage), check, i=bad)["checkSubmission"]
    assert checked["acceptable"] is False
    assert [e["code"] for e in checked["userErrors"]] == [e["code"] for e in found["userErrors"]]


@pytest.mark.rule("PD-07")
def test_twenty_equal_submissions_at_once_make_one_case(stage: Stage) -> None:
    token = assistant(stage)
    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(lambda _: stage.do(token, "submitCase", "created case { number }", **form()), range(20)))
    assert len({payload["case"]["number"] for payload in made}) == 1
    assert sum(payload["created"] for payload in made) == 1


@pytest.mark.rule("PD-07", "PD-15")
def test_a_second_relative_gets_the_number_and_may_ask_to_join(stage: Stage) -> None:
    number = stage.do(assistant(stage), "submitCase", "case { number }", **form())["case"]["number"]
    second = stage.token("family", id_number="330502197001011230")
    mine = form(applicant={"name": "沈二", "relation": "CHILD"})
    answer = stage.do(second, "submitCase", "openCaseNumber case { number }", **mine)
    assert answer["openCaseNumber"] == number and answer["case"] is None
    assert not any(secret in json.dumps(answer, ensure_ascii=False) for secret in SECRETS)
    query = "query($n: String!) { case(number: $n) { number } }"
    assert stage.ask(second, query, n=number)["case"] is None
    assert stage.ask(second, query, n="HZ0000000000000")["case"] is None  # the same answer
    request = stage.do(second, "askToJoin", "request", caseNumber=number, applicant={"name": "沈二"})["request"]
    stage.do(
        stage.token("duty-person"), "answerJoin", "case { number }", caseNumber=number, request=request, accepted=True
    )
    assert stage.ask(second, query, n=number)["case"] == {"number": number}
    first = stage.token("family", id_number="330502196607189625")
    assert stage.ask(first, "{ cases { nodes { number } } }")["cases"]["nodes"] == [{"number": number}]


@pytest.mark.rule("HZ-504", "PD-03")
def test_normal_death_that_cannot_be_confirmed_goes_to_the_police_at_once(stage: Stage) -> None:
    number = stage.do(assistant(stage), "submitCase", "case { number }", **form())["case"]["number"]
    health, police = (stage.token("specialist", department=code) for code in ("health", "public-security"))
    stage.do(
        health, "referItem", "acknowledgement", caseNumber=number, item="death-cert-normal", serial="r1", reason="外伤"
    )
    query = """query($n: String!) { case(number: $n) { flow items { slug status deadlines { state } } } }"""
    case = stage.ask(stage.token("duty-person"), query, n=number)["case"]
    found = {item["slug"]: item for item in case["items"]}
    assert case["flow"] == "ABNORMAL" and found["death-cert-abnormal"]["status"] == "DISPATCHED"
    assert found["death-cert-normal"]["status"] == "NOT_APPLICABLE"
    assert found["death-cert-normal"]["deadlines"][0]["state"] == "CLOSED"
    certificate = {"type": "DEATH_MEDICAL", "number": "D-9", "issuedAt": "2025-11-08T08:00:00+08:00"}
    late = stage.do(
        health,
        "completeItem",
        "acknowledgement",
        caseNumber=number,
        item="death-cert-normal",
        serial="r2",
        certificates=[certificate],
    )
    assert late["userErrors"][0]["code"] == "CONFLICT"
    certificate = {"type": "DEATH_ABNORMAL", "number": "P-1", "issuedAt": "2025-11-08T09:00:00+08:00"}
    done = stage.do(
        police,
        "attachCertificate",
        "acknowledgement item { status }",
        caseNumber=number,
        item="death-cert-abnormal",
        serial="p1",
        certificate=certificate,
    )
    assert done["item"]["status"] == "COMPLETED"


def test_who_may_not_is_told_which_right_is_missing(shared_stage: Stage) -> None:
    [error] = shared_stage.errors(None, "{ viewer { role } }")
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    [error] = shared_stage.errors(
        assistant(shared_stage), "{ viewer { role } ...S } fragment S on Query { supervision { undeliverable } }"
    )
    assert error["extensions"]["code"] == "FORBIDDEN" and "supervision" in error["message"]
    status, body = shared_stage.post(b'{"query": "{ viewer { role } }"}', "not.a.token")
    assert status == 401 and json.loads(body)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.rule("PD-22")
@pytest.mark.parametrize(
    "query",
    [
        "{ cases { nodes { items { case { items { case { items { case { items { slug } } } } } } } } } }",
        "{ " + " ".join(f"a{n}: viewer {{ role }}" for n in range(40)) + " }",
        "{ cases" + " { nodes { items { case" * 30 + " { number } " + " } } }" * 30 + " }",
        "{ " + "viewer { role } " * 3000 + "}",
        "{ cases { nodes { ...F } } } fragment F on Case { items { case { ...F } } }",
    ],
    ids=["amplification", "aliases", "depth", "tokens", "circle of fragments"],
)
def test_an_operation_that_is_too_large_is_refused_with_words(shared_stage: Stage, query: str) -> None:
    found = shared_stage.errors(assistant(shared_stage), query)
    assert {error["extensions"]["code"] for error in found} <= {"OPERATION_TOO_LARGE", "INVALID_OPERATION"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b"[]",
        b'{"query": 5}',
        b'{"query": "{"}',
        b"[" * 20_000,
        b'"' + b"x" * 3_000_000 + b'"',
    ],
    ids=["empty", "half", "not utf-8", "list", "number", "half query", "deep", "3 MB"],
)
def test_rubbish_is_answered_and_the_gateway_lives(shared_stage: Stage, body: bytes) -> None:
    status, answer = shared_stage.post(body, assistant(shared_stage))
    assert status in (200, 400, 413)
    if status == 200:
        assert "errors" in answer
    assert shared_stage.ask(assistant(shared_stage), "{ viewer { role } }") == {
        "viewer": {"role": "civil-affairs-assistant"}
    }


def test_nothing_personal_is_echoed_or_logged(stage: Stage) -> None:
    token = assistant(stage)
    number = stage.do(token, "submitCase", "case { number }", **form())["case"]["number"]
    query = "query($n: String!) { case(number: $n) { number } }"
    for wrong in (["330502193910109559"], {"idNumber": "330502193910109559"}, 330502193910109559):
        found = stage.errors(token, query, n=wrong)
        assert "3305021939" not in json.dumps(found, ensure_ascii=False)
    stage.ask(token, query, n="330502193910109559")
    stage.ask(token, "query($f: CaseFilter) { cases(filter: $f) { totalCount } }", f={"name": "沈福根"})
    medical = stage.token("specialist", department="medical-insurance")
    broken = {"serial": "1", "kind": "X", "amount": "1203.456"}
    mutation = "mutation($i: ReportPayoutInput!) { reportPayout(input: $i) { acknowledgement } }"
    [error] = stage.errors(medical, mutation, i={"caseNumber": number, "item": "x", "serial": "1", "payout": broken})
    assert error["extensions"]["code"] == "INVALID_OPERATION" and "two places" in error["message"]
    stage.post(json.dumps({"query": query, "variables": {"n": "330502193910109559"}}).encode())
    assert "refused to nobody known" in stage.log
    stage.must_keep_quiet()


@pytest.mark.rule("PD-15")
def test_a_gateway_that_dies_leaves_no_memory_behind(shared_stage: Stage) -> None:
    assert shared_stage.gateway is not None
    limits = Path(f"/proc/{shared_stage.gateway.pid}/limits")
    if not limits.exists():
        pytest.skip("there is no /proc to read the limits of a process from")
    [core] = [line for line in limits.read_text().splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]


@pytest.mark.rule("PD-15", "HZ-816")
@pytest.mark.parametrize(
    "role, mutation, input_",
    [
        ("window-clerk", "submitCase", {**form(), "jurisdiction": "yy"}),
        (
            "specialist",
            "recordStop",
            {"jurisdiction": "yy", "idNumber": "430621195205209156", "item": "retirement-pension-stop", "serial": "1"},
        ),
        (
            "specialist",
            "shareCertificate",
            {
                "jurisdiction": "yy",
                "deceased": {"name": "李德福", "idNumber": "430621195205209156"},
                "certificate": {"type": "CREMATION", "number": "1", "issuedAt": "2025-11-07T10:00:00+08:00"},
            },
        ),
    ],
)
def test_staff_of_one_place_do_not_write_in_another(
    shared_stage: Stage, role: str, mutation: str, input_: dict[str, object]
) -> None:
    department = {"department": "social-security"} if role == "specialist" else {}
    kind = mutation[0].upper() + mutation[1:] + "Input"
    query = f"mutation($input: {kind}!) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}"
    [error] = shared_stage.errors(shared_stage.token(role, **department), query, input=input_)
    assert (error["extensions"]["code"], error["extensions"]["requirementIds"]) == ("FORBIDDEN", ["PD-15"])
    assert "岳阳县" in error["message"]


def test_a_time_that_no_calendar_holds_is_a_bad_value_not_a_fault(shared_stage: Stage) -> None:
    filed = {**form(), "death": {"occurredAt": "0001-01-01T00:00:00+08:00"}}
    query = "mutation($input: SubmitCaseInput!) { submitCase(input: $input) { created } }"
    status, body = shared_stage.post(
        json.dumps({"query": query, "variables": {"input": filed}}).encode(), assistant(shared_stage)
    )
    assert status == 400 and b"INTERNAL" not in body and json.loads(body)["errors"]
