"""What a process knows by heart about tokens: keys, what was taken back, how much clients may ask.

Everything here is read again every few seconds, so that a token is judged without asking anybody,
and yet a revocation, a new key or a client's limit is felt within PERIOD.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from api.limits import ClientQuotas
from domain.errors import Unavailable
from domain.identity.quotas import Limits
from domain.identity.signing_keys import SigningKey, published, signing
from domain.identity.tokens import AccessClaims, Revocations, TokenVoid, read_claims

PERIOD = 5.0
"""Seconds between two looks."""
AUDIENCE = "/v1"
"""Where the API begins, under the issuer: whom access tokens are for."""
ACCESS, IDENTITY = "at+jwt", "JWT"
"""The `typ` of an access token (RFC 9068 §2.1), and of an id_token."""


class Keys(Protocol):
    """Where the signing keys are kept."""

    async def kept(self, at: datetime) -> Sequence[SigningKey]:
        """Every key, after one was made where one was due."""


class Revoked(Protocol):
    """Where revocations are kept."""

    async def live(self) -> Revocations:
        """Everything that voids a token which has not ended by itself."""


class Limited(Protocol):
    """Where clients' limits and use are kept."""

    async def limits(self) -> Mapping[UUID, Limits]:
        """The clients that have limits of their own."""

    async def used(self, counts: Mapping[UUID, int], day: date) -> Mapping[UUID, int]:
        """Add requests to what clients used on a day; what each used in all processes."""


class Signer(Protocol):
    """Signs with one key."""

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """The claims as a JWS in compact form."""


class Verifier(Protocol):
    """Judges signatures by keys that it was given."""

    def claims(self, token: str, typ: str) -> Mapping[str, Any]:
        """What a token of a type claims. Raises TokenVoid."""


MakeSigner = Callable[[SigningKey], Signer]
MakeVerifier = Callable[[Sequence[SigningKey]], Verifier]


class Trust:
    """Keys, revocations and limits as this process knows them; `refresh` looks again."""

    def __init__(
        self,
        issuer: str,
        keys: Keys,
        revoked: Revoked,
        clients: Limited,
        *,
        signer: MakeSigner,
        verifier: MakeVerifier,
    ) -> None:
        self.issuer, self.audience = issuer, issuer + AUDIENCE
        self.quotas = ClientQuotas()
        self.revocations = Revocations()
        self.keys: tuple[SigningKey, ...] = ()
        self._stored, self._revoked, self._clients = keys, revoked, clients
        self._make_signer, self._make_verifier = signer, verifier
        self._signers: dict[str, Signer] = {}
        self._verifier: Verifier | None = None

    async def refresh(self, at: datetime) -> None:
        """Look again. Raises Unavailable; what was known stays known."""
        self.revocations = await self._revoked.live()
        known = published(await self._stored.kept(at), at)
        if known != self.keys or self._verifier is None:
            self._verifier = self._make_verifier(known)
            self._signers = {key.kid: self._make_signer(key) for key in known}
            self.keys = known
        self.quotas.allow(await self._clients.limits())
        counted = self.quotas.take()
        try:
            self.quotas.learn(await self._clients.used(counted, at.date()))
        except BaseException:
            self.quotas.give_back(counted)
            raise

    def sign(self, claims: Mapping[str, Any], typ: str, at: datetime) -> str:
        """The claims signed by the key whose turn it is. Raises Unavailable before the first."""
        key = signing(self.keys, at)
        if key is None:
            raise Unavailable(what="token-key")
        return self._signers[key.kid].sign(claims, typ)

    def access(self, token: str, now: float) -> AccessClaims:
        """What an access token of ours claims, taken back or not. `now`: Unix seconds.

        Raises TokenVoid, or Unavailable before the first key is known.
        """
        if self._verifier is None:
            raise Unavailable(what="token-key")
        claims = self._verifier.claims(token, ACCESS)
        return read_claims(claims, issuer=self.issuer, audience=self.audience, now=now)

    def require(self, claims: AccessClaims) -> None:
        """Raise TokenVoid for what was taken back."""
        if self.revocations.void(claims):
            raise TokenVoid("revoked")

    def jwks(self) -> dict[str, Any]:
        """The public keys, RFC 7517: those that sign, will sign, or signed what still lives."""
        return {"keys": [dict(key.public) for key in self.keys]}
