"""Clients of the authorization server, and a person who logs in at it, as tests need them."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from joserfc.jwk import ECKey
from starlette.applications import Starlette

from api.bootstrap import House
from api.clock import real
from api.settings import Settings
from domain.access import Role
from domain.identity.clients import (
    AuthMethod,
    Client,
    ClientKind,
    GrantType,
    Secret,
    check_client,
    hash_secret,
    new_secret,
)
from domain.identity.model import Subject
from domain.identity.scopes import SCOPES
from domain.values import new_id
from tests.support.city import KISHI
from tests.support.rest import make_callers_app, running

ISSUER = "https://kishi.example"
CALLBACK = "https://site.kishi.example/callback"
VERIFIER = "a-verifier-of-more-than-forty-three-signs-0123456789"
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PERSONS = frozenset({"openid", "profile", "offline_access"})
RESIDENT = Subject(KISHI.citizen, KISHI.id, Role.CITIZEN)


def member(role: Role) -> Subject:
    """The small city's member of a role."""
    return Subject(KISHI.ident(f"member-{role}"), KISHI.id, role, KISHI.home_of(role))


@dataclass(frozen=True)
class Registered:
    """A client with what it alone knows."""

    client: Client
    secret: str | None = None
    key: ECKey | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        return str(self.client.id)

    @property
    def basic(self) -> tuple[str, str]:
        return self.id, self.secret or ""


def _client(**changes: Any) -> Client:
    made = Client(
        id=new_id(),
        city=KISHI.id,
        name="Қосымша",
        kind=ClientKind.CONFIDENTIAL,
        auth_method=AuthMethod.BASIC,
        redirect_uris=(CALLBACK,),
        grant_types=frozenset({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}),
        scopes=frozenset(SCOPES),
    )
    return replace(made, **changes)


async def register(house: House, **changes: Any) -> Registered:
    """Register a client; without changes a site that residents log in at."""
    client, secret = _client(**changes), None
    if client.auth_method in (AuthMethod.BASIC, AuthMethod.POST) and not client.secrets:
        secret = new_secret()
        client = replace(client, secrets=(Secret(hash_secret(secret)),))
    check_client(client)
    await house.clients.add(client, real())
    return Registered(client, secret)


async def register_app(house: House, **changes: Any) -> Registered:
    """A mobile app: it keeps no secret."""
    public = {"kind": ClientKind.PUBLIC, "auth_method": AuthMethod.NONE}
    return await register(house, **public | changes)


async def register_system(house: House, **changes: Any) -> Registered:
    """An executor's dispatch system: it comes for itself."""
    own = {
        "grant_types": frozenset({GrantType.CLIENT_CREDENTIALS}),
        "redirect_uris": (),
        "organisation": KISHI.water,
        "role": Role.EXECUTOR,
        "scopes": frozenset(SCOPES) - PERSONS,
    }
    return await register(house, **own | changes)


async def register_signing(house: House, **changes: Any) -> Registered:
    """An executor's system that proves itself by signatures."""
    key = ECKey.generate_key("P-256", private=True)
    jwks = {"keys": [key.as_dict(private=False) | {"kid": "one"}]}
    made = await register_system(
        house, auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=jwks, **changes
    )
    return replace(made, key=key)


@dataclass
class Door:
    """The way to the authorization server, and into it."""

    app: Starlette
    house: House

    def client(self) -> httpx2.AsyncClient:
        """A browser, or a program; it follows nothing by itself."""
        transport = httpx2.ASGITransport(app=self.app)
        return httpx2.AsyncClient(transport=transport, base_url=ISSUER)

    async def post(self, path: str, said: Mapping[str, str], **options: Any) -> httpx2.Response:
        """One form to the server."""
        async with self.client() as client:
            return await client.post(path, data=dict(said), **options)

    async def token(self, of: Registered, **said: str) -> httpx2.Response:
        """Ask for a token as the client does it that was registered."""
        if of.secret is not None:
            return await self.post("/oauth/token", said, auth=of.basic)
        return await self.post("/oauth/token", {"client_id": of.id} | said)

    async def ask(self, of: Registered, **changes: Any) -> httpx2.Response:
        """Send the browser to the server; `...` leaves a parameter out."""
        said: dict[str, Any] = {
            "response_type": "code",
            "client_id": of.id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile offline_access appeals:read",
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        sent = {name: value for name, value in (said | changes).items() if value is not ...}
        async with self.client() as client:
            return await client.get("/oauth/authorize", params=sent)

    async def code(self, of: Registered, subject: Subject = RESIDENT, **changes: Any) -> str:
        """A code, after the person logged in and allowed everything."""
        asked = await self.ask(of, **changes)
        assert asked.status_code == 303, asked.text
        handle = query(asked)["request"]
        wanted = await self.house.authorizations.asked(handle)
        back = await self.house.authorizations.grant(handle, subject, wanted.scopes, real())
        return parse(back)["code"]

    async def tokens(
        self, of: Registered, subject: Subject = RESIDENT, **changes: Any
    ) -> dict[str, Any]:
        """The tokens of a whole login."""
        answer = await self.exchange(of, await self.code(of, subject, **changes))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def exchange(self, of: Registered, issued: str, **changes: str) -> httpx2.Response:
        """The code for tokens."""
        said = {
            "grant_type": "authorization_code",
            "code": issued,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return await self.token(of, **said | changes)

    async def me(self, token: str) -> httpx2.Response:
        """Ask the API whom a token stands for."""
        return await self.get("/v1/me", token)

    async def get(self, path: str, token: str) -> httpx2.Response:
        """Ask the API with a token."""
        async with self.client() as client:
            return await client.get(path, headers={"authorization": f"Bearer {token}"})

    async def refresh(self) -> None:
        """Let the application look at revocations, keys and limits now."""
        await self.app.state.oauth.house.trust.refresh(real())


@asynccontextmanager
async def opened(settings: Settings, house: House, **changes: Any) -> AsyncIterator[Door]:
    """The application, its issuer a name over TLS."""
    app = make_callers_app(settings, public_url=ISSUER, **{"rate_limit": 0} | changes)
    async with running(app):
        yield Door(app, app.state.oauth.house)


def parse(url: str) -> dict[str, str]:
    """The parameters of an address, each once."""
    found = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


def query(response: httpx2.Response) -> dict[str, str]:
    """The parameters of where a response leads."""
    return parse(response.headers["location"])
