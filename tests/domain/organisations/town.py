"""A town of six houses whose routing is made of whatever rules a test names."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from domain.catalogue.model import Catalogue, Category, Criticality, Service, Sphere
from domain.organisations.checks import check
from domain.organisations.findings import Finding, Lack
from domain.organisations.model import (
    Building,
    District,
    Organisation,
    OrganisationKind,
    Responsibility,
    Street,
    Territory,
    TerritoryKind,
)
from domain.organisations.routing import RoutingIndex
from domain.reference import Promises, Reference
from domain.sla.calendar import parse_calendar
from domain.values import Coordinates
from tests.domain.appeals import make

NOON = datetime(2026, 3, 4, 7, 0, tzinfo=UTC)  # a Wednesday, 12:00 in Almaty
NAMES = {"kk": "x", "ru": "x", "en": "x"}
WEST = ((80.0, 50.0), (80.5, 50.0), (80.5, 51.0), (80.0, 51.0))
EAST = ((80.5, 50.0), (81.0, 50.0), (81.0, 51.0), (80.5, 51.0))
YARD = ((80.1, 50.1), (80.3, 50.1), (80.3, 50.3), (80.1, 50.3))
DISTRICTS = [District("west", NAMES, WEST), District("east", NAMES, EAST)]


def ident(number: int) -> UUID:
    return UUID(int=number)


STREETS = [Street(ident(900), "shakarim", NAMES, ()), Street(ident(901), "abai", NAMES, ())]
BUILDINGS = [
    Building(ident(500 + n), ident(900 + n % 2), str(n), "west" if n < 4 else "east",
             Coordinates(50.2, 80.15 + n * 0.1), "apartments")
    for n in range(6)
]  # fmt: skip
HOUSES = [each.id for each in BUILDINGS]


def area(number: int, kind: str, **parts: Any) -> Territory:
    return Territory(ident(number), f"t-{number}", NAMES, TerritoryKind(kind), **parts)


TERRITORIES = [
    area(1, "city"),
    area(2, "district", district="west"),
    area(3, "polygon", polygon=YARD),
    area(4, "street", street=ident(900)),
    area(5, "buildings", buildings=frozenset(HOUSES[:1])),
    area(6, "buildings", buildings=frozenset(HOUSES[1:3])),
    area(7, "polygon", polygon=WEST),
    area(8, "district", district="east"),
]
_HOURS = {"days": "09:00-18:00", "nights": "18:00-24:00", "mornings": "00:00-09:00"}


@cache
def promises() -> Promises:
    """Three calendars that share the day between them, one without a break, one without an hour."""
    rows: list[dict[str, Any]] = [
        {"code": code, "hours": {"mon-sun": [hours]}} for code, hours in _HOURS.items()
    ]
    rows += [{"code": "always", "around_the_clock": True}]
    parsed = [parse_calendar(row, version=1, zone="Asia/Almaty", years=[2026]) for row in rows]
    never = replace(parsed[0], code="never", week=((),) * 7)
    return Promises({}, {(each.code, 1): each for each in (*parsed, never)}, {})


def service(code: str, kind: str, **parts: Any) -> Service:
    sphere, category = code.split(".")[0], code.rpartition(".")[0]
    return Service(
        code, 1, category, sphere, NAMES, None, Criticality.NORMAL, "p", kind, True, {}, None,
        None, parts.get("valid_from", date(2026, 1, 1)), parts.get("valid_to"),
    )  # fmt: skip


SERVICES = [
    service("lifts.emergency.trapped", "lift-company"),
    service("lifts.emergency.noise", "housing"),
    service("roads.surface.pit", "city-department"),
]


def firm(number: int, **parts: Any) -> Organisation:
    given: dict[str, Any] = {
        "contacts": {"phone": "+7 7222 10 10 10"}, "calendar": "always", "district": None,
        "active": True,
    }  # fmt: skip
    return Organisation(
        ident(number), f"org-{number}", None, OrganisationKind.UTILITY, NAMES, **{**given, **parts}
    )


FIRMS = [firm(number) for number in range(10, 15)]


def rule(number: int, selector: str, where: int, who: int, **parts: Any) -> Responsibility:
    return Responsibility(ident(number), selector, ident(where), ident(who), **parts)


def town(
    *rules: Responsibility,
    firms: Iterable[Organisation] = FIRMS,
    services: Iterable[Service] = SERVICES,
    territories: Iterable[Territory] = TERRITORIES,
    buildings: Iterable[Building] = BUILDINGS,
) -> Reference:
    """The town under these rules."""
    listed, homes = tuple(firms), tuple(buildings)
    catalogue = Catalogue.ordered(
        [Sphere("lifts", NAMES, 1), Sphere("roads", NAMES, 2)],
        [Category(f"{sphere}.{slug}", sphere, NAMES, 1)
         for sphere, slug in (("lifts", "emergency"), ("roads", "surface"))],
        services,
    )  # fmt: skip
    return replace(
        make.reference(),
        catalogue=catalogue,
        promises=promises(),
        organisations={each.id: each for each in listed},
        districts={each.code: each for each in DISTRICTS},
        streets={each.id: each for each in STREETS},
        buildings={each.id: each for each in homes},
        routing=RoutingIndex(
            organisations=listed, districts=DISTRICTS, streets=STREETS, buildings=homes,
            territories=territories, responsibilities=rules,
        ),
    )  # fmt: skip


def found(reference: Reference, lack: Lack | None = None) -> list[Finding]:
    """The findings of a town, of one kind only if it is named."""
    return [each for each in check(reference, NOON) if lack in (None, each.lack)]
