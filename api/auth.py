"""Whose request it is: a bearer token in, a Principal out. Nothing behind this file knows tokens.

Two kinds come. Access tokens of the authorization server are signed, and judged by what the
process knows by heart (api/trust.py), without a look at the database; what was judged is
remembered, so that the next request with the same token costs microseconds. Service tokens
(`109_…`, `ikomek token issue`) mean nothing by themselves, and the database is asked.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from api.errors import Unauthenticated
from api.trust import Trust
from domain.access import Principal
from domain.identity.tokens import AccessClaims, TokenVoid
from domain.organisations.trees import Trees

Find = Callable[[str], Awaitable[tuple[Principal, datetime | None] | None]]

PREFIX = "109_"
KNOWN_FOR = 30.0
"""Seconds that an answer about a service token is believed; a revocation is felt within it."""
KEPT = 10_000
LONGEST = 4096
LONGEST_SERVICE = 512
INVALID = "invalid_token"
"""The error of RFC 6750 §3.1 for a token that came and stands for nobody."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """An access token that was found sound by these keys, for an organisation that stood so and a
    district that lay so.
    """

    claims: AccessClaims
    principal: Principal
    keys: object
    organisations: object
    districts: object


class Authenticator:
    """Finds the principal of an Authorization header, remembering recent answers."""

    def __init__(
        self,
        find: Find,
        trust: Trust,
        trees: Trees,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._find = find
        self._trust = trust
        self._trees = trees
        self._clock = clock
        self._known: OrderedDict[str, tuple[Principal, datetime | None, float]] = OrderedDict()
        self._judged: OrderedDict[bytes, _Judged] = OrderedDict()

    async def principal(self, header: str | None, at: datetime) -> Principal:
        """The principal. Raises Unauthenticated."""
        token = bearer(header)
        if not token.startswith(PREFIX):
            return self.judge(token)
        if len(token) > LONGEST_SERVICE:
            raise Unauthenticated(error=INVALID)
        principal, expires = await self._lookup(token)
        if expires is not None and expires <= at:
            raise Unauthenticated(error=INVALID)
        return principal

    def judge(self, token: str) -> Principal:
        """Whom an access token stands for. Raises Unauthenticated."""
        key = sha256(token.encode()).digest()
        now = self._clock()
        known = self._judged.get(key)
        if known is None or not self._holds(known, now):
            known = self._judge(token, now)
            self._judged[key] = known
            if len(self._judged) > KEPT:
                self._judged.popitem(last=False)
        if self._trust.revocations.void(known.claims):
            raise Unauthenticated(error=INVALID)
        return known.principal

    def _holds(self, known: _Judged, now: float) -> bool:
        return (
            known.claims.expires > now
            and known.keys is self._trust.keys
            and known.organisations is self._trees.standing(known.claims.city)
            and known.districts is self._trees.districts(known.claims.city)
        )

    def _judge(self, token: str, now: float) -> _Judged:
        try:
            claims = self._trust.access(token, now)
        except TokenVoid:
            raise Unauthenticated(error=INVALID) from None
        standing, below = self._trees.standing(claims.city), frozenset[UUID]()
        districts, within = self._trees.districts(claims.city), frozenset[str]()
        if claims.organisation is not None:
            home = standing.get(claims.organisation)
            if home is not None and not home.active:
                raise Unauthenticated(error=INVALID)
            below = self._trees.below(claims.city, claims.organisation)
        if claims.district is not None:
            within = self._trees.lying_in(claims.city, claims.district)
        principal = claims.principal(below, within)
        return _Judged(claims, principal, self._trust.keys, standing, districts)

    async def _lookup(self, token: str) -> tuple[Principal, datetime | None]:
        now = time.monotonic()
        known = self._known.get(token)
        if known is not None and known[2] > now:
            return known[0], known[1]
        found = await self._find(token)
        if found is None:
            self._known.pop(token, None)
            raise Unauthenticated(error=INVALID)
        self._known[token] = (*found, now + KNOWN_FOR)
        self._known.move_to_end(token)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return found


def bearer(header: str | None) -> str:
    """The token of an Authorization header. Raises Unauthenticated, without an `error` where
    there is none (RFC 6750 §3).
    """
    scheme, _, token = (header or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    if len(token) > LONGEST or not token.isascii():
        raise Unauthenticated(error=INVALID)
    return token
