"""登记表: the registration form on paper, blank or as it was filed.

Groups, labels and tick boxes are those of the policy file, in its order.  A filled form is drawn from a case as its
viewer sees it: what was masked or cut away before stays so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateway.documents.page import day, moment, render
from gateway.domain.case import Case
from gateway.domain.form import Form
from gateway.policy import served, words
from gateway.policy.book import PolicyBook, holds
from gateway.policy.decide import facts_of, form_of
from gateway.policy.model import Commitment, FormField, FormGroup, Jurisdiction, Notice

TITLE = "身后“一件事”联办登记表"
BOXES = 10
"""A field with more options than these is written out."""
NARROW = 14
"""A label longer than this takes a line of its own."""
SIGNED = ("签名", "签字", "签章")
CLERK = "window-clerk"


@dataclass(frozen=True, slots=True)
class Box:
    name: str
    on: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    label: str
    mark: str = ""
    value: str = ""
    boxes: tuple[Box, ...] = ()
    hint: str | None = None
    wide: bool = False


@dataclass(slots=True)
class Part:
    """One group of the form."""

    name: str
    rows: list[list[Cell]]
    notices: list[str]
    ticks: list[Box] | None = None
    promises: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a form is drawn from.  ``form`` None: a blank one.  ``whole`` False: the viewer sees a part of the case."""

    book: PolicyBook
    policy: Jurisdiction
    form: Form | None = None
    case: Case | None = None
    whole: bool = True

    def holds(self, rule: Any) -> bool | None:
        """Whether a condition holds; on a blank form nothing is known."""
        if self.form is None:
            return None if rule is not None else True
        return holds(rule, facts_of(self.form, self.form.flow, self.policy))


def blank_form(book: PolicyBook, policy: Jurisdiction) -> str:
    """The printable blank form."""
    return _draw(Sheet(book, policy))


def filled_form(book: PolicyBook, policy: Jurisdiction, case: Case, now: datetime, whole: bool) -> str:
    """The registration form of a case.  ``case``: as its viewer sees it; ``whole``: the viewer sees all its items."""
    return _draw(Sheet(book, policy, form_of(case), case, whole), printed=moment(policy, now))


def _draw(sheet: Sheet, printed: str | None = None) -> str:
    policy, form, case = sheet.policy, sheet.form, sheet.case
    ticks = _ticks(sheet)
    parts = [(group, _part(sheet, group)) for group in policy.form_groups]
    names = [group.name for group in policy.form_groups]
    promises = [_promise(sheet, promise) for promise in policy.commitments] if sheet.whole else []
    for _, part in parts:
        part.promises = [promise for promise in promises if promise["name"] == part.name]
    empty = next((part for _, part in parts if not part.rows and not part.promises), None)
    if empty is not None and ticks:
        empty.ticks, ticks = ticks, []
    late = [part for group, part in parts if _is_signed(policy, group.code)]
    return render(
        "form.html",
        policy,
        TITLE,
        number=case.number if case else None,
        channel=_channel(sheet),
        reported=moment(policy, case.reported_at) if case else "",
        flows=[Box(flow.name, form is not None and form.flow == flow.code) for flow in policy.flows],
        groups=[part for _, part in parts if part not in late and (part.rows or part.ticks or part.promises)],
        late=late,
        ticks=ticks or None,
        situations=_pairs(_situations(sheet)) if policy.situations and sheet.whole else None,
        materials=_materials(sheet) if policy.materials and sheet.whole else None,
        commitments=[promise for promise in promises if promise["name"] not in names],
        signature=not late,
        stamps=_stamps(sheet),
        notices=_notices(sheet, None),
        legend=_legend(sheet) if form is None else [],
        hidden=case is not None,
        printed=printed,
    )


# ── fields ──────────────────────────────────────────────────────────────────────────────────────────────


def _part(sheet: Sheet, group: FormGroup) -> Part:
    shown = [field for field in sheet.policy.form if field.group == group.code and _stands(sheet, field)]
    return Part(group.name, _pairs([_cell(sheet, field) for field in shown]), _notices(sheet, group.code))


def _stands(sheet: Sheet, field: FormField) -> bool:
    """A field of the paper always stands on it; one of this deployment only where it is asked for."""
    if sheet.form is None or field.source is not None:
        return True
    return sheet.holds(field.shown_when) is not False or sheet.form.value(field.path) is not None


def _cell(sheet: Sheet, field: FormField) -> Cell:
    form, policy = sheet.form, sheet.policy
    value = form.value(field.path) if form is not None else None
    mark = _mark(field) if form is None else ""
    boxes: tuple[Box, ...] = ()
    if field.type == "BOOLEAN":
        said = str(value).lower() if value is not None else None
        boxes = (Box("是", said == "true"), Box("否", said == "false"))
    elif field.type == "OPTION" and 0 < len(field.options or []) <= BOXES:
        boxes = tuple(Box(name.zh, value == code) for code, name in served.options(sheet.book, policy, field))
        if value is not None and value not in (field.options or []):
            boxes = (*boxes, Box(words.option(sheet.book, policy, field.path, str(value)).zh, on=True))
    wide = len(field.label) > NARROW or len(boxes) > 3 or bool(field.hint) or field.path.lower().endswith("address")
    text = "" if boxes or value is None else _text(policy, field, value)
    return Cell(field.label, mark, text, boxes, field.hint, wide or len(text) > 22)


def _text(policy: Jurisdiction, field: FormField, value: object) -> str:
    if field.type == "AREA":
        return next((area.name for area in policy.areas if area.code == value), str(value))
    if isinstance(value, datetime):
        return moment(policy, value)
    if isinstance(value, date):
        return day(value)
    if field.type == "DATE_TIME":
        return _moment_of(policy, str(value))
    if field.type == "DATE":
        return _day_of(str(value))
    return str(value)


def _moment_of(policy: Jurisdiction, text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment(policy, found if found.tzinfo else found.replace(tzinfo=ZoneInfo(policy.time_zone)))


def _day_of(text: str) -> str:
    try:
        return day(date.fromisoformat(text))
    except ValueError:
        return text


def _mark(field: FormField) -> str:
    if field.required:
        return "＊"
    return "△" if field.required_when is not None or field.required_unless is not None else ""


def _legend(sheet: Sheet) -> list[str]:
    """When the conditional fields are to be filled in; fields of one condition together."""
    found: dict[str, list[str]] = {}
    for asked in sheet.policy.form:
        label = words.label(sheet.policy, asked.path).zh
        if asked.required_when is not None:
            said = words.condition(sheet.book, sheet.policy, asked.required_when).zh
            found.setdefault(f"{said}时填写。", []).append(label)
        elif asked.required_unless is not None:
            said = words.condition(sheet.book, sheet.policy, asked.required_unless).zh
            found.setdefault(f"除{said}外，均须填写。", []).append(label)
    return [f"{'、'.join(labels)}：{said}" for said, labels in found.items()]


def _pairs(cells: list[Cell]) -> list[list[Cell]]:
    """Two to a line; a wide one, or one that is left over, has a line of its own."""
    rows: list[list[Cell]] = []
    waiting: list[Cell] = []
    for cell in cells:
        if cell.wide:
            rows += [waiting] if waiting else []
            rows.append([cell])
            waiting = []
        elif waiting:
            rows.append([*waiting, cell])
            waiting = []
        else:
            waiting = [cell]
    return [*rows, waiting] if waiting else rows


# ── choices, papers, promises ───────────────────────────────────────────────────────────────────────────


def _ticks(sheet: Sheet) -> list[Box]:
    """Boxes of the items; for a viewer who sees a part of the case only, those of its items."""
    chosen = sheet.form.items if sheet.form is not None else ()
    seen = sheet.case.items if sheet.case is not None else {}
    return [
        Box(box.name.zh if box.item.enabled else f"{box.name.zh}（未开通）", box.item.slug in chosen)
        for box in served.tick_boxes(sheet.policy)
        if sheet.whole or box.item.slug in seen
    ]


def _situations(sheet: Sheet) -> list[Cell]:
    declared = sheet.form.situations if sheet.form is not None else {}
    return [
        Cell(
            situation.name,
            boxes=(
                Box("是", declared.get(situation.code) is True),
                Box("否", declared.get(situation.code) is False),
            ),
            wide=len(situation.name) > NARROW,
        )
        for situation in sheet.policy.situations
    ]


def _materials(sheet: Sheet) -> list[Box]:
    given = {paper.type for paper in sheet.form.materials} if sheet.form is not None else set()
    given |= {file.kind for file in sheet.case.materials.values()} if sheet.case is not None else set()
    return [Box(material.name, material.code in given) for material in sheet.policy.materials]


def _promise(sheet: Sheet, promise: Commitment) -> dict[str, Any]:
    made = sheet.form.commitments if sheet.form is not None else ()
    return {"name": promise.name, "text": promise.text, "on": promise.code in made}


def _notices(sheet: Sheet, group: str | None) -> list[str]:
    return [_notice(sheet, found) for found in sheet.policy.notices if found.at == group and _told(sheet, found)]


def _told(sheet: Sheet, notice: Notice) -> bool:
    return sheet.holds(notice.when) is not False


def _notice(sheet: Sheet, notice: Notice) -> str:
    if notice.when is None or sheet.form is not None:
        return notice.text
    return f"（{words.condition(sheet.book, sheet.policy, notice.when).zh}）{notice.text}"


def _channel(sheet: Sheet) -> str | None:
    if sheet.form is None:
        return None
    code = sheet.form.channel
    return next((channel.name for channel in sheet.policy.channels if channel.code == code), code)


def _is_signed(policy: Jurisdiction, group: str) -> bool:
    fields = [found for found in policy.form if found.group == group]
    return any(word in found.label for found in fields for word in SIGNED)


def _stamps(sheet: Sheet) -> list[dict[str, str]]:
    """Room for the seal where somebody at the window decides in the platform (WZ-338)."""
    found = []
    for item in sheet.policy.items:
        if item.handler != "PLATFORM" or item.department is not None or CLERK not in item.done_by:
            continue
        done = sheet.case.items.get(item.slug) if sheet.case is not None else None
        at = done.finished_at if done is not None else None
        said = {"COMPLETED": "同意", "REFUSED": "不予办理"}.get(done.status.value, "") if done is not None else ""
        found.append({"name": item.name, "said": said, "on": moment(sheet.policy, at)})
    return found
