"""How large a document is, before anything else is asked of it: one walk, each node once.

Validation compares fields of one name in pairs and spreads in pairs, so that a short document can
keep it busy for seconds; what would is refused here, by counting alone. Fragments are walked
where they are defined and never where they are spread.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from api.errors import DocumentTooLarge

SIZES = frozenset({"first", "last", "limit"})
"""Arguments that say how many entries a list may have."""
NAMED = frozenset({"ids"})
"""Arguments that name the entries one by one."""
FILTERS = frozenset({"filter"})
"""Arguments whose conditions may make the register be searched."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a document may be; the defaults leave ten times what a screen needs."""

    characters: int = 20_000
    tokens: int = 1_000
    operations: int = 10
    fragments: int = 40
    spreads: int = 80
    fields: int = 500
    aliases: int = 40
    repeats: int = 10
    """Fields of one answer name in one selection."""
    directives: int = 40
    variables: int = 50
    values: int = 500
    """Values written into the document itself, those of lists and objects one by one."""
    word: int = 1_000
    """The longest number, name or word without a space."""
    written: int = 5_000
    """Fields, if every fragment were written out where it is spread."""
    depth: int = 12
    cost: int = 2_000


_WORD = re.compile(r"\w+")


def require_short(text: str, bounds: Bounds) -> None:
    """Raise DocumentTooLarge for a text that is not worth reading."""
    if len(text) > bounds.characters:
        raise DocumentTooLarge(what="characters", count=len(text), limit=bounds.characters)
    # A number of thousands of digits keeps Python busy, and a name of as many the one who reads.
    longest = max(map(len, _WORD.findall(text)), default=0)
    if longest > bounds.word:
        raise DocumentTooLarge(what="word", count=longest, limit=bounds.word)


@dataclass(slots=True)
class Census:
    """What was counted, and the variables that say how long lists may be, or by what they are
    searched.
    """

    counted: Counter[str] = field(default_factory=Counter)
    sizes: set[str] = field(default_factory=set)

    def add(self, what: str, count: int = 1) -> None:
        """Count some more of something."""
        if count:
            self.counted[what] += count

    def require(self, bounds: Bounds) -> None:
        """Raise DocumentTooLarge for the first thing of which there is too much."""
        for what, count in self.counted.items():
            limit = getattr(bounds, what)
            if count > limit:
                raise DocumentTooLarge(what=what, count=count, limit=limit)


def take(document: DocumentNode) -> Census:
    """The census of a document; its work is linear in the document."""
    census = Census()
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            census.add("operations")
            census.add("variables", len(definition.variable_definitions or ()))
            for variable in definition.variable_definitions or ():
                census.add("directives", len(variable.directives or ()))
        elif isinstance(definition, FragmentDefinitionNode):
            census.add("fragments")
        else:
            # Types and their extensions are no business of a client; validation says so.
            continue
        census.add("directives", len(definition.directives or ()))
        _walk(definition.selection_set, census)
    return census


def _walk(selection_set: SelectionSetNode, census: Census) -> None:
    waiting = [selection_set]
    while waiting:
        names: Counter[str] = Counter()
        for selection in waiting.pop().selections:
            census.add("directives", len(selection.directives or ()))
            if isinstance(selection, FieldNode):
                census.add("fields")
                census.add("aliases", selection.alias is not None)
                names[(selection.alias or selection.name).value] += 1
                _arguments(selection, census)
            elif isinstance(selection, FragmentSpreadNode):
                census.add("spreads")
            if isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                waiting.append(selection.selection_set)
        most = max(names.values(), default=0)
        if most > census.counted["repeats"]:
            census.counted["repeats"] = most


def _arguments(node: FieldNode, census: Census) -> None:
    for argument in node.arguments or ():
        sizing = argument.name.value in SIZES | NAMED | FILTERS
        if sizing and isinstance(argument.value, VariableNode):
            census.sizes.add(argument.value.name.value)
        waiting: list[ValueNode] = [argument.value]
        while waiting:
            value = waiting.pop()
            census.add("values")
            if isinstance(value, ListValueNode):
                waiting.extend(value.values)
            elif isinstance(value, ObjectValueNode):
                waiting.extend(field.value for field in value.fields)


MOST_VALUES = 2_000
DEEPEST_VALUE = 12


def weigh_values(variables: Mapping[str, object]) -> None:
    """Raise DocumentTooLarge for variables of more values, or deeper, than a client needs."""
    waiting: list[tuple[object, int]] = [(variables, 0)]
    count = 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if depth > DEEPEST_VALUE:
            raise DocumentTooLarge(what="levels", count=depth, limit=DEEPEST_VALUE)
        if isinstance(value, Mapping):
            waiting.extend((each, depth + 1) for each in value.values())
        elif isinstance(value, list):
            waiting.extend((each, depth + 1) for each in value)
        if count + len(waiting) > MOST_VALUES:
            raise DocumentTooLarge(what="values", count=count + len(waiting), limit=MOST_VALUES)
