"""What hides whom in each city, remembered by the process: its houses, the classes of its weeks,
and what was counted of them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from domain.access import Principal, public
from domain.publication.figures import Figure, Table, gathered, publish
from domain.publication.places import Crowd
from domain.publication.remembering import Remembered
from domain.publication.rows import WEEK, Detail, Kin, Shared
from domain.questions import AppealFilter
from domain.reference import Reference
from domain.values import Coordinates

KNOWN_FOR = timedelta(seconds=60)
LONG_KNOWN_FOR = timedelta(hours=1)
KEPT = 200
OF_CLASSES = frozenset({"service", "category", "sphere", "district"})
"""By what figures are sums of classes, and can be narrowed to a sphere and a district."""

T = TypeVar("T")


class Counts(Protocol):
    """The register, as far as it is counted for the public."""

    async def kin(
        self, city: UUID, begin: datetime, end: datetime, zone: str
    ) -> list[tuple[Kin, Coordinates | None, int]]:
        """How many of each kin at each point were registered from one instant to another."""

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
        self._weeks: Remembered[tuple[UUID, date], Shared] = Remembered(KEPT)
        self._tables: Remembered[Hashable, Mapping[str | None, Figure]] = Remembered(KEPT)
        # Tens of thousands of points are no work for the loop. One thread: what everybody may
        # ask for without a token takes no more of the process than that and the counts
        # themselves, which `counts` bounds.
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="crowds")

    def close(self) -> None:
        """Nobody asks any more."""
        self._hand.shutdown(wait=False, cancel_futures=True)

    async def of(self, city: Reference) -> Crowd:
        """How many houses stand where; counted anew when the register of addresses is another."""
        known = self._houses.get(city.city.id)
        if known is not None and known[0] is city.buildings:
            return known[1]
        return await self._beside(partial(self._crowd, city))

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
            told = await self._beside(lambda: [classes[week].counted(by, where) for week in weeks])
            if by == "service":
                told = [_chosen(counts, city) for counts in told]
        else:
            counted = [
                await self._counted(week, by, {}, asking, city, promises=False) for week in weeks
            ]
            told = [gathered({key: each.count for key, each in one.items()}) for one in counted]
        if not promises or len(weeks) > 1:
            return publish(told)
        return publish(told, await self._counted(weeks[0], by, where, asking, city, promises=True))

    async def _beside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._hand, work)

    def _crowd(self, city: Reference) -> Crowd:
        """Of the hand alone, which so counts a city once, however many ask."""
        known = self._houses.get(city.city.id)
        if known is None or known[0] is not city.buildings:
            crowd = Crowd(building.coordinates for building in city.buildings.values())
            known = self._houses[city.city.id] = city.buildings, crowd
        return known[1]

    async def _classes(
        self, weeks: Iterable[date], asking: Asking, city: Reference
    ) -> dict[date, Shared]:
        """The classes of weeks, by their Mondays."""
        wanted = sorted(set(weeks))
        found = await asyncio.gather(*(self._class(week, asking, city) for week in wanted))
        return dict(zip(wanted, found, strict=True))

    async def _class(self, week: date, asking: Asking, city: Reference) -> Shared:
        """Of one that is over it is believed for an hour, of the running one for a minute."""
        begin, end = span(week, city)

        async def count() -> Shared:
            counted = await self._counts.kin(city.city.id, begin, end, city.city.zone)
            return await self._beside(lambda: _parted(counted, self._crowd(city)))

        long = KNOWN_FOR if begin <= asking.at < end else LONG_KNOWN_FOR
        key = city.city.id, week
        # The turn is the asker's own, and the count everybody's: it waits for nobody's turns.
        async with asking.turns:
            return await self._weeks.of(key, asking.at, asking.at + long, count)

    async def _counted(
        self,
        week: date,
        by: str,
        where: Mapping[str, str],
        asking: Asking,
        city: Reference,
        *,
        promises: bool,
    ) -> Mapping[str | None, Figure]:
        """The figures of a week, believed for an hour: however many ask without a token, the
        register is asked no oftener.
        """

        async def count() -> Mapping[str | None, Figure]:
            found = await self._counts.by(
                public(city.city.id),
                _wanted(week, where, city), by, city.city.zone, promises=promises,
            )  # fmt: skip
            return {each.key: each for each in found}

        key = city.city.id, week, by, tuple(sorted(where.items())), promises
        async with asking.turns:
            return await self._tables.of(key, asking.at, asking.at + LONG_KNOWN_FOR, count)


def _chosen(counts: Mapping[str | None, int], city: Reference) -> Counter[str | None]:
    """With services that residents may not choose under None: a row tells them without it too."""
    chosen: Counter[str | None] = Counter()
    for code, count in counts.items():
        told = code is not None and code in city.catalogue and city.catalogue.service(code).public
        chosen[code if told else None] += count
    return chosen


def _wanted(week: date, where: Mapping[str, str], city: Reference) -> AppealFilter:
    begin, end = span(week, city)
    return AppealFilter(
        sphere=where.get("sphere"),
        district=where.get("district"),
        registered_from=begin,
        registered_to=end,
    )


def _parted(counted: Iterable[tuple[Kin, Coordinates | None, int]], crowd: Crowd) -> Shared:
    return Shared(
        [
            (kin, None if point is None else crowd.cell(point), count)
            for kin, point, count in counted
        ]
    )


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


def span(week: date, city: Reference) -> tuple[datetime, datetime]:
    """A week as instants: from its Monday and before the next."""
    return _midnight(week, city), _midnight(week + WEEK, city)


def _midnight(day: date, city: Reference) -> datetime:
    return datetime.combine(day, datetime.min.time(), city.city.zone_info())
