"""Figures in the graph: what staff see of them, and what the public is told."""

import enum
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import strawberry

from api.graphql.enums import Language
from api.graphql.fast import plain, quick
from api.graphql.filters import AppealFilter, wanted
from api.graphql.selection import fields
from api.rest.operation import malformed
from domain.access import Permission
from domain.publication.crowds import monday
from domain.publication.figures import Figure as Counted
from domain.publication.figures import Published
from domain.publication.rows import WEEK
from domain.questions import AppealFilter as Wanted
from domain.reference import Reference
from domain.values import in_language

LONGEST = timedelta(days=366)
LONGEST_PUBLIC = timedelta(days=92)
"""Whoever comes without a token has no right to the time of a whole year's count."""
USUAL = timedelta(days=30)
_YEARS = range(2000, 2200)
"""Of which a day may be told: at the ends of the calendar there are no thirty days before it."""


@strawberry.enum(description="By what appeals are counted.")
class CountBy(enum.Enum):
    """Columns of integrations/postgres/figures.py."""

    STATUS = "status"
    SERVICE = "service"
    CATEGORY = "category"
    SPHERE = "sphere"
    DISTRICT = "district"
    ORGANISATION = "organisation"
    CHANNEL = "channel"
    KIND = "kind"
    CRITICALITY = "criticality"
    HOUR = "hour"
    DAY = "day"


@strawberry.type(description="One group of a count.")
class FigureGroup:
    """Either counted whole, for staff, or as it is published."""

    _city: strawberry.Private[Reference]
    _by: strawberry.Private[str]
    key: str | None = plain(
        "What the group has in common: a status, a code, the id of an organisation, an hour (00 to"
        " 23) or a day of the city; null for what has none, and for the public also for groups too"
        " small to be named, together."
    )
    count: int = plain("How many appeals.")
    closed: int | None = plain(
        "How many of them the residents closed; for staff. The public asks by STATUS."
    )
    kept_share: float | None = plain(
        "Of those whose promise to resolve is decided, the part that kept it, from 0 to 1."
    )
    median_seconds: float | None = plain(
        "The median time from registration to resolution, in seconds."
    )

    @quick("The name of what the key stands for, in the language asked for.")
    def name(self, info: strawberry.Info, language: Language | None = None) -> str | None:
        """Localised, where the key is that of something with a name."""
        names = _names(self._by, self.key, self._city)
        return in_language(names, language or info.context.language) if names else None


@strawberry.type(description="Appeals counted by groups.")
class FigureTable:
    """See domain/publication/figures.py for what the public is told."""

    total: int | None = plain("All of them together; null where it cannot be told.")
    groups: list[FigureGroup] = plain("The groups by key; groups of none are not there.")
    first_day: date | None = plain(
        "The first day that is counted, a Monday; null where a filter of staff says the period.",
        default=None,
    )
    last_day: date | None = plain(
        "The last day that is counted, a Sunday; null as the first is.", default=None
    )


async def figures_of(info: Any, by: CountBy, said: AppealFilter | None) -> FigureTable:
    """What staff see counted. Raises Refusal."""
    context = info.context
    principal = context.require(Permission.READ_STATISTICS)
    city = context.reference
    asked = bounded(wanted(said, context), context.at)
    async with context.turns:
        found = await context.house.figures.by(
            principal, asked, by.value, city.city.zone, promises=asks_for_promises(info)
        )
    return FigureTable(
        total=sum(figure.count for figure in found),
        groups=[_group(each, each.share, city, by.value, each.closed) for each in found],
    )


def asks_for_promises(info: Any) -> bool:
    """Whether shares or medians are asked for, which the clocks must be read for."""
    raw = info._raw_info
    sets = [node.selection_set for node in raw.field_nodes if node.selection_set]
    groups = [
        each.selection_set
        for each in fields(sets, raw.fragments)
        if each.name.value == "groups" and each.selection_set
    ]
    asked = {each.name.value for each in fields(groups, raw.fragments)}
    return not asked.isdisjoint({"keptShare", "medianSeconds"})


def _group(
    figure: Counted | Published,
    share: float | None,
    city: Reference,
    by: str,
    closed: int | None = None,
) -> FigureGroup:
    return FigureGroup(
        _city=city,
        _by=by,
        key=figure.key,
        count=figure.count,
        closed=closed,
        kept_share=share,
        median_seconds=figure.median,
    )


def published_groups(groups: Iterable[Published], city: Reference, by: str) -> list[FigureGroup]:
    """Groups as the public is told them."""
    return [_group(each, each.share, city, by) for each in groups]


def bounded(asked: Wanted, at: datetime) -> Wanted:
    """The filter held to a period: the thirty days before its end unless it says otherwise.

    Raises Malformed for more than a year.
    """
    end = asked.registered_to or at
    begin = asked.registered_from or end - USUAL
    if end - begin > LONGEST:
        raise malformed("filter", "/filter/registeredFrom", "out-of-range", le=LONGEST.days)
    return replace(asked, registered_from=begin, registered_to=end)


def running(city: Reference, at: datetime) -> date:
    """The Monday of the week that is not over."""
    return monday(city.city.local(at).date())


def weeks(begin: date | None, end: date | None, city: Reference, at: datetime) -> list[date]:
    """The Mondays of the weeks that are over and hold a day from `begin` up to and with `end`; of
    the last one that is over unless they say otherwise.

    Raises Malformed for more than LONGEST_PUBLIC, for days in the wrong order or out of time, and
    where no week of them is over.
    """
    now = running(city, at)
    last = end or now - timedelta(days=1)
    if last.year not in _YEARS:
        ends = {"ge": f"{_YEARS[0]}-01-01", "le": f"{_YEARS[-1]}-12-31"}
        raise malformed("filter", "/lastDay", "out-of-range", **ends)
    first = begin or last
    if not timedelta() <= last - first <= LONGEST_PUBLIC:
        raise malformed("filter", "/firstDay", "out-of-range", ge=0, le=LONGEST_PUBLIC.days)
    begins = monday(first)
    if begins >= now:
        # Its figures would move with each appeal, and tell them one by one.
        over = (now - timedelta(days=1)).isoformat()
        raise malformed("filter", "/firstDay", "out-of-range", le=over)
    count = (min(monday(last) + WEEK, now) - begins) // WEEK
    return [begins + n * WEEK for n in range(count)]


def _names(by: str, key: str | None, city: Reference) -> Any:
    if key is None:
        return None
    catalogue = city.catalogue
    match by:
        case "service":
            return catalogue.service(key).names if key in catalogue else None
        case "category":
            return next((each.names for each in catalogue.categories if each.code == key), None)
        case "sphere":
            return next((each.names for each in catalogue.spheres if each.code == key), None)
        case "district":
            return city.districts[key].names if key in city.districts else None
        case "organisation":
            found = city.organisations.get(UUID(key))
            return found.names if found else None
    return None
