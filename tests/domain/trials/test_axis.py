"""The axis says what the calendar says, for any calendar, instant and amount."""

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.sla.calendar import Calendar
from domain.sla.hours import WHOLE_DAY
from domain.sla.timeline import instant, micros
from domain.trials.axis import Axis

ZONES = ("Asia/Almaty", "Europe/Berlin", "UTC")
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
AMOUNTS = st.timedeltas(timedelta(0), timedelta(days=500))


@st.composite
def calendars(draw):
    hours = st.sampled_from(
        [(), ((time(9), time(13)), (time(14), time(18))), WHOLE_DAY, ((time(22), time(0)),)]
    )
    week = tuple(draw(st.lists(hours, min_size=7, max_size=7)))
    week = (WHOLE_DAY, *week[1:]) if not any(week) else week
    days_off = draw(st.frozensets(st.dates(date(2025, 1, 1), date(2027, 12, 31)), max_size=9))
    always = draw(st.booleans())
    return Calendar("any", 1, draw(st.sampled_from(ZONES)), week, days_off, {}, always)


def array(values):
    return np.array(values, np.int64)


@settings(max_examples=120, deadline=None)
@given(calendars(), st.lists(st.tuples(INSTANTS, AMOUNTS), min_size=1, max_size=8))
def test_a_promise_falls_due_when_the_calendar_says(calendar, asked):
    axis = Axis(calendar, 2025, 2027)
    starts = array([micros(start) for start, _ in asked])
    spans = array([amount // timedelta(microseconds=1) for _, amount in asked])
    found = [instant(int(due)) for due in axis.add(starts, spans)]
    assert found == [calendar.add(start, amount) for start, amount in asked]


@settings(max_examples=120, deadline=None)
@given(calendars(), st.lists(st.tuples(INSTANTS, INSTANTS), min_size=1, max_size=8))
def test_time_is_spent_as_the_calendar_says(calendar, asked):
    axis = Axis(calendar, 2026, 2026)
    starts, ends = (array([micros(pair[side]) for pair in asked]) for side in (0, 1))
    found = [timedelta(microseconds=int(spent)) for spent in axis.spent(starts, ends)]
    assert found == [calendar.spent(start, end) for start, end in asked]


@settings(max_examples=80, deadline=None)
@given(calendars(), st.lists(INSTANTS, min_size=1, max_size=8))
def test_an_hour_is_worked_when_the_calendar_says(calendar, asked):
    found = Axis(calendar, 2025, 2027).is_working(array([micros(at) for at in asked]))
    assert found.tolist() == [calendar.is_working(at) for at in asked]
