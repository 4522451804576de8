"""Circles among real redirections: appeals that were passed on and came back to who had them."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.access import CITY_WIDE, Principal
from domain.organisations.findings import Finding, Lack
from domain.reference import Reference

AT_LEAST = 2
"""Appeals that went the same circle before it is told: one may be a slip."""
DAYS = 90
"""How far back is looked unless somebody says otherwise."""
LONGEST = 365
"""How far back `Returns` looks at most: who wants more asks at the command line."""
FRESH = timedelta(minutes=15)
"""How long an answer stands: what is passed round takes days to be."""
MOST = 64
"""Answers that are kept of a city."""


@dataclass(frozen=True, slots=True)
class Trail:
    """Which organisations had an appeal of a service, one after the other, when it was last given
    to one of them that did not keep it, and in which district it is.
    """

    service: str
    organisations: tuple[UUID, ...]
    offered_at: datetime
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

    `read` tells the ways of the appeals that somebody sees, given since a moment to anybody who
    did not keep them. It is asked for DAYS, or for LONGEST by whoever looks back further, and what
    it told serves every number of days within: nobody makes it read again by asking for another.
    One is read at a time of each city, whose many administrators see each something else; other
    cities, and whoever was answered lately, wait for none.
    """

    __slots__ = ("_cities", "_read")

    def __init__(self, read: Callable[[Principal, datetime], Awaitable[Iterable[Trail]]]) -> None:
        self._read = read
        self._cities: dict[UUID, _Kept] = {}

    async def of(
        self, principal: Principal, reference: Reference, days: int, at: datetime
    ) -> tuple[Finding, ...]:
        """See `returns`; of so many days before `at`, LONGEST at most, none where there are
        none.
        """
        if not days:
            return ()
        since = at - timedelta(days=days)
        trails = await self._trails(principal, DAYS if days <= DAYS else LONGEST, at)
        fitting = (each for each in trails if each.offered_at >= since)
        return tuple(returns(fitting, reference, days))

    async def _trails(self, principal: Principal, days: int, at: datetime) -> tuple[Trail, ...]:
        """The ways that went in a circle; the others, which are most, are not kept."""
        city = self._cities.setdefault(principal.city, _Kept())
        key = _whose(principal), days
        found = city.find(key, at)
        if found is None:
            async with city.turn:
                # Whoever had the turn before may have asked for the same.
                found = city.find(key, at)
                if found is None:
                    told = await self._read(principal, at - timedelta(days=days))
                    found = tuple(each for each in told if _circles(each.organisations))
                    city.keep(key, at, found)
        return found


class _Kept:
    """What was read of one city, and whose turn it is to read."""

    __slots__ = ("_known", "turn")

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self._known: OrderedDict[Hashable, tuple[datetime, tuple[Trail, ...]]] = OrderedDict()

    def find(self, key: Hashable, at: datetime) -> tuple[Trail, ...] | None:
        known = self._known.get(key)
        if known is None or not known[0] <= at < known[0] + FRESH:
            return None
        self._known.move_to_end(key)
        return known[1]

    def keep(self, key: Hashable, at: datetime, trails: tuple[Trail, ...]) -> None:
        self._known[key] = at, trails
        self._known.move_to_end(key)
        if len(self._known) > MOST:
            self._known.popitem(last=False)


def _whose(principal: Principal) -> Hashable:
    """What is the same for all who see the same appeals (integrations/postgres/scope.py)."""
    if principal.role not in CITY_WIDE:
        return principal.organisations
    return principal.confined


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
