"""The doors of the authorization server, and what is the same behind each of them."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import orjson
from anyio import to_thread
from authlib.oauth2 import OAuth2Error
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api.auth import Authenticator, bearer
from api.bootstrap import House
from api.browser import bind
from api.clock import real
from api.errors import Malformed, MethodNotAllowed
from api.languages import preferred
from api.limits import Quota
from api.oauth.asking import Asking
from api.oauth.authorize import Refused, judge
from api.oauth.endpoints import Introspection, Revocation
from api.oauth.forms import header_once, read_form, read_query
from api.oauth.grants import Challenge, CodeGrant, OwnGrant, RefreshGrant
from api.oauth.metadata import metadata
from api.oauth.server import Server, Told
from domain.access import Principal
from domain.errors import ScopeMissing
from domain.identity.scopes import OPENID, PROFILE

LOGIN = "/login"
_NOT_KEPT = {"cache-control": "no-store", "pragma": "no-cache"}
_KEPT = {"cache-control": "public, max-age=300"}
_SIGNS = frozenset(map(chr, (0x20, 0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F))))
"""What an error's description is made of (RFC 6749 §5.2)."""


class OAuthDoor:
    """What every request to the authorization server passes through."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._quota = Quota(house.settings.rate_limit)
        # Each request here holds a connection while it is judged; a flood must leave some.
        self._turns = asyncio.Semaphore(max(1, house.settings.pool_size // 2))
        self._authenticator = Authenticator(house.tokens.find, house.trust, house.trees)

    async def token(self, request: Request) -> Response:
        """RFC 6749 §3.2."""

        def answer(server: Server, asking: Asking) -> Told:
            server.register_grant(CodeGrant, [Challenge(required=True)])
            server.register_grant(RefreshGrant)
            server.register_grant(OwnGrant)
            told: Told = server.create_token_response(asking)
            return told

        return await self._posted(request, answer)

    async def revoke(self, request: Request) -> Response:
        """RFC 7009."""

        def answer(server: Server, asking: Asking) -> Told:
            server.register_endpoint(Revocation)
            told: Told = server.create_endpoint_response("revocation", asking)
            return told

        return await self._posted(request, answer)

    async def introspect(self, request: Request) -> Response:
        """RFC 7662."""

        def answer(server: Server, asking: Asking) -> Told:
            server.register_endpoint(Introspection)
            told: Told = server.create_endpoint_response("introspection", asking)
            return told

        return await self._posted(request, answer)

    async def authorize(self, request: Request) -> Response:
        """RFC 6749 §4.1.1: to the login, or back to the client with an error."""
        self._spend(request)
        house, at = self.house, real()
        try:
            said = read_query(request)
        except OAuth2Error as error:
            raise Malformed(error.description) from None
        wished = said.get("ui_locales", "").replace(" ", ",")
        language = preferred(wished or request.headers.get("accept-language"))
        async with self._turns, house.grants.open() as desk:
            asking = Asking("GET", said, {}, desk, at)
            server = Server(house.trust, asking)
            try:
                wanted = await to_thread.run_sync(judge, server, asking, language)
            except Refused as refused:
                return self._sent_back(refused, said.get("state"))
        handle = await house.authorizations.wait(wanted)
        response = RedirectResponse(f"{LOGIN}?{urlencode({'request': handle})}", 303, _NOT_KEPT)
        bind(response, handle, secure=house.trust.issuer.startswith("https:"))
        return response

    def _sent_back(self, refused: Refused, state: str | None) -> Response:
        error = refused.error
        if refused.redirect_uri is None:
            raise Malformed(error.description or str(error.error))
        said = {"error": error.error}
        if description := _clean(error.get_error_description()):
            said["error_description"] = description
        back = self.house.authorizations.back(refused.redirect_uri, state, **said)
        return RedirectResponse(back, 303, _NOT_KEPT)

    async def userinfo(self, request: Request) -> Response:
        """OpenID Connect Core 1.0 §5.3: who somebody is, for the client that they logged in at."""
        self._spend(request)
        token = bearer(request.headers.get("authorization"))
        principal = self._authenticator.judge(token)
        claims = self.house.trust.access(token, real().timestamp())
        if OPENID not in claims.scopes:
            raise ScopeMissing(permission=OPENID)
        told = {"sub": str(claims.subject)}
        if PROFILE in claims.scopes and (name := await self._name(principal)):
            told["name"] = name
        return _json(told, 200, _NOT_KEPT)

    async def _name(self, principal: Principal) -> str | None:
        if principal.citizen is None:
            return await self.house.grants.member_name(principal.id)
        async with self.house.units.open(principal) as uow:
            return (await uow.citizens.applicant(principal.citizen)).name

    async def jwks(self, request: Request) -> Response:
        """RFC 7517: the keys that verify our tokens."""
        return _json(self.house.trust.jwks(), 200, _KEPT)

    async def discover(self, request: Request) -> Response:
        """RFC 8414 §3, OpenID Connect Discovery 1.0 §4."""
        return _json(metadata(self.house.trust.issuer), 200, _KEPT)

    async def _posted(self, request: Request, answer: Callable[[Server, Asking], Told]) -> Response:
        """The answer to a form of a client; what its transaction did is kept, refused or not."""
        self._spend(request)
        house = self.house
        try:
            said = await read_form(request)
            headers = header_once(request, "authorization")
        except OAuth2Error as error:
            return _told(error())
        async with self._turns, house.grants.open() as desk:
            asking = Asking("POST", said, headers, desk, real())
            told = await to_thread.run_sync(answer, Server(house.trust, asking), asking)
        return _told(told)

    def _spend(self, request: Request) -> None:
        """Count a request of an address: whoever guesses secrets does not guess for long."""
        standing = self._quota.spend(request.client.host if request.client else "")
        request.state.headers.update(standing.headers)
        standing.require()


def _told(told: Told) -> Response:
    status, body, headers = told
    if isinstance(body, list):
        body = dict(body)
    if isinstance(body, dict) and "error_description" in body:
        body["error_description"] = _clean(body["error_description"])
    challenge = {name: value for name, value in headers if name.lower() == "www-authenticate"}
    return _json(body, status, {**_NOT_KEPT, **challenge})


def _clean(description: str | None) -> str:
    return "".join(sign if sign in _SIGNS else "?" for sign in description or "")[:200]


def _json(body: Any, status: int, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


class _Endpoint:
    """One path: its method, answered by the door of the running application."""

    def __init__(self, name: str, method: str) -> None:
        self._name, self._methods = name, {method} | ({"HEAD"} if method == "GET" else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        allowed = ", ".join(sorted({*self._methods, "OPTIONS"}))
        if request.method == "OPTIONS":
            response = Response(status_code=204, headers={"allow": allowed})
        elif request.method not in self._methods:
            raise MethodNotAllowed(allowed=allowed)
        else:
            request.state.route = f"oauth.{self._name}"
            response = await getattr(request.app.state.oauth, self._name)(request)
        await response(scope, receive, send)


PLACES: dict[str, tuple[str, str]] = {
    "/oauth/authorize": ("authorize", "GET"),
    "/oauth/token": ("token", "POST"),
    "/oauth/revoke": ("revoke", "POST"),
    "/oauth/introspect": ("introspect", "POST"),
    "/oauth/userinfo": ("userinfo", "GET"),
    "/oauth/jwks": ("jwks", "GET"),
    "/.well-known/oauth-authorization-server": ("discover", "GET"),
    "/.well-known/openid-configuration": ("discover", "GET"),
}
"""Path → the door's method and the HTTP method; openapi/oauth.yaml is held against it by a test."""

ROUTES = [
    Route(path, _Endpoint(name, method), methods=None, include_in_schema=False)
    for path, (name, method) in PLACES.items()
]
