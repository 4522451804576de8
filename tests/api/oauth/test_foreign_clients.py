"""Programs that others wrote find their way by the standards alone."""

import httpx2
from authlib.integrations.starlette_client import OAuth
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from api.clock import real
from tests.support.city import KISHI
from tests.support.oauth import CALLBACK, ISSUER, RESIDENT, Door, Registered, query, register


def _site(door: Door, registered: Registered) -> Starlette:
    """A site that lets people log in by authlib's own client."""
    oauth = OAuth()
    oauth.register(
        "city",
        server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
        client_id=registered.id,
        client_secret=registered.secret,
        client_kwargs={
            "scope": "openid profile offline_access appeals:read",
            "code_challenge_method": "S256",
            "transport": httpx2.ASGITransport(app=door.app),
        },
    )

    async def login(request: Request) -> RedirectResponse:
        found: RedirectResponse = await oauth.city.authorize_redirect(request, CALLBACK)
        return found

    async def callback(request: Request) -> JSONResponse:
        token = await oauth.city.authorize_access_token(request)
        me = await oauth.city.get(f"{ISSUER}/v1/me", token=token)
        info = await oauth.city.userinfo(token=token)
        return JSONResponse({"claims": token["userinfo"], "me": me.json(), "info": info})

    return Starlette(
        routes=[Route("/login", login), Route("/callback", callback)],
        middleware=[Middleware(_Remembers)],
    )


class _Remembers:
    """What a site keeps of its only visitor."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._session: dict[str, object] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(dict(scope) | {"session": self._session}, receive, send)


async def _log_in(door: Door, location: str) -> str:
    """The person's browser at the city: it is sent to the login, and comes back with a code."""
    async with door.client() as browser:
        asked = await browser.get(location)
        assert asked.status_code == 303
    handle = query(asked)["request"]
    wanted = await door.house.authorizations.asked(handle)
    assert wanted.client_name == "Қосымша"
    return await door.house.authorizations.grant(handle, RESIDENT, wanted.scopes, real())


async def test_authlibs_own_client_logs_a_resident_in(door: Door):
    registered = await register(door.house)
    transport = httpx2.ASGITransport(app=_site(door, registered))
    async with httpx2.AsyncClient(transport=transport, base_url=CALLBACK[:-9]) as browser:
        begun = await browser.get("/login")
        assert begun.headers["location"].startswith(f"{ISSUER}/oauth/authorize?")
        back = await _log_in(door, begun.headers["location"])
        told = (await browser.get(back)).json()
    assert told["claims"]["sub"] == told["me"]["id"] == told["info"]["sub"] == str(KISHI.citizen)
    assert told["claims"]["nonce"]
    assert told["info"]["name"] == "Айгүл Серікова"
