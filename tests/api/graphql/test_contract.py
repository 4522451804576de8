"""The contract of the graph: committed, described, and not broken by the way."""

import subprocess
from pathlib import Path

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
)

from api.commands.console import Failure
from api.commands.graph import MEANT, SDL, breaks, compare_graphql, export_graphql, sdl
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


def test_the_contract_is_compared_with_that_of_an_earlier_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.kz", "-c", "commit.gpgsign=false")
        subprocess.run(("git", *who, *words), cwd=tmp_path, check=True, capture_output=True)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    compare_graphql()
    assert "no openapi/schema.graphql" in capsys.readouterr().out
    git("init")
    standing = tmp_path / SDL
    standing.parent.mkdir()
    for round in range(2):
        standing.write_text(BEFORE + "\n" * round)
        git("add", ".")
        git("commit", "-m", "one")
    compare_graphql()
    standing.write_text(BEFORE.replace("text: String", ""))
    git("commit", "-am", "two")
    with pytest.raises(Failure, match=r"breaks that of HEAD~1: Field Appeal\.text was removed"):
        compare_graphql()
    (tmp_path / MEANT).write_text("Field Appeal.text was removed\n")
    compare_graphql()
    (tmp_path / MEANT).unlink()
    git("tag", "v1", "HEAD~1")
    standing.write_text(standing.read_text() + "\n")
    git("commit", "-am", "three")
    with pytest.raises(Failure, match="breaks that of v1"):
        compare_graphql()
