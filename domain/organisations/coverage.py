"""Who would be left alone: services and houses without an executor, and rules that never win.

Services that see the same rules are judged together, and houses as sets (terrain.py), so that a
whole city is judged without asking service by house. A rule counts as it stands on one day of the
city, its hours over the week that follows.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from uuid import UUID

from domain.organisations.closing import Closing
from domain.organisations.findings import Finding, Lack
from domain.organisations.model import Responsibility, TerritoryKind
from domain.organisations.rules import selectors
from domain.organisations.terrain import Mask, Terrain
from domain.reference import Reference

_NARROW_FIRST = {kind: -place for place, kind in enumerate(TerritoryKind)}
MOST_NAMED = 20
"""Rules that a finding names as standing in the way of another."""


@dataclass(frozen=True, slots=True)
class Kin:
    """Services that see the same rules: their selectors, the most specific first."""

    wanted: tuple[str, ...]
    sphere: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule that may act on the day. `calendar` None: it acts whenever it is asked."""

    rule: Responsibility
    places: Mask
    calendar: str | None


Book = Mapping[str, tuple[Standing, ...]]
"""The standing rules of each selector in the order in which routing asks them."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What the checks share: one city on one day."""

    reference: Reference
    day: date
    terrain: Terrain
    closing: Closing
    kins: tuple[Kin, ...]
    book: Book


def survey(reference: Reference, at: datetime) -> Survey:
    """Lay a city out for its checks, as it stands on the day of `at`."""
    routing = reference.routing
    local = reference.city.local(at)
    terrain = Terrain(
        routing,
        reference.buildings,
        {each.id: each.code for each in reference.streets.values()},
        reference.districts,
    )
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    closing = Closing(reference.promises, midnight)
    book = _book(reference, terrain, local.date())
    kins = tuple(_kins(reference, local.date()))
    return Survey(reference, local.date(), terrain, closing, kins, book)


def gaps(seen: Survey) -> Iterator[Finding]:
    """Cells of services and houses that nobody takes: never, or not at every hour."""
    never: dict[tuple[str, Mask], list[str]] = defaultdict(list)
    at_times: dict[tuple[str, Mask, frozenset[str]], list[str]] = defaultdict(list)
    for kin in seen.kins:
        open_, hours = _left_open(seen, kin)
        for places, calendars in _by_hours(open_, hours):
            if not calendars:
                never[kin.sphere, places] += kin.services
            elif seen.closing.together(calendars):
                at_times[kin.sphere, places, calendars] += kin.services
    for (sphere, places), services in never.items():
        yield from _cells(seen, Lack.UNCOVERED, sphere, places, services, frozenset())
    for (sphere, places, calendars), services in at_times.items():
        lack = Lack.UNCOVERED_OUTSIDE_HOURS
        yield from _cells(seen, lack, sphere, places, services, calendars)


def shadows(seen: Survey) -> Iterator[Finding]:
    """Rules that can never win, with those that always go first.

    Only rules without an end stand in the way for good. A rule over the whole city that nothing
    but more specific selectors hide is a net for services to come, and no mistake.
    """
    reached: set[UUID] = set()
    losing: set[UUID] = set()
    for kin in seen.kins:
        left = seen.terrain.everywhere
        for each in _asked(seen.book, kin):
            if each.places & left:
                reached.add(each.rule.id)
                left &= ~each.places if _lasts(each) else -1
            elif each.places:
                losing.add(each.rule.id)
    for each in chain.from_iterable(seen.book.values()):
        if each.rule.id in losing and each.rule.id not in reached:
            yield from _shadowed(seen, each)


def _shadowed(seen: Survey, loser: Standing) -> Iterator[Finding]:
    kins = [kin for kin in seen.kins if loser.rule.selector in kin.wanted]
    winners = {each.rule.id: each.rule for kin in kins for each in _winners(seen, kin, loser)}
    alike = any(rule.selector == loser.rule.selector for rule in winners.values())
    before = list(winners)
    if loser.places == seen.terrain.everywhere and not alike:
        return
    rules = (loser.rule.id, *before[:MOST_NAMED])
    yield Finding(
        Lack.SHADOWED_RULE,
        ("responsibility", str(loser.rule.id)),
        services=tuple(code for kin in kins for code in kin.services),
        rules=rules,
        organisations=(loser.rule.organisation,),
        districts=seen.terrain.districts(loser.places),
        facts={"selector": loser.rule.selector, "count": len(before)},
    )


def _winners(seen: Survey, kin: Kin, loser: Standing) -> Iterator[Standing]:
    """The rules that take every place of the loser before it is asked."""
    left = loser.places
    for each in _asked(seen.book, kin):
        if each is loser or not left:
            return
        if _lasts(each) and each.places & left:
            left &= ~each.places
            yield each


def _lasts(each: Standing) -> bool:
    return each.calendar is None and each.rule.valid_to is None


def _left_open(seen: Survey, kin: Kin) -> tuple[Mask, dict[str, Mask]]:
    """The houses where no rule always acts, and where rules act in the hours of a calendar."""
    open_ = seen.terrain.judged
    hours: dict[str, Mask] = defaultdict(int)
    for each in _asked(seen.book, kin):
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


def _asked(book: Book, kin: Kin) -> Iterator[Standing]:
    return chain.from_iterable(book.get(selector, ()) for selector in kin.wanted)


def _book(reference: Reference, terrain: Terrain, day: date) -> Book:
    places = {id: terrain.of(each) for id, each in reference.routing.territories.items()}
    book: dict[str, list[Standing]] = defaultdict(list)
    for rule in _ordered(reference):
        firm = reference.organisations.get(rule.organisation)
        if firm is not None and firm.active and rule.in_force(day):
            standing = Standing(rule, places[rule.territory], _bound(rule, reference))
            book[rule.selector].append(standing)
    return {selector: tuple(found) for selector, found in book.items()}


def _ordered(reference: Reference) -> list[Responsibility]:
    """The rules with a known territory in the order in which those of a selector are asked."""
    drawn = reference.routing.territories
    known = (
        rule for rule in reference.routing.responsibilities.values() if rule.territory in drawn
    )
    return sorted(
        known,
        key=lambda rule: (_NARROW_FIRST[drawn[rule.territory].kind], rule.priority, rule.id),
    )


def _bound(rule: Responsibility, reference: Reference) -> str | None:
    """The calendar outside which the rule does nothing."""
    if rule.calendar is None or rule.fallback is None:
        return rule.calendar
    heir = reference.organisations.get(rule.fallback)
    return None if heir is not None and heir.active else rule.calendar


def _kins(reference: Reference, day: date) -> Iterator[Kin]:
    """Services offered on the day or later, together where no rule tells them apart."""
    named = {rule.selector for rule in reference.routing.responsibilities.values()}
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    spheres: dict[tuple[str, ...], str] = {}
    for each in reference.catalogue.services:
        if each.valid_to is not None and each.valid_to < day:
            continue
        own = each.code if each.code in named else ""
        wanted = selectors(own, each.category, each.sphere, each.responsible)
        groups[wanted].append(each.code)
        spheres[wanted] = each.sphere
    for wanted, services in groups.items():
        yield Kin(wanted, spheres[wanted], tuple(services))
