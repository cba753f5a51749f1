"""What a field costs, as the schema publishes it with `@cost` and `@listSize`, and how it is counted.

Every field of an answer counts 1, or the weight of its `@cost`; what stands below a list counts as often as its
`@listSize` says.  The directives are put on the fields here and read back from them: what is counted is what is
published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)
from strawberry.federation.schema_directives import Cost, ListSize
from strawberry.types.base import StrawberryContainer, StrawberryList, StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.field import StrawberryField

LIST = 10
"""Length of a list of which nothing else is said."""
PAGE = 100
"""Largest page, and most entities at once; a page asked for by a variable counts as this long."""
LISTS: Mapping[str, int] = {
    "Case.items": 30,
    "Case.nextSteps": 30,
    "Case.whyNotFinished": 30,
    "Case.summaryList": 30,
    "Jurisdiction.form": 40,
    "Jurisdiction.items": 30,
    "Query.departments": 20,
    "Query.links": 20,
    "Query.nodes": PAGE,
    "SubmissionCheck.items": 30,
}
WEIGHTS: Mapping[str, int] = {
    "Case.registrationForm": 100,
    "Case.summaryDocument": 100,
    "DepartmentItem.liveRecord": 20,
    "Query.alerts": 100,
    "Query.case": 20,
    "Query.cases": 100,
    "Query.checkSubmission": 100,
    "Query.health": 100,
    "Query.links": 100,
    "Query.prefill": 5_000,
    "Query.sharedRecords": 100,
    "Query.supervision": 500,
}
"""Fields that cost more than reading an attribute: a search, a call to a department, a printed document."""
MUTATION = 500
"""A change: a transaction, and what follows from it."""


def declare(kind: StrawberryObjectDefinition, fields: Iterable[StrawberryField]) -> None:
    """Puts the directives on the fields of one type; once, however many schemas are made of it."""
    for one in fields:
        if kind.is_input or any(isinstance(found, Cost | ListSize) for found in one.directives):
            continue
        name = f"{kind.name}.{one.graphql_name or _camel(one.python_name)}"
        weight = MUTATION if kind.name == "Mutation" else WEIGHTS.get(name)
        size = _list_size(name, one.type)
        one.directives = [*one.directives, *([Cost(weight=weight)] if weight else []), *([size] if size else [])]


def _list_size(name: str, kind: Any) -> ListSize | None:
    if isinstance(kind, StrawberryOptional):
        kind = kind.of_type
    if isinstance(kind, StrawberryList):
        inner = kind.of_type
        while isinstance(inner, StrawberryContainer):
            inner = inner.of_type
        leaf = not hasattr(inner, "__strawberry_definition__")
        if name.endswith(("Connection.nodes", "Connection.edges")) or leaf:
            return None
        if name == "DepartmentItem.messages":
            return _sized(slicing_arguments=["first"])
        return _sized(assumed_size=LISTS.get(name, LIST))
    made = getattr(kind, "__strawberry_definition__", None)
    if made is not None and made.name.endswith("Connection"):
        sized = [one.python_name for one in made.fields if one.python_name in ("nodes", "edges")]
        return _sized(slicing_arguments=["first"], sized_fields=sized)
    return None


def _sized(**given: Any) -> ListSize:
    return ListSize(**given, require_one_slicing_argument=False)  # pages have a length when none is asked for


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@dataclass(slots=True)
class Price:
    """One field.  ``below``: prices of what stands below it; empty for a leaf."""

    weight: int = 1
    times: int = 1
    """How often what stands below is answered."""
    paged: bool = False
    """As long as the page of the connection around it."""
    connection: bool = False
    slicing: str | None = None
    """Argument that gives the length of the page."""
    page: int = 0
    """Length of the page when the argument is not given; 0: it has none."""
    below: Mapping[str, Price] = field(default_factory=dict, repr=False)


Prices = Mapping[str, Mapping[str, Price]]
"""By type and field, names as in the schema."""


def prices(schema: GraphQLSchema) -> Prices:
    """The price list of a schema, read from its directives."""
    kinds = [kind for kind in schema.type_map.values() if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)]
    table: dict[str, dict[str, Price]] = {kind.name: {} for kind in kinds}
    sized = {
        (get_named_type(found.type).name, name)
        for kind in kinds
        for found in kind.fields.values()
        for size in _of(found, ListSize)
        for name in size.sized_fields or ()
    }
    for kind in kinds:
        for name, found in kind.fields.items():
            below = table.get(get_named_type(found.type).name, {})
            table[kind.name][name] = _price(found, (kind.name, name) in sized, below)
    return table


def _price(found: GraphQLField, paged: bool, below: Mapping[str, Price]) -> Price:
    plain = found.type.of_type if isinstance(found.type, GraphQLNonNull) else found.type
    price = Price(paged=paged, below=below)
    for cost in _of(found, Cost):
        price.weight = cost.weight
    if isinstance(plain, GraphQLList) and not paged:
        price.times = PAGE  # nothing is published of a list of the federation's own
    for size in _of(found, ListSize):
        price.times = size.assumed_size or 1
        if size.slicing_arguments:
            [price.slicing] = size.slicing_arguments
            given = found.args[price.slicing].default_value
            price.page = given if isinstance(given, int) else PAGE
            price.connection = bool(size.sized_fields)
    return price


def _of(found: GraphQLField, kind: type[Any]) -> list[Any]:
    definition = (found.extensions or {}).get("strawberry-definition")
    return [one for one in getattr(definition, "directives", ()) if isinstance(one, kind)]
