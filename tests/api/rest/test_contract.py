"""The committed contract is the code's own, valid, and says of every operation who may use it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.commands.contracts import OPENAPI
from api.pages import FOLDER
from api.rest.openapi import document
from api.rest.table import OPERATIONS
from domain.access import GRANTS
from domain.values import new_id
from tests.support.rest import Callers, documented

ROOT = Path(__file__).parents[3]
KEYWORDS = frozenset(
    {
        "$ref", "additionalProperties", "anyOf", "const", "default", "description",
        "discriminator", "enum",
        "examples", "exclusiveMinimum", "format", "items", "maxItems", "maxLength",
        "maxProperties", "maximum", "minItems", "minLength", "minimum", "oneOf", "pattern",
        "properties",
        "required", "title", "type",
    }
)  # fmt: skip
"""What the contract says of values. A word that JSON Schema does not know would say nothing."""


def _plain() -> dict[str, Any]:
    plain: dict[str, Any] = orjson.loads(orjson.dumps(document()))
    return plain


def _described() -> Iterator[tuple[Any, dict[str, Any]]]:
    paths = _plain()["paths"]
    for operation in OPERATIONS:
        yield operation, paths[operation.path][operation.method.lower()]


def test_the_committed_contract_is_what_the_code_says():
    committed = yaml.safe_load((ROOT / OPENAPI).read_text())
    assert committed == _plain(), "write it again: ikomek openapi export"


def test_the_contract_is_valid_openapi_3_1():
    assert list(OpenAPIV31SpecValidator(_plain()).iter_errors()) == []


async def test_the_served_contract_is_the_same(callers: Callers):
    assert (await callers.call("GET", "/v1/openapi.json", role=None)).json() == _plain()


def _schemas(part: Any, known: bool = False) -> Iterator[dict[str, Any]]:
    if isinstance(part, list):
        for item in part:
            yield from _schemas(item, known)
    elif isinstance(part, dict):
        if known:
            yield part
        for name, item in part.items():
            if name in ("properties", "schemas"):
                for one in item.values():
                    yield from _schemas(one, True)
            elif name in ("schema", "items", "anyOf", "additionalProperties"):
                yield from _schemas(item, True)
            elif name not in ("enum", "examples", "default", "required"):
                yield from _schemas(item, False)


def test_no_schema_says_a_word_that_means_nothing():
    found = {word for schema in _schemas(_plain()) for word in schema}
    assert found <= KEYWORDS
    assert {"minimum", "maximum", "pattern", "maxLength"} <= found


def test_every_text_that_comes_in_has_an_end():
    """A string of a body is bounded in length, by a format or by a closed list."""
    schemas = _plain()["components"]["schemas"]
    bodies = [operation.body.__name__ for operation in OPERATIONS
              if isinstance(operation.body, type)]  # fmt: skip
    for name in bodies:
        for schema in _schemas(schemas[name], True):
            if schema.get("type") == "string":
                assert {"maxLength", "format", "enum", "const"} & schema.keys(), (name, schema)


def test_every_operation_says_who_may_use_it():
    for operation, described in _described():
        said = described["description"]
        assert described["summary"]
        if operation.permission is None:
            assert said in ("Open to all.", "For everybody with a token.")
            continue
        assert f"`{operation.permission}`" in said
        holders = {str(role) for role, grants in GRANTS.items() if operation.permission in grants}
        assert holders == set(said.rstrip(".").partition(": ")[2].split(", "))


def test_every_refusal_is_a_problem_document():
    responses = _plain()["components"]["responses"]
    for operation, described in _described():
        refusals = {status for status in described["responses"] if status >= "400"}
        assert {"400", "429", "500", "503"} <= refusals, operation.id
        assert operation.open_to_all or "401" in refusals
        assert operation.permission is None or "403" in refusals
        for status in refusals:
            reference = described["responses"][status]["$ref"]
            content = responses[reference.rpartition("/")[2]]["content"]
            assert list(content) == ["application/problem+json"]


def test_every_post_takes_a_key():
    for operation, described in _described():
        named = {p["name"] for p in described["parameters"] if p["in"] == "header"}
        assert ("Idempotency-Key" in named) is (operation.method == "POST")


async def test_the_reference_page_loads_nothing_from_elsewhere(callers: Callers):
    page = await callers.call("GET", "/reference", role=None)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    for name in ("index.html", "start.js"):
        text = (FOLDER / name).read_text()
        assert "http:" not in text
        assert "https:" not in text
        assert 'src="//' not in text
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
        assert f"/reference/{name}" in page.text
        assert (await callers.call("GET", f"/reference/{name}", role=None)).status_code == 200


def test_the_callers_of_the_tests_hold_every_operation_to_what_it_is_told_to_answer():
    for operation in OPERATIONS:
        path = re.sub(r"\{\w+\}", str(new_id()), operation.path) + "?limit=1"
        told = documented(operation.method, path)
        assert operation.status in told
        assert set(operation.refusals) <= told, operation.id
        assert not {418, 599} & told
