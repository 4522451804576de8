"""How callers come by a token, as a security scheme of OpenAPI; each door's contract says it."""

from typing import Any

from domain.identity.scopes import SCOPES


def scheme() -> dict[str, Any]:
    """How callers of the REST API come by a token, as a security scheme of OpenAPI."""
    scopes = {name: scope.text["en"] for name, scope in SCOPES.items()}
    token = "/oauth/token"  # noqa: S105
    code = {
        "authorizationUrl": "/oauth/authorize", "tokenUrl": token, "refreshUrl": token,
        "scopes": scopes,
    }  # fmt: skip
    own = {"tokenUrl": token, "scopes": {n: s for n, s in scopes.items() if ":" in n}}
    return {
        "type": "oauth2",
        "description": "People log in by a code with PKCE; programs come for themselves.",
        "flows": {"authorizationCode": code, "clientCredentials": own},
    }
