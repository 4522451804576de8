"""What authlib's core sees of the world: the request, the client, what was issued before.

The core is plain code that waits for nothing, so it runs in a thread; what it asks of the
database goes back to the loop (`ask`), where one transaction is open for the whole request.
"""

from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from anyio import from_thread
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, OAuth2Request, TokenMixin
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from domain.identity.clients import AuthMethod, Client, GrantType
from domain.identity.model import Subject
from domain.identity.scopes import parse_scopes, write_scopes
from domain.identity.sessions import Code, LoginSession, Refresh
from domain.identity.tokens import AccessClaims

Found = TypeVar("Found")


class Desk(Protocol):
    """One transaction; what is done in it is kept even where the request is refused."""

    async def client(self, id: UUID) -> Client | None:
        """The client with an id, disabled or not."""

    async def subject(self, session: LoginSession) -> Subject | None:
        """Whose session it is, as they stand now; None for who is a member no more."""

    async def code(self, hash: bytes) -> Code | None:
        """The code with a hash, locked."""

    async def use_code(self, code: Code, at: datetime) -> None:
        """Mark a code as used."""

    async def refresh(self, hash: bytes) -> Refresh | None:
        """The refresh token with a hash, locked."""

    async def use_refresh(self, token: Refresh, at: datetime) -> None:
        """Mark a refresh token as used."""

    async def add_refresh(self, session: LoginSession, hash: bytes, at: datetime) -> None:
        """Keep a fresh refresh token."""

    async def end(self, session: LoginSession, reason: str, at: datetime) -> None:
        """End a session, and with it everything that was issued from it."""

    async def revoke(self, kind: str, value: str) -> None:
        """Tell every process that a token or a session is void."""

    async def standing(self, session: UUID, at: datetime) -> bool:
        """Whether a session stands; an id that is no login's always does."""

    async def revoked(self, token: str) -> bool:
        """Whether an access token was taken back by itself."""

    async def first_seen(self, client: Client, hash: bytes, until: datetime) -> bool:
        """Whether a client assertion's id is new."""


def ask(question: Callable[..., Coroutine[Any, Any, Found]], *values: object) -> Found:
    """The loop's answer to a question of the thread."""
    return from_thread.run(question, *values)


class Asking(OAuth2Request):
    """One request, read; `desk` is its transaction, `at` the machine's time."""

    def __init__(
        self,
        method: str,
        said: Mapping[str, str],
        headers: Mapping[str, str],
        desk: Desk,
        at: datetime,
    ) -> None:
        # Whether the way here was TLS is known to the proxy before us, and not to us.
        super().__init__(method, "https://localhost/", headers=dict(headers))
        self.payload = BasicOAuth2Payload(dict(said))
        self.said, self.desk, self.at = said, desk, at

    @property
    def form(self) -> Mapping[str, str]:
        """The parameters; forms.py saw to it that each came once."""
        return self.said

    @property
    def args(self) -> Mapping[str, str]:
        """The same: a request has them in one place."""
        return self.said


class Caller(ClientMixin):
    """A client as authlib asks it. One that is disabled never becomes a caller."""

    def __init__(self, client: Client, at: datetime) -> None:
        self.client = client
        self.client_id = str(client.id)
        self._at = at

    def get_client_id(self) -> str:
        """Its id."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """None: a redirect URI is always named, so that it can be compared."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The scopes asked for, or all of its own where none are; None where any is not its own."""
        asked = parse_scopes(scope) or self.client.scopes
        return write_scopes(asked) if self.client.may_ask(asked) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether it is registered, exactly."""
        return self.client.redirects_to(redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether a secret is its own."""
        return self.client.knows(client_secret, self._at)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether it was registered for a way of proving itself; it has one at every endpoint."""
        return method == self.client.auth_method

    def check_response_type(self, response_type: str) -> bool:
        """Whether it may ask people for authorization."""
        return response_type == "code" and self.check_grant_type(GrantType.AUTHORIZATION_CODE)

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it was registered for a way to tokens."""
        return grant_type in self.client.grant_types

    @property
    def confidential(self) -> bool:
        """Whether it proves itself at all."""
        return self.client.auth_method is not AuthMethod.NONE


class HeldCode(AuthorizationCodeMixin):
    """A code as authlib asks it."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.code_challenge = code.challenge
        self.code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        """Where it was sent."""
        return self.code.redirect_uri

    def get_scope(self) -> str:
        """What the person allowed."""
        return write_scopes(self.code.session.scopes)


class HeldRefresh(TokenMixin):
    """A refresh token as authlib asks it."""

    def __init__(self, token: Refresh) -> None:
        self.token = token

    def check_client(self, client: Caller) -> bool:
        """Whether it was issued to this client."""
        return self.token.session.client == client.client.id

    def get_scope(self) -> str:
        """What the person allowed."""
        return write_scopes(self.token.session.scopes)


class HeldAccess(TokenMixin):
    """An access token as authlib asks it; `live`: it stands for somebody still."""

    def __init__(self, claims: AccessClaims, *, live: bool) -> None:
        self.claims = claims
        self._live = live

    def check_client(self, client: Caller) -> bool:
        """Whether it was issued to this client."""
        return self.claims.client == client.client.id

    def is_expired(self) -> bool:
        """False: one that has ended is not found."""
        return False

    def is_revoked(self) -> bool:
        """Whether it, or what it comes from, was taken back."""
        return not self._live
