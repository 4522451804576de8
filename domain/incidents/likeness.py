"""Which appeals may be about one problem: near in place and time, and alike in words.

Place is judged by cells of H3, a hexagonal grid of the Earth (https://h3geo.org): two points
are near when they lie in one cell or in neighbouring ones. The grid is arithmetic alone.
"""

import h3

from domain.values import Coordinates

RESOLUTION = 10
"""Cells of about 76 m to the edge: a yard and the houses around it."""


def cell_of(point: Coordinates) -> int:
    """The cell of a point."""
    return int(h3.str_to_int(h3.latlng_to_cell(point.latitude, point.longitude, RESOLUTION)))


def around(cell: int) -> tuple[int, ...]:
    """A cell and its neighbours."""
    return tuple(h3.str_to_int(one) for one in h3.grid_disk(h3.int_to_str(cell), 1))
