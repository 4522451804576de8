"""The city's address list comes in: all of it, or nothing and every reason why.

What the city has and the files leave out stays: appeals and territories refer to it.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TypeVar
from uuid import UUID, uuid5

from domain.catalogue.fields import DEMANDED
from domain.catalogue.problems import Problem, Spot
from domain.control.model import below
from domain.organisations.areas import Areas, touch
from domain.organisations.exchange import Row
from domain.organisations.fields import Fields
from domain.organisations.model import Building, District, Polygon, Street
from domain.organisations.spelling import house_number
from domain.values import Coordinates

FIELDS = {
    "districts": ("code", "names", "polygon", "parent"),
    "streets": ("code", "names", "aliases"),
    "buildings": ("street", "number", "district", "latitude", "longitude", "kind"),
}
PARTS = tuple(FIELDS)
MAX_NUMBER = 30

Place = TypeVar("Place", District, Street, Building)
Placed = list[tuple[Spot, Place]]


@dataclass(frozen=True, slots=True)
class AddressList:
    """Districts, streets and buildings of a city."""

    districts: tuple[District, ...] = ()
    streets: tuple[Street, ...] = ()
    buildings: tuple[Building, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What the city already has. `namespace` makes the ids of new entries from their codes."""

    namespace: UUID
    bounds: Polygon
    standing: AddressList = AddressList()


@dataclass(frozen=True, slots=True)
class Rows:
    """The decoded entries, in the order of their files; None: the part was not handed in."""

    districts: Sequence[Row] | None = None
    streets: Sequence[Row] | None = None
    buildings: Sequence[Row] | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """What an import does to a part; `missing` is no longer in the file and stays."""

    added: int
    changed: int
    unchanged: int
    missing: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A sound import that is not in force yet: what is new or differs, and how much it is.

    `counts` has an entry for each part that was handed in.
    """

    fresh: AddressList
    counts: Mapping[str, Count]


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of an import: a draft, or (never both) every problem that stood against it."""

    draft: Draft | None
    problems: tuple[Problem, ...]


def read(rows: Rows, known: Known, problems: Iterable[Problem] = ()) -> Reading:
    """The draft of an import, or all its problems; `problems` are those met while decoding."""
    intake = _Intake(known, rows, list(problems))
    districts = intake.districts(rows.districts or ())
    streets = intake.streets(rows.streets or ())
    buildings = intake.buildings(rows.buildings or ())
    if intake.problems:
        ordered = sorted(intake.problems, key=lambda each: (each.file, each.line, each.field))
        return Reading(None, tuple(ordered))
    had, counts = known.standing, {}
    new_districts, counts["districts"] = _compared(districts, had.districts, lambda d: d.code)
    new_streets, counts["streets"] = _compared(streets, had.streets, lambda s: s.id)
    new_buildings, counts["buildings"] = _compared(buildings, had.buildings, lambda b: b.id)
    given = {part: count for part, count in counts.items() if getattr(rows, part) is not None}
    return Reading(Draft(AddressList(new_districts, new_streets, new_buildings), given), ())


def write(addresses: AddressList) -> dict[str, list[dict[str, object]]]:
    """The address list as plain data by part; `read` takes it back and finds nothing changed.

    Raises KeyError when a building stands on a street that the list does not hold.
    """
    codes = {each.id: each.code for each in addresses.streets}
    return {
        "districts": [
            _district(each) for each in addresses.districts
        ],
        "streets": [
            {"code": s.code, "names": dict(s.names), "aliases": list(s.aliases)}
            for s in addresses.streets
        ],
        "buildings": [
            {"street": codes[b.street], "number": b.number, "district": b.district,
             "latitude": b.coordinates.latitude, "longitude": b.coordinates.longitude,
             "kind": b.kind}
            for b in addresses.buildings
        ],
    }  # fmt: skip


def _district(district: District) -> dict[str, object]:
    row: dict[str, object] = {"code": district.code, "names": dict(district.names)}
    if district.polygon:
        row["polygon"] = [list(point) for point in district.polygon]
    if district.parent:
        row["parent"] = district.parent
    return row


class _Intake:
    """Reads entries against what is known and what comes along, and gathers problems."""

    def __init__(self, known: Known, rows: Rows, problems: list[Problem]) -> None:
        self.known, self.problems = known, problems
        self._folded = cache(house_number)
        self._streets = {each.code: each.id for each in known.standing.streets}
        for code in _codes(rows.streets):
            self._streets.setdefault(code, uuid5(known.namespace, f"street:{code}"))
        self._districts = {each.code for each in known.standing.districts}
        self._districts |= _codes(rows.districts)
        self._houses = {
            (each.street, self._folded(each.number)): each.id for each in known.standing.buildings
        }

    def districts(self, rows: Iterable[Row]) -> Placed[District]:
        found: Placed[District] = []
        for spot, row in self._entries("districts", rows):
            border = None if row.get("polygon") is None else row.polygon("polygon")
            parent = None if row.get("parent") is None else row.listed("parent", self._districts)
            each = District(row.code("code"), row.names(), border, parent)
            if row.sound and border and not touch(border, self.known.bounds):
                row.refuse("polygon", "outside-city", value=str(border[0]))
            found += [(spot, each)] if row.sound else []
        self._refuse_doubles(found, lambda each: each.code)
        self._refuse_circles(found)
        return found

    def streets(self, rows: Iterable[Row]) -> Placed[Street]:
        found: Placed[Street] = []
        for spot, row in self._entries("streets", rows):
            code, names = row.code("code"), row.names(DEMANDED)
            aliases = row.listed_texts("aliases")
            if row.sound:
                found.append((spot, Street(self._streets[code], code, names, aliases)))
        self._refuse_doubles(found, lambda each: each.code)
        return found

    def buildings(self, rows: Iterable[Row]) -> Placed[Building]:
        found: Placed[Building] = []
        for spot, row in self._entries("buildings", rows):
            street, number = row.reference("street", self._streets), row.text("number")
            if len(number) > MAX_NUMBER:
                row.refuse("number", "too-long", limit=MAX_NUMBER, length=len(number))
            district = row.listed("district", self._districts)
            point = Coordinates(row.degrees("latitude", 90), row.degrees("longitude", 180))
            kind = row.code("kind")
            if row.sound:
                identity = self._identity(street, row.text("street"), number)
                found.append((spot, Building(identity, street, number, district, point, kind)))
        self._refuse_outsiders(found)
        self._refuse_same_houses(found)
        return found

    def _identity(self, street: UUID, code: str, number: str) -> UUID:
        """Known under whatever spelling of its number, else made from it."""
        folded = self._folded(number)
        derived = self._houses.get((street, folded))
        return derived or uuid5(self.known.namespace, f"building:{code}/{folded}")

    def _entries(self, part: str, rows: Iterable[Row]) -> Iterable[tuple[Spot, Fields]]:
        for spot, content in rows:
            yield spot, Fields(spot, content, FIELDS[part], self.problems)

    def _refuse_outsiders(self, found: Placed[Building]) -> None:
        city = Areas([("city", self.known.bounds)])
        inside = city.of_each({n: each.coordinates for n, (_, each) in enumerate(found)})
        for place, (spot, each) in enumerate(found):
            if place not in inside:
                point = f"{each.coordinates.latitude}, {each.coordinates.longitude}"
                self.problems.append(spot.at("latitude").problem("outside-city", value=point))

    def _refuse_same_houses(self, found: Placed[Building]) -> None:
        """12А and 12 а are one house: an address could mean only one of the two rows."""
        for group in _alike(found, lambda each: each.id):
            for spot, each in group:
                others = [other.number for _, other in group if other.number != each.number]
                problem = (
                    spot.at("number").problem("same-house", value=each.number, other=others[0])
                    if others
                    else spot.at("number").problem("duplicate", value=each.number)
                )
                self.problems.append(problem)

    def _refuse_circles(self, found: Placed[District]) -> None:
        """Whoever sees a district sees what lies in it: in a circle each would see all."""
        parents = {each.code: each.parent for each in self.known.standing.districts}
        parents |= {each.code: each.parent for _, each in found}
        for spot, each in found:
            if each.parent is not None and each.parent in below(each.code, parents):
                self.problems.append(spot.at("parent").problem("district-cycle"))

    def _refuse_doubles(self, found: Placed[Place], key: Callable[[Place], str]) -> None:
        for spot, each in chain.from_iterable(_alike(found, key)):
            self.problems.append(spot.at("code").problem("duplicate", value=key(each)))


def _alike(
    found: Placed[Place], key: Callable[[Place], Hashable]
) -> Iterable[list[tuple[Spot, Place]]]:
    """The groups of two and more entries that stand for the same thing."""
    groups: dict[Hashable, list[tuple[Spot, Place]]] = defaultdict(list)
    for spot, each in found:
        groups[key(each)].append((spot, each))
    return [group for group in groups.values() if len(group) > 1]


def _codes(rows: Sequence[Row] | None) -> set[str]:
    """The codes that come along; what is wrong with them is told when the entry is read."""
    contents = (content for _, content in rows or () if isinstance(content, Mapping))
    return {str(content["code"]).strip() for content in contents if content.get("code")}


def _compared(
    found: Placed[Place], standing: Sequence[Place], key: Callable[[Place], Hashable]
) -> tuple[tuple[Place, ...], Count]:
    """What is new or differs from what stands, and how much of each."""
    former = {key(each): each for each in standing}
    fresh = tuple(each for _, each in found if former.get(key(each)) != each)
    changed = sum(key(each) in former for each in fresh)
    kept = len(found) - len(fresh)
    missing = len(former) - changed - kept
    return fresh, Count(len(fresh) - changed, changed, kept, missing)
