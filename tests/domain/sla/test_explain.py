"""An explanation leaves no minute out, counts none twice, and says what the clock says."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.sla.calendar import Calendar, kazakhstan_working_days
from domain.sla.clock import Clock, ClockState, cancel, finished, meet, pause, resume
from domain.sla.counting import Wait
from domain.sla.explain import (
    LONGEST_RUN,
    Explanation,
    Interval,
    Reason,
    explain,
    fold,
)
from domain.sla.policy import NOTHING
from tests.domain.sla.make import (
    MINUTE,
    almaty,
    around_the_clock,
    hours,
    office,
    promise,
    started,
    tally,
)
from tests.domain.sla.test_properties import calendars, minutes

OFFICE = office()
steps = st.lists(st.tuples(st.sampled_from(["pause", "resume"]), st.integers(0, 3000)), max_size=5)
ends = st.sampled_from([None, meet, cancel])


def lived(
    calendar: Calendar, at: datetime, target: int, lives: Sequence[tuple[str, int]]
) -> tuple[Clock, list[Wait], datetime]:
    """A clock through pauses and resumptions; its waits, and when the last of them was."""
    kept = promise(calendar, within=target * MINUTE)
    clock, waits = started(kept, calendar, at), list[Wait]()
    for act, after in lives:
        at += after * MINUTE
        waiting = bool(waits) and waits[-1].end is None
        if act == "pause" and not waiting:
            waits.append(Wait("parts", at))
            clock = pause(clock, reason="parts", at=at)
        elif act == "resume" and waiting:
            waits[-1] = Wait("parts", waits[-1].begin, at)
            clock = resume(clock, kept, calendar, at=at)
    return clock, waits, at


def counted(intervals: Sequence[Interval], until: datetime | None = None) -> timedelta:
    return sum((i.counted for i in intervals if until is None or i.end <= until), NOTHING)


def tiles(intervals: Sequence[Interval], begin: datetime, end: datetime) -> None:
    if begin == end:
        assert intervals == ()
        return
    assert (intervals[0].begin, intervals[-1].end) == (begin, end)
    assert all(one.begin < one.end for one in intervals)
    assert all(former.end == latter.begin for former, latter in pairwise(intervals))


@settings(max_examples=150, deadline=None)
@given(calendars, minutes, st.integers(1, 1200), steps, ends, st.integers(0, 6000))
def test_every_minute_is_told_once_and_the_sums_are_the_clocks(
    calendar, start, target, lives, end, later
):
    clock, waits, at = lived(calendar, start, target, lives)
    at += later * MINUTE
    clock = end(clock, at=at) if end else clock
    asked = at + 90 * MINUTE if end else at
    found = explain(clock, calendar, waits, at=asked)

    assert found.due_at == clock.due_at, "what is counted anew is what is stored"
    assert found.until == at
    last = max(at, clock.due_at)
    tiles(found.intervals, start, at if clock.state is ClockState.PAUSED else last)

    taken = [w for w in waits if w.begin < clock.due_at]
    waited = sum((tally(calendar, w.begin, min(w.end or at, at)) for w in taken), NOTHING)
    assert found.spent == tally(calendar, start, at) - waited
    assert found.spent + found.left - found.late == clock.target
    assert NOTHING in (found.left, found.late)
    if not finished(clock) and clock.state is not ClockState.PAUSED:
        within = [one for one in found.intervals if one.end <= clock.due_at]
        assert counted(within) == clock.target, "what counts up to the due time is the promise"


@settings(max_examples=150, deadline=None)
@given(calendars, minutes, st.integers(1, 1200), steps, st.integers(0, 6000))
def test_what_counts_is_working_time_and_what_does_not_is_none(
    calendar, start, target, lives, later
):
    clock, waits, at = lived(calendar, start, target, lives)
    found = explain(clock, calendar, waits, at=at + later * MINUTE)
    for one in found.intervals:
        if one.reason in (Reason.WORKING, Reason.OVERDUE):
            assert one.counted == one.end - one.begin == calendar.spent(one.begin, one.end)
            assert (one.begin >= clock.due_at) == (one.reason is Reason.OVERDUE)
            zone = ZoneInfo(calendar.zone)
            assert one.made_working == tuple(
                day
                for day in sorted(calendar.working_days)
                if any(low.astimezone(zone).date() == day for low in _minutes(one))
                and not calendar.week[day.weekday()]
            )
        else:
            assert one.counted == NOTHING
            assert one.made_working == ()
        if one.reason in (Reason.CLOSED, Reason.DAY_OFF):
            assert calendar.spent(one.begin, one.end) == NOTHING
            assert bool(one.days_off) == (one.reason is Reason.DAY_OFF)
            assert all(not calendar.hours(day) for day in one.days_off)


def _minutes(one: Interval) -> Iterator[datetime]:
    """Every minute that an interval begins, holds or ends with."""
    at = one.begin
    while at < one.end:
        yield at
        at += MINUTE


def test_a_worked_saturday_and_a_day_off_are_told_with_whose_word_they_are():
    moved = office(
        working_days=[{"date": "2026-03-14", "decree": "Қаулы № 5"}],
        days_off=[{"date": "2026-03-13", "decree": "Қаулы № 5"}],
    )
    clock = started(promise(moved, within=hours(20)), moved, almaty("2026-03-12 09:00"))
    found = explain(clock, moved, (), at=almaty("2026-03-12 09:00"))
    saturday = date(2026, 3, 14)
    worked = [one.made_working for one in found.intervals if one.reason is Reason.WORKING]
    assert worked == [(), (), (saturday,), (saturday,), ()], "mornings and afternoons"
    off = [one.days_off for one in found.intervals if one.days_off]
    assert off == [(date(2026, 3, 13),), (date(2026, 3, 15),)]
    assert moved.decrees == {saturday: "Қаулы № 5", date(2026, 3, 13): "Қаулы № 5"}


def test_a_weekend_day_that_the_nation_works_is_told_without_a_decree():
    day = max(kazakhstan_working_days(range(2023, 2028)))
    at = datetime.combine(day, time(9), ZoneInfo("Asia/Almaty"))
    clock = started(promise(OFFICE, within=hours(2)), OFFICE, at)
    (only,) = explain(clock, OFFICE, (), at=at).intervals
    assert day.weekday() >= 5
    assert only.made_working == (day,)
    assert OFFICE.decrees == {}


def test_what_is_worked_by_its_own_hours_or_on_a_holiday_is_told_and_a_usual_day_is_not():
    hours_of = {"2026-03-08": ["10:00-12:00"], "2026-03-10": ["09:00-11:00"]}
    short = office(
        working_days=[
            {"date": "2026-03-08", "hours": hours_of["2026-03-08"]},
            {"date": "2026-03-10", "hours": hours_of["2026-03-10"], "decree": "Қаулы № 7"},
            {"date": "2026-03-11", "hours": ["09:00-11:00"]},
        ]
    )
    told = {str(day) for day in short.working_days if short.made_working(day)}
    assert told & {"2026-03-08", "2026-03-10", "2026-03-11"} == {"2026-03-08", "2026-03-10"}
    assert not around_the_clock().made_working(date(2026, 3, 8))


def test_a_fold_keeps_the_days_that_are_worked_by_a_word_of_their_own():
    saturdays = [date(2026, 1, 10) + n * timedelta(days=7) for n in range(20)]
    moved = office(working_days=[{"date": str(day), "decree": "Қаулы"} for day in saturdays])
    clock = started(promise(moved, within=hours(800)), moved, almaty("2026-01-05 09:00"))
    whole = explain(clock, moved, (), at=almaty("2026-06-01 09:00")).intervals
    every = {day for one in whole for day in one.made_working}
    assert every == set(saturdays)
    assert every == {day for one in fold(whole, clock.due_at) for day in one.made_working}


@settings(max_examples=60, deadline=None)
@given(calendars, minutes, st.integers(1, 1200), steps, st.integers(0, 400_000))
def test_folding_changes_no_sum_and_no_edge(calendar, start, target, lives, later):
    clock, waits, at = lived(calendar, start, target, lives)
    found = explain(clock, calendar, waits, at=at + later * MINUTE)
    short = fold(found.intervals, found.due_at)
    if short:
        tiles(short, found.intervals[0].begin, found.intervals[-1].end)
    for edge in (found.due_at, found.until):
        assert counted(short, edge) == counted(found.intervals, edge)
    assert len(short) <= 8 * (LONGEST_RUN + 1)
    kept = [one for one in found.intervals if one.reason is Reason.PAUSED]
    assert [one for one in short if one.reason is Reason.PAUSED] == kept


def told(found: Explanation) -> list[tuple[str, datetime, datetime]]:
    return [(str(one.reason), one.begin, one.end) for one in found.intervals]


def test_a_weekend_with_a_holiday_is_one_interval_with_its_days():
    clock = started(promise(OFFICE), OFFICE, almaty("2026-03-06 16:00"))
    found = explain(clock, OFFICE, (), at=almaty("2026-03-06 17:00"))
    assert told(found) == [
        ("working", almaty("2026-03-06 16:00"), almaty("2026-03-06 17:00")),
        ("working", almaty("2026-03-06 17:00"), almaty("2026-03-06 18:00")),
        ("day_off", almaty("2026-03-06 18:00"), almaty("2026-03-10 09:00")),
        ("working", almaty("2026-03-10 09:00"), almaty("2026-03-10 13:00")),
        ("closed", almaty("2026-03-10 13:00"), almaty("2026-03-10 14:00")),
        ("working", almaty("2026-03-10 14:00"), almaty("2026-03-10 16:00")),
    ]
    assert found.intervals[2].days_off == (date(2026, 3, 7), date(2026, 3, 8), date(2026, 3, 9))
    assert OFFICE.holidays[date(2026, 3, 8)]["en"] == "International Women's Day"
    assert [one.ahead for one in found.intervals] == [False, True, True, True, True, True]
    assert (found.spent, found.left) == (hours(1), hours(7))


def test_a_pause_over_a_weekend_is_one_interval_and_gives_working_time_alone():
    clock = started(promise(OFFICE), OFFICE, almaty("2026-04-03 10:00"))
    clock = pause(clock, reason="parts", at=almaty("2026-04-03 16:00"))
    clock = resume(clock, promise(OFFICE), OFFICE, at=almaty("2026-04-06 10:00"))
    waits = [Wait("parts", almaty("2026-04-03 16:00"), almaty("2026-04-06 10:00"))]
    found = explain(clock, OFFICE, waits, at=almaty("2026-04-06 10:00"))
    assert ("paused", waits[0].begin, waits[0].end) in told(found)
    assert [one.reason for one in found.intervals].count(Reason.DAY_OFF) == 0
    assert found.due_at == clock.due_at == almaty("2026-04-06 13:00")


def test_a_month_of_waiting_is_told_in_one_sentence_and_says_when_it_would_be_due():
    calendar = around_the_clock()
    clock = started(promise(calendar), calendar, almaty("2026-04-01 10:00"))
    clock = pause(clock, reason="weather", at=almaty("2026-04-01 12:00"))
    waits = [Wait("weather", almaty("2026-04-01 12:00"))]
    found = explain(clock, calendar, waits, at=almaty("2026-05-01 12:00"))
    assert [one.reason for one in found.intervals] == [Reason.WORKING, Reason.PAUSED]
    assert found.resumed_due_at == almaty("2026-05-01 18:00")
    assert found.left == hours(6)


def test_a_clock_that_was_met_early_stands_still_until_its_due_time():
    calendar = around_the_clock()
    clock = started(promise(calendar), calendar, almaty("2026-04-01 10:00"))
    met = meet(clock, at=almaty("2026-04-01 12:00"))
    found = explain(met, calendar, (), at=almaty("2026-04-09 12:00"))
    assert told(found)[-1] == (
        "finished", almaty("2026-04-01 12:00"), almaty("2026-04-01 18:00"),
    )  # fmt: skip
    assert (found.spent, found.left) == (hours(2), hours(6))


def test_a_year_past_due_is_told_in_a_page():
    clock = started(promise(OFFICE), OFFICE, almaty("2025-03-03 10:00"))
    found = explain(clock, OFFICE, (), at=almaty("2026-03-03 10:00"))
    assert len(found.intervals) > 900
    short = fold(found.intervals, found.due_at)
    assert len(short) < 40
    assert counted(short) == counted(found.intervals)
    assert Reason.FOLDED in {one.reason for one in short}
