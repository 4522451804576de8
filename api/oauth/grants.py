"""The ways to a token: a code, a refresh token, or the client's own credentials."""

from typing import Any

from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc7636 import CodeChallenge

from api.oauth.asking import Asking, Caller, HeldCode, HeldRefresh, ask
from api.oauth.server import CONFIDENTIAL, EVERY
from domain.identity.clients import GrantType, hash_secret
from domain.identity.model import Subject
from domain.identity.scopes import OFFLINE, OPENID, PROFILE, parse_scopes
from domain.identity.tokens import itself

PERSONS = frozenset({OPENID, PROFILE, OFFLINE})
"""Scopes about somebody who logged in; a client that comes for itself has nobody."""


class Challenge(CodeChallenge):
    """PKCE (RFC 7636), S256 and nothing else, for every client."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Raises InvalidRequestError without a sound challenge."""
        said = grant.request.said
        if "code_challenge" not in said or said.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A 'code_challenge' of method S256 is needed.")
        super().validate_code_challenge(grant, redirect_uri)


class CodeGrant(grants.AuthorizationCodeGrant):
    """RFC 6749 §4.1.3. A code that comes again ends all that was issued from it."""

    TOKEN_ENDPOINT_AUTH_METHODS = EVERY

    def query_authorization_code(self, code: str, client: Caller) -> HeldCode | None:
        """The code, if it is the client's, fresh and unused."""
        request: Asking = self.request
        found = ask(request.desk.code, hash_secret(code))
        if found is None:
            return None
        if found.used_at is not None:
            ask(request.desk.end, found.session, "code-replayed", request.at)
            return None
        sound = found.expires_at > request.at and found.session.stands(request.at)
        return HeldCode(found) if sound and found.session.client == client.client.id else None

    def authenticate_user(self, authorization_code: HeldCode) -> Subject | None:
        """Whose code it is; None for a member who was suspended meanwhile."""
        request: Asking = self.request
        return ask(request.desk.subject, authorization_code.code.session)

    def generate_token(self, **_: object) -> dict[str, Any]:
        """The tokens of the login."""
        request: Asking = self.request
        code = request.authorization_code.code
        may_refresh = request.client.check_grant_type(GrantType.REFRESH_TOKEN)
        issued: dict[str, Any] = self.server.issue(
            request, request.user, code.session.scopes, code.session, nonce=code.nonce,
            refreshable=may_refresh,
        )  # fmt: skip
        return issued

    def save_token(self, token: dict[str, Any]) -> None:
        """Nothing: what has to be kept was kept when it was issued."""

    def delete_authorization_code(self, authorization_code: HeldCode) -> None:
        """It is kept as used, so that a repeat is known as one."""
        ask(self.request.desk.use_code, authorization_code.code, self.request.at)


class RefreshGrant(grants.RefreshTokenGrant):
    """RFC 6749 §6, with rotation: a refresh token that comes again ends its whole family."""

    TOKEN_ENDPOINT_AUTH_METHODS = EVERY
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> HeldRefresh | None:
        """The refresh token, if it is fresh and unused."""
        request: Asking = self.request
        found = ask(request.desk.refresh, hash_secret(refresh_token))
        if found is None:
            return None
        if found.used_at is not None:
            ask(request.desk.end, found.session, "refresh-replayed", request.at)
            return None
        sound = found.expires_at > request.at and found.session.stands(request.at)
        return HeldRefresh(found) if sound else None

    def authenticate_user(self, refresh_token: HeldRefresh) -> Subject:
        """Whose login it is. Raises InvalidGrantError for a member who is none any more."""
        request: Asking = self.request
        found = ask(request.desk.subject, refresh_token.token.session)
        if found is None:
            raise InvalidGrantError()
        return found

    def issue_token(self, user: Subject, refresh_token: HeldRefresh) -> dict[str, Any]:
        """Fresh tokens; a narrower scope narrows this access token and not the next."""
        request: Asking = self.request
        session = refresh_token.token.session
        scopes = parse_scopes(request.payload.scope) or session.scopes
        issued: dict[str, Any] = self.server.issue(request, user, scopes, session, refreshable=True)
        return issued

    def save_token(self, token: dict[str, Any]) -> None:
        """Nothing: what has to be kept was kept when it was issued."""

    def revoke_old_credential(self, refresh_token: HeldRefresh) -> None:
        """It is kept as used, so that a repeat is known as one."""
        ask(self.request.desk.use_refresh, refresh_token.token, self.request.at)


class OwnGrant(grants.ClientCredentialsGrant):
    """RFC 6749 §4.4: the client comes for itself, and acts as its organisation."""

    TOKEN_ENDPOINT_AUTH_METHODS = CONFIDENTIAL

    def generate_token(self, **_: object) -> dict[str, Any]:
        """A token of the client's own, for what it asks of its scopes. Raises InvalidScopeError."""
        request: Asking = self.request
        client = request.client.client
        asked = parse_scopes(request.payload.scope) or client.scopes - PERSONS
        if not client.may_ask(asked) or asked & PERSONS or not asked:
            raise InvalidScopeError()
        issued: dict[str, Any] = self.server.issue(request, itself(client), asked)
        return issued

    def save_token(self, token: dict[str, Any]) -> None:
        """Nothing: a signed token needs no row."""
