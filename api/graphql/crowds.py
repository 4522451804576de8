"""What hides whom in a city, remembered by the process: its houses, the classes of its weeks, and
what was counted of them.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from api.graphql.context import Context
from api.graphql.remembering import Remembered
from domain.access import public
from domain.publication.figures import Figure, Table, gathered, publish
from domain.publication.places import Crowd
from domain.publication.rows import WEEK, Detail, Kin, Shared
from domain.questions import AppealFilter
from domain.reference import Reference
from domain.values import Coordinates

T = TypeVar("T")

KNOWN_FOR = timedelta(seconds=60)
LONG_KNOWN_FOR = timedelta(hours=1)
KEPT = 200
OF_CLASSES = frozenset({"service", "category", "sphere", "district"})
"""By what figures are sums of classes, and can be narrowed to a sphere and a district."""

_crowds: dict[UUID, tuple[Any, Crowd]] = {}
_weeks: Remembered[tuple[UUID, date], Shared] = Remembered(KEPT)
_tables: Remembered[tuple[Any, ...], dict[str | None, Figure]] = Remembered(KEPT)
_hand = ThreadPoolExecutor(1, thread_name_prefix="crowds")
"""Tens of thousands of points are no work for the loop. One thread: what everybody may ask for
without a token takes no more of the process than that.
"""


def forget() -> None:
    """Of weeks and figures nothing is known any more."""
    _weeks.clear()
    _tables.clear()


async def crowd_of(city: Reference) -> Crowd:
    """How many houses stand where; counted anew when the register of addresses is another."""
    known = _crowds.get(city.city.id)
    if known is not None and known[0] is city.buildings:
        return known[1]
    return await _beside(partial(_crowd, city))


def _crowd(city: Reference) -> Crowd:
    """Of the hand alone, which so counts a city once, however many ask."""
    known = _crowds.get(city.city.id)
    if known is None or known[0] is not city.buildings:
        crowd = Crowd(building.coordinates for building in city.buildings.values())
        known = _crowds[city.city.id] = city.buildings, crowd
    return known[1]


async def _beside(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_hand, work)


async def classes_of(
    weeks: Iterable[date], context: Context, city: Reference
) -> dict[date, Shared]:
    """The classes of weeks, by their Mondays. Weeks that are not known are counted by one
    statement, each by one at a time; one that is over is believed for an hour, the running one for
    a minute.
    """

    async def count(keys: Sequence[tuple[UUID, date]]) -> dict[tuple[UUID, date], Shared]:
        missing = [week for _, week in keys]
        spans = [span(week, city) for week in missing]
        async with context.turns:
            counted = await context.house.figures.kin(city.city.id, spans, city.city.zone)
        made = await _beside(partial(_classes, missing, counted, city))
        return {key: made[key[1]] for key in keys}

    def until(key: tuple[UUID, date]) -> datetime:
        begin, end = span(key[1], city)
        return context.at + (KNOWN_FOR if begin <= context.at < end else LONG_KNOWN_FOR)

    keys = [(city.city.id, week) for week in sorted(set(weeks))]
    shared = await _weeks.each(keys, context.at, until, count)
    return {week: classes for (_, week), classes in shared.items()}


def _classes(
    weeks: Sequence[date], counted: Iterable[tuple[Kin, Coordinates | None, int]], city: Reference
) -> dict[date, Shared]:
    crowd = _crowd(city)
    inside: dict[date, list[tuple[Kin, int | None, int]]] = {week: [] for week in weeks}
    for kin, point, count in counted:
        cell = None if point is None else crowd.cell(point)
        inside[kin.week].append((kin, cell, count))
    return {week: Shared(each) for week, each in inside.items()}


async def details_of(
    kin: Sequence[Kin], context: Context, city: Reference
) -> list[tuple[Detail, Shared]]:
    """In how much detail appeals may be told, each with the classes of its week."""
    classes = await classes_of({each.week for each in kin}, context, city)
    return [(classes[each.week].detail(each), classes[each.week]) for each in kin]


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


async def published(
    weeks: Sequence[date],
    by: str,
    where: Mapping[str, str],
    context: Context,
    city: Reference,
    *,
    promises: bool,
) -> Table:
    """What the public is told of a count over weeks that are over; `where` is for OF_CLASSES."""
    told: list[Mapping[str | None, int]]
    if by in OF_CLASSES:
        classes = await classes_of(weeks, context, city)
        told = await _beside(lambda: [classes[week].counted(by, where) for week in weeks])
    else:
        counted = [await _counted(week, by, {}, context, city, promises=False) for week in weeks]
        told = [gathered({key: each.count for key, each in one.items()}) for one in counted]
    if not promises or len(weeks) > 1:
        return publish(told)
    return publish(told, await _counted(weeks[0], by, where, context, city, promises=True))


async def _counted(
    week: date,
    by: str,
    where: Mapping[str, str],
    context: Context,
    city: Reference,
    *,
    promises: bool,
) -> dict[str | None, Figure]:
    """The figures of a week, believed for an hour: whoever asks without a token asks the register
    no oftener.
    """

    async def count(keys: Sequence[tuple[Any, ...]]) -> dict[Any, dict[str | None, Figure]]:
        begin, end = span(week, city)
        asked = AppealFilter(**where, registered_from=begin, registered_to=end)  # type: ignore[arg-type]
        async with context.turns:
            found = await context.house.figures.by(
                public(city.city.id), asked, by, city.city.zone, promises=promises
            )
        return {keys[0]: {each.key: each for each in found}}

    key = (city.city.id, week, by, tuple(sorted(where.items())), promises)
    known = await _tables.each([key], context.at, lambda _: context.at + LONG_KNOWN_FOR, count)
    return known[key]


def span(week: date, city: Reference) -> tuple[datetime, datetime]:
    """A week as instants: from its Monday and before the next."""
    return _midnight(week, city), _midnight(week + WEEK, city)


def _midnight(day: date, city: Reference) -> datetime:
    return datetime.combine(day, datetime.min.time(), city.city.zone_info())
