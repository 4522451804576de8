"""Every operation behind every door, as the contracts name it, and how it is asked.

A door reads its operations from its own contract. What it hears is told in one form, so that the
matrix (test_matrix.py) knows no door; GraphQL joins by another class here and by rows of the
policy whose operations are named as its contract names them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol
from uuid import uuid4

import httpx2
import yaml
from starlette.applications import Starlette

from tests.house.source import ROOT
from tests.integrations.media.files import picture
from tests.support.rest import client_of

DONE = "done"
UPLOAD = {"file": ("люк.jpg", picture(), "image/jpeg")}
# Not told again and again by what an answer is about: the request's own id, and the moment.
_ITS_OWN = frozenset({"x-request-id", "date"})


@dataclass(frozen=True)
class Said:
    """What goes with an operation: the body, the query, the id in its path."""

    body: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None


@dataclass(frozen=True)
class Told:
    """What an asker learns: `outcome` is DONE or the code of the refusal; the rest in full, with
    the id that was asked for and the request's own id blotted out."""

    outcome: str
    text: str
    headers: tuple[tuple[str, str], ...]


class Door(Protocol):
    """One way to ask."""

    @property
    def operations(self) -> Sequence[str]:
        """The names of the contract."""
        ...

    def changes(self, operation: str) -> bool:
        """Whether the contract says that it may change something."""
        ...

    def lists(self, operation: str) -> bool:
        """Whether the contract says that it answers with a list of things."""
        ...

    def conditions(self, operation: str) -> Mapping[str, Any]:
        """By what the answer can be narrowed: name → schema."""
        ...

    async def ask(self, operation: str, token: str | None, said: Said) -> Told:
        """The answer to one call."""
        ...


@dataclass(frozen=True)
class _Row:
    method: str
    path: str
    status: int
    headers: frozenset[str]
    conditions: Mapping[str, Any]
    uploads: bool
    lists: bool


@cache
def _rows() -> dict[str, _Row]:
    text = (ROOT / "openapi" / "openapi.yaml").read_text()
    contract = yaml.load(text, yaml.CSafeLoader)
    return {
        row["operationId"]: _row(method.upper(), path, row, contract["components"]["schemas"])
        for path, methods in contract["paths"].items()
        for method, row in methods.items()
        if "operationId" in row
    }


def _row(
    method: str, path: str, row: Mapping[str, Any], schemas: Mapping[str, Mapping[str, Any]]
) -> _Row:
    (status,) = (status for status in row["responses"] if status.startswith("2"))
    named: dict[str, dict[str, Any]] = {"header": {}, "query": {}, "path": {}}
    for parameter in row.get("parameters", ()):
        named[parameter["in"]][parameter["name"].lower()] = parameter["schema"]
    answer = row["responses"][status].get("content", {}).get("application/json", {})
    view = answer.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return _Row(
        method,
        path,
        int(status),
        frozenset(named["header"]),
        named["query"],
        uploads="multipart/form-data" in row.get("requestBody", {}).get("content", {}),
        lists="items" in schemas.get(view, {}).get("properties", {}),
    )


class RestDoor:
    """The REST API by openapi/openapi.yaml."""

    def __init__(self, app: Starlette | None = None) -> None:
        self._rows = _rows()
        self._client = client_of(app) if app is not None else None

    @property
    def operations(self) -> Sequence[str]:
        return tuple(self._rows)

    def changes(self, operation: str) -> bool:
        return self._rows[operation].method != "GET"

    def lists(self, operation: str) -> bool:
        return self._rows[operation].lists

    def conditions(self, operation: str) -> Mapping[str, Any]:
        return self._rows[operation].conditions

    def path(self, operation: str) -> str:
        """Its path, with the names of its parameters in braces."""
        return self._rows[operation].path

    async def ask(self, operation: str, token: str | None, said: Said) -> Told:
        row = self._rows[operation]
        headers = {"authorization": f"Bearer {token}"} if token else {}
        if "idempotency-key" in row.headers:
            headers["idempotency-key"] = uuid4().hex
        if "if-match" in row.headers:
            headers["if-match"] = "*"
        # Every operation names one object at most.
        path = re.sub(r"\{\w+\}", said.name or "", row.path)
        sent: dict[str, Any] = {"files": UPLOAD} if row.uploads else {}
        if said.body is not None:
            sent["json"] = said.body
        assert self._client is not None
        answer = await self._client.request(
            row.method, path, params=dict(said.query), headers=headers, **sent
        )
        return _told(answer, row.status, said.name)


def _told(answer: httpx2.Response, expected: int, name: str | None) -> Told:
    blots = [answer.headers["x-request-id"], *([name] if name else [])]
    text = _blotted(answer.text, blots)
    headers = sorted(
        (key, _blotted(value, blots))
        for key, value in answer.headers.items()
        if key not in _ITS_OWN
    )
    if answer.status_code == expected:
        return Told(DONE, text, tuple(headers))
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", text
    assert problem["status"] == answer.status_code, text
    return Told(f"{answer.status_code} {problem['code']}", text, tuple(headers))


def _blotted(text: str, words: Sequence[str]) -> str:
    for word in words:
        text = text.replace(word, "…")
    return text
