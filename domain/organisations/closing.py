"""When nobody works: whether several calendars are closed at one moment of the coming week."""

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from domain.reference import Promises

WINDOW = timedelta(days=7)


class Closing:
    """The hours of a city's calendars in the week from `begin` on. Remembers what it found."""

    __slots__ = ("_begin", "_codes", "_found", "_open", "_promises")

    def __init__(self, promises: Promises, begin: datetime) -> None:
        self._promises, self._begin = promises, begin
        self._codes = frozenset(code for code, _ in promises.calendars)
        self._open = frozenset(code for code in self._codes if self._spans(code))
        self._found: dict[AbstractSet[str], datetime | None] = {}

    def knows(self, calendar: str) -> bool:
        """Whether the city has a calendar of this code."""
        return calendar in self._codes

    def ever_open(self, calendar: str) -> bool:
        """Whether a calendar works at all within the week."""
        return calendar in self._open

    def together(self, calendars: AbstractSet[str]) -> datetime | None:
        """The first moment found at which none of the calendars works; one that is unknown
        never does.
        """
        key = frozenset(calendars)
        if key not in self._found:
            self._found[key] = self._search(key)
        return self._found[key]

    def _search(self, calendars: AbstractSet[str]) -> datetime | None:
        known = {each: self._promises.calendar(each) for each in calendars if self.knows(each)}
        # If all are closed at some moment, all are so when the last of them has just closed.
        moments = {self._begin, *(end for code in known for _, end in self._spans(code))}
        for moment in sorted(moments):
            inside = moment < self._begin + WINDOW
            if inside and not any(each.is_working(moment) for each in known.values()):
                return moment
        return None

    def _spans(self, calendar: str) -> tuple[tuple[datetime, datetime], ...]:
        return self._promises.calendar(calendar).working(self._begin, self._begin + WINDOW)
