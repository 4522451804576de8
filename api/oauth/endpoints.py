"""Taking a token back (RFC 7009), and asking whether one stands (RFC 7662)."""

from typing import Any

from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from api.oauth.asking import Asking, Caller, HeldAccess, HeldRefresh, ask
from api.oauth.server import CONFIDENTIAL, EVERY
from api.trust import Trust
from domain.identity.clients import hash_secret
from domain.identity.scopes import write_scopes
from domain.identity.tokens import TokenVoid

Held = HeldAccess | HeldRefresh


def _find(trust: Trust, request: Asking, token: str) -> Held | None:
    """The token, of whichever kind; what ended by itself is not found."""
    if token.count(".") == 2:
        try:
            claims = trust.access(token, request.at.timestamp())
        except TokenVoid:
            return None
        live = (
            not trust.revocations.void(claims)
            and ask(request.desk.standing, claims.session, request.at)
            and not ask(request.desk.revoked, claims.token)
        )
        return HeldAccess(claims, live=live)
    found = ask(request.desk.refresh, hash_secret(token))
    return None if found is None else HeldRefresh(found)


class Revocation(RevocationEndpoint):
    """A client takes back what it was given. A refresh token takes its whole login along."""

    CLIENT_AUTH_METHODS = EVERY

    def query_token(self, token_string: str, token_type_hint: str | None) -> Held | None:
        """The token; the hint is not needed, since the kinds look different."""
        return _find(self.server.trust, self.server.asking, token_string)

    def revoke_token(self, token: Held, request: Asking) -> None:
        """Void it in every process."""
        if isinstance(token, HeldRefresh):
            ask(request.desk.end, token.token.session, "revoked", request.at)
        else:
            ask(request.desk.revoke, "token", token.claims.token)


class Introspection(IntrospectionEndpoint):
    """A confidential client asks about tokens issued to it; of others it learns nothing."""

    CLIENT_AUTH_METHODS = CONFIDENTIAL

    def query_token(self, token_string: str, token_type_hint: str | None) -> Held | None:
        """An access token; refresh tokens are nobody's business but ours."""
        found = _find(self.server.trust, self.server.asking, token_string)
        return found if isinstance(found, HeldAccess) else None

    def check_permission(self, token: HeldAccess, client: Caller, request: Asking) -> bool:
        """Whether the token was issued to who asks."""
        return token.check_client(client)

    def introspect_token(self, token: HeldAccess) -> dict[str, Any]:
        """What the token claims, RFC 7662 §2.2."""
        claims = token.claims
        return {
            "active": True,
            "scope": write_scopes(claims.scopes),
            "client_id": str(claims.client),
            "token_type": "Bearer",
            "exp": claims.expires,
            "iat": claims.issued,
            "sub": str(claims.subject),
            "aud": self.server.trust.audience,
            "iss": self.server.trust.issuer,
            "jti": claims.token,
            "role": str(claims.role),
        }
