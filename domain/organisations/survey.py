"""A city laid out for the checks of its routing: who sees which rules, and which places they hold.

Services that see the same rules are judged together, and houses as sets (terrain.py), so that a
whole city is judged without asking service by house. A rule counts as it stands on one day of the
city, its hours over the week that follows.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

from domain.organisations.closing import Closing
from domain.organisations.model import Responsibility, TerritoryKind
from domain.organisations.rules import selectors
from domain.organisations.terrain import Mask, Terrain
from domain.reference import Reference

_NARROW_FIRST = {kind: -place for place, kind in enumerate(TerritoryKind)}
MOST_NAMED = 20
"""Rules that a finding names."""


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


def asked(book: Book, kin: Kin) -> Iterator[Standing]:
    """The rules that the services see, in the order in which routing asks them."""
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
