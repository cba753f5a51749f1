"""A case on paper, as its viewer sees it: what was chosen, promised, sealed; at the end what was done and paid."""

from __future__ import annotations

import re

import pytest

from gateway import documents
from gateway.access import rights
from gateway.access.rights import Viewer
from gateway.access.sight import see
from gateway.domain.case import Case
from gateway.store.session import Database
from tests.builders import World, book
from tests.wenzhou import connected, finish, pension_answers, policy, settles, until_data, wz_form

CLERK = Viewer("window-clerk", "330300", "窗口", "clerk")


def text(html: str) -> str:
    """The words of a document, without its tags and style."""
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL))


def seen(world: World, viewer: Viewer = CLERK) -> Case:
    case = see(rights.load(), viewer, policy(), world.case())
    assert case is not None
    return case


def form(world: World, viewer: Viewer = CLERK) -> str:
    whole = rights.sees_whole_cases(rights.load(), viewer)
    return text(documents.filled_form(book(), policy(), seen(world, viewer), world.now, whole))


@pytest.fixture
def wenzhou(database: Database) -> World:
    return until_data(connected(database))


@pytest.mark.rule("WZ-301", "WZ-302", "WZ-307", "WZ-330", "WZ-336", "WZ-340", "WZ-347")
def test_the_form_shows_what_the_family_chose_and_promised(wenzhou: World) -> None:
    said = form(wenzhou)
    chosen = wz_form().items
    for item in policy().items:
        if item.tick is not None and item.enabled:
            mark = "☑" if item.slug in chosen else "☐"
            assert f"{mark} {item.tick.label}" in said
    assert f"编号：{wenzhou.number}" in said and "陈阿宝" in said and "陈晓敏" in said
    assert "☑ 本人已阅知并承诺。" in said and "本表原件一式两份" in said


@pytest.mark.rule("WZ-338")
def test_the_seal_of_the_township_stands_on_the_form(wenzhou: World) -> None:
    assert "乡镇（街道）审批：同意（盖章）" in form(wenzhou)


@pytest.mark.rule("PD-15", "HZ-816")
def test_a_department_sees_its_own_box_only(wenzhou: World) -> None:
    said = form(wenzhou, Viewer("specialist", "330300", "专员", "s", "medical-insurance"))
    assert "☑ 亡故人医疗保险个人帐户清算" in said
    assert "亡故人户口注销" not in said and "丧葬费、抚恤金申领" not in said
    assert "本人已阅知并承诺" not in said and "情 形 申 报" not in said
    account = wz_form().account
    assert account is not None and (account.number or "-") not in said


@pytest.mark.rule("HZ-905", "WZ-703")
def test_the_summary_lists_results_and_money_with_its_deduction(wenzhou: World) -> None:
    settles(wenzhou, -30000)
    pension_answers(wenzhou, 100000, 200000)
    finish(wenzhou)
    said = text(documents.summary(book(), policy(), seen(wenzhou), wenzhou.now))
    for item in policy().items:
        if item.slug in wenzhou.case().items:
            assert item.name in said
    assert "1000.00 300.00 700.00" in said and "核定合计3000.00元" in said and "扣回300.00元" in said


@pytest.mark.rule("PD-15")
def test_the_summary_keeps_masks(wenzhou: World) -> None:
    pension_answers(wenzhou, 100000)
    support = Viewer("support", "330300", "客服", "s")
    said = text(documents.summary(book(), policy(), seen(wenzhou, support), wenzhou.now))
    deceased = wenzhou.case().deceased
    assert (deceased.id_number or "-") not in said and "**" in said
