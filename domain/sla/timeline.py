"""The working time of one UTC year, laid out once so that any question about it is a bisection.

All instants are whole microseconds since 1970-01-01T00:00Z. Opening hours are what the wall
clock shows: when a zone sets its clocks back, an hour shown twice within them is worked twice;
when it sets them forward, an hour never shown is never worked.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Intervals = tuple[tuple[time, time], ...]
"""Local opening hours of one day, ascending and apart; an end of 00:00 is the end of the day."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_EPOCH_DAY = EPOCH.toordinal()


def utc(at: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError when `at` is naive: whose noon is it?"""
    if at.tzinfo is None:
        raise ValueError("an instant needs its zone")
    return at.astimezone(UTC)


def micros(at: datetime) -> int:
    """The instant as microseconds since the epoch. Raises TypeError when `at` is naive."""
    return (at - EPOCH) // _MICROSECOND


def instant(at: int) -> datetime:
    """The UTC datetime of microseconds since the epoch."""
    return EPOCH + timedelta(microseconds=at)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Working spans of one UTC year; `before[i]` is the work done when span i begins."""

    starts: Sequence[int]
    ends: Sequence[int]
    before: Sequence[int]
    after: Sequence[int]
    total: int

    def worked(self, at: int) -> int:
        """Working microseconds from the year's beginning until `at`."""
        place = bisect_right(self.starts, at) - 1
        if place < 0:
            return 0
        return self.before[place] + min(at, self.ends[place]) - self.starts[place]

    def moment(self, worked: int) -> int:
        """The first instant at which `worked` (0 < worked <= total) has been done."""
        place = bisect_left(self.after, worked)
        return self.starts[place] + worked - self.before[place]

    def next_working(self, at: int) -> int | None:
        """`at` when it is worked, else the start of the next span; None after the last."""
        place = bisect_right(self.ends, at)
        return max(at, self.starts[place]) if place < len(self.starts) else None

    def between(self, low: int, high: int) -> Iterator[tuple[int, int]]:
        """The spans of [low, high), ascending."""
        for place in range(bisect_right(self.ends, low), bisect_left(self.starts, high)):
            yield max(low, self.starts[place]), min(high, self.ends[place])


def lay_out(year: int, zone: str, hours: Callable[[date], Intervals]) -> Timeline:
    """The timeline of a UTC year for the local opening hours of each day."""
    starts: list[int] = []
    ends: list[int] = []
    for begin, end in _spans(year, ZoneInfo(zone), hours):
        if ends and ends[-1] == begin:
            ends[-1] = end
        else:
            starts.append(begin)
            ends.append(end)
    before, after, total = [], [], 0
    for begin, end in zip(starts, ends, strict=True):
        before.append(total)
        total += end - begin
        after.append(total)
    return Timeline(starts, ends, before, after, total)


def _spans(
    year: int, zone: ZoneInfo, hours: Callable[[date], Intervals]
) -> Iterator[tuple[int, int]]:
    for begin, end, offset in _offsets(year, zone):
        for day in range((begin + offset) // _DAY, (end - 1 + offset) // _DAY + 1):
            midnight = day * _DAY - offset
            for opens, closes in hours(date.fromordinal(_EPOCH_DAY + day)):
                low = max(begin, midnight + _of_day(opens))
                high = min(end, midnight + (_of_day(closes) or _DAY))
                if low < high:
                    yield low, high


def _of_day(shown: time) -> int:
    return (shown.hour * 3600 + shown.minute * 60 + shown.second) * _SECOND + shown.microsecond


def _offsets(year: int, zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """The year cut where the zone's offset changes: (begin, end, offset)."""
    begin = day = micros(datetime(year, 1, 1, tzinfo=UTC))
    last = micros(datetime(year + 1, 1, 1, tzinfo=UTC))
    offset = _offset(day, zone)
    while day < last:
        tomorrow = day + _DAY
        if (changed := _offset(tomorrow, zone)) != offset:
            cut = _change(day, tomorrow, zone)
            yield begin, cut, offset
            begin, offset = cut, changed
        day = tomorrow
    if begin < last:
        yield begin, last, offset


def _offset(at: int, zone: ZoneInfo) -> int:
    shown = datetime.fromtimestamp(at // _SECOND, zone)
    return (shown.utcoffset() or timedelta(0)) // _MICROSECOND


def _change(low: int, high: int, zone: ZoneInfo) -> int:
    """The first second in (low, high] that has the offset of `high`."""
    changed = _offset(high, zone)
    while high - low > _SECOND:
        middle = (low + high) // 2 // _SECOND * _SECOND
        low, high = (low, middle) if _offset(middle, zone) == changed else (middle, high)
    return high
