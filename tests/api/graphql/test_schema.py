"""The schema itself: what it holds follows from the table of operations, and every word of it is
explained."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    is_introspection_type,
)
from strawberry.utils.str_converters import to_camel_case

from api.graphql.mutation import WRITES
from api.graphql.outcomes import PROBLEMS
from api.graphql.reads import ELSEWHERE, READS, field_name
from api.graphql.schema import build_schema
from api.graphql.words import _WORDS, describe
from api.rest.descriptions import QUERY
from api.rest.table import OPERATIONS
from api.rest.views import AppealView
from domain.errors import CursorLost, NotSealed, Refusal

SCHEMA = build_schema()._schema
_FALLBACK = "said by nobody"


def _fields() -> Iterator[tuple[str, Any]]:
    for name, kind in SCHEMA.type_map.items():
        if is_introspection_type(kind):
            continue
        if isinstance(kind, GraphQLObjectType | GraphQLInputObjectType):
            for field, each in kind.fields.items():
                yield f"{name}.{field}", each
                for argument, given in getattr(each, "args", {}).items():
                    yield f"{name}.{field}({argument})", given


def test_every_operation_of_the_house_can_be_asked_of_the_graph():
    query, mutation = SCHEMA.query_type, SCHEMA.mutation_type
    assert query is not None
    assert mutation is not None
    for operation in OPERATIONS:
        if operation.writes is not None:
            assert operation.id in mutation.fields
        elif operation.id not in ELSEWHERE:
            assert field_name(operation) in query.fields
    assert len({field_name(each) for each in READS}) == len(READS)
    assert {operation.id for operation in OPERATIONS} >= ELSEWHERE
    assert set(mutation.fields) == {operation.id for operation in WRITES}


def test_the_node_of_an_appeal_lacks_nothing_that_rest_tells():
    kind = SCHEMA.type_map["Appeal"]
    assert isinstance(kind, GraphQLObjectType)
    assert {to_camel_case(name) for name in AppealView.__annotations__} <= set(kind.fields)


def test_every_type_field_and_argument_is_described():
    lacking = [name for name, each in _fields() if not each.description]
    lacking += [
        name
        for name, kind in SCHEMA.type_map.items()
        if not kind.description and not is_introspection_type(kind)
    ]
    assert not lacking


def test_no_description_is_only_the_name_again():
    idle = [
        name
        for name, each in _fields()
        if each.description
        and (each.description.rstrip(".").replace(" ", "").lower()
             == name.rpartition(".")[2].partition("(")[0].lower())
    ]  # fmt: skip
    assert not idle
    for field in _WORDS:
        assert describe("Anything", field) != QUERY.get(field, _FALLBACK)


def test_what_relay_wants_may_be_null():
    query = SCHEMA.query_type
    assert query is not None
    assert not isinstance(query.fields["node"].type, GraphQLNonNull)
    for name, kind in SCHEMA.type_map.items():
        if name.endswith("Edge") and isinstance(kind, GraphQLObjectType):
            assert not isinstance(kind.fields["node"].type, GraphQLNonNull)
    for name, field in query.fields.items():
        if str(field.type).endswith("Connection"):
            assert not isinstance(field.type, GraphQLNonNull), name
        if name not in ("nodes",):
            assert not isinstance(field.type, GraphQLNonNull), f"a refusal nulls {name} alone"


def _kinds(of: type[Refusal]) -> set[type[Refusal]]:
    return {of} | {each for below in of.__subclasses__() for each in _kinds(below)}


def test_every_refusal_of_the_domain_has_a_type():
    for refusal in _kinds(Refusal) - {Refusal}:
        # No mutation asks for a proof, or goes on from a cursor.
        if refusal.__module__ == "domain.errors" and refusal not in (NotSealed, CursorLost):
            assert refusal in PROBLEMS


@pytest.mark.parametrize("name", ["AppealStatus", "Channel", "Criticality", "Language"])
def test_enums_are_those_of_the_domain(name: str):
    kind = SCHEMA.type_map[name]
    assert isinstance(kind, GraphQLEnumType)
    assert all(key == key.upper() for key in kind.values)
