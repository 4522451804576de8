"""Why a clock says what it says: every interval of its life, what counted, what did not, and why.

The intervals of an explanation tile the life of the clock without gap or overlap, from its start
to its due time, to its end, or to the moment of asking, whichever is last. What counted up to that
moment adds up to the time spent; what counts up to the due time adds up to the promise.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from domain.sla.calendar import Calendar
from domain.sla.clock import Clock, ClockState, finished
from domain.sla.counting import Count, Wait, count
from domain.sla.policy import NOTHING


class Reason(StrEnum):
    """Why an interval counts (the first two) or does not; FOLDED sums up both kinds."""

    WORKING = "working"
    OVERDUE = "overdue"
    FOLDED = "folded"
    CLOSED = "closed"
    DAY_OFF = "day_off"
    PAUSED = "paused"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Interval:
    """[begin, end) of a clock's life; `counted` is what of it was counted, in all or nothing.

    Only a folded interval, which sums up an ordinary run of many, counts in part. `days_off` are
    the whole days off that lie in it (by the calendar's zone), `made_working` the days of which it
    counts something by a word of their own. `wait` says what was waited for. `ahead` is what has
    yet to come, and would count so if nothing happened.
    """

    begin: datetime
    end: datetime
    reason: Reason
    counted: timedelta
    ahead: bool = False
    days_off: tuple[date, ...] = ()
    made_working: tuple[date, ...] = ()
    wait: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A clock explained at a moment.

    `spent` is what counted until `until` (the clock's end, or that moment), `left` what of the
    promise remains and `late` what was counted beyond it: one of the two is always nothing.
    `due_at` is counted anew from start, promise and waits. `resumed_due_at` is when a waiting
    clock would be due, did it run on at that moment.
    """

    intervals: tuple[Interval, ...]
    until: datetime
    spent: timedelta
    left: timedelta
    late: timedelta
    due_at: datetime
    resumed_due_at: datetime | None


def explain(
    clock: Clock, calendar: Calendar, waits: Iterable[Wait], *, at: datetime
) -> Explanation:
    """Explain a clock as it stands at `at`, with every wait of its stage in order."""
    found = count(clock.started_at, clock.target, waits, calendar)
    until = max(_ended(clock) or at, clock.started_at)
    intervals = tuple(_intervals(clock, calendar, found, until))
    spent = sum((one.counted for one in intervals if one.end <= until), NOTHING)
    return Explanation(
        intervals=intervals,
        until=until,
        spent=spent,
        left=max(clock.target - spent, NOTHING),
        late=max(spent - clock.target, NOTHING),
        due_at=found.due_at,
        resumed_due_at=_resumed(clock, calendar, found, until),
    )


def _ended(clock: Clock) -> datetime | None:
    return clock.met_at or clock.cancelled_at


def _resumed(clock: Clock, calendar: Calendar, found: Count, until: datetime) -> datetime | None:
    if clock.state is not ClockState.PAUSED or found.waiting is None:
        return None
    return calendar.add(found.due_at, calendar.spent(found.waiting.begin, until))


def _intervals(
    clock: Clock, calendar: Calendar, found: Count, until: datetime
) -> Iterator[Interval]:
    """The life cut by the waits; what lies between them runs by the calendar."""
    begin = clock.started_at
    for wait in found.taken:
        end = max(until if wait.end is None else min(wait.end, until), wait.begin)
        yield from _running(calendar, begin, wait.begin, found.due_at, until)
        if wait.begin < end:
            yield Interval(wait.begin, end, Reason.PAUSED, NOTHING, wait=wait.reason)
        begin = end
    if found.waiting is not None or finished(clock):
        yield from _running(calendar, begin, until, found.due_at, until)
        if finished(clock) and until < found.due_at:
            yield Interval(until, found.due_at, Reason.FINISHED, NOTHING)
        return
    yield from _running(calendar, begin, max(until, found.due_at), found.due_at, until)


def _running(
    calendar: Calendar, begin: datetime, end: datetime, due_at: datetime, now: datetime
) -> Iterator[Interval]:
    """What counts and what does not of [begin, end), cut where the promise ends, and at `now`."""
    cuts = sorted({begin, end, *(cut for cut in (due_at, now) if begin < cut < end)})
    for low, high in pairwise(cuts):
        reason = Reason.OVERDUE if low >= due_at else Reason.WORKING
        yield from _by_calendar(calendar, low, high, reason, ahead=low >= now)


def _by_calendar(
    calendar: Calendar, begin: datetime, end: datetime, reason: Reason, *, ahead: bool
) -> Iterator[Interval]:
    at = begin
    for low, high in _joined(calendar.working(begin, end)):
        if at < low:
            yield _idle(calendar, at, low, ahead=ahead)
        moved = tuple(_made_working(calendar, low, high))
        yield Interval(low, high, reason, high - low, ahead, made_working=moved)
        at = high
    if at < end:
        yield _idle(calendar, at, end, ahead=ahead)


def _joined(
    spans: Iterable[tuple[datetime, datetime]],
) -> Iterator[tuple[datetime, datetime]]:
    """The spans, those joined that touch: a night over New Year comes in two parts."""
    former: tuple[datetime, datetime] | None = None
    for span in spans:
        if former is not None and former[1] == span[0]:
            former = (former[0], span[1])
            continue
        if former is not None:
            yield former
        former = span
    if former is not None:
        yield former


def _idle(calendar: Calendar, begin: datetime, end: datetime, *, ahead: bool) -> Interval:
    days = tuple(_days_off(calendar, begin, end))
    reason = Reason.DAY_OFF if days else Reason.CLOSED
    return Interval(begin, end, reason, NOTHING, ahead, days)


def _days_off(calendar: Calendar, begin: datetime, end: datetime) -> Iterator[date]:
    day, last = _dates(calendar, begin, end)
    while day <= last:
        if not calendar.hours(day):
            yield day
        day += timedelta(days=1)


def _made_working(calendar: Calendar, begin: datetime, end: datetime) -> Iterator[date]:
    first, last = _dates(calendar, begin, end)
    for day in sorted(calendar.working_days):
        if first <= day <= last and calendar.made_working(day):
            yield day


def _dates(calendar: Calendar, begin: datetime, end: datetime) -> tuple[date, date]:
    """The first and the last date of [begin, end), by the calendar's wall clock."""
    zone = ZoneInfo(calendar.zone)
    last = (end - timedelta(microseconds=1)).astimezone(zone)
    return begin.astimezone(zone).date(), last.date()


LONGEST_RUN = 40
KEPT = 12
"""Of an ordinary run of more than LONGEST_RUN intervals, so many are told at either end."""


def fold(intervals: Iterable[Interval], due_at: datetime) -> tuple[Interval, ...]:
    """The intervals with the middle of each long run summed up in one; waits are all told.

    What a folded interval counted is told with it, so that the sums stay as they were, before
    the due time and after it.
    """
    told: list[Interval] = []
    run: list[Interval] = []
    for one in intervals:
        if run and _kind(run[-1], due_at) != _kind(one, due_at):
            told += _folded(run)
            run = []
        run.append(one)
    return tuple(told + _folded(run))


def _kind(one: Interval, due_at: datetime) -> tuple[bool, bool, datetime | None]:
    ordinary = one.reason not in (Reason.PAUSED, Reason.FINISHED)
    return one.ahead, one.begin >= due_at, None if ordinary else one.begin


def _folded(run: list[Interval]) -> list[Interval]:
    if len(run) <= LONGEST_RUN:
        return run
    middle = run[KEPT:-KEPT]
    counted = sum((one.counted for one in middle), NOTHING)
    days = tuple(dict.fromkeys(day for one in middle for day in one.days_off))
    moved = tuple(dict.fromkeys(day for one in middle for day in one.made_working))
    folded = Interval(
        middle[0].begin, middle[-1].end, Reason.FOLDED, counted, middle[0].ahead, days, moved
    )
    return [*run[:KEPT], folded, *run[-KEPT:]]
