"""A government that exists in no code: its file is dropped in, and its cases run from end to end (PD-19)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway import plain_yaml
from gateway.domain.department import Certificate, Outcome
from gateway.domain.form import DeathForm
from gateway.domain.messages import Refused
from gateway.policy.loader import DATA, load
from gateway.services import dispatch
from gateway.store.session import Database
from tests.builders import World, codes, moment, payment
from tests.uxin import CARD, HUKOU, MEDICAL, PENSION, QIQIGE, connected, sent, ws_form

AREA = "990203"
SUBSIDIES = "disability-two-subsidies-stop"


def invented(path: Path) -> Path:
    """Uxin's file under another code, with other names and row ids, and the gates turned round.

    Here the medical account is settled first, in every case; then the registration is cancelled; the police issue no
    certificate; pension money waits for the police, and the subsidies stop at once.
    """
    text = (DATA / "uxin.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("150626", AREA),
        ("WS-", "QL-"),
        ("WS{date}", "QL{date}"),
        ("乌审旗", "麒麟县"),
        ("Uxin Banner", "Qilin"),
    ):
        text = text.replace(old, new)
    policy: dict[str, Any] = plain_yaml.read(text)
    policy |= {"code": "ql", "version": "1"}
    items = {item["slug"]: item for item in policy["items"]}
    items[MEDICAL] |= {"trigger": "AUTO", "requires": [], "clocks": [limit(5)]}
    items[HUKOU] |= {"requires": [{"item": MEDICAL, "source": "QL-506"}], "issues": []}
    items[SUBSIDIES] |= {"requires": []}
    policy["items"] = [items.pop(SUBSIDIES), *items.values()]
    policy["materials"] = [paper for paper in policy["materials"] if paper["code"] == "DEATH_CERTIFICATE"]
    path.write_text(json.dumps(policy, default=str), encoding="utf-8")
    return path


def limit(days: int) -> dict[str, Any]:
    return {"clock": "PROCESSING", "limit": days, "source": "QL-511"}


@pytest.fixture
def qilin(database: Database, tmp_path: Path) -> World:
    return connected(database, load(more=(invented(tmp_path / "qilin.yaml"),)))


def ql_form(*chosen: str, **changes: Any) -> Any:
    form = ws_form(*chosen, jurisdiction="ql", death=DeathForm(moment("2021-07-12 06:00"), f"{AREA}102"), **changes)
    return replace(
        form,
        deceased=replace(form.deceased, hukou_area=AREA),
        materials=tuple(paper for paper in form.materials if paper.type == "DEATH_CERTIFICATE"),
    )


@pytest.mark.rule("PD-19", "PD-17", "C-07", "C-08", "C-14", "C-20", "C-21", "C-26")
def test_a_file_dropped_in_works_from_end_to_end(qilin: World) -> None:
    case = qilin.submit(ql_form(PENSION, SUBSIDIES), actor=QIQIGE)
    assert (case.number, case.area, case.policy_version) == ("QL2021071400001", f"{AREA}102", "1")
    assert set(sent(qilin)) == {("medical-insurance", MEDICAL), ("disabled-persons-federation", SUBSIDIES)}
    assert qilin.deadline(MEDICAL).due_at == moment("2021-07-22 00:00"), "five working days, where Uxin states none"

    sums = (payment("1", "MEDICAL_ACCOUNT_BALANCE", 120345),)
    qilin.at("2021-07-15 09:00").report("medical-insurance", MEDICAL, "m-1", Outcome.COMPLETED, payments=sums)
    assert sent(qilin)[-1] == ("public-security", HUKOU)
    assert (qilin.status(PENSION), qilin.waits_for(PENSION)) == ("BLOCKED", ["WAITS_FOR_ITEM"])

    qilin.at("2021-07-16 09:00").report("public-security", HUKOU, "p-1", Outcome.COMPLETED)
    assert sent(qilin)[-1] == ("social-security", PENSION), "no certificate is asked for here"

    sums = (payment("1", "FUNERAL_GRANT", 480000),)
    qilin.at("2021-07-19 09:00").report("social-security", PENSION, "s-1", Outcome.COMPLETED, payments=sums)
    qilin.report("disabled-persons-federation", SUBSIDIES, "d-1", Outcome.COMPLETED)
    case = qilin.case()
    assert case.status == "CLOSED"
    with qilin.acting() as ctx:
        told = [dispatch.instruction(ctx, case.number, name) for name in case.payouts]
    assert [(found.fen, found.account.number) for found in told if found] == [(120345, CARD), (480000, CARD)]
    assert qilin.faults() == []


@pytest.mark.rule("PD-19", "PD-11")
def test_its_refusals_name_its_own_rows_and_words(qilin: World) -> None:
    form = replace(ql_form(flow="ABNORMAL"), materials=(), deceased=ws_form().deceased)
    with pytest.raises(Refused) as found:
        qilin.submit(form, actor=QIQIGE)
    assert {(problem.reason.code.value, problem.reason.ids) for problem in found.value.problems} == {
        ("NOT_ELIGIBLE", ("QL-104",)),
        ("NOT_ELIGIBLE", ("QL-102", "QL-103")),
        ("MATERIAL_MISSING", ("QL-401",)),
    }
    assert any("麒麟县" in problem.reason.zh() for problem in found.value.problems)


@pytest.mark.rule("PD-19", "PD-07")
def test_it_stands_beside_the_others_and_changes_nothing_for_them(qilin: World) -> None:
    """One deceased may have a case in each; the one does not move the other."""
    ours = qilin.submit(ql_form(PENSION), actor=QIQIGE)
    theirs = qilin.submit(ws_form(), actor=QIQIGE)
    assert (ours.number, theirs.number) == ("QL2021071400001", "WS2021071400001")
    certificate = Certificate("DEREGISTRATION", "Z-1", moment("2021-07-15 09:00"))
    qilin.report("public-security", HUKOU, "p-1", Outcome.COMPLETED, certificates=(certificate,))
    assert qilin.case(theirs.number).items[PENSION].status == "DISPATCHED"
    assert qilin.case(ours.number).items[PENSION].status == "BLOCKED"
    with pytest.raises(Refused) as found:
        qilin.submit(replace(ws_form(), jurisdiction="qq"), actor=QIQIGE)
    assert codes(found.value) == ["JURISDICTION_UNKNOWN"]
