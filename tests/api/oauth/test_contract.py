"""The committed contract is the code's own, valid, and speaks of every place and every scope."""

from pathlib import Path
from typing import Any

import orjson
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.commands.contracts import OAUTH
from api.oauth.contract import document
from api.oauth.routes import PLACES
from api.oauth_scheme import scheme
from api.rest.openapi import document as rest
from api.rest.table import OPERATIONS
from domain.identity.scopes import SCOPES
from tests.support.oauth import Door, Registered

ROOT = Path(__file__).parents[3]


def plain() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(orjson.dumps(document()))
    return found


def test_the_committed_contract_is_what_the_code_says():
    committed = yaml.safe_load((ROOT / OAUTH).read_text())
    assert committed == plain(), "write it again: ikomek openapi export-oauth"


def test_the_contract_is_valid_openapi_3_1():
    assert list(OpenAPIV31SpecValidator(plain()).iter_errors()) == []


def test_the_contract_knows_every_place_and_no_other():
    described = {
        path: {method.upper() for method in item} for path, item in plain()["paths"].items()
    }
    assert described == {path: {method} for path, (_, method) in PLACES.items()}


async def test_the_served_contract_is_the_same(door: Door):
    async with door.client() as client:
        assert (await client.get("/oauth/openapi.json")).json() == plain()


def test_every_operation_of_the_api_names_the_scopes_that_open_it():
    paths = rest()["paths"]
    for operation in OPERATIONS:
        security = paths[operation.path][operation.method.lower()]["security"]
        named = {one for each in security for one in each.get("oauth2", ())}
        wanted = {
            name for name, scope in SCOPES.items() if operation.permission in scope.permissions
        }
        assert named == wanted, operation.id
        assert bool(security) != operation.open_to_all
    flows = scheme()["flows"]
    assert set(flows["authorizationCode"]["scopes"]) == set(SCOPES)


async def test_what_is_answered_is_what_the_contract_says(door: Door, site: Registered):
    told = await door.tokens(site)
    schema = plain()["components"]["schemas"]
    assert set(told) == set(schema["Tokens"]["properties"])
    refused = await door.exchange(site, "x")
    assert refused.json()["error"] in schema["Error"]["properties"]["error"]["enum"]
    async with door.client() as client:
        found = (await client.get("/.well-known/openid-configuration")).json()
    assert set(found) == set(schema["Metadata"]["properties"])
    introspected = await door.post(
        "/oauth/introspect", {"token": told["access_token"]}, auth=site.basic
    )
    assert set(introspected.json()) == set(schema["Introspection"]["properties"])
