"""A city comes into being, or its sheet is mended: all of it, or nothing and every reason why."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import NAMESPACE_DNS, UUID, uuid5
from zoneinfo import available_timezones

from domain.catalogue.fields import DEMANDED
from domain.catalogue.problems import Problem, Spot
from domain.organisations.fields import Fields
from domain.organisations.model import Polygon
from domain.reference import City
from domain.values import Language

FIELDS = ("code", "kato", "names", "zone", "languages", "prefix", "bounds")
KATO = re.compile(r"[0-9]{9}")
"""A code of the national classifier of places (НК РК 11)."""
PREFIX = re.compile(r"[A-Z]{2,6}")
KAZAKHSTAN = (46.0, 40.0, 88.0, 56.0)
"""West, south, east, north of a box around the country: longitudes and latitudes that were
taken for each other lie outside."""


@dataclass(frozen=True, slots=True)
class CityDraft:
    """A sound city that is not written yet, with the ring that bounds it."""

    city: City
    bounds: Polygon


@dataclass(frozen=True, slots=True)
class Standing:
    """The cities of the register by code, and the codes of those that have appeals."""

    cities: Mapping[str, City] = field(default_factory=dict)
    numbered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CityReading:
    """What came of a sheet: a draft, or (never both) every problem that stood against it."""

    draft: CityDraft | None
    problems: tuple[Problem, ...]


def city_id(code: str) -> UUID:
    """The id of a new city: the same at each attempt."""
    return uuid5(NAMESPACE_DNS, f"{code}.cities.ikomek109")


def read(spot: Spot, content: object, standing: Standing) -> CityReading:
    """The city of a decoded sheet. One that stands under the code keeps its id."""
    problems: list[Problem] = []
    row = Fields(spot, content, FIELDS, problems)
    code = row.code("code")
    former = standing.cities.get(code)
    city = City(
        id=former.id if former else city_id(code),
        code=code,
        kato=_kato(row),
        names=row.names(),
        zone=_zone(row),
        languages=_languages(row),
        prefix=_prefix(row, code, standing),
    )
    bounds = _bounds(row)
    if problems:
        return CityReading(None, tuple(sorted(problems, key=lambda each: (each.line, each.field))))
    return CityReading(CityDraft(city, bounds), ())


def write(draft: CityDraft) -> dict[str, object]:
    """The city as plain data that `read` takes back."""
    city = draft.city
    return {
        "code": city.code,
        "kato": city.kato,
        "names": dict(city.names),
        "zone": city.zone,
        "languages": list(city.languages),
        "prefix": city.prefix,
        "bounds": [list(point) for point in draft.bounds],
    }


def _kato(row: Fields) -> str:
    value = row.get("kato")
    # YAML reads nine digits without quotes as a number.
    kato = str(value) if type(value) is int else row.text("kato")
    if kato and not KATO.fullmatch(kato):
        row.refuse("kato", "bad-kato", value=kato)
    return kato


def _zone(row: Fields) -> str:
    zone = row.text("zone")
    if zone and zone not in available_timezones():
        row.refuse("zone", "unknown-zone", value=zone)
    return zone


def _languages(row: Fields) -> tuple[str, ...]:
    """Those that the city answers in: Kazakh and Russian by law, English by choice."""
    if row.get("languages") is None:
        row.refuse("languages", "required")
        return ()
    languages = row.listed_texts("languages")
    for each in languages:
        if each not in set(Language):
            row.refuse("languages", "unknown", value=each)
    for each in DEMANDED:
        if languages and each not in languages:
            row.refuse("languages", "missing-language", language=each.value)
    return languages


def _prefix(row: Fields, code: str, standing: Standing) -> str:
    """Numbers that residents hold begin with it, so it is nobody else's and stays."""
    prefix, former = row.text("prefix"), standing.cities.get(code)
    if prefix and not PREFIX.fullmatch(prefix):
        row.refuse("prefix", "bad-prefix", value=prefix)
    for other in standing.cities.values():
        if other.code != code and other.prefix == prefix:
            row.refuse("prefix", "taken", value=prefix, owner=other.code)
    if former and former.prefix != prefix and code in standing.numbered:
        row.refuse("prefix", "in-use", value=former.prefix)
    return prefix


def _bounds(row: Fields) -> Polygon:
    bounds = row.polygon("bounds")
    west, south, east, north = KAZAKHSTAN
    for place, (longitude, latitude) in enumerate(bounds):
        if not (west <= longitude <= east and south <= latitude <= north):
            row.refuse(f"bounds.{place}", "not-in-kazakhstan", value=f"{longitude}, {latitude}")
    return bounds
