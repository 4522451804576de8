"""Every place of a city as one bit, so that territories can be compared as whole numbers.

Places are all buildings, and one for each way of knowing less: a street without a house, a
district, a point somewhere in a polygon, and nothing at all. Which territory holds which place is
asked of the routing itself, so the two cannot disagree.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from domain.organisations.findings import Area, AreaKind
from domain.organisations.model import Building, Location, Territory, TerritoryKind
from domain.organisations.routing import RoutingIndex
from domain.organisations.rules import CITY_STEP, Step, steps_of

Mask = int
"""A set of places: bit n is the n-th place."""


class Terrain:
    """The places of a city. Immutable once built."""

    __slots__ = ("_bare_streets", "_districts", "_grounds", "_named", "_places", "_steps",
                 "_streets", "buildings", "everywhere", "judged")  # fmt: skip

    def __init__(
        self, routing: RoutingIndex, buildings: Mapping[UUID, Building],
        streets: Mapping[UUID, str], districts: Iterable[str],
    ) -> None:  # fmt: skip
        """`streets` by id with their codes; `districts` are codes."""
        self._places = tuple(buildings)
        codes = tuple(districts)
        polygons = [each.id for each in routing.territories.values() if each.polygon is not None]
        located = [
            *(routing.steps(Location(building=each)) for each in self._places),
            *(routing.steps(Location(street=each)) for each in streets),
            *(routing.steps(Location(district=each)) for each in codes),
            # A point of one polygon may lie outside of all else.
            *([(TerritoryKind.POLYGON, (each,)), CITY_STEP] for each in polygons),
            [CITY_STEP],
        ]
        self._steps = _masks(located)
        self.buildings: Mask = (1 << len(self._places)) - 1
        self.everywhere: Mask = (1 << len(located)) - 1
        # A city without an address list is judged by what it does without an address.
        self.judged: Mask = self.buildings or self.everywhere
        first = len(self._places)
        self._bare_streets = {code: first + n for n, code in enumerate(streets.values())}
        self._grounds = {code: first + len(streets) + n for n, code in enumerate(codes)}
        self._districts = {each: self._step(TerritoryKind.DISTRICT, each) for each in codes}
        self._streets = {code: self._step(TerritoryKind.STREET, id) for id, code in streets.items()}
        self._named = {
            self.of(each) & self.buildings: each.code for each in routing.territories.values()
        }

    def of(self, territory: Territory) -> Mask:
        """The places of a territory."""
        mask = 0
        for step in steps_of(territory):
            mask |= self._steps.get(step, 0)
        return mask

    def houses(self, mask: Mask) -> tuple[UUID, ...]:
        """The buildings of a set."""
        return tuple(self._places[place] for place in _bits(mask & self.buildings))

    def districts(self, mask: Mask) -> tuple[str, ...]:
        """The districts that a set touches."""
        return tuple(code for code, inside in self._districts.items() if mask & inside)

    def streets(self, mask: Mask) -> tuple[str, ...]:
        """The streets that a set holds without a house."""
        return tuple(code for code, place in self._bare_streets.items() if mask >> place & 1)

    def grounds(self, mask: Mask) -> tuple[str, ...]:
        """The districts that a set holds outside of every polygon."""
        return tuple(code for code, place in self._grounds.items() if mask >> place & 1)

    def areas(self, mask: Mask) -> list[Area]:
        """A set of buildings as the fewest areas that have a name: the city, whole districts,
        and what is left of each other district.
        """
        if mask == self.judged:
            return [self._area(AreaKind.CITY, "", mask)]
        found, rest = [], mask
        for inside in (each & self.buildings for each in self._districts.values()):
            if part := rest & inside:
                found.append(self._named_area(part))
                rest &= ~inside
        return [*found, self._named_area(rest)] if rest else found

    def _named_area(self, mask: Mask) -> Area:
        for kind, masks in (
            (AreaKind.DISTRICT, self._districts),
            (AreaKind.STREET, self._streets),
        ):
            for code, inside in masks.items():
                if inside & self.buildings == mask:
                    return self._area(kind, code, mask)
        if (code_ := self._named.get(mask)) is not None:
            return self._area(AreaKind.TERRITORY, code_, mask)
        return self._area(AreaKind.BUILDINGS, "", mask)

    def _area(self, kind: AreaKind, code: str, mask: Mask) -> Area:
        return Area(kind, code, self.districts(mask), self.houses(mask))

    def _step(self, kind: TerritoryKind, key: object) -> Mask:
        return self._steps.get((kind, key), 0)


def _masks(located: list[list[Step]]) -> dict[Step, Mask]:
    """Which places each step leads to."""
    places: dict[Step, list[int]] = defaultdict(list)
    for place, steps in enumerate(located):
        for kind, key in steps:
            for one in key if isinstance(key, tuple) else (key,):
                places[kind, one].append(place)
    return {step: _mask(found, len(located)) for step, found in places.items()}


def _mask(places: Iterable[int], size: int) -> Mask:
    # Bits set in bytes: shifting a large number once for each of them would be quadratic.
    raw = bytearray(size // 8 + 1)
    for place in places:
        raw[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(raw, "little")


def _bits(mask: Mask) -> list[int]:
    raw = mask.to_bytes(mask.bit_length() // 8 + 1, "little")
    return [
        place * 8 + bit
        for place, byte in enumerate(raw)
        if byte
        for bit in range(8)
        if byte >> bit & 1
    ]
