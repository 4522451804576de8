"""private_key_jwt: a client proves itself by a signature (RFC 7523 §2.2), once for each."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.oauth.asking import Asking, Caller, ask
from domain.identity.clients import AuthMethod
from domain.identity.tokens import LEEWAY, moment

ALGORITHMS = ("ES256", "RS256", "PS256", "Ed25519")
LONGEST_LIFE = 3600 + 2 * LEEWAY
"""Seconds: how far ahead an assertion may end, since its id is remembered so long."""
LONGEST_ID = 200


class PrivateKeyJwt(JWTBearerClientAssertion):
    """Judges client assertions; `audiences` are our names, of which each names exactly one."""

    CLIENT_AUTH_METHOD = AuthMethod.PRIVATE_KEY_JWT

    def __init__(self, audiences: tuple[str, ...]) -> None:
        super().__init__(validate_jti=False, leeway=LEEWAY)
        self._audiences = audiences

    def __call__(self, query_client: Any, request: Asking) -> Caller | None:
        """The client that signed the request's assertion. Raises InvalidClientError."""
        said = request.said
        if said.get("client_assertion_type") != self.CLIENT_ASSERTION_TYPE:
            raise InvalidClientError(description="Unknown 'client_assertion_type'.")
        _, claims = self.extract_assertion(said.get("client_assertion", ""))
        client = query_client(claims.get("sub"))
        if client is None or not client.check_endpoint_auth_method(self.CLIENT_AUTH_METHOD, ""):
            raise InvalidClientError(description="The client is unknown here.")
        sound = self._verified(said["client_assertion"], client)
        if said.get("client_id", client.client_id) != client.client_id:
            raise InvalidClientError(description="The client is another than the assertion's.")
        self._once(sound, client, request)
        found: Caller = client
        return found

    def _verified(self, assertion: str, client: Caller) -> Mapping[str, Any]:
        try:
            keys = KeySet.import_key_set(self.resolve_client_public_key(client))
            token = jwt.decode(assertion, keys, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError) as error:
            raise InvalidClientError(description="The assertion is not sound.") from error
        if {"jwk", "jku", "x5u", "x5c", "crit"} & token.header.keys():
            raise InvalidClientError(description="The assertion brings a key along.")
        self.verify_claims(token.claims)
        return token.claims

    def _once(self, claims: Mapping[str, Any], client: Caller, request: Asking) -> None:
        ends, id = claims["exp"], claims.get("jti")
        if not isinstance(claims["aud"], str):
            raise InvalidClientError(description="The assertion is for several.")
        if not isinstance(id, str) or not 1 <= len(id) <= LONGEST_ID:
            raise InvalidClientError(description="Missing JWT ID.")
        if ends > request.at.timestamp() + LONGEST_LIFE:
            raise InvalidClientError(description="The assertion lasts too long.")
        until = moment(ends + 2 * LEEWAY)
        if not ask(request.desk.first_seen, client.client, sha256(id.encode()).digest(), until):
            raise InvalidClientError(description="JWT ID is used before.")

    def get_audiences(self) -> list[str]:
        """The names by which an assertion may call us."""
        return list(self._audiences)

    def resolve_client_public_key(self, client: Caller) -> Any:
        """The client's public keys as they were registered, never those of an address."""
        return dict(client.client.jwks or {"keys": []})
