"""Decided once per document: is it too large, is it valid, which root fields does it ask for?  Then: may the viewer?

A document that was read before costs a look into a table, whether it was taken or refused.  Rights are checked for
every request before anything is executed and before any department is called (PD-22).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    OverlappingFieldsCanBeMergedRule,
    SelectionSetNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.access.asking import Asking
from gateway.access.fields import Group
from gateway.domain.messages import Code, Problem, Reason, Refused
from schema.asked import personal_data
from schema.context import Context
from schema.costs import Prices, prices
from schema.measure import Limits, Size, TooLarge, Unknown, measure

NOT_THE_CLIENTS = frozenset({Code.TRY_AGAIN, Code.TIME_LIMIT, Code.IDENTITY_UNAVAILABLE, Code.INTERNAL})
"""Errors after which the same request may succeed later; after every other one the client has to change something."""
OPERATION = 120
"""Characters of an operation's root fields that are kept in the access record."""
KEPT = 500
"""Documents that are remembered; as many again that were refused."""
ERRORS = 5
"""Mistakes of one document that are told."""
ABOUT_SCHEMA = frozenset({"__schema", "__type", "_service"})
RULES = (*(rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule),)
RULES += (MaybeNullValidationRule, OneOfInputValidationRule)
TOO_LARGE: Mapping[str, tuple[str, str]] = {
    "depth": ("嵌套层数", "levels of nesting"),
    "aliases": ("别名及重复字段", "aliases and repeated fields"),
    "tokens": ("词元数", "tokens"),
    "directives": ("指令数", "directives"),
    "directives_here": ("同一处的指令数", "directives in one place"),
    "operations": ("操作数", "operations"),
    "cost": ("预计字段数", "fields by estimate; ask for smaller pages"),
}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document.  ``fields``: its root fields, fragments spread out; ``personal``: the kinds of
    personal data it asks for."""

    kind: OperationType
    fields: tuple[str, ...]
    personal: frozenset[Group]
    cost: int


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was found valid."""

    node: DocumentNode
    operations: Mapping[str, Operation]

    def operation(self, name: str | None) -> Operation:
        """The one that runs.  Raises ``GraphQLError`` when that is none, or not clear."""
        if not name and len(self.operations) > 1:
            raise GraphQLError("Must provide operation name if query contains multiple operations.")
        found = self.operations.get(name) if name else next(iter(self.operations.values()), None)
        if found is None:
            raise GraphQLError("Unknown operation named in the request.")
        return found


class Gate:
    """Reads documents for one schema.  ``open_schema``: whether everybody may ask about the schema itself."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, open_schema: bool) -> None:
        self.schema, self.limits, self.open_schema = schema, limits, open_schema
        self.prices: Prices = prices(schema)
        self._taken: Kept[Document] = Kept(KEPT)
        self._refused: Kept[GraphQLError] = Kept(KEPT)

    def read(self, text: str) -> Document:
        """Raises ``GraphQLError`` for a document that is too large or not valid."""
        taken = self._taken.get(text)
        if taken is not None:
            return taken
        refused = self._refused.get(text)
        if refused is None:
            try:
                found = self._read(text)
            except GraphQLError as error:
                refused = error.with_traceback(None)
                if len(text) <= self.limits.tokens:  # what is longer is not worth the room
                    self._refused.put(text, refused)
            else:
                self._taken.put(text, found)
                return found
        raise refused

    def size(self, text: str) -> Mapping[str, Size]:
        """Raises ``GraphQLError`` (OPERATION_TOO_LARGE, or for a field that does not exist)."""
        try:
            return measure(text, self.prices, self.limits, strict=not self.open_schema)
        except Unknown as unknown:
            raise GraphQLError(f"Cannot query field '{unknown.name[:100]}'.") from None
        except TooLarge as too:
            limit = getattr(self.limits, too.what)
            raise too_large(*TOO_LARGE[too.what], limit) from None

    def _read(self, text: str) -> Document:
        sizes = self.size(text)
        node = parse(text)
        for rules in (RULES, (OverlappingFieldsCanBeMergedRule,)):
            found = validate(self.schema, node, rules, max_errors=ERRORS, hide_suggestions=not self.open_schema)
            if found:
                raise found[0] if len(found) == 1 else Mistakes(found[:ERRORS])
        operations = {}
        for one, fields in root_fields(node):
            name = one.name.value if one.name else ""
            personal = personal_data(self.schema, node, one)
            operations[name] = Operation(one.operation, fields, personal, sizes[name].cost)
        return Document(node, operations)

    def admit(self, field: str, context: Context) -> None:
        """Raises ``Refused`` (UNAUTHENTICATED, FORBIDDEN) for a root field that is not the viewer's."""
        if field in ABOUT_SCHEMA and not self.open_schema:
            context.allow_schema(field)
        if not field.startswith("__"):
            context.allow(field)


class Mistakes(GraphQLError):
    """Several mistakes of one document."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


class Kept(Generic[T]):
    """The last so many, by text."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._found: dict[str, T] = {}
        self._lock = threading.Lock()

    def get(self, text: str) -> T | None:
        found = self._found.get(text)
        if found is not None:
            self.put(text, found)
        return found

    def put(self, text: str, value: T) -> None:
        with self._lock:
            self._found.pop(text, None)
            self._found[text] = value
            while len(self._found) > self.most:
                del self._found[next(iter(self._found))]


def too_large(what: str, what_en: str, limit: int) -> GraphQLError:
    """An operation, or what it brings with it, exceeds a limit."""
    reason = Reason(Code.OPERATION_TOO_LARGE, ("PD-22",), {"detail": what, "detail_en": what_en, "limit": str(limit)})
    return as_error(Refused(Problem(reason)))


def as_error(refused: Refused) -> GraphQLError:
    """A refusal as an error of the operation, with its codes."""
    reason = refused.problems[0].reason
    return GraphQLError(
        reason.zh(),
        extensions={
            "code": reason.code.value,
            "classification": "BAD_REQUEST" if reason.code not in NOT_THE_CLIENTS else "UNAVAILABLE",
            "messageEn": reason.en(),
            "requirementIds": list(reason.ids),
            "path": refused.problems[0].path,
        },
    )


def guard(gate: Gate) -> type[SchemaExtension]:
    """Hands the document that was read to the library, and refuses the operation that is not the viewer's."""

    class Guard(SchemaExtension):
        def on_operation(self) -> Iterator[None]:
            found = gate.read(self.execution_context.query or "")
            self.execution_context.graphql_document = found.node
            self.execution_context.validation_rules = ()
            yield

        def on_execute(self) -> Iterator[None]:
            context: Context = self.execution_context.context
            found = gate.read(self.execution_context.query or "").operation(self.execution_context.operation_name)
            told = ",".join(field for field in found.fields if not field.startswith("__"))
            context.asking = Asking(told[:OPERATION], found.personal, context.origin)
            for field in found.fields:
                try:
                    gate.admit(field, context)
                except Refused as refused:
                    denied = replace(context.asking, operation=field)
                    context.desk.note_denied(context.viewer, denied, refused.problems[0].reason.code)
                    raise as_error(refused) from refused
            yield

    return Guard


def root_fields(document: DocumentNode) -> list[tuple[OperationDefinitionNode, tuple[str, ...]]]:
    """Each operation with the names of its root fields, fragments spread out."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    spread: dict[str, set[str]] = {}

    def walk(selections: SelectionSetNode) -> set[str]:
        names: set[str] = set()
        for node in selections.selections:
            if isinstance(node, FieldNode):
                names.add(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                names |= walk(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and (found := fragments.get(node.name.value)) is not None:
                if found.name.value not in spread:
                    spread[found.name.value] = walk(found.selection_set)
                names |= spread[found.name.value]
        return names

    return [
        (node, tuple(sorted(walk(node.selection_set))))
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    ]
