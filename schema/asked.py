"""What a document asks for, told from its text: root fields, and kinds of personal data.  Once per document."""

from __future__ import annotations

from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)
from strawberry.schema import Schema

from gateway.access import fields
from gateway.access.fields import GROUPS, Group

META = ("__typename", "__schema", "__type")


@lru_cache(maxsize=512)
def asked(
    schema: Schema, document: DocumentNode, operation_name: str | None
) -> tuple[tuple[str, ...], frozenset[Group]]:
    """Root fields of the operation that runs, and the kinds of personal data it asks for, by ``fields.yaml``."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    types, rules = schema._schema.type_map, fields.load()
    found: set[Group] = set()
    seen: set[str] = set()

    def walk(selections: SelectionSetNode | None, parent: GraphQLNamedType | None) -> None:
        for node in selections.selections if selections is not None else ():
            if isinstance(node, FieldNode) and isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
                of = rules.of(parent.name, node.name.value)
                found.update(GROUPS if "document" in of else (rule for rule in GROUPS if rule in of))
                definition = parent.fields.get(node.name.value)
                walk(node.selection_set, get_named_type(definition.type) if definition is not None else None)
            elif isinstance(node, InlineFragmentNode):
                walk(node.selection_set, types[node.type_condition.name.value] if node.type_condition else parent)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                fragment = fragments[node.name.value]
                walk(fragment.selection_set, types[fragment.type_condition.name.value])

    for operation in _chosen(document, operation_name):
        walk(operation.selection_set, schema._schema.get_root_type(operation.operation))
    return root_fields(document, operation_name), frozenset(found)


def _chosen(document: DocumentNode, operation_name: str | None) -> list[OperationDefinitionNode]:
    return [
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
        and (operation_name is None or (node.name and node.name.value == operation_name))
    ]


def root_fields(document: DocumentNode, operation_name: str | None) -> tuple[str, ...]:
    """Names of the root fields of the operation that runs, fragments spread out."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    names: dict[str, None] = {}

    def walk(selections: SelectionSetNode) -> None:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                if node.name.value not in META:
                    names[node.name.value] = None
            elif isinstance(node, InlineFragmentNode):
                walk(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments:
                walk(fragments[node.name.value].selection_set)

    for operation in _chosen(document, operation_name):
        walk(operation.selection_set)
    return tuple(names)
