"""Who would be left alone: services and places that no rule takes, at some hour or at any.

Houses are told in cells, one for all that fare alike. Appeals that name a street without a house,
or a point on the map, are told where they fare worse than the houses do.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from domain.organisations.areas import leaves_open
from domain.organisations.findings import Finding, Lack
from domain.organisations.model import Polygon
from domain.organisations.survey import Kin, Survey, asked
from domain.organisations.terrain import Mask


def gaps(seen: Survey) -> Iterator[Finding]:
    """Cells of services and houses that nobody takes: never, or not at every hour."""
    never: dict[tuple[str, Mask], list[str]] = defaultdict(list)
    at_times: dict[tuple[str, Mask, frozenset[str]], list[str]] = defaultdict(list)
    for kin in seen.kins:
        open_, hours = _left_open(seen, kin)
        for places, calendars in _by_hours(open_ & seen.terrain.judged, hours):
            if not calendars:
                never[kin.sphere, places] += kin.services
            elif seen.closing.together(calendars):
                at_times[kin.sphere, places, calendars] += kin.services
    for (sphere, places), services in never.items():
        yield from _cells(seen, Lack.UNCOVERED, sphere, places, services, frozenset())
    for (sphere, places, calendars), services in at_times.items():
        lack = Lack.UNCOVERED_OUTSIDE_HOURS
        yield from _cells(seen, lack, sphere, places, services, calendars)


def gaps_between(seen: Survey) -> Iterator[Finding]:
    """Streets without a house, and points of districts, that nobody takes though houses are."""
    streets: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    grounds: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for kin in seen.kins:
        open_, hours = _left_open(seen, kin)
        for places in hours.values():
            open_ &= ~places
        if not open_ or open_ & seen.terrain.judged == seen.terrain.judged:
            continue
        if bare := seen.terrain.streets(open_):
            streets[kin.sphere, bare] += kin.services
        if bare := tuple(_open_grounds(seen, kin, open_)):
            grounds[kin.sphere, bare] += kin.services
    for (sphere, codes), services in streets.items():
        yield Finding(
            Lack.UNCOVERED_STREET, ("sphere", sphere), services=tuple(sorted(services)),
            facts={"count": len(codes), "streets": codes},
        )  # fmt: skip
    for (sphere, codes), services in grounds.items():
        yield Finding(
            Lack.UNCOVERED_GROUND, ("sphere", sphere), services=tuple(sorted(services)),
            districts=codes, facts={"count": len(codes)},
        )  # fmt: skip


def _open_grounds(seen: Survey, kin: Kin, open_: Mask) -> Iterator[str]:
    """The districts of which the polygons of the services leave a part open."""
    codes = seen.terrain.grounds(open_)
    drawn: dict[object, Polygon] = {}
    for each in asked(seen.book, kin) if codes else ():
        polygon = seen.reference.routing.territories[each.rule.territory].polygon
        works = each.calendar is None or seen.closing.ever_open(each.calendar)
        if polygon is not None and works:
            drawn[each.rule.territory] = polygon
    for code in codes:
        border = seen.reference.districts[code].polygon
        if border is not None and leaves_open(border, drawn.values()):
            yield code


def _left_open(seen: Survey, kin: Kin) -> tuple[Mask, dict[str, Mask]]:
    """The places where no rule always acts, and where rules act in the hours of a calendar."""
    open_ = seen.terrain.everywhere
    hours: dict[str, Mask] = defaultdict(int)
    for each in asked(seen.book, kin):
        if each.calendar is None:
            open_ &= ~each.places
            if not open_:
                break
        elif seen.closing.ever_open(each.calendar):
            hours[each.calendar] |= each.places
    return open_, hours


def _by_hours(open_: Mask, hours: Mapping[str, Mask]) -> Iterator[tuple[Mask, frozenset[str]]]:
    """The open houses, parted by the calendars in whose hours somebody acts."""
    parts: dict[frozenset[str], Mask] = {frozenset(): open_} if open_ else {}
    for calendar, places in hours.items():
        halves: dict[frozenset[str], Mask] = {}
        for calendars, part in parts.items():
            for key, half in ((calendars | {calendar}, part & places), (calendars, part & ~places)):
                if half:
                    halves[key] = half
        parts = halves
    for calendars, part in parts.items():
        yield part, calendars


def _cells(
    seen: Survey,
    lack: Lack,
    sphere: str,
    places: Mask,
    services: Iterable[str],
    calendars: frozenset[str],
) -> Iterator[Finding]:
    for area in seen.terrain.areas(places):
        yield Finding(
            lack,
            ("sphere", sphere),
            services=tuple(sorted(services)),
            area=area,
            districts=area.districts,
            facts={"count": len(area.buildings), "calendar": ", ".join(sorted(calendars))},
        )
