"""Decided once per document: is it too large, and which root fields does it ask for?  Then: may the viewer?

Limits cost nothing on a repeated document because parsing and validation are cached; rights are checked for every
request before anything is executed and before any department is called (PD-22).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
    get_named_type,
    get_nullable_type,
)
from strawberry.extensions import SchemaExtension

from gateway.access.asking import Asking
from gateway.domain.messages import Code, Problem, Reason, Refused
from schema.asked import asked
from schema.context import Context


def limits(max_depth: int, max_aliases: int, max_cost: int) -> type[ValidationRule]:
    """A validation rule; made once, so that the validation cache can hit."""

    class Limits(ValidationRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self.context = context

        def enter_document(self, node: DocumentNode, *_: object) -> None:
            fragments = {
                definition.name.value: definition
                for definition in node.definitions
                if isinstance(definition, FragmentDefinitionNode)
            }
            schema = self.context.schema
            total = Size()
            for definition in node.definitions:
                if isinstance(definition, OperationDefinitionNode):
                    root = schema.get_root_type(definition.operation)
                    walk = Walk(schema, fragments, max_cost)
                    total = total.beside(walk.measure(definition.selection_set, root, 1, None, ()))
            if total.depth > max_depth:
                self.report_error(_too_large("嵌套层数", "levels of nesting", max_depth))
            if total.aliases > max_aliases:
                self.report_error(_too_large("别名", "aliases", max_aliases))
            if total.cost > max_cost:
                self.report_error(_too_large("预计字段数", "fields by estimate; ask for smaller pages", max_cost))

    return Limits


@dataclass(frozen=True, slots=True)
class Size:
    """How large a selection is.  ``cost``: fields of the answer, estimated before anything is executed."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0

    def beside(self, other: Size) -> Size:
        return Size(max(self.depth, other.depth), self.aliases + other.aliases, self.cost + other.cost)


@dataclass(slots=True)
class Walk:
    """Measures one operation, fragments spread out; stops as soon as it is too large."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    max_cost: int
    seen: int = 0

    def measure(
        self,
        selections: SelectionSetNode,
        parent: GraphQLNamedType | None,
        factor: int,
        page: int | None,
        path: tuple[str, ...],
    ) -> Size:
        """``factor``: how often this selection is answered; ``page``: the ``first`` of the connection around it."""
        total = Size()
        for node in selections.selections:
            self.seen += 1
            if self.seen > self.max_cost:
                return Size(total.depth, total.aliases, self.max_cost + 1)
            if isinstance(node, FieldNode):
                total = total.beside(self._field(node, parent, factor, page, path))
            elif isinstance(node, InlineFragmentNode):
                inner = self.schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                total = total.beside(self.measure(node.selection_set, inner, factor, page, path))
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                fragment = self.fragments.get(name)
                if fragment is not None and name not in path:
                    inner = self.schema.get_type(fragment.type_condition.name.value)
                    total = total.beside(self.measure(fragment.selection_set, inner, factor, page, (*path, name)))
            if total.cost > self.max_cost:
                break
        return total

    def _field(
        self, node: FieldNode, parent: GraphQLNamedType | None, factor: int, page: int | None, path: tuple[str, ...]
    ) -> Size:
        own = Size(1, int(node.alias is not None), factor)
        if node.selection_set is None or node.name.value.startswith("__"):
            return own
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        definition = fields.get(node.name.value)
        kind = definition.type if definition is not None else None
        asked = _first(node)
        if kind is not None and isinstance(get_nullable_type(kind), GraphQLList):
            factor *= asked or page or LIST_SIZES.get(node.name.value, LIST_SIZE)
            asked = None
        below = self.measure(node.selection_set, get_named_type(kind) if kind else None, factor, asked, path)
        return Size(below.depth + 1, own.aliases + below.aliases, own.cost + below.cost)


LIST_SIZE = 10
"""How long a list is taken to be when nothing is said of it."""
LIST_SIZES = {"items": 30, "nextSteps": 30, "whyNotFinished": 30, "form": 40, "summaryList": 30, "_entities": 100}
PAGE = 100


def _first(node: FieldNode) -> int | None:
    """The page size asked for: ``first``, or the number of ``ids``; a variable counts as the largest page."""
    for argument in node.arguments or ():
        if argument.name.value == "first":
            return int(argument.value.value) if isinstance(argument.value, IntValueNode) else PAGE
        if argument.name.value == "ids":
            return len(argument.value.values) if isinstance(argument.value, ListValueNode) else PAGE
    return None


def _too_large(what: str, what_en: str, limit: int) -> GraphQLError:
    reason = Reason(Code.OPERATION_TOO_LARGE, ("PD-22",), {"detail": what, "detail_en": what_en, "limit": str(limit)})
    return as_error(Refused(Problem(reason)))


def too_many_tokens() -> Reason:
    """The library's own limiter speaks another language."""
    return Reason(Code.OPERATION_TOO_LARGE, ("PD-22",), {"detail": "词元数", "detail_en": "tokens", "limit": "—"})


def as_error(refused: Refused) -> GraphQLError:
    """A refusal as an error of the operation, with its codes."""
    reason = refused.problems[0].reason
    return GraphQLError(
        reason.zh(),
        extensions={
            "code": reason.code.value,
            "messageEn": reason.en(),
            "requirementIds": list(reason.ids),
            "path": refused.problems[0].path,
        },
    )


OPERATION = 120
"""Characters of an operation's root fields that are kept in the access record."""


class RightsGuard(SchemaExtension):
    """Refuses the whole operation when one of its root fields is not the viewer's."""

    def on_execute(self) -> Iterator[None]:
        context: Context = self.execution_context.context
        document, name = self.execution_context.graphql_document, self.execution_context.operation_name
        assert document is not None
        roots, kinds = asked(self.execution_context.schema, document, name)
        context.asking = Asking(",".join(roots)[:OPERATION], kinds, context.origin)
        for field in roots:
            try:
                context.allow(field)
            except Refused as refused:
                denied = replace(context.asking, operation=field)
                context.desk.note_denied(context.viewer, denied, refused.problems[0].reason.code)
                raise as_error(refused) from refused
        yield
