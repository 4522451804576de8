"""Routing: which organisation must act on this service at this place at this hour.

The more specific selector wins, then the narrower territory, then the lower
priority number, then the lower id, so that the same appeal always goes the same
way. Nothing is ever sent nowhere: a route without an organisation says why, and
means the inspectors' queue.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
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

IsWorking = Callable[[str, datetime], bool]
"""Whether the calendar with this code is in its working hours at this moment."""

CITY_ZONE = ZoneInfo("Asia/Almaty")


class RouteReason(StrEnum):
    """Why the appeal goes where it goes; the last four mean the inspectors' queue."""

    ASSIGNED = "assigned"
    AFTER_HOURS = "after-hours"
    NO_RESPONSIBILITY = "no-responsibility"
    NO_ADDRESS = "no-address"
    UNKNOWN_ADDRESS = "unknown-address"
    OUTSIDE_HOURS = "outside-hours"


class Verdict(StrEnum):
    """What became of one rule that was looked at."""

    CHOSEN = "chosen"
    CHOSEN_FALLBACK = "chosen-fallback"
    EXPIRED = "expired"
    INACTIVE = "inactive-organisation"
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
class _Rule:
    responsibility: Responsibility
    active: bool
    fallback: UUID | None

    @property
    def order(self) -> tuple[int, UUID]:
        return self.responsibility.priority, self.responsibility.id

    def judge(self, day: date, at: datetime, is_working: IsWorking) -> Verdict:
        if not self.responsibility.in_force(day):
            return Verdict.EXPIRED
        if not self.active:
            return Verdict.INACTIVE
        calendar = self.responsibility.calendar
        if calendar is None or is_working(calendar, at):
            return Verdict.CHOSEN
        return Verdict.OUTSIDE_HOURS if self.fallback is None else Verdict.CHOSEN_FALLBACK


_Rules = tuple[_Rule, ...]
_Step = tuple[TerritoryKind, object]
"""One rung of a place: a kind of territory and which one of that kind."""

_CITY_STEP: _Step = (TerritoryKind.CITY, None)


def selectors(
    service_code: str, category: str, sphere: str, responsible_kind: OrganisationKind | str
) -> tuple[str, ...]:
    """The selectors that match a service, the most specific first."""
    kind = f"kind:{responsible_kind}"
    return (service_code, f"{category}+{kind}", category, f"{sphere}+{kind}", sphere, kind, "*")


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
        self._rules = _index_rules(organisations, drawn, responsibilities)
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
            selector for selector, steps in self._rules.items() if set(steps) != {_CITY_STEP}
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
        day = at.astimezone(self._zone).date()
        considered: list[Considered] = []
        for rule in self._matching(wanted, self._steps(location)):
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

    def _steps(self, location: Location) -> list[_Step]:
        building = self._building(location)
        around = self._around(building, location)
        steps: list[_Step] = []
        if building is not None:
            steps.append((TerritoryKind.BUILDINGS, building.id))
        if (street := location.street if building is None else building.street) is not None:
            steps.append((TerritoryKind.STREET, street))
        if polygons := tuple(area for area in around if isinstance(area, UUID)):
            steps.append((TerritoryKind.POLYGON, polygons))
        if (district := _district(building, location, around)) is not None:
            steps.append((TerritoryKind.DISTRICT, district))
        steps.append(_CITY_STEP)
        return steps

    def _matching(self, wanted: tuple[str, ...], steps: list[_Step]) -> Iterator[_Rule]:
        for selector in wanted:
            if (rules := self._rules.get(selector)) is None:
                continue
            for step in steps:
                if isinstance(step[1], tuple):
                    yield from _of_polygons(rules, step[1])
                else:
                    yield from rules.get(step, ())

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


def _of_polygons(rules: dict[_Step, _Rules], polygons: tuple[UUID, ...]) -> list[_Rule]:
    """Polygons may overlap: their rules compete by priority, not by polygon."""
    found = [rule for each in polygons for rule in rules.get((TerritoryKind.POLYGON, each), ())]
    return sorted(found, key=lambda rule: rule.order) if len(found) > 1 else found


def _index_rules(
    organisations: Iterable[Organisation],
    territories: dict[UUID, Territory],
    responsibilities: Iterable[Responsibility],
) -> dict[str, dict[_Step, _Rules]]:
    active = {each.id: each.active for each in organisations}
    rules: dict[str, dict[_Step, list[_Rule]]] = defaultdict(lambda: defaultdict(list))
    for each in sorted(responsibilities, key=lambda rule: (rule.priority, rule.id)):
        territory = territories.get(each.territory)
        if territory is None or each.organisation not in active:
            continue
        fallback = each.fallback if each.fallback and active.get(each.fallback) else None
        rule = _Rule(each, active[each.organisation], fallback)
        for step in _steps_of(territory):
            rules[each.selector][step].append(rule)
    return {
        selector: {step: tuple(found) for step, found in steps.items()}
        for selector, steps in rules.items()
    }


def _steps_of(territory: Territory) -> list[_Step]:
    kind = territory.kind
    if kind is TerritoryKind.BUILDINGS:
        return [(kind, building) for building in territory.buildings]
    keys: dict[TerritoryKind, object] = {
        TerritoryKind.CITY: None,
        TerritoryKind.DISTRICT: territory.district,
        TerritoryKind.STREET: territory.street,
        TerritoryKind.POLYGON: territory.id,
    }
    return [(kind, keys[kind])]
