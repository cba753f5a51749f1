"""Parts of a policy that must fit each other: papers that are certificates, flows refused and admitted, names."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.domain.identity import same_name
from gateway.policy.loader import DATA, PolicyMistake, load

UXIN = (DATA / "uxin.yaml").read_text(encoding="utf-8").replace("code: ws\n", "code: wt\n", 1)


@pytest.mark.rule("PD-19")
@pytest.mark.parametrize(
    "right, wrong, says",
    [
        ("shared_as: {certificate: DEATH_MEDICAL", "shared_as: {certificate: TEA", "no certificate TEA"),
        ("number: deathCertificate.number, i", "number: deathCertificate.no, i", "no form path deathCertificate.no"),
        ("issued_on: deathCertificate.issuedOn", "issued_on: deathCertificate.on", "no form path deathCertificate.on"),
        ("{code: ABNORMAL, name: 非", "{code: INSIDE, name: 非", "flow INSIDE is both admitted and refused"),
        ("code: INSIDE", "code: OUTSIDE", "flow given twice: OUTSIDE"),
        ("payee: APPLICANT", "payee: NEAREST", "payee"),
        ("fact_text: placeOfDeath.areaName", "fact_text: placeOfDeath.area", "no form path placeOfDeath.area"),
        ("fact_label: death.area", "fact_label: death.areas", "no form path death.areas"),
        ("path: death.occurredAt", "path: death.happenedAt", "death.happenedAt is not a field of the typed form"),
        (
            "    issues: [DEREGISTRATION]",
            "    referral: {flow: ABNORMAL, source: WS-104}",
            "refers to ABNORMAL, which is not a flow here",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_line(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    path = tmp_path / "wt.yaml"
    assert right in UXIN
    path.write_text(UXIN.replace(right, wrong, 1), encoding="utf-8")
    line = UXIN[: UXIN.index(right)].count("\n") + 1
    with pytest.raises(PolicyMistake) as found:
        load(more=(path,))
    assert any(says in entry and entry.startswith(f"{path}:{line}:") for entry in found.value.lines), found.value.lines


@pytest.mark.rule("WS-511", "C-20")
def test_no_number_of_days_stands_in_the_file_of_a_document_without_one() -> None:
    found = load().version("ws", "2021-06-24")
    assert [clock.limit for item in found.items for clock in item.clocks] == [None] * 6
    assert [item.source for item in found.items] == [f"WS-60{serial}" for serial in range(1, 7)]
    assert [item.trigger for item in found.items] == ["AUTO", *["TICK"] * 5]


@pytest.mark.rule("WS-701")
@pytest.mark.parametrize(
    "one, other, same",
    [
        ("其其格", "其其格", True),
        ("其其格", "其 其　格", True),
        ("阿古拉·巴特尔", "阿古拉・巴特尔", True),
        ("JOHN SMITH", "John Smith", True),
        ("其其格", "其其格玛", False),
        ("阿古拉·巴特尔", "阿古拉巴特尔", False),
    ],
)
def test_one_name_is_written_in_several_ways(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same
