"""From what a caller says to a place that the city knows."""

from collections.abc import Mapping
from uuid import UUID

import orjson

from domain.appeals.commands import Whereabouts
from domain.appeals.model import Place
from domain.errors import Invalid
from domain.organisations.model import Location
from domain.reference import Reference

CERTAIN = 90.0
"""How like a known address (of 100) the words must be to be taken for it without asking."""


def locate(where: Whereabouts, reference: Reference) -> Place:
    """The place meant. Raises Invalid for an unknown building or a point outside the city.

    Words that match no place well enough, or two equally well, stay words: the appeal then
    goes to the inspectors, who know the city better than its address list.
    """
    if where.coordinates is not None and not reference.inside(where.coordinates):
        raise Invalid.at("/location/coordinates", "outside-city", city=reference.city.code)
    if where.building is not None:
        building = reference.buildings.get(where.building)
        if building is None:
            raise Invalid.at("/location/building", "unknown-building", value=str(where.building))
        return _known(where, reference, where.apartment)
    if where.address is not None:
        return _from_words(where, where.address, reference)
    return _known(where, reference, where.apartment)


def _from_words(where: Whereabouts, address: str, reference: Reference) -> Place:
    best = reference.addresses.meant(address, CERTAIN)
    if best is None:
        return _known(where, reference, where.apartment)
    found = Whereabouts(
        building=best.building,
        address=address,
        coordinates=where.coordinates,
    )
    apartment = where.apartment or best.apartment
    return _known(found, reference, apartment, street=best.street)


def _known(
    where: Whereabouts, reference: Reference, apartment: str | None, street: UUID | None = None
) -> Place:
    building = reference.buildings.get(where.building) if where.building else None
    coordinates = where.coordinates or (building.coordinates if building else None)
    place = Place(
        building=building.id if building else None,
        street=building.street if building else street,
        address=where.address,
        apartment=apartment,
        coordinates=coordinates,
    )
    district = reference.routing.district_of(location_of(place))
    return Place(
        place.building, place.street, district, place.address, place.apartment, place.coordinates
    )


def location_of(place: Place) -> Location:
    """What routing needs of a place."""
    return Location(
        building=place.building,
        street=place.street,
        district=place.district,
        coordinates=place.coordinates,
    )


def seal_place(place: Place) -> str:
    """The exact place as one text: it can point at a home, so the register takes its hash only."""
    point = place.coordinates
    return orjson.dumps(
        {
            "building": str(place.building) if place.building else None,
            "street": str(place.street) if place.street else None,
            "address": place.address,
            "apartment": place.apartment,
            "latitude": f"{point.latitude:.6f}" if point else None,
            "longitude": f"{point.longitude:.6f}" if point else None,
        },
        option=orjson.OPT_SORT_KEYS,
    ).decode()


def seal_answers(answers: Mapping[str, object]) -> str:
    """The answers to the form as one text; they can name people, so they are sealed too."""
    return orjson.dumps(answers, option=orjson.OPT_SORT_KEYS).decode()
