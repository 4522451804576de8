"""Which areas a point lies in."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import shapely

from domain.organisations.model import Polygon
from domain.values import Coordinates

Key = TypeVar("Key", bound=Hashable)
Place = TypeVar("Place", bound=Hashable)


class Areas(Generic[Key]):
    """Named polygons behind a spatial index. A point on a border lies in both areas."""

    __slots__ = ("_keys", "_tree")

    def __init__(self, polygons: Iterable[tuple[Key, Polygon]]) -> None:
        listed = list(polygons)
        self._keys = [key for key, _ in listed]
        shapes = [shapely.Polygon(ring) for _, ring in listed]
        shapely.prepare(shapes)
        self._tree = shapely.STRtree(shapes)

    def at(self, point: Coordinates) -> tuple[Key, ...]:
        """The areas that hold the point, in the order in which they were given."""
        if not self._keys:
            return ()
        found = self._tree.query(
            shapely.Point(point.longitude, point.latitude), predicate="intersects"
        )
        return tuple(self._keys[position] for position in sorted(found.tolist()))

    def of_each(self, points: Mapping[Place, Coordinates]) -> dict[Place, tuple[Key, ...]]:
        """The areas of many points at once; points in no area are left out."""
        if not self._keys or not points:
            return {}
        places = list(points)
        lonlat = [(each.longitude, each.latitude) for each in points.values()]
        pairs = self._tree.query(shapely.points(lonlat), predicate="intersects")
        found: dict[Place, list[int]] = defaultdict(list)
        for place, area in zip(*pairs.tolist(), strict=True):
            found[places[place]].append(area)
        return {
            place: tuple(self._keys[area] for area in sorted(areas))
            for place, areas in found.items()
        }


def crosses_itself(ring: Sequence[tuple[float, float]]) -> bool:
    """Whether a ring of three points or more is no border: it crosses itself or holds nothing."""
    shape = shapely.Polygon(ring)
    return not shape.is_valid or shape.area == 0


def touch(one: Polygon, other: Polygon) -> bool:
    """Whether two areas have a point in common."""
    return bool(shapely.Polygon(one).intersects(shapely.Polygon(other)))


_SLIVER = 1e-9
"""Square degrees, about ten square metres: less is a border drawn twice, and no place."""


def leaves_open(area: Polygon, parts: Iterable[Polygon]) -> bool:
    """Whether some place of an area lies in none of the parts."""
    covered = shapely.union_all([shapely.Polygon(each) for each in parts])
    return bool(shapely.Polygon(area).difference(covered).area > _SLIVER)
