"""What an operation costs and how deep it goes, before any resolver runs.

The price list: a plain field 0, each object 1, a mutation MUTATION, questions about the schema by
what they would hold (introspection.py); a field may name its own (`metadata={"cost": 5}`). A list,
and what stands under it, counts once for each entry that it may have: `first`, `last` or `limit`
where they are given, as many as `ids` names, else the argument's own default, else PAGE; a list
without such an argument is as long as sizes.py says, else LIST.

A valid document has no circles of fragments, and each fragment is weighed once, however often it
is spread: the work is linear in the document, and a bomb of fragments comes out as a large number.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    Undefined,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
    value_from_ast_untyped,
)

from api.graphql.census import FILTERS, NAMED, SIZES
from api.graphql.introspection import Asked, Shape
from api.graphql.sizes import LIST_SIZES

MUTATION = 10
PAGE = 20
"""Entries of a connection of which nobody says how many."""
LIST = 5
"""Entries of a list of which sizes.py says nothing."""
SEARCHES = frozenset({"text", "within", "around"})
"""Conditions of a filter that the register is searched for."""
SEARCH = 20
"""What such a search costs beside what it finds."""
DEAREST = 5
"""Fields that a refusal names."""
PRICES: Mapping[tuple[str, str], int] = {
    ("Query", "figures"): 50,
    ("PublicCity", "figures"): 50,
    ("Query", "executorFigures"): 50,
    ("Query", "coverage"): 20,
    ("Service", "form"): 1,
    ("District", "polygon"): 1,
    ("Territory", "polygon"): 1,
    ("Territory", "buildings"): 1,
    ("Query", "triage"): 5,
    ("Query", "applicantInTheClear"): 100,
    ("Query", "searchApplicants"): 100,
}
"""What costs more than its entries tell, by type and field: the database work, a form put into a
language, a border of many points, or a resident's privacy. Nobody reads more people in the clear in
a minute here than over REST, where each is a request of its own.
"""


@dataclass(frozen=True, slots=True)
class Weight:
    """What a selection costs, how many levels of fields it has, and how many fields if every
    fragment were written out where it is spread.
    """

    cost: int = 0
    depth: int = 0
    written: int = 0

    def beside(self, other: "Weight") -> "Weight":
        """The weight of two selections of one object."""
        return Weight(
            self.cost + other.cost,
            max(self.depth, other.depth),
            self.written + other.written,
        )


NOTHING = Weight()


@dataclass(slots=True)
class Scales:
    """Weighs one operation, with the values of its variables."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    operation: OperationDefinitionNode
    variables: Mapping[str, Any]
    shape: Shape
    _known: dict[tuple[str, bool], Weight] = field(default_factory=dict)
    _defaults: dict[str, Any] = field(default_factory=dict)
    _of_schema: Asked = field(init=False)

    def __post_init__(self) -> None:
        self._of_schema = Asked(self.schema, self.shape, self.fragments)
        for defined in self.operation.variable_definitions or ():
            if defined.default_value is not None:
                self._defaults[defined.variable.name.value] = value_from_ast_untyped(
                    defined.default_value
                )

    def weight(self) -> Weight:
        """The weight of the operation."""
        return self._set(self.operation.selection_set, self._root)

    def dearest(self) -> list[dict[str, Any]]:
        """The fields that cost most, from the root down the dearest way: `path` and `cost`."""
        told: list[dict[str, Any]] = []
        where, path, times = self.operation.selection_set, "", 1
        parent, sized = self._root, False
        while len(told) < DEAREST:
            fields = self._fields(where, parent)
            priced = [(self._field(node, kind, sized).cost, node, kind) for node, kind in fields]
            priced.sort(key=lambda each: -each[0])
            if not priced or not priced[0][0]:
                break
            cost, node, kind = priced[0]
            path = f"{path}.{node.name.value}" if path else node.name.value
            told.append({"path": path, "cost": cost * times})
            found = self._definition(node, kind)
            if found is None or node.selection_set is None or node.name.value.startswith("__"):
                break
            times *= self._size(node, found, kind, sized)
            sized = _sized(found) and not _is_list(found)
            where, parent = node.selection_set, get_named_type(found.type)
        return told

    @property
    def _root(self) -> GraphQLNamedType:
        root = self.schema.get_root_type(self.operation.operation)
        if root is None:
            raise LookupError(self.operation.operation)
        return root

    def _set(
        self, selections: SelectionSetNode, parent: GraphQLNamedType, sized: bool = False
    ) -> Weight:
        """The weight of a selection; `sized`: of a page, of which was said how long it is."""
        weight = NOTHING
        for selection in selections.selections:
            weight = weight.beside(self._selection(selection, parent, sized))
        return weight

    def _selection(self, selection: SelectionNode, parent: GraphQLNamedType, sized: bool) -> Weight:
        if isinstance(selection, FieldNode):
            return self._field(selection, parent, sized)
        if isinstance(selection, InlineFragmentNode):
            return self._set(selection.selection_set, self._condition(selection, parent), sized)
        if isinstance(selection, FragmentSpreadNode):
            return self._fragment(selection.name.value, sized)
        return NOTHING

    def _fragment(self, name: str, sized: bool) -> Weight:
        known = self._known.get((name, sized))
        if known is None:
            node = self.fragments[name]
            kind = self.schema.type_map[node.type_condition.name.value]
            known = self._known[name, sized] = self._set(node.selection_set, kind, sized)
        return known

    def _condition(self, node: InlineFragmentNode, parent: GraphQLNamedType) -> GraphQLNamedType:
        condition = node.type_condition
        return parent if condition is None else self.schema.type_map[condition.name.value]

    def _field(self, node: FieldNode, parent: GraphQLNamedType, sized: bool = False) -> Weight:
        name = node.name.value
        if name == "__typename":
            return Weight(0, 1, 1)
        if name.startswith("__"):
            told = self._of_schema.of(node)
            return Weight(self._of_schema.cost(told), told.depth, told.written)
        found = self._definition(node, parent)
        if found is None:
            return NOTHING
        inner = NOTHING
        if node.selection_set is not None:
            page = _sized(found) and not _is_list(found)
            inner = self._set(node.selection_set, get_named_type(found.type), page)
        own = self._own(name, found, parent) + self._search(node)
        size = self._size(node, found, parent, sized)
        cost = size * (own + inner.cost) if _is_list(found) else own + size * inner.cost
        return Weight(cost, inner.depth + 1, inner.written + 1)

    def _definition(self, node: FieldNode, parent: GraphQLNamedType) -> GraphQLField | None:
        if not is_composite_type(parent):
            return None
        return self.schema.get_field(parent, node.name.value)

    def _own(self, name: str, found: GraphQLField, parent: GraphQLNamedType) -> int:
        priced = PRICES.get((parent.name, name), _told(found).get("cost"))
        if priced is not None:
            return int(priced)
        if parent is self.schema.mutation_type:
            return MUTATION
        return 1 if is_composite_type(get_named_type(found.type)) else 0

    def _search(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in FILTERS:
                given: Any = argument.value
                if isinstance(given, VariableNode):
                    name = given.name.value
                    by = searched(self.variables.get(name, self._defaults.get(name)))
                elif isinstance(given, ObjectValueNode):
                    by = SEARCHES & {each.name.value for each in given.fields}
                else:
                    by = frozenset()
                if by:
                    return SEARCH
        return 0

    def _size(
        self, node: FieldNode, found: GraphQLField, parent: GraphQLNamedType, sized: bool
    ) -> int:
        """How often what stands under a field may come."""
        if _sized(found):
            return self._asked(node, found)
        # The entries of a page were counted where it was asked for.
        if sized or not _is_list(found) or node.selection_set is None:
            return 1
        return LIST_SIZES.get((parent.name, node.name.value), LIST)

    def _asked(self, node: FieldNode, found: GraphQLField) -> int:
        said = {argument.name.value: argument.value for argument in node.arguments or ()}
        sizes = []
        for name in (SIZES | NAMED) & found.args.keys():
            value: Any = None
            given = said.get(name)
            if isinstance(given, IntValueNode):
                value = int(given.value)
            elif isinstance(given, VariableNode):
                variable = given.name.value
                value = self.variables.get(variable, self._defaults.get(variable))
            elif given is None and found.args[name].default_value is not Undefined:
                value = found.args[name].default_value
            elif isinstance(given, ListValueNode):
                value = len(given.values)
            if isinstance(value, list):
                value = len(value)
            value = whole(value)
            if value is not None:
                sizes.append(max(1, value))
        return max(sizes, default=PAGE)

    def _fields(
        self, selections: SelectionSetNode, parent: GraphQLNamedType
    ) -> Iterator[tuple[FieldNode, GraphQLNamedType]]:
        """The fields of a selection, those of its fragments among them, each fragment once."""
        waiting = [(selections, parent)]
        seen: set[str] = set()
        while waiting:
            where, kind = waiting.pop()
            for selection in where.selections:
                if isinstance(selection, FieldNode):
                    yield selection, kind
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append((selection.selection_set, self._condition(selection, kind)))
                elif isinstance(selection, FragmentSpreadNode):
                    name = selection.name.value
                    if name not in seen:
                        seen.add(name)
                        fragment = self.fragments[name]
                        condition = fragment.type_condition.name.value
                        waiting.append((fragment.selection_set, self.schema.type_map[condition]))


def searched(value: Any) -> frozenset[str]:
    """By what a filter searches; what is no filter searches by nothing, and is refused later."""
    if not isinstance(value, dict):
        return frozenset()
    return frozenset(name for name in SEARCHES if value.get(name) is not None)


def whole(value: Any) -> int | None:
    """A length as GraphQL takes it, 100.0 for 100; None for what is none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def _sized(found: GraphQLField) -> bool:
    """Whether who asks may say how many entries there are to be."""
    return not (SIZES | NAMED).isdisjoint(found.args)


def _is_list(found: GraphQLField) -> bool:
    return is_list_type(get_nullable_type(found.type))


def _told(found: GraphQLField) -> Mapping[str, Any]:
    """What the schema says of a field's price."""
    definition = (found.extensions or {}).get("strawberry-definition")
    return getattr(definition, "metadata", None) or found.extensions or {}
