"""Where Semey lies: the city, its four districts, and houses along lines that are its streets."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, hypot, radians
from random import Random
from uuid import NAMESPACE_DNS, UUID, uuid5

import shapely
from shapely import affinity

from demo.semey.streets import ROWS, StreetRow
from domain.organisations.model import Building, District, Polygon, Street
from domain.values import Coordinates, LocalizedText

NAMESPACE = uuid5(NAMESPACE_DNS, "semey.ikomek109.example")


def ident(kind: str, code: str) -> UUID:
    """The id of a thing of the demonstration: the same on every machine, for ever."""
    return uuid5(NAMESPACE, f"{kind}:{code}")


@dataclass(frozen=True, slots=True)
class City:
    """A jurisdiction with one 109 register; `polygon` bounds it."""

    id: UUID
    code: str
    kato: str
    names: LocalizedText
    zone: str
    languages: tuple[str, ...]
    numbering: str
    polygon: Polygon


SEMEY = City(
    id=ident("city", "semey"),
    code="semey",
    kato="101010000",
    names={"kk": "Семей қаласы", "ru": "город Семей", "en": "Semey"},
    zone="Asia/Almaty",
    languages=("kk", "ru"),
    numbering="SEM",
    polygon=((80.10, 50.34), (80.36, 50.34), (80.36, 50.48), (80.10, 50.48)),
)

# The Irtysh crosses the city from the south-east to the north-west; banks share its middle.
_RIVER: Polygon = (
    (80.10, 50.450), (80.20, 50.415), (80.26, 50.398), (80.28, 50.3934), (80.36, 50.375),
)  # fmt: skip

DISTRICTS: tuple[District, ...] = (
    District(
        "ertis",
        {"kk": "Ертіс ауданы", "ru": "район Ертис (левый берег)", "en": "Ertis (Left Bank)"},
        (*_RIVER, (80.36, 50.34), (80.10, 50.34)),
    ),
    District(
        "ortalyk",
        {"kk": "Орталық аудан", "ru": "район Орталык (центр)", "en": "Ortalyk (Centre)"},
        (*_RIVER[:4], (80.28, 50.430), (80.10, 50.456)),
    ),
    District(
        "soltustik",
        {"kk": "Солтүстік аудан", "ru": "район Солтустик (север)", "en": "Soltustik (North)"},
        ((80.10, 50.456), (80.28, 50.430), (80.28, 50.48), (80.10, 50.48)),
    ),
    District(
        "shygys",
        {"kk": "Шығыс аудан", "ru": "район Шыгыс (восток)", "en": "Shygys (East)"},
        (*_RIVER[3:], (80.36, 50.48), (80.28, 50.48)),
    ),
)
_DISTRICT_OF = {"I": "ertis", "C": "ortalyk", "N": "soltustik", "E": "shygys"}

# Houses on a street and the part of them that are apartment houses.
_HOUSES = {"a": 116, "m": 72, "p": 52}
_APARTMENTS = {"a": 0.68, "m": 0.42, "p": 0.03}
_OTHER_KINDS = ("school", "kindergarten", "shop", "office", "clinic", "public")
_STOREYS = (2, 3, 4, 5, 5, 5, 5, 5, 9, 9, 9, 10, 12)
_SHORE, _SIDE = 0.004, 0.0003
_TILT = 20.0  # degrees: the streets of Semey run along the river or across it


_KNOWN_HOUSES = {"shakarim-dangyly/12": ("apartments", 9)}
"""Houses that the documents speak of: 'lift stuck, Shakarim 12' needs a lift there."""


@dataclass(frozen=True, slots=True)
class Home:
    """A building with what only the generator needs to know about it."""

    building: Building
    storeys: int


def streets() -> tuple[Street, ...]:
    """Every street of the table."""
    return tuple(
        Street(ident("street", row.code), row.code, {"kk": row.kk, "ru": row.ru, "en": row.en},
               row.aliases)
        for row in ROWS
    )  # fmt: skip


def homes(random: Random) -> tuple[Home, ...]:
    """All buildings, street by street, in the order of their numbers."""
    built: list[Home] = []
    for district in DISTRICTS:
        rows = [row for row in ROWS if _DISTRICT_OF[row.district] == district.code]
        for row, line in zip(rows, _lines(district, len(rows), random), strict=True):
            built.extend(_along(row, district.code, line, random))
    return tuple(built)


def _lines(district: District, count: int, random: Random) -> Iterator[shapely.LineString]:
    """So many streets inside the district: every second along the river, the others across."""
    area = shapely.Polygon(district.polygon).buffer(-_SHORE)
    centre = area.centroid
    flat = affinity.rotate(area, _TILT, origin=centre)
    west, south, east, north = flat.bounds
    for place in range(count):
        share = (place // 2 + 0.5) / ((count + 1) // 2)
        if place % 2:
            x = west + share * (east - west)
            line = shapely.LineString([(x, south), (x, north)])
        else:
            y = south + share * (north - south)
            line = shapely.LineString([(west, y), (east, y)])
        inside = affinity.rotate(line.intersection(flat), -_TILT, origin=centre)
        longest = max(getattr(inside, "geoms", [inside]), key=lambda part: part.length)
        yield _shortened(longest, random)


def _shortened(line: shapely.LineString, random: Random) -> shapely.LineString:
    keep = min(1.0, random.uniform(0.03, 0.06) / line.length)
    start = random.uniform(0, 1 - keep)
    return shapely.LineString(
        [line.interpolate(share, normalized=True) for share in (start, start + keep)]
    )


def _along(
    row: StreetRow, district: str, line: shapely.LineString, random: Random
) -> Iterator[Home]:
    street = ident("street", row.code)
    (x1, y1), (x2, y2) = line.coords[0], line.coords[-1]
    length = hypot(x2 - x1, y2 - y1) or 1.0
    aside = -(y2 - y1) / length * _SIDE, (x2 - x1) / length * _SIDE * cos(radians(50.4))
    numbers = _numbers(_HOUSES[row.make], random)
    for place, number in enumerate(numbers):
        share, side = (place + 0.5) / len(numbers), 1 if place % 2 else -1
        point = Coordinates(
            latitude=round(y1 + share * (y2 - y1) + side * aside[1], 6),
            longitude=round(x1 + share * (x2 - x1) + side * aside[0], 6),
        )
        kind = _kind(row.make, random)
        code = f"{row.code}/{number}"
        storeys = random.choice(_STOREYS) if kind == "apartments" else 1
        kind, storeys = _KNOWN_HOUSES.get(code, (kind, storeys))
        yield Home(
            Building(ident("building", code), street, number, district, point, kind), storeys
        )


def _numbers(count: int, random: Random) -> list[str]:
    """1, 2, 2А, 3, 4, 4/1, … as they stand on real streets."""
    numbers: list[str] = []
    house = 0
    while len(numbers) < count:
        house += 1
        numbers.append(str(house))
        chance = random.random()
        if chance < 0.10:
            numbers.append(f"{house}А" if chance < 0.06 else f"{house}/1")
    return numbers[:count]


def _kind(make: str, random: Random) -> str:
    chance = random.random()
    if chance < _APARTMENTS[make]:
        return "apartments"
    return random.choice(_OTHER_KINDS) if chance > 0.93 else "house"
