"""Keys come and go, and no process is taken by surprise."""

from datetime import timedelta

from api.bootstrap import make_token_keys, open_house
from api.clock import real
from domain.identity.signing_keys import KEY_LASTS, SOON
from tests.support.oauth import Door, Registered, register_system
from tests.support.rest import assert_problem
from tests.support.sql import fetch


async def told(door: Door) -> list[str]:
    async with door.client() as client:
        answer = await client.get("/oauth/jwks")
    assert "max-age" in answer.headers["cache-control"]
    assert all(set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
               for key in answer.json()["keys"])  # fmt: skip
    return [key["kid"] for key in answer.json()["keys"]]


async def test_processes_that_start_together_make_one_key(settings, house):
    async with open_house(settings) as one, open_house(settings) as other:
        for each in (house, one, other):
            await each.trust.refresh(real())
        assert len({each.trust.keys[0].kid for each in (house, one, other)}) == 1
        assert len(house.trust.keys) == 1


async def test_a_rotation_voids_nothing_and_a_withdrawal_everything(door: Door):
    house, system = door.house, await register_system(door.house)
    keys = make_token_keys(house.engine, house.keyring)
    token = (await door.token(system, grant_type="client_credentials")).json()["access_token"]
    fresh = await keys.rotate(real())
    await door.refresh()
    assert (await told(door))[-1] == fresh.kid
    assert (await door.me(token)).status_code == 200
    # Its turn comes when every process has learnt of it.
    await house.trust.refresh(real() + SOON + timedelta(seconds=1))
    assert (await door.me(token)).status_code == 200

    await keys.rotate(real(), withdraw=True)
    await door.refresh()
    assert len(await told(door)) == 1
    assert_problem(await door.me(token), 401, "unauthenticated")
    again = (await door.token(system, grant_type="client_credentials")).json()["access_token"]
    assert (await door.me(again)).status_code == 200


async def test_keys_are_renewed_by_age(house):
    await house.trust.refresh(real())
    before = {key.kid for key in house.trust.keys}
    await house.trust.refresh(real() + KEY_LASTS)
    after = {key.kid for key in house.trust.keys}
    assert before < after


async def test_a_key_that_is_gone_is_not_opened(house):
    keys = make_token_keys(house.engine, house.keyring)
    await keys.kept(real())
    await keys.kept(real() + 3 * KEY_LASTS)
    later = real() + 3 * KEY_LASTS + timedelta(days=1)
    known = [key.kid for key in await keys.known(later)]
    gone = await fetch(
        house, "UPDATE token_key SET sealed = 'x' WHERE kid <> ALL($1) RETURNING kid", known
    )
    assert gone
    assert [key.kid for key in await keys.known(later)] == known


async def test_discovery_says_what_there_is(door: Door, site: Registered):
    async with door.client() as client:
        one = (await client.get("/.well-known/oauth-authorization-server")).json()
        other = (await client.get("/.well-known/openid-configuration")).json()
        assert one == other
        for name, place in one.items():
            if name.endswith(("_endpoint", "_uri")):
                path = place.removeprefix(one["issuer"])
                assert (await client.options(path)).status_code == 204, name
    assert one["issuer"] == "https://kishi.example"
    assert one["code_challenge_methods_supported"] == ["S256"]
    assert "none" in one["token_endpoint_auth_methods_supported"]
    assert "none" not in one["introspection_endpoint_auth_methods_supported"]
