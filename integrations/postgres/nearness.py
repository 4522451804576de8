"""Where appeals are wanted, as conditions in SQL."""

from domain.questions import AppealFilter
from integrations.postgres.scope import Parameters

EARTH = 6_371_008.8
"""Metres: the mean radius (IUGG)."""


def within(wanted: AppealFilter, parameters: Parameters) -> list[str]:
    """The conditions of place: a box, and a circle by the great-circle distance (haversine)."""
    found = []
    if (box := wanted.box) is not None:
        south, north = parameters.add(box.south), parameters.add(box.north)
        west, east = parameters.add(box.west), parameters.add(box.east)
        found.append(f"a.latitude BETWEEN {south} AND {north}")
        found.append(f"a.longitude BETWEEN {west} AND {east}")
    if (circle := wanted.circle) is not None:
        y, x = parameters.add(circle.centre.latitude), parameters.add(circle.centre.longitude)
        # A degree of latitude is longer than this everywhere: what is farther is not near.
        near = parameters.add(circle.metres / 110_000)
        found.append(f"abs(a.latitude - {y}) <= {near}")
        half = f"power(sin(radians(a.latitude - {y}) / 2), 2) + cos(radians({y}))"
        half += f" * cos(radians(a.latitude)) * power(sin(radians(a.longitude - {x}) / 2), 2)"
        metres = parameters.add(circle.metres)
        found.append(f"2 * {EARTH} * asin(least(1, sqrt({half}))) <= {metres}")
    return found
