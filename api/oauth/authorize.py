"""A client sends a person to us (RFC 6749 §4.1.1): judge what it asks, and let them log in."""

from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError, InvalidScopeError

from api.oauth.asking import Asking
from api.oauth.grants import Challenge, CodeGrant
from api.oauth.server import Server
from domain.identity.scopes import parse_scopes
from domain.identity.sessions import Wanted

LONGEST_STATE = 2048
LONGEST_NONCE = 512


class RequestNotSupported(OAuth2Error):
    """OpenID Connect Core 1.0 §3.1.2.6: we read no request objects."""

    error = "request_not_supported"


class LoginRequired(OAuth2Error):
    """OpenID Connect Core 1.0 §3.1.2.6: `prompt=none`, and we remember nobody."""

    error = "login_required"


class InvalidTarget(OAuth2Error):
    """RFC 8707 §2: a resource that is not our API."""

    error = "invalid_target"


class Refused(Exception):
    """A request that is refused before anybody logs in. `redirect_uri` is where the client hears
    of it, None where no registered one was named: then the person alone is told.
    """

    def __init__(self, error: OAuth2Error, redirect_uri: str | None) -> None:
        super().__init__(error.error)
        self.error = error
        self.redirect_uri = redirect_uri


def judge(server: Server, request: Asking, language: str) -> Wanted:
    """What a client wants of a person. Raises Refused. Runs in a thread, see asking.py."""
    server.register_grant(CodeGrant, [Challenge(required=True), _extras(server)])
    _require_place(server, request)
    try:
        grant = server.get_consent_grant(request)
    except OAuth2Error as error:
        raise Refused(error, request.said["redirect_uri"]) from None
    client = request.client.client
    return Wanted(
        client.city,
        client.id,
        grant.redirect_uri,
        parse_scopes(request.scope),
        request.said.get("state"),
        request.said.get("nonce"),
        request.said["code_challenge"],
        language,
    )


def _require_place(server: Server, request: Asking) -> None:
    """Raise Refused, for the person alone, unless a registered place of the client is named.

    Nothing of the request is judged before it, so that no error is ever sent elsewhere.
    """
    client = server.query_client(request.said.get("client_id"))
    if client is None:
        raise Refused(InvalidRequestError("The client is unknown here."), None)
    uri = request.said.get("redirect_uri")
    if uri is None or not client.check_redirect_uri(uri):
        raise Refused(InvalidRequestError("The redirect URI is not registered."), None)


def _extras(server: Server) -> Any:
    """What authlib's grant does not look at, as an extension of it."""

    def look(grant: Any, redirect_uri: str) -> None:
        said = grant.request.said
        if "request" in said or "request_uri" in said:
            raise RequestNotSupported()
        if said.get("response_mode", "query") != "query":
            raise InvalidRequestError("The only 'response_mode' is query.")
        if "none" in said.get("prompt", "").split():
            raise LoginRequired()
        if said.get("resource", server.trust.audience) != server.trust.audience:
            raise InvalidTarget()
        if len(said.get("state", "")) > LONGEST_STATE or len(said.get("nonce", "")) > LONGEST_NONCE:
            raise InvalidRequestError("The 'state' or the 'nonce' is too long.")
        if not parse_scopes(grant.request.scope):
            raise InvalidScopeError()

    def extend(grant: Any) -> None:
        grant.register_hook("after_validate_authorization_request_payload", look)

    return extend
