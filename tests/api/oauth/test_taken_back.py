"""Tokens that are taken back, and those who may ask whether one stands."""

from domain.access import Role
from domain.identity.clients import hash_secret, new_secret
from tests.support.city import KISHI
from tests.support.oauth import Door, Registered, member, register, register_system
from tests.support.rest import assert_problem
from tests.support.sql import fetch
from tests.support.worker import eventually

OWN = {"grant_type": "client_credentials"}


async def test_a_token_that_was_taken_back_is_void_in_every_process(door: Door, app: Registered):
    token = (await door.tokens(app))["access_token"]
    assert (await door.me(token)).status_code == 200
    said = {"token": token, "token_type_hint": "access_token", "client_id": app.id}
    answer = await door.post("/oauth/revoke", said)
    assert answer.status_code == 200

    async def void() -> bool:
        return (await door.me(token)).status_code == 401

    # Nobody is told to look: the process does by itself.
    await eventually(void, within=20)


async def test_a_refresh_token_takes_its_whole_login_along(door: Door, site: Registered):
    told = await door.tokens(site)
    said = {"token": told["refresh_token"]}
    assert (await door.post("/oauth/revoke", said, auth=site.basic)).status_code == 200
    answer = await door.token(site, grant_type="refresh_token", refresh_token=said["token"])
    assert answer.json()["error"] == "invalid_grant"
    await door.refresh()
    assert_problem(await door.me(told["access_token"]), 401, "unauthenticated")


async def test_nobody_takes_back_what_is_not_theirs(door: Door, site: Registered, app: Registered):
    told = await door.tokens(site)
    for token in (told["access_token"], told["refresh_token"]):
        answer = await door.post("/oauth/revoke", {"token": token, "client_id": app.id})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    await door.refresh()
    assert (await door.me(told["access_token"])).status_code == 200


async def test_an_unknown_token_is_taken_back_already(door: Door, site: Registered):
    for token in ("x", "x.y.z"):
        answer = await door.post("/oauth/revoke", {"token": token}, auth=site.basic)
        assert answer.status_code == 200
    answer = await door.post("/oauth/revoke", {}, auth=site.basic)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    answer = await door.post("/oauth/revoke", {"token": "x"}, auth=(site.id, "wrong"))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_client_asks_about_its_own_tokens(door: Door, system: Registered):
    token = (await door.token(system, **OWN, scope="appeals:read")).json()["access_token"]
    answer = await door.post("/oauth/introspect", {"token": token}, auth=system.basic)
    told = answer.json()
    assert told["active"] is True
    assert (told["client_id"], told["scope"]) == (system.id, "appeals:read")
    await door.post("/oauth/revoke", {"token": token}, auth=system.basic)
    answer = await door.post("/oauth/introspect", {"token": token}, auth=system.basic)
    assert answer.json() == {"active": False}


async def test_of_others_tokens_a_client_learns_nothing(
    door: Door, system: Registered, site: Registered
):
    told = await door.tokens(site)
    for token in (told["access_token"], told["refresh_token"], told["id_token"], "x", "x.y.z"):
        answer = await door.post("/oauth/introspect", {"token": token}, auth=system.basic)
        assert (answer.status_code, answer.json()) == (200, {"active": False})
    answer = await door.post("/oauth/introspect", {"token": told["refresh_token"]}, auth=site.basic)
    assert answer.json() == {"active": False}


async def test_a_mobile_app_asks_about_none(door: Door, app: Registered):
    token = (await door.tokens(app))["access_token"]
    answer = await door.post("/oauth/introspect", {"token": token, "client_id": app.id})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_secret_that_was_rotated_opens_for_a_while(door: Door):
    system = await register_system(door.house)
    for _ in range(2):
        fresh = new_secret()
        await door.house.clients.rotate(system.client.id, hash_secret(fresh), door.house.now())
        answer = await door.post("/oauth/token", OWN, auth=(system.id, fresh))
        assert answer.status_code == 200
    # The first one is the second before the last, and only one is kept beside the newest.
    assert (await door.token(system, **OWN)).status_code == 401


async def test_another_login_of_the_same_person_stands_by_itself(door: Door):
    site = await register(door.house)
    told = await door.tokens(site)
    waiting = await door.code(site)
    await door.post("/oauth/revoke", {"token": told["refresh_token"]}, auth=site.basic)
    assert (await door.exchange(site, waiting)).status_code == 200


async def test_a_member_who_changes_roles_keeps_no_token_of_the_old_one(door: Door):
    desk = await register(door.house, staff=True)
    told = await door.tokens(desk, member(Role.OPERATOR), scope="offline_access appeals:read")
    assert (await door.me(told["access_token"])).json()["role"] == "operator"
    who = member(Role.OPERATOR).id
    await fetch(door.house, "UPDATE member SET role = 'inspector' WHERE id = $1", who)
    await door.refresh()
    assert_problem(await door.me(told["access_token"]), 401, "unauthenticated")
    # What is issued in the same seconds may be of either role, and is void as well.
    await fetch(door.house, "UPDATE revocation SET at = at - interval '3 s' WHERE kind = 'subject'")
    await door.refresh()
    token = told["refresh_token"]
    again = await door.token(desk, grant_type="refresh_token", refresh_token=token)
    assert (await door.me(again.json()["access_token"])).json()["role"] == "inspector"


async def test_a_change_of_name_voids_nothing(door: Door):
    desk = await register(door.house, staff=True)
    told = await door.tokens(desk, member(Role.HEAD), scope="appeals:read")
    who = member(Role.HEAD).id
    await fetch(door.house, "UPDATE member SET name = 'Жаңа Есім' WHERE id = $1", who)
    await door.refresh()
    assert (await door.me(told["access_token"])).status_code == 200


async def test_what_has_ended_is_forgotten_and_the_login_stays(door: Door):
    site = await register(door.house)
    told = await door.tokens(site)
    await door.post("/oauth/revoke", {"token": told["refresh_token"]}, auth=site.basic)
    tables = ("authorization_request", "authorization_code", "refresh_token")
    await door.house.revocations.forget()
    assert all([await fetch(door.house, f"SELECT FROM {table}") for table in tables])
    for table in tables:
        await fetch(door.house, f"UPDATE {table} SET expires_at = expires_at - interval '99 days'")
    await fetch(door.house, "UPDATE revocation SET at = at - interval '2 hours'")
    await door.house.revocations.forget()
    for table in (*tables, "revocation"):
        assert await fetch(door.house, f"SELECT FROM {table}") == []
    kept = await fetch(
        door.house, "SELECT subject_id, end_reason FROM login_session WHERE client_id = $1",
        site.client.id,
    )  # fmt: skip
    assert [tuple(row) for row in kept] == [(KISHI.citizen, "revoked")]
