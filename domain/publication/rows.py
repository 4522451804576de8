"""What the public is told of one appeal: as much as it shares with enough others.

An appeal is told with its service where at least FEWEST were registered about that service in its
district in its week; else with its category, where so many share that; else with its sphere and
without its district; else it is not listed at all. Its place is told by places.py, its times by
the day. Texts, names, answers, contacts, flats, attachments and whoever wrote it down are not
read at all (PARTS in api/graphql/public.py).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from domain.publication.figures import FEWEST


class Detail(IntEnum):
    """How much of an appeal is told, from all that is ever told down to nothing."""

    SERVICE = 3
    CATEGORY = 2
    SPHERE = 1
    NOTHING = 0


@dataclass(frozen=True, slots=True)
class Kin:
    """What appeals have in common: `day` is that of registration in the city's time."""

    service: str
    category: str
    sphere: str
    district: str | None
    day: date

    def shared(self, detail: Detail) -> tuple[object, ...]:
        """What an appeal told in such detail shares with others."""
        year, week, _ = self.day.isocalendar()
        match detail:
            case Detail.SERVICE:
                return (detail, self.service, self.district, year, week)
            case Detail.CATEGORY:
                return (detail, self.category, self.district, year, week)
            case Detail.SPHERE:
                return (detail, self.sphere, year, week)
            case Detail.NOTHING:
                return (detail,)


TOLD = (Detail.SERVICE, Detail.CATEGORY, Detail.SPHERE)


class Shared:
    """How many appeals share what, over whole weeks."""

    def __init__(self, counted: Iterable[tuple[Kin, int]]) -> None:
        self._counts: Counter[tuple[object, ...]] = Counter()
        for kin, count in counted:
            for detail in TOLD:
                self._counts[kin.shared(detail)] += count

    def detail(self, kin: Kin) -> Detail:
        """In how much detail an appeal may be told."""
        for detail in TOLD:
            if self._counts[kin.shared(detail)] >= FEWEST:
                return detail
        return Detail.NOTHING
