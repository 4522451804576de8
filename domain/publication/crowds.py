"""What hides whom in each city, remembered by the process: its houses, the classes of its weeks,
and what was counted of them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol
from uuid import UUID

from domain.access import Principal, public
from domain.publication.figures import Figure, Table, gathered, publish
from domain.publication.places import Crowd
from domain.publication.rows import WEEK, Detail, Kin, Shared
from domain.questions import AppealFilter
from domain.reference import Reference
from domain.sharing import Sharing
from domain.values import Coordinates

KNOWN_FOR = timedelta(seconds=60)
LONG_KNOWN_FOR = timedelta(hours=1)
KEPT = 200
OF_CLASSES = frozenset({"service", "category", "sphere", "district"})
"""By what figures are sums of classes, and can be narrowed to a sphere and a district."""

_Counted = tuple[datetime, dict[str | None, Figure]]
"""When it was counted, and the figures by key."""
_Parted = tuple[datetime, datetime, Shared]
"""When it was counted, until when that is believed, and the classes."""


class Counts(Protocol):
    """The register, as far as it is counted for the public."""

    async def kin(
        self, city: UUID, spans: Sequence[tuple[datetime, datetime]], zone: str
    ) -> list[tuple[Kin, Coordinates | None, int]]:
        """How many of each kin at each point were registered within any of these weeks."""

    async def by(
        self,
        principal: Principal,
        wanted: AppealFilter,
        dimension: str,
        zone: str,
        *,
        promises: bool,
    ) -> list[Figure]:
        """A figure for each group of what the principal sees."""


class Asking(Protocol):
    """Who asks: when, and whose turn it is to read for them."""

    @property
    def at(self) -> datetime:
        """The moment of the question."""

    @property
    def turns(self) -> asyncio.Semaphore:
        """Whoever reads holds one."""


class Crowds:
    """What is remembered of all cities."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._houses: dict[UUID, tuple[object, Crowd]] = {}
        self._tables: OrderedDict[Hashable, _Counted] = OrderedDict()
        self._counting: Sharing[Hashable, _Counted] = Sharing()
        self._weeks: OrderedDict[tuple[UUID, date], _Parted] = OrderedDict()
        self._parting: Sharing[Hashable, dict[date, Shared]] = Sharing()

    def of(self, city: Reference) -> Crowd:
        """How many houses stand where; counted anew when the register of addresses is another."""
        known = self._houses.get(city.city.id)
        if known is None or known[0] is not city.buildings:
            crowd = Crowd(building.coordinates for building in city.buildings.values())
            known = self._houses[city.city.id] = city.buildings, crowd
        return known[1]

    async def details(
        self, kin: Sequence[Kin], asking: Asking, city: Reference
    ) -> list[tuple[Detail, Shared]]:
        """In how much detail appeals may be told, each with the classes of its week."""
        classes = await self._classes({each.week for each in kin}, asking, city)
        return [(classes[each.week].detail(each), classes[each.week]) for each in kin]

    async def published(
        self,
        weeks: Sequence[date],
        by: str,
        where: Mapping[str, str],
        asking: Asking,
        city: Reference,
        *,
        promises: bool,
    ) -> Table:
        """What the public is told of a count over weeks that are over; `where` (a sphere, a
        district) is for OF_CLASSES.
        """
        told: list[Mapping[str | None, int]]
        if by in OF_CLASSES:
            classes = await self._classes(weeks, asking, city)
            told = [classes[week].counted(by, where) for week in weeks]
        else:
            counted = [
                await self._counted(week, by, {}, asking, city, promises=False) for week in weeks
            ]
            told = [gathered({key: each.count for key, each in one.items()}) for one in counted]
        if not promises or len(weeks) > 1:
            return publish(told)
        return publish(told, await self._counted(weeks[0], by, where, asking, city, promises=True))

    async def _classes(
        self, weeks: Iterable[date], asking: Asking, city: Reference
    ) -> dict[date, Shared]:
        """The classes of weeks, by their Mondays. Weeks that are not known are counted by one
        statement; one that is over is believed for an hour, the running one for a minute.
        """
        wanted = set(weeks)
        # Kept here too: while some are counted, others may push what is known out of memory.
        shared = {week: known for week in wanted if (known := self._known(week, asking, city))}
        missing = sorted(wanted - shared.keys())
        if missing:
            part = partial(self._part, missing, asking, city)
            shared |= await self._parting.of((city.city.id, *missing), part)
        while len(self._weeks) > KEPT:
            self._weeks.popitem(last=False)
        return shared

    async def _part(
        self, weeks: Sequence[date], asking: Asking, city: Reference
    ) -> dict[date, Shared]:
        spans = [span(week, city) for week in weeks]
        async with asking.turns:
            counted = await self._counts.kin(city.city.id, spans, city.city.zone)
        # Tens of thousands of points are no work for the loop.
        made = await asyncio.to_thread(_parted, weeks, counted, self.of(city))
        for (begin, end), week in zip(spans, weeks, strict=True):
            until = asking.at + (KNOWN_FOR if begin <= asking.at < end else LONG_KNOWN_FOR)
            self._weeks[city.city.id, week] = asking.at, until, made[week]
        return made

    def _known(self, week: date, asking: Asking, city: Reference) -> Shared | None:
        known = self._weeks.get((city.city.id, week))
        return known[2] if known is not None and known[0] <= asking.at < known[1] else None

    async def _counted(
        self,
        week: date,
        by: str,
        where: Mapping[str, str],
        asking: Asking,
        city: Reference,
        *,
        promises: bool,
    ) -> dict[str | None, Figure]:
        """The figures of a week, believed for an hour: however many ask without a token, the
        register is asked no oftener.
        """
        key = (city.city.id, week, by, tuple(sorted(where.items())), promises)
        known = self._tables.get(key)
        if known is None or not known[0] <= asking.at < known[0] + LONG_KNOWN_FOR:
            count = partial(self._count, week, by, where, asking, city, promises=promises)
            known = self._tables[key] = await self._counting.of(key, count)
            if len(self._tables) > KEPT:
                self._tables.popitem(last=False)
        return known[1]

    async def _count(
        self,
        week: date,
        by: str,
        where: Mapping[str, str],
        asking: Asking,
        city: Reference,
        *,
        promises: bool,
    ) -> _Counted:
        begin, end = span(week, city)
        wanted = AppealFilter(
            sphere=where.get("sphere"),
            district=where.get("district"),
            registered_from=begin,
            registered_to=end,
        )
        async with asking.turns:
            found = await self._counts.by(
                public(city.city.id), wanted, by, city.city.zone, promises=promises
            )
        return asking.at, {each.key: each for each in found}


def _parted(
    weeks: Sequence[date], counted: Iterable[tuple[Kin, Coordinates | None, int]], crowd: Crowd
) -> dict[date, Shared]:
    inside: dict[date, list[tuple[Kin, int | None, int]]] = {week: [] for week in weeks}
    for kin, point, count in counted:
        cell = None if point is None else crowd.cell(point)
        inside[kin.week].append((kin, cell, count))
    return {week: Shared(each) for week, each in inside.items()}


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


def span(week: date, city: Reference) -> tuple[datetime, datetime]:
    """A week as instants: from its Monday and before the next."""
    return _midnight(week, city), _midnight(week + WEEK, city)


def _midnight(day: date, city: Reference) -> datetime:
    return datetime.combine(day, datetime.min.time(), city.city.zone_info())
