"""What a policy makes of one form, and why: admitted or not, every field, paper and item, with the rows that say so.

The rules themselves are asked (``check``, ``decide``, ``holds``); nothing is decided here a second time.  ID numbers,
accounts and phones are masked before they enter an explanation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from gateway.domain.case import Case
from gateway.domain.deadlines import ClockKind
from gateway.domain.form import Form
from gateway.domain.messages import Reason
from gateway.domain.states import ItemStatus
from gateway.policy import course, decide, notation
from gateway.policy.book import Facts, PolicyBook, Trace, holds, trace
from gateway.policy.check import check, eligibility, refused_flow, required
from gateway.policy.model import (
    Clock,
    Condition,
    FormField,
    ItemDefinition,
    Jurisdiction,
    Material,
    Period,
    Requirement,
)

_SECRET = ("ID_NUMBER", "ACCOUNT_NUMBER", "PHONE")
_SECRET_ENDS = (".idNumber", ".phone", "account.number")


@dataclass(frozen=True, slots=True)
class Node:
    """One part of a condition with its value: True, False, or None = unknown.  ``given``: the fact, masked."""

    text: str
    value: bool | None
    given: str | None = None
    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A reason with its rows, in both languages."""

    code: str
    zh: str
    en: str
    ids: tuple[str, ...] = ()
    path: str | None = None
    warning: bool = False


@dataclass(frozen=True, slots=True)
class RuleShown:
    """One test of eligibility.  ``value`` None: unknown, which refuses nobody."""

    ids: tuple[str, ...]
    name: str
    name_en: str
    value: bool | None
    condition: Node


@dataclass(frozen=True, slots=True)
class FlowShown:
    code: str
    name: str
    ids: tuple[str, ...]
    admitted: bool
    reporters: tuple[str, ...] = ()
    opened_by: str | None = None
    after: tuple[str, ...] = ()
    """Certificates of which one must be there before the report (``after_ids`` say so)."""
    after_ids: tuple[str, ...] = ()
    after_there: bool = True


@dataclass(frozen=True, slots=True)
class ChannelShown:
    """``name`` None: the document offers no such channel; ``ids`` then are those of the channels it offers."""

    code: str
    name: str | None
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A field or a paper.  ``required_because``: the condition that makes it required, None = always, or never."""

    code: str
    name: str
    ids: tuple[str, ...]
    required: bool
    given: bool
    required_because: Node | None = None


@dataclass(frozen=True, slots=True)
class GateShown:
    """One thing an item waits for.  ``state``: OPEN, CLOSED, or NO_GATE (its own condition does not hold)."""

    what: str
    ids: tuple[str, ...]
    state: str
    said: Said | None = None
    when: Node | None = None


@dataclass(frozen=True, slots=True)
class ClockShown:
    """``limit`` None: the source states none.  ``counts`` False: the clock's own condition does not hold."""

    clock: str
    limit: int | None
    unit: str
    start: str
    ids: tuple[str, ...]
    counts: bool
    quote: str = ""


@dataclass(frozen=True, slots=True)
class MoneyShown:
    """``account``: kind and last four digits of the account that would be told in the end; ``held``: why none would be.

    ``waits``: why a sum approved at once would have to wait.
    """

    kinds: tuple[str, ...]
    payee: str | None
    ids: tuple[str, ...]
    account: str | None = None
    waits: Said | None = None
    held: Said | None = None
    deducted: str | None = None


@dataclass(frozen=True, slots=True)
class ItemShown:
    """One item of the catalogue.  ``decision``: APPLIES, DEPARTMENT_VERIFIES, DOES_NOT_APPLY, REFUSED, NOT_CHOSEN,
    SWITCHED_OFF or RECORDED_ONLY (a department that takes shared data does it by itself)."""

    slug: str
    name: str
    ids: tuple[str, ...]
    department: str | None
    handler: str
    trigger: str
    in_case: bool
    decision: str
    why: Said | None
    condition: Node | None
    turn: int | None
    """When it begins if everybody does what is asked: 1 = at once; None = never."""
    waits: tuple[GateShown, ...] = ()
    clocks: tuple[ClockShown, ...] = ()
    money: MoneyShown | None = None
    business_types: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    jurisdiction: str
    version: str
    name: str
    on: str
    deceased: str
    area: str
    admitted: bool
    """No rule of eligibility fails, and the kind of death is one of the document's."""
    accepted: bool
    """A submission of exactly this form would be taken."""
    flow: FlowShown
    channel: ChannelShown
    rules: tuple[RuleShown, ...]
    fields: tuple[Asked, ...]
    materials: tuple[Asked, ...]
    problems: tuple[Said, ...]
    items: tuple[ItemShown, ...]
    course: tuple[course.Turn, ...]
    supervision: Mapping[str, str]
    """When people are told because of time: key of the policy → period."""
    supervision_ids: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """For ``json``."""
        return asdict(self)


def explain(book: PolicyBook, policy: Jurisdiction, form: Form, now: datetime) -> Explanation:
    """``form`` as ``joint_submission.clean`` leaves it; ``form.shared`` are certificates the platform holds."""
    facts = decide.facts_of(form, form.flow, policy)
    today = book.calendars[policy.code].local_date(now)
    problems = check(book, policy, form, today)
    show = _Show(book, policy, facts)
    flow = _flow(book, policy, form)
    case = course.filed(book, policy, form, now)
    ended = course.filed(book, policy, form, now)
    turns = course.run(book, policy, ended, now)
    began = {slug: at for at, turn in enumerate(turns, 1) for slug in turn.items}
    rule = policy.supervision
    errors = [problem for problem in problems if problem.severity == "ERROR"]
    barred = any(eligibility(policy, form)) or not flow.admitted
    offered = next((found for found in policy.channels if found.code == form.channel), None)
    return Explanation(
        jurisdiction=policy.code,
        version=policy.version,
        name=policy.name,
        on=today.isoformat(),
        deceased=mask(form.deceased.id_number) if form.deceased.id_number else "no ID number",
        area=case.area,
        admitted=not barred,
        accepted=not errors and not barred and flow.after_there,
        flow=flow,
        channel=ChannelShown(
            form.channel,
            offered.name if offered is not None else None,
            (offered.source,) if offered is not None else tuple(sorted({way.source for way in policy.channels})),
        ),
        rules=tuple(
            RuleShown((rule.source, *rule.also), rule.name, rule.name_en, holds(rule.condition, facts), node)
            for rule in policy.eligibility
            if (node := show.node(rule.condition)) is not None
        ),
        fields=tuple(show.field(field, form) for field in policy.form),
        materials=tuple(show.paper(material, form) for material in policy.materials),
        problems=tuple(said(problem.reason, problem.path, problem.severity != "ERROR") for problem in problems),
        items=tuple(_item(show, item, case, ended, began.get(item.slug)) for item in policy.items),
        course=tuple(turns),
        supervision={key: notation.period(found) for key, found in rule if isinstance(found, Period)} if rule else {},
        supervision_ids=(rule.source,) if rule else (),
    )


def mask(value: str) -> str:
    """``330502193910109559`` → ``**************9559``; short ones are masked whole."""
    return "*" * (len(value) - 4) + value[-4:] if len(value) > 8 else "*" * len(value)


def said(reason: Reason, path: str | None = None, warning: bool = False) -> Said:
    return Said(reason.code.value, reason.zh(), reason.en(), reason.ids, path, warning)


@dataclass(frozen=True, slots=True)
class _Show:
    """Conditions and fields with what this form makes of them."""

    book: PolicyBook
    policy: Jurisdiction
    facts: Facts

    def node(self, condition: Condition | None) -> Node | None:
        found = trace(condition, self.facts)
        return self._node(found) if found is not None else None

    def _node(self, found: Trace) -> Node:
        condition = found.condition
        parts = tuple(self._node(part) for part in found.parts)
        if condition.fact is not None:
            given = None if found.given is None else self.shown(condition.fact, found.given)
            return Node(notation.condition(condition), found.value, given)
        text = "all of" if condition.all is not None else "any of" if condition.any is not None else "not"
        return Node(text, found.value, None, parts)

    def shown(self, path: str, value: object) -> str:
        """A value that may be shown."""
        typed = next((field.type for field in self.policy.form if field.path == path), "TEXT")
        secret = typed in _SECRET or path.endswith(_SECRET_ENDS)
        return mask(notation.value(value)) if secret else notation.value(value)

    def field(self, field: FormField, form: Form) -> Asked:
        because = self.node(field.required_when or field.required_unless)
        needed, given = required(field, self.facts), form.value(field.path) is not None
        return Asked(field.path, field.label, (field.source,) if field.source else (), needed, given, because)

    def paper(self, material: Material, form: Form) -> Asked:
        given = {paper.type for paper in form.materials if paper.file or paper.upload or not material.upload}
        needed = holds(material.required_when, self.facts) is True
        because = self.node(material.required_when)
        return Asked(material.code, material.name, (material.source,), needed, material.code in given, because)

    def certificates(self, kinds: list[str]) -> tuple[str, ...]:
        return tuple(f"{kind} {self.book.word('certificates', kind).name}" for kind in kinds)


def _flow(book: PolicyBook, policy: Jurisdiction, form: Form) -> FlowShown:
    flow, refused = policy.flow(form.flow), refused_flow(policy, form.flow)
    if flow is None:
        ids = refused.reason.ids if refused is not None else ()
        return FlowShown(form.flow, refused.reason.facts["fact"] if refused else form.flow, ids, admitted=False)
    there = {paper.certificate for paper in decide.shared_papers(policy, book.calendars[policy.code], form)}
    there |= set(form.shared)
    after = tuple(flow.report_after or ())
    return FlowShown(
        code=flow.code,
        name=flow.name,
        ids=(flow.source,),
        admitted=refused is None,
        reporters=tuple(book.word("roles", role).name for role in flow.reporters),
        opened_by=f"{flow.opened_by.item} ({flow.opened_by.source})" if flow.opened_by is not None else None,
        after=after,
        after_ids=(flow.report_after_source,) if flow.report_after_source else (),
        after_there=not after or not there.isdisjoint(after),
    )


def _item(show: _Show, item: ItemDefinition, case: Case, ended: Case, turn: int | None) -> ItemShown:
    mine = case.items.get(item.slug)
    in_case = mine is not None and mine.status not in (ItemStatus.NOT_APPLICABLE, ItemStatus.REFUSED)
    if not item.enabled:
        decision = "SWITCHED_OFF"
    elif item.handler == "PULL":
        decision = "RECORDED_ONLY"
    elif mine is None:
        decision = "NOT_CHOSEN"
    else:
        decision = "REFUSED" if mine.status is ItemStatus.REFUSED else mine.applicability.value
    department = show.book.word("departments", item.department).name if item.department else None
    return ItemShown(
        slug=item.slug,
        name=item.name,
        ids=tuple(dict.fromkeys([item.source, *([item.condition_source] if item.condition_source else [])])),
        department=f"{item.department} {department}" if item.department else None,
        handler=item.handler,
        trigger=item.trigger,
        in_case=in_case,
        decision=decision,
        why=said(mine.reason) if mine is not None else None,
        condition=show.node(item.applies_when),
        turn=turn,
        waits=tuple(_gates(show, case, item)) if in_case else (),
        clocks=tuple(_clock(show, clock) for clock in item.clocks),
        money=_money(show, case, ended, item),
        business_types=mine.business_types if mine is not None else (),
        issues=show.certificates(item.issues),
        sees=show.certificates(item.evidence),
    )


def _gates(show: _Show, case: Case, item: ItemDefinition) -> Iterator[GateShown]:
    """What always blocks, then each requirement in the order of the file."""
    always = decide.gates(show.book, show.policy, case, item.model_copy(update={"requires": []}))
    for gate in always:
        yield GateShown(gate.reason.zh(), gate.reason.ids, "CLOSED", said(gate.reason))
    for requirement in item.requires:
        ids, when = (requirement.source,), show.node(requirement.when)
        what = _named(show, requirement)
        if holds(requirement.when, show.facts) is False:
            yield GateShown(what, ids, "NO_GATE", when=when)
            continue
        closed = decide.gates(show.book, show.policy, case, item.model_copy(update={"requires": [requirement]}))
        mine = closed[len(always) :]
        yield GateShown(what, ids, "CLOSED" if mine else "OPEN", said(mine[0].reason) if mine else None, when)


def _named(show: _Show, requirement: Requirement) -> str:
    item = show.policy.item(requirement.item) if requirement.item is not None else None
    kinds = " / ".join(show.book.word("certificates", kind).name for kind in requirement.certificate or [])
    return f"{notation.requirement(requirement)} {item.name if item is not None else kinds}".strip()


def _clock(show: _Show, clock: Clock) -> ClockShown:
    payout = clock.clock is ClockKind.PAYOUT
    start = clock.start or (show.policy.payout_clock_start if payout else "PUSH")
    counts = holds(clock.when, show.facts) is not False
    return ClockShown(clock.clock, clock.limit, clock.unit, start, (clock.source,), counts, clock.quote)


def _money(show: _Show, case: Case, ended: Case, item: ItemDefinition) -> MoneyShown | None:
    """As for one fen that the department would approve: at once, and once everything else is done."""
    rule = item.payout
    if rule is None:
        return None
    waits = decide.direct(show.policy, item, case, 1).hold
    direction = decide.direct(show.policy, item, ended, 1)
    account = None
    if direction.account is not None:
        account = f"{direction.account.kind or 'account'} {mask(direction.account.number or '')}"
    kinds = tuple(f"{kind} {show.book.word('payments', kind).name}" for kind in rule.kinds)
    taken = rule.deduction
    deducted = f"{taken.item} ({taken.source}, {taken.waits_source})" if taken is not None else None
    held = said(direction.hold) if direction.hold is not None else None
    first = said(waits) if waits is not None and waits != direction.hold else None
    return MoneyShown(kinds, rule.payee, (rule.source,), account, first, held, deducted)
