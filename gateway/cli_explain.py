"""An explanation of ``gateway.policy.explain`` as lines to read in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.policy.explain import Asked, Explanation, ItemShown, Node, Said

_VALUE = {True: "true", False: "false", None: "unknown"}
_TICK = {True: "✓", False: "✗", None: "?"}
_STATES = {"OPEN": "✓ open", "CLOSED": "… closed", "NO_GATE": "– no gate here"}


def lines(found: Explanation) -> Iterator[str]:
    """The whole explanation, step by step."""
    place = f"{found.name} ({found.jurisdiction}@{found.version})"
    yield f"{place}, {found.on}; deceased {found.deceased}, area {found.area}"
    yield f"ADMITTED: {_word(found.admitted)}.  A submission of this form would be taken: {_word(found.accepted)}."
    yield from _intake(found)
    yield ""
    yield "3. Eligibility"
    for rule in found.rules:
        yield f"   {_TICK[rule.value]} {_VALUE[rule.value]:8}{rule.name} · {rule.name_en} {_ids(rule.ids)}"
        yield from _tree(rule.condition, 6)
    if not found.rules:
        yield "   no rule: everybody is admitted"
    yield ""
    yield "4. Fields"
    yield from _asked(found.fields)
    yield ""
    yield "5. Papers"
    yield from _asked(found.materials)
    yield ""
    yield "6. What the form check says"
    for problem in found.problems:
        yield f"   {'!' if problem.warning else '✗'} {problem.path or '(form)'}: {_said(problem)}"
    if not found.problems:
        yield "   nothing is missing or wrong"
    yield ""
    yield "7. Items"
    for item in found.items:
        yield from _item(item)
    yield ""
    yield "8. Order, if everybody does what is asked"
    for at, turn in enumerate(found.course, 1):
        outside = f" after {', '.join(turn.outside)} came from outside" if turn.outside else ""
        yield f"   {at}.{outside} {', '.join(turn.items)}"
    never = [item.slug for item in found.items if item.in_case and item.turn is None]
    if never:
        yield f"   never, as things stand: {', '.join(never)}"
    yield ""
    yield f"9. Supervision {_ids(found.supervision_ids)}"
    for key, period in found.supervision.items():
        yield f"   {key}: {period}"
    if not found.supervision:
        yield "   nobody is told because of time alone, but of a limit that has passed"


def _intake(found: Explanation) -> Iterator[str]:
    flow, channel = found.flow, found.channel
    yield ""
    yield "1. Kind of death"
    yield f"   {_TICK[flow.admitted]} {flow.code} {flow.name} {_ids(flow.ids)}"
    if flow.reporters:
        yield f"     may be filed by: {'、'.join(flow.reporters)}"
    if flow.opened_by:
        yield f"     may be opened before a report by the certificate of {flow.opened_by}"
    if flow.after:
        there = "it is there" if flow.after_there else "none of them is there"
        papers = f"{' or '.join(flow.after)} {_ids(flow.after_ids)}"
        yield f"     {_TICK[flow.after_there]} filed only after {papers}: {there}"
    yield ""
    yield "2. Channel"
    yield f"   {_TICK[channel.name is not None]} {channel.code} {channel.name or 'is not offered'} {_ids(channel.ids)}"


def _asked(things: tuple[Asked, ...]) -> Iterator[str]:
    if not things:
        yield "   none: NOT STATED"
    for thing in things:
        state = "✓ given" if thing.given else "✗ MISSING" if thing.required else "– left out"
        need = "required" if thing.required else "optional"
        yield f"   {state:10} {need} {thing.code} {thing.name} {_ids(thing.ids)}"
        if thing.required_because is not None and thing.required and not thing.given:
            yield from _tree(thing.required_because, 14)


def _item(item: ItemShown) -> Iterator[str]:
    begins = f" · turn {item.turn}" if item.turn is not None else ""
    yield f"   {_TICK[item.in_case]} {item.slug} {item.name} {_ids(item.ids)}: {item.decision}{begins}"
    yield f"       {item.department or 'department NOT STATED'} · {item.handler} · {item.trigger}"
    if item.why is not None:
        yield f"       why: {_said(item.why)}"
    elif item.decision == "NOT_CHOSEN":
        yield "       why: it is in a case only when it is chosen"
    if item.condition is not None:
        yield from _tree(item.condition, 9)
    if not item.in_case:
        return
    if item.business_types:
        yield f"       business types: {', '.join(item.business_types)}"
    for gate in item.waits:
        said = f": {gate.said.zh}" if gate.said is not None else ""
        yield f"       waits for {gate.what} {_ids(gate.ids)} {_STATES[gate.state]}{said}"
        if gate.when is not None:
            yield from _tree(gate.when, 11)
    if not item.waits:
        yield "       waits for nothing"
    for clock in item.clocks:
        limit = "no limit stated" if clock.limit is None else f"{clock.limit} {clock.unit} from {clock.start}"
        yield f"       clock {clock.clock}: {limit} {_ids(clock.ids)}{'' if clock.counts else ' (not in this case)'}"
    if not item.clocks:
        yield "       no limit stated"
    yield from _money(item)
    for what, kinds in (("issues", item.issues), ("sees", item.sees)):
        if kinds:
            yield f"       {what}: {', '.join(kinds)}"


def _money(item: ItemShown) -> Iterator[str]:
    money = item.money
    if money is None:
        return
    yield f"       money: {', '.join(money.kinds)}; payee {money.payee or 'NOT STATED'} {_ids(money.ids)}"
    if money.waits is not None:
        yield f"         waits: {_said(money.waits)}"
    if money.held is not None:
        yield f"         held: {_said(money.held)}"
    elif money.account is not None:
        yield f"         paid to {money.account}"
    else:
        yield "         the institution pays by itself; no account is told"
    if money.deducted is not None:
        yield f"         reduced by a negative sum of {money.deducted}"


def _tree(node: Node, indent: int) -> Iterator[str]:
    given = "" if node.parts else f"  (is {node.given if node.given is not None else 'not known'})"
    yield f"{' ' * indent}{_VALUE[node.value]:8}{node.text}{given}"
    for part in node.parts:
        yield from _tree(part, indent + 2)


def _said(found: Said) -> str:
    return f"{found.code} {found.zh} {_ids(found.ids)}"


def _ids(ids: tuple[str, ...]) -> str:
    return f"[{', '.join(ids)}]" if ids else "[convention]"


def _word(value: bool) -> str:
    return "yes" if value else "no"
