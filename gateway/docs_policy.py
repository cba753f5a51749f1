"""``docs/policy.md``: how to write a jurisdiction file, and every key it may hold, printed from the models."""

from __future__ import annotations

import inspect
import types
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gateway.policy.model import AreaCode, Code, Jurisdiction, RowId, Slug, Strict

SMALLEST = """\
code: tk
name: 桃源县
name_en: Taoyuan
version: "1"
effective_from: 2025-01-01
document: {title: 桃源县试点方案, issuer: 桃源县人民政府, number: null, seed: none}
area: "990300"
time_zone: Asia/Shanghai
case_number: TK{date}{serial:04d}
duty_contact: 县政务服务中心
duty_contact_en: the county service centre
areas:
  - {code: "990300", name: 桃源县, level: COUNTY}
channels:
  - {code: WINDOW, name: 窗口, name_en: window, source: TK-201}
flows:
  - {code: OUTSIDE, name: 正常死亡, name_en: normal death, source: TK-501, reporters: [family, window-clerk]}
eligibility:
  - source: TK-101
    condition: {fact: deceased.hukouArea, within: ["990300"]}
    name: 逝者为本县户籍
    name_en: the deceased was registered here
    fact_label: deceased.hukouArea
form_groups:
  - {code: DECEASED, name: 逝者, name_en: deceased, source: TK-301}
form:
  - {path: deceased.name, label: 姓名, label_en: name, group: DECEASED, type: TEXT, required: true, source: TK-302}
  - {path: deceased.idNumber, label: 身份证号码, label_en: ID number, group: DECEASED, type: ID_NUMBER, required: true}
  - {path: deceased.hukouArea, label: 户籍地, label_en: registration, group: DECEASED, type: AREA, required: true}
situations: []
items:
  - slug: hukou-deregistration
    source: TK-601
    clause: 第六条
    quote: 办理户口注销
    name: 户口注销
    name_en: cancellation of household registration
    department: public-security
    kind: DEREG
    trigger: AUTO
    phase: AFTERCARE
    clocks:
      - {clock: PROCESSING, limit: null, source: TK-602}
"""

TUTORIAL = f"""\
# A jurisdiction file

Printed by `shenhou export-docs`: the tutorial from `gateway/docs_policy.py`, the reference from the models in
`gateway/policy/model/` and the words under their fields.

Three rules before anything else. Every rule names the row it comes from (`source`). What the document does not say is
`null`, which means NOT STATED, never a guess. What the model cannot say is added to the model first.

## A jurisdiction in 30 minutes

**1. Five minutes: the smallest valid file.** Save it as `taoyuan.yaml`:

```yaml
{SMALLEST}```

**2. Check it.** A mistake comes with file and line; the summary counts what is not stated, `--nulls` lists it.

```sh
shenhou policy check taoyuan.yaml --nulls
```

For help while you type, let your editor read the schema: `shenhou policy schema > jurisdiction.schema.json`, and as the
first line of the file `# yaml-language-server: $schema=jurisdiction.schema.json`.

**3. Ten minutes: ask what becomes of a deceased.** Without a form file, options stand for it; with `--case form.yaml`
it is the form of `submitCase`, the same keys.

```sh
shenhou policy explain taoyuan.yaml --hukou 990300
shenhou policy explain taoyuan.yaml --hukou 110101       # not admitted, by TK-101
```

Every rule, field, paper and item is there with its row, every condition with the value that decided it.

**4. Add an item that waits.** Under `items`, a stop that begins when the registration is cancelled:

```yaml
  - slug: pension-stop
    source: TK-603
    clause: 第六条
    quote: 停发养老金
    name: 停发养老金
    name_en: stop of pension
    department: social-security
    kind: STOP
    trigger: AUTO
    phase: AFTERCARE
    effect: NEXT_MONTH
    requires: [{{item: hukou-deregistration, source: TK-604}}]
    clocks: [{{clock: PROCESSING, limit: 5, unit: WORKING_DAYS, source: TK-605}}]
```

**5. See the order.** `shenhou policy graph taoyuan.yaml` prints a Mermaid flowchart; `--format dot` and
`--format text` print the same otherwise.

**6. Compare it with a neighbour.** `shenhou policy diff hz taoyuan.yaml`; of two versions of one jurisdiction every
word is compared. The exit code is 0 when they are equal and 1 when they differ.

**7. Ten minutes: a test.** Move the file to `gateway/policy/data/`, and write down what the document promises:

```python
@pytest.mark.rule("TK-604")
def test_the_pension_stops_after_the_registration_is_cancelled(world: World) -> None:
    world.submit(tk_form())
    assert world.status("pension-stop") == "BLOCKED"
    world.report(POLICE, "hukou-deregistration", "s-1", Outcome.COMPLETED)
    assert world.status("pension-stop") == "DISPATCHED"
```

`tests/integration/test_new_jurisdiction.py` does it with a file of its own, from end to end.

## Reference

Types: **text**; **CODE** = capitals, digits and `_`; **slug** = small letters, digits and `-`; **row id** = `TK-601`;
**area code** = 6, 9 or 12 digits, in quotes; **date** = `2025-01-01`; **condition** = see [Condition](#condition).
A key with the default **required** must be there; `null` in the type means that null may be written, and the meaning
says what it means; where it says nothing else, null is NOT STATED.
"""

COMMON = {
    "name": "Official Chinese term.",
    "name_en": "English term.",
    "label": "The form's own words.",
    "label_en": "The same in English.",
    "text": "The words.",
    "text_en": "The same in English.",
    "code": "Code, unique in its list.",
    "slug": "Code, unique in its list; adapters know the item by it.",
    "source": "Row of the requirements that says so.",
    "clause": "Place in the document.",
    "quote": "What the document says, word for word.",
}
"""Keys that mean the same wherever they stand."""

BAR = "\\|"
"""A bar inside a table's cell."""

_ALIASES = {Code: "CODE", Slug: "slug", RowId: "row id", AreaCode: "area code"}
_PLAIN: dict[Any, str] = {str: "text", int: "whole number", bool: "true/false", date: "date"}


def policy() -> str:
    """The page."""
    lines = [TUTORIAL]
    for model in models():
        lines += [f"### {model.__name__}", "", " ".join((inspect.getdoc(model) or "").replace("``", "`").split()), ""]
        lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
        for name, field in model.model_fields.items():
            kind = _type(_annotation(model, name))
            shown = (f"`{field.alias or name}`", kind, _default(field), meaning(model, name))
            lines.append(f"| {' | '.join(cell.replace('|', BAR) for cell in shown)} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def models() -> list[type[Strict]]:
    """The jurisdiction and every model below it, in the order they are met."""
    found: list[type[Strict]] = [Jurisdiction]
    for model in found:
        for name in model.model_fields:
            found += [inner for inner in _inner(_annotation(model, name)) if inner not in found]
    return found


def meaning(model: type[Strict], name: str) -> str:
    """The words under the field; for common keys those of ``COMMON``."""
    words = model.model_fields[name].description or COMMON.get(name, "")
    return " ".join(words.replace("``", "`").split())


def _annotation(model: type[Strict], name: str) -> Any:
    owner = next(kind for kind in model.__mro__ if name in inspect.get_annotations(kind))
    return inspect.get_annotations(owner, eval_str=True)[name]


def _inner(annotation: Any) -> list[type[Strict]]:
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return [annotation]
    return [model for part in get_args(annotation) for model in _inner(part)]


def _type(annotation: Any) -> str:
    for alias, word in _ALIASES.items():
        if annotation == alias:
            return word
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join("null" if part is type(None) else _type(part) for part in parts)
    if origin is Annotated:
        return _type(parts[0])
    if origin is Literal:
        return " · ".join(f"`{str(part).lower() if isinstance(part, bool) else part}`" for part in parts)
    if origin is list:
        return f"list of {_type(parts[0])}"
    if origin is dict:
        return f"{_type(parts[0])} → {_type(parts[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " · ".join(f"`{member.value}`" for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return _PLAIN.get(annotation, str(annotation))


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "**required**"
    if field.default is None:
        return "null"
    if isinstance(field.default, bool):
        return str(field.default).lower()
    if field.default in ([], {}, ""):
        return "empty"
    return ", ".join(field.default) if isinstance(field.default, list) else str(field.default)
