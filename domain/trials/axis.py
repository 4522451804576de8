"""A calendar as an axis of working time, on which a promise is plain addition, a million at once.

W(t) is the working time from the axis' beginning until t. Then `start + target` in working time
is the moment of W(start) + target, and what was spent between two instants is W(end) - W(start).
Instants and amounts are arrays of whole microseconds (int64, instants since 1970-01-01T00:00Z).
"""

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from domain.sla.calendar import Calendar
from domain.sla.timeline import instant, micros

Micros = NDArray[np.int64]
_MICROSECOND = timedelta(microseconds=1)


class Axis:
    """The working time of a calendar from the year `first` to the year `last`, both whole.

    What lies beyond is asked of the calendar itself, one by one: right, and slow.
    """

    __slots__ = ("_after", "_before", "_begin", "_end", "_ends", "_starts", "calendar")

    def __init__(self, calendar: Calendar, first: int, last: int) -> None:
        self.calendar = calendar
        begin, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
        self._begin, self._end = micros(begin), micros(end)
        spans = () if calendar.around_the_clock else calendar.working(begin, end)
        self._starts: Micros = np.array([micros(low) for low, _ in spans], np.int64)
        self._ends: Micros = np.array([micros(high) for _, high in spans], np.int64)
        self._after: Micros = np.cumsum(self._ends - self._starts)
        self._before: Micros = self._after - (self._ends - self._starts)

    def add(self, start: Micros, amount: Micros) -> Micros:
        """As Calendar.add, for each pair. Raises Invalid where it would."""
        if self.calendar.around_the_clock:
            passed: Micros = start + np.maximum(amount, 0)
            return passed
        wanted = self._worked(start) + amount
        place = np.searchsorted(self._after, wanted, "left")
        known = (place < len(self._after)) & (start >= self._begin)
        near = np.minimum(place, max(len(self._after) - 1, 0))
        if len(self._after):
            found = self._starts[near] + wanted - self._before[near]
        else:
            found = start.copy()
        for index in np.flatnonzero(~known & (amount > 0)):
            span = int(amount[index]) * _MICROSECOND
            found[index] = micros(self.calendar.add(instant(int(start[index])), span))
        due: Micros = np.where(amount <= 0, start, found)
        return due

    def spent(self, start: Micros, end: Micros) -> Micros:
        """As Calendar.spent, for each pair."""
        if self.calendar.around_the_clock:
            passed: Micros = np.maximum(end - start, 0)
            return passed
        found = self._worked(end) - self._worked(start)
        outside = (end > start) & ((start < self._begin) | (end > self._end))
        for index in np.flatnonzero(outside):
            low, high = instant(int(start[index])), instant(int(end[index]))
            found[index] = self.calendar.spent(low, high) // _MICROSECOND
        spent: Micros = np.where(end > start, found, 0)
        return spent

    def is_working(self, at: Micros) -> NDArray[np.bool_]:
        """As Calendar.is_working, for each instant of the axis."""
        if self.calendar.around_the_clock:
            return np.ones(len(at), np.bool_)
        place = np.searchsorted(self._starts, at, "right") - 1
        inside = (place >= 0) & (at >= self._begin) & (at < self._end)
        if not len(self._starts):
            return np.zeros(len(at), np.bool_)
        working: NDArray[np.bool_] = inside & (at < self._ends[np.maximum(place, 0)])
        return working

    def _worked(self, at: Micros) -> Micros:
        if not len(self._starts):
            return np.zeros(len(at), np.int64)
        place = np.searchsorted(self._starts, at, "right") - 1
        near = np.maximum(place, 0)
        worked: Micros = self._before[near] + np.minimum(at, self._ends[near]) - self._starts[near]
        worked[place < 0] = 0
        return worked
