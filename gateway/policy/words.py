"""A policy in words: conditions, options, payee rules and limits as Chinese and English phrases.

Pure functions.  Labels come from the policy file; only what no file has a word for stands here.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.domain.deadlines import ClockKind, LimitUnit
from gateway.policy.book import PolicyBook
from gateway.policy.model import Clock, Condition, FormField, ItemDefinition, Jurisdiction, PayoutRule, Requirement


class Phrase(NamedTuple):
    """The same thing said twice."""

    zh: str
    en: str


OPTIONS = {
    "MALE": Phrase("男", "male"),
    "FEMALE": Phrase("女", "female"),
    "UNKNOWN": Phrase("不明", "unknown"),
    "HEIR": Phrase("继承人", "heir"),
    "LEGATEE": Phrase("受遗赠人", "legatee"),
    "DESIGNATED": Phrase("家属指定账户", "account the family names"),
    "DECEASED": Phrase("逝者本人账户", "account of the deceased"),
    "APPLICANT_HEIR": Phrase("申请人（继承人）账户", "account of the applicant as heir"),
    "PAYEE": Phrase("领取人账户", "account of the payee"),
    "RESIDENT_ID": Phrase("居民身份证", "resident ID card"),
    "RESIDENCE_PERMIT": Phrase("港澳台居民居住证", "residence permit of Hong Kong, Macao or Taiwan residents"),
    "PASSPORT": Phrase("护照", "passport"),
    "OTHER": Phrase("其他", "other"),
}
"""Codes of typed fields that stand in no catalogue and need no name in a policy file."""

UNLISTED = {
    "deceased.idKind": Phrase("逝者证件类型", "kind of ID of the deceased"),
    "applicant.capacity": Phrase("申请人身份", "legal capacity of the applicant"),
    "account.kind": Phrase("账户归属", "whose account it is"),
}
"""Typed fields that conditions may name although no form lists them."""

PAYEES = {
    "FAMILY_DESIGNATED": Phrase("发放至家属指定账户", "paid into the account the family names"),
    "APPLICANT": Phrase("发放至申请人本人账户", "paid into the applicant's own account"),
    "DECEASED_OR_HEIR": Phrase(
        "发放至逝者本人账户；有特殊原因的，说明原因后发放至申请人（继承人）账户",
        "paid into the deceased's own account; into the applicant's, as heir, for a stated reason",
    ),
    "NAMED_PAYEE": Phrase("发放至登记的领取人账户", "paid into the account of the payee the form names"),
    "BY_INSTITUTION": Phrase("由机构直接支付给继承人", "paid to the heirs by the institution itself"),
}
NOT_STATED = Phrase("来源文件未载明", "not stated in the source")
NO_LIMIT = Phrase("未规定时限", "no limit is stated")
_UNITS = {
    LimitUnit.WORKING_DAYS: Phrase("个工作日", "working days"),
    LimitUnit.HOURS: Phrase("小时", "hours"),
}
_CLOCKS = {ClockKind.PROCESSING: Phrase("办理", "processing"), ClockKind.PAYOUT: Phrase("发放", "payout")}


def condition(book: PolicyBook, policy: Jurisdiction, rule: Condition) -> Phrase:
    """One line that says when a condition holds."""
    return _say(book, policy, rule, inner=False)


def option(book: PolicyBook, policy: Jurisdiction, path: str, code: str) -> Phrase:
    """Name of an option of a field: its own word, an enumerated cause, a catalogue's word, or the code itself."""
    field = _field(policy, path)
    if field is not None and code in field.option_names:
        return Phrase(field.option_names[code], OPTIONS.get(code, Phrase("", code)).en)
    if path == "death.causeKind":
        cause = next((cause for cause in policy.causes if cause.code == code), None)
        if cause is not None:
            return Phrase(cause.name, cause.name_en)
    group = "relations" if path.endswith(".relation") else "certificates"
    word = book.word(group, code)
    if word.name != code:
        return Phrase(word.name, word.name_en)
    return OPTIONS.get(code, Phrase(code, code))


def payee(rule: PayoutRule) -> Phrase | None:
    """Whose account is paid; None when the source does not say, and the money is held (PD-20)."""
    return PAYEES[rule.payee] if rule.payee is not None else None


def limit(clock: Clock) -> Phrase:
    """``办理3个工作日``; a limit without a number is never given one."""
    kind = _CLOCKS[clock.clock]
    if clock.limit is None:
        return Phrase(f"{kind.zh}{NO_LIMIT.zh}", f"{kind.en}: {NO_LIMIT.en}")
    unit = _UNITS[clock.unit]
    return Phrase(f"{kind.zh}{clock.limit}{unit.zh}", f"{kind.en}: {clock.limit} {unit.en}")


def gate(book: PolicyBook, policy: Jurisdiction, rule: Requirement) -> Phrase:
    """What has to be there before the item is pushed."""
    if rule.report:
        said = Phrase("已填报", "the report is filed")
    elif rule.all_items:
        said = Phrase("其他事项均已办理完毕", "every other item is final")
    elif rule.certificate is not None:
        words = [book.word("certificates", kind) for kind in rule.certificate]
        said = Phrase(
            f"有{'或'.join(_titled(word.name) for word in words)}",
            f"there is: {' or '.join(word.name_en for word in words)}",
        )
    else:
        definition = policy.item(rule.item or "")
        name = Phrase(definition.name, definition.name_en) if definition else Phrase(rule.item or "", rule.item or "")
        said = Phrase(f"“{name.zh}”已办结", f"“{name.en}” is completed")
    if rule.when is None:
        return said
    when = condition(book, policy, rule.when)
    return Phrase(f"{when.zh}时，{said.zh}", f"when {when.en}: {said.en}")


def applies(book: PolicyBook, policy: Jurisdiction, item: ItemDefinition) -> Phrase | None:
    """When an item belongs to a case, in the file's own words; None: in every case."""
    if item.condition_name:
        return Phrase(item.condition_name, item.condition_name_en or item.condition_name)
    return condition(book, policy, item.applies_when) if item.applies_when is not None else None


def label(policy: Jurisdiction, path: str) -> Phrase:
    """Label of a field; where several fields share one, its group says which is meant."""
    field = _field(policy, path)
    if field is None:
        return UNLISTED.get(path, Phrase(path, path))
    if sum(other.label == field.label for other in policy.form) == 1:
        return Phrase(field.label, field.label_en)
    group = next(group.name for group in policy.form_groups if group.code == field.group)
    return Phrase(f"{group}：{field.label}", field.label_en)


# ── conditions ──────────────────────────────────────────────────────────────────────────────────────────


def _say(book: PolicyBook, policy: Jurisdiction, rule: Condition, inner: bool) -> Phrase:
    if rule.not_ is not None:
        denied = _say(book, policy, rule.not_, inner=True)
        return Phrase(f"并非{denied.zh}", f"not {denied.en}")
    if rule.all is not None or rule.any is not None:
        parts = _telling(rule.all) if rule.all is not None else list(rule.any or [])
        if len(parts) == 1:
            return _say(book, policy, parts[0], inner)
        said = [_say(book, policy, part, inner=True) for part in parts]
        zh, en = ("，且", ", and ") if rule.all is not None else ("，或", ", or ")
        joined = Phrase(zh.join(part.zh for part in said), en.join(part.en for part in said))
        return Phrase(f"（{joined.zh}）", f"({joined.en})") if inner else joined
    return _fact(book, policy, rule)


def _telling(parts: list[Condition]) -> list[Condition]:
    """``known`` beside a test of the same fact only says that silence is not enough: the test says the rest."""
    tested = {part.fact for part in parts if part.fact is not None and part.known is None}
    return [part for part in parts if not (part.known is True and part.fact in tested)]


def _fact(book: PolicyBook, policy: Jurisdiction, rule: Condition) -> Phrase:
    fact = rule.fact or ""
    head, _, rest = fact.partition(".")
    wanted = rule.known if rule.known is not None else rule.equals
    if head == "situation":
        found = next((situation for situation in policy.situations if situation.code == rest), None)
        name = Phrase(found.name, found.name_en) if found else Phrase(rest, rest)
        if rule.known is not None:
            zh, en = ("已申报", "it is declared") if wanted else ("未申报", "it is not declared")
            return Phrase(f"{zh}是否{name.zh}", f"{en} whether “{name.en}”")
        return Phrase(name.zh, name.en) if wanted else Phrase(f"申报不属于“{name.zh}”", f"declared not “{name.en}”")
    if head == "item":
        definition = policy.item(rest.removesuffix(".chosen"))
        name = _tick(definition) if definition else Phrase(rest, rest)
        zh, en = ("勾选", "is chosen") if wanted else ("未勾选", "is not chosen")
        return Phrase(f"{zh}“{name.zh}”", f"“{name.en}” {en}")
    if head == "shared":
        word = book.word("certificates", rest)
        zh, en = ("平台已有", "the platform holds") if wanted else ("平台没有", "the platform does not hold")
        return Phrase(f"{zh}{_titled(word.name)}", f"{en} the {word.name_en}")
    if fact == "identity.known":
        return Phrase("逝者身份已查明", "the deceased is identified") if wanted else _UNIDENTIFIED
    if fact == "death.flow":
        return _flow(policy, rule)
    return _answer(book, policy, fact, rule)


_UNIDENTIFIED = Phrase("逝者身份不明", "the deceased is unidentified")


def _tick(item: ItemDefinition) -> Phrase:
    return Phrase(item.tick.label, item.tick.label_en) if item.tick else Phrase(item.name, item.name_en)


def _flow(policy: Jurisdiction, rule: Condition) -> Phrase:
    if rule.known is not None:
        return Phrase("死亡情形已知", "the kind of death is known") if rule.known else _FLOW_UNKNOWN
    codes = rule.among or [str(rule.equals)]
    known: dict[str, Phrase] = {flow.code: Phrase(flow.name, flow.name_en) for flow in policy.flows}
    known |= {flow.code: Phrase(flow.name, flow.name_en) for flow in policy.refused_flows}
    names = [known.get(code, Phrase(code, code)).zh for code in codes]
    names_en = [known.get(code, Phrase(code, code)).en for code in codes]
    return Phrase(f"死亡情形为“{'”或“'.join(names)}”", f"the kind of death is “{'” or “'.join(names_en)}”")


_FLOW_UNKNOWN = Phrase("死亡情形未知", "the kind of death is not known")


def _answer(book: PolicyBook, policy: Jurisdiction, path: str, rule: Condition) -> Phrase:
    name = label(policy, path)
    if rule.known is not None:
        if rule.known:
            return Phrase(f"已填写“{name.zh}”", f"“{name.en}” is filled in")
        return Phrase(f"未填写“{name.zh}”", f"“{name.en}” is not filled in")
    if rule.within is not None:
        areas = "、".join(_area(policy, code) for code in rule.within)
        return Phrase(f"“{name.zh}”在{areas}", f"“{name.en}” lies in {areas}")
    if isinstance(rule.equals, bool):
        return Phrase(
            f"“{name.zh}”为{'是' if rule.equals else '否'}", f"“{name.en}” is {'yes' if rule.equals else 'no'}"
        )
    said = [option(book, policy, path, code) for code in rule.among or [str(rule.equals)]]
    if path == "deceased.idKind" and rule.equals == "UNKNOWN":
        return _UNIDENTIFIED
    return Phrase(
        f"“{name.zh}”为“{'”或“'.join(part.zh for part in said)}”",
        f"“{name.en}” is “{'” or “'.join(part.en or part.zh for part in said)}”",
    )


def _area(policy: Jurisdiction, code: str) -> str:
    return next((area.name for area in policy.areas if area.code == code), code)


def _field(policy: Jurisdiction, path: str) -> FormField | None:
    return next((field for field in policy.form if field.path == path), None)


def _titled(name: str) -> str:
    return name if name.startswith("《") else f"《{name}》"
