"""The ways to a token, walked by those who may."""

from joserfc import jwt
from joserfc.jwk import KeySet

from domain.access import Role
from tests.support.city import KISHI
from tests.support.oauth import ISSUER, RESIDENT, member, query, register


async def test_a_resident_logs_in_and_is_themselves(door, site):
    told = await door.tokens(site)
    assert told["token_type"] == "Bearer"
    assert told["expires_in"] == 600
    me = (await door.me(told["access_token"])).json()
    assert (me["id"], me["role"]) == (str(KISHI.citizen), "citizen")
    assert me["permissions"] == ["appeals:read"]


async def test_the_mobile_app_logs_in_without_a_secret(door, app):
    told = await door.tokens(app)
    again = await door.token(app, grant_type="refresh_token", refresh_token=told["refresh_token"])
    assert again.status_code == 200
    assert again.json()["refresh_token"] != told["refresh_token"]
    assert (await door.me(again.json()["access_token"])).status_code == 200


async def test_a_member_logs_in_and_has_their_role_and_organisation(door):
    desk = await register(door.house, staff=True)
    told = await door.tokens(desk, member(Role.HEAD), scope="webhooks:manage statistics:read")
    me = (await door.me(told["access_token"])).json()
    assert (me["role"], me["organisation"]) == ("head", str(KISHI.water))
    assert me["permissions"] == [
        "control:read", "events:read", "statistics:read-executors", "webhooks:manage",
    ]  # fmt: skip


async def test_a_system_comes_for_itself_and_acts_as_its_organisation(door, system):
    answer = await door.token(system, grant_type="client_credentials", scope="appeals:perform")
    assert answer.status_code == 200
    assert "refresh_token" not in answer.json()
    me = (await door.me(answer.json()["access_token"])).json()
    assert (me["id"], me["role"], me["organisation"]) == (system.id, "executor", str(KISHI.water))


async def test_the_answer_names_the_issuer_and_brings_the_state_back(door, site):
    asked = await door.ask(site, state="a b&c")
    handle = query(asked)["request"]
    back = await door.house.authorizations.refuse(handle, "access_denied", door.house.now())
    assert back.startswith("https://site.kishi.example/callback?")
    assert "iss=https%3A%2F%2Fkishi.example" in back
    assert "state=a+b%26c" in back
    assert "error=access_denied" in back


async def test_the_id_token_tells_the_client_who_logged_in(door, site):
    told = await door.tokens(site, nonce="n-77")
    async with door.client() as client:
        keys = KeySet.import_key_set((await client.get("/oauth/jwks")).json())
    claims = jwt.decode(told["id_token"], keys, algorithms=["ES256"]).claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (ISSUER, site.id, "n-77")
    assert claims["sub"] == str(RESIDENT.id)


async def test_userinfo_tells_the_name_of_who_allowed_it(door, site):
    told = await door.tokens(site)
    answer = await door.get("/oauth/userinfo", told["access_token"])
    assert answer.json() == {"sub": str(KISHI.citizen), "name": "Айгүл Серікова"}
    narrow = await door.tokens(site, scope="openid")
    answer = await door.get("/oauth/userinfo", narrow["access_token"])
    assert answer.json() == {"sub": str(KISHI.citizen)}
