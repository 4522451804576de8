"""The laws of the clock against a walker that reads the wall clock minute by minute."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.sla.calendar import Calendar
from domain.sla.clock import (
    Clock,
    ClockState,
    Reminder,
    act,
    meet,
    pause,
    reopen,
    resume,
)
from domain.sla.counting import Wait, recompute
from domain.sla.policy import Promise
from domain.sla.timeline import Intervals
from tests.domain.sla.make import MINUTE, counts, hours, promise, started, tally, walk

quick = settings(deadline=None)
slow = settings(max_examples=40, deadline=None)

# Where clocks change, years turn and holidays gather.
MOMENTS = [
    datetime(2024, 2, 28, 12, tzinfo=UTC),  # Almaty and Qostanay leave +6
    datetime(2026, 3, 27, 20, tzinfo=UTC),  # Europe goes forward
    datetime(2026, 10, 24, 6, tzinfo=UTC),  # and back
    datetime(2026, 4, 4, 3, tzinfo=UTC),  # Lord Howe goes back by half an hour
    datetime(2025, 12, 31, 10, tzinfo=UTC),
]
ZONES = ["Asia/Almaty", "Asia/Qostanay", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"]


def intervals_of(marks: list[int]) -> Intervals:
    """Pairs of distinct minutes of a day, 1440 being its end, as opening hours."""
    cut = sorted(marks)
    shown = [time(mark // 60 % 24, mark % 60) for mark in cut]
    return tuple(zip(shown[::2], shown[1::2], strict=True))


days = st.lists(st.integers(0, 1440), unique=True, max_size=4).map(
    lambda marks: intervals_of(marks[: len(marks) // 2 * 2])
)
dates = st.dates(date(2024, 2, 27), date(2024, 3, 8)) | st.dates(
    date(2025, 12, 30), date(2026, 1, 9)
)
calendars = st.builds(
    Calendar,
    code=st.just("shifts"),
    version=st.just(1),
    zone=st.sampled_from(ZONES),
    week=st.tuples(st.just(((time(8), time(0)),)), *[days] * 6),
    days_off=st.frozensets(dates, max_size=6),
    working_days=st.dictionaries(dates, days, max_size=3),
    around_the_clock=st.just(False),
)
minutes = st.builds(
    lambda moment, after: moment + after * MINUTE, st.sampled_from(MOMENTS), st.integers(0, 3000)
)
instants = st.builds(
    lambda moment, after: moment + timedelta(microseconds=after),
    st.sampled_from(MOMENTS),
    st.integers(0, 10**12),
)
amounts = st.timedeltas(timedelta(0), timedelta(days=300))
short = st.integers(0, 1800).map(lambda count: count * MINUTE)


@slow
@given(calendars, minutes, short)
def test_adding_ends_where_the_walker_stops(
    calendar: Calendar, start: datetime, amount: timedelta
) -> None:
    assert calendar.add(start, amount) == walk(calendar, start, amount)


@slow
@given(calendars, minutes, st.integers(0, 10_000))
def test_spending_is_what_the_walker_counts(
    calendar: Calendar, start: datetime, length: int
) -> None:
    end = start + length * MINUTE
    assert calendar.spent(start, end) == tally(calendar, start, end)
    spans = calendar.working(start, end)
    assert sum((to - since for since, to in spans), timedelta(0)) == calendar.spent(start, end)


@quick
@given(calendars, instants)
def test_an_instant_works_when_its_wall_clock_says_so(calendar: Calendar, at: datetime) -> None:
    assert calendar.is_working(at) == counts(calendar, at)
    opened = calendar.next_working(at)
    assert counts(calendar, opened)
    assert opened >= at
    assert calendar.spent(at, opened) == timedelta(0)


@quick
@given(calendars, instants, amounts)
def test_what_was_added_is_what_is_spent(
    calendar: Calendar, start: datetime, amount: timedelta
) -> None:
    assert calendar.spent(start, calendar.add(start, amount)) == amount


@quick
@given(calendars, instants, amounts, amounts)
def test_adding_twice_is_adding_the_sum(
    calendar: Calendar, start: datetime, first: timedelta, second: timedelta
) -> None:
    assume(second > timedelta(0))
    twice = calendar.add(calendar.add(start, first), second)
    assert twice == calendar.add(start, first + second)


@quick
@given(calendars, instants, instants, amounts, amounts)
def test_more_time_and_a_later_start_are_never_due_earlier(
    calendar: Calendar, one: datetime, other: datetime, less: timedelta, more: timedelta
) -> None:
    early, late = sorted([one, other])
    small, large = sorted([less, more])
    assert calendar.add(early, small) <= calendar.add(early, large)
    assert calendar.add(early, large) <= calendar.add(late, large)


@quick
@given(calendars, st.tuples(instants, instants, instants))
def test_time_is_spent_once(
    calendar: Calendar, moments: tuple[datetime, datetime, datetime]
) -> None:
    a, b, c = sorted(moments)
    assert calendar.spent(a, b) + calendar.spent(b, c) == calendar.spent(a, c)
    assert timedelta(0) <= calendar.spent(a, c) <= c - a


gaps = st.lists(
    st.tuples(st.integers(1, 700), st.integers(0, 2500)), min_size=1, max_size=3
)  # minutes run, then minutes paused


def live(
    calendar: Calendar, kept: Promise, at: datetime, lives: list[tuple[int, int]], *, ticks: bool
) -> tuple[Clock, list[tuple[datetime, datetime]]]:
    """A clock through its pauses, and the pauses that it took."""
    clock, pauses = started(kept, calendar, at), []
    for run, rest in lives:
        begin = at + run * MINUTE
        at = begin + rest * MINUTE
        if ticks:
            clock, _ = act(clock, kept, at=begin)
        clock = pause(clock, reason="no access", at=begin)
        if clock.state is ClockState.PAUSED:
            pauses.append((begin, at))
        clock = resume(clock, kept, calendar, at=at)
    return clock, pauses


@slow
@given(calendars, minutes, st.integers(1, 1200), gaps)
def test_a_paused_promise_is_due_where_the_walker_says(
    calendar: Calendar, at: datetime, target: int, lives: list[tuple[int, int]]
) -> None:
    kept = promise(calendar, within=target * MINUTE)
    clock, pauses = live(calendar, kept, at, lives, ticks=False)
    assert clock.due_at == walk(calendar, at, kept.within, pauses)
    assert clock.paused_for == sum((tally(calendar, *one) for one in pauses), timedelta(0))


@quick
@given(calendars, minutes, st.integers(1, 1200), gaps)
def test_recomputing_gives_what_is_stored_and_edits_never_reset(
    calendar: Calendar, at: datetime, target: int, lives: list[tuple[int, int]]
) -> None:
    kept = promise(calendar, within=target * MINUTE)
    first = started(kept, calendar, at)
    clock, pauses = live(calendar, kept, at, lives, ticks=True)
    waits = [Wait("no access", *one) for one in pauses]
    end = at + sum(map(sum, lives)) * MINUTE
    assert recompute(clock, kept, calendar, waits=waits, at=end) == clock
    assert clock.due_at == calendar.add(at, kept.within + clock.paused_for)
    assert (clock.started_at, clock.target, clock.round) == (at, kept.within, 1)
    assert clock.due_at >= first.due_at


@quick
@given(calendars, minutes, st.integers(1, 1200), gaps, st.integers(0, 5000))
def test_a_missed_tick_changes_nothing_that_is_recorded(
    calendar: Calendar, at: datetime, target: int, lives: list[tuple[int, int]], later: int
) -> None:
    kept = promise(calendar, within=target * MINUTE)
    ticked, _ = live(calendar, kept, at, lives, ticks=True)
    silent, _ = live(calendar, kept, at, lives, ticks=False)
    end = at + sum(run + rest for run, rest in lives) * MINUTE + later * MINUTE + MINUTE / 2
    ticked, _ = act(ticked, kept, at=end)
    done, quiet = meet(ticked, at=end), meet(silent, at=end)
    assert replace(done, step=0) == replace(quiet, step=0)
    assert (done.breached_at is not None) == (end > done.due_at)


@quick
@given(calendars, minutes, st.lists(st.integers(0, 3000), min_size=1, max_size=8))
def test_the_ladder_is_climbed_once_and_in_order_however_often_it_ticks(
    calendar: Calendar, at: datetime, waits: list[int]
) -> None:
    kept = promise(calendar, within=hours(4))
    clock = started(kept, calendar, at)
    end = at + sum(waits) * MINUTE
    _, expected = act(clock, kept, at=end)
    climbed: list[Reminder] = []
    for wait in waits:
        at += wait * MINUTE
        clock, reminders = act(clock, kept, at=at)
        assert clock.next_at is None or clock.next_at > at
        climbed += reminders
    assert tuple(climbed) == expected
    assert [one.at for one in climbed] == sorted(one.at for one in climbed)


@slow
@given(calendars, minutes, st.integers(1, 1200), st.integers(0, 3000), gaps)
def test_a_reopened_round_promises_what_the_walker_left(
    calendar: Calendar, at: datetime, target: int, run: int, lives: list[tuple[int, int]]
) -> None:
    kept = promise(calendar, within=target * MINUTE, at_least=hours(1))
    clock, pauses = live(calendar, kept, at, lives, ticks=False)
    met_at = at + (sum(sum(one) for one in lives) + run) * MINUTE
    excluded = sum((tally(calendar, *one) for one in pauses), timedelta(0))
    left = kept.within - (tally(calendar, at, met_at) - excluded)
    again = reopen(meet(clock, at=met_at), kept, calendar, at=met_at)
    assert again is not None
    assert again.target == max(left, hours(1))
    assert again.due_at == walk(calendar, met_at, again.target)
