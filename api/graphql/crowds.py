"""What hides whom in a city, remembered by the process: its houses, what its weeks share, and
what was published of its figures.
"""

from collections import OrderedDict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from api.graphql.context import Context
from domain.access import public
from domain.ports import AppealFilter
from domain.publication.figures import Table, publish
from domain.publication.places import Crowd
from domain.publication.rows import Shared
from domain.reference import Reference

KNOWN_FOR = timedelta(seconds=60)
KEPT = 200

_crowds: dict[UUID, tuple[Any, Crowd]] = {}
_tables: OrderedDict[tuple[UUID, AppealFilter, str, bool], tuple[datetime, Table]] = OrderedDict()
_shared: OrderedDict[tuple[UUID, date, date], tuple[datetime, Shared]] = OrderedDict()


def crowd_of(city: Reference) -> Crowd:
    """How many houses stand where; counted anew when the register of addresses is another."""
    known = _crowds.get(city.city.id)
    if known is None or known[0] is not city.buildings:
        crowd = Crowd(building.coordinates for building in city.buildings.values())
        known = _crowds[city.city.id] = city.buildings, crowd
    return known[1]


async def shared_in(registered: list[date], context: Context, city: Reference) -> Shared:
    """What the appeals of these days' weeks share: counted by one statement from the first week's
    Monday to the last one's Sunday, and believed for a minute.
    """
    first, last = min(registered), max(registered)
    begin = first - timedelta(days=first.weekday())
    end = last + timedelta(days=6 - last.weekday())
    key = (city.city.id, begin, end)
    known = _shared.get(key)
    if known is None or not known[0] <= context.at < known[0] + KNOWN_FOR:
        counted = await context.house.figures.kin(
            city.city.id, _midnight(begin, city), _midnight(end + timedelta(days=1), city),
            city.city.zone,
        )  # fmt: skip
        known = _shared[key] = context.at, Shared(counted)
        if len(_shared) > KEPT:
            _shared.popitem(last=False)
    return known[1]


async def published(
    asked: AppealFilter, by: str, context: Context, city: Reference, *, promises: bool
) -> Table:
    """What the public is told of a count, believed for a minute: whoever asks without a token
    asks the register no oftener.
    """
    key = (city.city.id, asked, by, promises)
    known = _tables.get(key)
    if known is None or not known[0] <= context.at < known[0] + KNOWN_FOR:
        found = await context.house.figures.by(
            public(city.city.id), asked, by, city.city.zone, promises=promises
        )
        known = _tables[key] = context.at, publish(found)
        if len(_tables) > KEPT:
            _tables.popitem(last=False)
    return known[1]


def _midnight(day: date, city: Reference) -> datetime:
    return datetime.combine(day, datetime.min.time(), city.city.zone_info())
