"""温州市, row by row: the catalogue of items, the guide of each kind of death, the source of shared data."""

from __future__ import annotations

import re

import pytest

from adapters.kit.registry import manifests
from gateway.domain.deadlines import ClockKind
from tests.wenzhou import (
    ABNORMAL,
    APPROVAL,
    CIVIL_GROUP,
    CREMATION,
    FUNERAL,
    HOUSING,
    HUKOU,
    INSURANCE,
    MEDICAL,
    NORMAL,
    PENSION,
    PICKUP,
    REIMBURSEMENT,
    VETERANS_GROUP,
    item,
    policy,
)

# ── the catalogue of items (WZ-601…611) ─────────────────────────────────────────────────────────────────

ITEMS = [  # row, slug, department, handler, kind, trigger, rows of its gates, payee, payments
    ("WZ-601", FUNERAL, "civil-affairs", "SYSTEM", "SERVICE", "TICK", ["WZ-502"], None, []),
    ("WZ-602", HUKOU, "public-security", "SYSTEM", "DEREG", "TICK", ["WZ-502", "WZ-511", "WZ-511"], None, []),
    (
        "WZ-603",
        PENSION,
        "social-security",
        "SYSTEM",
        "CLAIM",
        "TICK",
        ["WZ-502", "WZ-511", "WZ-511", "WZ-512"],
        "NAMED_PAYEE",
        ["FUNERAL_GRANT", "BEREAVEMENT_PAYMENT", "ACCOUNT_LUMP_SUM"],
    ),
    (
        "WZ-604",
        MEDICAL,
        "medical-insurance",
        "SYSTEM",
        "SETTLE",
        "TICK",
        ["WZ-502", "WZ-511", "WZ-511"],
        None,
        ["MEDICAL_ACCOUNT_BALANCE"],
    ),
    (
        "WZ-605",
        HOUSING,
        None,
        "SYSTEM",
        "SETTLE",
        "TICK",
        ["WZ-502", "WZ-511", "WZ-511"],
        None,
        ["HOUSING_FUND_BALANCE"],
    ),
    ("WZ-606", NORMAL, "health", "SHARED", "CERT", "EVENT", [], None, []),
    ("WZ-607", ABNORMAL, "public-security", "SHARED", "CERT", "EVENT", [], None, []),
    ("WZ-608", CREMATION, "civil-affairs", "SHARED", "CERT", "EVENT", ["WZ-503", "WZ-506", "WZ-509"], None, []),
    ("WZ-609", CIVIL_GROUP, "civil-affairs", "SYSTEM", "STOP", "AUTO", ["WZ-502"], None, []),
    ("WZ-609", VETERANS_GROUP, "veterans-affairs", "SYSTEM", "STOP", "AUTO", ["WZ-502"], None, []),
    (
        "WZ-610",
        REIMBURSEMENT,
        "medical-insurance",
        "SYSTEM",
        "CLAIM",
        "AUTO",
        ["WZ-502"],
        None,
        ["MEDICAL_REIMBURSEMENT"],
    ),
    ("WZ-611", INSURANCE, "social-security", "SYSTEM", "STOP", "AUTO", ["WZ-502"], None, []),
    ("WZ-338", APPROVAL, None, "PLATFORM", "SERVICE", "EVENT", ["WZ-502"], None, []),
    ("WZ-504", PICKUP, "civil-affairs", "SYSTEM", "SERVICE", "EVENT", ["WZ-504"], None, []),
]


@pytest.mark.parametrize(
    "row, slug, department, handler, kind, trigger, gates, payee, payments",
    [pytest.param(*found, marks=pytest.mark.rule(found[0], "WZ-821"), id=found[1]) for found in ITEMS],
)
def test_every_item_of_the_catalogue(
    row: str,
    slug: str,
    department: str | None,
    handler: str,
    kind: str,
    trigger: str,
    gates: list[str],
    payee: str | None,
    payments: list[str],
) -> None:
    found = item(slug)
    assert (found.source, found.department, found.handler, found.kind, found.trigger) == (
        row,
        department,
        handler,
        kind,
        trigger,
    )
    assert [gate.source for gate in found.requires] == gates
    assert (found.payout.payee if found.payout else None, found.payout.kinds if found.payout else []) == (
        payee,
        payments,
    )


@pytest.mark.rule("WZ-601", "WZ-609", "WZ-611", "WZ-1007", "C-22")
def test_every_pushed_item_is_one_that_its_departments_system_takes() -> None:
    takes = {code: found.submits for code, found in manifests().items()}
    for found in policy().items:
        if found.handler == "SYSTEM" and found.department is not None:
            assert (found.sent_as or found.slug) in takes[found.department]


@pytest.mark.rule("WZ-323", "WZ-324", "WZ-325", "WZ-326", "WZ-327", "WZ-701")
def test_what_is_sent_is_asked_for_on_the_form() -> None:
    asked = {found.path for found in policy().form}
    sent = {found.slug: set(found.sends) for found in policy().items if found.sends}
    assert set(sent) == {FUNERAL, PENSION}
    assert set().union(*sent.values()) <= asked


@pytest.mark.rule("WZ-601", "WZ-611")
def test_nothing_but_the_rows_is_in_the_catalogue() -> None:
    assert {found.slug for found in policy().items} == {found[1] for found in ITEMS}


@pytest.mark.rule("WZ-514", "WZ-601", "WZ-602", "WZ-603", "WZ-604", "WZ-609", "WZ-611", "C-20")
def test_limits_are_words_without_numbers() -> None:
    words = {
        FUNERAL: "即时办理",
        HUKOU: "限时结办",
        PENSION: "限时结办",
        MEDICAL: "限时结办",
        CIVIL_GROUP: "从即日起",
        VETERANS_GROUP: "从即日起",
        INSURANCE: "从即日起",
    }
    for found in policy().items:
        (clock,) = found.clocks
        assert (clock.clock, clock.limit) == (ClockKind.PROCESSING, None)
        if found.slug in words:
            assert clock.quote == words[found.slug]


@pytest.mark.rule("X-09", "WZ-607", "WZ-507", "C-12", "C-13")
def test_the_police_document_has_two_names_and_comes_with_the_opinion() -> None:
    found = item(ABNORMAL)
    assert "《死亡证明书》" in found.name and found.other_names == ["《非正常死亡证明书》"]
    assert (found.issues, found.issues_all) == (["DEATH_ABNORMAL", "BODY_DISPOSAL_OPINION"], True)


@pytest.mark.rule("WZ-702", "WZ-308", "PD-09", "S-09", "C-15")
def test_exactly_five_relations_are_named_and_the_form_offers_no_other() -> None:
    five = ["SPOUSE", "CHILD", "PARENT", "GRANDCHILD_PATERNAL", "GRANDCHILD_MATERNAL"]
    assert (policy().payee_relations, policy().payee_relations_source) == (five, "WZ-702")
    assert [found.options for found in policy().form if found.path == "payee.relation"] == [five]


@pytest.mark.rule("WZ-341", "WZ-602")
def test_the_legal_basis_is_given_where_the_paper_names_one_and_nowhere_else() -> None:
    assert {found.slug: found.basis for found in policy().items if found.basis} == {
        HUKOU: "《浙江省常住户口登记管理规定》"
    }


# ── guide, source of shared data ────────────────────────────────────────────────────────────────────────

GUIDE = {
    "OUTSIDE": ["WZ-206", "WZ-501", "WZ-204", "WZ-502", "WZ-503", "WZ-510", "WZ-511"],
    "INSIDE": ["WZ-504", "WZ-505", "WZ-505", "WZ-506", "WZ-510", "WZ-511"],
    "ABNORMAL": ["WZ-507", "WZ-508", "WZ-508", "WZ-509", "WZ-510", "WZ-511"],
}


@pytest.mark.rule(
    *("WZ-206", "WZ-204", "WZ-501", "WZ-502", "WZ-503", "WZ-504", "WZ-505", "WZ-506", "WZ-507", "WZ-508", "WZ-509"),
    *("WZ-510", "WZ-511"),
)
@pytest.mark.parametrize("flow", GUIDE)
def test_the_guide_of_each_kind_of_death_in_order(flow: str) -> None:
    steps = [step for step in policy().steps if step.flow in (None, flow)]
    assert [step.source for step in steps] == GUIDE[flow]
    assert all(step.actor for step in steps)


@pytest.mark.rule("WZ-501", "WZ-504", "WZ-507", "C-11")
def test_who_issues_the_certificate_depends_on_the_kind_of_death() -> None:
    issuers = {step.flow: step.actor for step in policy().steps if "出具" in step.name}
    assert issuers == {"OUTSIDE": "乡镇（街道）卫生医疗机构", "INSIDE": "医疗机构", "ABNORMAL": "公安部门"}


@pytest.mark.rule("WZ-511", "WZ-403", "WZ-1001", "C-22")
def test_death_and_cremation_data_come_from_the_citys_sharing_platform() -> None:
    (source,) = policy().shared_sources
    assert (source.source, source.uses, source.row) == ("data-sharing-platform", ["CERTIFICATES"], "WZ-511")
    assert set(source.certificates) == {"CREMATION", "DEATH_MEDICAL", "DEATH_ABNORMAL"}


@pytest.mark.rule("WZ-514", "WZ-341")
def test_no_number_of_days_is_in_the_file_but_in_words() -> None:
    assert policy().delivery == [] and policy().rating is None and policy().withdrawal is None
    numbers = [clock.limit for found in policy().items for clock in found.clocks]
    assert set(numbers) == {None}
    assert [bool(re.search(r"\d+日", notice.text)) for notice in policy().notices].count(True) == 1


@pytest.mark.rule("WZ-101", "WZ-102")
def test_place_of_death_is_the_only_condition_of_admission() -> None:
    facts = {rule.fact_label for rule in policy().eligibility}
    assert facts == {"death.area", "deathCertificate.kind"}, (
        "the second is no condition: it tells a mistake of the form"
    )
