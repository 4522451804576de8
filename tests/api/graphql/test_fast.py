"""The short way gives what graphql-core's own way gives, to the byte."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    is_leaf_type,
    parse,
    validate,
)
from graphql.execution import Executor, execute
from strawberry.execution import optimized_is_awaitable

from api.graphql.answers import Voice, tell_errors
from api.graphql.context import Context
from api.graphql.fast import FastExecutor
from api.graphql.schema import build_schema
from domain.access import Principal, Role
from tests.support.city import make_principal
from tests.support.rest import Callers

SCHEMA = build_schema()
ROUNDS = 40


class SlowExecutor(Executor[Any]):
    """graphql-core's own, given only what strawberry's resolvers want of it."""

    build_resolve_info: Any = FastExecutor.build_resolve_info

    def __init__(self, *args: Any, **options: Any) -> None:
        self.operation_extensions = options.pop("operation_extensions", None)
        super().__init__(*args, **options)


def _queries(seed: int, numbers: list[str]) -> Iterator[str]:
    """Queries over the nodes of the graph, made by chance: nested, aliased, with fragments,
    directives, languages and things that are refused."""
    chance = random.Random(seed)
    roots = [
        lambda: f'appeal(number: "{chance.choice([*numbers, "KIS-2026-999999"])}")',
        lambda: f"appeals(first: {chance.randint(0, 4)})",
        lambda: "services(first: 3)",
        lambda: "organisations(first: 2, roots: true)",
        lambda: "spheres",
        lambda: "districts",
        lambda: "incidents",
        lambda: "viewer",
        lambda: "members",
    ]
    query = SCHEMA._schema.query_type
    assert query is not None
    for _ in range(ROUNDS):
        chosen = [chance.choice(roots)() for _ in range(chance.randint(1, 3))]
        fields = [
            f"r{n}: {root} {_selection(chance, query.fields[root.partition('(')[0]], 4)}"
            for n, root in enumerate(chosen)
        ]
        used = " __typename @include(if: $yes) @skip(if: $no) }"
        yield "query ($yes: Boolean = true, $no: Boolean = false) { " + " ".join(fields) + used


def _selection(chance: random.Random, field: GraphQLField, depth: int) -> str:
    kind = field.type
    while isinstance(kind, GraphQLNonNull | GraphQLList):
        kind = kind.of_type
    if is_leaf_type(kind):
        return ""
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        return "{ __typename }"
    assert isinstance(kind, GraphQLObjectType)
    names = [
        name
        for name, each in kind.fields.items()
        if depth > 0 or is_leaf_type(each.type) or is_leaf_type(getattr(each.type, "of_type", None))
    ]
    picked = chance.sample(names, min(len(names), chance.randint(1, 7)))
    parts = ["__typename"] if not picked or chance.random() < 0.3 else []
    for name in picked:
        each = kind.fields[name]
        language = "language" in each.args and chance.random() < 0.5
        argument = f"(language: {chance.choice(['KK', 'RU', 'EN'])})" if language else ""
        directive = chance.choice(["", "", "", " @include(if: $yes)", " @skip(if: $no)",
                                   " @include(if: $no)"])  # fmt: skip
        alias = f"{name}_{chance.randrange(10**9)}: " if argument or chance.random() < 0.2 else ""
        inner = f"{alias}{name}{argument}{directive} {_selection(chance, each, depth - 1)}"
        parts.append(f"... on {kind.name} {{ {inner} }}" if chance.random() < 0.2 else inner)
    return "{ " + " ".join(parts) + " }"


async def _answer(query: str, context: Context, executor: type[Executor[Any]]) -> bytes:
    document = parse(query)
    assert not validate(SCHEMA._schema, document), query
    result = execute(
        SCHEMA._schema,
        document,
        context_value=replace(context, loaders={}),
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
        executor_class=executor,
        operation_extensions=None,
    )
    if optimized_is_awaitable(result):
        result = await result  # type: ignore[misc]
    errors = tell_errors(result.errors or (), Voice("en", "the same"))  # type: ignore[union-attr]
    ordered = sorted(errors, key=lambda error: str(error["path"]))
    return orjson.dumps([result.data, ordered], default=str)  # type: ignore[union-attr]


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.CITIZEN, Role.EXECUTOR, None])
async def test_generated_queries_are_answered_alike(callers: Callers, role: Role | None):
    numbers = [
        (await callers.register(Role.CITIZEN, applicant=...))["number"],
        (await callers.brought_to("closed"))["number"],
        (await callers.brought_to("registered"))["number"],
    ]
    principal: Principal | None = make_principal(role) if role else None
    context = Context(callers.house, principal, "kk", callers.house.now(), "the same")
    refused = nonempty = 0
    for query in _queries(109, numbers):
        fast = await _answer(query, context, FastExecutor)
        slow = await _answer(query, context, SlowExecutor)
        assert fast == slow, query
        refused += b'"code"' in fast
        nonempty += len(fast) > 200
    assert refused > ROUNDS / 20, "some are refused, in whole or in part"
    assert role is None or nonempty > ROUNDS / 2, "and many are not"


class _Brief:
    """A source whose fields fail, are missing, or are null where they must not be."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


@pytest.mark.parametrize(
    "values",
    [
        {"has_next_page": True, "has_previous_page": False, "start_cursor": None, "end_cursor": 1},
        {"has_next_page": None, "has_previous_page": False, "start_cursor": "a"},
        {"has_next_page": "yes", "has_previous_page": object(), "start_cursor": "a"},
        {},
    ],
    ids=["coerced", "null", "wrong", "missing"],
)
def test_what_goes_wrong_is_told_with_its_place_and_path(values: dict[str, Any]):
    kind: Any = SCHEMA._schema.type_map["PageInfo"]
    answers = []
    for executor in (FastExecutor, SlowExecutor):
        built = executor.build(
            SCHEMA._schema,
            parse("{ viewer { __typename } }"),
            operation_extensions=None,
        )
        assert isinstance(built, Executor)
        text = "{ hasNextPage hasPreviousPage startCursor endCursor }"
        built.operation = parse(text).definitions[0]  # type: ignore[assignment]
        from graphql.execution.collect_fields import collect_fields

        fields = collect_fields(
            SCHEMA._schema,
            {},
            built.variable_values,
            kind,
            built.operation,
        ).grouped_field_set
        try:
            found = built.execute_fields(kind, _Brief(**values), None, fields, None)
            raised = None
        except Exception as error:
            found, raised = None, error
        errors = [error.formatted for error in built.collected_errors.errors]
        answers.append((found, str(raised), errors))
    assert answers[0] == answers[1]
