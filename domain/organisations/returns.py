"""Circles among real redirections: appeals that were passed on and came back to who had them."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.access import CITY_WIDE, Principal, Role
from domain.organisations.findings import Finding, Lack
from domain.reference import Reference

AT_LEAST = 2
"""Appeals that went the same circle before it is told: one may be a slip."""
DAYS = 90
"""How far back is looked unless somebody says otherwise."""
FRESH = timedelta(minutes=15)
"""How long an answer stands: what is passed round takes days to be."""
MOST = 64
"""Answers that are kept."""


@dataclass(frozen=True, slots=True)
class Trail:
    """Which organisations had an appeal of a service, one after the other, and in which district
    it is.
    """

    service: str
    organisations: tuple[UUID, ...]
    district: str | None = None


def returns(trails: Iterable[Trail], reference: Reference, days: int) -> Iterator[Finding]:
    """Each circle that appeals of a service went in so many days, and how many went it."""
    gone: dict[tuple[tuple[UUID, ...], str], list[str | None]] = defaultdict(list)
    for trail in trails:
        for circle in _circles(trail.organisations):
            gone[circle, trail.service].append(trail.district)
    for (circle, service), districts in gone.items():
        if len(districts) < AT_LEAST:
            continue
        first = reference.organisations.get(circle[0])
        yield Finding(
            Lack.REDIRECT_CIRCLE,
            ("organisation", first.code if first else str(circle[0])),
            services=(service,),
            organisations=circle,
            districts=tuple(sorted({one for one in districts if one is not None})),
            facts={"count": len(districts), "value": str(days)},
        )


class Returns:
    """The circles that each who looks after the routing may know of, kept for a while.

    `read` tells the ways of the appeals that somebody sees, given to anybody since a moment. One
    is read at a time: whoever asks meanwhile finds what was read for the one before.
    """

    __slots__ = ("_known", "_read", "_turn")

    def __init__(self, read: Callable[[Principal, datetime], Awaitable[Iterable[Trail]]]) -> None:
        self._read, self._turn = read, asyncio.Lock()
        self._known: OrderedDict[Hashable, tuple[datetime, tuple[Finding, ...]]] = OrderedDict()

    async def of(
        self, principal: Principal, reference: Reference, days: int, at: datetime
    ) -> tuple[Finding, ...]:
        """See `returns`; of so many days before `at`, none where there are none."""
        if not days:
            return ()
        key = principal.city, _whose(principal), reference.version, days
        async with self._turn:
            known = self._known.pop(key, None)
            if known is None or not known[0] <= at < known[0] + FRESH:
                trails = await self._read(principal, at - timedelta(days=days))
                known = at, tuple(returns(trails, reference, days))
            self._known[key] = known
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return known[1]


def _whose(principal: Principal) -> Hashable:
    """What is the same for all who see the same appeals (integrations/postgres/scope.py)."""
    if principal.role not in CITY_WIDE:
        return principal.organisations
    return principal.district if principal.role is Role.AKIM else None


def _circles(had: tuple[UUID, ...]) -> set[tuple[UUID, ...]]:
    """The circles of one appeal, each once however often it was gone, wherever it was entered."""
    found = set()
    last: dict[UUID, int] = {}
    for place, one in enumerate(had):
        before = last.get(one)
        if before is not None and before < place - 1:
            found.add(_from_its_least(had[before:place]))
        last[one] = place
    return found


def _from_its_least(circle: tuple[UUID, ...]) -> tuple[UUID, ...]:
    first = circle.index(min(circle))
    return circle[first:] + circle[:first]
