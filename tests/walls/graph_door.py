"""The graph as a door of the matrix: each field of its query and its mutation is an operation.

What stands behind a mutation and behind most fields of the query is an operation of REST, so its
policy is that operation's row; those that the graph has for itself are named here.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    is_leaf_type,
)
from starlette.applications import Starlette
from strawberry.utils.str_converters import to_camel_case

from api.bootstrap import House
from api.errors import STATUS
from api.graphql.ids import global_id
from api.graphql.mutation import WRITES
from api.graphql.reads import READS, field_name
from api.graphql.schema import build_schema
from tests.support.rest import client_of
from tests.support.sql import fetch
from tests.walls.doors import DONE, UPLOAD, Said, Told
from tests.walls.policy import ALL, POLICY, STAFF, Kind, Row

_SCHEMA = build_schema()._schema
_CODES = {kind.code: int(status) for kind, status in STATUS.items()}
_OWN = {
    "appeal": POLICY["readAppeal"],
    "appeals": POLICY["listAppeals"],
    "service": Row(ALL, (Kind.SERVICE,)),
    "services": Row(ALL),
    "spheres": Row(ALL),
    "districts": Row(ALL),
    "territories": Row(STAFF),
    "organisation": POLICY["readOrganisation"],
    "organisations": POLICY["listOrganisations"],
    "incident": POLICY["readIncident"],
    "incidents": POLICY["listIncidents"],
    "figures": Row(POLICY["readStatistics"].roles, query={"by": "service"}),
    "public": Row(ALL, query={"city": "@city"}, open=True),
    "now": Row(ALL),
    "node": POLICY["readAppeal"],
    "nodes": POLICY["readAppeal"],
}
GRAPH_POLICY: Mapping[str, Row] = {
    **{f"Mutation.{operation.id}": POLICY[operation.id] for operation in WRITES},
    **{f"Query.{field_name(operation)}": POLICY[operation.id] for operation in READS},
    **{f"Query.{name}": row for name, row in _OWN.items()},
}
_FILES = {"uploadAttachment": UPLOAD["file"]}


class GraphDoor:
    """POST /graphql by the schema."""

    def __init__(self, app: Starlette | None = None, house: House | None = None) -> None:
        self._house = house
        self._client = client_of(app) if app is not None else None
        self._fields: dict[str, GraphQLField] = {
            f"{root.name}.{name}": field
            for root in (_SCHEMA.query_type, _SCHEMA.mutation_type)
            if root is not None
            for name, field in root.fields.items()
        }

    @property
    def operations(self) -> Sequence[str]:
        return tuple(self._fields)

    def changes(self, operation: str) -> bool:
        return operation.startswith("Mutation.")

    def lists(self, operation: str) -> bool:
        kind = _named(self._fields[operation].type)
        return isinstance(kind, GraphQLObjectType) and not {"nodes", "items"}.isdisjoint(
            kind.fields
        )

    def conditions(self, operation: str) -> Mapping[str, Any]:
        return dict(self._fields[operation].args)

    async def ask(self, operation: str, token: str | None, said: Said) -> Told:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        root, name = operation.split(".")
        variables = await self._variables(operation, token, said)
        field = self._fields[operation]
        given = ", ".join(f"${each}: {field.args[each].type}" for each in variables)
        passed = ", ".join(f"{each}: ${each}" for each in variables)
        query = (
            f"{root.lower()} {f'({given})' if given else ''}"
            f" {{ {name} {f'({passed})' if passed else ''} {_selection(field)} }}"
        )
        assert self._client is not None
        answer = await self._client.post(
            "/graphql", json={"query": query, "variables": variables}, headers=headers
        )
        blots = [answer.headers["x-request-id"], *([said.name] if said.name else [])]
        text = answer.text
        for word in blots:
            text = text.replace(word, "…")
        told = sorted(
            (key, value)
            for key, value in answer.headers.items()
            if key not in ("x-request-id", "date")
        )
        assert answer.status_code == 200, text
        return Told(_outcome(answer.json(), name), text, tuple(told))

    async def _variables(self, operation: str, token: str | None, said: Said) -> dict[str, Any]:
        name, field = operation.partition(".")[2], self._fields[operation]
        variables: dict[str, Any] = {
            to_camel_case(each): _input(value, field.args[to_camel_case(each)].type)
            for each, value in said.query.items()
        }
        for each in ("number", "id", "code", "uuid"):
            if each in field.args and said.name is not None:
                variables[each] = said.name
        if name in ("node", "nodes"):
            id = global_id("Appeal", await self._uuid(said.name or ""))
            variables |= {"id": id} if name == "node" else {"ids": [id]}
        if "input" in field.args:
            file = _FILES.get(name)
            variables["input"] = (
                {"filename": file[0], "mediaType": file[2],
                 "content": b64encode(file[1]).decode()}
                if file else _input(said.body or {}, field.args["input"].type)
            )  # fmt: skip
        if "idempotencyKey" in field.args:
            variables["idempotencyKey"] = uuid4().hex
        elif "ifVersion" in field.args:
            variables["ifVersion"] = await self._version(name, token, said.name or "")
        return variables

    async def _version(self, name: str, token: str | None, named: str) -> int:
        """The version of a thing, as far as the asker sees it."""
        asked = f'appeal(number: "{named}")' if "Appeal" in name else f'incident(uuid: "{named}")'
        assert self._client is not None
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = await self._client.post(
            "/graphql", json={"query": f"{{ found: {asked} {{ version }} }}"}, headers=headers
        )
        found = (answer.json().get("data") or {}).get("found")
        return found["version"] if found else 1

    async def _uuid(self, number: str) -> str:
        """The id of an appeal, whoever may see it; one that nothing has for a number of none."""
        assert self._house is not None
        found = await fetch(self._house, "SELECT id FROM appeal WHERE number = $1", number)
        return str(found[0]["id"]) if found else str(uuid4())


def _outcome(answer: Mapping[str, Any], name: str) -> str:
    data = (answer.get("data") or {}).get(name)
    if any(error["extensions"]["code"] == "internal" for error in answer.get("errors", ())):
        return "500 internal"
    for error in answer.get("errors", ()):
        if error.get("path") == [name]:
            code = error["extensions"]["code"]
            return f"{_CODES[code]} {code}"
    if isinstance(data, Mapping) and "code" in data and data["__typename"].endswith("Problem"):
        return f"{_CODES[data['code']]} {data['code']}"
    return DONE if data not in (None, [None]) else "404 not-found"


def _named(kind: Any) -> Any:
    while isinstance(kind, GraphQLNonNull | GraphQLList):
        kind = kind.of_type
    return kind


def _selection(field: GraphQLField, depth: int = 2) -> str:
    """Everything that is plain, and what stands two steps below."""
    kind = _named(field.type)
    if is_leaf_type(kind):
        return ""
    if isinstance(kind, GraphQLUnionType):
        success = kind.types[0]
        return (
            "{ __typename ... on Problem { code title message }"
            f" ... on {success.name} {_fields(success, depth)} }}"
        )
    if isinstance(kind, GraphQLInterfaceType):
        return "{ __typename id ... on Appeal { number text version } }"
    return _fields(kind, depth)


def _fields(kind: GraphQLObjectType, depth: int) -> str:
    parts = ["__typename"]
    for name, field in kind.fields.items():
        if any(isinstance(each.type, GraphQLNonNull) for each in field.args.values()):
            continue
        if is_leaf_type(_named(field.type)) or depth > 0:
            parts.append(f"{name} {_selection(field, depth - 1)}")
    return "{ " + " ".join(parts) + " }"


def _input(value: Any, kind: Any) -> Any:
    """A value of a REST body by the names of the graph."""
    if isinstance(kind, GraphQLNonNull):
        return _input(value, kind.of_type)
    if isinstance(kind, GraphQLList):
        return [_input(each, kind.of_type) for each in value]
    if isinstance(kind, GraphQLInputObjectType) and isinstance(value, Mapping):
        return {
            to_camel_case(name): _input(each, kind.fields[to_camel_case(name)].type)
            for name, each in value.items()
        }
    if isinstance(kind, GraphQLEnumType):
        return next(
            name
            for name, each in kind.values.items()
            if getattr(each.value, "value", each.value) == value
        )
    return value
