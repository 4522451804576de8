"""Look-ahead: which parts of a node the query will ask for, so that no others are read.

Each fragment is walked once, so that the walk is as long as the document. Fields behind @skip and
@include count as asked for: reading one too many is no fault, one too few would be.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from api.graphql.fast import NEEDS

Needs = Mapping[str, frozenset[str]]


def needs_of(kind: type) -> Needs:
    """The parts that each field of a node takes, by the field's name in the graph."""
    definition = get_object_definition(kind, strict=True)
    found: dict[str, frozenset[str]] = {}
    for field in definition.fields:
        name = field.graphql_name or to_camel_case(field.python_name)
        needs = field.metadata.get(NEEDS)
        if needs is None:
            needs = (field.python_name,) if field.base_resolver is None else ()
        found[name] = frozenset(needs)
    return found


def parts(info: Any, needs: Needs, *path: str) -> frozenset[str]:
    """The parts that the selections at a path below the resolved field take."""
    sets = [node.selection_set for node in info.field_nodes if node.selection_set]
    for step in path:
        sets = [
            field.selection_set
            for field in fields(sets, info.fragments)
            if field.name.value == step and field.selection_set
        ]
    wanted = (needs.get(field.name.value, frozenset()) for field in fields(sets, info.fragments))
    return frozenset().union(*wanted)


def fields(sets: Iterable[SelectionSetNode], fragments: Mapping[str, Any]) -> Iterator[FieldNode]:
    """The fields of selection sets, through their fragments, each of which is walked once."""
    waiting, seen = list(sets), set()
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in seen and name in fragments:
                    seen.add(name)
                    waiting.append(fragments[name].selection_set)
