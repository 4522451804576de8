"""The contract of the graph: committed, described, and not broken by the way."""

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
)

from api.commands.console import Failure
from api.commands.graph import SDL, breaks, export_graphql, sdl
from api.graphql.schema import build_schema as ours
from tests.house.source import ROOT

SCHEMA = ours()._schema
OWN = {name: kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__")}
STANDARD = {"Int", "Float", "String", "Boolean", "ID"}


def test_the_committed_contract_is_what_the_code_says():
    assert (ROOT / SDL).read_text() == sdl(), "write it again: ikomek graphql export"


@pytest.mark.parametrize("name", sorted(OWN.keys() - STANDARD))
def test_everything_is_described(name: str):
    kind = OWN[name]
    silent = [] if kind.description else [name]
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        silent += [f"{name}.{field}" for field, said in kind.fields.items() if not said.description]
    assert silent == []


def test_whatever_is_deprecated_says_what_to_use_instead():
    for kind in OWN.values():
        for field in getattr(kind, "fields", {}).values():
            assert field.deprecation_reason is None or len(field.deprecation_reason) > 10


BEFORE = """
type Query { appeal(number: String!): Appeal appeals(first: Int): [Appeal] }
type Appeal { number: String! text: String }
enum Status { OPEN CLOSED }
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("text: String", ""),
        ("number: String! text", "number: String text"),
        ("(first: Int)", "(first: Int!)"),
        ("(number: String!)", "(number: String! city: String!)"),
        ("OPEN CLOSED", "OPEN"),
    ],
)
def test_what_would_break_a_client_is_found(old: str, new: str):
    assert breaks(BEFORE, BEFORE.replace(old, new))


def test_what_only_adds_breaks_nothing():
    after = BEFORE.replace("text: String", "text: String kind: String @deprecated")
    assert (
        breaks(BEFORE, after.replace("(number: String!)", "(number: String! city: String)")) == []
    )


def test_the_contract_is_not_overwritten_by_one_that_breaks_it(tmp_path, capsys):
    standing = tmp_path / "schema.graphql"
    standing.write_text(sdl().replace("type Query {", "type Query {\n  gone: String\n"))
    kept = standing.read_text()
    with pytest.raises(Failure, match=r"Query\.gone"):
        export_graphql(standing)
    assert standing.read_text() == kept
    with pytest.raises(Failure):
        export_graphql(standing, check=True)
    export_graphql(standing, breaking=True)
    export_graphql(standing, check=True)
    assert build_schema(standing.read_text()).query_type
