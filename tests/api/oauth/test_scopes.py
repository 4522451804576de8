"""Scopes narrow what a token may do at the doors of the API."""

import pytest

from domain.access import Role
from tests.support.oauth import Door, Registered, member, register
from tests.support.rest import assert_problem, intake


async def test_a_scope_that_lacks_is_told_as_such(door: Door, system: Registered):
    answer = await door.token(system, grant_type="client_credentials", scope="catalogue:read")
    token = answer.json()["access_token"]
    assert (await door.get("/v1/services", token)).status_code == 200
    refused = await door.get("/v1/appeals", token)
    assert_problem(refused, 403, "insufficient-scope")
    told = refused.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in told
    assert 'scope="appeals:read"' in told


async def test_a_role_that_lacks_is_told_as_before(door: Door, system: Registered):
    answer = await door.token(system, grant_type="client_credentials")
    refused = await door.get("/v1/statistics", answer.json()["access_token"])
    assert_problem(refused, 403, "not-permitted")


@pytest.mark.parametrize(("scope", "status"), [("appeals:read", 403), ("appeals:write", 201)])
async def test_a_resident_registers_through_what_they_allowed(
    door: Door, app: Registered, scope: str, status: int
):
    token = (await door.tokens(app, scope=f"openid {scope}"))["access_token"]
    body = intake(channel="app", applicant=...)
    headers = {"authorization": f"Bearer {token}", "idempotency-key": f"one-{scope}"}
    async with door.client() as client:
        answer = await client.post("/v1/appeals", json=body, headers=headers)
    assert answer.status_code == status, answer.text


async def test_a_system_sees_what_its_organisation_sees_and_no_more(door: Door, system: Registered):
    token = (await door.token(system, grant_type="client_credentials")).json()["access_token"]
    desk = await register(door.house, staff=True)
    theirs = (await door.tokens(desk, member(Role.EXECUTOR), scope="appeals:read"))["access_token"]
    own, others = [await door.get("/v1/appeals", each) for each in (token, theirs)]
    assert own.status_code == 200
    numbers = [[each["number"] for each in told.json()["items"]] for told in (own, others)]
    assert numbers[0] == numbers[1] != []


async def test_service_tokens_open_as_before(door: Door):
    token = await door.house.tokens.issue(
        door.house.references.cities()[0], name="test", member=member(Role.INSPECTOR).id
    )
    me = (await door.me(token)).json()
    assert me["role"] == "inspector"
    assert "appeals:check" in me["permissions"]


async def test_userinfo_wants_a_login(door: Door, system: Registered):
    token = (await door.token(system, grant_type="client_credentials")).json()["access_token"]
    refused = await door.get("/oauth/userinfo", token)
    assert_problem(refused, 403, "insufficient-scope")
