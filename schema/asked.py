"""Which kinds of personal data an operation asks for, told from its text; once per document."""

from __future__ import annotations

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from gateway.access import fields
from gateway.access.fields import GROUPS, Group


def personal_data(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> frozenset[Group]:
    """By ``fields.yaml``; ``document`` is valid."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    types, rules = schema.type_map, fields.load()
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

    walk(operation.selection_set, schema.get_root_type(operation.operation))
    return frozenset(found)
