"""A browser is sent back to registered places alone, and to the login with a sound request."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from starlette.requests import Request

from api.browser import bound
from api.clock import real
from domain.access import Role
from domain.errors import NotFound
from domain.identity.clients import GrantType
from domain.identity.model import Subject
from tests.support.city import KISHI
from tests.support.oauth import (
    CALLBACK,
    ISSUER,
    RESIDENT,
    Door,
    Registered,
    member,
    query,
    register,
    register_app,
    register_system,
)
from tests.support.rest import assert_problem
from tests.support.sql import fetch


async def test_a_sound_request_goes_to_the_login_bound_to_its_browser(door: Door, site: Registered):
    asked = await door.ask(site, ui_locales="kk")
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/login?request=")
    assert asked.headers["cache-control"] == "no-store"
    cookie = asked.headers["set-cookie"].lower()
    assert cookie.startswith("__host-ikomek-request-")
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= set(cookie.split("; "))
    wanted = await door.house.authorizations.asked(query(asked)["request"])
    assert (wanted.client_id, wanted.language, wanted.staff) == (site.id, "kk", False)
    assert wanted.scopes == {"openid", "profile", "offline_access", "appeals:read"}
    assert wanted.returns_to == "https://site.kishi.example"


async def test_only_the_browser_that_came_is_known_again(door: Door, site: Registered):
    asked = await door.ask(site)
    handle = query(asked)["request"]
    mine = asked.headers["set-cookie"].partition(";")[0]

    def comes(cookie: str, handle: str) -> bool:
        headers = [(b"cookie", cookie.encode())]
        return bound(Request({"type": "http", "headers": headers}), handle, secure=True)

    assert comes(mine, handle)
    assert not comes("", handle)
    assert not comes(mine, "another")
    assert not comes(mine.partition("=")[0] + "=1", handle)


@pytest.mark.parametrize(
    "uri",
    [
        ..., "https://evil.example/callback", CALLBACK + "/", CALLBACK + "?x=1", CALLBACK + "#x",
        CALLBACK + "/../x", CALLBACK.upper(), CALLBACK.replace("https", "http"),
        "https://site.kishi.example:443/callback", "https://x@site.kishi.example/callback",
        "https://site.kishi.example.evil.example/callback", "//site.kishi.example/callback",
        "https://site.kishi.example%2f@evil.example/callback", "javascript:alert(1)",
        'https://site.kishi.example/callback"<script>', "https://site.kishi.example/cal%6cback",
        CALLBACK + " ", "http://127.0.0.1:8000/callback", "*",
    ],
)  # fmt: skip
async def test_nobody_is_sent_to_a_place_that_is_not_registered(
    door: Door, site: Registered, uri: str
):
    # The rest of the request is unsound as well, and still nothing is told elsewhere.
    answer = await door.ask(site, redirect_uri=uri, response_type="token", scope="nothing")
    assert_problem(answer, 400, "malformed")
    assert "location" not in answer.headers


@pytest.mark.parametrize("client_id", [..., "x", str(UUID(int=109)), "' OR 1=1 --"])
async def test_an_unknown_client_sends_nobody_anywhere(door: Door, site: Registered, client_id):
    answer = await door.ask(site, client_id=client_id)
    assert_problem(answer, 400, "malformed")


async def test_a_disabled_client_sends_nobody_anywhere(door: Door):
    gone = await register(door.house)
    asked = await door.ask(gone)
    await door.house.clients.disable(gone.client.id, real())
    assert_problem(await door.ask(gone), 400, "malformed")
    with pytest.raises(NotFound):
        await door.house.authorizations.asked(query(asked)["request"])


@pytest.mark.parametrize("repeated", ["client_id", "redirect_uri", "state", "code_challenge"])
async def test_a_repeated_parameter_is_told_to_nobody_else(
    door: Door, site: Registered, repeated: str
):
    said = {
        "response_type": "code", "client_id": site.id, "redirect_uri": CALLBACK, "state": "1",
        "code_challenge": "x" * 43, "code_challenge_method": "S256",
    }  # fmt: skip
    async with door.client() as client:
        answer = await client.get("/oauth/authorize", params=[*said.items(), (repeated, "2")])
    assert_problem(answer, 400, "malformed")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": ..., "code_challenge_method": ...}, "invalid_request"),
        ({"code_challenge": ...}, "invalid_request"),
        ({"code_challenge_method": ...}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": ...}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": "appeals:read everything"}, "invalid_scope"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "https://evil.example"}, "request_not_supported"),
        ({"resource": "https://other.example"}, "invalid_target"),
        ({"state": "x" * 3000}, "invalid_request"),
    ],
)  # fmt: skip
async def test_an_unsound_request_is_told_to_the_client(
    door: Door, site: Registered, changes, error: str
):
    answer = await door.ask(site, **changes)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(CALLBACK + "?")
    told = query(answer)
    assert (told["error"], told["iss"]) == (error, ISSUER)
    assert told["state"] == changes.get("state", "s-1")
    assert "set-cookie" not in answer.headers


async def test_a_client_asks_people_only_for_what_it_was_registered_for(door: Door):
    narrow = await register(door.house, scopes=frozenset({"openid", "appeals:read"}))
    assert query(await door.ask(narrow, scope="openid appeals:write"))["error"] == "invalid_scope"
    asked = await door.ask(narrow, scope=...)
    wanted = await door.house.authorizations.asked(query(asked)["request"])
    assert wanted.scopes == {"openid", "appeals:read"}


async def test_a_system_that_comes_for_itself_asks_nobody(door: Door):
    system = await register_system(door.house)
    assert_problem(await door.ask(system), 400, "malformed")


async def test_a_native_app_listens_on_any_port_of_its_own_machine(door: Door):
    native = await register_app(
        door.house,
        redirect_uris=("http://127.0.0.1/callback", "kz.kishi.app:/callback"),
        grant_types=frozenset({GrantType.AUTHORIZATION_CODE}),
    )
    for uri in ("http://127.0.0.1:51004/callback", "kz.kishi.app:/callback"):
        assert (await door.ask(native, redirect_uri=uri)).headers["location"].startswith("/login")
    for uri in (
        "http://127.0.0.1:51004/other", "http://localhost:51004/callback",
        "http://127.0.0.2:51004/callback", "https://127.0.0.1:51004/callback",
        "http://127.0.0.1:99999/callback", "http://127.0.0.1@evil.example/callback",
        "kz.kishi.app:/callback/x", "http://127.0.0.1:51004/callback?x=1",
    ):  # fmt: skip
        assert_problem(await door.ask(native, redirect_uri=uri), 400, "malformed")


async def test_a_request_is_answered_once(door: Door, site: Registered):
    handle = query(await door.ask(site))["request"]
    asks = door.house.authorizations
    await asks.grant(handle, RESIDENT, frozenset({"openid"}), real())
    for again in (
        asks.asked(handle),
        asks.grant(handle, RESIDENT, frozenset({"openid"}), real()),
        asks.refuse(handle, "access_denied", real()),
    ):
        with pytest.raises(NotFound):
            await again


async def test_a_request_ends_after_ten_minutes(door: Door, site: Registered):
    handle = query(await door.ask(site))["request"]
    await fetch(
        door.house,
        "UPDATE authorization_request SET expires_at = expires_at - interval '10 min'"
        " WHERE client_id = $1 RETURNING 1",
        site.client.id,
    )
    with pytest.raises(NotFound):
        await door.house.authorizations.asked(handle)


async def test_residents_and_members_log_in_where_they_belong(door: Door, site: Registered):
    desk = await register(door.house, staff=True)
    stranger = replace(RESIDENT, city=uuid4())
    for client, wrong in (
        (site, member(Role.OPERATOR)), (desk, RESIDENT), (site, stranger),
    ):  # fmt: skip
        handle = query(await door.ask(client))["request"]
        with pytest.raises(NotFound):
            await door.house.authorizations.grant(handle, wrong, frozenset({"openid"}), real())


async def test_an_organisations_own_program_is_for_its_own_people(door: Door):
    def asks(of: Registered, who: Subject):
        async def allow() -> str:
            handle = query(await door.ask(of))["request"]
            return await door.house.authorizations.grant(handle, who, frozenset(), real())

        return allow()

    water = await register(door.house, staff=True, organisation=KISHI.water)
    above = await register(door.house, staff=True, organisation=KISHI.department)
    assert "code=" in await asks(water, member(Role.EXECUTOR))
    assert "code=" in await asks(above, member(Role.EXECUTOR))
    for client, who in ((water, member(Role.INSPECTOR)), (water, member(Role.AKIM))):
        with pytest.raises(NotFound):
            await asks(client, who)


async def test_nobody_allows_more_than_was_asked(door: Door, site: Registered):
    handle = query(await door.ask(site, scope="openid"))["request"]
    more = frozenset({"openid", "appeals:read"})
    with pytest.raises(NotFound):
        await door.house.authorizations.grant(handle, RESIDENT, more, real())


async def test_secrets_stand_nowhere_in_the_clear(door: Door, site: Registered):
    asked = await door.ask(site)
    handle = query(asked)["request"]
    told = await door.tokens(site)
    tables = "client_secret", "authorization_request", "authorization_code", "refresh_token"
    rows = [
        row[0]
        for table in (*tables, "client", "login_session", "token_key")
        for row in await fetch(door.house, f"SELECT t::text FROM {table} t")
    ]
    whole = " ".join(rows)
    private = door.house.trust.keys[0].private
    for secret in (site.secret, handle, told["refresh_token"]):
        assert secret
        assert secret not in whole
        assert secret.encode().hex() not in whole
    assert private.hex() not in whole
