"""Where the public is told that something is: in a piece of the city that hides who lives there.

A place is told as a cell of H3 (https://h3geo.org), the smallest of three sizes that holds at
least FEWEST buildings of the city's register; where none does, as its district alone. Flats,
addresses and exact points are never told.
"""

from collections import Counter
from collections.abc import Iterable

import h3.api.basic_int as h3

from domain.publication.rows import FEWEST
from domain.values import Coordinates

SIZES = (9, 8, 7)
"""Resolutions from small to large: edges of about 0.2, 0.5 and 1.4 km."""


class Crowd:
    """How many buildings stand in which cell of a city."""

    def __init__(self, buildings: Iterable[Coordinates]) -> None:
        points = tuple(buildings)
        self._counts = {
            size: Counter(h3.latlng_to_cell(p.latitude, p.longitude, size) for p in points)
            for size in SIZES
        }

    def cell(self, point: Coordinates) -> int | None:
        """The smallest cell about a point that holds enough buildings; None where none does."""
        for size in SIZES:
            cell = int(h3.latlng_to_cell(point.latitude, point.longitude, size))
            if self._counts[size][cell] >= FEWEST:
                return cell
        return None


def centre(cell: int) -> Coordinates:
    """The middle of a cell: that of all points in it, and of none in particular."""
    latitude, longitude = h3.cell_to_latlng(cell)
    return Coordinates(round(latitude, 5), round(longitude, 5))


def name(cell: int) -> str:
    """The cell as H3 writes it, in hexadecimal digits."""
    return f"{cell:x}"
