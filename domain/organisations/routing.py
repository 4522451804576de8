"""Routing: which organisation must act on this service at this place at this hour.

The more specific selector wins, then the narrower territory, then the lower
priority number, then the lower id, so that the same appeal always goes the same
way. Nothing is ever sent nowhere: a route without an organisation says why, and
means the inspectors' queue.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.organisations.areas import Areas
from domain.organisations.model import (
    Building,
    District,
    Location,
    Organisation,
    OrganisationKind,
    Responsibility,
    Street,
    Territory,
    TerritoryKind,
)
from domain.organisations.rules import (
    CITY_STEP,
    EVERYTHING,
    IsWorking,
    Rule,
    Step,
    Verdict,
    of_polygons,
    rule_book,
    selectors,
)

CITY_ZONE = ZoneInfo("Asia/Almaty")


class RouteReason(StrEnum):
    """Why the appeal goes where it goes; the last four mean the inspectors' queue."""

    ASSIGNED = "assigned"
    AFTER_HOURS = "after-hours"
    NO_RESPONSIBILITY = "no-responsibility"
    NO_ADDRESS = "no-address"
    UNKNOWN_ADDRESS = "unknown-address"
    OUTSIDE_HOURS = "outside-hours"


@dataclass(frozen=True, slots=True)
class Considered:
    """One rule that matched service and place, and its verdict."""

    responsibility: UUID
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Route:
    """The answer; `considered` lists the rules looked at, in order, the chosen one last."""

    organisation: UUID | None
    responsibility: UUID | None
    reason: RouteReason
    considered: tuple[Considered, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A route with what it was chosen over.

    `unasked` are the rules that match service and place and come after the chosen one, in
    order. `elsewhere` match the service and not the place, `other` the place and not the service.
    """

    route: Route
    unasked: tuple[UUID, ...]
    elsewhere: tuple[UUID, ...]
    other: tuple[UUID, ...]


class Question(TypedDict):
    """What routing is asked, see RoutingIndex.route."""

    service_code: str
    category: str
    sphere: str
    responsible_kind: OrganisationKind | str
    location: Location
    at: datetime
    is_working: IsWorking


class RoutingIndex:
    """All rules of a city, ready to be asked. Immutable once built; safe to share."""

    __slots__ = (
        "_areas",
        "_areas_of_building",
        "_buildings",
        "_districts",
        "_needs_address",
        "_rules",
        "_streets",
        "_zone",
        "responsibilities",
        "territories",
    )

    def __init__(
        self,
        *,
        organisations: Iterable[Organisation],
        districts: Iterable[District],
        streets: Iterable[Street],
        buildings: Iterable[Building],
        territories: Iterable[Territory],
        responsibilities: Iterable[Responsibility],
        zone: ZoneInfo = CITY_ZONE,
    ) -> None:
        """`zone` decides which day it is for `valid_from` and `valid_to`.

        A rule whose organisation or territory is not among the given is left out.
        """
        listed = tuple(districts)
        drawn = {each.id: each for each in territories}
        self._zone = zone
        self._buildings = {each.id: each for each in buildings}
        self._streets = frozenset(each.id for each in streets)
        self._districts = frozenset(each.code for each in listed)
        self.territories: Mapping[UUID, Territory] = drawn
        self.responsibilities: Mapping[UUID, Responsibility] = {
            each.id: each for each in responsibilities
        }
        self._rules = rule_book(organisations, drawn, self.responsibilities.values())
        # One tree holds both, since a point on the map asks for both at once.
        self._areas: Areas[str | UUID] = Areas(
            [
                *((each.code, each.polygon) for each in listed if each.polygon is not None),
                *((each.id, each.polygon) for each in drawn.values() if each.polygon is not None),
            ]
        )
        self._areas_of_building = self._areas.of_each(
            {key: each.coordinates for key, each in self._buildings.items()}
        )
        self._needs_address = frozenset(
            selector for selector, steps in self._rules.items() if set(steps) != {CITY_STEP}
        )

    def route(
        self,
        *,
        service_code: str,
        category: str,
        sphere: str,
        responsible_kind: OrganisationKind | str,
        location: Location,
        at: datetime,
        is_working: IsWorking,
    ) -> Route:
        """Who must act on this service here and now; total, refuses nothing.

        `at` is aware; `is_working(calendar, at)` answers for the hours of a calendar.
        """
        wanted = selectors(service_code, category, sphere, responsible_kind)
        rules = self._matching(wanted, self.steps(location))
        return self._decide(wanted, location, rules, at, is_working)

    def explain(
        self,
        *,
        service_code: str,
        category: str,
        sphere: str,
        responsible_kind: OrganisationKind | str,
        location: Location,
        at: datetime,
        is_working: IsWorking,
    ) -> Explanation:
        """The same answer, with the rules that it was chosen over and those that missed it."""
        wanted = selectors(service_code, category, sphere, responsible_kind)
        steps = self.steps(location)
        rules = self._matching(wanted, steps)
        route = self._decide(wanted, location, rules, at, is_working)
        unasked = tuple(rule.responsibility.id for rule in rules)
        asked = {each.responsibility for each in route.considered}.union(unasked)
        return Explanation(
            route, unasked, self._elsewhere(wanted, asked), self._of_others(wanted, steps)
        )

    def _decide(
        self,
        wanted: tuple[str, ...],
        location: Location,
        rules: Iterator[Rule],
        at: datetime,
        is_working: IsWorking,
    ) -> Route:
        """Ask the rules in turn until one may act; those after it stay in the iterator."""
        day = self.day(at)
        considered: list[Considered] = []
        for rule in rules:
            verdict = rule.judge(day, at, is_working)
            considered.append(Considered(rule.responsibility.id, verdict))
            if verdict is Verdict.CHOSEN:
                chosen, reason = rule.responsibility.organisation, RouteReason.ASSIGNED
            elif verdict is Verdict.CHOSEN_FALLBACK and rule.fallback is not None:
                chosen, reason = rule.fallback, RouteReason.AFTER_HOURS
            else:
                continue
            return Route(chosen, rule.responsibility.id, reason, tuple(considered))
        return Route(None, None, self._why_none(wanted, location, considered), tuple(considered))

    def day(self, at: datetime) -> date:
        """The day of the city at an instant."""
        return at.astimezone(self._zone).date()

    def needs_address(
        self,
        service_code: str,
        category: str,
        sphere: str,
        responsible_kind: OrganisationKind | str,
    ) -> bool:
        """Whether who must act on the service depends on where it is."""
        wanted = selectors(service_code, category, sphere, responsible_kind)
        return not self._needs_address.isdisjoint(wanted)

    def answers_for(self, wanted: Iterable[str], organisations: Collection[UUID]) -> bool:
        """Whether one of these organisations has a rule of these selectors, wherever it holds."""
        found = (rule for selector in wanted for rule in self._all(selector))
        return any(rule.responsibility.organisation in organisations for rule in found)

    def answering(self, wanted: Iterable[str], location: Location, at: datetime) -> frozenset[UUID]:
        """Everybody who has a rule of these selectors that holds here today, whatever its rank;
        who takes what nobody else does (`*`) only where nobody else does.
        """
        day = self.day(at)
        holding = [
            rule.responsibility
            for rule in self._matching(wanted, self.steps(location))
            if rule.active and rule.responsibility.in_force(day)
        ]
        named = [each for each in holding if each.selector != EVERYTHING]
        return frozenset(each.organisation for each in named or holding)

    def _all(self, selector: str) -> Iterator[Rule]:
        for rules in self._rules.get(selector, {}).values():
            yield from rules

    def district_of(self, location: Location) -> str | None:
        """The district of a place: its building's, the one named, or the one around it."""
        building = self._building(location)
        return _district(building, location, self._around(building, location))

    def _building(self, location: Location) -> Building | None:
        return None if location.building is None else self._buildings.get(location.building)

    def _around(self, building: Building | None, location: Location) -> tuple[str | UUID, ...]:
        if building is not None:
            return self._areas_of_building.get(building.id, ())
        return () if location.coordinates is None else self._areas.at(location.coordinates)

    def steps(self, location: Location) -> list[Step]:
        """The rungs of a place, the narrowest first; polygons stand together in one."""
        building = self._building(location)
        around = self._around(building, location)
        steps: list[Step] = []
        if building is not None:
            steps.append((TerritoryKind.BUILDINGS, building.id))
        if (street := location.street if building is None else building.street) is not None:
            steps.append((TerritoryKind.STREET, street))
        if polygons := tuple(area for area in around if isinstance(area, UUID)):
            steps.append((TerritoryKind.POLYGON, polygons))
        if (district := _district(building, location, around)) is not None:
            steps.append((TerritoryKind.DISTRICT, district))
        steps.append(CITY_STEP)
        return steps

    def _matching(self, wanted: Iterable[str], steps: list[Step]) -> Iterator[Rule]:
        for selector in wanted:
            if (rules := self._rules.get(selector)) is None:
                continue
            for step in steps:
                if isinstance(step[1], tuple):
                    yield from of_polygons(rules, step[1])
                else:
                    yield from rules.get(step, ())

    def _elsewhere(self, wanted: tuple[str, ...], asked: set[UUID]) -> tuple[UUID, ...]:
        """Rules of the service for other places, the more specific selector first."""
        found = {
            rule.responsibility.id: None
            for selector in wanted
            for rules in self._rules.get(selector, {}).values()
            for rule in rules
            if rule.responsibility.id not in asked
        }
        return tuple(found)

    def _of_others(self, wanted: tuple[str, ...], steps: list[Step]) -> tuple[UUID, ...]:
        """Rules that hold here for other services, by selector."""
        others = sorted(self._rules.keys() - set(wanted))
        return tuple(
            dict.fromkeys(rule.responsibility.id for rule in self._matching(others, steps))
        )

    def _why_none(
        self, wanted: tuple[str, ...], location: Location, considered: list[Considered]
    ) -> RouteReason:
        if any(each.verdict is Verdict.OUTSIDE_HOURS for each in considered):
            return RouteReason.OUTSIDE_HOURS
        if self._needs_address.isdisjoint(wanted):
            return RouteReason.NO_RESPONSIBILITY
        if location == Location():
            return RouteReason.NO_ADDRESS
        return (
            RouteReason.NO_RESPONSIBILITY
            if self._knows(location)
            else (RouteReason.UNKNOWN_ADDRESS)
        )

    def _knows(self, location: Location) -> bool:
        return (
            (location.building is None or location.building in self._buildings)
            and (location.street is None or location.street in self._streets)
            and (location.district is None or location.district in self._districts)
        )


def _district(
    building: Building | None, location: Location, around: tuple[str | UUID, ...]
) -> str | None:
    if building is not None:
        return building.district
    if location.district is not None:
        return location.district
    return next((area for area in around if isinstance(area, str)), None)
