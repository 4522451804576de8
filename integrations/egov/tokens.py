"""The id_token of OpenID Connect, judged (OpenID Connect Core 1.0 §3.1.3.7)."""

from collections.abc import Mapping
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

LEEWAY = 60
"""Seconds by which the provider's clock may differ from ours."""
OLDEST = 600
"""Seconds after which a token was not made for the login that just came back."""


class TokenForged(ValueError):
    """The token is not what the provider would have made for this login."""


class KeyUnknown(TokenForged):
    """Its key is none of those that are known; the provider may have changed them."""


def read_id_token(
    token: object,
    keys: KeySet,
    *,
    algorithms: tuple[str, ...],
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str,
    now: int,
) -> Mapping[str, Any]:
    """The claims of a sound token. `now`: seconds of the epoch. Raises TokenForged, KeyUnknown."""
    if not isinstance(token, str) or not token.isascii():
        raise TokenForged("no id_token")
    try:
        # The file's algorithms alone: none of them is `none`, none is of a shared secret.
        opened = jwt.decode(token, keys, algorithms=algorithms)
    except InvalidKeyIdError:
        raise KeyUnknown("its key is unknown") from None
    except (JoseError, ValueError) as error:
        raise TokenForged(type(error).__name__) from None
    claims = CodeIDToken(
        opened.claims,
        opened.header,
        options={
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": client_id},
            "nonce": {"essential": True, "value": nonce},
        },
        params={"nonce": nonce, "client_id": client_id, "access_token": access_token},
    )
    try:
        claims.validate(now=now, leeway=LEEWAY)
    except (JoseError, TypeError) as error:
        raise TokenForged(str(error) or type(error).__name__) from None
    if claims["iat"] < now - OLDEST:
        raise TokenForged("made long ago")
    return dict(claims)
