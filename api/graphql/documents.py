"""Documents: read once, judged once, kept by what they say.

A text becomes a Document (parsed, counted, validated) and is remembered by its SHA-256, what was
refused of it too, so that the second time costs a look-up. What is kept is bounded by the
characters of its texts, since the memory of a parsed document grows with them.

Clients may send a text once and its hash from then on (automatic persisted queries, as Apollo's
clients do: `extensions.persistedQuery.sha256Hash`), or name a document of the city's own list
(`documentId`, as the appendix of GraphQL over HTTP has it). A city that trusts its list alone
runs nothing else.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import ASTValidationRule, NoSchemaIntrospectionCustomRule
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from api.errors import DocumentNotTrusted, DocumentTooCostly, DocumentTooLarge, DocumentUnknown
from api.graphql.census import Bounds, require_short, take
from api.graphql.introspection import shape_of
from api.graphql.weighing import Scales, Weight, searched, whole
from domain.errors import Refusal

KEPT_CHARACTERS = 400_000
"""Of all documents of a process: some forty megabytes once parsed."""
OVERHEAD = 100
"""Characters that each document counts besides its own, or tens of thousands of tiny ones, each
with its tree and its errors, would be kept as if they weighed nothing."""
MOST_ERRORS = 10
RULES: tuple[type[ASTValidationRule], ...] = (
    *specified_rules,
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)
MOST_WEIGHINGS = 64
_HASH = re.compile(r"[0-9a-f]{64}")
_ABSENT = object()
_OF_SCHEMA = frozenset({"__schema", "__type"})


class Unreadable(Exception):
    """A text that is no sound document: what is wrong, as GraphQL tells it."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


@dataclass(slots=True)
class Document:
    """A sound document."""

    text: str
    hash: str
    ast: DocumentNode
    sizes: tuple[str, ...]
    operations: Mapping[str, OperationDefinitionNode]
    fragments: Mapping[str, FragmentDefinitionNode]
    weighed: dict[tuple[Any, ...], Weight] = field(default_factory=dict)
    told: dict[str, frozenset[str]] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation of a name, or the only one. Raises Unreadable."""
        if name is None:
            if len(self.operations) == 1:
                return next(iter(self.operations.values()))
            raise _unreadable("Must provide operation name if query contains multiple operations.")
        found = self.operations.get(name)
        if found is None or (found.name is None and name != ""):
            raise _unreadable("Unknown operation named by operationName.")
        return found

    def acts(self, operation: OperationDefinitionNode) -> int:
        """How many fields at the root an operation carries out, those of one name once."""
        fields = self._root_fields(operation.selection_set)
        return len({(f.alias or f.name).value for f in fields if f.name.value != "__typename"})

    def introspects(self, operation: OperationDefinitionNode) -> bool:
        """Whether the operation asks of the schema. Raises Unreadable where it asks of data too."""
        names = self._roots(operation.selection_set)
        if names.isdisjoint(_OF_SCHEMA):
            return False
        if not names <= {*_OF_SCHEMA, "__typename"}:
            raise _unreadable("Introspection comes alone: ask of data in another operation.")
        return True

    def asked_below(self, operation: OperationDefinitionNode) -> frozenset[str]:
        """The variables on which more depends than the arguments of a field at the root."""
        name = operation.name.value if operation.name else ""
        if name not in self.told:
            fields = self._root_fields(operation.selection_set)
            above = Counter(_variables(each.arguments for each in fields))
            everywhere = Counter(_variables((self.ast,)))
            defined = Counter(
                each.variable.name.value
                for operation in self.operations.values()
                for each in operation.variable_definitions or ()
            )
            self.told[name] = frozenset(everywhere - above - defined)
        return self.told[name]

    def _roots(self, selections: SelectionSetNode) -> set[str]:
        """The names of the fields at the root, those of fragments among them."""
        return {each.name.value for each in self._root_fields(selections)}

    def _root_fields(self, selections: SelectionSetNode) -> list[FieldNode]:
        found: list[FieldNode] = []
        seen: set[str] = set()
        waiting = [selections]
        while waiting:
            spread: set[str] = set()
            for selection in waiting.pop().selections:
                if isinstance(selection, FieldNode):
                    found.append(selection)
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode):
                    spread.add(selection.name.value)
            for name in spread - seen:
                waiting.append(self.fragments[name].selection_set)
            seen |= spread
        return found


def _variables(nodes: Iterable[Any]) -> Iterator[str]:
    """The name of each variable wherever one is named in these nodes, as often as it is."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, VariableNode):
            yield node.name.value
        elif isinstance(node, list | tuple):
            waiting.extend(node)
        elif isinstance(node, Node):
            waiting.extend(getattr(node, key) for key in node.keys)


def _unreadable(message: str) -> Unreadable:
    return Unreadable([GraphQLError(message)])


Kept = Document | Unreadable | Refusal


class Documents:
    """What this process knows of documents. Not shared with others, and bounded."""

    def __init__(
        self,
        schema: GraphQLSchema,
        bounds: Bounds | None = None,
        *,
        introspection: bool = True,
        trusted: Mapping[str, str] | None = None,
        trusted_only: bool = False,
        kept_characters: int = KEPT_CHARACTERS,
    ) -> None:
        self._schema = schema
        self._shape = shape_of(schema)
        self.bounds = bounds or Bounds()
        hidden = () if introspection else (NoSchemaIntrospectionCustomRule,)
        self._rules = (*RULES, *hidden)
        self._trusted = dict(trusted or {})
        self._trusted_hashes = {_hash(text) for text in self._trusted.values()}
        self._trusted_only = trusted_only
        self._most = kept_characters
        self._kept: OrderedDict[str, tuple[Kept, int]] = OrderedDict()
        self._characters = 0

    @property
    def characters(self) -> int:
        """How much is kept now."""
        return self._characters

    def find(
        self, text: str | None, persisted: str | None = None, name: str | None = None
    ) -> Document:
        """The document of a request: its text, its hash or both, or its name on the city's list.

        Raises Unreadable for what is no sound document, DocumentTooLarge, DocumentUnknown,
        DocumentNotTrusted.
        """
        if name is not None:
            text = self._named(name)
        elif text is None:
            return self._known(persisted or "")
        if self._trusted_only and _hash(text) not in self._trusted_hashes:
            raise DocumentNotTrusted
        return self._read(text, persisted)

    def _named(self, name: str) -> str:
        listed = self._trusted.get(name.removeprefix("sha256:")) or self._trusted.get(name)
        if listed is None:
            raise DocumentUnknown
        return listed

    def _known(self, hash: str) -> Document:
        kept = self._kept.get(hash)
        if kept is not None and isinstance(kept[0], Document):
            if self._trusted_only and hash not in self._trusted_hashes:
                raise DocumentNotTrusted
            self._kept.move_to_end(hash)
            return kept[0]
        listed = self._trusted.get(hash)
        if listed is None:
            raise DocumentUnknown
        return self._read(listed, None)

    def _read(self, text: str, persisted: str | None) -> Document:
        require_short(text, self.bounds)
        hash = _hash(text)
        if persisted is not None and persisted != hash:
            raise _unreadable("The provided sha256Hash does not match the query.")
        found = self._kept.get(hash)
        if found is None:
            found = self._judge(text, hash), len(text) + OVERHEAD
            self._keep(hash, *found)
        else:
            self._kept.move_to_end(hash)
        if isinstance(found[0], Exception):
            # Without the frames of whoever asked first.
            raise found[0].with_traceback(None)
        return found[0]

    def _judge(self, text: str, hash: str) -> Kept:
        try:
            ast = parse(text, max_tokens=self.bounds.tokens)
        except GraphQLError as error:
            return self._syntax(error)
        census = take(ast)
        try:
            census.require(self.bounds)
        except DocumentTooLarge as refusal:
            return refusal
        errors = validate(
            self._schema, ast, self._rules, max_errors=MOST_ERRORS, hide_suggestions=True
        )
        if errors:
            return Unreadable(errors)
        return _document(text, hash, ast, tuple(sorted(census.sizes)))

    def _syntax(self, error: GraphQLError) -> Kept:
        if "token" in error.message and str(self.bounds.tokens) in error.message:
            limit = self.bounds.tokens
            return DocumentTooLarge(what="tokens", count=limit + 1, limit=limit)
        return Unreadable([error])

    def _keep(self, hash: str, kept: Kept, size: int) -> None:
        self._kept[hash] = kept, size
        self._characters += size
        while self._characters > self._most:
            _, (_, freed) = self._kept.popitem(last=False)
            self._characters -= freed

    def weigh(
        self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> Weight:
        """What the operation costs. Raises DocumentTooLarge, DocumentTooCostly."""
        sizes = tuple(_plain(variables.get(name, _ABSENT)) for name in document.sizes)
        key = (operation.name.value if operation.name else None, *sizes)
        weight = document.weighed.get(key)
        scales = Scales(self._schema, document.fragments, operation, variables, self._shape)
        if weight is None:
            weight = scales.weight()
            document.introspects(operation)
            if len(document.weighed) < MOST_WEIGHINGS:
                document.weighed[key] = weight
        for what in ("written", "depth"):
            count, limit = getattr(weight, what), getattr(self.bounds, what)
            if count > limit:
                raise DocumentTooLarge(what=what, count=count, limit=limit)
        if weight.cost > self.bounds.cost:
            raise DocumentTooCostly(
                cost=weight.cost, limit=self.bounds.cost, fields=scales.dearest()
            )
        return weight


def _document(text: str, hash: str, ast: DocumentNode, sizes: tuple[str, ...]) -> Document:
    operations = {
        definition.name.value if definition.name else "": definition
        for definition in ast.definitions
        if isinstance(definition, OperationDefinitionNode)
    }
    fragments = {
        definition.name.value: definition
        for definition in ast.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    return Document(text, hash, ast, sizes, operations, fragments)


def _hash(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    """A value of a size as a key; whatever is no number weighs the same, and is refused later. Of
    a filter: what it searches by.
    """
    if isinstance(value, list):
        return len(value)
    if isinstance(value, dict):
        return searched(value)
    return value if value is _ABSENT else whole(value)


def read_hash(extensions: Mapping[str, Any] | None) -> str | None:
    """The hash of a persisted query; None where none is named. Raises Unreadable."""
    said = (extensions or {}).get("persistedQuery")
    if said is None:
        return None
    named = said.get("sha256Hash") if isinstance(said, dict) else None
    if not isinstance(named, str) or not _HASH.fullmatch(named) or said.get("version") != 1:
        raise _unreadable("extensions.persistedQuery needs version 1 and a sha256Hash.")
    return named


def read_trusted(path: Path) -> dict[str, str]:
    """The city's list: a JSON object of names to texts, or Apollo's persisted-query manifest.

    Raises ValueError for anything else.
    """
    said = orjson.loads(path.read_bytes())
    if isinstance(said, dict) and said.get("format") == "apollo-persisted-query-manifest":
        said = {each["id"]: each["body"] for each in said["operations"]}
    if not isinstance(said, dict) or not all(isinstance(text, str) for text in said.values()):
        raise ValueError(f"{path} is no list of GraphQL documents")
    return {**said, **{_hash(text): text for text in said.values()}}
