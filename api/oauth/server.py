"""The authorization server: authlib's core, told who our clients are and what a token is."""

import secrets
from typing import Any
from uuid import UUID

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError
from authlib.oidc.core.util import create_half_hash

from api.oauth.asking import Asking, Caller, ask
from api.oauth.assertions import PrivateKeyJwt
from api.trust import ACCESS, IDENTITY, Trust
from domain.identity.clients import AuthMethod, hash_secret
from domain.identity.model import Subject
from domain.identity.scopes import OFFLINE, OPENID, SCOPES, write_scopes
from domain.identity.sessions import LoginSession
from domain.identity.tokens import ACCESS_LASTS, Holder, write_claims
from domain.values import new_id

Told = tuple[int, Any, list[tuple[str, str]]]
"""A response as authlib makes it: status, body, headers."""
TOKEN = "/oauth/token"  # noqa: S105
CONFIDENTIAL = [AuthMethod.BASIC, AuthMethod.POST, AuthMethod.PRIVATE_KEY_JWT]
EVERY = [*CONFIDENTIAL, AuthMethod.NONE]


class Server(AuthorizationServer):
    """One for each request: authlib's is told its client by a function without the request."""

    def __init__(self, trust: Trust, request: Asking) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.trust, self.asking = trust, request
        names = (trust.issuer, trust.issuer + TOKEN)
        self.register_client_auth_method(AuthMethod.PRIVATE_KEY_JWT, PrivateKeyJwt(names))

    def query_client(self, client_id: Any) -> Caller | None:
        """The client with an id; None for one that is unknown or disabled."""
        try:
            id = UUID(client_id)
        except (ValueError, TypeError, AttributeError):
            return None
        client = ask(self.asking.desk.client, id)
        if client is None or client.disabled_at is not None or str(id) != client_id:
            return None
        return Caller(client, self.asking.at)

    def authenticate_client(
        self, request: Asking, methods: list[str], endpoint: str = "token"
    ) -> Caller:
        """The client that the request proves to come from, by the one way that it uses.

        Raises InvalidRequestError for several ways at once (RFC 6749 §2.3), InvalidClientError.
        """
        method = _way(request)
        if method not in methods:
            raise InvalidClientError(description="The client must prove itself in another way.")
        client: Caller = super().authenticate_client(request, [method], endpoint)
        if request.said.get("client_id", client.client_id) != client.client_id:
            raise InvalidClientError(description="The client is another than it says.")
        request.client = client
        return client

    def issue(
        self,
        request: Asking,
        subject: Subject,
        scopes: frozenset[str],
        session: LoginSession | None = None,
        *,
        nonce: str | None = None,
        refreshable: bool = False,
    ) -> dict[str, Any]:
        """The tokens of an answer (RFC 6749 §5.1); what has to be kept of them is kept.

        `session` None: the client comes for itself, and its token is a family of its own.
        """
        client: Caller = request.client
        family = new_id() if session is None else session.id
        holder = Holder(subject, client.client.id, family, scopes)
        claims = write_claims(
            holder, issuer=self.trust.issuer, audience=self.trust.audience, token=str(new_id()),
            at=request.at,
        )  # fmt: skip
        access = self.trust.sign(claims, ACCESS, request.at)
        token = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LASTS.total_seconds()),
            "scope": write_scopes(scopes),
        }
        if session is not None and refreshable and OFFLINE in session.scopes:
            fresh = secrets.token_urlsafe(32)
            ask(request.desk.add_refresh, session, hash_secret(fresh), request.at)
            token["refresh_token"] = fresh
        if session is not None and OPENID in scopes:
            token["id_token"] = self._identity(request, session, access, nonce)
        return token

    def _identity(
        self, request: Asking, session: LoginSession, access: str, nonce: str | None
    ) -> str:
        """An id_token, OpenID Connect Core 1.0 §2: who logged in, when, at which client."""
        issued = int(request.at.timestamp())
        claims = {
            "iss": self.trust.issuer,
            "sub": str(session.subject),
            "aud": str(session.client),
            "iat": issued,
            "exp": issued + int(ACCESS_LASTS.total_seconds()),
            "auth_time": int(session.begun_at.timestamp()),
            "sid": str(session.id),
            "at_hash": create_half_hash(access, "ES256").decode(),
        }
        if nonce is not None:
            claims["nonce"] = nonce
        return self.trust.sign(claims, IDENTITY, request.at)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Asking) -> Asking:
        """The request is read already."""
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Told:
        """The response as it is; the door writes it."""
        return status, body, headers

    def handle_error_response(self, request: Asking, error: OAuth2Error) -> Told:
        """An error of RFC 6749 §5.2; who could not prove itself is told how to."""
        if isinstance(error, InvalidClientError):
            error.status_code = 401
        told: Told = super().handle_error_response(request, error)
        return told


def _way(request: Asking) -> AuthMethod:
    """How a request's client proves itself. Raises InvalidRequestError for several ways."""
    said = request.said
    ways = [
        way
        for way, used in (
            (AuthMethod.BASIC, "Authorization" in request.headers),
            (AuthMethod.POST, "client_secret" in said),
            (
                AuthMethod.PRIVATE_KEY_JWT,
                "client_assertion" in said or "client_assertion_type" in said,
            ),
        )
        if used
    ]
    if len(ways) > 1:
        raise InvalidRequestError("The client proves itself in several ways.")
    return ways[0] if ways else AuthMethod.NONE
