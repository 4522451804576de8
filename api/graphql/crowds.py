"""What hides whom in a city, remembered by the process: its houses, what its weeks share, and
what was published of its figures.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from api.graphql.context import Context
from domain.access import public
from domain.publication.figures import Table, publish
from domain.publication.places import Crowd
from domain.publication.rows import Detail, Kin, Shared
from domain.questions import AppealFilter
from domain.reference import Reference

KNOWN_FOR = timedelta(seconds=60)
LONG_KNOWN_FOR = timedelta(hours=1)
WEEK = timedelta(days=7)
KEPT = 200

_crowds: dict[UUID, tuple[Any, Crowd]] = {}
_tables: OrderedDict[tuple[UUID, AppealFilter, str, bool], tuple[datetime, Table]] = OrderedDict()
_weeks: OrderedDict[tuple[UUID, date], tuple[datetime, datetime, Shared]] = OrderedDict()


def crowd_of(city: Reference) -> Crowd:
    """How many houses stand where; counted anew when the register of addresses is another."""
    known = _crowds.get(city.city.id)
    if known is None or known[0] is not city.buildings:
        crowd = Crowd(building.coordinates for building in city.buildings.values())
        known = _crowds[city.city.id] = city.buildings, crowd
    return known[1]


async def details_of(kin: Sequence[Kin], context: Context, city: Reference) -> list[Detail]:
    """In how much detail appeals may be told. Weeks that are not known are counted by one
    statement; one that is over is believed for an hour, the running one for a minute.
    """
    weeks = {_monday(each.day) for each in kin}
    # Kept here too: while some are counted, others may push what is known out of memory.
    shared = {week: known for week in weeks if (known := _known(week, context, city))}
    missing = sorted(weeks - shared.keys())
    if missing:
        spans = [(_midnight(week, city), _midnight(week + WEEK, city)) for week in missing]
        async with context.turns:
            counted = await context.house.figures.kin(city.city.id, spans, city.city.zone)
        for (begin, end), week in zip(spans, missing, strict=True):
            inside = [(each, n) for each, n in counted if _monday(each.day) == week]
            until = context.at + (KNOWN_FOR if begin <= context.at < end else LONG_KNOWN_FOR)
            shared[week] = Shared(inside)
            _weeks[city.city.id, week] = context.at, until, shared[week]
    while len(_weeks) > KEPT:
        _weeks.popitem(last=False)
    return [shared[_monday(each.day)].detail(each) for each in kin]


def _known(week: date, context: Context, city: Reference) -> Shared | None:
    known = _weeks.get((city.city.id, week))
    return known[2] if known is not None and known[0] <= context.at < known[1] else None


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


async def published(
    asked: AppealFilter, by: str, context: Context, city: Reference, *, promises: bool
) -> Table:
    """What the public is told of a count, believed for a minute: whoever asks without a token
    asks the register no oftener.
    """
    key = (city.city.id, asked, by, promises)
    known = _tables.get(key)
    if known is None or not known[0] <= context.at < known[0] + KNOWN_FOR:
        async with context.turns:
            found = await context.house.figures.by(
                public(city.city.id), asked, by, city.city.zone, promises=promises
            )
        known = _tables[key] = context.at, publish(found)
        if len(_tables) > KEPT:
            _tables.popitem(last=False)
    return known[1]


def _midnight(day: date, city: Reference) -> datetime:
    return datetime.combine(day, datetime.min.time(), city.city.zone_info())
