"""Which appeals may be about one problem: near in place and time, and alike in words.

Place is judged by cells of H3, a hexagonal grid of the Earth (https://h3geo.org): two points
are near when they lie in one cell or in neighbouring ones. The grid is arithmetic alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import h3.api.basic_int as h3
from rapidfuzz import fuzz
from rapidfuzz.utils import default_process

from domain.catalogue.model import Criticality
from domain.values import Coordinates

RESOLUTION = 10
"""Cells of about 76 m to the edge: a yard and the houses around it."""


def cell_of(point: Coordinates) -> int:
    """The cell of a point."""
    return int(h3.latlng_to_cell(point.latitude, point.longitude, RESOLUTION))


def around(cell: int) -> tuple[int, ...]:
    """A cell and its neighbours."""
    return tuple(h3.grid_disk(cell, 1))


WINDOWS: Mapping[Criticality, timedelta] = {
    Criticality.EMERGENCY: timedelta(hours=3),
    Criticality.HIGH: timedelta(hours=24),
    Criticality.NORMAL: timedelta(hours=72),
    Criticality.LOW: timedelta(hours=72),
}
"""How far apart two appeals about one problem may come: what harms sooner is told sooner."""

LONGEST = max(WINDOWS.values())

ALIKE = 70.0
"""How alike the words of appeals about neighbouring services must be (of 100)."""

_SAME_SERVICE, _SAME_CATEGORY, _SAME_CELL, _WORDS = 60.0, 40.0, 20.0, 0.2


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is compared of an appeal."""

    id: UUID
    number: str
    service: str
    category: str
    criticality: Criticality
    cell: int
    registered_at: datetime
    text: str = ""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two appeals are: of 100 in all, and of 100 in their words."""

    score: float
    words: float


def words_alike(one: str, other: str) -> float:
    """How alike two texts are (of 100), whatever the order of their words and their case."""
    return fuzz.token_set_ratio(one, other, processor=default_process)


def alike(one: Sighting, other: Sighting) -> Likeness | None:
    """How likely it is that two appeals are about one problem; None where it is not.

    Place and time decide, and the service; words support it. Of neighbouring services of one
    category the words must be alike as well.
    """
    if not (near(one.cell, other.cell) and _near_in_time(one, other)):
        return None
    words = words_alike(one.text, other.text)
    if one.service == other.service:
        base = _SAME_SERVICE
    elif one.category == other.category and words >= ALIKE:
        base = _SAME_CATEGORY
    else:
        return None
    same_cell = _SAME_CELL if one.cell == other.cell else 0.0
    return Likeness(round(base + same_cell + _WORDS * words, 1), round(words, 1))


def near(one: int, other: int) -> bool:
    """Whether two cells are one, or neighbours."""
    return one == other or other in around(one)


def _near_in_time(one: Sighting, other: Sighting) -> bool:
    # Of two criticalities the calmer one waits longer to be told.
    window = max(WINDOWS[one.criticality], WINDOWS[other.criticality])
    return abs(one.registered_at - other.registered_at) <= window


@dataclass(slots=True)
class _Run:
    """Appeals about one service in one cell that came one soon after another."""

    members: list[Sighting]

    @property
    def window(self) -> timedelta:
        return WINDOWS[self.members[0].criticality]

    def reaches(self, other: "_Run") -> bool:
        gap = max(
            other.members[0].registered_at - self.members[-1].registered_at,
            self.members[0].registered_at - other.members[-1].registered_at,
        )
        return gap <= self.window


def clusters(sightings: Iterable[Sighting], at_least: int) -> list[tuple[Sighting, ...]]:
    """Appeals that may be about one problem each, the largest group first, members by time.

    A group is a chain: every member is near one that came before it, in place and time, and
    about the same service, so that an outage of a whole district is one. Work grows with the
    number of appeals, not with its square.
    """
    runs = _runs(sightings)
    groups = [_members(group) for group in _chained(runs)]
    large = [group for group in groups if len(group) >= at_least]
    return sorted(large, key=lambda group: (-len(group), group[0].registered_at, group[0].id))


_Place = tuple[str, int]


def _runs(sightings: Iterable[Sighting]) -> dict[_Place, list[_Run]]:
    found: dict[_Place, list[_Run]] = {}
    for one in sorted(sightings, key=lambda one: (one.registered_at, one.id)):
        runs = found.setdefault((one.service, one.cell), [])
        if runs and one.registered_at - runs[-1].members[-1].registered_at <= runs[-1].window:
            runs[-1].members.append(one)
        else:
            runs.append(_Run([one]))
    return found


def _chained(runs: Mapping[_Place, list[_Run]]) -> Iterator[list[_Run]]:
    """Runs that reach one another over the borders of cells."""
    waiting = {id(run): (place, run) for place, listed in runs.items() for run in listed}
    while waiting:
        _, (place, run) = waiting.popitem()
        group, edge = [run], [(place, run)]
        while edge:
            (service, cell), reached = edge.pop()
            for neighbour in around(cell):
                for other in runs.get((service, neighbour), ()):
                    if id(other) in waiting and reached.reaches(other):
                        edge.append(waiting.pop(id(other)))
                        group.append(other)
        yield group


def _members(group: list[_Run]) -> tuple[Sighting, ...]:
    members = (one for run in group for one in run.members)
    return tuple(sorted(members, key=lambda one: (one.registered_at, one.id)))
