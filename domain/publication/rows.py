"""What the public is told of one appeal: as much as it shares with enough others told the same.

The appeals of a week of the city are parted into classes. An appeal is told with its service and
its district where at least FEWEST of the week are; of those that remain, with its category and
its district where at least FEWEST are left to be told so; of those that remain then, with its
sphere alone; the rest is not listed at all. So each class holds at least FEWEST appeals that are
told alike, and nobody is the one of whom less is told than of the others.

A place is told where at least FEWEST of a class lie in the same cell (places.py); times by the
week. Texts, names, answers, contacts, flats, attachments and whoever wrote it down are not read at
all (PARTS in api/graphql/public.py). Figures are sums of these classes (figures.py); there the
rest is a number too, so that where it is a few the smallest class is counted with it.

That an appeal exists, in which week, and where it stands is told of each by its number.

k-anonymity of equivalence classes, by generalisation of what is read: Sweeney (2002), Samarati
(2001).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

FEWEST = 5
"""k: so many appeals must share what is told."""
WEEK = timedelta(days=7)


class Detail(IntEnum):
    """How much of an appeal is told, from all that is ever told down to nothing."""

    SERVICE = 3
    CATEGORY = 2
    SPHERE = 1
    NOTHING = 0


TOLD = (Detail.SERVICE, Detail.CATEGORY, Detail.SPHERE)


@dataclass(frozen=True, slots=True)
class Kin:
    """What appeals have in common: `week` is the Monday of the week in which they were registered,
    in the city's time.
    """

    service: str
    category: str
    sphere: str
    district: str | None
    week: date

    def told(self, detail: Detail) -> Mapping[str, str | None]:
        """What is told in such detail, by the names of what appeals are counted by."""
        named: dict[str, str | None] = {}
        if detail >= Detail.SPHERE:
            named["sphere"] = self.sphere
        if detail >= Detail.CATEGORY:
            named |= {"category": self.category, "district": self.district}
        if detail >= Detail.SERVICE:
            named["service"] = self.service
        return named

    def shared(self, detail: Detail) -> tuple[object, ...]:
        """The class of an appeal told in such detail."""
        return (self.week, detail, *sorted(self.told(detail).items()))


class Shared:
    """The classes of a week: `counted` are how many appeals of a kin lie in which cell."""

    def __init__(self, counted: Iterable[tuple[Kin, int | None, int]]) -> None:
        self._kin: Counter[Kin] = Counter()
        cells: Counter[tuple[Kin, int]] = Counter()
        for kin, cell, count in counted:
            self._kin[kin] += count
            if cell is not None:
                cells[kin, cell] += count
        self._details = parted(self._kin)
        self._counted = screened(self._kin, self._details)
        inside: Counter[tuple[object, ...]] = Counter()
        for (kin, cell), count in cells.items():
            inside[kin.shared(self.detail(kin)), cell] += count
        self._crowded = frozenset(place for place, count in inside.items() if count >= FEWEST)

    def __bool__(self) -> bool:
        """Whether there was any."""
        return bool(self._kin)

    def detail(self, kin: Kin) -> Detail:
        """In how much detail an appeal may be told; nothing of what came after the count."""
        return self._details.get(kin, Detail.NOTHING)

    def hides(self, kin: Kin, cell: int) -> bool:
        """Whether enough appeals told like this one lie in the cell."""
        return (kin.shared(self.detail(kin)), cell) in self._crowded

    def counted(self, by: str, where: Mapping[str, str]) -> Counter[str | None]:
        """How many are told of each `by`, among those of which `where` is told; under None those
        that have none or of which it is not told. Each is a sum of whole classes.
        """
        found: Counter[str | None] = Counter()
        for kin, count in self._kin.items():
            told = kin.told(self._counted[kin])
            if all(told.get(name) == value for name, value in where.items()):
                found[told.get(by)] += count
        return found if found.total() >= FEWEST else Counter()


def parted(counts: Mapping[Kin, int]) -> dict[Kin, Detail]:
    """In how much detail each kin of a week is told."""
    left, found = dict(counts), dict.fromkeys(counts, Detail.NOTHING)
    for detail in TOLD:
        sizes: Counter[tuple[object, ...]] = Counter()
        for kin, count in left.items():
            sizes[kin.shared(detail)] += count
        for kin in [each for each in left if sizes[each.shared(detail)] >= FEWEST]:
            found[kin] = detail
            del left[kin]
    return found


def screened(counts: Mapping[Kin, int], details: Mapping[Kin, Detail]) -> dict[Kin, Detail]:
    """In how much detail each kin is counted: where those of whom nothing is told are a few, the
    smallest class is counted with them, or they would be what is left of the total.
    """
    sizes: Counter[tuple[object, ...]] = Counter()
    few = 0
    for kin, count in counts.items():
        if details[kin] is Detail.NOTHING:
            few += count
        else:
            sizes[kin.shared(details[kin])] += count
    if not 0 < few < FEWEST or not sizes:
        return dict(details)
    smallest = min(sizes, key=lambda name: (sizes[name], str(name)))
    return {
        kin: Detail.NOTHING if kin.shared(detail) == smallest else detail
        for kin, detail in details.items()
    }
