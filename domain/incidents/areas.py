"""The area of an incident, judged by what the city knows, and the districts that it touches."""

from collections.abc import Iterator

from domain.errors import Fault
from domain.incidents.model import Area
from domain.organisations.areas import crosses_itself, touch
from domain.organisations.model import Polygon
from domain.reference import Reference
from domain.values import Coordinates


def area_faults(area: Area, reference: Reference) -> list[Fault]:
    """Everything that is wrong with an area."""
    if area.empty:
        return [Fault("/area", "area-empty", {})]
    return [
        *(_unknown("buildings", one) for one in area.buildings - reference.buildings.keys()),
        *(_unknown("streets", one) for one in area.streets - reference.streets.keys()),
        *(_unknown("districts", one) for one in area.districts - reference.districts.keys()),
        *(_polygon(area.polygon, reference) if area.polygon is not None else ()),
    ]


def districts_of(area: Area, reference: Reference) -> frozenset[str]:
    """The districts that an area touches."""
    if area.city:
        return frozenset(reference.districts)
    found = set(area.districts)
    found |= {reference.buildings[one].district for one in area.buildings}
    if area.streets:
        of_streets = (b for b in reference.buildings.values() if b.street in area.streets)
        found |= {building.district for building in of_streets}
    if area.polygon is not None:
        found |= {
            district.code
            for district in reference.districts.values()
            if district.polygon is not None and touch(area.polygon, district.polygon)
        }
    return frozenset(found)


_RULES = {
    "buildings": "unknown-building",
    "streets": "unknown-street",
    "districts": "unknown-district",
}


def _unknown(field: str, value: object) -> Fault:
    return Fault(f"/area/{field}", _RULES[field], {"value": str(value)})


def _polygon(ring: Polygon, reference: Reference) -> Iterator[Fault]:
    outside = [one for one in ring if not reference.inside(Coordinates(one[1], one[0]))]
    if outside:
        yield Fault("/area/polygon", "outside-city", {"city": reference.city.code})
    elif len(ring) < 3:
        yield Fault("/area/polygon", "too-short", {})
    elif crosses_itself(ring):
        yield Fault("/area/polygon", "crosses-itself", {})
