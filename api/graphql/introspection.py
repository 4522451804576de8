"""What a question about the schema costs: the fields that its answer has, by the schema's own size.

Below `types` every list is as long as it is on the average, which is exact where all types are
asked; anywhere else, where one type may be asked again and again, as long as the longest of its
kind. Graphql-core's own rule lets lists of fields stand twice within each other at most.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, zip_longest
from math import ceil
from typing import NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_enum_type,
    is_list_type,
    is_wrapping_type,
)

LEAST = 400
"""What the whole of the schema costs, as every tool asks for it, and what any part of it does."""
FOR_ONE = 70
"""Fields for a cost of 1."""


class Told(NamedTuple):
    """How much an answer may hold: its fields, the levels of them, and the fields as written."""

    fields: float = 0.0
    depth: int = 0
    written: int = 0


class _Place(NamedTuple):
    """Where a selection stands: below `types`, so that the average counts, and within how many
    wrappings of a type.
    """

    type: str
    whole: bool = False
    within: int = 0


class Shape(NamedTuple):
    """How long the lists of a schema's own description are, and how deep its types are wrapped."""

    average: Mapping[tuple[str, str], float]
    longest: Mapping[tuple[str, str], float]
    wrapped: tuple[float, ...]
    """Of those that are wrapped so often, the part that is wrapped once more."""


def shape_of(schema: GraphQLSchema) -> Shape:
    """The shape of a schema."""
    types = list(schema.type_map.values())
    with_fields = [t for t in types if isinstance(t, GraphQLObjectType | GraphQLInterfaceType)]
    inputs = [t for t in types if isinstance(t, GraphQLInputObjectType)]
    fields = [field for each in with_fields for field in each.fields.values()]
    arguments = [argument for field in fields for argument in field.args.values()]
    counts: dict[tuple[str, str], tuple[list[int], int]] = {
        ("__Type", "fields"): ([len(each.fields) for each in with_fields], len(types)),
        ("__Type", "inputFields"): ([len(each.fields) for each in inputs], len(types)),
        ("__Type", "enumValues"): ([len(t.values) for t in types if is_enum_type(t)], len(types)),
        ("__Type", "interfaces"): ([len(each.interfaces) for each in with_fields], len(types)),
        ("__Type", "possibleTypes"): (
            [len(schema.get_possible_types(t)) for t in types if is_abstract_type(t)],
            len(types),
        ),
        ("__Field", "args"): ([len(field.args) for field in fields], len(fields)),
        ("__Directive", "args"): ([len(each.args) for each in schema.directives], 1),
        ("__Directive", "locations"): ([1], 1),
        ("__Schema", "types"): ([len(types)], 1),
        ("__Schema", "directives"): ([len(schema.directives)], 1),
    }
    given = [field for each in inputs for field in each.fields.values()]
    return Shape(
        {key: sum(found) / max(1, among) for key, (found, among) in counts.items()},
        {key: float(max(found, default=0)) for key, (found, _) in counts.items()},
        _wrapped([each.type for each in kinds] for kinds in (fields, arguments, given)),
    )


def _wrapped(several: Iterable[Sequence[GraphQLType]]) -> tuple[float, ...]:
    """Of whichever references are wrapped the deepest, level by level."""
    shares = [_shares(types) for types in several]
    return tuple(max(level) for level in zip_longest(*shares, fillvalue=0.0))


def _shares(types: Sequence[GraphQLType]) -> list[float]:
    depths = []
    for each in types:
        kind, depth = each, 0
        while is_wrapping_type(kind):
            kind, depth = kind.of_type, depth + 1
        depths.append(depth)
    so_deep = [sum(depth >= n for depth in depths) for n in range(max(depths, default=0) + 2)]
    return [more / has for has, more in pairwise(so_deep) if has]


class Asked:
    """Weighs what operations ask of one schema with one document's fragments."""

    def __init__(
        self,
        schema: GraphQLSchema,
        shape: Shape,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> None:
        self._schema, self._shape, self._fragments = schema, shape, fragments
        self._known: dict[tuple[str, _Place], Told] = {}

    def cost(self, told: Told) -> int:
        """What it costs."""
        return max(LEAST, ceil(told.fields / FOR_ONE))

    def of(self, node: FieldNode) -> Told:
        """What a field `__schema` or `__type` at the root asks for."""
        kind = "__Schema" if node.name.value == "__schema" else "__Type"
        return self._below(node, _Place(kind), 1.0)

    def _below(self, node: FieldNode, place: _Place, size: float) -> Told:
        inner = self._set(node.selection_set, place) if node.selection_set else Told()
        # A wrapping of a type is no level: tools ask for nine of them, whatever there are.
        level = node.name.value != "ofType"
        return Told(size * (1 + inner.fields), inner.depth + level, inner.written + 1)

    def _set(self, selections: SelectionSetNode, place: _Place) -> Told:
        fields, depth, written = 0.0, 0, 0
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                told = self._field(selection, place)
            elif isinstance(selection, InlineFragmentNode):
                told = self._set(selection.selection_set, place)
            elif isinstance(selection, FragmentSpreadNode):
                told = self._fragment(selection.name.value, place)
            else:
                continue
            fields, written = fields + told.fields, written + told.written
            depth = max(depth, told.depth)
        return Told(fields, depth, written)

    def _fragment(self, name: str, place: _Place) -> Told:
        known = self._known.get((name, place))
        if known is None:
            selections = self._fragments[name].selection_set
            known = self._known[name, place] = self._set(selections, place)
        return known

    def _field(self, node: FieldNode, place: _Place) -> Told:
        name = node.name.value
        parent = self._schema.type_map[place.type]
        found = self._schema.get_field(parent, name) if is_composite_type(parent) else None
        if found is None or node.selection_set is None:
            return Told(1.0, 1, 1)
        below = get_named_type(found.type).name
        key = (place.type, name)
        if key == ("__Type", "ofType"):
            within = self._shape.wrapped
            size = within[place.within] if place.within < len(within) else 0.0
            # A type of the schema's list is wrapped in nothing.
            return self._below(
                node, _Place(below, within=place.within + 1), 0.0 if place.whole else size
            )
        size = 1.0
        if is_list_type(get_nullable_type(found.type)):
            lists = self._shape.average if place.whole else self._shape.longest
            size = lists.get(key, 1.0)
        whole = key == ("__Schema", "types") or (place.whole and key == ("__Type", "fields"))
        return self._below(node, _Place(below, whole), size)
