"""温州市, row by row: the paper's form, its boxes to tick, its promises and notes, as the file holds them."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.domain.messages import Refused
from gateway.policy.model import FormField
from gateway.services import joint_submission
from gateway.store.session import Database
from tests.builders import World
from tests.wenzhou import (
    APPROVAL,
    FUNERAL,
    HOUSING,
    HUKOU,
    MEDICAL,
    PENSION,
    XIAOMIN,
    abnormal_form,
    answers,
    connected,
    item,
    policy,
    wz_form,
)


@pytest.fixture
def wenzhou(database: Database) -> World:
    return connected(database)


def field(path: str) -> FormField:
    return next(found for found in policy().form if found.path == path)


# ── the paper's boxes (WZ-302…327, 337, 339) ────────────────────────────────────────────────────────────

BOXES = [
    ("WZ-302", "applicant.name", "申请人姓名", "TEXT"),
    ("WZ-303", "applicant.phone", "联系电话", "PHONE"),
    ("WZ-304", "applicant.idNumber", "身份证号码", "ID_NUMBER"),
    ("WZ-305", "applicant.address", "申请人地址", "TEXT"),
    ("WZ-306", "applicant.relation", "与亡故人关系", "OPTION"),
    ("WZ-307", "payee.name", "丧葬抚恤金领取人姓名", "TEXT"),
    ("WZ-308", "payee.relation", "与逝者关系", "OPTION"),
    ("WZ-309", "payee.idNumber", "身份证号码", "ID_NUMBER"),
    ("WZ-310", "account.number", "领取人银行帐号", "ACCOUNT_NUMBER"),
    ("WZ-312", "deceased.name", "亡故人姓名", "TEXT"),
    ("WZ-313", "deceased.sex", "性别", "OPTION"),
    ("WZ-314", "ageAtDeath", "年龄", "NUMBER"),
    ("WZ-315", "deceased.ethnicity", "民族", "TEXT"),
    ("WZ-316", "deceased.idNumber", "身份证号码", "ID_NUMBER"),
    ("WZ-317", "deceased.hukouArea", "户籍所在地", "AREA"),
    ("WZ-318", "residence.temporaryOrEmployerTownship", "暂住地/单位所在乡镇", "TEXT"),
    ("WZ-319", "death.occurredAt", "亡故时间", "DATE_TIME"),
    ("WZ-320", "death.cause", "亡故原因", "TEXT"),
    ("WZ-321", "deathCertificate.kind", "证明种类", "OPTION"),
    ("WZ-321", "deathCertificate.number", "《居民死亡医学证明（推断）书》或《非正常死亡证明书》编号", "TEXT"),
    ("WZ-322", "body.atFuneralHome", "是否已运达殡仪馆", "BOOLEAN"),
    ("WZ-323", "body.funeralHome", "殡仪馆名称", "TEXT"),
    ("WZ-324", "body.pickupAddress", "遗体接运地址", "TEXT"),
    ("WZ-325", "body.pickupDate", "接运时间", "DATE"),
    ("WZ-326", "ashes.placementIntent", "骨灰安置意向", "OPTION"),
    ("WZ-326", "ashes.placeName", "骨灰安置处所具体名称", "TEXT"),
    ("WZ-327", "funeral.processionRoute", "出殡路线", "TEXT"),
    ("WZ-337", "signature", "申请人签名", "TEXT"),
    ("WZ-339", "appliedOn", "申请时间", "DATE"),
]


@pytest.mark.parametrize(
    "row, path, label, kind", [pytest.param(*box, marks=pytest.mark.rule(box[0]), id=box[1]) for box in BOXES]
)
def test_every_box_of_the_paper_is_a_field_with_its_label(row: str, path: str, label: str, kind: str) -> None:
    found = field(path)
    assert (found.source, found.label, found.type) == (row, label, kind)


@pytest.mark.rule("WZ-302", "WZ-339", "WZ-102", "C-31")
def test_the_boxes_stand_in_the_order_of_the_paper_and_nothing_else_names_a_row_of_it() -> None:
    of_the_paper = [(found.source, found.path) for found in policy().form if found.source not in (None, "WZ-101")]
    assert of_the_paper == [(row, path) for row, path, _, _ in BOXES]
    assert {found.path for found in policy().form if found.source is None} == {
        "deceased.hukouAddress",
        "deathCertificate.issuedOn",
        "bodyDisposalOpinion.number",
        "bodyDisposalOpinion.issuedOn",
    }


@pytest.mark.rule("WZ-326")
def test_the_four_places_for_the_ashes_are_named_as_on_the_paper() -> None:
    found = field("ashes.placementIntent")
    assert [found.option_names[code] for code in found.options or []] == [
        "殡仪馆",
        "经营性公墓",
        "乡村公益性墓地或骨灰堂",
        "殡改前已建寿坟",
    ]
    assert "以上必须填写具体名称" in (field("ashes.placeName").hint or "")


def problems(world: World, form: Any) -> set[tuple[str, str | None]]:
    with world.acting(XIAOMIN) as ctx:
        found = joint_submission.check(ctx, form).problems
    return {(problem.reason.code.value, problem.path) for problem in found}


@pytest.mark.rule("WZ-326")
@pytest.mark.parametrize(
    "intent", ["FUNERAL_HOME", "COMMERCIAL_CEMETERY", "VILLAGE_CEMETERY_OR_ASHES_HALL", "GRAVE_BUILT_BEFORE_REFORM"]
)
def test_the_concrete_name_is_compulsory_for_every_choice(wenzhou: World, intent: str) -> None:
    without = answers(ashes_placementIntent=intent, ashes_placeName=None)
    assert problems(wenzhou, wz_form(answers=without)) == {("FIELD_REQUIRED", "ashes.placeName")}
    assert problems(wenzhou, wz_form(answers=answers(ashes_placementIntent=intent))) == set()


@pytest.mark.rule("WZ-326")
def test_a_place_that_is_not_on_the_paper_is_refused_and_no_intent_needs_no_name(wenzhou: World) -> None:
    sea = answers(ashes_placementIntent="SEA_BURIAL")
    assert problems(wenzhou, wz_form(answers=sea)) == {("OPTION_UNKNOWN", "ashes.placementIntent")}
    nothing = answers(ashes_placementIntent=None, ashes_placeName=None)
    assert problems(wenzhou, wz_form(answers=nothing)) == set()


@pytest.mark.rule("WZ-322", "WZ-323", "WZ-324", "WZ-325")
@pytest.mark.parametrize(
    "there, empty, missing",
    [
        ("true", ("body_funeralHome",), {"body.funeralHome"}),
        ("false", ("body_pickupAddress",), {"body.pickupAddress"}),
        ("false", ("body_pickupDate",), {"body.pickupDate"}),
        ("false", ("body_pickupAddress", "body_pickupDate"), {"body.pickupAddress", "body.pickupDate"}),
        ("true", ("body_pickupAddress", "body_pickupDate"), set()),
        ("false", ("body_funeralHome",), set()),
        (None, ("body_funeralHome",), {"body.atFuneralHome"}),
    ],
)
def test_yes_needs_the_funeral_home_and_no_needs_address_and_date(
    wenzhou: World, there: str | None, empty: tuple[str, ...], missing: set[str]
) -> None:
    given = answers(**{"body_funeralHome": "温州市殡仪馆", "body_atFuneralHome": there, **dict.fromkeys(empty)})
    found = problems(wenzhou, wz_form(answers=given))
    assert found == {("FIELD_REQUIRED", path) for path in missing}


@pytest.mark.rule("WZ-322", "WZ-601")
def test_the_body_is_asked_about_only_with_the_formalities_before_cremation(wenzhou: World) -> None:
    given = answers(body_atFuneralHome=None, body_pickupAddress=None, body_pickupDate=None)
    assert problems(wenzhou, wz_form(HUKOU, answers=given)) == set()


@pytest.mark.rule("WZ-317", "WZ-102")
def test_the_registration_is_asked_for_when_it_is_to_be_cancelled(wenzhou: World) -> None:
    form = wz_form(FUNERAL)
    unknown = type(form.deceased)("陈阿宝", id_number=form.deceased.id_number)
    assert problems(wenzhou, wz_form(FUNERAL, deceased=unknown)) == set()
    assert problems(wenzhou, wz_form(HUKOU, deceased=unknown)) == {("FIELD_REQUIRED", "deceased.hukouArea")}


@pytest.mark.rule("WZ-321", "WZ-404")
def test_exactly_one_certificate_is_given_by_number_kind_and_date(wenzhou: World) -> None:
    undated = answers(deathCertificate_issuedOn=None)
    assert problems(wenzhou, wz_form(answers=undated)) == {("FIELD_REQUIRED", "deathCertificate.issuedOn")}
    nameless = answers(deathCertificate_kind=None)
    assert problems(wenzhou, wz_form(answers=nameless)) == {("FIELD_REQUIRED", "deathCertificate.kind")}
    wenzhou.submit(wz_form(), actor=XIAOMIN)
    assert [found.type for found in wenzhou.case().certificates] == ["DEATH_MEDICAL"]


@pytest.mark.rule("WZ-507", "WZ-321")
def test_an_opinion_by_number_needs_its_date(wenzhou: World) -> None:
    form = abnormal_form()
    given = {**form.answers, "bodyDisposalOpinion.number": "WZGA-2"}
    assert problems(wenzhou, abnormal_form(answers=given)) == {("FIELD_REQUIRED", "bodyDisposalOpinion.issuedOn")}


@pytest.mark.rule("WZ-314", "WZ-325")
@pytest.mark.parametrize(
    "path, value", [("ageAtDeath", "七十四"), ("body_pickupDate", "明天"), ("appliedOn", "2019-02-30")]
)
def test_what_is_no_number_or_date_is_refused(wenzhou: World, path: str, value: str) -> None:
    found = problems(wenzhou, wz_form(answers=answers(**{path: value})))
    assert found == {("FIELD_INVALID", path.replace("_", "."))}


# ── boxes to tick (WZ-329…333, 340), promises, notes ────────────────────────────────────────────────────

TICKS = [
    ("WZ-329", FUNERAL, "火化前期手续办理"),
    ("WZ-330", HUKOU, "亡故人户口注销"),
    ("WZ-331", PENSION, "亡故人养老保险、丧葬费、抚恤金申领"),
    ("WZ-332", MEDICAL, "亡故人医疗保险个人帐户清算"),
    ("WZ-333", HOUSING, "亡故人住房公积金结算"),
]


@pytest.mark.parametrize(
    "row, slug, label", [pytest.param(*tick, marks=pytest.mark.rule(tick[0]), id=tick[1]) for tick in TICKS]
)
def test_every_tick_box_is_an_item_in_the_case_only_when_ticked(
    wenzhou: World, row: str, slug: str, label: str
) -> None:
    definition = item(slug)
    assert definition.tick is not None
    assert (definition.tick.source, definition.tick.label, definition.trigger) == (row, label, "TICK")
    wenzhou.submit(wz_form(items=()), actor=XIAOMIN)
    assert slug not in wenzhou.case().items


@pytest.mark.rule("WZ-340", "C-21")
def test_five_boxes_stand_in_the_order_of_the_paper() -> None:
    ticked = [found.slug for found in policy().items if found.tick is not None]
    assert ticked == [slug for _, slug, _ in TICKS]
    assert {found.slug for found in policy().items if found.trigger == "TICK"} == set(ticked)


NOTES = [
    ("WZ-311", "PAYEE", "若亡故人为机关事业单位人员领取丧葬抚恤金按照原流程办理"),
    ("WZ-340", "ITEMS", "请在需申请直接办理的事项方框内打“√”"),
    ("WZ-341", None, "请亲属30日内及时办理遗产处理等相关事宜"),
    ("WZ-342", None, "人力社保部门从即日起将处理死者相关社保待遇，请亲属先办理参保人未完成的医疗费用报销手续后"),
    ("WZ-343", None, "抚恤金领取人必须为亡故人的直系亲属，包括配偶、子女、父母、孙子女、外孙子女等"),
    ("WZ-344", None, "医保部门在亡故人医疗个人账户清算为负数的情况下，将从养老丧葬、抚恤费直接扣回"),
    ("WZ-345", None, "民政、退役等部门从即日起将处理属特殊人群死者的相关待遇"),
    ("WZ-346", None, "表格样式供参考，各地可结合本地实际调整完善"),
    ("WZ-347", None, "本表原件一式两份，一份由丧属保存，一份由乡镇（街道）编号存档，以备查询"),
    ("WZ-401", "BODY", "凭《居民死亡医学证明（推断）书》第四联居民死亡殡葬证等材料到当地殡仪馆办理殡仪服务和火化手续"),
    ("WZ-402", "BODY", "凭《死亡证明书》等材料到当地殡仪馆办理殡仪服务和火化手续"),
]


@pytest.mark.parametrize(
    "row, at, words", [pytest.param(*note, marks=pytest.mark.rule(note[0]), id=note[0]) for note in NOTES]
)
def test_every_note_is_shown_with_its_words_and_in_its_place(row: str, at: str | None, words: str) -> None:
    (notice,) = [found for found in policy().notices if found.source == row]
    assert notice.at == at
    assert words in notice.text


@pytest.mark.rule("WZ-401", "WZ-402")
def test_the_paper_for_the_funeral_home_depends_on_the_kind_of_death() -> None:
    shown = {found.source: found.when for found in policy().notices if found.source in ("WZ-401", "WZ-402")}
    normal, abnormal = shown["WZ-401"], shown["WZ-402"]
    assert normal is not None and normal.among == ["OUTSIDE", "INSIDE"]
    assert abnormal is not None and abnormal.equals == "ABNORMAL"


@pytest.mark.rule("WZ-328", "WZ-336")
def test_two_promises_one_of_them_without_words_in_the_source() -> None:
    civilised, truth = policy().commitments
    assert (civilised.name, civilised.source, civilised.text) == ("文明治丧承诺书", "WZ-328", None)
    assert (truth.name, truth.source) == ("申请人承诺", "WZ-336")
    for words in (
        "遵守国家和地方各项殡葬政策规定文明治丧、安置骨灰",
        "已知晓全部告知内容",
        "并对真实性负责",
        "法律纠纷由申请人自行承担",
    ):
        assert words in (truth.text or "")


@pytest.mark.rule("WZ-301", "PD-17", "S-11")
def test_the_number_on_the_form_is_the_case_number_in_a_format_of_the_data() -> None:
    assert policy().case_number == "WZ{date}{serial:05d}"
    assert "formNumber" not in {found.path for found in policy().form}, "it is assigned, not filled in"


@pytest.mark.rule("WZ-338")
def test_the_seal_is_no_box_to_fill_in(wenzhou: World) -> None:
    with pytest.raises(Refused):
        wenzhou.submit(wz_form(answers=answers() | {"township.seal": "同意"}), actor=XIAOMIN)
    assert item(APPROVAL).done_by == ["window-clerk", "duty-person"]
