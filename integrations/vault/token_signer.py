"""The signature under our tokens: ES256 (RFC 7518 §3.4), and nothing else is ever believed."""

import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from domain.identity.signing_keys import SigningKey
from domain.identity.tokens import TokenVoid

ALGORITHM = "ES256"
ACCESS, IDENTITY = "at+jwt", "JWT"
"""The `typ` of an access token (RFC 9068 §2.1), and of an id_token."""
LONGEST = 4096
_HEADER = frozenset({"alg", "typ", "kid"})


def new_key(signs_from: datetime) -> SigningKey:
    """A fresh key pair, its `kid` the thumbprint of RFC 7638."""
    key = ECKey.generate_key("P-256", private=True)
    public = key.as_dict(private=False)
    kid = key.thumbprint()
    public |= {"kid": kid, "use": "sig", "alg": ALGORITHM}
    return SigningKey(kid, public, key.as_pem(private=True), signs_from)


class TokenSigner:
    """Signs with one key."""

    def __init__(self, key: SigningKey) -> None:
        self._kid = key.kid
        self._key = ECKey.import_key(key.private)

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """The claims as a JWS in compact form."""
        header = {"alg": ALGORITHM, "typ": typ, "kid": self._kid}
        return jws.serialize_compact(header, orjson.dumps(claims), self._key, [ALGORITHM])


class TokenVerifier:
    """Judges signatures by keys that it was given, never by any that a token brings along."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._keys = {key.kid: ECKey.import_key(dict(key.public)) for key in keys}

    def claims(self, token: str, typ: str) -> Mapping[str, Any]:
        """What a token of a type claims. Raises TokenVoid unless one of the keys signed it.

        The header holds alg, typ and kid and nothing beside: no `jwk`, `jku`, `x5u`, `crit`.
        """
        if len(token) > LONGEST or not token.isascii():
            raise TokenVoid("form")
        try:
            signed = jws.extract_compact(token.encode())
            header = signed.protected
            if header.keys() != _HEADER or header["typ"] != typ or header["alg"] != ALGORITHM:
                raise TokenVoid("header")
            key = self._keys.get(header["kid"])
            if key is None or not jws.validate_compact(signed, key, [ALGORITHM]):
                raise TokenVoid("signature")
            claims = orjson.loads(signed.payload)
        except (JoseError, ValueError, TypeError, binascii.Error) as error:
            raise TokenVoid("form") from error
        if not isinstance(claims, dict):
            raise TokenVoid("form")
        return claims
