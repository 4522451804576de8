"""Whose request it is. The seam is thin: a bearer token in, a Principal out.

The authorization server will put signed tokens here; nothing behind this file changes.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime

from api.errors import Unauthenticated
from domain.access import Principal

Find = Callable[[str], Awaitable[tuple[Principal, datetime | None] | None]]

KNOWN_FOR = 30.0
"""Seconds that an answer about a token is believed; a revocation is felt within this time."""
KEPT = 10_000
LONGEST = 512


class Authenticator:
    """Finds the principal of an Authorization header, remembering recent answers."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._known: OrderedDict[str, tuple[Principal, datetime | None, float]] = OrderedDict()

    async def principal(self, header: str | None, at: datetime) -> Principal:
        """The principal. Raises Unauthenticated."""
        scheme, _, token = (header or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > LONGEST:
            raise Unauthenticated
        principal, expires = await self._lookup(token)
        if expires is not None and expires <= at:
            raise Unauthenticated
        return principal

    async def _lookup(self, token: str) -> tuple[Principal, datetime | None]:
        now = time.monotonic()
        known = self._known.get(token)
        if known is not None and known[2] > now:
            return known[0], known[1]
        found = await self._find(token)
        if found is None:
            self._known.pop(token, None)
            raise Unauthenticated
        self._known[token] = (*found, now + KNOWN_FOR)
        self._known.move_to_end(token)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return found
