"""Checks one form against a policy: every mistake at once, each naming its field (PD-11, YN-901)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from gateway.domain.evidence import Looks, held_materials, outcome, persons
from gateway.domain.form import Form
from gateway.domain.identity import IdKind
from gateway.domain.identity import check as check_id
from gateway.domain.messages import Code, Problem, Reason
from gateway.policy.book import Facts, PolicyBook, holds, inside
from gateway.policy.decide import HOLDERS, account_fault, facts_of, handling_area
from gateway.policy.model import FormField, Jurisdiction

_ID_FAULTS = {
    "LENGTH": ("位数不正确", "wrong length"),
    "CHARACTERS": ("含有不允许的字符", "characters that cannot occur"),
    "BIRTH_DATE": ("出生日期不存在", "the birth date does not exist"),
    "CHECK_DIGIT": ("校验码不正确", "the check digit is wrong"),
}
_PHONE = re.compile(r"(\+?86)?(1[3-9]\d{9}|0\d{2,3}-?\d{7,8}(-\d{1,6})?|\d{7,8}|1\d{4})", re.ASCII)
_AREA = re.compile(r"\d{6}|\d{9}|\d{12}", re.ASCII)
_POSITION = re.compile(r"^-?([0-8]?\d(\.\d{1,8})?|90), ?-?(1[0-7]\d|\d?\d)(\.\d{1,8})?$")
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_ACCOUNT = re.compile(r"\d{8,32}", re.ASCII)


def check(book: PolicyBook, policy: Jurisdiction, form: Form, today: date, looks: Looks = ()) -> list[Problem]:
    """All problems of a form.  Whether a case for the deceased is open already is not asked here.

    ``looks``: what sources of shared data hold of its persons.
    """
    fields = list(_fields(policy, form, today))
    missing = {problem.path for problem in fields if problem.reason.code is Code.FIELD_REQUIRED}
    return [
        *_channel(policy, form),
        *_rollout(policy, form, today),
        *fields,
        *_choices(policy, form),
        *_papers(policy, form, held_materials(looks, form)),
        *(found for found in _accounts(policy, form) if _compared(found.reason) not in missing),
        *_identities(book, form, looks, policy),
        *eligibility(policy, form),
    ]


def eligibility(policy: Jurisdiction, form: Form) -> Iterator[Problem]:
    """Every failing condition together; a fact that is not known does not fail."""
    not_admitted = refused_flow(policy, form.flow)
    if not_admitted is not None:
        yield not_admitted
    facts = facts_of(form, form.flow, policy)
    for rule in policy.eligibility:
        if holds(rule.condition, facts) is False:
            value = str(form.value(rule.fact_label) or form.flow)
            text = form.value(rule.fact_text) if rule.fact_text else None
            shown = next((area.name for area in policy.areas if area.code == value), str(text or value))
            words = {"label": rule.name, "label_en": rule.name_en, "fact": shown}
            yield Problem(Reason(Code.NOT_ELIGIBLE, (rule.source, *rule.also), words), rule.fact_label)


def refused_flow(policy: Jurisdiction, code: str) -> Problem | None:
    """Why a kind of death is not admitted here; None when the policy does not refuse it."""
    refused = next((flow for flow in policy.refused_flows if flow.code == code), None)
    if refused is None:
        return None
    words = {
        "label": "、".join(flow.name for flow in policy.flows),
        "label_en": " or ".join(flow.name_en for flow in policy.flows),
        "fact": refused.name,
    }
    return Problem(Reason(Code.NOT_ELIGIBLE, (refused.source,), words), "flow")


def _channel(policy: Jurisdiction, form: Form) -> Iterator[Problem]:
    codes = [channel.code for channel in policy.channels]
    if form.channel not in codes:
        ids = tuple(sorted({channel.source for channel in policy.channels}))
        words = {"value": form.channel, "options": "、".join(codes)}
        yield Problem(Reason(Code.CHANNEL_NOT_OFFERED, ids, words), "channel")


def _rollout(policy: Jurisdiction, form: Form, today: date) -> Iterator[Problem]:
    """Where the service is on, and since when (YY-106, YN-105)."""
    if not policy.rollout:
        return
    area = handling_area(policy, form)
    here = [stage for stage in policy.rollout if inside(area, stage.area)]
    if any(stage.since <= today for stage in here):
        return
    name = next((known.name for known in policy.areas if known.code == area), area)
    since = min((stage.since for stage in here), default=None)
    words = {"area": name, "since": f"自{since}起开通" if since else "未定"}
    ids = tuple(sorted({stage.source for stage in here or policy.rollout}))
    yield Problem(Reason(Code.NOT_ROLLED_OUT, ids, words), "area")


def _fields(policy: Jurisdiction, form: Form, today: date) -> Iterator[Problem]:
    facts = facts_of(form, form.flow, policy)
    for field in policy.form:
        value = form.value(field.path)
        words = {"label": field.label, "path": field.path}
        ids = (field.source,) if field.source else ()
        if value is None:
            if required(field, facts):
                yield Problem(Reason(Code.FIELD_REQUIRED, ids, words), field.path)
            continue
        yield from _value(field, form, value, words, ids, today)
    known = {field.path for field in policy.form}
    for path in form.answers:
        if path not in known:
            words = {
                "label": path,
                "path": path,
                "detail": "本表没有这一项",
                "detail_en": "the form has no such field",
            }
            yield Problem(Reason(Code.FIELD_INVALID, (), words), path)


def required(field: FormField, facts: Facts) -> bool:
    """Whether a field must be filled in, by its own rule and what is known so far."""
    if holds(field.shown_when, facts) is False:
        return False
    if field.required_unless is not None:
        return holds(field.required_unless, facts) is not True
    return holds(field.required_when, facts) is True if field.required_when is not None else field.required


def _value(
    field: FormField, form: Form, value: object, words: dict[str, str], ids: tuple[str, ...], today: date
) -> Iterator[Problem]:
    def wrong(zh: str, en: str, code: Code = Code.FIELD_INVALID) -> Problem:
        return Problem(Reason(code, ids, {**words, "detail": zh, "detail_en": en}), field.path)

    if field.type == "ID_NUMBER":
        group = field.path.partition(".")[0]
        kind = form.value(f"{group}.idKind") or IdKind.RESIDENT_ID
        fault = check_id(kind, str(value), today).fault
        if fault is not None:
            yield wrong(*_ID_FAULTS[fault], Code.ID_NUMBER_INVALID)
    elif field.type == "PHONE" and not _PHONE.fullmatch(str(value).replace(" ", "")):
        yield wrong("应为手机号或带区号的固定电话", "a mobile number, or a landline with area code")
    elif field.type == "AREA" and not _AREA.fullmatch(str(value)):
        yield Problem(Reason(Code.AREA_UNKNOWN, ids, {**words, "value": str(value)[:20]}), field.path)
    elif field.type == "ACCOUNT_NUMBER" and not _ACCOUNT.fullmatch(str(value).replace(" ", "")):
        yield wrong("账号应为8至32位数字", "8 to 32 digits")
    elif field.type == "POSITION" and not _POSITION.match(str(value)):
        yield wrong("应为“纬度,经度”，如30.8672,120.0933", "latitude,longitude, e.g. 30.8672,120.0933")
    elif field.type == "DATE" and not _is_date(value):
        yield wrong("日期应为“年-月-日”，如2021-07-12", "a date, e.g. 2021-07-12")
    elif field.type == "NUMBER" and not _NUMBER.fullmatch(str(value)):
        yield wrong("应为数字", "a number")
    elif field.type == "BOOLEAN" and str(value).lower() not in ("true", "false"):
        yield wrong("应为是（true）或否（false）", "true or false")
    elif field.type == "OPTION" and field.options and str(value) not in field.options:
        shown = {**words, "value": str(value)[:40], "options": "、".join(field.options)}
        yield Problem(Reason(Code.OPTION_UNKNOWN, ids, shown), field.path)


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, date) or bool(date.fromisoformat(str(value)))
    except ValueError:
        return False


def _choices(policy: Jurisdiction, form: Form) -> Iterator[Problem]:
    known = {situation.code for situation in policy.situations}
    for code in form.situations:
        if code not in known:
            words = {"label": "情形", "path": "situations", "value": code, "options": "、".join(sorted(known))}
            yield Problem(Reason(Code.OPTION_UNKNOWN, (), words), "situations")
    slugs = [item.slug for item in policy.items]
    for slug in form.items:
        if slug not in slugs:
            yield Problem(Reason(Code.ITEM_UNKNOWN, (), {"value": slug, "options": "、".join(slugs)}), "items")
    for item in policy.items:
        if item.slug in form.items and (not item.enabled or item.handler == "PULL"):
            yield Problem(Reason(Code.ITEM_NOT_OFFERED, (item.source,), {"item": item.name}), "items")


def _papers(policy: Jurisdiction, form: Form, held: frozenset[str]) -> Iterator[Problem]:
    """Papers and promises that are missing; what a source of shared data holds is not asked for (YN-403)."""
    facts = facts_of(form, form.flow, policy)
    given = {paper.type for paper in form.materials}
    uploaded = {paper.type for paper in form.materials if paper.file or paper.upload}
    for material in policy.materials:
        there = material.code in (uploaded if material.upload else given) or material.code in held
        if holds(material.required_when, facts) is True and not there:
            words = {"label": material.name}
            yield Problem(Reason(Code.MATERIAL_MISSING, (material.source,), words), "materials")
    for commitment in policy.commitments:
        if commitment.text is not None and commitment.code not in form.commitments:
            words = {"label": commitment.name}
            yield Problem(Reason(Code.COMMITMENT_MISSING, (commitment.source,), words), "commitments")


def _accounts(policy: Jurisdiction, form: Form) -> Iterator[Problem]:
    """The account must satisfy the payee rule of every item that may pay (C-14, PD-23)."""
    facts = facts_of(form, form.flow, policy)
    faults: dict[str, Reason] = {}
    for item in policy.items:
        in_case = item.enabled and item.handler != "PULL" and (item.trigger != "TICK" or item.slug in form.items)
        if item.payout is None or not in_case or holds(item.applies_when, facts) is False:
            continue
        fault = account_fault(policy, item.payout, form)
        # What is not there is the business of the field's own rule.
        if fault is not None and (form.value(fault[0]) is not None or fault[1].code is Code.ACCOUNT_REASON_MISSING):
            path, reason = fault
            known = faults.get(path)
            ids = tuple(sorted({*(known.ids if known else ()), *reason.ids}))
            faults[path] = Reason(reason.code, ids, reason.facts)
    for path, reason in faults.items():
        yield Problem(reason, path)


def _compared(reason: Reason) -> str | None:
    """The name an account's holder was compared with: where it is missing itself, that alone is told."""
    return HOLDERS.get(reason.facts.get("expected", "")) if reason.code is Code.ACCOUNT_HOLDER_MISMATCH else None


def _identities(book: PolicyBook, form: Form, looks: Looks, policy: Jurisdiction) -> Iterator[Problem]:
    """Names must be those the sources of shared data hold (YN-402); a source that is silent refuses nobody."""
    rows = {use.source: use.row for use in policy.shared_sources if "VERIFY" in use.uses}
    for look in looks:
        if look.source not in rows:
            continue
        word = book.word("departments", look.source)
        words = {"source": word.name, "source_en": word.name_en}
        if look.holdings is None:
            yield Problem(Reason(Code.SOURCE_UNAVAILABLE, (rows[look.source],), words), None, "WARNING")
            continue
        for person, (name, id_number) in persons(form).items():
            if outcome(look, name, id_number) == "MISMATCH":
                path = f"{person}.name"
                label = next((field.label for field in policy.form if field.path == path), path)
                yield Problem(
                    Reason(Code.IDENTITY_MISMATCH, (rows[look.source],), {**words, "label": label, "path": path}), path
                )
