"""Documents over the counter: printed from data, for whoever may see the case, without a script and without a trace."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gateway.documents.page import CSS
from tests.acceptance.stage import Stage, form
from tests.builders import book

CODES = sorted({policy.code for policy in book().jurisdictions})
HOSTILE = "<script>alert(1)</script>\"'&"
LONG = "阿" * 400
SUBMIT = "submitCase"


class Page(HTMLParser):
    """Tags and attributes of a document, as a browser would find them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def fetch(stage: Stage, path: str, body: Any = None, token: str | None = None) -> tuple[int, Any, str]:
    """(status, headers, text)"""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode() if not isinstance(body, bytes) else body
    request = urllib.request.Request(f"{stage.url}{path}", data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def printed(stage: Stage, what: str, number: str, token: str | None) -> tuple[int, Any, str]:
    return fetch(stage, f"/documents/cases/{what}", {"caseNumber": number}, token)


def refusal(answer: tuple[int, Any, str]) -> tuple[int, str]:
    status, _, text = answer
    error = json.loads(text)["errors"][0]
    assert re.search(r"[一-鿿]", error["message"]), "told in Chinese"
    return status, error["extensions"]["code"]


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A gateway with one case, whose family typed what a family should not."""
    made = Stage(tmp_path_factory.mktemp("documents"))
    made.start_gateway("2025-11-07T22:10:00+08:00")
    assistant = made.token("civil-affairs-assistant")
    plain = form(answers=[{"path": "funeral.pickupAddress", "value": LONG}])
    plain["applicant"]["name"] = HOSTILE
    plain["death"]["cause"] = "心力衰竭"
    paid = made.do(assistant, SUBMIT, "case { number }", **plain)
    assert paid["userErrors"] == []
    made.variables["CASE"] = paid["case"]["number"]
    yield made
    made.stop()


def safe(text: str) -> None:
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "style")]
    assert '<html lang="zh-CN">' in text and "@page { size: A4" in text


# ── public ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("what", ["guide", "form"])
def test_guide_and_blank_form_are_public_and_self_contained(shared_stage: Stage, code: str, what: str) -> None:
    status, headers, text = fetch(shared_stage, f"/documents/{code}/{what}")
    assert status == 200 and headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"] and headers["cache-control"] == "no-store"
    assert headers["content-disposition"].startswith("inline; filename*=UTF-8''%")
    safe(text)


def test_a_public_document_can_be_saved_as_a_file(shared_stage: Stage) -> None:
    status, headers, text = fetch(shared_stage, "/documents/hz/guide?download")
    assert status == 200 and "办事指南" in text
    name = urllib.parse.quote("湖州市办事指南")
    assert headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}.html"


def test_pages_are_numbered_and_older_browsers_break_them_in_the_same_places() -> None:
    assert "counter(page)" in CSS and "counter(pages)" in CSS
    assert len(re.findall(r"(?<!-)break-inside: avoid", CSS)) == CSS.count("page-break-inside: avoid")
    assert len(re.findall(r"(?<!-)break-after: avoid", CSS)) == CSS.count("page-break-after: avoid")
    assert "word-wrap: break-word" in CSS, "a name without a space stays on the page"


@pytest.mark.rule("YY-311", "YY-312", "YY-313", "YY-314", "YY-315", "YY-316", "YY-317")
def test_the_boxes_stand_in_the_order_of_the_paper(shared_stage: Stage) -> None:
    text = fetch(shared_stage, "/documents/yy/form")[2]
    boxes = (
        "死亡人员户口注销",
        "城乡居民个人账户一次性待遇申领",
        "退休企业职工死亡个人账户一次性申领",
        "在职企业职工死亡个人账户一次性申领",
        "职工基本医疗保险个人账户余额提现",
        "职工死亡或宣告死亡提取",
        "退役军人重点优抚对象死亡个人账户一次性申领",
    )
    places = [text.index(f"☐ {box}") for box in boxes]
    assert places == sorted(places)


@pytest.mark.parametrize("policy", book().jurisdictions, ids=lambda policy: policy.code)
def test_the_guide_says_everything_the_policy_says(shared_stage: Stage, policy: Any) -> None:
    text = fetch(shared_stage, f"/documents/{policy.code}/guide")[2]
    wanted = [policy.document.title, policy.document.issuer, policy.version, policy.duty_contact]
    wanted += [item.name for item in policy.items]
    wanted += [step.name for step in policy.steps] + [rule.name for rule in policy.eligibility]
    wanted += [channel.name for channel in policy.channels] + [material.name for material in policy.materials]
    wanted += [notice.text for notice in policy.notices] + [way.name for way in policy.delivery]
    wanted += [promise.text for promise in policy.commitments if promise.text]
    assert [words for words in wanted if words not in text.replace("&#34;", '"').replace("&#39;", "'")] == []


@pytest.mark.rule("WZ-514", "HZ-607")
def test_a_limit_that_is_not_stated_is_said_so_and_a_stated_one_is_kept(shared_stage: Stage) -> None:
    assert "个工作日" not in fetch(shared_stage, "/documents/wz/guide")[2]
    assert "办理未规定时限" in fetch(shared_stage, "/documents/wz/guide")[2]
    assert "办理3个工作日" in fetch(shared_stage, "/documents/hz/guide")[2]


@pytest.mark.rule("PD-20")
def test_money_without_a_payee_rule_is_told_to_be_held(shared_stage: Stage) -> None:
    assert "收款账户来源文件未载明；款项核定后暂缓发放" in fetch(shared_stage, "/documents/hz/guide")[2]


@pytest.mark.rule("WZ-302", "WZ-329", "WZ-336", "WZ-338", "WZ-340")
def test_the_blank_form_has_the_paper_s_labels_boxes_and_promise(shared_stage: Stage) -> None:
    text = fetch(shared_stage, "/documents/wz/form")[2]
    policy = next(policy for policy in book().jurisdictions if policy.code == "wz")
    assert [field.label for field in policy.form if field.label not in text] == []
    assert "☐ 火化前期手续办理" in text and "☑" not in text
    assert "申请人承诺遵守国家和地方各项殡葬政策规定文明治丧" in text
    assert "乡镇（街道）审批：（盖章）" in text and "请在需申请直接办理的事项方框内打“√”" in text


def test_a_place_that_is_not_there_is_refused(shared_stage: Stage) -> None:
    assert refusal(fetch(shared_stage, "/documents/xx/guide")) == (404, "JURISDICTION_UNKNOWN")


# ── of a case ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("PD-15", "HZ-816")
def test_only_who_may_see_a_case_gets_its_form(counter: Stage) -> None:
    number = counter.variables["CASE"]
    elsewhere = counter.token("window-clerk", area="330300")
    clerk = counter.token("window-clerk")
    assert refusal(printed(counter, "registration-form", number, None)) == (401, "UNAUTHENTICATED")
    assert refusal(printed(counter, "registration-form", number, clerk + "x")) == (401, "UNAUTHENTICATED")
    assert refusal(printed(counter, "registration-form", number, elsewhere)) == (404, "CASE_NOT_FOUND")
    assert refusal(printed(counter, "registration-form", "HZ0000000000000", clerk)) == (404, "CASE_NOT_FOUND")
    for body in (b"", b"[]", b"{", b'{"caseNumber": 7}', b'{"caseNumber": "' + b"9" * 99 + b'"}'):
        assert refusal(fetch(counter, "/documents/cases/registration-form", body, clerk)) == (400, "FIELD_REQUIRED")
    assert printed(counter, "registration-form", number, clerk)[0] == 200


@pytest.mark.rule("PD-15")
def test_a_filled_form_is_not_stored_and_runs_nothing(counter: Stage) -> None:
    status, headers, text = printed(
        counter, "registration-form", counter.variables["CASE"], counter.token("window-clerk")
    )
    assert status == 200 and headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    safe(text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text and LONG in text


@pytest.mark.rule("HZ-301")
def test_the_filled_form_shows_what_was_filed(counter: Stage) -> None:
    text = printed(counter, "registration-form", counter.variables["CASE"], counter.token("window-clerk"))[2]
    for words in ("沈福根", "330502193910109559", "吴兴区", "2025年11月7日 20:00", "13857201234", "☑ 子女", "☑ 男"):
        assert words in text, words
    assert f"编号：{counter.variables['CASE']}" in text and "☑ 医疗机构外正常死亡" in text


@pytest.mark.rule("PD-15", "HZ-816")
def test_masks_hold_on_paper(counter: Stage) -> None:
    text = printed(counter, "registration-form", counter.variables["CASE"], counter.token("support"))[2]
    assert "3305**********9559" in text and "330502193910109559" not in text
    assert "138****1234" in text and "13857201234" not in text
    assert "6222021205001234567" not in text and "心力衰竭" not in text and LONG not in text
    assert "未显示不表示未填写" in text


@pytest.mark.rule("PD-15")
def test_a_department_without_a_pushed_item_finds_no_form(counter: Stage) -> None:
    bank = counter.token("specialist", department="bank")
    assert refusal(printed(counter, "registration-form", counter.variables["CASE"], bank)) == (404, "CASE_NOT_FOUND")


def test_the_number_may_come_as_a_form_of_a_browser(counter: Stage) -> None:
    clerk, number = counter.token("window-clerk"), counter.variables["CASE"]
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Bearer {clerk}"}
    body = urllib.parse.urlencode({"caseNumber": number}).encode()
    request = urllib.request.Request(f"{counter.url}/documents/cases/registration-form", data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200 and number in answer.read().decode()
        assert answer.headers["content-disposition"].startswith(f"inline; filename*=UTF-8''{number}%")


def test_the_schema_answers_with_the_same_paper(counter: Stage) -> None:
    clerk, number = counter.token("window-clerk"), counter.variables["CASE"]
    query = "query($n: String!) { case(number: $n) { registrationForm summaryDocument jurisdiction { guideUrl } } }"
    found = counter.ask(clerk, query, n=number)["case"]
    stamp = re.compile(r"打印时间：[^<]*")
    text = printed(counter, "registration-form", number, clerk)[2]
    assert stamp.sub("", found["registrationForm"]) == stamp.sub("", text)
    assert found["summaryDocument"] is None
    assert fetch(counter, found["jurisdiction"]["guideUrl"])[0] == 200


@pytest.mark.rule("HZ-905")
def test_there_is_no_summary_before_the_case_is_closed(counter: Stage) -> None:
    answer = printed(counter, "summary", counter.variables["CASE"], counter.token("window-clerk"))
    assert refusal(answer) == (409, "ACTION_NOT_POSSIBLE")


def test_nothing_of_a_person_is_logged_by_printing(counter: Stage) -> None:
    printed(counter, "registration-form", counter.variables["CASE"], counter.token("window-clerk"))
    log = Path(counter.folder / "gateway.log").read_text(encoding="utf-8")
    assert "沈福根" not in log and "330502193910109559" not in log
