"""What can be wrong between the parts of one policy file: each mistake knows its place."""

from __future__ import annotations


class Misplaced(ValueError):
    """A mistake in a place of its own below the model that finds it; ``loc`` as pydantic counts it."""

    def __init__(self, message: str, *loc: str | int) -> None:
        super().__init__(message)
        self.loc = loc


def unique(what: str, values: list[str], group: str, key: str) -> None:
    for at, value in enumerate(values):
        if value in values[:at]:
            raise Misplaced(f"{what} given twice: {value}", group, at, key)


def no_circle(graph: dict[str, list[str]]) -> None:
    """``graph``: item → items it waits for."""
    done: set[str] = set()
    places = {slug: at for at, slug in enumerate(graph)}

    def visit(slug: str, path: tuple[str, ...]) -> None:
        if slug in path:
            what = f"items wait for each other in a circle: {' → '.join((*path, slug))}"
            raise Misplaced(what, "items", places[path[-1]], "requires")
        if slug not in done:
            for following in graph[slug]:
                visit(following, (*path, slug))
            done.add(slug)

    for slug in graph:
        visit(slug, ())
