"""What the server can do, for programs: RFC 8414 and OpenID Connect Discovery 1.0."""

from typing import Any

from api.oauth.assertions import ALGORITHMS
from api.oauth.server import CONFIDENTIAL, EVERY
from domain.identity.clients import GrantType
from domain.identity.scopes import SCOPES
from domain.values import Language


def metadata(issuer: str) -> dict[str, Any]:
    """One document for both addresses."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "service_documentation": f"{issuer}/reference",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(map(str, GrantType)),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": list(map(str, EVERY)),
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": list(map(str, EVERY)),
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": list(map(str, CONFIDENTIAL)),
        "introspection_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "name"],
        "ui_locales_supported": list(map(str, Language)),
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
