"""岳阳县, row by row: the paper's form with its labels, its boxes, promises and notes; the items; the guide."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.kit.registry import manifests
from gateway.policy import served
from gateway.policy.loader import DATA
from tests.builders import book
from tests.yueyang import (
    FUND,
    HUKOU,
    IN_SERVICE,
    MEDICAL,
    PULLED,
    RESIDENT,
    RETIRED,
    VETERAN,
    item,
    policy,
)

FIELDS = [
    ("YY-301", "deceased.name", "逝者姓名", "TEXT"),
    ("YY-302", "deceased.sex", "性别", "OPTION"),
    ("YY-303", "deceased.idNumber", "逝者身份证号码", "ID_NUMBER"),
    ("YY-304", "deceased.policeStation", "逝者所属派出所", "TEXT"),
    ("YY-305", "applicant.name", "申请人姓名", "TEXT"),
    ("YY-306", "applicant.sex", "性别", "OPTION"),
    ("YY-307", "applicant.idNumber", "申请人身份证号码", "ID_NUMBER"),
    ("YY-308", "applicant.phone", "申请人手机号码", "PHONE"),
    ("YY-309", "applicant.relation", "与逝者关系", "OPTION"),
    ("YY-310", "applicant.address", "申请人联系地址", "TEXT"),
    ("YY-318", "account.kind", "账户归属", "OPTION"),
    ("YY-320", "account.fallbackReason", "无法提供逝者银行账户的特殊原因", "TEXT"),
    ("YY-321", "account.bank", "开户银行", "TEXT"),
    ("YY-322", "account.holder", "户名", "TEXT"),
    ("YY-323", "account.number", "账号", "ACCOUNT_NUMBER"),
    ("YY-327", "signature", "申请人签名", "TEXT"),
    ("YY-328", "signedOn", "签名日期", "DATE"),
]


@pytest.mark.parametrize(
    "row, path, label, kind",
    [pytest.param(*row, marks=pytest.mark.rule(row[0], "C-31"), id=row[0]) for row in FIELDS],
)
def test_a_field_of_the_paper_has_its_label_and_type(row: str, path: str, label: str, kind: str) -> None:
    field = next(found for found in policy().form if found.path == path)
    assert (field.source, field.label, field.type) == (row, label, kind)


@pytest.mark.rule("YY-301", "YY-328")
def test_the_fields_of_the_paper_stand_in_its_order() -> None:
    rows = [field.source for field in policy().form if field.source and field.source.startswith("YY-3")]
    assert rows == sorted(rows)


@pytest.mark.rule("YY-318", "YY-321", "YY-702")
def test_account_options_carry_the_papers_words_and_the_branch_is_left_open() -> None:
    fields = {field.path: field for field in policy().form}
    assert fields["account.kind"].option_names["DECEASED"] == "逝者本人养老待遇发放银行账户、逝者名下银行账户"
    assert (fields["account.branch"].source, fields["account.branch"].required) == ("YY-321", False)


@pytest.mark.rule("YY-205")
def test_heir_and_legatee_are_both_recordable() -> None:
    field = next(found for found in policy().form if found.path == "applicant.capacity")
    assert (field.source, field.options) == ("YY-205", ["HEIR", "LEGATEE"])


@pytest.mark.rule("YY-319")
def test_the_password_is_a_notice_and_never_a_field() -> None:
    assert not [field for field in policy().form if "密码" in field.label or "password" in field.path.lower()]


TICKS = [
    ("YY-311", HUKOU, "死亡人员户口注销"),
    ("YY-312", RESIDENT, "城乡居民个人账户一次性待遇申领（含丧葬补助金）"),
    ("YY-313", RETIRED, "退休企业职工死亡个人账户一次性申领（含丧葬补助金、抚恤金）"),
    ("YY-314", IN_SERVICE, "在职企业职工死亡个人账户一次性申领（含丧葬补助金、抚恤金）"),
    ("YY-315", MEDICAL, "职工基本医疗保险个人账户余额提现"),
    ("YY-316", FUND, "职工死亡或宣告死亡提取（住房公积金）"),
    ("YY-317", VETERAN, "退役军人重点优抚对象死亡个人账户一次性申领（含丧葬补助金）"),
]


@pytest.mark.parametrize(
    "row, slug, label", [pytest.param(*row, marks=pytest.mark.rule(row[0], "C-21"), id=row[0]) for row in TICKS]
)
def test_a_box_of_the_paper_stands_for_its_item(row: str, slug: str, label: str) -> None:
    tick = item(slug).tick
    assert tick is not None
    assert (tick.source, tick.label) == (row, label)


@pytest.mark.rule("YY-311", "YY-317", "PD-18")
def test_the_boxes_are_drawn_in_the_papers_order_and_the_first_is_pushed_anyway() -> None:
    boxes = list(served.tick_boxes(policy()))
    assert [box.source for box in boxes] == [row for row, *_ in TICKS]
    assert [box.pushed_anyway for box in boxes] == [True, *[False] * 6]


@pytest.mark.parametrize(
    "row, text",
    [
        pytest.param(row, text, marks=pytest.mark.rule(row), id=row)
        for row, text in (
            ("YY-704", "全部拨付至逝者本人养老待遇发放银行账户、逝者名下银行账户"),
            ("YY-319", "申请人要清楚账户密码"),
            ("YY-703", "因特殊原因无法提供逝者银行账户的，提供申请人（继承人）银行账户"),
            ("YY-324", "请用正楷字填写清楚"),
        )
    ],
)
def test_a_note_of_the_paper_is_shown_with_the_account(row: str, text: str) -> None:
    notice = next(found for found in policy().notices if found.source == row)
    assert text in notice.text and notice.at == "ACCOUNT"


@pytest.mark.rule("YY-325", "YY-326", "YY-705")
def test_both_commitments_have_their_whole_text() -> None:
    texts = {found.source: found.text or "" for found in policy().commitments}
    assert "真实、准确、完整的" in texts["YY-325"] and "全部由本人承担" in texts["YY-325"]
    assert "依法分割" in texts["YY-326"] and "若协商不成产生的任何法律后果，由本人承担" in texts["YY-326"]


ITEMS = [  # row, slug, department, handler, kind, trigger, payee
    ("YY-601", HUKOU, "public-security", "SYSTEM", "DEREG", "AUTO", None),
    ("YY-602", RETIRED, "social-security", "SYSTEM", "CLAIM", "TICK", "DECEASED_OR_HEIR"),
    ("YY-603", IN_SERVICE, "social-security", "SYSTEM", "CLAIM", "TICK", "DECEASED_OR_HEIR"),
    ("YY-604", "pension-civil-inservice-participation-end", "social-security", "SYSTEM", "DEREG", "AUTO", None),
    ("YY-605", "pension-civil-retired-payment-stop", "social-security", "SYSTEM", "STOP", "AUTO", None),
    ("YY-606", "social-assistance-cancellation", "social-assistance", "SYSTEM", "STOP", "AUTO", None),
    ("YY-607", MEDICAL, "medical-insurance", "SYSTEM", "SETTLE", "TICK", "DECEASED_OR_HEIR"),
    ("YY-608", FUND, "housing-fund", "SYSTEM", "CLAIM", "TICK", "DECEASED_OR_HEIR"),
    ("YY-609", RESIDENT, None, "SYSTEM", "CLAIM", "TICK", "DECEASED_OR_HEIR"),
    ("YY-610", VETERAN, None, "SYSTEM", "CLAIM", "TICK", "DECEASED_OR_HEIR"),
    ("YY-611", "medical-account-credit-stop", "medical-insurance", "PULL", "STOP", "EVENT", None),
    ("YY-612", "special-disease-outpatient-stop", "medical-insurance", "PULL", "STOP", "EVENT", None),
    ("YY-613", "special-drug-stop", "medical-insurance", "PULL", "STOP", "EVENT", None),
    ("YY-614", "housing-fund-account-seal", "housing-fund", "PULL", "SETTLE", "EVENT", None),
    ("YY-615", "retirement-pension-stop", "social-security", "PULL", "STOP", "EVENT", None),
    ("YY-616", "social-insurance-contribution-stop", "social-security", "PULL", "STOP", "EVENT", None),
    ("YY-617", "pension-account-credit-stop", "social-security", "PULL", "STOP", "EVENT", None),
    ("YY-618", "dibao-tekun-stop", "social-assistance", "PULL", "STOP", "EVENT", None),
    ("YY-619", "elderly-service-stop", "elderly-care", "PULL", "STOP", "EVENT", None),
    ("YY-620", "disability-subsidy-stop", "disabled-persons-federation", "PULL", "STOP", "EVENT", None),
    ("YY-621", "veteran-preferential-stop", "veterans-affairs", "PULL", "STOP", "EVENT", None),
    ("YY-622", "medical-benefit-and-participation-end", "medical-insurance", "PULL", "STOP", "EVENT", None),
]


@pytest.mark.parametrize(
    "row, slug, department, handler, kind, trigger, payee",
    [pytest.param(*row, marks=pytest.mark.rule(row[0], "C-18"), id=row[0]) for row in ITEMS],
)
def test_an_item_of_the_document_has_its_department_kind_trigger_gate_and_payee(
    row: str, slug: str, department: str | None, handler: str, kind: str, trigger: str, payee: str | None
) -> None:
    found = item(slug)
    assert (found.source, found.department, found.handler, found.kind, found.trigger) == (
        row,
        department,
        handler,
        kind,
        trigger,
    )
    assert [(gate.certificate, gate.item) for gate in found.requires] == [(["CREMATION"], None)]
    assert [gate.source for gate in found.requires] == ["YY-514" if handler == "PULL" else "YY-506"]
    assert (found.payout.payee if found.payout else None) == payee
    assert [clock.limit for clock in found.clocks] == [None]


@pytest.mark.rule("YY-514", "YY-824")
def test_every_stop_is_taken_by_a_department_that_knows_it() -> None:
    known = manifests()
    pulled = {found.slug: found.department for found in policy().items if found.handler == "PULL"}
    assert pulled == {slug: department for department, slugs in PULLED.items() for slug in slugs}
    assert all(slug in known[department or ""].submits for slug, department in pulled.items())
    medical = {"medical-benefit-and-participation-end", "medical-account-credit-stop"}
    assert medical <= set(PULLED["medical-insurance"]), "end of treatment and participation, and of the account"


@pytest.mark.rule("X-04", "C-19")
def test_one_act_under_several_names_is_one_item() -> None:
    assert [item(MEDICAL).name, *item(MEDICAL).other_names] == [
        "职工医疗保险个人账户余额提现",
        "城镇职工医疗保险参保个人账户余额提现",
        "职工基本医疗保险个人账户余额提现",
    ]
    slugs = {p.code for p in book().jurisdictions if p.item(MEDICAL) is not None}
    assert {"yy", "ws", "wz", "hz", "yn"} <= slugs, "one slug, a label in each place"


@pytest.mark.rule("X-05", "C-28")
def test_claim_and_stop_of_veterans_are_two_items() -> None:
    assert {item(VETERAN).kind, item("veteran-preferential-stop").kind} == {"CLAIM", "STOP"}


@pytest.mark.rule("X-20")
def test_departments_without_a_duty_clause_keep_their_stops_and_the_county_centre_is_the_contact() -> None:
    departments = {found.department for found in policy().items}
    assert {"disabled-persons-federation", "veterans-affairs"} <= departments
    assert policy().duty_contact.startswith("县政务中心")


@pytest.mark.rule("C-27")
def test_disability_is_two_subsidies_one_subsidy_or_a_card_as_each_place_says() -> None:
    found = {
        p.code: [i.source for i in p.items if i.department == "disabled-persons-federation"]
        for p in book().jurisdictions
    }
    assert found == {"ws": ["WS-605"], "yy": ["YY-620"], "hz": ["HZ-623", "HZ-624"], "wz": [], "yn": []}


@pytest.mark.rule("C-18")
def test_the_grain_of_pension_items_is_each_places_own() -> None:
    count = {p.code: sum(i.slug.startswith(("pension-", "survivor")) for i in p.items) for p in book().jurisdictions}
    assert count == {"ws": 3, "yy": 6, "yn": 3, "wz": 1, "hz": 1}, (
        "yy: five pension items, one of them twice, and a stop"
    )


STEPS = ["YY-203", "YY-501", "YY-502", "YY-503", "YY-404", "YY-505", "YY-506", "YY-508", "YY-509", "YY-510", "YY-511"]


@pytest.mark.rule(*STEPS, "YY-512", "YY-513", "YY-514", "C-11")
def test_the_guide_tells_each_step_in_order_with_who_does_it() -> None:
    steps = policy().steps
    assert [step.source for step in steps] == [*STEPS, "YY-512", "YY-513", "YY-514"]
    assert [step.actor for step in steps if step.flow] == ["逝者直系亲属（家属）", "村（社区）卫生室", "救治医疗机构"]
    seed_words = "".join(step.name for step in steps)
    assert "死亡注销" in seed_words and "调取火化信息" in seed_words


@pytest.mark.rule("YY-1002")
def test_one_matter_one_file_one_module() -> None:
    files = [path for path in Path(DATA).glob("*.yaml") if "code: yy" in path.read_text(encoding="utf-8")]
    assert len(files) == 1


@pytest.mark.rule("YY-303", "YY-307")
def test_numbers_of_the_paper_are_checked_as_resident_ids() -> None:
    kinds = {field.path: field.type for field in policy().form if field.path.endswith("idNumber")}
    assert set(kinds.values()) == {"ID_NUMBER"}
