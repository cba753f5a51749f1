"""``shenhou documents``: operations that are known beforehand, for gateways on which nothing else runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(no_args_is_help=True, help="Trusted documents: check them against the schema, register them.")
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)
Paths = Annotated[list[Path], typer.Argument(help="Manifests, .graphql files, and folders of them.", exists=True)]


@app.command()
def check(paths: Paths) -> None:
    """Check documents against the schema and the limits; exit 1 when one of them would not run."""
    raise typer.Exit(0 if _checked(paths, out) else 1)


@app.command()
def register(
    paths: Paths,
    to: Annotated[Path | None, typer.Option(help="Manifest to write; without it the manifest is printed.")] = None,
) -> None:
    """Make one manifest of documents that all run.  SHENHOU_TRUSTED_DOCUMENTS names it."""
    from schema import documents

    if not _checked(paths, err):
        raise typer.Exit(1)
    text = json.dumps(documents.manifest(_found(paths)), ensure_ascii=False, indent=2) + "\n"
    if to is None:
        typer.echo(text, nl=False)
    else:
        to.write_text(text, encoding="utf-8")


def _found(paths: list[Path]) -> list[tuple[str, str]]:
    """Names and texts; stops the command at a file that is none."""
    from schema import documents

    try:
        found = [named for path in paths for named in documents.named(path)]
    except documents.BadDocuments as error:
        err.print(str(error))
        raise typer.Exit(2) from error
    return list({text: (name, text) for name, text in found}.values())


def _checked(paths: list[Path], to: Console) -> bool:
    from graphql import GraphQLError

    from schema.build import build
    from schema.documents import id_of

    gate, good = build().gate, True
    for name, text in _found(paths):
        try:
            cost = max((one.cost for one in gate.read(text).operations.values()), default=0)
        except GraphQLError as error:
            good = False
            to.print(
                f"{id_of(text)[:12]}  REFUSED        {name}: {(error.extensions or {}).get('messageEn', error.message)}"
            )
        else:
            to.print(f"{id_of(text)[:12]}  cost {cost:8}  {name}")
    return good
