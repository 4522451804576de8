"""End-to-end control (сквозной контроль): what is due, overdue, put off and sent on, and where."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

SOON = 3
"""Days after today within which what is due is due soon."""


class Basis(StrEnum):
    """By which due time: the stricter of what law and city promise, or the law's alone."""

    LEADING = "leading"
    LAW = "law"


class Matter(StrEnum):
    """What a list of the control is asked for."""

    OPEN = "open"
    OVERDUE = "overdue"
    TODAY = "today"
    SOON = "soon"
    PROLONGED = "prolonged"
    REDIRECTED = "redirected"
    HEARING = "hearing"


@dataclass(frozen=True, slots=True)
class Horizon:
    """The moment of asking, and until when today and the days after it last in the city."""

    now: datetime
    today: datetime
    soon: datetime

    @classmethod
    def of(cls, at: datetime, zone: ZoneInfo) -> "Horizon":
        """Days end at midnight of the city's clock."""
        day = at.astimezone(zone).date()
        ends = (
            datetime.combine(day + timedelta(days=ahead), time(0), zone).astimezone(UTC)
            for ahead in (1, 1 + SOON)
        )
        return cls(at, *ends)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of appeals whose promise still binds, and of promises kept in a period.

    `open` are those with a promise that counts, `overdue`, `today` and `soon` parts of them that
    do not overlap; `prolonged`, `redirected` and `hearing` marks on them, which may. `considered`
    were answered within the period for the law, `considered_in_time` in its term; `resolved` and
    `resolved_in_time` the same by the city's standards.
    """

    open: int = 0
    overdue: int = 0
    today: int = 0
    soon: int = 0
    prolonged: int = 0
    redirected: int = 0
    hearing: int = 0
    considered: int = 0
    considered_in_time: int = 0
    resolved: int = 0
    resolved_in_time: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, n) + getattr(other, n) for n in NAMES))


NAMES = tuple(field.name for field in fields(Figures))
NOTHING = Figures()


@dataclass(frozen=True, slots=True)
class Cell:
    """The figures of one organisation in one district; None where there is none."""

    organisation: UUID | None
    district: str | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the city is asked about; None for all of it."""

    organisations: Collection[UUID] | None = None
    districts: Collection[str] | None = None


Key = TypeVar("Key", bound=Hashable)


def roll_up(
    own: Iterable[tuple[Key, Figures]], parents: Mapping[Key, Key | None]
) -> dict[Key, Figures]:
    """For each of a forest its figures with those of all below it. Each is visited as often as
    it stands deep; one whose parent is not of the forest is a root.
    """
    totals: dict[Key, Figures] = dict.fromkeys(parents, NOTHING)
    for key, figures in own:
        seen: set[Key] = set()
        at: Key | None = key
        while at is not None and at not in seen:
            seen.add(at)
            totals[at] = totals.get(at, NOTHING) + figures
            at = parents.get(at)
    return totals


def below(key: Key, parents: Mapping[Key, Key | None]) -> frozenset[Key]:
    """The key and everything under it."""
    children: dict[Key, list[Key]] = {}
    for child, parent in parents.items():
        if parent is not None:
            children.setdefault(parent, []).append(child)
    found, waiting = {key}, [key]
    while waiting:
        fresh = [child for child in children.get(waiting.pop(), ()) if child not in found]
        found.update(fresh)
        waiting.extend(fresh)
    return frozenset(found)
