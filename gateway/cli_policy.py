"""``shenhou policy``: check, list, compare, explain and draw the rules of jurisdictions."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from gateway import plain_yaml
from gateway.domain.identity import check_digit
from gateway.policy import loader, notation
from gateway.policy.book import PolicyBook
from gateway.policy.model import Jurisdiction, Strict

app = typer.Typer(no_args_is_help=True, help="Policy files: check, compare, explain, draw.")
PIPED_WIDTH = 300
"""Columns where no terminal says how many it has: what is piped into a search must not be cut."""

out = Console(soft_wrap=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
Policy = Annotated[str, typer.Argument(help="Jurisdiction: code, code@version, or the path of a file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable.")]
MAY_BE_NULL = ("effective_to", "parent", "when")
"""Keys whose null is no silence of a document: no end, no parent, no condition."""


class Format(StrEnum):
    mermaid = "mermaid"
    dot = "dot"
    text = "text"


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Further jurisdiction files.")] = None,
    nulls: Annotated[bool, typer.Option(help="List every null: what the documents do not state.")] = False,
) -> None:
    """Check every policy file, or further ones beside them; mistakes come with file and line."""
    try:
        book = loader.load(more=tuple(files or ()))
    except loader.PolicyMistake as error:
        _stop(str(error), 2)
    for policy in book.jurisdictions:
        silent = list(not_stated(policy))
        typer.echo(
            f"{policy.code} {policy.name} {policy.version}: {len(policy.items)} items, {len(policy.form)} form fields, "
            f"{len(policy.eligibility)} eligibility rules, {len(silent)} null = NOT STATED, good"
        )
        for line in silent if nulls else ():
            typer.echo(f"  {line}")


@app.command()
def items(code: Policy) -> None:
    """List the items of a jurisdiction with their departments, gates and limits."""
    _, found = _find(code)
    table = Table("row", "item", "name", "department", "waits for", "limits", title=f"{found.name} {found.version}")
    for item in found.items:
        gates = "\n".join(notation.requirement(gate) for gate in item.requires)
        limits = "\n".join(notation.limit(clock) for clock in item.clocks)
        table.add_row(item.source, item.slug, item.name, item.department or "—", gates or "—", limits or "—")
    out.print(table)


@app.command()
def diff(
    left: Policy,
    right: Policy,
    as_json: AsJson = False,
    wording: Annotated[
        bool | None,
        typer.Option(help="Row ids, names and quotes too; if omitted, only between two versions of one jurisdiction."),
    ] = None,
) -> None:
    """Compare two jurisdictions, or two versions of one, by meaning.  Exit code 0: equal, 1: different."""
    from gateway.policy import diff as compare

    (_, one), (_, other) = _find(left), _find(right)
    changes = compare.diff(one, other, wording)
    names = [f"{policy.code}@{policy.version}" for policy in (one, other)]
    if as_json:
        plain = {"left": names[0], "right": names[1], "changes": [change.plain() for change in changes]}
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        raise typer.Exit(1 if changes else 0)
    for section in dict.fromkeys(change.section for change in changes):
        table = Table("what", "", *names, title=section, show_lines=True)
        for change in (change for change in changes if change.section == section):
            sides = zip((change.left, change.right), (change.left_ids, change.right_ids), strict=True)
            absent = "—" if change.kind != compare.CHANGED else notation.NOT_STATED
            shown = [f"{text if text is not None else absent} {_ids(ids)}".strip() for text, ids in sides]
            where = f"{change.key}\n{change.field}" if change.key and change.field else change.key or change.field
            table.add_row(*map(_plain, (where, change.kind.lower(), *shown)))
        out.print(table)
    typer.echo(f"{names[0]} and {names[1]}: {len(changes)} differences")
    raise typer.Exit(1 if changes else 0)


@app.command()
def explain(
    code: Policy,
    case: Annotated[Path | None, typer.Option(help="Form as JSON or YAML, shaped like SubmitCaseInput.")] = None,
    flow: Annotated[str | None, typer.Option(help="Kind of death: OUTSIDE, INSIDE, ABNORMAL.")] = None,
    channel: Annotated[str | None, typer.Option(help="Channel; if omitted, the first that is offered.")] = None,
    situation: Annotated[list[str] | None, typer.Option(help="CODE=true or CODE=false.")] = None,
    hukou: Annotated[str | None, typer.Option(help="Area code of the household registration.")] = None,
    death_area: Annotated[str | None, typer.Option(help="Area code of the place of death.")] = None,
    item: Annotated[list[str] | None, typer.Option(help="Item that was chosen.")] = None,
    answer: Annotated[list[str] | None, typer.Option(help="form.path=value.")] = None,
    certificate: Annotated[list[str] | None, typer.Option(help="Certificate the platform holds already.")] = None,
    unidentified: Annotated[bool, typer.Option(help="Without --case: an unidentified body.")] = False,
    at: Annotated[str | None, typer.Option(help="When it is filed, RFC 3339; if omitted, now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Explain what becomes of a deceased here, step by step, with the rows that say so.

    Options stand for a form, of an invented person, or change the one given with --case.
    """
    from gateway.cli_explain import lines
    from gateway.policy import explain as explained
    from gateway.services.joint_submission import clean
    from schema.plain import NotAForm, form

    now = _time(at)
    book, policy = _find(code, now.date())
    document: dict[str, Any] = _document(case) if case is not None else {"deceased": _somebody(unidentified)}
    document.setdefault("jurisdiction", policy.code)
    document["flow"] = flow or document.get("flow") or policy.flows[0].code
    document["channel"] = channel or document.get("channel") or policy.channels[0].code
    document["deceased"] = dict(document.get("deceased") or {}) | ({"hukouArea": hukou} if hukou else {})
    document["death"] = dict(document.get("death") or {}) | ({"area": death_area} if death_area else {})
    document["items"] = [*(document.get("items") or []), *(item or [])]
    if document["jurisdiction"] != policy.code:
        _stop(f"the form is for {document['jurisdiction']}, not for {policy.code}", 2)
    try:
        read = form(document)
    except NotAForm as error:
        _stop("\n".join(error.lines), 2)
    declared = {key: _bool(key, value) for key, value in _pairs(situation)}
    filled = clean(read, policy)
    filled = replace(
        filled,
        situations={**filled.situations, **declared},
        answers={**filled.answers, **dict(_pairs(answer))},
        shared=tuple(certificate or ()),
    )
    found = explained.explain(book, policy, filled, now)
    if as_json:
        typer.echo(json.dumps(found.plain(), ensure_ascii=False, indent=2))
        return
    for line in lines(found):
        typer.echo(line)


@app.command()
def graph(
    code: Policy,
    format: Annotated[Format, typer.Option(help="How to draw it.")] = Format.mermaid,
) -> None:
    """Draw the order of items: what opens each, what it issues, what is deducted."""
    from gateway.policy import graph as drawing

    book, policy = _find(code)
    draw = {Format.mermaid: drawing.mermaid, Format.dot: drawing.dot, Format.text: drawing.text}[format]
    typer.echo(draw(drawing.draw(book, policy)), nl=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a jurisdiction file, for editors that check YAML while it is written."""
    plain = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Jurisdiction.model_json_schema()}
    typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))


def not_stated(node: Any, at: str = "") -> Iterator[str]:
    """Places written ``null`` in a file: the document was searched and is silent."""
    if isinstance(node, list):
        for index, part in enumerate(node):
            name = next((getattr(part, key) for key in ("slug", "code", "path") if hasattr(part, key)), index)
            yield from not_stated(part, f"{at}.{name}")
    elif isinstance(node, Strict):
        row = getattr(node, "source", None)
        for name in type(node).model_fields:
            value, place = getattr(node, name), f"{at}.{name}".removeprefix(".")
            if value is None and name in node.model_fields_set and name not in MAY_BE_NULL:
                yield f"{place} [{row}]" if row else place
            else:
                yield from not_stated(value, place)


def _find(wanted: str, on: date | None = None) -> tuple[PolicyBook, Jurisdiction]:
    """A code means the version in force, else the latest there is."""
    code, _, version = wanted.partition("@")
    if not re.fullmatch(r"[a-z]{2,}", code):
        if not Path(wanted).is_file():
            _stop(f"{wanted}: no such file", 2)
        book = _load((Path(wanted),), alone=True)
        return book, book.jurisdictions[0]
    book = _load()
    of_code = sorted((found for found in book.jurisdictions if found.code == code), key=lambda f: f.effective_from)
    if version:
        of_code = [found for found in of_code if found.version == version]
    found = None if version else book.in_force(code, on or date.today())
    if found is None and not of_code:
        _stop(f"no jurisdiction {wanted}; there are {', '.join(_names(book))}", 2)
    return book, found or of_code[-1]


def _names(book: PolicyBook) -> list[str]:
    return [f"{policy.code}@{policy.version}" for policy in book.jurisdictions]


def _load(more: tuple[Path, ...] = (), alone: bool = False) -> PolicyBook:
    try:
        return loader.load(more=more, alone=alone)
    except loader.PolicyMistake as error:
        _stop(str(error), 2)


def _document(path: Path) -> dict[str, Any]:
    """Numbers and times stay as they are written: ``330302``, ``2019-11-18T17:00:00+08:00``."""
    try:
        found = plain_yaml.read(path.read_text(encoding="utf-8"), as_written=True)
    except (OSError, UnicodeDecodeError) as error:
        _stop(f"{path}: {error}", 2)
    except plain_yaml.NotYaml as error:
        _stop(f"{path}:{error.line}: neither JSON nor YAML: {error.problem}", 2)
    if not isinstance(found, dict):
        _stop(f"{path}: not a form", 2)
    return {str(key): value for key, value in found.items()}


def _somebody(unidentified: bool) -> dict[str, str]:
    """An invented person: without a name and a number, items would wait for the identity."""
    number = "99000019400101001"
    return {"idKind": "UNKNOWN"} if unidentified else {"name": "某某", "idNumber": number + check_digit(number)}


def _pairs(given: list[str] | None) -> Iterator[tuple[str, str]]:
    for pair in given or ():
        key, found, value = pair.partition("=")
        if not found:
            _stop(f"{pair}: write it as key=value", 2)
        yield key, value


def _bool(key: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        _stop(f"{key}: true or false", 2)
    return value.lower() == "true"


def _time(given: str | None) -> datetime:
    try:
        found = datetime.fromisoformat(given) if given else datetime.now(UTC)
    except ValueError:
        _stop("--at: a time as in 2025-11-07T22:10:00+08:00", 2)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _ids(ids: tuple[str, ...]) -> str:
    return f"({', '.join(ids)})" if ids else ""


def _plain(text: str) -> str:
    """Brackets are no markup."""
    return text.replace("[", r"\[")


def _stop(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
